//! The SQL of accounts: who a person is, what is theirs, and what has been done.
//!
//! What changes an account takes a permit: [`AccountPermit`] for one's own, [`AdminPermit`] for others'. Functions run on
//! the caller's transaction. Must never see a password or a token, only their hashes.

pub mod administration;
pub mod archive;
pub mod audit;
pub mod second_factor;
pub mod token;

use sqlx::FromRow;

use crate::domain::account::email_key;
use crate::domain::attempt::UnixMillis;
use crate::domain::level::Level;
use crate::error::AppError;
use crate::exercises::store::claim as claim_exercises;
use crate::server::database::{Conn, StoreError};
use crate::server::extract::{Opening, Theme, Viewer};
use crate::server::store::hold_owner;
use crate::{affected, on};

pub use administration::{AdminPermit, Refusal, admin_permit};

/// Leave to read and change one's own account.
#[derive(Clone, Debug)]
pub struct AccountPermit {
    account: Account,
}

impl AccountPermit {
    pub fn account(&self) -> &Account {
        &self.account
    }
}

/// An account as it is kept, without its password's hash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    pub id: String,
    pub owner_id: String,
    pub name: String,
    pub email: String,
    pub email_verified_at: Option<UnixMillis>,
    pub profile: Profile,
    pub created_at: UnixMillis,
    pub disabled_at: Option<UnixMillis>,
    /// How often all of its sessions were ended.
    pub session_epoch: i64,
    pub is_mentor: bool,
    pub is_administrator: bool,
    /// A confirmed second factor.
    pub has_second_factor: bool,
}

impl Account {
    /// What a session of it is opened with.
    pub fn opening(&self, with_second_factor: bool, at: UnixMillis) -> Opening<'_> {
        Opening {
            account: &self.id,
            owner: &self.owner_id,
            epoch: self.session_epoch,
            with_second_factor,
            zone: &self.profile.time_zone,
            at,
        }
    }
}

/// What a person tells of their preparation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Profile {
    pub level: Option<Level>,
    /// A day as `2026-03-01`.
    pub interview_on: Option<String>,
    pub hours_a_week: Option<i64>,
    /// A name of the time zone database, such as `Europe/Berlin`.
    pub time_zone: String,
    pub theme: Theme,
}

impl Default for Profile {
    fn default() -> Self {
        Self {
            level: None,
            interview_on: None,
            hours_a_week: None,
            time_zone: "UTC".to_owned(),
            theme: Theme::Auto,
        }
    }
}

#[derive(FromRow)]
struct AccountRow {
    id: String,
    owner_id: String,
    name: String,
    email: String,
    email_verified_at: Option<i64>,
    level: Option<String>,
    interview_on: Option<String>,
    hours_a_week: Option<i64>,
    time_zone: String,
    theme: String,
    created_at: i64,
    disabled_at: Option<i64>,
    session_epoch: i64,
    mentor: i64,
    administrator: i64,
    second_factor: i64,
}

impl From<AccountRow> for Account {
    fn from(row: AccountRow) -> Self {
        Self {
            id: row.id,
            owner_id: row.owner_id,
            name: row.name,
            email: row.email,
            email_verified_at: row.email_verified_at,
            profile: Profile {
                level: row.level.as_deref().and_then(Level::from_slug),
                interview_on: row.interview_on,
                hours_a_week: row.hours_a_week,
                time_zone: row.time_zone,
                theme: Theme::from_slug(&row.theme).unwrap_or_default(),
            },
            created_at: row.created_at,
            disabled_at: row.disabled_at,
            session_epoch: row.session_epoch,
            is_mentor: row.mentor > 0,
            is_administrator: row.administrator > 0,
            has_second_factor: row.second_factor > 0,
        }
    }
}

/// The account of this id.
pub async fn account(conn: &mut Conn<'_>, id: &str) -> Result<Option<Account>, StoreError> {
    if uuid::Uuid::parse_str(id).is_err() {
        return Ok(None);
    }
    let row = on!(conn, |c| {
        sqlx::query_as::<_, AccountRow>(
        "SELECT id, owner_id, name, email, email_verified_at, level, interview_on, hours_a_week, time_zone, theme, created_at, disabled_at, session_epoch, \
         (SELECT COUNT(*) FROM role_grant WHERE account_id = account.id AND role = 'mentor') AS mentor, \
         (SELECT COUNT(*) FROM role_grant WHERE account_id = account.id AND role = 'administrator') AS administrator, \
         (SELECT COUNT(*) FROM second_factor WHERE account_id = account.id AND confirmed_at IS NOT NULL) AS second_factor \
         FROM account WHERE id = $1"
    )
    .bind(id)
    .fetch_optional(c)
    })?;
    Ok(row.map(Account::from))
}

/// Leave for a signed-in person to work on their own account.
pub async fn permit(
    conn: &mut Conn<'_>,
    account_id: Option<&str>,
) -> Result<AccountPermit, StoreError> {
    let Some(id) = account_id else {
        return Err(AppError::NotFound.into());
    };
    account(conn, id)
        .await?
        .filter(|account| account.disabled_at.is_none())
        .map(|account| AccountPermit { account })
        .ok_or_else(|| AppError::NotFound.into())
}

/// Leave to change one's own account: held until the transaction ends, and only while the session is one that no ending of
/// all sessions has ended since. Changes of one account come one after the other.
pub async fn permit_to_change(
    conn: &mut Conn<'_>,
    viewer: &Viewer,
) -> Result<AccountPermit, StoreError> {
    let (Some(id), Some(epoch)) = (viewer.account(), viewer.epoch()) else {
        return Err(AppError::NotFound.into());
    };
    let held = affected!(conn, |c| {
        sqlx::query(
        "UPDATE account SET created_at = created_at WHERE id = $1 AND session_epoch = $2 AND disabled_at IS NULL"
    )
    .bind(id)
    .bind(epoch)
    .execute(c)
    })?;
    if held == 0 {
        return Err(AppError::NotFound.into());
    }
    permit(conn, Some(id)).await
}

/// What signing in compares with.
#[derive(Clone, Debug, FromRow)]
pub struct Credentials {
    pub id: String,
    pub password_hash: String,
    pub session_epoch: i64,
}

pub async fn credentials(
    conn: &mut Conn<'_>,
    email: &str,
) -> Result<Option<Credentials>, StoreError> {
    let key = email_key(email);
    // Postgres refuses a text with NUL.
    if key.contains('\0') {
        return Ok(None);
    }
    on!(conn, |c| sqlx::query_as::<_, Credentials>(
        "SELECT id, password_hash, session_epoch FROM account WHERE email_key = $1"
    )
    .bind(&key)
    .fetch_optional(c))
}

/// The hash of one's own password.
pub async fn password_hash(
    conn: &mut Conn<'_>,
    permit: &AccountPermit,
) -> Result<String, StoreError> {
    let (hash,) = on!(conn, |c| sqlx::query_as::<_, (String,)>(
        "SELECT password_hash FROM account WHERE id = $1"
    )
    .bind(&permit.account.id)
    .fetch_one(c))?;
    Ok(hash)
}

pub struct NewAccount<'a> {
    pub id: &'a str,
    pub owner_id: &'a str,
    pub name: &'a str,
    pub email: &'a str,
    pub password_hash: &'a str,
    pub theme: Theme,
}

/// Makes an account for an owner. `false` when there is one with this address already.
pub async fn create(
    conn: &mut Conn<'_>,
    new: &NewAccount<'_>,
    now: UnixMillis,
) -> Result<bool, StoreError> {
    let made = affected!(conn, |c| {
        sqlx::query(
        "INSERT INTO account (id, owner_id, name, email, email_key, password_hash, password_changed_at, time_zone, theme, created_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, 'UTC', $8, $7) ON CONFLICT DO NOTHING"
    )
    .bind(new.id)
    .bind(new.owner_id)
    .bind(new.name)
    .bind(new.email)
    .bind(email_key(new.email))
    .bind(new.password_hash)
    .bind(now)
    .bind(new.theme.slug())
    .execute(c)
    })?;
    Ok(made > 0)
}

/// Gives what a guest made to an account: the number of attempts, exercises among them. The guest is gone afterwards.
pub async fn claim(
    conn: &mut Conn<'_>,
    guest_owner: &str,
    account_owner: &str,
) -> Result<u64, StoreError> {
    // Only a guest's work can be claimed, whatever a session says.
    let (taken,) = on!(conn, |c| sqlx::query_as::<_, (i64,)>(
        "SELECT COUNT(*) FROM account WHERE owner_id = $1"
    )
    .bind(guest_owner)
    .fetch_one(c))?;
    if taken > 0 || guest_owner == account_owner {
        return Ok(0);
    }
    // An attempt that the guest starts at this moment comes before or is refused.
    match hold_owner(conn, guest_owner).await {
        // Claimed or cleared away before.
        Err(StoreError::App(AppError::NotFound)) => return Ok(0),
        held => held?,
    }
    let claimed = affected!(conn, |c| sqlx::query(
        "UPDATE attempt SET owner_id = $2 WHERE owner_id = $1"
    )
    .bind(guest_owner)
    .bind(account_owner)
    .execute(c))?;
    let exercises = claim_exercises(conn, guest_owner, account_owner).await?;
    affected!(conn, |c| sqlx::query("DELETE FROM owner WHERE id = $1")
        .bind(guest_owner)
        .execute(c))?;
    Ok(claimed + exercises)
}

/// How many attempts an owner has, exercises among them.
pub async fn attempt_count(conn: &mut Conn<'_>, owner: &str) -> Result<i64, StoreError> {
    let (count,) = on!(conn, |c| {
        sqlx::query_as::<_, (i64,)>(
        "SELECT (SELECT COUNT(*) FROM attempt WHERE owner_id = $1) + (SELECT COUNT(*) FROM exercise WHERE owner_id = $1)"
    )
    .bind(owner)
    .fetch_one(c)
    })?;
    Ok(count)
}

pub async fn update_profile(
    conn: &mut Conn<'_>,
    permit: &AccountPermit,
    name: &str,
    profile: &Profile,
) -> Result<(), StoreError> {
    affected!(conn, |c| sqlx::query(
        "UPDATE account SET name = $2, level = $3, interview_on = $4, hours_a_week = $5, time_zone = $6, theme = $7 WHERE id = $1"
    )
    .bind(&permit.account.id)
    .bind(name)
    .bind(profile.level.map(Level::slug))
    .bind(&profile.interview_on)
    .bind(profile.hours_a_week)
    .bind(&profile.time_zone)
    .bind(profile.theme.slug())
    .execute(c))
    .map(|_| ())
}

/// Sets a new password and ends every session and every link that was mailed.
pub async fn set_password(
    conn: &mut Conn<'_>,
    permit: &AccountPermit,
    hash: &str,
    now: UnixMillis,
) -> Result<(), StoreError> {
    affected!(conn, |c| sqlx::query(
        "UPDATE account SET password_hash = $2, password_changed_at = $3 WHERE id = $1"
    )
    .bind(&permit.account.id)
    .bind(hash)
    .bind(now)
    .execute(c))?;
    token::delete_all(conn, &permit.account.id).await?;
    end_sessions(conn, &permit.account.id).await
}

/// The same password under today's parameters, unless it was changed since; nothing ends.
pub async fn rehash_password(
    conn: &mut Conn<'_>,
    permit: &AccountPermit,
    old: &str,
    hash: &str,
) -> Result<(), StoreError> {
    affected!(conn, |c| sqlx::query(
        "UPDATE account SET password_hash = $2 WHERE id = $1 AND password_hash = $3"
    )
    .bind(&permit.account.id)
    .bind(hash)
    .bind(old)
    .execute(c))
    .map(|_| ())
}

/// The address is set as it is; `verified_at` when a mail has shown that it works. `false` when another account has it.
pub async fn set_email(
    conn: &mut Conn<'_>,
    permit: &AccountPermit,
    email: &str,
    verified_at: Option<UnixMillis>,
) -> Result<bool, StoreError> {
    let changed = affected!(conn, |c| sqlx::query(
        "UPDATE account SET email = $2, email_key = $3, email_verified_at = $4 WHERE id = $1 \
         AND NOT EXISTS (SELECT 1 FROM account other WHERE other.email_key = $3 AND other.id <> $1)"
    )
    .bind(&permit.account.id)
    .bind(email)
    .bind(email_key(email))
    .bind(verified_at)
    .execute(c));
    match changed {
        // Another took it within the same moment.
        Err(StoreError::Database(sqlx::Error::Database(error))) if error.is_unique_violation() => {
            Ok(false)
        }
        changed => {
            let changed = changed? > 0;
            if changed {
                // What was mailed to the address before leads nowhere now.
                token::delete_all(conn, &permit.account.id).await?;
            }
            Ok(changed)
        }
    }
}

/// A session as its owner sees it.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct SessionLine {
    /// What the row is keyed by, which lets nobody in.
    pub id_hash: String,
    pub device: String,
    pub signed_in_at: Option<UnixMillis>,
    pub seen_at: UnixMillis,
}

/// The account's sessions that have not ended, the one used last first.
pub async fn sessions(
    conn: &mut Conn<'_>,
    permit: &AccountPermit,
    now: UnixMillis,
) -> Result<Vec<SessionLine>, StoreError> {
    on!(conn, |c| {
        sqlx::query_as::<_, SessionLine>(
        "SELECT session.id_hash, session.device, session.signed_in_at, session.seen_at FROM session \
         JOIN account ON account.id = session.account_id WHERE session.account_id = $1 AND session.expires_at > $2 \
         AND session.session_epoch = account.session_epoch ORDER BY session.seen_at DESC, session.id_hash"
    )
    .bind(&permit.account.id)
    .bind(now)
    .fetch_all(c)
    })
}

/// Whether the account was signed in on such a device within what is remembered.
pub async fn knows_device(
    conn: &mut Conn<'_>,
    account_id: &str,
    device: &str,
) -> Result<bool, StoreError> {
    let (count,) = on!(conn, |c| sqlx::query_as::<_, (i64,)>(
        "SELECT COUNT(*) FROM session WHERE account_id = $1 AND device = $2"
    )
    .bind(account_id)
    .bind(device)
    .fetch_one(c))?;
    Ok(count > 0)
}

/// Ends one session of one's own.
pub async fn end_session(
    conn: &mut Conn<'_>,
    permit: &AccountPermit,
    id_hash: &str,
) -> Result<(), StoreError> {
    if id_hash.contains('\0') {
        return Ok(());
    }
    affected!(conn, |c| sqlx::query(
        "DELETE FROM session WHERE account_id = $1 AND id_hash = $2"
    )
    .bind(&permit.account.id)
    .bind(id_hash)
    .execute(c))
    .map(|_| ())
}

/// Ends all sessions of one's own but one.
pub async fn end_other_sessions(
    conn: &mut Conn<'_>,
    permit: &AccountPermit,
    keep: &str,
) -> Result<u64, StoreError> {
    affected!(conn, |c| sqlx::query(
        "DELETE FROM session WHERE account_id = $1 AND id_hash <> $2"
    )
    .bind(&permit.account.id)
    .bind(keep)
    .execute(c))
}

/// Ends every session of one's own.
pub async fn end_all_sessions(
    conn: &mut Conn<'_>,
    permit: &AccountPermit,
) -> Result<(), StoreError> {
    end_sessions(conn, &permit.account.id).await
}

/// Ends every session of an account, also one that is being made at this moment by a sign-in that began before.
async fn end_sessions(conn: &mut Conn<'_>, account_id: &str) -> Result<(), StoreError> {
    affected!(conn, |c| sqlx::query(
        "UPDATE account SET session_epoch = session_epoch + 1 WHERE id = $1"
    )
    .bind(account_id)
    .execute(c))?;
    affected!(conn, |c| sqlx::query(
        "DELETE FROM session WHERE account_id = $1"
    )
    .bind(account_id)
    .execute(c))
    .map(|_| ())
}

/// Deletes the account with everything that is its own. What the audit log says of its id stays.
pub async fn delete(conn: &mut Conn<'_>, permit: &AccountPermit) -> Result<(), StoreError> {
    let account = &permit.account;
    // Letters name the address.
    affected!(conn, |c| sqlx::query(
        "DELETE FROM outbox WHERE account_id = $1"
    )
    .bind(&account.id)
    .execute(c))?;
    affected!(conn, |c| sqlx::query("DELETE FROM account WHERE id = $1")
        .bind(&account.id)
        .execute(c))?;
    affected!(conn, |c| sqlx::query("DELETE FROM owner WHERE id = $1")
        .bind(&account.owner_id)
        .execute(c))
    .map(|_| ())
}
