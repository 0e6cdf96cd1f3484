//! Databases to test on: SQLite always, Postgres when `HEADROOM_TEST_POSTGRES` names a server.

use std::io::Write as _;
use std::sync::Once;
use std::sync::atomic::{AtomicU32, Ordering};

use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection};
use tempfile::TempDir;
use tokio::sync::{Semaphore, SemaphorePermit};

use crate::server::database::Db;

/// An URL of a server where databases can be created.
pub const POSTGRES: &str = "HEADROOM_TEST_POSTGRES";

/// A Postgres server takes 100 connections by default, and each of our pools up to 16.
static POSTGRES_DATABASES: Semaphore = Semaphore::const_new(4);

/// Makes the names of databases differ.
static NUMBER: AtomicU32 = AtomicU32::new(0);
/// What is skipped is said once.
static SAID: Once = Once::new();

/// A database of one test.
pub struct Database {
    pub db: Db,
    pub url: String,
    folder: Option<TempDir>,
    place: Option<SemaphorePermit<'static>>,
}

impl Database {
    /// An SQLite file without tables.
    pub async fn empty_sqlite() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let url = format!("sqlite:{}", folder.path().join("headroom.db").display());
        Self {
            db: Db::open(&url).await.expect("opens"),
            url,
            folder: Some(folder),
            place: None,
        }
    }

    /// A new Postgres database without tables. `None` without a server, which is said loudly; in CI it is a failure.
    pub async fn empty_postgres() -> Option<Self> {
        let server = postgres_server()?;
        let place = POSTGRES_DATABASES.acquire().await.expect("never closed");
        let name = format!(
            "headroom_{}_{}",
            std::process::id(),
            NUMBER.fetch_add(1, Ordering::Relaxed)
        );
        let mut admin = PgConnection::connect(&server)
            .await
            .expect("the server of HEADROOM_TEST_POSTGRES answers");
        admin
            .execute(AssertSqlSafe(format!(
                "DROP DATABASE IF EXISTS {name} WITH (FORCE)"
            )))
            .await
            .expect("dropped");
        admin
            .execute(AssertSqlSafe(format!("CREATE DATABASE {name}")))
            .await
            .expect("created");
        let (before, options) = server
            .split_once('?')
            .map_or((server.as_str(), None), |(url, options)| {
                (url, Some(options))
            });
        let (host, _) = before.rsplit_once('/').expect("the URL names a database");
        let url = format!(
            "{host}/{name}{}",
            options
                .map(|options| format!("?{options}"))
                .unwrap_or_default()
        );
        Some(Self {
            db: Db::open(&url).await.expect("opens"),
            url,
            folder: None,
            place: Some(place),
        })
    }

    pub async fn sqlite() -> Self {
        Self::empty_sqlite().await.migrated().await
    }

    async fn migrated(self) -> Self {
        self.db.migrate().await.expect("migrates");
        self
    }

    /// Removes what was made. A test that fails leaves its Postgres database behind, to be looked at.
    pub async fn discard(self) {
        self.db.close().await;
        if let (None, Some(server)) = (&self.folder, postgres_server()) {
            let name = self
                .url
                .rsplit('/')
                .next()
                .and_then(|tail| tail.split('?').next())
                .unwrap_or_default();
            let mut admin = PgConnection::connect(&server)
                .await
                .expect("the server answers");
            admin
                .execute(AssertSqlSafe(format!("DROP DATABASE {name} WITH (FORCE)")))
                .await
                .expect("dropped");
        }
        drop(self.place);
    }
}

fn postgres_server() -> Option<String> {
    let server = std::env::var(POSTGRES).ok().filter(|url| !url.is_empty());
    if server.is_none() {
        assert!(
            std::env::var_os("CI").is_none(),
            "{POSTGRES} is not set: in CI the store is tested on Postgres too"
        );
        SAID.call_once(|| {
            // Straight to the terminal: what a passing test prints is not shown.
            let _ = writeln!(
                std::io::stderr(),
                "\n*** NOT TESTED ON POSTGRES: {POSTGRES} is not set ***\n"
            );
        });
    }
    server
}

/// Runs a test on a migrated database of each engine that there is.
pub async fn on_each_engine(test: impl AsyncFn(&Database)) {
    let database = Database::sqlite().await;
    eprintln!("on SQLite");
    test(&database).await;
    database.discard().await;
    if let Some(database) = Database::empty_postgres().await {
        let database = database.migrated().await;
        eprintln!("on Postgres");
        test(&database).await;
        database.discard().await;
    }
}
