//! The SQL of sessions and of owners.

use crate::domain::attempt::UnixMillis;
use crate::{affected, on};

use super::database::{Conn, StoreError};

pub struct SessionRow {
    pub id_hash: String,
    pub owner_id: Option<String>,
    pub data: String,
    pub seen_at: UnixMillis,
    pub expires_at: UnixMillis,
}

pub async fn insert_session(conn: &mut Conn<'_>, row: &SessionRow) -> Result<(), StoreError> {
    affected!(conn, |c| sqlx::query(
        "INSERT INTO session (id_hash, owner_id, data, created_at, seen_at, expires_at) VALUES ($1, $2, $3, $4, $4, $5)"
    )
    .bind(&row.id_hash)
    .bind(&row.owner_id)
    .bind(&row.data)
    .bind(row.seen_at)
    .bind(row.expires_at)
    .execute(c))
    .map(|_| ())
}

/// Updates only: a session that has ended stays ended.
pub async fn update_session(conn: &mut Conn<'_>, row: &SessionRow) -> Result<(), StoreError> {
    affected!(conn, |c| sqlx::query(
        "UPDATE session SET owner_id = $2, data = $3, seen_at = $4, expires_at = $5 WHERE id_hash = $1"
    )
    .bind(&row.id_hash)
    .bind(&row.owner_id)
    .bind(&row.data)
    .bind(row.seen_at)
    .bind(row.expires_at)
    .execute(c))
    .map(|_| ())
}

/// The data and the end of a session that has not ended.
pub async fn session(
    conn: &mut Conn<'_>,
    id_hash: &str,
    now: UnixMillis,
) -> Result<Option<(String, UnixMillis)>, StoreError> {
    on!(conn, |c| sqlx::query_as::<_, (String, i64)>(
        "SELECT data, expires_at FROM session WHERE id_hash = $1 AND expires_at > $2"
    )
    .bind(id_hash)
    .bind(now)
    .fetch_optional(c))
}

pub async fn delete_session(conn: &mut Conn<'_>, id_hash: &str) -> Result<(), StoreError> {
    affected!(conn, |c| sqlx::query(
        "DELETE FROM session WHERE id_hash = $1"
    )
    .bind(id_hash)
    .execute(c))
    .map(|_| ())
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

/// Answers when the database does.
pub async fn ping(conn: &mut Conn<'_>) -> Result<(), StoreError> {
    affected!(conn, |c| sqlx::query("SELECT 1").execute(c)).map(|_| ())
}
