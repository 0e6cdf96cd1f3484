//! The audit log: rows are only ever added.

use sqlx::FromRow;

use crate::domain::attempt::UnixMillis;
use crate::server::clock::new_id;
use crate::server::database::{Conn, StoreError};
use crate::{affected, on};

use super::AdminPermit;

/// What can be done that is written down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    SignedUp,
    SignedIn,
    SignInRefused,
    SignedOut,
    PasswordChanged,
    PasswordReset,
    ResetLinkMade,
    EmailChanged,
    EmailVerified,
    SessionsEnded,
    SecondFactorOn,
    SecondFactorOff,
    RecoveryCodesRenewed,
    RecoveryCodeUsed,
    Exported,
    Imported,
    Deleted,
    RoleGranted,
    RoleRevoked,
    Disabled,
    Enabled,
    Shared,
    ShareRevoked,
    MailRetried,
    AuditExported,
}

impl Action {
    pub const ALL: [Self; 25] = [
        Self::SignedUp,
        Self::SignedIn,
        Self::SignInRefused,
        Self::SignedOut,
        Self::PasswordChanged,
        Self::PasswordReset,
        Self::ResetLinkMade,
        Self::EmailChanged,
        Self::EmailVerified,
        Self::SessionsEnded,
        Self::SecondFactorOn,
        Self::SecondFactorOff,
        Self::RecoveryCodesRenewed,
        Self::RecoveryCodeUsed,
        Self::Exported,
        Self::Imported,
        Self::Deleted,
        Self::RoleGranted,
        Self::RoleRevoked,
        Self::Disabled,
        Self::Enabled,
        Self::Shared,
        Self::ShareRevoked,
        Self::MailRetried,
        Self::AuditExported,
    ];

    pub fn slug(self) -> &'static str {
        match self {
            Self::SignedUp => "signed-up",
            Self::SignedIn => "signed-in",
            Self::SignInRefused => "sign-in-refused",
            Self::SignedOut => "signed-out",
            Self::PasswordChanged => "password-changed",
            Self::PasswordReset => "password-reset",
            Self::ResetLinkMade => "reset-link-made",
            Self::EmailChanged => "email-changed",
            Self::EmailVerified => "email-verified",
            Self::SessionsEnded => "sessions-ended",
            Self::SecondFactorOn => "second-factor-on",
            Self::SecondFactorOff => "second-factor-off",
            Self::RecoveryCodesRenewed => "recovery-codes-renewed",
            Self::RecoveryCodeUsed => "recovery-code-used",
            Self::Exported => "exported",
            Self::Imported => "imported",
            Self::Deleted => "deleted",
            Self::RoleGranted => "role-granted",
            Self::RoleRevoked => "role-revoked",
            Self::Disabled => "disabled",
            Self::Enabled => "enabled",
            Self::Shared => "shared",
            Self::ShareRevoked => "share-revoked",
            Self::MailRetried => "mail-retried",
            Self::AuditExported => "audit-exported",
        }
    }

    pub fn from_slug(slug: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|action| action.slug() == slug)
    }
}

/// What stands in the log instead of a network address.
pub const COMMAND_LINE: &str = "command line";

/// What is written down.
#[derive(Clone, Debug)]
pub struct Entry<'a> {
    /// The account that did it; `None` for the command line and for nobody known.
    pub actor: Option<&'a str>,
    pub action: Action,
    /// The account that it was done to.
    pub subject: Option<&'a str>,
    /// Without secrets and addresses of mail.
    pub detail: &'a str,
    /// Where the request came from, or `command line`.
    pub address: &'a str,
}

pub async fn add(
    conn: &mut Conn<'_>,
    entry: &Entry<'_>,
    now: UnixMillis,
) -> Result<(), StoreError> {
    affected!(conn, |c| sqlx::query(
        "INSERT INTO audit_log (id, at, actor, action, subject, detail, address) VALUES ($1, $2, $3, $4, $5, $6, $7)"
    )
    .bind(new_id(now))
    .bind(now)
    .bind(entry.actor)
    .bind(entry.action.slug())
    .bind(entry.subject)
    .bind(entry.detail)
    .bind(entry.address)
    .execute(c))
    .map(|_| ())
}

/// A row of the log, with the names of accounts that still exist.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct Line {
    pub id: String,
    pub at: UnixMillis,
    pub actor: Option<String>,
    pub actor_name: Option<String>,
    pub action: String,
    pub subject: Option<String>,
    pub subject_name: Option<String>,
    pub detail: String,
    pub address: String,
}

/// Which rows are wanted; what is empty does not narrow.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    pub action: Option<Action>,
    /// Done by or to this account.
    pub account: Option<String>,
    pub from: Option<UnixMillis>,
    /// Up to and without this instant.
    pub to: Option<UnixMillis>,
}

/// The rows that pass a filter, the latest first.
pub async fn list(
    conn: &mut Conn<'_>,
    _: &AdminPermit,
    filter: &Filter,
    offset: i64,
    limit: i64,
) -> Result<Vec<Line>, StoreError> {
    on!(conn, |c| {
        sqlx::query_as::<_, Line>(
        "SELECT audit_log.id, at, actor, a.name AS actor_name, action, subject, s.name AS subject_name, detail, address FROM audit_log \
         LEFT JOIN account a ON a.id = audit_log.actor LEFT JOIN account s ON s.id = audit_log.subject \
         WHERE ($1 = '' OR action = $1) AND ($2 = '' OR actor = $2 OR subject = $2) AND at >= $3 AND at < $4 \
         ORDER BY at DESC, audit_log.id DESC LIMIT $5 OFFSET $6"
    )
    .bind(filter.action.map_or("", Action::slug))
    .bind(filter.account.as_deref().unwrap_or_default())
    .bind(filter.from.unwrap_or(i64::MIN))
    .bind(filter.to.unwrap_or(i64::MAX))
    .bind(limit)
    .bind(offset)
    .fetch_all(c)
    })
}

/// How many rows pass a filter.
pub async fn count(
    conn: &mut Conn<'_>,
    _: &AdminPermit,
    filter: &Filter,
) -> Result<i64, StoreError> {
    let (count,) = on!(conn, |c| {
        sqlx::query_as::<_, (i64,)>(
        "SELECT COUNT(*) FROM audit_log \
         WHERE ($1 = '' OR action = $1) AND ($2 = '' OR actor = $2 OR subject = $2) AND at >= $3 AND at < $4"
    )
    .bind(filter.action.map_or("", Action::slug))
    .bind(filter.account.as_deref().unwrap_or_default())
    .bind(filter.from.unwrap_or(i64::MIN))
    .bind(filter.to.unwrap_or(i64::MAX))
    .fetch_one(c)
    })?;
    Ok(count)
}
