//! The ways in and out: signing up and in, the second factor, a forgotten password, a new address, signing out.

use axum::extract::{Path, Query, State};
use axum::response::Response;
use http::StatusCode;
use serde::Deserialize;

use crate::accounts::page::{self, FormState, Notice};
use crate::accounts::store::audit::Action;
use crate::accounts::store::token::{self, Purpose};
use crate::accounts::store::{self, Account, NewAccount};
use crate::domain::account::{email, email_key, name, password_fault};
use crate::domain::attempt::UnixMillis;
use crate::error::AppError;
use crate::mail::store::Letter;
use crate::server::clock::new_id;
use crate::server::document::{local_path, see_other};
use crate::server::extract::{Theme, Viewer};
use crate::server::form::{Fields, field};
use crate::server::password::is_common;
use crate::server::security::keep_secret;
use crate::server::state::AppState;
use crate::server::store as rows;
use crate::server::telemetry::metrics::SignInOutcome;
use crate::server::throttle::{HOUR, QUARTER, Throttle, address_key};
use crate::transact;

use super::{Done, WRONG_TOO_OFTEN, done, fault, note, password_throttle, post, returned, typed};

/// Where to go afterwards, and what was done before.
#[derive(Debug, Default, Deserialize)]
pub struct Next {
    #[serde(default)]
    next: String,
    #[serde(flatten)]
    done: Done,
}

impl Next {
    fn form(&self) -> FormState {
        FormState::of("", [("next", self.next.clone())]).with_notice(self.done.notice())
    }
}

/// A path on this server to go on to; `else` when none was named.
fn onward(next: &str, otherwise: &str) -> String {
    match local_path(next).as_str() {
        "/" if next != "/" => otherwise.to_owned(),
        path => path.to_owned(),
    }
}

/// `GET /sign-up`
pub async fn sign_up_page(
    State(state): State<AppState>,
    viewer: Viewer,
    theme: Theme,
    Query(next): Query<Next>,
) -> Result<Response, AppError> {
    if viewer.account().is_some() {
        return Ok(see_other("/account"));
    }
    let attempts = guest_attempts(&state, &viewer).await?;
    let form = next.form();
    Ok(page::sign_up(
        &state,
        theme,
        &next.next,
        attempts,
        &form,
        StatusCode::OK,
    ))
}

/// How many attempts would be claimed.
async fn guest_attempts(state: &AppState, viewer: &Viewer) -> Result<usize, AppError> {
    let Some(guest) = viewer.guest() else {
        return Ok(0);
    };
    let mut reader = state.db.read().await?;
    let count = store::attempt_count(&mut reader.conn(), guest).await?;
    Ok(usize::try_from(count).unwrap_or(0))
}

/// `POST /sign-up`
pub async fn sign_up(
    State(state): State<AppState>,
    viewer: Viewer,
    theme: Theme,
    axum::Form(fields): axum::Form<Fields>,
) -> Result<Response, AppError> {
    match make_account(&state, &viewer, theme, &fields).await {
        Ok((account, claimed)) => {
            viewer
                .sign_in(&account.opening(false, account.created_at))
                .await?;
            state.metrics.sign_in(SignInOutcome::SignedIn);
            let target = onward(field(&fields, "next"), "/attempts");
            Ok(done(&target, Notice::SignedUp { claimed }))
        }
        Err(error) => {
            let (form, status) = returned(typed("", &fields), error)?;
            let attempts = guest_attempts(&state, &viewer).await?;
            Ok(page::sign_up(
                &state,
                theme,
                field(&fields, "next"),
                attempts,
                &form,
                status,
            ))
        }
    }
}

async fn make_account(
    state: &AppState,
    viewer: &Viewer,
    theme: Theme,
    fields: &Fields,
) -> Result<(Account, u32), AppError> {
    let password = field(fields, "password");
    let (name, email) = (name(field(fields, "name")), email(field(fields, "email")));
    let mut faults = Vec::new();
    for (field, outcome) in [("name", &name), ("email", &email)] {
        if let Err(message) = outcome {
            faults.push(fault(field, message));
        }
    }
    let known = |value: &Result<String, String>| value.clone().unwrap_or_default();
    if let Some(message) = new_password_fault(password, &known(&name), &known(&email)) {
        faults.push(fault("password", message));
    }
    let (Ok(name), Ok(email), true) = (name, email, faults.is_empty()) else {
        return Err(AppError::Invalid(faults));
    };
    let now = state.clock.now();
    let throttle = Throttle::new(
        "sign-up",
        &[&address_key(viewer.address)],
        state.settings.allowances.signups_per_hour,
        HOUR,
    );
    transact!(state.db, |conn| throttle.take(conn, now).await.map_err(
        |refused| {
            refused.explained("Many accounts were made from your network within the hour.")
        }
    ))?;
    let hash = state.passwords.hash(password).await?;
    let id = new_id(now);
    let new_owner = new_id(now);
    let account = transact!(state.db, |conn| {
        // A guest becomes the account: nothing has to move. Anybody else, also who is signed in, starts with nothing.
        let owner = match viewer.guest() {
            Some(guest) => guest,
            None => {
                rows::insert_owner(conn, &new_owner, now).await?;
                &new_owner
            }
        };
        let new = NewAccount {
            id: &id,
            owner_id: owner,
            name: &name,
            email: &email,
            password_hash: &hash,
            theme,
        };
        if !store::create(conn, &new, now).await? {
            return Err(AppError::invalid(
                "email",
                "There is an account with this address already. Sign in, or choose a new password if you forgot it.",
            )
            .into());
        }
        note(conn, viewer, Action::SignedUp, Some(&id), "", now).await?;
        let permit = store::permit(conn, Some(&id)).await?;
        let account = permit.account().clone();
        let letter = Letter::VerifyAddress {
            email: email.clone(),
        };
        post(conn, state, &account, &email, &letter, now).await?;
        Ok(account)
    })?;
    state.wake_mail();
    let claimed = guest_attempts(state, viewer).await?;
    Ok((account, u32::try_from(claimed).unwrap_or(u32::MAX)))
}

/// Every rule for a new password.
pub fn new_password_fault(password: &str, name: &str, email: &str) -> Option<String> {
    password_fault(password, name, email).or_else(|| {
        is_common(password).then(|| {
            "This password is one of the most used ones, which are tried first. Choose another."
                .to_owned()
        })
    })
}

/// `GET /sign-in`
pub async fn sign_in_page(
    State(state): State<AppState>,
    viewer: Viewer,
    theme: Theme,
    Query(next): Query<Next>,
) -> Result<Response, AppError> {
    if viewer.account().is_some() {
        return Ok(see_other(&onward(&next.next, "/account")));
    }
    let attempts = guest_attempts(&state, &viewer).await?;
    let form = next.form();
    Ok(page::sign_in(
        &state,
        theme,
        &next.next,
        attempts,
        &form,
        StatusCode::OK,
    ))
}

/// `POST /sign-in`
pub async fn sign_in(
    State(state): State<AppState>,
    viewer: Viewer,
    theme: Theme,
    axum::Form(fields): axum::Form<Fields>,
) -> Result<Response, AppError> {
    let next = field(&fields, "next");
    match check_password(
        &state,
        &viewer,
        field(&fields, "email"),
        field(&fields, "password"),
    )
    .await
    {
        Ok((account, since)) if account.has_second_factor => {
            state.metrics.sign_in(SignInOutcome::HalfWay);
            viewer
                .await_second_factor(&account.id, account.session_epoch, since)
                .await?;
            let next = onward(next, "/attempts");
            let query = page::query(&[("next", &next)]);
            Ok(see_other(&format!("/sign-in/second-factor{query}")))
        }
        Ok((account, since)) => open_session(&state, &viewer, &account, false, since, next).await,
        Err(error) => {
            let outcome = if matches!(error, AppError::TooMany(_)) {
                SignInOutcome::Throttled
            } else {
                SignInOutcome::Refused
            };
            state.metrics.sign_in(outcome);
            let (form, status) = returned(typed("", &fields), error)?;
            let attempts = guest_attempts(&state, &viewer).await?;
            Ok(page::sign_in(&state, theme, next, attempts, &form, status))
        }
    }
}

/// The account whose address and password these are, and when the check began. For an unknown address the same is done
/// and said.
async fn check_password(
    state: &AppState,
    viewer: &Viewer,
    email: &str,
    password: &str,
) -> Result<(Account, UnixMillis), AppError> {
    let now = state.clock.now();
    let here = address_key(viewer.address);
    let pair = password_throttle(state, viewer, email);
    let address = Throttle::new(
        "sign-in",
        &[&here],
        state.settings.allowances.signins_per_address,
        QUARTER,
    );
    let known = transact!(state.db, |conn| {
        for throttle in [&pair, &address] {
            throttle
                .take(conn, now)
                .await
                .map_err(|refused| refused.explained(WRONG_TOO_OFTEN))?;
        }
        store::credentials(conn, email).await
    })?;
    let hash = known.as_ref().map(|known| known.password_hash.as_str());
    let verdict = match state.passwords.verify(password, hash).await {
        Ok(verdict) => verdict,
        Err(error) => {
            // Nothing was compared: the try does not count.
            transact!(state.db, |conn| {
                pair.give_back(conn).await?;
                address.give_back(conn).await
            })?;
            return Err(error);
        }
    };
    let refused = || {
        AppError::invalid(
            "",
            "This address and this password do not belong together. Check both, or choose a new password.",
        )
    };
    let Some(known) = known.filter(|_| verdict.matches) else {
        let subject = email_key(email);
        transact!(state.db, |conn| {
            // The address that was typed may be a password typed into the wrong field: it is not written down.
            let account = store::credentials(conn, &subject)
                .await?
                .map(|known| known.id);
            note(
                conn,
                viewer,
                Action::SignInRefused,
                account.as_deref(),
                "",
                now,
            )
            .await
        })?;
        return Err(refused());
    };
    let rehashed = if verdict.outdated {
        Some(state.passwords.hash(password).await?)
    } else {
        None
    };
    let account = transact!(state.db, |conn| {
        pair.forget(conn).await?;
        address.give_back(conn).await?;
        let account = store::account(conn, &known.id).await?.ok_or_else(refused)?;
        if account.disabled_at.is_some() {
            return Err(AppError::invalid(
                "",
                "This account is disabled. Ask who runs this server.",
            )
            .into());
        }
        if let Some(hash) = &rehashed {
            let permit = store::permit(conn, Some(&account.id)).await?;
            store::rehash_password(conn, &permit, &known.password_hash, hash).await?;
        }
        Ok(account)
    })?;
    // As it was before the password was compared.
    let account = Account {
        session_epoch: known.session_epoch,
        ..account
    };
    Ok((account, now))
}

/// Signs in: claims what the guest made, tells of a device that was not seen before, opens the session.
async fn open_session(
    state: &AppState,
    viewer: &Viewer,
    account: &Account,
    with_second_factor: bool,
    since: UnixMillis,
    next: &str,
) -> Result<Response, AppError> {
    let now = state.clock.now();
    let claimed = transact!(state.db, |conn| {
        let claimed = match viewer.guest() {
            Some(guest) => store::claim(conn, guest, &account.owner_id).await?,
            None => 0,
        };
        if !store::knows_device(conn, &account.id, &viewer.device).await? {
            let letter = Letter::NewSignIn {
                device: viewer.device.clone(),
                address: viewer.address.to_string(),
                at: now,
            };
            post(conn, state, account, &account.email, &letter, now).await?;
        }
        let detail = if with_second_factor {
            "with a second factor"
        } else {
            ""
        };
        note(
            conn,
            viewer,
            Action::SignedIn,
            Some(&account.id),
            detail,
            now,
        )
        .await?;
        Ok(claimed)
    })?;
    state.wake_mail();
    viewer
        .sign_in(&account.opening(with_second_factor, since))
        .await?;
    state.metrics.sign_in(SignInOutcome::SignedIn);
    let claimed = u32::try_from(claimed).unwrap_or(u32::MAX);
    let target = onward(next, "/attempts");
    let mut response = if claimed > 0 {
        done(&target, Notice::SignedIn { claimed })
    } else {
        see_other(&target)
    };
    account
        .profile
        .theme
        .remember(&mut response, state.settings.https());
    Ok(response)
}

/// `GET /sign-in/second-factor`
pub async fn second_factor_page(
    State(state): State<AppState>,
    viewer: Viewer,
    theme: Theme,
    Query(next): Query<Next>,
) -> Result<Response, AppError> {
    if viewer.pending(state.clock.now()).await?.is_none() {
        return Ok(see_other("/sign-in"));
    }
    Ok(page::second_factor_code(
        &state,
        theme,
        &next.next,
        &next.form(),
        StatusCode::OK,
    ))
}

/// `POST /sign-in/second-factor`
pub async fn second_factor(
    State(state): State<AppState>,
    viewer: Viewer,
    theme: Theme,
    axum::Form(fields): axum::Form<Fields>,
) -> Result<Response, AppError> {
    let now = state.clock.now();
    let Some(pending) = viewer.pending(now).await? else {
        return Ok(see_other("/sign-in"));
    };
    let mut reader = state.db.read().await?;
    let account = store::account(&mut reader.conn(), &pending.account)
        .await?
        .filter(|account| account.disabled_at.is_none());
    drop(reader);
    let Some(account) = account else {
        return Ok(see_other("/sign-in"));
    };
    let account = Account {
        session_epoch: pending.epoch,
        ..account
    };
    match super::second_factor::check_code(&state, &viewer, &account.id, field(&fields, "code"))
        .await
    {
        Ok(()) => {
            let next = field(&fields, "next");
            open_session(&state, &viewer, &account, true, pending.at, next).await
        }
        Err(error) => {
            state.metrics.sign_in(SignInOutcome::Refused);
            let (form, status) = returned(typed("", &fields), error)?;
            Ok(page::second_factor_code(
                &state,
                theme,
                field(&fields, "next"),
                &form,
                status,
            ))
        }
    }
}

/// `POST /sign-out`
pub async fn sign_out(State(state): State<AppState>, viewer: Viewer) -> Result<Response, AppError> {
    // A guest's session holds their work: only an account's is ended.
    if viewer.account().is_some() {
        let now = state.clock.now();
        transact!(state.db, |conn| note(
            conn,
            &viewer,
            Action::SignedOut,
            viewer.account(),
            "",
            now
        )
        .await)?;
        viewer.sign_out().await?;
    }
    Ok(done("/sign-in", Notice::SignedOut))
}

/// `GET /forgot-password`
pub async fn forgot_password_page(State(state): State<AppState>, theme: Theme) -> Response {
    let form = FormState::default();
    page::forgot_password(&state, theme, state.settings.mail, &form, StatusCode::OK)
}

/// `POST /forgot-password`: the same answer for every address.
pub async fn forgot_password(
    State(state): State<AppState>,
    viewer: Viewer,
    theme: Theme,
    axum::Form(fields): axum::Form<Fields>,
) -> Result<Response, AppError> {
    match ask_for_link(&state, &viewer, field(&fields, "email")).await {
        Ok(()) => Ok(page::forgot_password_sent(&state, theme)),
        Err(error) => {
            let (form, status) = returned(typed("", &fields), error)?;
            let mail = state.settings.mail;
            Ok(page::forgot_password(&state, theme, mail, &form, status))
        }
    }
}

async fn ask_for_link(state: &AppState, viewer: &Viewer, typed: &str) -> Result<(), AppError> {
    let email = email(typed).map_err(|message| AppError::invalid("email", message))?;
    let now = state.clock.now();
    let key = email_key(&email);
    let throttles = [
        Throttle::new("reset", &[&key], 3, HOUR),
        Throttle::new("reset-address", &[&address_key(viewer.address)], 30, HOUR),
    ];
    transact!(state.db, |conn| {
        for throttle in &throttles {
            throttle.take(conn, now).await.map_err(|refused| {
                refused.explained("A link was asked for often within the hour.")
            })?;
        }
        let account = match store::credentials(conn, &email).await? {
            Some(known) => store::account(conn, &known.id).await?,
            None => None,
        };
        if let Some(account) = &account
            && account.disabled_at.is_none()
        {
            post(
                conn,
                state,
                account,
                &account.email,
                &Letter::ResetPassword,
                now,
            )
            .await?;
        }
        Ok(())
    })?;
    state.wake_mail();
    Ok(())
}

/// `GET /reset-password/{token}`
pub async fn reset_password_page(
    State(state): State<AppState>,
    theme: Theme,
    Path(secret): Path<String>,
) -> Result<Response, AppError> {
    let mut reader = state.db.read().await?;
    let now = state.clock.now();
    let found = token::find(&mut reader.conn(), Purpose::ResetPassword, &secret, now).await?;
    Ok(unreferred(match found {
        Some(_) => page::reset_password(
            &state,
            theme,
            &secret,
            &FormState::default(),
            StatusCode::OK,
        ),
        None => page::expired_link(&state, theme, true),
    }))
}

/// `POST /reset-password/{token}`
pub async fn reset_password(
    State(state): State<AppState>,
    viewer: Viewer,
    theme: Theme,
    Path(secret): Path<String>,
    axum::Form(fields): axum::Form<Fields>,
) -> Result<Response, AppError> {
    let now = state.clock.now();
    let password = field(&fields, "password");
    let mut reader = state.db.read().await?;
    let conn = &mut reader.conn();
    let account = match token::find(conn, Purpose::ResetPassword, &secret, now).await? {
        Some(token) => store::account(conn, &token.account_id).await?,
        None => None,
    };
    drop(reader);
    let Some(account) = account else {
        return Ok(unreferred(page::expired_link(&state, theme, true)));
    };
    if let Some(message) = new_password_fault(password, &account.name, &account.email) {
        let form = typed("", &fields).with_faults(vec![fault("password", message)]);
        let status = StatusCode::UNPROCESSABLE_ENTITY;
        return Ok(unreferred(page::reset_password(
            &state, theme, &secret, &form, status,
        )));
    }
    let hash = state.passwords.hash(password).await?;
    let reset = transact!(state.db, |conn| {
        let Some(token) = token::take(conn, Purpose::ResetPassword, &secret, now).await? else {
            return Ok(false);
        };
        let permit = store::permit(conn, Some(&token.account_id)).await?;
        store::set_password(conn, &permit, &hash, now).await?;
        let account = permit.account();
        // Who could read the mail has shown that the address works.
        if account.email == token.email
            && account.email_verified_at.is_none()
            && state.settings.mail
        {
            store::set_email(conn, &permit, &token.email, Some(now)).await?;
        }
        note(
            conn,
            &viewer,
            Action::PasswordReset,
            Some(&account.id),
            "",
            now,
        )
        .await?;
        let letter = Letter::PasswordChanged { at: now };
        post(conn, &state, account, &account.email, &letter, now).await?;
        Ok(true)
    })?;
    state.wake_mail();
    if !reset {
        return Ok(unreferred(page::expired_link(&state, theme, true)));
    }
    Ok(done("/sign-in", Notice::PasswordReset))
}

/// `GET /verify-email/{token}`: a page with a button, because programs that check mails follow links.
pub async fn verify_email_page(
    State(state): State<AppState>,
    theme: Theme,
    Path(secret): Path<String>,
) -> Result<Response, AppError> {
    let mut reader = state.db.read().await?;
    let now = state.clock.now();
    let found = token::find(&mut reader.conn(), Purpose::VerifyEmail, &secret, now).await?;
    Ok(unreferred(match found {
        Some(token) => page::verify_email(
            &state,
            theme,
            &secret,
            &token.email,
            &FormState::default(),
            StatusCode::OK,
        ),
        None => page::expired_link(&state, theme, false),
    }))
}

/// `POST /verify-email/{token}`
pub async fn verify_email(
    State(state): State<AppState>,
    viewer: Viewer,
    theme: Theme,
    Path(secret): Path<String>,
) -> Result<Response, AppError> {
    let now = state.clock.now();
    let verified = transact!(state.db, |conn| {
        let Some(token) = token::take(conn, Purpose::VerifyEmail, &secret, now).await? else {
            return Ok(false);
        };
        let permit = store::permit(conn, Some(&token.account_id)).await?;
        let before = permit.account().email.clone();
        if !store::set_email(conn, &permit, &token.email, Some(now)).await? {
            return Ok(false);
        }
        let id = permit.account().id.as_str();
        note(conn, &viewer, Action::EmailVerified, Some(id), "", now).await?;
        if before != token.email {
            note(conn, &viewer, Action::EmailChanged, Some(id), "", now).await?;
            let letter = Letter::AddressChanged {
                new_email: token.email.clone(),
            };
            post(conn, &state, permit.account(), &before, &letter, now).await?;
        }
        Ok(true)
    })?;
    state.wake_mail();
    if !verified {
        return Ok(unreferred(page::expired_link(&state, theme, false)));
    }
    Ok(done(
        if viewer.account().is_some() {
            "/account"
        } else {
            "/sign-in"
        },
        Notice::EmailVerified,
    ))
}

/// The address of such a page is a secret: it goes nowhere.
fn unreferred(mut response: Response) -> Response {
    keep_secret(response.headers_mut());
    response
}
