//! What an administrator sees and does.

use sqlx::FromRow;

use crate::domain::account::{Role, email_key};
use crate::domain::attempt::UnixMillis;
use crate::error::AppError;
use crate::server::database::{Conn, StoreError};
use crate::{affected, on};

use super::{AccountPermit, account};

/// Leave to look after others' accounts and the service.
#[derive(Clone, Debug)]
pub struct AdminPermit {
    actor: Option<String>,
}

impl AdminPermit {
    /// The command line's: who can run it on the database can do everything already.
    pub fn of_the_command_line() -> Self {
        Self { actor: None }
    }

    /// The administrator's own account.
    pub fn actor(&self) -> Option<&str> {
        self.actor.as_deref()
    }
}

/// Why somebody is not let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Nothing tells them that there is something here.
    NotAnAdministrator,
    /// An administrator whose session was not opened with a second factor.
    WithoutSecondFactor,
}

/// Leave for an administrator whose session was opened with a second factor.
pub async fn admin_permit(
    conn: &mut Conn<'_>,
    account_id: Option<&str>,
    with_second_factor: bool,
) -> Result<Result<AdminPermit, Refusal>, StoreError> {
    let found = match account_id {
        Some(id) => account(conn, id).await?,
        None => None,
    };
    Ok(match found {
        Some(account) if account.is_administrator && account.disabled_at.is_none() => {
            if with_second_factor && account.has_second_factor {
                Ok(AdminPermit {
                    actor: Some(account.id),
                })
            } else {
                Err(Refusal::WithoutSecondFactor)
            }
        }
        _ => Err(Refusal::NotAnAdministrator),
    })
}

/// Leave for an administrator to do to another's account what its owner can do.
pub async fn on_behalf(
    conn: &mut Conn<'_>,
    _: &AdminPermit,
    id: &str,
) -> Result<AccountPermit, StoreError> {
    let account = account(conn, id).await?.ok_or(AppError::NotFound)?;
    Ok(AccountPermit { account })
}

/// The account with this address.
pub async fn by_email(
    conn: &mut Conn<'_>,
    permit: &AdminPermit,
    email: &str,
) -> Result<Option<AccountPermit>, StoreError> {
    let row = on!(conn, |c| sqlx::query_as::<_, (String,)>(
        "SELECT id FROM account WHERE email_key = $1"
    )
    .bind(email_key(email).replace('\0', ""))
    .fetch_optional(c))?;
    match row {
        Some((id,)) => on_behalf(conn, permit, &id).await.map(Some),
        None => Ok(None),
    }
}

/// An account in the list.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct AccountLine {
    pub id: String,
    pub name: String,
    pub email: String,
    pub created_at: UnixMillis,
    pub email_verified_at: Option<UnixMillis>,
    pub disabled_at: Option<UnixMillis>,
    pub mentor: i64,
    pub administrator: i64,
    pub seen_at: Option<UnixMillis>,
}

/// Accounts whose name or address holds a text, the newest first.
pub async fn search(
    conn: &mut Conn<'_>,
    _: &AdminPermit,
    text: &str,
    offset: i64,
    limit: i64,
) -> Result<Vec<AccountLine>, StoreError> {
    let text = text.to_lowercase().replace('\0', "");
    on!(conn, |c| {
        sqlx::query_as::<_, AccountLine>(
        "SELECT id, name, email, created_at, email_verified_at, disabled_at, \
         (SELECT COUNT(*) FROM role_grant WHERE account_id = account.id AND role = 'mentor') AS mentor, \
         (SELECT COUNT(*) FROM role_grant WHERE account_id = account.id AND role = 'administrator') AS administrator, \
         (SELECT MAX(seen_at) FROM session WHERE session.account_id = account.id) AS seen_at \
         FROM account WHERE $1 = '' OR email_key LIKE $2 ESCAPE '\\' OR LOWER(name) LIKE $2 ESCAPE '\\' OR id = $1 \
         ORDER BY created_at DESC, id DESC LIMIT $3 OFFSET $4"
    )
    .bind(&text)
    .bind(format!("%{}%", like_literal(&text)))
    .bind(limit)
    .bind(offset)
    .fetch_all(c)
    })
}

/// How many accounts a search finds.
pub async fn count_found(
    conn: &mut Conn<'_>,
    _: &AdminPermit,
    text: &str,
) -> Result<i64, StoreError> {
    let text = text.to_lowercase().replace('\0', "");
    let (count,) = on!(conn, |c| {
        sqlx::query_as::<_, (i64,)>(
        "SELECT COUNT(*) FROM account WHERE $1 = '' OR email_key LIKE $2 ESCAPE '\\' OR LOWER(name) LIKE $2 ESCAPE '\\' OR id = $1"
    )
    .bind(&text)
    .bind(format!("%{}%", like_literal(&text)))
    .fetch_one(c)
    })?;
    Ok(count)
}

/// A text in which `LIKE` finds no signs of its own.
fn like_literal(text: &str) -> String {
    text.replace('\\', "\\\\")
        .replace('%', "\\%")
        .replace('_', "\\_")
}

/// Grants a role. `false` when it was there already.
pub async fn grant(
    conn: &mut Conn<'_>,
    permit: &AdminPermit,
    id: &str,
    role: Role,
    now: UnixMillis,
) -> Result<bool, StoreError> {
    let granted = affected!(conn, |c| {
        sqlx::query(
        "INSERT INTO role_grant (account_id, role, granted_at, granted_by) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING"
    )
    .bind(id)
    .bind(role.slug())
    .bind(now)
    .bind(permit.actor())
    .execute(c)
    })?;
    Ok(granted > 0)
}

/// Takes a role back and ends the account's sessions. `false` when it was not there.
pub async fn revoke(
    conn: &mut Conn<'_>,
    _: &AdminPermit,
    id: &str,
    role: Role,
) -> Result<bool, StoreError> {
    let revoked = affected!(conn, |c| sqlx::query(
        "DELETE FROM role_grant WHERE account_id = $1 AND role = $2"
    )
    .bind(id)
    .bind(role.slug())
    .execute(c))?;
    if revoked > 0 {
        super::end_sessions(conn, id).await?;
    }
    Ok(revoked > 0)
}

/// Holds the grants of all administrators until the transaction ends, so that two do not take each other's at once.
pub async fn hold_administrators(conn: &mut Conn<'_>) -> Result<(), StoreError> {
    affected!(conn, |c| sqlx::query(
        "UPDATE role_grant SET granted_at = granted_at WHERE role = 'administrator'"
    )
    .execute(c))
    .map(|_| ())
}

/// The permit still holds: within the transaction that changes something, with the administrators' grants held.
pub async fn still_permitted(conn: &mut Conn<'_>, permit: &AdminPermit) -> Result<(), StoreError> {
    let Some(actor) = permit.actor() else {
        return Ok(());
    };
    hold_administrators(conn).await?;
    match account(conn, actor).await? {
        Some(account) if account.is_administrator && account.disabled_at.is_none() => Ok(()),
        _ => Err(AppError::NotFound.into()),
    }
}

/// How many administrators can work. The last one is neither disabled nor demoted from the page.
pub async fn administrators(conn: &mut Conn<'_>) -> Result<i64, StoreError> {
    let (count,) = on!(conn, |c| sqlx::query_as::<_, (i64,)>(
        "SELECT COUNT(*) FROM role_grant JOIN account ON account.id = role_grant.account_id \
         WHERE role = 'administrator' AND disabled_at IS NULL"
    )
    .fetch_one(c))?;
    Ok(count)
}

/// Nobody signs in with it, and its sessions and links end.
pub async fn disable(
    conn: &mut Conn<'_>,
    permit: &AdminPermit,
    id: &str,
    now: UnixMillis,
) -> Result<(), StoreError> {
    affected!(conn, |c| {
        sqlx::query(
        "UPDATE account SET disabled_at = $2, disabled_by = $3 WHERE id = $1 AND disabled_at IS NULL"
    )
    .bind(id)
    .bind(now)
    .bind(permit.actor())
    .execute(c)
    })?;
    super::token::delete_all(conn, id).await?;
    super::end_sessions(conn, id).await
}

pub async fn enable(conn: &mut Conn<'_>, _: &AdminPermit, id: &str) -> Result<(), StoreError> {
    affected!(conn, |c| sqlx::query(
        "UPDATE account SET disabled_at = NULL, disabled_by = NULL WHERE id = $1"
    )
    .bind(id)
    .execute(c))
    .map(|_| ())
}

pub async fn end_sessions(
    conn: &mut Conn<'_>,
    _: &AdminPermit,
    id: &str,
) -> Result<(), StoreError> {
    super::end_sessions(conn, id).await
}

/// Ends every session of every account, or of everybody with the guests'.
pub async fn end_all_sessions(
    conn: &mut Conn<'_>,
    _: &AdminPermit,
    guests_too: bool,
) -> Result<u64, StoreError> {
    affected!(conn, |c| sqlx::query(
        "UPDATE account SET session_epoch = session_epoch + 1"
    )
    .execute(c))?;
    if guests_too {
        affected!(conn, |c| sqlx::query("DELETE FROM session").execute(c))
    } else {
        affected!(conn, |c| sqlx::query(
            "DELETE FROM session WHERE account_id IS NOT NULL"
        )
        .execute(c))
    }
}

/// How much there is of what.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, FromRow)]
pub struct Counts {
    pub accounts: i64,
    pub guests: i64,
    pub attempts: i64,
    pub sessions: i64,
    pub mail_waiting: i64,
    pub mail_failed: i64,
}

pub async fn counts(conn: &mut Conn<'_>, _: &AdminPermit) -> Result<Counts, StoreError> {
    on!(conn, |c| {
        sqlx::query_as::<_, Counts>(
        "SELECT (SELECT COUNT(*) FROM account) AS accounts, \
         (SELECT COUNT(*) FROM owner) - (SELECT COUNT(*) FROM account) AS guests, \
         (SELECT COUNT(*) FROM attempt) AS attempts, (SELECT COUNT(*) FROM session) AS sessions, \
         (SELECT COUNT(*) FROM outbox WHERE sent_at IS NULL AND failed_at IS NULL) AS mail_waiting, \
         (SELECT COUNT(*) FROM outbox WHERE failed_at IS NOT NULL) AS mail_failed"
    )
    .fetch_one(c)
    })
}
