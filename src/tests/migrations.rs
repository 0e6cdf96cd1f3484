//! The schema: the same on both engines, and brought up to date without touching what is there.

use std::collections::BTreeMap;
use std::time::Duration;

use sqlx::{Connection as _, Executor as _, SqliteConnection};

use super::app::{START, TestApp, settings};
use super::engines::{Database, on_each_engine};
use super::exercises::begin;
use crate::accounts::store::token::{self, Purpose};
use crate::domain::account::Role;
use crate::domain::attempt::Way;
use crate::domain::level::Level;
use crate::server::database::{Db, migrations_for_postgres, migrations_for_sqlite};
use crate::server::state::Settings;

/// Column by table: its type, whether it may be NULL, and whether it is part of the key.
pub(super) type Schema = BTreeMap<String, BTreeMap<String, (String, bool, bool)>>;

pub(super) async fn schema(db: &Db) -> Schema {
    let rows: Vec<(String, String, String, bool, bool)> = match db {
        Db::Sqlite { read, .. } => sqlx::query_as(
            "SELECT m.name, c.name, c.type, c.\"notnull\" = 0, c.pk > 0 FROM sqlite_schema m JOIN pragma_table_info(m.name) c \
             WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite_%'",
        )
        .fetch_all(read)
        .await
        .expect("reads"),
        Db::Postgres(pool) => sqlx::query_as(
            "SELECT c.table_name::text, c.column_name::text, c.data_type::text, c.is_nullable = 'YES', \
             EXISTS (SELECT 1 FROM information_schema.table_constraints t \
                     JOIN information_schema.key_column_usage k USING (constraint_schema, constraint_name) \
                     WHERE t.constraint_type = 'PRIMARY KEY' AND k.table_name = c.table_name AND k.column_name = c.column_name) \
             FROM information_schema.columns c WHERE c.table_schema = 'public'",
        )
        .fetch_all(pool)
        .await
        .expect("reads"),
    };
    let mut schema = Schema::new();
    for (table, column, kind, nullable, key) in rows {
        // sqlx's own table differs by engine.
        if table == "_sqlx_migrations" {
            continue;
        }
        let kind = match kind.to_lowercase().as_str() {
            "integer" | "bigint" => "whole number",
            "text" => "text",
            "boolean" => "boolean",
            other => panic!("{table}.{column} is of type {other}, which is not portable"),
        };
        schema
            .entry(table)
            .or_default()
            .insert(column, (kind.to_owned(), nullable, key));
    }
    schema
}

/// The rules between and within tables, as far as the engines tell them alike: foreign keys and unique columns.
async fn rules(db: &Db) -> Vec<String> {
    let mut rules: Vec<String> = match db {
        Db::Sqlite { read, .. } => sqlx::query_scalar(
            "SELECT m.name || '.' || f.\"from\" || ' to ' || f.\"table\" || ' ' || f.on_delete \
             FROM sqlite_schema m JOIN pragma_foreign_key_list(m.name) f WHERE m.type = 'table' \
             UNION ALL SELECT m.name || ' ' || i.origin || ' ' || (SELECT group_concat(name) FROM pragma_index_info(i.name)) \
             FROM sqlite_schema m JOIN pragma_index_list(m.name) i WHERE m.type = 'table' AND i.origin IN ('u', 'c')",
        )
        .fetch_all(read)
        .await
        .expect("reads"),
        Db::Postgres(pool) => sqlx::query_scalar(
            "SELECT r.conrelid::regclass || '.' || a.attname || ' to ' || r.confrelid::regclass || ' ' || \
             CASE r.confdeltype WHEN 'c' THEN 'CASCADE' WHEN 'n' THEN 'SET NULL' ELSE 'NO ACTION' END \
             FROM pg_constraint r JOIN pg_attribute a ON a.attrelid = r.conrelid AND a.attnum = r.conkey[1] WHERE r.contype = 'f' \
             UNION ALL SELECT i.indrelid::regclass || CASE WHEN i.indisunique THEN ' u ' ELSE ' c ' END || \
             (SELECT string_agg(a.attname, ',' ORDER BY o.n) FROM unnest(i.indkey) WITH ORDINALITY o (k, n) \
              JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = o.k) \
             FROM pg_index i JOIN pg_class t ON t.oid = i.indrelid JOIN pg_namespace s ON s.oid = t.relnamespace \
             WHERE s.nspname = 'public' AND NOT i.indisprimary AND t.relname <> '_sqlx_migrations'",
        )
        .fetch_all(pool)
        .await
        .expect("reads"),
    };
    rules.sort();
    rules
}

#[test]
fn both_engines_have_the_same_versions() {
    let names = |migrator: sqlx::migrate::Migrator| {
        migrator
            .iter()
            .map(|migration| (migration.version, migration.description.to_string()))
            .collect::<Vec<_>>()
    };
    let sqlite = names(migrations_for_sqlite());
    assert!(!sqlite.is_empty());
    assert_eq!(sqlite, names(migrations_for_postgres()));
}

#[tokio::test]
async fn both_engines_have_the_same_tables() {
    let sqlite = Database::sqlite().await;
    let (tables, keys) = (schema(&sqlite.db).await, rules(&sqlite.db).await);
    assert!(
        tables.contains_key("attempt") && tables["attempt"]["minutes"].1,
        "{tables:#?}"
    );
    assert!(tables["section"]["name"].2 && !tables["section"]["body"].2);
    assert!(
        keys.contains(&"attempt.owner_id to owner CASCADE".to_owned()),
        "{keys:#?}"
    );
    assert!(
        keys.contains(&"score u attempt_id,number".to_owned()),
        "{keys:#?}"
    );
    if let Some(postgres) = Database::empty_postgres().await {
        assert_eq!(schema(&postgres.db).await, Schema::new());
        postgres.db.migrate().await.expect("migrates");
        assert_eq!(schema(&postgres.db).await, tables);
        assert_eq!(rules(&postgres.db).await, keys);
        postgres.discard().await;
    }
}

/// Every row of every table, as text.
pub(super) async fn everything(db: &Db) -> Vec<String> {
    let mut rows = Vec::new();
    for (table, columns) in schema(db).await {
        let columns = columns
            .keys()
            .map(|name| format!("COALESCE(CAST({name} AS TEXT), 'NULL')"))
            .collect::<Vec<_>>()
            .join(" || ',' || ");
        let sql = sqlx::AssertSqlSafe(format!("SELECT '{table}: ' || {columns} FROM {table}"));
        let found: Vec<String> = match db {
            Db::Sqlite { read, .. } => sqlx::query_scalar(sql)
                .fetch_all(read)
                .await
                .expect("reads"),
            Db::Postgres(pool) => sqlx::query_scalar(sql)
                .fetch_all(pool)
                .await
                .expect("reads"),
        };
        rows.extend(found);
    }
    rows.sort();
    rows
}

#[tokio::test]
async fn migrating_a_database_in_use_changes_nothing() {
    on_each_engine(async |database| {
        let settings = Settings {
            mail: true,
            ..settings("http://headroom.test")
        };
        let app = TestApp::with(database, settings);
        let attempt = app.attempt(Way::Interview, Level::Staff, None).await;
        let email = "ada@example.org";
        attempt.guest.sign_up(email).await.expect(303);
        app.grant(email, Role::Mentor).await;
        attempt.guest.enrol(app.now()).await;
        let account = app.account_id(email).await;
        let (purpose, now) = (Purpose::ResetPassword, app.now());
        crate::transact!(app.db, |conn| {
            token::issue(conn, &account, purpose, email, [7; 32], now).await
        })
        .expect("issued");
        attempt.post("shares", &[]).await.expect(200);
        attempt
            .save("api", 0, "key", "POST /charges")
            .await
            .expect(200);
        attempt.post("hints", &[]).await.expect(303);
        let tick = [("item", "reading/ddia"), ("on", "1")];
        let reader = &attempt.guest;
        reader
            .post_form("/reference/ticks", &tick)
            .await
            .expect(303);
        app.advance(7);
        attempt.get("score").await.expect(200);
        attempt.score("below").await.expect(303);
        begin(&attempt.guest, "words").await;
        let before = everything(&database.db).await;
        for table in schema(&database.db).await.keys() {
            assert!(
                before
                    .iter()
                    .any(|row| row.starts_with(&format!("{table}: "))),
                "nothing in {table}: {before:#?}"
            );
        }
        assert!(before.iter().any(|row| row.contains(&START.to_string())));
        database.db.migrate().await.expect("migrates");
        assert_eq!(everything(&database.db).await, before);
        // And by another process, which opens it anew.
        let again = Db::open(&database.url).await.expect("opens");
        again.migrate().await.expect("migrates");
        assert_eq!(everything(&again).await, before);
        again.close().await;
    })
    .await;
}

#[tokio::test]
async fn several_nodes_may_migrate_at_once() {
    let mut databases = vec![Database::empty_sqlite().await];
    databases.extend(Database::empty_postgres().await);
    for database in databases {
        let mut nodes = Vec::new();
        for _ in 0..4 {
            let url = database.url.clone();
            nodes.push(tokio::spawn(async move {
                let db = Db::open_with(&url, 2).await.expect("opens");
                let outcome = db.migrate().await;
                db.close().await;
                outcome
            }));
        }
        for node in nodes {
            node.await.expect("no panic").expect("migrates");
        }
        assert_eq!(
            database.db.lacking_migrations().await.expect("reads"),
            [""; 0]
        );
        database.discard().await;
    }
}

#[tokio::test]
async fn a_node_that_waited_for_another_ones_migration_goes_on() {
    let database = Database::sqlite().await;
    let mut other = SqliteConnection::connect(&database.url)
        .await
        .expect("opens");
    // Back to before the last migration, which the other node is about to commit.
    for statement in [
        "CREATE TEMP TABLE last AS SELECT * FROM _sqlx_migrations WHERE version = 3",
        "DELETE FROM _sqlx_migrations WHERE version = 3",
        "ALTER TABLE attempt DROP COLUMN variant",
        "DROP TABLE exercise",
        "DROP TABLE tick",
        "BEGIN IMMEDIATE",
        include_str!("../../migrations/sqlite/0003_library.sql"),
        "INSERT INTO _sqlx_migrations SELECT * FROM last",
    ] {
        other.execute(statement).await.expect(statement);
    }
    let db = Db::open(&database.url).await.expect("opens");
    let waiting = tokio::spawn(async move { (db.migrate().await, db.close().await).0 });
    // Long enough for it to have read what is lacking, and to wait for the writer's lock.
    tokio::time::sleep(Duration::from_millis(300)).await;
    other.execute("COMMIT").await.expect("commits");
    waiting.await.expect("no panic").expect("goes on");
    assert_eq!(
        database.db.lacking_migrations().await.expect("reads"),
        [""; 0]
    );
}
