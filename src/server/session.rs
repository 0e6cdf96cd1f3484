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

use crate::domain::attempt::{MINUTE, UnixMillis};

use super::clock::{Clock, random_bytes};
use super::database::{Db, StoreError};
use super::store;

const DAY: i64 = 24 * 60 * MINUTE;
/// A session that holds nothing to keep.
const EMPTY_IDLE: i64 = DAY;
/// A guest's work belongs to the session, so it lives long: this long after it was last used.
const GUEST_IDLE: i64 = 180 * DAY;
/// A signed-in session ends this long after it was last used.
const ACCOUNT_IDLE: i64 = 30 * DAY;
/// And this long after signing in, however much it is used.
const ACCOUNT_LONGEST: i64 = 90 * DAY;
/// How often a session in use is written again to move its end.
pub const TOUCH_EVERY: i64 = 5 * MINUTE;

/// The session's own fields.
pub const OWNER: &str = "owner";
pub const TOUCHED_AT: &str = "touched_at";
pub const ACCOUNT: &str = "account";
pub const SIGNED_IN_AT: &str = "signed_in_at";
/// The account's count of endings when signing in began.
pub const EPOCH: &str = "epoch";
pub const SECOND_FACTOR: &str = "second_factor";
pub const DEVICE: &str = "device";
/// The account's time zone, so that pages need not ask for it.
pub const ZONE: &str = "zone";
/// An account whose password was right and whose second factor is still asked for.
pub const PENDING: &str = "pending";

#[derive(Clone, Debug)]
pub struct DatabaseSessions {
    pub db: Db,
    pub clock: Clock,
}

/// SHA-256 in hexadecimal.
pub fn sha256_hex(bytes: impl AsRef<[u8]>) -> String {
    hex(&Sha256::digest(bytes))
}

/// Bytes in hexadecimal.
pub fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes
        .iter()
        .fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        })
}

/// What a session's row is keyed by. It lets nobody in.
pub fn id_hash(id: &Id) -> String {
    sha256_hex(id.0.to_le_bytes())
}

fn backend(error: StoreError) -> Error {
    Error::Backend(error.to_string())
}

fn encode(value: &impl Serialize) -> Result<String> {
    serde_json::to_string(value).map_err(|error| Error::Encode(error.to_string()))
}

/// When a session ends that is used now. The times are ours and not the library's, so that one clock rules.
fn ends_at(owner: Option<&str>, signed_in_at: Option<UnixMillis>, now: UnixMillis) -> UnixMillis {
    match signed_in_at {
        None if owner.is_none() => now + EMPTY_IDLE,
        None => now + GUEST_IDLE,
        // A sign-in that lies ahead was noted by a clock that was wrong.
        Some(since) => (now + ACCOUNT_IDLE).min(since.min(now) + ACCOUNT_LONGEST),
    }
}

impl DatabaseSessions {
    fn row(&self, record: &Record) -> Result<store::SessionRow> {
        let now = self.clock.now();
        let text = |field: &str| {
            let value = record.data.get(field)?.as_str()?;
            Some(value.to_owned())
        };
        let signed_in_at = record
            .data
            .get(SIGNED_IN_AT)
            .and_then(serde_json::Value::as_i64);
        let owner_id = text(OWNER);
        Ok(store::SessionRow {
            id_hash: id_hash(&record.id),
            account_id: text(ACCOUNT),
            signed_in_at,
            epoch: record.data.get(EPOCH).and_then(serde_json::Value::as_i64),
            device: text(DEVICE).unwrap_or_default(),
            data: encode(&record.data)?,
            seen_at: now,
            expires_at: ends_at(owner_id.as_deref(), signed_in_at, now),
            owner_id,
        })
    }

    /// Whether what is kept of a session is what it holds, but for when it was used last.
    async fn lacks_only_its_use(&self, record: &Record) -> bool {
        let Ok(Some(mut kept)) = self.load(&record.id).await else {
            return false;
        };
        let mut now = record.data.clone();
        for data in [&mut kept.data, &mut now] {
            data.remove(TOUCHED_AT);
        }
        kept.data == now
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
        match crate::transact!(self.db, |conn| store::update_session(conn, &row).await) {
            // On a full disk reading goes on; only the session's end is not moved.
            Err(StoreError::Database(cause)) if self.lacks_only_its_use(record).await => {
                tracing::warn!(%cause, "that a session is in use was not noted");
                Ok(())
            }
            saved => saved.map_err(backend),
        }
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
        .with_expiry(Expiry::OnInactivity(time::Duration::milliseconds(
            GUEST_IDLE,
        )))
}
