//! Sessions in the database, for tower-sessions.
//!
//! Rows are keyed by the SHA-256 of the id, so that the database cannot be used to take a session over. `save` never
//! inserts: a request that was under way while the session ended must not bring it back.

use serde::Serialize;
use sha2::{Digest, Sha256};
use time::OffsetDateTime;
use tower_sessions::cookie::SameSite;
use tower_sessions::session::{Id, Record};
use tower_sessions::session_store::{Error, Result};
use tower_sessions::{Expiry, SessionManagerLayer, SessionStore};

use super::clock::{Clock, random_bytes};
use super::database::{Db, StoreError};
use super::store;

/// A guest's work belongs to the session, so it lives long: this many days after it was last used.
pub const IDLE_DAYS: i64 = 180;
/// How often a session in use is written again to move its end, in milliseconds.
pub const TOUCH_EVERY: i64 = 24 * 60 * 60 * 1000;

/// The session's own fields.
pub const OWNER: &str = "owner";
pub const TOUCHED_AT: &str = "touched_at";

#[derive(Clone, Debug)]
pub struct DatabaseSessions {
    pub db: Db,
    pub clock: Clock,
}

/// SHA-256 in hexadecimal.
pub fn sha256_hex(bytes: impl AsRef<[u8]>) -> String {
    use std::fmt::Write as _;
    Sha256::digest(bytes)
        .iter()
        .fold(String::with_capacity(64), |mut hex, byte| {
            let _ = write!(hex, "{byte:02x}");
            hex
        })
}

fn id_hash(id: &Id) -> String {
    sha256_hex(id.0.to_le_bytes())
}

fn backend(error: StoreError) -> Error {
    Error::Backend(error.to_string())
}

fn encode(value: &impl Serialize) -> Result<String> {
    serde_json::to_string(value).map_err(|error| Error::Encode(error.to_string()))
}

fn millis(date: OffsetDateTime) -> i64 {
    i64::try_from(date.unix_timestamp_nanos() / 1_000_000).unwrap_or(i64::MAX)
}

impl DatabaseSessions {
    fn row(&self, record: &Record) -> Result<store::SessionRow> {
        Ok(store::SessionRow {
            id_hash: id_hash(&record.id),
            owner_id: record
                .data
                .get(OWNER)
                .and_then(|owner| owner.as_str())
                .map(ToOwned::to_owned),
            data: encode(&record.data)?,
            seen_at: self.clock.now(),
            expires_at: millis(record.expiry_date),
        })
    }
}

#[async_trait::async_trait]
impl SessionStore for DatabaseSessions {
    async fn create(&self, record: &mut Record) -> Result<()> {
        record.id = Id(i128::from_le_bytes(random_bytes()));
        let row = self.row(record)?;
        crate::transact!(self.db, |conn| store::insert_session(conn, &row).await).map_err(backend)
    }

    async fn save(&self, record: &Record) -> Result<()> {
        let row = self.row(record)?;
        crate::transact!(self.db, |conn| store::update_session(conn, &row).await).map_err(backend)
    }

    async fn load(&self, id: &Id) -> Result<Option<Record>> {
        let mut reader = self.db.read().await.map_err(backend)?;
        let row = store::session(&mut reader.conn(), &id_hash(id), self.clock.now())
            .await
            .map_err(backend)?;
        let Some((data, expires_at)) = row else {
            return Ok(None);
        };
        let data = serde_json::from_str(&data).map_err(|error| Error::Decode(error.to_string()))?;
        let expiry_date =
            OffsetDateTime::from_unix_timestamp_nanos(i128::from(expires_at) * 1_000_000)
                .map_err(|error| Error::Decode(error.to_string()))?;
        Ok(Some(Record {
            id: *id,
            data,
            expiry_date,
        }))
    }

    async fn delete(&self, id: &Id) -> Result<()> {
        let hash = id_hash(id);
        crate::transact!(self.db, |conn| store::delete_session(conn, &hash).await).map_err(backend)
    }
}

/// The layer that reads and writes the cookie. Over https the cookie is bound to this host by its prefix; plain http is
/// for loopback, where browsers refuse the prefix.
pub fn layer(db: Db, clock: Clock, secure: bool) -> SessionManagerLayer<DatabaseSessions> {
    SessionManagerLayer::new(DatabaseSessions { db, clock })
        .with_name(if secure {
            "__Host-headroom"
        } else {
            "headroom"
        })
        .with_secure(secure)
        .with_http_only(true)
        // Strict would make a link from a mail look like a stranger's visit.
        .with_same_site(SameSite::Lax)
        .with_path("/")
        .with_expiry(Expiry::OnInactivity(time::Duration::days(IDLE_DAYS)))
}
