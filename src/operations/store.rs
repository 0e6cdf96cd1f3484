//! The SQL that sees all tables alike, and what the doctor asks.
//!
//! Statements over all tables are put together from the names in the schema of our own migrations, never from what
//! anybody typed; that is why, here alone, a statement may be made at run time.

use sqlx::{AssertSqlSafe, ColumnIndex, Decode, Row, SqliteConnection, Type};

use crate::domain::attempt::UnixMillis;
use crate::server::database::{Conn, StoreError};
use crate::{affected, on};

use super::schema::{Column, Kind, Table};

/// Where sqlx keeps which migrations were applied.
pub const MIGRATIONS: &str = "_sqlx_migrations";
/// Rows that are moved at one time: a text may have 64 KB.
const BATCH: usize = 200;

/// A value of a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cell {
    Text(Option<String>),
    Integer(Option<i64>),
}

/// A row, its cells in the order of the table's columns.
pub type Cells = Vec<Cell>;

/// Every column of an SQLite file: table, name, type, and its place in the primary key from 1, or 0.
pub async fn columns(
    connection: &mut SqliteConnection,
) -> Result<Vec<(String, String, String, i64)>, StoreError> {
    Ok(sqlx::query_as(
        "SELECT m.name, c.name, c.type, c.pk FROM sqlite_schema m JOIN pragma_table_info(m.name) c \
         WHERE m.type = 'table' AND substr(m.name, 1, 7) <> 'sqlite_' AND m.name <> '_sqlx_migrations' ORDER BY m.name, c.cid",
    )
    .fetch_all(connection)
    .await?)
}

/// Every reference of an SQLite file: from which table to which.
pub async fn references(
    connection: &mut SqliteConnection,
) -> Result<Vec<(String, String)>, StoreError> {
    Ok(sqlx::query_as(
        "SELECT m.name, f.\"table\" FROM sqlite_schema m JOIN pragma_foreign_key_list(m.name) f WHERE m.type = 'table'",
    )
    .fetch_all(connection)
    .await?)
}

/// The names of all tables.
pub async fn tables(conn: &mut Conn<'_>) -> Result<Vec<String>, StoreError> {
    let sql = match conn {
        Conn::Sqlite(_) => {
            "SELECT name FROM sqlite_schema WHERE type = 'table' AND substr(name, 1, 7) <> 'sqlite_' ORDER BY name"
        }
        Conn::Postgres(_) => {
            "SELECT CAST(table_name AS TEXT) FROM information_schema.tables \
             WHERE table_schema = current_schema() AND table_type = 'BASE TABLE' ORDER BY table_name"
        }
    };
    on!(conn, |c| sqlx::query_scalar(sql).fetch_all(c))
}

/// Version, checksum and whether it ended, of each migration that was applied.
pub async fn applied_migrations(
    conn: &mut Conn<'_>,
) -> Result<Vec<(i64, Vec<u8>, bool)>, StoreError> {
    on!(conn, |c| sqlx::query_as(
        "SELECT version, checksum, success FROM _sqlx_migrations ORDER BY version"
    )
    .fetch_all(c))
}

/// What `PRAGMA integrity_check` finds; nothing when the file is sound.
pub async fn integrity_faults(
    connection: &mut SqliteConnection,
) -> Result<Vec<String>, StoreError> {
    let found: Vec<String> = sqlx::query_scalar("PRAGMA integrity_check(20)")
        .fetch_all(connection)
        .await?;
    Ok(without_ok(found))
}

/// The same, without looking whether each index agrees with its table: a fraction of the time.
pub async fn quick_faults(connection: &mut SqliteConnection) -> Result<Vec<String>, StoreError> {
    let found: Vec<String> = sqlx::query_scalar("PRAGMA quick_check(20)")
        .fetch_all(connection)
        .await?;
    Ok(without_ok(found))
}

fn without_ok(found: Vec<String>) -> Vec<String> {
    found.into_iter().filter(|line| line != "ok").collect()
}

/// References that lead nowhere: from which table to which.
pub async fn reference_faults(
    connection: &mut SqliteConnection,
) -> Result<Vec<(String, String)>, StoreError> {
    let found: Vec<(String, Option<i64>, String, i64)> = sqlx::query_as("PRAGMA foreign_key_check")
        .fetch_all(connection)
        .await?;
    Ok(found
        .into_iter()
        .map(|(from, _, to, _)| (from, to))
        .collect())
}

/// Writes a consistent copy into an empty file, while others read and write.
pub async fn vacuum_into(connection: &mut SqliteConnection, path: &str) -> Result<(), StoreError> {
    sqlx::query("VACUUM INTO $1")
        .bind(path)
        .execute(connection)
        .await?;
    Ok(())
}

/// Begins to read at one moment of the database, whatever is written meanwhile.
pub async fn begin_snapshot(conn: &mut Conn<'_>) -> Result<(), StoreError> {
    match conn {
        Conn::Sqlite(c) => {
            sqlx::raw_sql("BEGIN").execute(&mut **c).await?;
            // SQLite takes the moment with the first read.
            sqlx::query("SELECT COUNT(*) FROM sqlite_schema")
                .execute(&mut **c)
                .await?;
        }
        Conn::Postgres(c) => {
            sqlx::raw_sql("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
                .execute(&mut **c)
                .await?;
        }
    }
    Ok(())
}

/// Begins to write.
pub async fn begin_filling(conn: &mut Conn<'_>) -> Result<(), StoreError> {
    match conn {
        Conn::Sqlite(c) => sqlx::raw_sql("BEGIN IMMEDIATE")
            .execute(&mut **c)
            .await
            .map(drop)?,
        Conn::Postgres(c) => sqlx::raw_sql("BEGIN").execute(&mut **c).await.map(drop)?,
    }
    Ok(())
}

/// Takes an SQLite file for this connection alone.
pub async fn begin_exclusive(connection: &mut SqliteConnection) -> Result<(), StoreError> {
    sqlx::raw_sql("BEGIN EXCLUSIVE").execute(connection).await?;
    Ok(())
}

pub async fn commit(conn: &mut Conn<'_>) -> Result<(), StoreError> {
    affected!(conn, |c| sqlx::raw_sql("COMMIT").execute(c)).map(|_| ())
}

pub async fn count(conn: &mut Conn<'_>, table: &str) -> Result<u64, StoreError> {
    let sql = format!("SELECT COUNT(*) FROM {}", quoted(table));
    let count: i64 = on!(conn, |c| sqlx::query_scalar(AssertSqlSafe(sql.as_str()))
        .fetch_one(c))?;
    Ok(count.unsigned_abs())
}

pub async fn has_rows(conn: &mut Conn<'_>, table: &str) -> Result<bool, StoreError> {
    let sql = format!(
        "SELECT COUNT(*) FROM (SELECT 1 AS one FROM {} LIMIT 1) AS first",
        quoted(table)
    );
    let count: i64 = on!(conn, |c| sqlx::query_scalar(AssertSqlSafe(sql.as_str()))
        .fetch_one(c))?;
    Ok(count > 0)
}

pub async fn delete_rows(conn: &mut Conn<'_>, table: &Table) -> Result<u64, StoreError> {
    let sql = format!("DELETE FROM {}", quoted(&table.name));
    affected!(conn, |c| sqlx::query(AssertSqlSafe(sql.as_str()))
        .execute(c))
}

/// Adds rows; in as few statements as the engines' limits on parameters allow.
pub async fn insert_rows(
    conn: &mut Conn<'_>,
    table: &Table,
    rows: &[Cells],
) -> Result<(), StoreError> {
    let width = table.columns.len().max(1);
    // SQLite takes 32 766 parameters, Postgres 65 535.
    for rows in rows.chunks((30_000 / width).max(1)) {
        let mut parameter = 0;
        let values: Vec<String> = rows
            .iter()
            .map(|_| {
                let row: Vec<String> = table
                    .columns
                    .iter()
                    .map(|_| {
                        parameter += 1;
                        format!("${parameter}")
                    })
                    .collect();
                format!("({})", row.join(", "))
            })
            .collect();
        let sql = format!(
            "INSERT INTO {} ({}) VALUES {}",
            quoted(&table.name),
            names(table.columns.iter()),
            values.join(", ")
        );
        affected!(conn, |c| {
            let mut query = sqlx::query(AssertSqlSafe(sql.as_str()));
            for cell in rows.iter().flatten() {
                query = match cell {
                    Cell::Text(text) => query.bind(text.as_deref()),
                    Cell::Integer(number) => query.bind(*number),
                };
            }
            query.execute(c)
        })?;
    }
    Ok(())
}

/// Reads a table within a transaction, in the order of its key (texts by their bytes, on both engines), some rows at a
/// time.
pub struct Reading<'t> {
    table: &'t Table,
    /// The last row that was read.
    after: Option<Cells>,
    ended: bool,
}

impl<'t> Reading<'t> {
    pub fn new(table: &'t Table) -> Self {
        Self {
            table,
            after: None,
            ended: false,
        }
    }

    /// The next rows; none when there are no more.
    pub async fn next(&mut self, conn: &mut Conn<'_>) -> Result<Vec<Cells>, StoreError> {
        if self.ended {
            return Ok(Vec::new());
        }
        let rows = match conn {
            Conn::Sqlite(_) => self.next_by_key(conn).await?,
            Conn::Postgres(_) => self.next_by_cursor(conn).await?,
        };
        self.ended = rows.len() < BATCH;
        self.after = rows.last().cloned();
        Ok(rows)
    }

    /// SQLite has no cursors, and its index of the key has the order that is asked for.
    async fn next_by_key(&self, conn: &mut Conn<'_>) -> Result<Vec<Cells>, StoreError> {
        let table = self.table;
        let key = names(table.key.iter().map(|at| &table.columns[*at]));
        let after = self.after.as_ref().map(|row| {
            let from: Vec<Cell> = table.key.iter().map(|at| row[*at].clone()).collect();
            let parameters: Vec<String> = (1..=from.len()).map(|n| format!("${n}")).collect();
            (from, format!("WHERE ({key}) > ({})", parameters.join(", ")))
        });
        let sql = format!(
            "SELECT {} FROM {} {} ORDER BY {key} LIMIT {BATCH}",
            names(table.columns.iter()),
            quoted(&table.name),
            after.as_ref().map_or("", |(_, clause)| clause.as_str()),
        );
        on!(conn, |c| async {
            let mut query = sqlx::query(AssertSqlSafe(sql.as_str()));
            for cell in after.iter().flat_map(|(from, _)| from) {
                query = match cell {
                    Cell::Text(text) => query.bind(text.as_deref()),
                    Cell::Integer(number) => query.bind(*number),
                };
            }
            let rows = query.fetch_all(c).await?;
            rows.iter()
                .map(|row| cells(row, &table.columns))
                .collect::<Result<Vec<Cells>, sqlx::Error>>()
        })
    }

    /// The order by bytes is not the order of Postgres' index: a cursor sorts once, pages by key would sort each time.
    async fn next_by_cursor(&self, conn: &mut Conn<'_>) -> Result<Vec<Cells>, StoreError> {
        let table = self.table;
        let cursor = quoted(&format!("reading_{}", table.name));
        if self.after.is_none() {
            let key: Vec<String> = table
                .key
                .iter()
                .map(|at| &table.columns[*at])
                .map(|column| match column.kind {
                    Kind::Text => format!("{} COLLATE \"C\"", quoted(&column.name)),
                    Kind::Integer => quoted(&column.name),
                })
                .collect();
            let sql = format!(
                "DECLARE {cursor} NO SCROLL CURSOR FOR SELECT {} FROM {} ORDER BY {}",
                names(table.columns.iter()),
                quoted(&table.name),
                key.join(", ")
            );
            affected!(conn, |c| sqlx::raw_sql(AssertSqlSafe(sql.as_str()))
                .execute(c))?;
        }
        let sql = format!("FETCH FORWARD {BATCH} FROM {cursor}");
        let rows: Vec<Cells> = on!(conn, |c| async {
            // Not kept as a prepared statement: the cursor that it names will be another one.
            let query = sqlx::query(AssertSqlSafe(sql.as_str())).persistent(false);
            let rows = query.fetch_all(c).await?;
            rows.iter()
                .map(|row| cells(row, &table.columns))
                .collect::<Result<Vec<Cells>, sqlx::Error>>()
        })?;
        if rows.len() < BATCH {
            let sql = format!("CLOSE {cursor}");
            affected!(conn, |c| sqlx::raw_sql(AssertSqlSafe(sql.as_str()))
                .execute(c))?;
        }
        Ok(rows)
    }
}

fn cells<R>(row: &R, columns: &[Column]) -> Result<Cells, sqlx::Error>
where
    R: Row,
    usize: ColumnIndex<R>,
    Option<String>: for<'r> Decode<'r, R::Database> + Type<R::Database>,
    Option<i64>: for<'r> Decode<'r, R::Database> + Type<R::Database>,
{
    let cell = |(at, column): (usize, &Column)| {
        Ok(match column.kind {
            Kind::Text => Cell::Text(row.try_get(at)?),
            Kind::Integer => Cell::Integer(row.try_get(at)?),
        })
    };
    columns.iter().enumerate().map(cell).collect()
}

/// A name as SQL writes it.
fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

fn names<'c>(columns: impl Iterator<Item = &'c Column>) -> String {
    let quoted: Vec<String> = columns.map(|column| quoted(&column.name)).collect();
    quoted.join(", ")
}

/// The engine's own version.
pub async fn engine_version(conn: &mut Conn<'_>) -> Result<String, StoreError> {
    let sql = match conn {
        Conn::Sqlite(_) => "SELECT 'SQLite ' || sqlite_version()",
        Conn::Postgres(_) => "SELECT version()",
    };
    on!(conn, |c| sqlx::query_scalar(sql).fetch_one(c))
}

/// How an SQLite file keeps what is being written: `wal` in ours.
pub async fn journal_mode(connection: &mut SqliteConnection) -> Result<String, StoreError> {
    Ok(sqlx::query_scalar("PRAGMA journal_mode")
        .fetch_one(connection)
        .await?)
}

/// Whether Postgres waits for the disk at a commit, and whether it writes to the disk at all.
pub async fn postgres_durability(
    connection: &mut sqlx::PgConnection,
) -> Result<(String, String), StoreError> {
    let commit: String = sqlx::query_scalar("SHOW synchronous_commit")
        .fetch_one(&mut *connection)
        .await?;
    let fsync: String = sqlx::query_scalar("SHOW fsync")
        .fetch_one(&mut *connection)
        .await?;
    Ok((commit, fsync))
}

/// The clock of Postgres.
pub async fn postgres_now(connection: &mut sqlx::PgConnection) -> Result<UnixMillis, StoreError> {
    Ok(
        sqlx::query_scalar("SELECT CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000 AS BIGINT)")
            .fetch_one(connection)
            .await?,
    )
}

/// How many administrators may sign in, and how many of them have no confirmed second factor.
pub async fn administrators(conn: &mut Conn<'_>) -> Result<(i64, i64), StoreError> {
    on!(conn, |c| sqlx::query_as(
        "SELECT COUNT(*), COUNT(*) - COUNT(f.confirmed_at) FROM account a \
         JOIN role_grant r ON r.account_id = a.id AND r.role = 'administrator' \
         LEFT JOIN second_factor f ON f.account_id = a.id WHERE a.disabled_at IS NULL"
    )
    .fetch_one(c))
}

/// Mail that waits: how much, and since when the oldest; and how much was given up.
pub async fn outbox(conn: &mut Conn<'_>) -> Result<(i64, Option<UnixMillis>, i64), StoreError> {
    let (waiting, oldest): (i64, Option<i64>) = on!(conn, |c| {
        sqlx::query_as(
        "SELECT COUNT(*), MIN(created_at) FROM outbox WHERE sent_at IS NULL AND failed_at IS NULL"
    )
    .fetch_one(c)
    })?;
    let failed: i64 = on!(conn, |c| sqlx::query_scalar(
        "SELECT COUNT(*) FROM outbox WHERE failed_at IS NOT NULL"
    )
    .fetch_one(c))?;
    Ok((waiting, oldest, failed))
}

/// Sessions that ended before a time and are still there.
pub async fn sessions_ended_before(
    conn: &mut Conn<'_>,
    time: UnixMillis,
) -> Result<i64, StoreError> {
    on!(conn, |c| sqlx::query_scalar(
        "SELECT COUNT(*) FROM session WHERE expires_at < $1"
    )
    .bind(time)
    .fetch_one(c))
}

/// How often something stands in the audit log since a time.
pub async fn audited_since(
    conn: &mut Conn<'_>,
    action: &str,
    time: UnixMillis,
) -> Result<i64, StoreError> {
    on!(conn, |c| sqlx::query_scalar(
        "SELECT COUNT(*) FROM audit_log WHERE action = $1 AND at >= $2"
    )
    .bind(action)
    .bind(time)
    .fetch_one(c))
}
