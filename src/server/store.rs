//! The SQL of sessions, of owners, and of the counters that throttle.

use crate::domain::attempt::UnixMillis;
use crate::error::AppError;
use crate::{affected, on};

use super::database::{Conn, StoreError};

pub struct SessionRow {
    pub id_hash: String,
    pub owner_id: Option<String>,
    pub account_id: Option<String>,
    pub signed_in_at: Option<UnixMillis>,
    pub epoch: Option<i64>,
    pub device: String,
    pub data: String,
    pub seen_at: UnixMillis,
    pub expires_at: UnixMillis,
}

pub async fn insert_session(conn: &mut Conn<'_>, row: &SessionRow) -> Result<(), StoreError> {
    affected!(conn, |c| sqlx::query(
        "INSERT INTO session (id_hash, owner_id, account_id, signed_in_at, session_epoch, device, data, created_at, seen_at, expires_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $8, $9)"
    )
    .bind(&row.id_hash)
    .bind(&row.owner_id)
    .bind(&row.account_id)
    .bind(row.signed_in_at)
    .bind(row.epoch)
    .bind(&row.device)
    .bind(&row.data)
    .bind(row.seen_at)
    .bind(row.expires_at)
    .execute(c))
    .map(|_| ())
}

/// Updates only: a session that has ended stays ended. The end of a guest's session, which holds their work, is never
/// moved back: the clock may have been behind.
pub async fn update_session(conn: &mut Conn<'_>, row: &SessionRow) -> Result<(), StoreError> {
    affected!(conn, |c| sqlx::query(
        "UPDATE session SET owner_id = $2, account_id = $3, signed_in_at = $4, session_epoch = $5, device = $6, data = $7, seen_at = $8, \
         expires_at = CASE WHEN $3 IS NULL AND expires_at > $9 THEN expires_at ELSE $9 END WHERE id_hash = $1"
    )
    .bind(&row.id_hash)
    .bind(&row.owner_id)
    .bind(&row.account_id)
    .bind(row.signed_in_at)
    .bind(row.epoch)
    .bind(&row.device)
    .bind(&row.data)
    .bind(row.seen_at)
    .bind(row.expires_at)
    .execute(c))
    .map(|_| ())
}

/// The data and the end of a session that has not ended: not by its time, nor because its account was disabled or ended
/// all sessions since signing in began.
pub async fn session(
    conn: &mut Conn<'_>,
    id_hash: &str,
    now: UnixMillis,
) -> Result<Option<(String, UnixMillis)>, StoreError> {
    on!(conn, |c| {
        sqlx::query_as::<_, (String, i64)>(
        "SELECT session.data, session.expires_at FROM session LEFT JOIN account ON account.id = session.account_id \
         WHERE session.id_hash = $1 AND session.expires_at > $2 AND (session.account_id IS NULL \
         OR (account.disabled_at IS NULL AND session.session_epoch = account.session_epoch))"
    )
    .bind(id_hash)
    .bind(now)
    .fetch_optional(c)
    })
}

pub async fn delete_session(conn: &mut Conn<'_>, id_hash: &str) -> Result<(), StoreError> {
    affected!(conn, |c| sqlx::query(
        "DELETE FROM session WHERE id_hash = $1"
    )
    .bind(id_hash)
    .execute(c))
    .map(|_| ())
}

/// When anybody was last here, by now.
pub async fn last_seen(
    conn: &mut Conn<'_>,
    now: UnixMillis,
) -> Result<Option<UnixMillis>, StoreError> {
    let (seen_at,) = on!(conn, |c| sqlx::query_as::<_, (Option<i64>,)>(
        "SELECT MAX(seen_at) FROM session WHERE seen_at <= $1"
    )
    .bind(now)
    .fetch_one(c))?;
    Ok(seen_at)
}

/// Removes sessions that ended.
pub async fn delete_expired_sessions(
    conn: &mut Conn<'_>,
    now: UnixMillis,
) -> Result<(), StoreError> {
    affected!(conn, |c| sqlx::query(
        "DELETE FROM session WHERE expires_at <= $1"
    )
    .bind(now)
    .execute(c))
    .map(|_| ())
}

/// Removes what guests made whose session has ended; at most `limit` guests at a time.
pub async fn delete_abandoned_guests(
    conn: &mut Conn<'_>,
    before: UnixMillis,
    limit: i64,
) -> Result<u64, StoreError> {
    affected!(conn, |c| sqlx::query(
        "DELETE FROM owner WHERE id IN (SELECT id FROM owner WHERE created_at < $1 \
         AND NOT EXISTS (SELECT 1 FROM session WHERE session.owner_id = owner.id) \
         AND NOT EXISTS (SELECT 1 FROM account WHERE account.owner_id = owner.id) LIMIT $2)"
    )
    .bind(before)
    .bind(limit)
    .execute(c))
}

/// Counts one more under a key, in a window that starts with the first: how many there are now, and when the window ends.
pub async fn count(
    conn: &mut Conn<'_>,
    key: &str,
    window: i64,
    now: UnixMillis,
) -> Result<(i64, UnixMillis), StoreError> {
    // A window that begins further ahead than it is long was begun by a clock that was wrong; one that begins a little
    // ahead, by another that came first.
    on!(conn, |c| {
        sqlx::query_as::<_, (i64, i64)>(
        "INSERT INTO throttle (throttle_key, began_at, ends_at, count) VALUES ($1, $2, $3, 1) \
         ON CONFLICT (throttle_key) DO UPDATE SET \
         count = CASE WHEN throttle.ends_at <= $2 OR throttle.began_at > $3 THEN 1 ELSE throttle.count + 1 END, \
         began_at = CASE WHEN throttle.ends_at <= $2 OR throttle.began_at > $3 THEN $2 ELSE throttle.began_at END, \
         ends_at = CASE WHEN throttle.ends_at <= $2 OR throttle.began_at > $3 THEN $3 ELSE throttle.ends_at END \
         RETURNING count, ends_at"
    )
    .bind(key)
    .bind(now)
    .bind(now + window)
    .fetch_one(c)
    })
}

/// Takes one back, where something turned out well.
pub async fn uncount(conn: &mut Conn<'_>, key: &str) -> Result<(), StoreError> {
    affected!(conn, |c| sqlx::query(
        "UPDATE throttle SET count = count - 1 WHERE throttle_key = $1 AND count > 0"
    )
    .bind(key)
    .execute(c))
    .map(|_| ())
}

/// Starts a key anew.
pub async fn forget_count(conn: &mut Conn<'_>, key: &str) -> Result<(), StoreError> {
    affected!(conn, |c| sqlx::query(
        "DELETE FROM throttle WHERE throttle_key = $1"
    )
    .bind(key)
    .execute(c))
    .map(|_| ())
}

/// Removes counters whose window has passed.
pub async fn delete_passed_counts(conn: &mut Conn<'_>, now: UnixMillis) -> Result<(), StoreError> {
    affected!(conn, |c| sqlx::query(
        "DELETE FROM throttle WHERE ends_at <= $1"
    )
    .bind(now)
    .execute(c))
    .map(|_| ())
}

pub async fn insert_owner(
    conn: &mut Conn<'_>,
    id: &str,
    now: UnixMillis,
) -> Result<(), StoreError> {
    affected!(conn, |c| sqlx::query(
        "INSERT INTO owner (id, created_at) VALUES ($1, $2)"
    )
    .bind(id)
    .bind(now)
    .execute(c))
    .map(|_| ())
}

/// Keeps everybody else who holds this owner waiting until the transaction ends, so that what is counted of the owner's
/// stays so.
///
/// # Errors
/// [`AppError::NotFound`] when there is no such owner: a guest who signed in at this moment, or an account that was deleted.
pub async fn hold_owner(conn: &mut Conn<'_>, owner: &str) -> Result<(), StoreError> {
    let owners = affected!(conn, |c| sqlx::query(
        "UPDATE owner SET created_at = created_at WHERE id = $1"
    )
    .bind(owner)
    .execute(c))?;
    if owners == 0 {
        return Err(AppError::NotFound.into());
    }
    Ok(())
}

/// Answers when the database does.
pub async fn ping(conn: &mut Conn<'_>) -> Result<(), StoreError> {
    affected!(conn, |c| sqlx::query("SELECT 1").execute(c)).map(|_| ())
}

/// The engine with its version, and how large the database is, in bytes, where the engine tells.
pub async fn engine(conn: &mut Conn<'_>) -> Result<(String, Option<i64>), StoreError> {
    match conn {
        Conn::Sqlite(c) => {
            let (version, bytes): (String, i64) = sqlx::query_as(
                "SELECT sqlite_version(), (SELECT page_count FROM pragma_page_count()) * (SELECT page_size FROM pragma_page_size())",
            )
            .fetch_one(&mut **c)
            .await?;
            Ok((format!("SQLite {version}"), Some(bytes)))
        }
        Conn::Postgres(c) => {
            let (version,): (String,) = sqlx::query_as("SELECT version()")
                .fetch_one(&mut **c)
                .await?;
            let words: Vec<&str> = version.split_whitespace().take(2).collect();
            // Engines that only speak the protocol may not know this.
            let bytes =
                sqlx::query_as::<_, (i64,)>("SELECT pg_database_size(current_database())::BIGINT")
                    .fetch_one(&mut **c)
                    .await
                    .ok()
                    .map(|(bytes,)| bytes);
            Ok((words.join(" "), bytes))
        }
    }
}
