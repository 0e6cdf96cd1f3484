//! Links by which anybody who has one reads one attempt, until it is revoked.

use sqlx::FromRow;

use crate::domain::attempt::UnixMillis;
use crate::error::AppError;
use crate::server::database::{Conn, StoreError};
use crate::server::session::sha256_hex;
use crate::{affected, on};

use super::{Attempt, AttemptPermit, AttemptRow, Score, Section};

/// The most links of one attempt that work at one time.
const WORKING: i64 = 20;

/// The most links that are ever made of one attempt.
const MADE: i64 = 200;

/// Leave to read one attempt, and nothing else.
#[derive(Clone, Debug)]
pub struct SharedPermit {
    permit: AttemptPermit,
}

impl SharedPermit {
    pub fn attempt(&self) -> &Attempt {
        self.permit.attempt()
    }
}

/// A link without its secret.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct ShareLink {
    pub id: String,
    pub created_at: UnixMillis,
    pub revoked_at: Option<UnixMillis>,
}

/// Makes a link whose secret is `secret`.
pub async fn create(
    conn: &mut Conn<'_>,
    permit: &AttemptPermit,
    id: &str,
    secret: &str,
    now: UnixMillis,
) -> Result<(), StoreError> {
    super::lock(conn, permit).await?;
    let links = links(conn, permit).await?;
    if i64::try_from(links.len()).unwrap_or(i64::MAX) >= MADE {
        return Err(AppError::too_many(
            format!("{MADE} links of this attempt were made, the most that are. Use one of those that work."),
            0,
        )
        .into());
    }
    let working = links
        .iter()
        .filter(|link| link.revoked_at.is_none())
        .count();
    if i64::try_from(working).unwrap_or(i64::MAX) >= WORKING {
        return Err(AppError::too_many(
            format!("{WORKING} links of this attempt work already. Revoke one, then make another."),
            0,
        )
        .into());
    }
    affected!(conn, |c| sqlx::query(
        "INSERT INTO share_link (id, attempt_id, token_hash, created_at) VALUES ($1, $2, $3, $4)"
    )
    .bind(id)
    .bind(&permit.attempt().id)
    .bind(sha256_hex(secret))
    .bind(now)
    .execute(c))
    .map(|_| ())
}

/// The links of an attempt, the latest first.
pub async fn links(
    conn: &mut Conn<'_>,
    permit: &AttemptPermit,
) -> Result<Vec<ShareLink>, StoreError> {
    on!(conn, |c| {
        sqlx::query_as::<_, ShareLink>(
        "SELECT id, created_at, revoked_at FROM share_link WHERE attempt_id = $1 ORDER BY created_at DESC, id DESC"
    )
    .bind(&permit.attempt().id)
    .fetch_all(c)
    })
}

/// From now on the link leads nowhere.
pub async fn revoke(
    conn: &mut Conn<'_>,
    permit: &AttemptPermit,
    id: &str,
    now: UnixMillis,
) -> Result<(), StoreError> {
    if uuid::Uuid::parse_str(id).is_err() {
        return Err(AppError::NotFound.into());
    }
    let revoked = affected!(conn, |c| {
        sqlx::query(
        "UPDATE share_link SET revoked_at = COALESCE(revoked_at, $3) WHERE id = $1 AND attempt_id = $2"
    )
    .bind(id)
    .bind(&permit.attempt().id)
    .bind(now)
    .execute(c)
    })?;
    if revoked == 0 {
        return Err(AppError::NotFound.into());
    }
    Ok(())
}

/// Leave for whoever has a link that works.
pub async fn open(conn: &mut Conn<'_>, secret: &str) -> Result<SharedPermit, StoreError> {
    let row = on!(conn, |c| {
        sqlx::query_as::<_, AttemptRow>(
        "SELECT attempt.id, prompt, variant, way, level, minutes, started_at, phase, marked_at, \
         (SELECT COUNT(*) FROM score WHERE attempt_id = attempt.id) AS scores \
         FROM attempt JOIN share_link ON share_link.attempt_id = attempt.id WHERE token_hash = $1 AND revoked_at IS NULL \
         AND NOT EXISTS (SELECT 1 FROM account WHERE account.owner_id = attempt.owner_id AND account.disabled_at IS NOT NULL)"
    )
    .bind(sha256_hex(secret))
    .fetch_optional(c)
    })?;
    let attempt = row.ok_or(AppError::NotFound)?.read()?;
    Ok(SharedPermit {
        permit: AttemptPermit { attempt },
    })
}

pub async fn sections(
    conn: &mut Conn<'_>,
    permit: &SharedPermit,
) -> Result<Vec<Section>, StoreError> {
    super::sections(conn, &permit.permit).await
}

pub async fn scores(conn: &mut Conn<'_>, permit: &SharedPermit) -> Result<Vec<Score>, StoreError> {
    super::scores(conn, &permit.permit).await
}
