//! The second factor: an authenticator's secret, and codes for when it is lost.

use sqlx::FromRow;

use crate::domain::attempt::UnixMillis;
use crate::server::database::{Conn, StoreError};
use crate::server::session::sha256_hex;
use crate::{affected, on};

use super::AccountPermit;

#[derive(Clone, Debug, FromRow)]
pub struct SecondFactor {
    /// Base32.
    pub secret: String,
    /// `None` until a first code was right.
    pub confirmed_at: Option<UnixMillis>,
}

/// The second factor of an account, confirmed or being set up.
pub async fn find(
    conn: &mut Conn<'_>,
    account_id: &str,
) -> Result<Option<SecondFactor>, StoreError> {
    on!(conn, |c| sqlx::query_as::<_, SecondFactor>(
        "SELECT secret, confirmed_at FROM second_factor WHERE account_id = $1"
    )
    .bind(account_id)
    .fetch_optional(c))
}

/// Starts setting one up. One that is confirmed is left as it is.
pub async fn start(
    conn: &mut Conn<'_>,
    permit: &AccountPermit,
    secret: &str,
    now: UnixMillis,
) -> Result<(), StoreError> {
    affected!(conn, |c| sqlx::query(
        "INSERT INTO second_factor (account_id, secret, created_at, last_step) VALUES ($1, $2, $3, 0) \
         ON CONFLICT (account_id) DO UPDATE SET secret = excluded.secret, created_at = excluded.created_at, last_step = 0 \
         WHERE second_factor.confirmed_at IS NULL"
    )
    .bind(&permit.account().id)
    .bind(secret)
    .bind(now)
    .execute(c))
    .map(|_| ())
}

/// A step that is this far ahead, a day in steps of 30 seconds, was taken by a clock that was wrong.
const STEPS_AHEAD: i64 = 24 * 60 * 2;

/// Takes the code of a time step, unless it or a later one was taken before: of two who send one code, one gets in.
pub async fn take_step(
    conn: &mut Conn<'_>,
    account_id: &str,
    step: i64,
) -> Result<bool, StoreError> {
    let taken = affected!(conn, |c| {
        sqlx::query(
        "UPDATE second_factor SET last_step = $2 WHERE account_id = $1 AND (last_step < $2 OR last_step > $3)"
    )
    .bind(account_id)
    .bind(step)
    .bind(step.saturating_add(STEPS_AHEAD))
    .execute(c)
    })?;
    Ok(taken > 0)
}

/// From now on it is asked for.
pub async fn confirm(
    conn: &mut Conn<'_>,
    permit: &AccountPermit,
    now: UnixMillis,
) -> Result<(), StoreError> {
    affected!(conn, |c| sqlx::query(
        "UPDATE second_factor SET confirmed_at = $2 WHERE account_id = $1 AND confirmed_at IS NULL"
    )
    .bind(&permit.account().id)
    .bind(now)
    .execute(c))
    .map(|_| ())
}

/// Gives up setting it up. One that is confirmed is left as it is.
pub async fn give_up(conn: &mut Conn<'_>, permit: &AccountPermit) -> Result<(), StoreError> {
    affected!(conn, |c| sqlx::query(
        "DELETE FROM second_factor WHERE account_id = $1 AND confirmed_at IS NULL"
    )
    .bind(&permit.account().id)
    .execute(c))
    .map(|_| ())
}

/// Turns it off, with its recovery codes.
pub async fn remove(conn: &mut Conn<'_>, permit: &AccountPermit) -> Result<(), StoreError> {
    let account_id = &permit.account().id;
    affected!(conn, |c| sqlx::query(
        "DELETE FROM recovery_code WHERE account_id = $1"
    )
    .bind(account_id)
    .execute(c))?;
    affected!(conn, |c| sqlx::query(
        "DELETE FROM second_factor WHERE account_id = $1"
    )
    .bind(account_id)
    .execute(c))
    .map(|_| ())
}

/// New recovery codes; the earlier ones end.
pub async fn set_recovery_codes(
    conn: &mut Conn<'_>,
    permit: &AccountPermit,
    codes: &[String],
) -> Result<(), StoreError> {
    let id = &permit.account().id;
    affected!(conn, |c| sqlx::query(
        "DELETE FROM recovery_code WHERE account_id = $1"
    )
    .bind(id)
    .execute(c))?;
    for code in codes {
        affected!(conn, |c| sqlx::query(
            "INSERT INTO recovery_code (account_id, code_hash) VALUES ($1, $2)"
        )
        .bind(id)
        .bind(sha256_hex(code))
        .execute(c))?;
    }
    Ok(())
}

/// Uses a recovery code up.
pub async fn take_recovery_code(
    conn: &mut Conn<'_>,
    account_id: &str,
    code: &str,
    now: UnixMillis,
) -> Result<bool, StoreError> {
    let taken = affected!(conn, |c| {
        sqlx::query(
        "UPDATE recovery_code SET used_at = $3 WHERE account_id = $1 AND code_hash = $2 AND used_at IS NULL"
    )
    .bind(account_id)
    .bind(sha256_hex(code))
    .bind(now)
    .execute(c)
    })?;
    Ok(taken > 0)
}

pub async fn recovery_codes_left(conn: &mut Conn<'_>, account_id: &str) -> Result<i64, StoreError> {
    let (count,) = on!(conn, |c| sqlx::query_as::<_, (i64,)>(
        "SELECT COUNT(*) FROM recovery_code WHERE account_id = $1 AND used_at IS NULL"
    )
    .bind(account_id)
    .fetch_one(c))?;
    Ok(count)
}
