//! What a database URL names, how it is opened by itself (not through the server's pools), and what its errors mean.
//!
//! Must never show a password.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use anyhow::{Context as _, anyhow};
use sqlx::postgres::{PgConnectOptions, PgDatabaseError};
use sqlx::sqlite::{SqliteConnectOptions, SqliteError, SqliteJournalMode, SqliteSynchronous};
use sqlx::{ConnectOptions as _, Connection as _, PgConnection, SqliteConnection};

use crate::server::database::{Conn, StoreError, migrations_for_postgres, migrations_for_sqlite};

const PATIENCE: Duration = Duration::from_secs(5);

/// Where a database is. Its text has no password.
#[derive(Clone, Debug)]
pub enum Place {
    Sqlite(PathBuf),
    Postgres(Box<PgConnectOptions>),
}

impl Place {
    pub fn of(url: &str) -> anyhow::Result<Self> {
        if url.starts_with("postgres:") || url.starts_with("postgresql:") {
            let options = PgConnectOptions::from_str(url).map_err(|_| {
                anyhow!("the database URL cannot be read; it looks like postgres://USER:PASSWORD@HOST/NAME")
            })?;
            return Ok(Self::Postgres(Box::new(
                options.disable_statement_logging(),
            )));
        }
        anyhow::ensure!(
            url.starts_with("sqlite:"),
            "the database URL starts with neither sqlite: nor postgres:; write sqlite:PATH or postgres://USER@HOST/NAME"
        );
        let in_memory = url.contains(":memory:") || url.contains("mode=memory");
        anyhow::ensure!(
            !in_memory,
            "a database in memory cannot be reached from here; name a file: sqlite:PATH"
        );
        let options = SqliteConnectOptions::from_str(url)
            .map_err(|error| anyhow!("the database URL cannot be read: {}", explain(&error)))?;
        let path = options.get_filename();
        anyhow::ensure!(
            !path.as_os_str().is_empty(),
            "the database URL names no file; write sqlite:PATH"
        );
        Ok(Self::Sqlite(path.to_owned()))
    }

    /// Opens it for reading and makes nothing.
    pub async fn open_to_read(&self) -> Result<Link, sqlx::Error> {
        match self {
            Self::Sqlite(path) => Ok(Link::Sqlite(sqlite(path).read_only(true).connect().await?)),
            Self::Postgres(options) => postgres(options).await,
        }
    }

    /// Opens it for writing and makes nothing.
    pub async fn open_to_write(&self) -> Result<Link, sqlx::Error> {
        match self {
            Self::Sqlite(path) => Ok(Link::Sqlite(
                sqlite(path)
                    .synchronous(SqliteSynchronous::Full)
                    .connect()
                    .await?,
            )),
            Self::Postgres(options) => postgres(options).await,
        }
    }

    /// Whether both name the same database, as far as names tell.
    pub fn is(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Sqlite(a), Self::Sqlite(b)) => same_file(a, b),
            (Self::Postgres(a), Self::Postgres(b)) => {
                a.get_host() == b.get_host()
                    && a.get_port() == b.get_port()
                    && a.get_database() == b.get_database()
            }
            _ => false,
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(path) => write!(f, "sqlite:{}", path.display()),
            Self::Postgres(options) => write!(
                f,
                "postgres://{}:{}/{}",
                options.get_host(),
                options.get_port(),
                options.get_database().unwrap_or(options.get_username())
            ),
        }
    }
}

/// How an SQLite file is opened by itself.
pub fn sqlite(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .foreign_keys(true)
        .busy_timeout(PATIENCE)
        .disable_statement_logging()
}

/// Opens a file that nobody else uses as one file, without a log beside it: a copy that is being made or checked.
///
/// It is flushed once, at its end, and not after each statement: until then it is worth nothing.
pub async fn open_alone(path: &Path) -> Result<SqliteConnection, sqlx::Error> {
    sqlite(path)
        .journal_mode(SqliteJournalMode::Delete)
        .synchronous(SqliteSynchronous::Off)
        .connect()
        .await
}

async fn postgres(options: &PgConnectOptions) -> Result<Link, sqlx::Error> {
    let connecting = PgConnection::connect_with(options);
    match tokio::time::timeout(PATIENCE, connecting).await {
        Ok(connection) => Ok(Link::Postgres(connection?)),
        Err(_) => Err(sqlx::Error::Io(std::io::ErrorKind::TimedOut.into())),
    }
}

pub fn same_file(a: &Path, b: &Path) -> bool {
    match (a.canonicalize(), b.canonicalize()) {
        (Ok(a), Ok(b)) => a == b,
        _ => match (std::path::absolute(a), std::path::absolute(b)) {
            (Ok(a), Ok(b)) => a == b,
            _ => a == b,
        },
    }
}

/// One connection of our own.
pub enum Link {
    Sqlite(SqliteConnection),
    Postgres(PgConnection),
}

impl Link {
    pub fn conn(&mut self) -> Conn<'_> {
        match self {
            Self::Sqlite(connection) => Conn::Sqlite(connection),
            Self::Postgres(connection) => Conn::Postgres(connection),
        }
    }

    /// Brings the schema up to this program's.
    pub async fn migrate(&mut self) -> anyhow::Result<()> {
        match self {
            Self::Sqlite(connection) => migrations_for_sqlite().run(connection).await,
            Self::Postgres(connection) => migrations_for_postgres().run(connection).await,
        }
        .context("the schema cannot be brought up to date")
    }

    /// Says good-bye; what was not committed is gone. A failure to do so changes nothing.
    pub async fn close(self) {
        let closed = match self {
            Self::Sqlite(connection) => connection.close().await,
            Self::Postgres(connection) => connection.close().await,
        };
        if let Err(error) = closed {
            tracing::debug!(%error, "a connection did not close");
        }
    }
}

/// What is wrong with the file that a database or a backup should be in, seen without opening it.
pub fn look_at(path: &Path) -> Result<(), String> {
    match std::fs::metadata(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            Err("there is no such file".to_owned())
        }
        Err(error) => Err(format!("it cannot be looked at: {error}")),
        Ok(found) if found.is_dir() => Err("this is a folder and not a file".to_owned()),
        Ok(found) if !found.is_file() => Err("this is not an ordinary file".to_owned()),
        Ok(_) => Ok(()),
    }
}

/// The name of a file that SQLite keeps beside a database: `-wal`, `-shm`, `-journal`.
pub fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

/// SQLite's primary result code, where it is SQLite's error.
pub fn sqlite_code(error: &sqlx::Error) -> Option<u32> {
    let sqlx::Error::Database(error) = error else {
        return None;
    };
    error.try_downcast_ref::<SqliteError>()?;
    Some(error.code()?.parse::<u32>().ok()? & 0xff)
}

/// Whether the file is no database or a damaged one.
pub fn is_damage(error: &sqlx::Error) -> bool {
    matches!(sqlite_code(error), Some(11 | 26))
}

/// What a database's error means, and what to do, in plain words; never more of the data than the engine's own message.
pub fn explain(error: &sqlx::Error) -> String {
    if let Some(code) = sqlite_code(error) {
        return match code {
            5 | 6 => "another program has it locked; stop that program or try again".to_owned(),
            8 => "it can be read but not written; look at who may write to the file and its folder"
                .to_owned(),
            11 => "the file is damaged".to_owned(),
            13 => "the disk is full; make room and try again".to_owned(),
            14 => "the file cannot be opened; look at who may read it and its folder".to_owned(),
            26 => "this is not an SQLite database".to_owned(),
            _ => error.to_string(),
        };
    }
    match error {
        sqlx::Error::Database(found) => {
            let code = found
                .try_downcast_ref::<PgDatabaseError>()
                .map_or("", PgDatabaseError::code);
            match code {
                "28P01" | "28000" => "the server refuses this user or password".to_owned(),
                "3D000" => "the server has no database of this name; create it first".to_owned(),
                "40001" | "40P01" => "another transaction got in the way; try again".to_owned(),
                "42501" => format!("this user lacks a right: {}", found.message()),
                "53100" => "the disk of the server is full".to_owned(),
                "53300" => "the server has no connection left; try again later".to_owned(),
                "57P03" => "the server is starting or stopping; try again".to_owned(),
                _ => found.message().to_owned(),
            }
        }
        sqlx::Error::Io(error) => format!(
            "the server cannot be reached ({error}); see that it runs and that host and port are right"
        ),
        other => other.to_string(),
    }
}

/// [`explain`] for what a store function fails with.
pub fn explained(error: StoreError) -> anyhow::Error {
    match error {
        StoreError::Database(error) => anyhow!("{}", explain(&error)),
        StoreError::App(error) => anyhow!("{error}"),
    }
}
