//! The second factor: setting it up with a QR code, recovery codes, and what is asked when signing in.
//!
//! Time-based one-time passwords after RFC 6238: SHA-1, six digits, steps of 30 seconds, one step of tolerance.

use axum::extract::{Query, State};
use axum::response::Response;
use http::StatusCode;
use qrcode::QrCode;
use qrcode::render::svg;
use totp_rs::{Builder, Secret, Totp};

use crate::accounts::page::{self, FormState, Notice};
use crate::accounts::store::audit::Action;
use crate::accounts::store::{self, AccountPermit, second_factor as rows};
use crate::domain::attempt::UnixMillis;
use crate::error::AppError;
use crate::mail::store::Letter;
use crate::server::clock::random_bytes;
use crate::server::document::see_other;
use crate::server::extract::{SignedIn, Theme, Viewer};
use crate::server::form::{Fields, field};
use crate::server::state::AppState;
use crate::server::throttle::{HOUR, QUARTER, Throttle, address_key};
use crate::transact;

use super::{Done, confirm_password, done, note, post, returned, typed};

const RECOVERY_CODES: usize = 10;
/// Wrong codes for one account from everywhere within an hour: six digits must not be guessed by many together.
const WRONG_CODES: u32 = 30;
const PAGE: &str = "/account/second-factor";

/// The authenticator's side of a secret.
fn totp(secret: &str, email: &str) -> Result<Totp, AppError> {
    let secret = Secret::try_from_base32(secret)
        .map_err(|_| AppError::internal("a stored secret of a second factor does not read"))?;
    Builder::new()
        .with_secret(secret)
        .with_issuer(Some("Headroom"))
        .with_account_name(email.replace(':', ""))
        .build()
        .map_err(AppError::internal)
}

/// The time step of a code that is right at this time.
fn step_of(totp: &Totp, code: &str, now: UnixMillis) -> Option<i64> {
    let digits: String = code
        .chars()
        .filter(|character| !character.is_whitespace())
        .collect();
    let seconds = u64::try_from(now / 1000).ok()?;
    totp.check(&digits, seconds)
        .and_then(|step| i64::try_from(step).ok())
}

/// Whether a code of the authenticator, or a recovery code, lets this account in now. Each works once.
pub async fn check_code(
    state: &AppState,
    viewer: &Viewer,
    account: &str,
    code: &str,
) -> Result<(), AppError> {
    let now = state.clock.now();
    let here = Throttle::new(
        "code",
        &[account, &address_key(viewer.address)],
        state.settings.allowances.signins_per_quarter_hour,
        QUARTER,
    );
    let everywhere = Throttle::new("codes", &[account], WRONG_CODES, HOUR);
    // The tries are counted whatever comes of them: a transaction of their own.
    transact!(state.db, |conn| {
        for throttle in [&here, &everywhere] {
            throttle
                .take(conn, now)
                .await
                .map_err(|refused| refused.explained("The code was wrong too often."))?;
        }
        Ok(())
    })?;
    let right = transact!(state.db, |conn| {
        let Some(factor) = rows::find(conn, account).await? else {
            return Ok(false);
        };
        if factor.confirmed_at.is_none() {
            return Ok(false);
        }
        let right = match step_of(&totp(&factor.secret, "")?, code, now) {
            Some(step) => rows::take_step(conn, account, step).await?,
            None => {
                let used = rows::take_recovery_code(conn, account, &folded(code), now).await?;
                if used {
                    note(
                        conn,
                        viewer,
                        Action::RecoveryCodeUsed,
                        Some(account),
                        "",
                        now,
                    )
                    .await?;
                }
                used
            }
        };
        if right {
            here.forget(conn).await?;
            everywhere.forget(conn).await?;
        }
        Ok(right)
    })?;
    if right {
        Ok(())
    } else {
        transact!(state.db, |conn| note(
            conn,
            viewer,
            Action::SignInRefused,
            Some(account),
            "wrong code",
            now
        )
        .await)?;
        Err(AppError::invalid(
            "code",
            "This code is not right, or it was used already. Wait for the next one, or use a recovery code.",
        ))
    }
}

/// A recovery code as it is compared: how it was spaced or capitalized does not matter.
fn folded(code: &str) -> String {
    code.chars()
        .filter(char::is_ascii_alphanumeric)
        .map(|character| character.to_ascii_lowercase())
        .collect()
}

/// New recovery codes as they are shown: 80 random bits each, in groups of four.
fn new_codes() -> Vec<String> {
    (0..RECOVERY_CODES)
        .map(|_| {
            let text = Secret::new(Box::new(random_bytes::<10>()))
                .to_base32()
                .to_lowercase();
            let letters: Vec<char> = text.chars().collect();
            letters
                .chunks(4)
                .map(|group| group.iter().collect::<String>())
                .collect::<Vec<_>>()
                .join("-")
        })
        .collect()
}

/// `GET /account/second-factor`
pub async fn second_factor(
    State(state): State<AppState>,
    SignedIn(viewer): SignedIn,
    theme: Theme,
    Query(before): Query<Done>,
) -> Result<Response, AppError> {
    let form = FormState::default().with_notice(before.notice());
    show(&state, &viewer, theme, &form, StatusCode::OK).await
}

/// The page as the account's second factor stands.
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
    let found = rows::find(conn, &account.id).await?;
    if let Some(factor) = &found
        && factor.confirmed_at.is_none()
    {
        let totp = totp(&factor.secret, &account.email)?;
        let url = totp.to_url().map_err(AppError::internal)?;
        let picture = QrCode::new(url).map_err(AppError::internal)?;
        let picture = picture
            .render::<svg::Color<'_>>()
            .min_dimensions(200, 200)
            .build();
        let svg = picture
            .split_once("?>")
            .map_or(picture.as_str(), |(_, svg)| svg);
        return Ok(page::enroll_second_factor(
            state,
            theme,
            svg,
            &factor.secret,
            form,
            status,
        ));
    }
    let factor = page::SecondFactor {
        confirmed_at: found.and_then(|factor| factor.confirmed_at),
        recovery_codes_left: rows::recovery_codes_left(conn, &account.id).await?,
        required: account.is_administrator,
    };
    let zone = &account.profile.time_zone;
    Ok(page::second_factor(
        state, theme, &factor, zone, form, status,
    ))
}

/// `POST /account/second-factor/start`, for the password: whoever finds a session open must not lock its owner out.
pub async fn start(
    State(state): State<AppState>,
    SignedIn(viewer): SignedIn,
    theme: Theme,
    axum::Form(fields): axum::Form<Fields>,
) -> Result<Response, AppError> {
    let now = state.clock.now();
    let permit = own(&state, &viewer).await?;
    if let Err(error) =
        confirm_password(&state, &permit, "password", field(&fields, "password")).await
    {
        let (form, status) = returned(typed("start", &fields), error)?;
        return show(&state, &viewer, theme, &form, status).await;
    }
    let secret = Secret::new_stack(random_bytes()).to_base32();
    transact!(state.db, |conn| {
        let permit = store::permit_to_change(conn, &viewer).await?;
        rows::start(conn, &permit, &secret, now).await
    })?;
    Ok(see_other(PAGE))
}

/// `POST /account/second-factor/confirm`: the first code shows that the authenticator works; the recovery codes are shown
/// once.
pub async fn confirm(
    State(state): State<AppState>,
    SignedIn(viewer): SignedIn,
    theme: Theme,
    axum::Form(fields): axum::Form<Fields>,
) -> Result<Response, AppError> {
    let now = state.clock.now();
    let codes = new_codes();
    let outcome = transact!(state.db, |conn| {
        let permit = store::permit_to_change(conn, &viewer).await?;
        let account = permit.account();
        let Some(factor) = rows::find(conn, &account.id).await? else {
            return Ok(None);
        };
        if factor.confirmed_at.is_some() {
            return Ok(None);
        }
        let totp = totp(&factor.secret, &account.email)?;
        let step = step_of(&totp, field(&fields, "code"), now).ok_or_else(|| {
            AppError::invalid(
                "code",
                "This is not the code that your app shows now. Check that the clock of your device is right, and type the next one.",
            )
        })?;
        if !rows::take_step(conn, &account.id, step).await? {
            return Ok(None);
        }
        rows::confirm(conn, &permit, now).await?;
        keep_codes(conn, &permit, &codes).await?;
        changed(conn, &state, &viewer, &permit, true, now).await?;
        // The other sessions have shown one factor only.
        store::end_all_sessions(conn, &permit).await?;
        let permit = store::permit(conn, viewer.account()).await?;
        Ok(Some(permit.account().clone()))
    });
    match outcome.map_err(AppError::from) {
        Ok(Some(account)) => {
            state.wake_mail();
            // This one has shown both.
            viewer.sign_in(&account.opening(true, now)).await?;
            Ok(page::recovery_codes(&state, theme, &codes, PAGE))
        }
        Ok(None) => Ok(see_other(PAGE)),
        Err(error) => {
            let (form, status) = returned(typed("confirm", &fields), error)?;
            show(&state, &viewer, theme, &form, status).await
        }
    }
}

async fn keep_codes(
    conn: &mut crate::server::database::Conn<'_>,
    permit: &AccountPermit,
    codes: &[String],
) -> Result<(), crate::server::database::StoreError> {
    let folded: Vec<String> = codes.iter().map(|code| folded(code)).collect();
    rows::set_recovery_codes(conn, permit, &folded).await
}

/// Tells the log and the person.
async fn changed(
    conn: &mut crate::server::database::Conn<'_>,
    state: &AppState,
    viewer: &Viewer,
    permit: &AccountPermit,
    on: bool,
    now: UnixMillis,
) -> Result<(), crate::server::database::StoreError> {
    let account = permit.account();
    let action = if on {
        Action::SecondFactorOn
    } else {
        Action::SecondFactorOff
    };
    note(conn, viewer, action, Some(&account.id), "", now).await?;
    let letter = Letter::SecondFactorChanged { on, at: now };
    post(conn, state, account, &account.email, &letter, now).await
}

/// `POST /account/second-factor/codes`: new recovery codes, for the password.
pub async fn renew_codes(
    State(state): State<AppState>,
    SignedIn(viewer): SignedIn,
    theme: Theme,
    axum::Form(fields): axum::Form<Fields>,
) -> Result<Response, AppError> {
    let now = state.clock.now();
    let permit = own(&state, &viewer).await?;
    if !permit.account().has_second_factor {
        return Ok(see_other(PAGE));
    }
    if let Err(error) =
        confirm_password(&state, &permit, "password", field(&fields, "password")).await
    {
        let (form, status) = returned(typed("codes", &fields), error)?;
        return show(&state, &viewer, theme, &form, status).await;
    }
    let codes = new_codes();
    transact!(state.db, |conn| {
        let permit = store::permit_to_change(conn, &viewer).await?;
        keep_codes(conn, &permit, &codes).await?;
        let id = &permit.account().id;
        note(
            conn,
            &viewer,
            Action::RecoveryCodesRenewed,
            Some(id),
            "",
            now,
        )
        .await
    })?;
    Ok(page::recovery_codes(&state, theme, &codes, PAGE))
}

/// `POST /account/second-factor/off`: for the password and a code.
pub async fn turn_off(
    State(state): State<AppState>,
    SignedIn(viewer): SignedIn,
    theme: Theme,
    axum::Form(fields): axum::Form<Fields>,
) -> Result<Response, AppError> {
    let now = state.clock.now();
    let permit = own(&state, &viewer).await?;
    let account = permit.account();
    if !account.has_second_factor {
        // Setting it up is given up.
        transact!(state.db, |conn| {
            let permit = store::permit_to_change(conn, &viewer).await?;
            rows::give_up(conn, &permit).await
        })?;
        return Ok(see_other(PAGE));
    }
    let checked = async {
        if account.is_administrator {
            return Err(AppError::invalid(
                "",
                "An administrator's account needs its second factor.",
            ));
        }
        confirm_password(&state, &permit, "password", field(&fields, "password")).await?;
        check_code(&state, &viewer, &account.id, field(&fields, "code")).await
    };
    if let Err(error) = checked.await {
        let (form, status) = returned(typed("off", &fields), error)?;
        return show(&state, &viewer, theme, &form, status).await;
    }
    transact!(state.db, |conn| {
        let permit = store::permit_to_change(conn, &viewer).await?;
        rows::remove(conn, &permit).await?;
        changed(conn, &state, &viewer, &permit, false, now).await
    })?;
    state.wake_mail();
    viewer.sign_in(&account.opening(false, now)).await?;
    Ok(done(PAGE, Notice::SecondFactorOff))
}

/// Leave for the account that is signed in.
pub async fn own(state: &AppState, viewer: &Viewer) -> Result<AccountPermit, AppError> {
    let mut reader = state.db.read().await?;
    Ok(store::permit(&mut reader.conn(), viewer.account()).await?)
}
