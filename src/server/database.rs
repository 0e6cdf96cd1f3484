//! One database, two engines: SQLite for one machine, Postgres (and what speaks its protocol) for several.
//!
//! Store functions take a [`Conn`] and write each statement once; [`on!`](crate::on) runs it on whichever engine is
//! there. Whoever calls the store owns the transaction. Must never hold a statement of a feature.

use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use sqlx::migrate::{Migrate, MigrateError, Migration, Migrator};
use sqlx::pool::PoolConnection;
use sqlx::postgres::PgPoolOptions;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{
    Connection as _, PgConnection, PgPool, Postgres, Sqlite, SqliteConnection, SqlitePool,
    Transaction,
};

use crate::error::AppError;

/// The versions of the schema, the same on both engines.
pub fn migrations_for_sqlite() -> Migrator {
    sqlx::migrate!("migrations/sqlite")
}

pub fn migrations_for_postgres() -> Migrator {
    let mut migrator = sqlx::migrate!("migrations/postgres");
    // The lock is an advisory one, which the distributed engines lack.
    migrator.set_locking(false);
    migrator
}

/// Readers of an SQLite file; there is always exactly one writer.
const SQLITE_READERS: u32 = 6;
/// Connections to Postgres, unless the operator says otherwise.
const POSTGRES_CONNECTIONS: u32 = 16;
/// How often a migration is tried that another node was making at the same time.
const ATTEMPTS_TO_MIGRATE: u32 = 20;
/// How often a transaction that lost a race is tried again.
pub const ATTEMPTS_TO_COMMIT: u32 = 6;

#[derive(Clone, Debug)]
pub enum Db {
    Sqlite { read: SqlitePool, write: SqlitePool },
    Postgres(PgPool),
}

/// A connection that store functions run on.
pub enum Conn<'a> {
    Sqlite(&'a mut SqliteConnection),
    Postgres(&'a mut PgConnection),
}

/// A connection for reading.
pub enum Reader {
    Sqlite(PoolConnection<Sqlite>),
    Postgres(PoolConnection<Postgres>),
}

/// A transaction.
pub enum Tx {
    Sqlite(Transaction<'static, Sqlite>),
    Postgres(Transaction<'static, Postgres>),
}

/// Runs one statement on whichever engine the connection belongs to: `on!(conn, |c| sqlx::query("…").execute(c))`.
#[macro_export]
macro_rules! on {
    ($conn:expr, |$c:ident| $body:expr) => {
        match &mut *$conn {
            $crate::server::database::Conn::Sqlite(c) => {
                let $c = &mut **c;
                $body
                    .await
                    .map_err($crate::server::database::StoreError::from)
            }
            $crate::server::database::Conn::Postgres(c) => {
                let $c = &mut **c;
                $body
                    .await
                    .map_err($crate::server::database::StoreError::from)
            }
        }
    };
}

/// Runs one statement for its effect, on whichever engine the connection belongs to: the number of rows affected.
#[macro_export]
macro_rules! affected {
    ($conn:expr, |$c:ident| $body:expr) => {
        match &mut *$conn {
            $crate::server::database::Conn::Sqlite(c) => {
                let $c = &mut **c;
                $body
                    .await
                    .map(|done| done.rows_affected())
                    .map_err($crate::server::database::StoreError::from)
            }
            $crate::server::database::Conn::Postgres(c) => {
                let $c = &mut **c;
                $body
                    .await
                    .map(|done| done.rows_affected())
                    .map_err($crate::server::database::StoreError::from)
            }
        }
    };
}

/// Runs a block in a transaction and commits it; tries again when the engine says that the transaction lost a race.
/// The block is of type `Result<T, StoreError>`, may use `?` and `.await`, and may run more than once.
#[macro_export]
macro_rules! transact {
    ($db:expr, |$conn:ident| $body:expr) => {{
        let mut tries = 0;
        loop {
            tries += 1;
            let outcome: ::core::result::Result<_, $crate::server::database::StoreError> = async {
                let mut tx = $db.begin().await?;
                let value = {
                    let $conn = &mut tx.conn();
                    let step: ::core::result::Result<_, $crate::server::database::StoreError> =
                        async { $body }.await;
                    step?
                };
                tx.commit().await?;
                Ok(value)
            }
            .await;
            match outcome {
                Err(error)
                    if error.is_lost_race()
                        && tries < $crate::server::database::ATTEMPTS_TO_COMMIT =>
                {
                    tokio::time::sleep(std::time::Duration::from_millis(u64::from(tries) * 5))
                        .await;
                }
                other => break other,
            }
        }
    }};
}

/// What a store function fails with: the database's fault, or an answer for the person.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error(transparent)]
    Database(#[from] sqlx::Error),
    #[error(transparent)]
    App(#[from] AppError),
}

impl StoreError {
    /// Whether the same transaction may succeed when it is tried again: serialization failure or deadlock.
    pub fn is_lost_race(&self) -> bool {
        match self {
            Self::Database(sqlx::Error::Database(error)) => {
                matches!(error.code().as_deref(), Some("40001" | "40P01"))
            }
            _ => false,
        }
    }
}

impl Db {
    /// Opens the database, and makes the file and its folder where SQLite lacks them.
    pub async fn open(url: &str) -> anyhow::Result<Self> {
        Self::open_with(url, POSTGRES_CONNECTIONS).await
    }

    /// Opens the database with at most so many connections to Postgres.
    pub async fn open_with(url: &str, postgres_connections: u32) -> anyhow::Result<Self> {
        if url.starts_with("postgres:") || url.starts_with("postgresql:") {
            let pool = PgPoolOptions::new()
                .max_connections(postgres_connections)
                .acquire_timeout(Duration::from_secs(10))
                .connect(url)
                .await?;
            return Ok(Self::Postgres(pool));
        }
        anyhow::ensure!(
            url.starts_with("sqlite:"),
            "the database URL starts with sqlite: or postgres:"
        );
        let options = SqliteConnectOptions::from_str(url)?
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            // NORMAL can lose an acknowledged save when the power goes.
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(Duration::from_secs(5));
        if let Some(folder) = options.get_filename().parent() {
            std::fs::create_dir_all(folder)?;
        }
        keep_private(options.get_filename())?;
        // The writer stays open: it shows other programs that the file is in use.
        let write = SqlitePoolOptions::new()
            .max_connections(1)
            .min_connections(1)
            .idle_timeout(None)
            .max_lifetime(None)
            // On a full disk SQLite rolls back by itself, and the connection goes on believing that it is within a
            // transaction: it takes no other one. A new connection does.
            .after_release(|connection, _| {
                Box::pin(async move {
                    // Behind a rollback that is still on its way.
                    connection.ping().await?;
                    Ok(!connection.is_in_transaction())
                })
            })
            .connect_with(options.clone())
            .await?;
        let read = SqlitePoolOptions::new()
            .max_connections(SQLITE_READERS)
            .connect_with(options.create_if_missing(false).read_only(true))
            .await?;
        Ok(Self::Sqlite { read, write })
    }

    /// Brings the schema up to date: the migrations that it lacked. Another node may do the same at the same time.
    pub async fn migrate(&self) -> anyhow::Result<Vec<String>> {
        let lacked = self.lacking_migrations().await?;
        let mut lacking = lacked.len();
        let mut tries = 1;
        loop {
            let outcome = match self {
                Self::Sqlite { write, .. } => migrations_for_sqlite().run(write).await,
                Self::Postgres(pool) => migrations_for_postgres().run(pool).await,
            };
            let Err(error) = outcome else {
                return Ok(lacked);
            };
            // A migration fails in as many ways as it has statements when another node has made it meanwhile. That it
            // is made is what tells such a failure from a true one, which comes again without any progress.
            let now_lacking = self.lacking_migrations().await?.len();
            let may_pass = now_lacking < lacking || is_race_of_migrations(&error);
            if tries >= ATTEMPTS_TO_MIGRATE || !may_pass {
                return Err(error.into());
            }
            tracing::info!(%error, "another node migrates; trying again");
            tokio::time::sleep(Duration::from_millis(50 * u64::from(tries))).await;
            lacking = now_lacking;
            tries += 1;
        }
    }

    /// What this program's schema has and the database lacks, as `2 accounts`. Changes nothing.
    pub async fn lacking_migrations(&self) -> anyhow::Result<Vec<String>> {
        let (migrator, applied) = match self {
            Self::Sqlite { read, .. } => {
                let mut connection = read.acquire().await?;
                (migrations_for_sqlite(), applied(&mut *connection).await)
            }
            Self::Postgres(pool) => {
                let mut connection = pool.acquire().await?;
                (migrations_for_postgres(), applied(&mut *connection).await)
            }
        };
        let applied = applied?;
        Ok(migrator
            .iter()
            .filter(|migration| !applied.contains(&migration.version))
            .map(name_of)
            .collect())
    }

    /// The pools with how many of their connections are in use and how many are idle.
    pub fn pools(&self) -> Vec<PoolUse> {
        fn of<D: sqlx::Database>(name: &'static str, pool: &sqlx::Pool<D>) -> PoolUse {
            let idle = u32::try_from(pool.num_idle()).unwrap_or(u32::MAX);
            PoolUse {
                name,
                in_use: pool.size().saturating_sub(idle),
                idle,
            }
        }
        match self {
            Self::Sqlite { read, write } => vec![of("read", read), of("write", write)],
            Self::Postgres(pool) => vec![of("all", pool)],
        }
    }

    /// The most connections that there may be at one time.
    pub fn most_connections(&self) -> u32 {
        match self {
            Self::Sqlite { read, write } => {
                read.options().get_max_connections() + write.options().get_max_connections()
            }
            Self::Postgres(pool) => pool.options().get_max_connections(),
        }
    }

    /// The folder of the SQLite file; `None` on Postgres and for a database in memory.
    pub fn folder(&self) -> Option<PathBuf> {
        match self {
            Self::Sqlite { write, .. } => folder_of(write.connect_options().get_filename()),
            Self::Postgres(_) => None,
        }
    }

    pub async fn read(&self) -> Result<Reader, StoreError> {
        Ok(match self {
            Self::Sqlite { read, .. } => Reader::Sqlite(read.acquire().await?),
            Self::Postgres(pool) => Reader::Postgres(pool.acquire().await?),
        })
    }

    pub async fn begin(&self) -> Result<Tx, StoreError> {
        Ok(match self {
            Self::Sqlite { write, .. } => Tx::Sqlite(write.begin_with("BEGIN IMMEDIATE").await?),
            Self::Postgres(pool) => Tx::Postgres(pool.begin().await?),
        })
    }

    /// A transaction that only reads, and reads everything as it is at one moment. It ends when it is dropped.
    pub async fn snapshot(&self) -> Result<Tx, StoreError> {
        Ok(match self {
            Self::Sqlite { read, .. } => Tx::Sqlite(read.begin().await?),
            Self::Postgres(pool) => Tx::Postgres(
                pool.begin_with("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
                    .await?,
            ),
        })
    }

    /// Lets running statements finish and closes every connection.
    pub async fn close(&self) {
        match self {
            Self::Sqlite { read, write } => {
                read.close().await;
                write.close().await;
            }
            Self::Postgres(pool) => pool.close().await,
        }
    }
}

/// The connections of a pool at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PoolUse {
    pub name: &'static str,
    pub in_use: u32,
    pub idle: u32,
}

/// The names of all migrations, as `2 accounts`.
pub fn migration_names() -> Vec<String> {
    migrations_for_sqlite().iter().map(name_of).collect()
}

fn name_of(migration: &Migration) -> String {
    format!("{} {}", migration.version, migration.description)
}

/// The file that an SQLite URL names; `None` for another engine's URL and for a database in memory.
pub fn sqlite_file(url: &str) -> Option<PathBuf> {
    let options = SqliteConnectOptions::from_str(url)
        .ok()
        .filter(|_| url.starts_with("sqlite:"))?;
    let file = options.get_filename();
    folder_of(file).map(|_| file.to_owned())
}

/// A new file is its owner's alone, as are those that SQLite puts beside it.
fn keep_private(file: &Path) -> std::io::Result<()> {
    if folder_of(file).is_none() || file.exists() {
        return Ok(());
    }
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(file).map(|_| ())
}

fn folder_of(file: &Path) -> Option<PathBuf> {
    // sqlx gives a database in memory a name of its own.
    let name = file.to_string_lossy();
    if name.contains(":memory:") || name.starts_with("file:") {
        return None;
    }
    let folder = file.parent()?;
    Some(if folder.as_os_str().is_empty() {
        PathBuf::from(".")
    } else {
        folder.to_owned()
    })
}

/// The versions that were applied; none where the table of them is not there yet.
async fn applied(connection: &mut impl Migrate) -> Result<Vec<i64>, MigrateError> {
    match connection.list_applied_migrations("_sqlx_migrations").await {
        Ok(applied) => Ok(applied.into_iter().map(|one| one.version).collect()),
        Err(MigrateError::Execute(sqlx::Error::Database(error)))
            if error.code().as_deref() == Some("42P01")
                || error.message().starts_with("no such table") =>
        {
            Ok(Vec::new())
        }
        Err(error) => Err(error),
    }
}

/// Whether a migration failed because another node made the same one in the meantime.
fn is_race_of_migrations(error: &MigrateError) -> bool {
    let (MigrateError::Execute(sqlx::Error::Database(cause))
    | MigrateError::ExecuteMigration(sqlx::Error::Database(cause), _)) = error
    else {
        return false;
    };
    let message = cause.message();
    // A table, an index or a row that has appeared meanwhile, a lost race, a lock.
    matches!(
        cause.code().as_deref(),
        Some("40001" | "40P01" | "55P03" | "23505" | "42P07" | "42701" | "42710")
    ) || message.contains("already exists")
        || message.contains("concurrently updated")
        || message.contains("database is locked")
        || cause.is_unique_violation()
}

impl Reader {
    pub fn conn(&mut self) -> Conn<'_> {
        match self {
            Self::Sqlite(connection) => Conn::Sqlite(connection),
            Self::Postgres(connection) => Conn::Postgres(connection),
        }
    }
}

impl Tx {
    pub fn conn(&mut self) -> Conn<'_> {
        match self {
            Self::Sqlite(transaction) => Conn::Sqlite(transaction),
            Self::Postgres(transaction) => Conn::Postgres(transaction),
        }
    }

    pub async fn commit(self) -> Result<(), StoreError> {
        match self {
            Self::Sqlite(transaction) => transaction.commit().await?,
            Self::Postgres(transaction) => transaction.commit().await?,
        }
        Ok(())
    }
}
