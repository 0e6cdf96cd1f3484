//! Whether this node should be sent requests: what `/readyz` answers.
//!
//! The answer is for load balancers and for whoever looks at it from outside, so it names no place and no cause; the
//! cause is logged.

use std::path::Path;
use std::sync::atomic::Ordering;
use std::time::Duration;

use rustix::fs::StatVfsMountFlags;

use super::database::{Db, StoreError};
use super::state::AppState;
use super::store;

/// With less space than this in the folder of the SQLite file, in bytes, a node is not ready.
pub const FREE_SPACE: u64 = 64 * 1024 * 1024;

/// A database that takes longer is as good as none.
const DATABASE_LIMIT: Duration = Duration::from_secs(3);

/// Why this node is not ready, a line each; none when it is.
pub async fn faults(state: &AppState) -> Vec<String> {
    if state.draining.load(Ordering::SeqCst) {
        return vec!["draining".to_owned()];
    }
    let mut faults = Vec::new();
    match tokio::time::timeout(DATABASE_LIMIT, ping(&state.db)).await {
        Ok(Ok(())) => {
            let lacking = lacking_migrations(&state.db);
            match tokio::time::timeout(DATABASE_LIMIT, lacking).await {
                Ok(lacking) => faults.extend(lacking),
                Err(_) => faults.push("database: it does not answer in time".to_owned()),
            }
        }
        Ok(Err(error)) => {
            tracing::error!(%error, "not ready: the database does not answer");
            faults.push("database: it does not answer".to_owned());
        }
        Err(_) => {
            tracing::error!("not ready: the database takes longer than {DATABASE_LIMIT:?}");
            faults.push("database: it does not answer in time".to_owned());
        }
    }
    if let Some(folder) = state.db.folder() {
        let disk = tokio::task::spawn_blocking(move || disk(&folder, FREE_SPACE)).await;
        faults.extend(disk.unwrap_or_default());
    }
    faults
}

async fn ping(db: &Db) -> Result<(), StoreError> {
    let mut reader = db.read().await?;
    store::ping(&mut reader.conn()).await
}

async fn lacking_migrations(db: &Db) -> Option<String> {
    match db.lacking_migrations().await {
        Ok(lacking) if lacking.is_empty() => None,
        Ok(lacking) => Some(format!(
            "migrations: the database lacks {}; run `headroom migrate`",
            lacking.join(", ")
        )),
        Err(error) => {
            tracing::error!(%error, "not ready: the migrations cannot be read");
            Some("migrations: they cannot be read".to_owned())
        }
    }
}

/// What is wrong with the disk below a folder in which at least so many bytes must be free.
pub fn disk(folder: &Path, wanted: u64) -> Option<String> {
    let space = match rustix::fs::statvfs(folder) {
        Ok(space) => space,
        Err(error) => {
            tracing::error!(%error, "not ready: the folder of the database cannot be looked at");
            return Some("disk: the folder of the database cannot be looked at".to_owned());
        }
    };
    if space.f_flag.contains(StatVfsMountFlags::RDONLY) {
        return Some("disk: it can only be read".to_owned());
    }
    let free = space.f_bavail.saturating_mul(space.f_frsize);
    (free < wanted).then(|| {
        let mega = 1024 * 1024;
        format!(
            "disk: {} MB are free; at least {} MB are needed",
            free / mega,
            wanted / mega
        )
    })
}

/// Free bytes below a folder, where the system tells.
pub fn free(folder: &Path) -> Option<i64> {
    let space = rustix::fs::statvfs(folder).ok()?;
    i64::try_from(space.f_bavail.saturating_mul(space.f_frsize)).ok()
}
