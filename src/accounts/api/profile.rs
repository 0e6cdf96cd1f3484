//! One's own account: profile, password, address.

use axum::extract::{Query, State};
use axum::response::Response;
use http::StatusCode;

use crate::accounts::page::{self, AccountData, FormState, Notice};
use crate::accounts::store::audit::Action;
use crate::accounts::store::{self, Profile};
use crate::domain::account::{HOURS_A_WEEK, email, email_key, name};
use crate::domain::level::Level;
use crate::error::AppError;
use crate::mail::store::Letter;
use crate::server::extract::{SignedIn, Theme, Viewer};
use crate::server::form::{Fields, field};
use crate::server::state::AppState;
use crate::server::throttle::{HOUR, Throttle};
use crate::transact;

use super::entry::new_password_fault;
use super::second_factor::own;
use super::{Done, confirm_password, done, fault, note, post, returned, typed};

/// `GET /account`
pub async fn account(
    State(state): State<AppState>,
    SignedIn(viewer): SignedIn,
    theme: Theme,
    Query(before): Query<Done>,
) -> Result<Response, AppError> {
    let form = FormState::default().with_notice(before.notice());
    show(&state, &viewer, theme, &form, StatusCode::OK).await
}

async fn show(
    state: &AppState,
    viewer: &Viewer,
    theme: Theme,
    form: &FormState,
    status: StatusCode,
) -> Result<Response, AppError> {
    let mut reader = state.db.read().await?;
    let conn = &mut reader.conn();
    let permit = store::permit(conn, viewer.account()).await?;
    let account = permit.account();
    let sessions = store::sessions(conn, &permit, state.clock.now()).await?;
    let data = AccountData {
        name: account.name.clone(),
        email: account.email.clone(),
        email_verified_at: account.email_verified_at,
        level: account.profile.level.map(|level| level.slug().to_owned()),
        interview_on: account.profile.interview_on.clone(),
        hours_a_week: account.profile.hours_a_week,
        time_zone: account.profile.time_zone.clone(),
        theme: theme.slug().to_owned(),
        created_at: account.created_at,
        sessions: i64::try_from(sessions.len()).unwrap_or(i64::MAX),
        second_factor_on: account.has_second_factor,
        administrator: account.is_administrator,
        mail_on: state.settings.mail,
    };
    Ok(page::account(state, theme, &data, form, status))
}

/// The page again with what was typed, unless the failure is another.
async fn again(
    state: &AppState,
    viewer: &Viewer,
    theme: Theme,
    form: &'static str,
    fields: &Fields,
    error: AppError,
) -> Result<Response, AppError> {
    let (form, status) = returned(typed(form, fields), error)?;
    show(state, viewer, theme, &form, status).await
}

/// `POST /account/profile`
pub async fn save_profile(
    State(state): State<AppState>,
    SignedIn(viewer): SignedIn,
    theme: Theme,
    axum::Form(fields): axum::Form<Fields>,
) -> Result<Response, AppError> {
    let (name, profile) = match read_profile(&fields) {
        Ok(read) => read,
        Err(error) => return again(&state, &viewer, theme, "profile", &fields, error).await,
    };
    transact!(state.db, |conn| {
        let permit = store::permit_to_change(conn, &viewer).await?;
        store::update_profile(conn, &permit, &name, &profile).await
    })?;
    viewer.set_zone(&profile.time_zone).await?;
    let mut response = done("/account", Notice::ProfileSaved);
    profile
        .theme
        .remember(&mut response, state.settings.https());
    Ok(response)
}

fn read_profile(fields: &Fields) -> Result<(String, Profile), AppError> {
    let mut faults = Vec::new();
    let mut keep = |field: &str, message: String| faults.push(fault(field, message));
    let name = name(field(fields, "name")).unwrap_or_else(|message| {
        keep("name", message);
        String::new()
    });
    let level = match field(fields, "level") {
        "" => None,
        slug => Level::from_slug(slug).or_else(|| {
            keep("level", "Choose one of the levels, or none.".to_owned());
            None
        }),
    };
    let interview_on = match field(fields, "interview_on").trim() {
        "" => None,
        day => match day.parse::<jiff::civil::Date>() {
            Ok(date) if (2000..=2200).contains(&date.year()) => Some(date.to_string()),
            _ => {
                keep(
                    "interview_on",
                    "This is not a day. It looks like 2026-03-31.".to_owned(),
                );
                None
            }
        },
    };
    let hours_a_week = match field(fields, "hours_a_week").trim() {
        "" => None,
        hours => match hours.parse::<i64>() {
            Ok(hours) if HOURS_A_WEEK.contains(&hours) => Some(hours),
            _ => {
                keep(
                    "hours_a_week",
                    "Hours a week are a whole number from 1 to 80.".to_owned(),
                );
                None
            }
        },
    };
    let time_zone = match field(fields, "time_zone").trim() {
        "" => "UTC".to_owned(),
        zone => jiff::tz::TimeZone::get(zone)
            .ok()
            .and_then(|known| known.iana_name().map(ToOwned::to_owned))
            .unwrap_or_else(|| {
                keep(
                    "time_zone",
                    "This time zone is not known. It looks like Europe/Berlin or UTC.".to_owned(),
                );
                String::new()
            }),
    };
    let theme = Theme::from_slug(field(fields, "theme")).unwrap_or_default();
    if faults.is_empty() {
        let profile = Profile {
            level,
            interview_on,
            hours_a_week,
            time_zone,
            theme,
        };
        Ok((name, profile))
    } else {
        Err(AppError::Invalid(faults))
    }
}

/// `POST /account/password`: every other session ends.
pub async fn change_password(
    State(state): State<AppState>,
    SignedIn(viewer): SignedIn,
    theme: Theme,
    axum::Form(fields): axum::Form<Fields>,
) -> Result<Response, AppError> {
    match set_new_password(&state, &viewer, &fields).await {
        Ok(()) => Ok(done("/account", Notice::PasswordChanged)),
        Err(error) => again(&state, &viewer, theme, "password", &fields, error).await,
    }
}

async fn set_new_password(
    state: &AppState,
    viewer: &Viewer,
    fields: &Fields,
) -> Result<(), AppError> {
    let now = state.clock.now();
    let permit = own(state, viewer).await?;
    let account = permit.account();
    let password = field(fields, "password");
    if let Some(message) = new_password_fault(password, &account.name, &account.email) {
        return Err(AppError::invalid("password", message));
    }
    confirm_password(state, &permit, "current", field(fields, "current")).await?;
    let hash = state.passwords.hash(password).await?;
    let changed = transact!(state.db, |conn| {
        let permit = store::permit_to_change(conn, viewer).await?;
        store::set_password(conn, &permit, &hash, now).await?;
        note(
            conn,
            viewer,
            Action::PasswordChanged,
            Some(&account.id),
            "",
            now,
        )
        .await?;
        let letter = Letter::PasswordChanged { at: now };
        post(conn, state, account, &account.email, &letter, now).await?;
        let permit = store::permit(conn, Some(&account.id)).await?;
        Ok(permit.account().clone())
    })?;
    state.wake_mail();
    // This session goes on under a new id.
    viewer
        .sign_in(&changed.opening(viewer.with_second_factor(), now))
        .await
}

/// `POST /account/email`: with mail the address changes when the link that is sent there is followed, else at once.
pub async fn change_email(
    State(state): State<AppState>,
    SignedIn(viewer): SignedIn,
    theme: Theme,
    axum::Form(fields): axum::Form<Fields>,
) -> Result<Response, AppError> {
    match set_new_email(&state, &viewer, &fields).await {
        Ok(notice) => Ok(done("/account", notice)),
        Err(error) => again(&state, &viewer, theme, "email", &fields, error).await,
    }
}

async fn set_new_email(
    state: &AppState,
    viewer: &Viewer,
    fields: &Fields,
) -> Result<Notice, AppError> {
    let now = state.clock.now();
    let email =
        email(field(fields, "email")).map_err(|message| AppError::invalid("email", message))?;
    let permit = own(state, viewer).await?;
    let account = permit.account();
    confirm_password(state, &permit, "password", field(fields, "password")).await?;
    if state.settings.mail && email_key(&email) != email_key(&account.email) {
        // Whether another account has the address shows only to who can read its mail.
        verification(state, &permit, &email).await?;
        return Ok(Notice::VerificationSent);
    }
    let verified = account
        .email_verified_at
        .filter(|_| email_key(&email) == email_key(&account.email));
    transact!(state.db, |conn| {
        let permit = store::permit_to_change(conn, viewer).await?;
        if !store::set_email(conn, &permit, &email, verified).await? {
            return Err(AppError::invalid("email", "Another account has this address.").into());
        }
        note(
            conn,
            viewer,
            Action::EmailChanged,
            Some(&account.id),
            "",
            now,
        )
        .await
    })?;
    Ok(Notice::EmailChanged)
}

/// Sends a link to an address, at most a few in an hour.
async fn verification(
    state: &AppState,
    permit: &store::AccountPermit,
    email: &str,
) -> Result<(), AppError> {
    let now = state.clock.now();
    let account = permit.account();
    let throttle = Throttle::new("verify", &[&account.id], 5, HOUR);
    let letter = Letter::VerifyAddress {
        email: email.to_owned(),
    };
    transact!(state.db, |conn| {
        throttle
            .take(conn, now)
            .await
            .map_err(|refused| refused.explained("A link was asked for often within the hour."))?;
        post(conn, state, account, email, &letter, now).await
    })?;
    state.wake_mail();
    Ok(())
}

/// `POST /account/verify`: the link once more.
pub async fn verify_again(
    State(state): State<AppState>,
    SignedIn(viewer): SignedIn,
    theme: Theme,
) -> Result<Response, AppError> {
    let permit = own(&state, &viewer).await?;
    let email = permit.account().email.clone();
    match verification(&state, &permit, &email).await {
        Ok(()) => Ok(done("/account", Notice::VerificationSent)),
        Err(error) => {
            let fields = Fields::new();
            again(&state, &viewer, theme, "verify", &fields, error).await
        }
    }
}
