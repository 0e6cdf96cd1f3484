//! What the forms of accounts and of administration do. Each handler is short: leave, the domain's rules, the store.

pub mod admin;
pub mod data;
pub mod entry;
pub mod profile;
pub mod second_factor;
pub mod sessions;

use axum::response::Response;
use http::StatusCode;
use serde::Deserialize;

use crate::accounts::page::{FormState, Notice};
use crate::accounts::store::audit::{Action, Entry, add};
use crate::accounts::store::{Account, AccountPermit, password_hash};
use crate::domain::attempt::UnixMillis;
use crate::error::{AppError, FieldFault};
use crate::mail::store::{Letter, enqueue};
use crate::server::clock::new_id;
use crate::server::database::{Conn, StoreError};
use crate::server::document::see_other;
use crate::server::extract::Viewer;
use crate::server::form::Fields;
use crate::server::state::AppState;
use crate::server::throttle::{QUARTER, Throttle, address_key};
use crate::transact;

/// What the address of a page says of what was done before.
#[derive(Debug, Default, Deserialize)]
pub struct Done {
    #[serde(default)]
    done: String,
}

impl Done {
    pub fn notice(&self) -> Option<Notice> {
        Notice::from_slug(&self.done)
    }
}

/// To a page that says what was done.
fn done(path: &str, notice: Notice) -> Response {
    let separator = if path.contains('?') { '&' } else { '?' };
    see_other(&format!("{path}{separator}done={}", notice.slug()))
}

fn fault(field: &str, message: impl Into<String>) -> FieldFault {
    FieldFault {
        field: field.to_owned(),
        message: message.into(),
    }
}

/// What of a form comes back to the person when it cannot be taken: the form with its faults or the wait, and the
/// status. Anything else is a failure.
fn returned(form: FormState, error: AppError) -> Result<(FormState, StatusCode), AppError> {
    let status = error.status();
    match error {
        AppError::Invalid(faults) => Ok((form.with_faults(faults), status)),
        AppError::TooMany(wait) => Ok((form.with_wait(wait), status)),
        other => Err(other),
    }
}

fn typed(form: &'static str, fields: &Fields) -> FormState {
    FormState::of(form, fields.iter().cloned())
}

/// Writes down what was done to an account, by whoever is looking.
async fn note(
    conn: &mut Conn<'_>,
    viewer: &Viewer,
    action: Action,
    subject: Option<&str>,
    detail: &str,
    now: UnixMillis,
) -> Result<(), StoreError> {
    // Who signs in or follows a link of their own is who it is done to.
    let own = matches!(
        action,
        Action::SignedUp
            | Action::SignedIn
            | Action::PasswordReset
            | Action::EmailVerified
            | Action::RecoveryCodeUsed
    );
    let entry = Entry {
        actor: viewer.account().or(subject.filter(|_| own)),
        action,
        subject,
        detail,
        address: &viewer.address.to_string(),
    };
    add(conn, &entry, now).await
}

/// Puts a letter to an account's address into the outbox, where mail goes out at all.
async fn post(
    conn: &mut Conn<'_>,
    state: &AppState,
    account: &Account,
    recipient: &str,
    letter: &Letter,
    now: UnixMillis,
) -> Result<(), StoreError> {
    if !state.settings.mail {
        return Ok(());
    }
    enqueue(
        conn,
        &new_id(now),
        Some(&account.id),
        letter,
        recipient,
        now,
    )
    .await
}

/// Asks for the password again before something that cannot be taken back. Wrong ones are throttled as sign-ins are.
async fn confirm_password(
    state: &AppState,
    permit: &AccountPermit,
    field: &str,
    password: &str,
) -> Result<(), AppError> {
    let now = state.clock.now();
    // Apart from the sign-ins of others at the same address: who is signed in is not hindered by them.
    let throttle = Throttle::new(
        "confirm",
        &[&permit.account().id],
        state.settings.allowances.signins_per_quarter_hour,
        QUARTER,
    );
    let hash = transact!(state.db, |conn| {
        throttle
            .take(conn, now)
            .await
            .map_err(|refused| refused.explained(WRONG_TOO_OFTEN))?;
        password_hash(conn, permit).await
    })?;
    let verdict = state.passwords.verify(password, Some(&hash)).await?;
    if !verdict.matches {
        return Err(AppError::invalid(
            field,
            "This is not your password. Type the one that you sign in with.",
        ));
    }
    transact!(state.db, |conn| throttle.forget(conn).await)?;
    Ok(())
}

const WRONG_TOO_OFTEN: &str = "The password was wrong too often. Nothing was changed.";

/// Wrong passwords for one account from one address.
fn password_throttle(state: &AppState, viewer: &Viewer, email: &str) -> Throttle {
    Throttle::new(
        "password",
        &[
            &crate::domain::account::email_key(email),
            &address_key(viewer.address),
        ],
        state.settings.allowances.signins_per_quarter_hour,
        QUARTER,
    )
}
