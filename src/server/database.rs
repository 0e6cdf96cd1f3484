//! One database, two engines: SQLite for one machine, Postgres (and what speaks its protocol) for several.
//!
//! Store functions take a [`Conn`] and write each statement once; [`on!`](crate::on) runs it on whichever engine is
//! there. Whoever calls the store owns the transaction. Must never hold a statement of a feature.

use std::str::FromStr;
use std::time::Duration;

use sqlx::migrate::Migrator;
use sqlx::pool::PoolConnection;
use sqlx::postgres::PgPoolOptions;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{PgConnection, PgPool, Postgres, Sqlite, SqliteConnection, SqlitePool, Transaction};

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
const POSTGRES_CONNECTIONS: u32 = 16;
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

/// A transaction that writes.
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
        if url.starts_with("postgres:") || url.starts_with("postgresql:") {
            let pool = PgPoolOptions::new()
                .max_connections(POSTGRES_CONNECTIONS)
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
        let write = SqlitePoolOptions::new()
            .max_connections(1)
            .connect_with(options.clone())
            .await?;
        let read = SqlitePoolOptions::new()
            .max_connections(SQLITE_READERS)
            .connect_with(options.create_if_missing(false).read_only(true))
            .await?;
        Ok(Self::Sqlite { read, write })
    }

    /// Brings the schema up to date.
    pub async fn migrate(&self) -> anyhow::Result<()> {
        match self {
            Self::Sqlite { write, .. } => migrations_for_sqlite().run(write).await?,
            Self::Postgres(pool) => migrations_for_postgres().run(pool).await?,
        }
        Ok(())
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
