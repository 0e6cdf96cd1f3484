//! Backup, restore, copy and doctor: what goes in comes out, and nothing is lost on a bad day.

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, Mutex};

use sqlx::{AssertSqlSafe, Connection as _, SqliteConnection};
use tempfile::TempDir;

use super::app::START;
use super::engines::{Database, on_each_engine};
use crate::operations::backup::{self, backup};
use crate::operations::copy::{self, copy};
use crate::operations::doctor::{Examination, Installation, Severity, doctor};
use crate::operations::restore::{self, restore};
use crate::operations::schema::{Kind, Schema, program_version};
use crate::operations::store::{self, Cell, Reading};
use crate::server::clock::{Clock, new_id};
use crate::server::content_library::Origin;
use crate::server::database::{Conn, Db, migrations_for_sqlite};

const DAY: i64 = 86_400_000;

fn clock() -> Clock {
    Clock::Set(Arc::new(AtomicI64::new(START)))
}

fn folder() -> TempDir {
    tempfile::tempdir().expect("a temporary folder")
}

fn url(path: &Path) -> String {
    format!("sqlite:{}", path.display())
}

/// What stands in a folder, without the logs of SQLite, which a reader may leave there empty.
fn names(folder: &Path) -> BTreeSet<String> {
    std::fs::read_dir(folder)
        .expect("reads")
        .map(|entry| {
            entry
                .expect("reads")
                .file_name()
                .to_string_lossy()
                .into_owned()
        })
        .filter(|name| !name.ends_with("-wal") && !name.ends_with("-shm"))
        .collect()
}

async fn execute(path: &Path, sql: &str) {
    let mut connection = SqliteConnection::connect(&url(path)).await.expect("opens");
    sqlx::raw_sql(AssertSqlSafe(sql))
        .execute(&mut connection)
        .await
        .expect("runs");
    connection.close().await.expect("closes");
}

/// A database of this program's version with one owner; closed, one file.
async fn small(path: &Path, owner: &str) {
    let db = Db::open(&url(path)).await.expect("opens");
    db.migrate().await.expect("migrates");
    add_owner(&db, owner).await;
    db.close().await;
}

async fn add_owner(db: &Db, id: &str) {
    let added: Result<(), _> = crate::transact!(db, |conn| crate::server::store::insert_owner(
        conn, id, START
    )
    .await);
    added.expect("added");
}

async fn owners(url: &str) -> BTreeSet<String> {
    let db = Db::open(url).await.expect("opens");
    let mut reader = db.read().await.expect("reads");
    let found: Result<Vec<String>, _> = crate::on!(&mut reader.conn(), |c| sqlx::query_scalar(
        "SELECT id FROM owner"
    )
    .fetch_all(c));
    drop(reader);
    db.close().await;
    found.expect("reads").into_iter().collect()
}

async fn is_sound(path: &Path) -> bool {
    let mut connection = SqliteConnection::connect(&url(path)).await.expect("opens");
    let sound = store::integrity_faults(&mut connection)
        .await
        .is_ok_and(|faults| faults.is_empty())
        && store::reference_faults(&mut connection)
            .await
            .is_ok_and(|faults| faults.is_empty());
    connection.close().await.expect("closes");
    sound
}

async fn whole_schema() -> Schema {
    Schema::at(program_version()).await.expect("a schema")
}

/// Everything in a database, table by table.
async fn everything(db: &Db) -> BTreeMap<String, Vec<Vec<Cell>>> {
    let mut tx = db.begin().await.expect("begins");
    let mut tables = BTreeMap::new();
    for table in &whole_schema().await.tables {
        let mut reading = Reading::new(table);
        let mut rows = Vec::new();
        loop {
            let more = reading.next(&mut tx.conn()).await.expect("reads");
            if more.is_empty() {
                break;
            }
            rows.extend(more);
        }
        tables.insert(table.name.clone(), rows);
    }
    tables
}

async fn is_empty(db: &Db) -> bool {
    everything(db).await.values().all(Vec::is_empty)
}

/// More than are moved at one time.
const ROWS: usize = 430;

/// Fills every table that the schema has with odd values, whatever tables there will be.
async fn fill(db: &Db) {
    let mut reference = SqliteConnection::connect("sqlite::memory:")
        .await
        .expect("opens");
    migrations_for_sqlite()
        .run(&mut reference)
        .await
        .expect("migrates");
    let references: BTreeMap<(String, String), (String, String)> = sqlx::query_as::<_, (String, String, String, String)>(
        "SELECT m.name, f.\"from\", f.\"table\", f.\"to\" FROM sqlite_schema m JOIN pragma_foreign_key_list(m.name) f WHERE m.type = 'table'",
    )
    .fetch_all(&mut reference)
    .await
    .expect("reads")
    .into_iter()
    .map(|(table, column, parent, key)| ((table, column), (parent, key)))
    .collect();
    let nullable: BTreeSet<(String, String)> = sqlx::query_as(
        "SELECT m.name, c.name FROM sqlite_schema m JOIN pragma_table_info(m.name) c WHERE m.type = 'table' AND c.\"notnull\" = 0",
    )
    .fetch_all(&mut reference)
    .await
    .expect("reads")
    .into_iter()
    .collect();
    // Postgres takes no long texts into an index.
    let indexed: BTreeSet<(String, String)> = sqlx::query_as(
        "SELECT m.name, c.name FROM sqlite_schema m JOIN pragma_index_list(m.name) i JOIN pragma_index_info(i.name) c WHERE m.type = 'table'",
    )
    .fetch_all(&mut reference)
    .await
    .expect("reads")
    .into_iter()
    .collect();
    let long = "größer als ein Topf 🥘 ".repeat(65_536 / 25);
    let odd = [
        "'; DROP TABLE owner; --",
        "\"quoted\" \\ back\\slash",
        "$1 {} %s ?",
        "\u{feff}\u{200b}ünï\u{301}code 漢字 🧑‍🚀 \u{10ffff}\u{ffff}",
        "line\r\nbreak\ttab\u{7f}",
        "Upper",
        "lower",
        "_under",
        "ä",
        "z",
        "NULL",
        " ",
    ];
    let mut tx = db.begin().await.expect("begins");
    let mut written: BTreeMap<(String, String), Vec<Cell>> = BTreeMap::new();
    for table in &whole_schema().await.tables {
        let mut rows = Vec::new();
        for number in 0..ROWS {
            let mut row = Vec::new();
            for column in &table.columns {
                let place = (table.name.clone(), column.name.clone());
                let may_be_null = nullable.contains(&place) && number % 3 == 0;
                let cell = match (column.kind, references.get(&place)) {
                    (Kind::Text, _) if may_be_null => Cell::Text(None),
                    (Kind::Integer, _) if may_be_null => Cell::Integer(None),
                    (_, Some(parent)) => written[parent][number].clone(),
                    (Kind::Text, None) if number % 100 == 7 && !indexed.contains(&place) => {
                        Cell::Text(Some(long.clone()))
                    }
                    (Kind::Text, None) if number == 5 && !indexed.contains(&place) => {
                        Cell::Text(Some(String::new()))
                    }
                    (Kind::Text, None) => {
                        Cell::Text(Some(format!("{}{number}", odd[number % odd.len()])))
                    }
                    // The one column with a rule about its numbers.
                    (Kind::Integer, None) if column.name == "rating" => {
                        Cell::Integer(Some(1 + number as i64 % 4))
                    }
                    (Kind::Integer, None) => Cell::Integer(Some(match number {
                        0 => i64::MIN,
                        1 => i64::MAX,
                        2 => -1,
                        _ => number as i64,
                    })),
                };
                row.push(cell);
            }
            rows.push(row);
        }
        store::insert_rows(&mut tx.conn(), table, &rows)
            .await
            .expect("inserted");
        for (at, column) in table.columns.iter().enumerate() {
            written.insert(
                (table.name.clone(), column.name.clone()),
                rows.iter().map(|row| row[at].clone()).collect(),
            );
        }
    }
    tx.commit().await.expect("commits");
}

/// Asserts that something was refused, and for the reason that is expected, without the password of the tests.
#[track_caller]
fn refused<T>(outcome: anyhow::Result<T>, expected: &str) {
    let error = outcome.err().expect("is refused");
    let text = format!("{error:#}");
    assert!(text.contains(expected), "not `{expected}`: {text}");
    assert!(!text.contains("hunter2"), "{text}");
}

fn quiet(_: &str) {}

#[tokio::test]
async fn every_table_of_the_schema_is_moved() {
    let known: BTreeSet<String> = whole_schema()
        .await
        .tables
        .into_iter()
        .map(|table| table.name)
        .collect();
    assert!(known.contains("owner") && known.len() > 10);
    on_each_engine(async |database| {
        let mut reader = database.db.read().await.expect("reads");
        let mut there: BTreeSet<String> = store::tables(&mut reader.conn())
            .await
            .expect("reads")
            .into_iter()
            .collect();
        assert!(there.remove(store::MIGRATIONS));
        assert_eq!(there, known);
    })
    .await;
}

#[tokio::test]
async fn a_copy_is_equal_on_either_engine_and_back() {
    let first = Database::sqlite().await;
    fill(&first.db).await;
    let before = everything(&first.db).await;
    assert!(before.values().all(|rows| rows.len() == ROWS));
    let folder = folder();
    let last = url(&folder.path().join("last.db"));

    let middle = match Database::empty_postgres().await {
        Some(postgres) => postgres,
        None => Database::empty_sqlite().await,
    };
    let there = copy(&first.url, &middle.url).await.expect("copied");
    assert_eq!(everything(&middle.db).await, before);
    let back = copy(&middle.url, &last).await.expect("copied");
    assert_eq!(there.tables, back.tables);
    assert!(
        there
            .tables
            .iter()
            .all(|moved| moved.rows == ROWS as u64 && moved.digest.len() == 64)
    );
    assert!(there.to_string().contains(&there.tables[0].digest));
    let db = Db::open(&last).await.expect("opens");
    assert_eq!(everything(&db).await, before);
    db.close().await;
    assert!(is_sound(&folder.path().join("last.db")).await);

    // Neither is written over.
    refused(copy(&first.url, &middle.url).await, "is not empty");
    refused(copy(&middle.url, &last).await, "is not empty");
    assert_eq!(everything(&middle.db).await, before);
    middle.discard().await;
    first.discard().await;
}

#[tokio::test]
async fn a_copy_that_cannot_be_whole_leaves_the_target_empty() {
    on_each_engine(async |target| {
        let folder = folder();
        let source = folder.path().join("source.db");
        small(&source, "one").await;
        execute(
            &source,
            "PRAGMA foreign_keys = OFF; INSERT INTO phase_time VALUES ('nobody''s attempt', 'api', 1)",
        )
        .await;
        refused(
            copy(&url(&source), &target.url).await,
            "the table phase_time",
        );
        assert!(is_empty(&target.db).await);

        if matches!(target.db, Db::Postgres(_)) {
            execute(
                &source,
                "DELETE FROM phase_time; INSERT INTO owner VALUES ('nul' || char(0), 1)",
            )
            .await;
            refused(copy(&url(&source), &target.url).await, "NUL character");
            assert!(is_empty(&target.db).await);
        }
        // And then one that can.
        execute(
            &source,
            "DELETE FROM phase_time; DELETE FROM owner WHERE id <> 'one'",
        )
        .await;
        let report = copy(&url(&source), &target.url).await.expect("copied");
        assert_eq!(report.tables.iter().map(|moved| moved.rows).sum::<u64>(), 1);
    })
    .await;
}

#[tokio::test]
async fn a_copy_is_refused_where_it_makes_no_sense() {
    let folder = folder();
    let at = |name: &str| folder.path().join(name);
    small(&at("one.db"), "one").await;
    let old = at("old.db");
    let mut connection = SqliteConnection::connect(&format!("{}?mode=rwc", url(&old)))
        .await
        .expect("opens");
    migrations_for_sqlite()
        .run_to(1, &mut connection)
        .await
        .expect("migrates");
    connection.close().await.expect("closes");
    std::fs::write(at("text"), "not a database, and longer than a header").expect("written");
    let one = url(&at("one.db"));
    for (from, to, expected) in [
        (one.clone(), one.clone(), "same database"),
        (url(&at("none.db")), url(&at("new.db")), "no such file"),
        (url(folder.path()), url(&at("new.db")), "a folder"),
        (
            url(&at("text")),
            url(&at("new.db")),
            "not an SQLite database",
        ),
        (one.clone(), url(&at("text")), "not an SQLite database"),
        (one.clone(), url(&at("none/new.db")), "no folder"),
        (
            one.clone(),
            url(Path::new("/proc/new.db")),
            "cannot be made",
        ),
        (url(&old), url(&at("new.db")), "run `headroom migrate`"),
        (
            "mysql://me:hunter2@host/x".to_owned(),
            one.clone(),
            "--from",
        ),
        (one.clone(), "sqlite::memory:".to_owned(), "--to"),
        (
            one.clone(),
            "postgres://me:hunter2@127.0.0.1:1/none".to_owned(),
            "cannot be reached",
        ),
        (
            "postgres://me:hunter2@127.0.0.1:not-a-port/none".to_owned(),
            one.clone(),
            "--from",
        ),
    ] {
        refused(copy(&from, &to).await, expected);
    }
    assert!(!at("new.db").exists(), "{:?}", names(folder.path()));
    assert_eq!(owners(&one).await, BTreeSet::from(["one".to_owned()]));
}

#[tokio::test]
async fn a_backup_of_either_engine_is_restored_on_either() {
    on_each_engine(async |database| {
        fill(&database.db).await;
        let before = everything(&database.db).await;
        let folder = folder();
        let file = folder.path().join("backup");
        let report = backup(&database.url, &file, false, &clock())
            .await
            .expect("made");
        assert_eq!(report.schema_version, program_version());
        assert!(report.tables.iter().all(|(_, rows)| *rows == ROWS as u64));
        assert_eq!(report.bytes, std::fs::metadata(&file).expect("there").len());
        assert!(report.to_string().contains("430 rows"), "{report}");
        let mode = std::fs::metadata(&file)
            .expect("there")
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600);
        assert_eq!(names(folder.path()), BTreeSet::from(["backup".to_owned()]));

        let target = url(&folder.path().join("new/folder/headroom.db"));
        let report = restore(&target, &file, false, &clock(), quiet)
            .await
            .expect("restored");
        assert_eq!((report.kept, report.migrated_from), (None, None));
        let db = Db::open(&target).await.expect("opens");
        assert_eq!(everything(&db).await, before);
        db.close().await;

        if let Some(postgres) = Database::empty_postgres().await {
            restore(&postgres.url, &file, false, &clock(), quiet)
                .await
                .expect("restored");
            assert_eq!(everything(&postgres.db).await, before);
            refused(
                restore(&postgres.url, &file, false, &clock(), quiet).await,
                "holds data",
            );
            add_owner(&postgres.db, "one more").await;
            let said = Mutex::new(String::new());
            restore(&postgres.url, &file, true, &clock(), |line| {
                let mut said = said.lock().expect("sound");
                said.push_str(line);
                said.push('\n');
            })
            .await
            .expect("restored");
            assert_eq!(everything(&postgres.db).await, before);
            let said = said.into_inner().expect("sound");
            assert!(
                said.contains("is deleted first") && said.contains("431 rows"),
                "{said}"
            );
            postgres.discard().await;
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_backup_under_writers_holds_all_that_was_acknowledged_before() {
    on_each_engine(async |database| {
        let acknowledged: Arc<Mutex<BTreeSet<String>>> = Arc::default();
        let stop = Arc::new(AtomicBool::new(false));
        let writers: Vec<_> = (0..20)
            .map(|_| {
                let (db, acknowledged, stop) =
                    (database.db.clone(), acknowledged.clone(), stop.clone());
                tokio::spawn(async move {
                    while !stop.load(Ordering::SeqCst) {
                        let id = new_id(START);
                        add_owner(&db, &id).await;
                        acknowledged.lock().expect("sound").insert(id);
                    }
                })
            })
            .collect();
        let count = || acknowledged.lock().expect("sound").len();
        let folder = folder();
        for round in 0..3 {
            let enough = count() + 50;
            while count() < enough {
                tokio::time::sleep(std::time::Duration::from_millis(5)).await;
            }
            let before = acknowledged.lock().expect("sound").clone();
            let file = folder.path().join(round.to_string());
            backup(&database.url, &file, false, &clock())
                .await
                .expect("made");
            assert!(is_sound(&file).await);
            let kept = owners(&url(&file)).await;
            assert!(
                kept.is_superset(&before),
                "{} of {}",
                kept.len(),
                before.len()
            );
        }
        let during = count();
        while count() == during {
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
        stop.store(true, Ordering::SeqCst);
        for writer in writers {
            writer.await.expect("wrote to the end");
        }
    })
    .await;
}

#[tokio::test]
async fn a_backup_replaces_nothing_and_leaves_nothing_half_made() {
    let folder = folder();
    let at = |name: &str| folder.path().join(name);
    small(&at("one.db"), "one").await;
    let one = url(&at("one.db"));
    std::fs::write(at("text"), "not a database, and longer than a header").expect("written");
    std::fs::write(at("there"), "precious").expect("written");
    std::fs::write(at("empty"), "").expect("written");
    execute_new(&at("other.db"), "CREATE TABLE recipe (id TEXT PRIMARY KEY)").await;
    let before = names(folder.path());
    for (database, to, force, expected) in [
        (&one, at("there"), false, "--force"),
        (&one, at("none/new"), false, "no folder"),
        (&one, folder.path().to_owned(), true, "is a folder"),
        (&one, at("one.db"), true, "the database itself"),
        (&one, at("one.db-wal"), true, "the database itself"),
        (
            &one,
            PathBuf::from("/proc/new"),
            false,
            "nothing can be written",
        ),
        (
            &one,
            PathBuf::from("/dev/null"),
            true,
            "not an ordinary file",
        ),
        (&url(&at("none.db")), at("new"), false, "no such file"),
        (&url(folder.path()), at("new"), false, "a folder"),
        (
            &url(&at("text")),
            at("new"),
            false,
            "not an SQLite database",
        ),
        (
            &url(&at("empty")),
            at("new"),
            false,
            "not a Headroom database",
        ),
        (
            &url(&at("other.db")),
            at("new"),
            false,
            "not a Headroom database",
        ),
        (
            &"postgres://me:hunter2@127.0.0.1:1/none".to_owned(),
            at("new"),
            false,
            "cannot be reached",
        ),
    ] {
        refused(backup(database, &to, force, &clock()).await, expected);
        assert_eq!(names(folder.path()), before, "{expected}");
    }
    assert_eq!(std::fs::read(at("there")).expect("there"), b"precious");
    backup(&one, &at("there"), true, &clock())
        .await
        .expect("replaced");
    assert_eq!(owners(&url(&at("there"))).await.len(), 1);

    // A newer schema is backed up all the same: that is when a backup is wanted.
    execute(
        &at("one.db"),
        "CREATE TABLE hat (id TEXT PRIMARY KEY, size REAL); INSERT INTO hat VALUES ('a', 1.5); \
         INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) VALUES (9999, 'hats', TRUE, x'00', 1)",
    )
    .await;
    let report = backup(&one, &at("newer"), false, &clock())
        .await
        .expect("made");
    assert_eq!(report.schema_version, 9999);
    assert!(report.tables.contains(&("hat".to_owned(), 1)));
}

async fn execute_new(path: &Path, sql: &str) {
    std::fs::write(path, "").expect("written");
    execute(path, sql).await;
}

#[tokio::test]
async fn a_backup_that_is_none_is_not_restored() {
    let folder = folder();
    let at = |name: &str| folder.path().join(name);
    small(&at("live.db"), "live").await;
    let live = url(&at("live.db"));
    let filled = Database::sqlite().await;
    fill(&filled.db).await;
    backup(&filled.url, &at("good"), false, &clock())
        .await
        .expect("made");
    filled.discard().await;
    let good = std::fs::read(at("good")).expect("there");
    let write = |name: &str, bytes: &[u8]| std::fs::write(at(name), bytes).expect("written");

    write("text", b"not a database, and longer than a header");
    write("empty", b"");
    write("cut", &good[..good.len() / 2]);
    let mut spoilt = good.clone();
    let middle = spoilt.len() / 2;
    for byte in &mut spoilt[middle..middle + 20_000] {
        *byte = byte.wrapping_add(77);
    }
    write("spoilt", &spoilt);
    write("in-use", &good);
    write("in-use-wal", b"something");
    execute_new(&at("other"), "CREATE TABLE recipe (id TEXT PRIMARY KEY)").await;
    for (name, sql) in [
        (
            "newer",
            "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) VALUES (9999, 'hats', TRUE, x'00', 1)",
        ),
        (
            "altered",
            "UPDATE _sqlx_migrations SET checksum = x'00' WHERE version = 1",
        ),
        (
            "unfinished",
            "UPDATE _sqlx_migrations SET success = FALSE WHERE version = 1",
        ),
        ("dangling", "PRAGMA foreign_keys = OFF; DELETE FROM attempt"),
    ] {
        write(name, &good);
        execute(&at(name), sql).await;
    }
    let before = names(folder.path());
    let newer = format!(
        "has schema version 9999, and this program knows versions up to {}",
        program_version()
    );
    let mut targets = vec![live.clone(), url(&at("new.db"))];
    let postgres = Database::empty_postgres().await;
    targets.extend(postgres.as_ref().map(|postgres| postgres.url.clone()));
    for target in &targets {
        for (from, expected) in [
            ("none", "no such file"),
            (".", "a folder"),
            ("text", "not an SQLite file"),
            ("empty", "not an SQLite file"),
            ("cut", "damaged"),
            ("spoilt", "damaged"),
            ("in-use", "in-use-wal lies beside"),
            ("other", "not a Headroom database"),
            ("newer", newer.as_str()),
            ("altered", "differs"),
            ("unfinished", "did not end"),
            ("dangling", "lead nowhere"),
        ] {
            refused(
                restore(target, &at(from), true, &clock(), quiet).await,
                expected,
            );
            assert_eq!(names(folder.path()), before, "{from}");
        }
    }
    assert_eq!(owners(&live).await, BTreeSet::from(["live".to_owned()]));
    refused(
        restore(&live, &at("live.db"), true, &clock(), quiet).await,
        "the database itself",
    );
    refused(
        restore(
            &url(Path::new("/proc/headroom.db")),
            &at("good"),
            true,
            &clock(),
            quiet,
        )
        .await,
        "nothing can be written",
    );
    if let Some(postgres) = postgres {
        postgres.discard().await;
    }
}

#[tokio::test]
async fn an_older_backup_is_brought_up_to_date() {
    let folder = folder();
    let file = folder.path().join("old");
    std::fs::write(&file, "").expect("written");
    let mut old = SqliteConnection::connect(&url(&file)).await.expect("opens");
    migrations_for_sqlite()
        .run_to(1, &mut old)
        .await
        .expect("migrates");
    old.close().await.expect("closes");
    execute(&file, "INSERT INTO owner VALUES ('old', 1)").await;
    let unchanged = std::fs::read(&file).expect("there");
    let mut targets = vec![url(&folder.path().join("new.db"))];
    let postgres = Database::empty_postgres().await;
    targets.extend(postgres.as_ref().map(|postgres| postgres.url.clone()));
    for target in &targets {
        let report = restore(target, &file, false, &clock(), quiet)
            .await
            .expect("restored");
        assert_eq!(report.migrated_from, Some(1));
        assert!(report.to_string().contains("brought up from version 1"));
        assert_eq!(owners(target).await, BTreeSet::from(["old".to_owned()]));
        let db = Db::open(target).await.expect("opens");
        db.migrate().await.expect("nothing is left to do");
        db.close().await;
    }
    assert_eq!(std::fs::read(&file).expect("there"), unchanged);
    if let Some(postgres) = postgres {
        postgres.discard().await;
    }
}

#[tokio::test]
async fn what_a_restore_replaces_is_kept_beside() {
    let folder = folder();
    let at = |name: &str| folder.path().join(name);
    let live = at("live.db");
    small(&live, "live").await;
    small(&at("source.db"), "saved").await;
    backup(&url(&at("source.db")), &at("backup"), false, &clock())
        .await
        .expect("made");
    std::fs::set_permissions(&live, std::fs::Permissions::from_mode(0o640)).expect("set");
    let before = std::fs::read(&live).expect("there");
    let name = |suffix: &str| at(&format!("live.db.before-restore-20260101-000000{suffix}"));

    refused(
        restore(&url(&live), &at("backup"), false, &clock(), quiet).await,
        "rows in the table owner",
    );
    assert_eq!(std::fs::read(&live).expect("there"), before);

    for suffix in ["", "-1"] {
        let report = restore(&url(&live), &at("backup"), true, &clock(), quiet)
            .await
            .expect("restored");
        assert_eq!(report.kept, Some(name(suffix)));
        assert!(report.to_string().contains("before-restore"));
        let mode = std::fs::metadata(&live)
            .expect("there")
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o640);
        assert_eq!(
            owners(&url(&live)).await,
            BTreeSet::from(["saved".to_owned()])
        );
    }
    assert_eq!(
        owners(&url(&name(""))).await,
        BTreeSet::from(["live".to_owned()])
    );
    assert_eq!(
        owners(&url(&name("-1"))).await,
        BTreeSet::from(["saved".to_owned()])
    );

    // What was only in the log of a server that was killed is kept too.
    let db = Db::open(&url(&live)).await.expect("opens");
    add_owner(&db, "in the log").await;
    let killed = at("killed.db");
    for suffix in ["", "-wal"] {
        std::fs::copy(
            at(&format!("live.db{suffix}")),
            at(&format!("killed.db{suffix}")),
        )
        .expect("copied");
    }
    db.close().await;
    let report = restore(&url(&killed), &at("backup"), true, &clock(), quiet)
        .await
        .expect("restored");
    assert_eq!(
        owners(&url(&killed)).await,
        BTreeSet::from(["saved".to_owned()])
    );
    let kept = owners(&url(&report.kept.expect("kept"))).await;
    assert!(kept.contains("in the log"), "{kept:?}");
}

#[tokio::test]
async fn a_damaged_database_is_replaced_and_kept() {
    let folder = folder();
    let at = |name: &str| folder.path().join(name);
    small(&at("source.db"), "saved").await;
    backup(&url(&at("source.db")), &at("backup"), false, &clock())
        .await
        .expect("made");
    std::fs::write(at("live.db"), "x".repeat(5000)).expect("written");
    std::fs::write(at("live.db-wal"), "y".repeat(5000)).expect("written");
    refused(
        restore(&url(&at("live.db")), &at("backup"), false, &clock(), quiet).await,
        "may hold data",
    );
    let report = restore(&url(&at("live.db")), &at("backup"), true, &clock(), quiet)
        .await
        .expect("restored");
    let kept = report.kept.expect("kept");
    assert_eq!(std::fs::read(&kept).expect("there"), [b'x'; 5000]);
    let log = PathBuf::from(format!("{}-wal", kept.display()));
    assert_eq!(std::fs::read(log).expect("there"), [b'y'; 5000]);
    assert_eq!(
        owners(&url(&at("live.db"))).await,
        BTreeSet::from(["saved".to_owned()])
    );

    // A log without its database would be taken for the new one's.
    std::fs::write(at("gone.db-wal"), "y".repeat(5000)).expect("written");
    refused(
        restore(&url(&at("gone.db")), &at("backup"), true, &clock(), quiet).await,
        "does not belong to the backup",
    );
    assert!(!at("gone.db").exists());
}

#[tokio::test]
async fn a_database_in_use_is_not_replaced() {
    let folder = folder();
    let at = |name: &str| folder.path().join(name);
    small(&at("source.db"), "saved").await;
    backup(&url(&at("source.db")), &at("backup"), false, &clock())
        .await
        .expect("made");
    for with_rows in [false, true] {
        let live = url(&at(&format!("live-{with_rows}.db")));
        let db = Db::open(&live).await.expect("opens");
        db.migrate().await.expect("migrates");
        if with_rows {
            add_owner(&db, "live").await;
        }
        refused(
            restore(&live, &at("backup"), true, &clock(), quiet).await,
            "is in use",
        );
        // The server goes on.
        add_owner(&db, "later").await;
        db.close().await;
        assert!(owners(&live).await.contains("later"));
        restore(&live, &at("backup"), true, &clock(), quiet)
            .await
            .expect("restored");
        assert_eq!(owners(&live).await, BTreeSet::from(["saved".to_owned()]));
    }
}

#[tokio::test]
async fn a_restore_that_is_cut_off_leaves_the_old_or_the_new() {
    let source = folder();
    let file = source.path().join("backup");
    small(&source.path().join("source.db"), "saved").await;
    backup(
        &url(&source.path().join("source.db")),
        &file,
        false,
        &clock(),
    )
    .await
    .expect("made");
    let mut seen = BTreeSet::new();
    for steps in 1..10_000 {
        let folder = folder();
        let live = folder.path().join("live.db");
        small(&live, "live").await;
        let live = url(&live);
        let ended = {
            let time = clock();
            let restoring = restore(&live, &file, true, &time, quiet);
            tokio::pin!(restoring);
            let mut left = steps;
            // As many steps as are allowed, and then it is dropped.
            std::future::poll_fn(|context| {
                if left == 0 {
                    return std::task::Poll::Ready(None);
                }
                left -= 1;
                restoring.as_mut().poll(context).map(Some)
            })
            .await
        };
        let found = owners(&live).await;
        assert_eq!(found.len(), 1, "{found:?}");
        seen.extend(found);
        if let Some(outcome) = ended {
            outcome.expect("restored");
            assert!(steps > 10, "the restore was never cut off");
            assert_eq!(seen.len(), 2, "{seen:?}");
            return;
        }
        assert!(
            !names(folder.path())
                .iter()
                .any(|name| name.ends_with(".partial")),
            "{:?}",
            names(folder.path())
        );
    }
    panic!("the restore never ends");
}

#[tokio::test]
async fn a_full_disk_is_named() {
    let folder = folder();
    let path = folder.path().join("full.db");
    small(&path, "one").await;
    let mut connection = SqliteConnection::connect(&url(&path)).await.expect("opens");
    sqlx::raw_sql("PRAGMA max_page_count = 1")
        .execute(&mut connection)
        .await
        .expect("set");
    let schema = whole_schema().await;
    let owner = schema
        .tables
        .iter()
        .find(|table| table.name == "owner")
        .expect("there");
    let rows: Vec<_> = (0..2000)
        .map(|number| {
            vec![
                Cell::Text(Some(format!("owner {number}"))),
                Cell::Integer(Some(number)),
            ]
        })
        .collect();
    let error = store::insert_rows(&mut Conn::Sqlite(&mut connection), owner, &rows)
        .await
        .expect_err("full");
    assert!(error.to_string().contains("full"), "{error}");
}

fn installation(database_url: &str) -> Installation {
    Installation {
        database_url: database_url.to_owned(),
        public_url: "http://127.0.0.1:3000".to_owned(),
        addr: "127.0.0.1:3000".parse().expect("an address"),
        content: Origin::Program,
        smtp_url: None,
        trusted_proxies: 0,
    }
}

/// The clock that agrees with that of the files and of Postgres.
async fn examine(installation: &Installation) -> Examination {
    doctor(installation, &Clock::System).await
}

/// The severest finding about something, and all that is said about it.
fn about(found: &Examination, what: &str) -> (Severity, String) {
    let findings: Vec<_> = found
        .findings
        .iter()
        .filter(|finding| finding.about == what)
        .collect();
    let severest = findings.iter().map(|finding| finding.severity).max();
    let text: Vec<String> = findings
        .iter()
        .map(|finding| format!("{} {}", finding.what, finding.advice))
        .collect();
    (
        severest.unwrap_or_else(|| panic!("nothing about {what}: {found}")),
        text.join("\n"),
    )
}

#[track_caller]
fn finds(found: &Examination, what: &str, severity: Severity, expected: &str) {
    let (severest, text) = about(found, what);
    assert!(
        severest == severity && text.contains(expected),
        "not {severity:?} `{expected}` about {what}: {found}"
    );
    for finding in &found.findings {
        assert_eq!(
            finding.severity == Severity::Ok,
            finding.advice.is_empty(),
            "{finding:?}"
        );
    }
    assert!(!found.to_string().contains("hunter2"), "{found}");
}

#[tokio::test]
async fn the_doctor_finds_a_sound_installation_sound() {
    on_each_engine(async |database| {
        let found = examine(&installation(&database.url)).await;
        // A server for tests may be set to lose what it holds.
        let mut problems = found
            .findings
            .iter()
            .filter(|finding| finding.severity == Severity::Problem);
        assert!(
            problems.all(|finding| finding.about == "durability"),
            "{found}"
        );
        for what in [
            "database", "schema", "sessions", "sign-ins", "outbox", "address", "content",
        ] {
            assert_eq!(about(&found, what).0, Severity::Ok, "{found}");
        }
        finds(&found, "accounts", Severity::Warning, "no administrator");
        finds(&found, "mail", Severity::Warning, "no mail server");
        match database.db {
            Db::Sqlite { .. } => {
                finds(&found, "integrity", Severity::Ok, "quick check");
                finds(&found, "journal", Severity::Ok, "write-ahead");
            }
            Db::Postgres(_) => finds(&found, "clock", Severity::Ok, "agrees"),
        }
    })
    .await;
}

#[tokio::test]
async fn the_doctor_reads_the_tables() {
    on_each_engine(async |database| {
        let now = Clock::System.now();
        let mut sql = vec![
            "INSERT INTO owner VALUES ('o1', 1), ('o2', 1), ('o3', 1)".to_owned(),
            "INSERT INTO outbox (id, kind, recipient, detail, created_at, next_try_at, tries) VALUES ('m1', 'k', 'r', '{}', 1, 1, 9)".to_owned(),
            "INSERT INTO outbox (id, kind, recipient, detail, created_at, next_try_at, tries, failed_at) VALUES ('m2', 'k', 'r', '{}', 1, 1, 9, 2)".to_owned(),
            "INSERT INTO session (id_hash, data, created_at, seen_at, expires_at) VALUES ('h', '', 1, 1, 1)".to_owned(),
        ];
        for (number, disabled) in [(1, "NULL"), (2, "NULL"), (3, "1")] {
            sql.push(format!(
                "INSERT INTO account (id, owner_id, name, email, email_key, password_hash, password_changed_at, time_zone, theme, created_at, disabled_at) \
                 VALUES ('a{number}', 'o{number}', 'n', 'e', 'e{number}', '', 1, '', '', 1, {disabled})"
            ));
            sql.push(format!(
                "INSERT INTO role_grant (account_id, role, granted_at) VALUES ('a{number}', 'administrator', 1)"
            ));
        }
        sql.push("INSERT INTO second_factor VALUES ('a1', 's', 1, 2, 0)".to_owned());
        for number in 0..250 {
            let at = if number < 240 { now } else { now - 2 * DAY };
            sql.push(format!(
                "INSERT INTO audit_log (id, at, action, detail, address) VALUES ('l{number}', {at}, 'sign-in-refused', '', '')"
            ));
        }
        let sql = sql.join(";");
        match &database.db {
            Db::Sqlite { write, .. } => sqlx::raw_sql(AssertSqlSafe(sql)).execute(write).await.map(drop),
            Db::Postgres(pool) => sqlx::raw_sql(AssertSqlSafe(sql)).execute(pool).await.map(drop),
        }
        .expect("written");
        let found = examine(&installation(&database.url)).await;
        assert!(found.has_problems());
        finds(&found, "outbox", Severity::Problem, "1 mails wait, the oldest for");
        finds(&found, "outbox", Severity::Problem, "1 mails were given up");
        finds(&found, "sessions", Severity::Warning, "1 sessions ended");
        finds(&found, "accounts", Severity::Warning, "1 of 2 administrators");
        finds(&found, "sign-ins", Severity::Warning, "240 sign-ins");
    })
    .await;
}

#[tokio::test]
async fn the_doctor_advises_where_there_is_no_database() {
    let folder = folder();
    let at = |name: &str| folder.path().join(name);
    std::fs::write(at("text"), "x".repeat(5000)).expect("written");
    std::fs::write(at("empty"), "").expect("written");
    execute_new(&at("other.db"), "CREATE TABLE recipe (id TEXT PRIMARY KEY)").await;
    small(&at("newer.db"), "one").await;
    execute(
        &at("newer.db"),
        "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) VALUES (9999, 'hats', TRUE, x'00', 1)",
    )
    .await;
    small(&at("spoilt.db"), "one").await;
    let mut spoilt = std::fs::read(at("spoilt.db")).expect("there");
    for byte in &mut spoilt[8192..40_000] {
        *byte = byte.wrapping_add(77);
    }
    std::fs::write(at("spoilt.db"), spoilt).expect("written");
    let before = names(folder.path());
    for (database, what, severity, expected) in [
        (
            url(&at("none.db")),
            "database",
            Severity::Problem,
            "there is no file",
        ),
        (
            url(&at("none/none.db")),
            "disk",
            Severity::Problem,
            "is not there",
        ),
        (
            url(folder.path()),
            "database",
            Severity::Problem,
            "a folder",
        ),
        (
            url(&at("text")),
            "database",
            Severity::Problem,
            "not an SQLite database",
        ),
        (
            url(&at("empty")),
            "schema",
            Severity::Warning,
            "holds no tables",
        ),
        (
            url(&at("other.db")),
            "schema",
            Severity::Problem,
            "something else",
        ),
        (
            url(&at("newer.db")),
            "schema",
            Severity::Problem,
            "9999 is newer",
        ),
        (
            "postgres://me:hunter2@127.0.0.1:1/none".to_owned(),
            "database",
            Severity::Problem,
            "cannot be reached",
        ),
        (
            "mysql://me:hunter2@host/x".to_owned(),
            "database",
            Severity::Problem,
            "neither sqlite",
        ),
        (
            String::new(),
            "database",
            Severity::Problem,
            "neither sqlite",
        ),
    ] {
        let found = examine(&installation(&database)).await;
        finds(&found, what, severity, expected);
        // The rest is looked at all the same.
        finds(&found, "content", Severity::Ok, "no faults");
        assert_eq!(names(folder.path()), before, "{database}");
    }
    let found = examine(&installation(&url(&at("spoilt.db")))).await;
    assert!(
        found.has_problems() && found.to_string().contains("damaged"),
        "{found}"
    );
}

#[tokio::test]
async fn the_doctor_looks_at_the_file_the_clock_and_the_mail_server() {
    let folder = folder();
    let path = folder.path().join("headroom.db");
    small(&path, "one").await;
    let mode = |path: &Path, mode| {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).expect("set");
    };
    for (folder_mode, file_mode, severity) in [
        (0o755, 0o644, Severity::Warning),
        (0o755, 0o600, Severity::Ok),
        (0o700, 0o644, Severity::Ok),
    ] {
        mode(folder.path(), folder_mode);
        mode(&path, file_mode);
        let found = examine(&installation(&url(&path))).await;
        assert_eq!(about(&found, "file").0, severity, "{found}");
    }
    // A log that is long; what is in it is nothing.
    let log = folder.path().join("headroom.db-wal");
    let file = std::fs::File::create(&log).expect("made");
    file.set_len(100_000_000).expect("grown");
    finds(
        &examine(&installation(&url(&path))).await,
        "log",
        Severity::Warning,
        "100.0 MB",
    );
    std::fs::remove_file(&log).expect("removed");

    let mut installation = installation(&url(&path));
    let behind = Clock::Set(Arc::new(AtomicI64::new(Clock::System.now() - DAY)));
    finds(
        &doctor(&installation, &behind).await,
        "clock",
        Severity::Problem,
        "the clock is behind",
    );
    finds(
        &doctor(&installation, &Clock::Set(Arc::default())).await,
        "clock",
        Severity::Problem,
        "years behind",
    );

    let socket = tokio::net::TcpListener::bind("127.0.0.1:0")
        .await
        .expect("a free port");
    let address = socket.local_addr().expect("bound");
    installation.smtp_url = Some(format!("smtp://me:hunter2@{address}"));
    finds(
        &examine(&installation).await,
        "mail",
        Severity::Ok,
        "can be reached",
    );
    drop(socket);
    finds(
        &examine(&installation).await,
        "mail",
        Severity::Problem,
        "cannot be reached",
    );
    installation.smtp_url = Some("me:hunter2@mail".to_owned());
    finds(
        &examine(&installation).await,
        "mail",
        Severity::Problem,
        "cannot be read",
    );
    installation.content = Origin::Directory(folder.path().to_owned());
    finds(
        &examine(&installation).await,
        "content",
        Severity::Problem,
        "faults in the content",
    );
    installation.content = Origin::Directory(folder.path().join("none"));
    finds(
        &examine(&installation).await,
        "content",
        Severity::Problem,
        "cannot be read",
    );
}

#[test]
fn the_commands_are_read() {
    use clap::{Args as _, Command, FromArgMatches as _};
    let args = |command: Command, words: &[&str]| {
        command.try_get_matches_from(std::iter::once("x").chain(words.iter().copied()))
    };
    let command = || backup::Args::augment_args(Command::new("x"));
    let matches = args(command(), &["--to", "f", "--force"]).expect("read");
    let read = backup::Args::from_arg_matches(&matches).expect("read");
    assert!(read.force && read.to == Path::new("f"));
    assert!(args(command(), &[]).is_err());
    let command = || restore::Args::augment_args(Command::new("x"));
    let matches = args(command(), &["--from", "f"]).expect("read");
    assert!(
        !restore::Args::from_arg_matches(&matches)
            .expect("read")
            .force
    );
    let command = || copy::Args::augment_args(Command::new("x"));
    assert!(args(command(), &["--from", "sqlite:a"]).is_err());
    assert!(args(command(), &["--from", "sqlite:a", "--to", "postgres://b/c"]).is_ok());
}
