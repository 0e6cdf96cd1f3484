//! Links that were mailed or printed: 32 random bytes each, kept as a hash, used once.

use sqlx::FromRow;

use crate::domain::attempt::{MINUTE, UnixMillis};
use crate::server::database::{Conn, StoreError};
use crate::server::session::{hex, sha256_hex};
use crate::{affected, on};

/// What a link is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    VerifyEmail,
    ResetPassword,
}

impl Purpose {
    pub fn slug(self) -> &'static str {
        match self {
            Self::VerifyEmail => "verify-email",
            Self::ResetPassword => "reset-password",
        }
    }

    /// The whole address of a link with this secret.
    pub fn url(self, public_url: &str, secret: &str) -> String {
        format!("{public_url}/{}/{secret}", self.slug())
    }

    /// In milliseconds.
    pub fn lifetime(self) -> i64 {
        match self {
            Self::VerifyEmail => 7 * 24 * 60 * MINUTE,
            Self::ResetPassword => 60 * MINUTE,
        }
    }
}

/// Makes a link's secret known, as its hash; earlier ones of the same purpose end.
pub async fn issue(
    conn: &mut Conn<'_>,
    account_id: &str,
    purpose: Purpose,
    email: &str,
    secret: [u8; 32],
    now: UnixMillis,
) -> Result<String, StoreError> {
    // One after the other, so that one link stays.
    affected!(conn, |c| sqlx::query(
        "UPDATE account SET created_at = created_at WHERE id = $1"
    )
    .bind(account_id)
    .execute(c))?;
    let text = hex(&secret);
    affected!(conn, |c| sqlx::query(
        "DELETE FROM token WHERE account_id = $1 AND purpose = $2"
    )
    .bind(account_id)
    .bind(purpose.slug())
    .execute(c))?;
    affected!(conn, |c| {
        sqlx::query(
        "INSERT INTO token (token_hash, account_id, purpose, email, created_at, expires_at) VALUES ($1, $2, $3, $4, $5, $6)"
    )
    .bind(sha256_hex(&text))
    .bind(account_id)
    .bind(purpose.slug())
    .bind(email)
    .bind(now)
    .bind(now + purpose.lifetime())
    .execute(c)
    })?;
    Ok(text)
}

/// Whom a link is for.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct Token {
    pub account_id: String,
    pub email: String,
}

/// What a link stands for while it is neither used nor too old.
pub async fn find(
    conn: &mut Conn<'_>,
    purpose: Purpose,
    secret: &str,
    now: UnixMillis,
) -> Result<Option<Token>, StoreError> {
    on!(conn, |c| {
        sqlx::query_as::<_, Token>(
        "SELECT token.account_id, token.email FROM token JOIN account ON account.id = token.account_id \
         WHERE token_hash = $1 AND purpose = $2 AND expires_at > $3 AND token.created_at <= $3 AND account.disabled_at IS NULL \
         AND (purpose <> 'reset-password' OR token.email = account.email)"
    )
    .bind(sha256_hex(secret))
    .bind(purpose.slug())
    .bind(now)
    .fetch_optional(c)
    })
}

/// Uses a link up: of two who try at once, one gets it.
pub async fn take(
    conn: &mut Conn<'_>,
    purpose: Purpose,
    secret: &str,
    now: UnixMillis,
) -> Result<Option<Token>, StoreError> {
    let Some(token) = find(conn, purpose, secret, now).await? else {
        return Ok(None);
    };
    let taken = affected!(conn, |c| sqlx::query(
        "DELETE FROM token WHERE token_hash = $1"
    )
    .bind(sha256_hex(secret))
    .execute(c))?;
    Ok((taken > 0).then_some(token))
}

/// Ends every link of an account, also those of mails that still wait.
pub async fn delete_all(conn: &mut Conn<'_>, account_id: &str) -> Result<(), StoreError> {
    crate::mail::store::withdraw_links(conn, account_id).await?;
    affected!(conn, |c| sqlx::query(
        "DELETE FROM token WHERE account_id = $1"
    )
    .bind(account_id)
    .execute(c))
    .map(|_| ())
}

/// Removes links that are too old.
pub async fn delete_expired(conn: &mut Conn<'_>, now: UnixMillis) -> Result<(), StoreError> {
    affected!(conn, |c| sqlx::query(
        "DELETE FROM token WHERE expires_at <= $1"
    )
    .bind(now)
    .execute(c))
    .map(|_| ())
}
