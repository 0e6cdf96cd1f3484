//! Everything of an account: taken out, brought back in, and deleted.

use axum::extract::multipart::Multipart;
use axum::extract::{Query, State};
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use http::header::{CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_TYPE, HeaderValue};

use crate::accounts::page::{self, ArchiveReport, DataPage, FormState, Notice};
use crate::accounts::store;
use crate::accounts::store::archive::{bring_in, collect};
use crate::accounts::store::audit::Action;
use crate::domain::account::email_key;
use crate::domain::archive::{self, Fault, Severity};
use crate::error::AppError;
use crate::server::extract::{SignedIn, Theme, Viewer};
use crate::server::form::{Fields, field};
use crate::server::state::AppState;
use crate::server::throttle::{HOUR, Throttle};
use crate::server::zip_archive::{JSON_BYTES, account_zip, read_upload, titles};
use crate::transact;

use super::second_factor::{check_code, own};
use super::{Done, confirm_password, done, fault, note, returned, typed};

/// The largest file that the import page takes; the command line takes larger ones.
pub const LARGEST_UPLOAD: usize = 32 * 1024 * 1024;

/// `GET /account/data`
pub async fn data(
    State(state): State<AppState>,
    SignedIn(viewer): SignedIn,
    theme: Theme,
    Query(before): Query<Done>,
) -> Result<Response, AppError> {
    let form = FormState::default().with_notice(before.notice());
    show(&state, &viewer, theme, None, &form, StatusCode::OK).await
}

async fn show(
    state: &AppState,
    viewer: &Viewer,
    theme: Theme,
    report: Option<ArchiveReport>,
    form: &FormState,
    status: StatusCode,
) -> Result<Response, AppError> {
    let mut reader = state.db.read().await?;
    let conn = &mut reader.conn();
    let permit = store::permit(conn, viewer.account()).await?;
    let account = permit.account();
    let page = DataPage {
        email: account.email.clone(),
        attempts: store::attempt_count(conn, &account.owner_id).await?,
        second_factor_on: account.has_second_factor,
        report,
    };
    Ok(page::data(state, theme, &page, form, status))
}

/// `GET /account/export`: a zip file.
pub async fn export(
    State(state): State<AppState>,
    SignedIn(viewer): SignedIn,
) -> Result<Response, AppError> {
    let now = state.clock.now();
    let throttle = Throttle::new("export", &[viewer.account().unwrap_or_default()], 30, HOUR);
    transact!(state.db, |conn| {
        throttle.take(conn, now).await.map_err(|refused| {
            refused.explained("You exported everything often within the hour.")
        })?;
        note(conn, &viewer, Action::Exported, viewer.account(), "", now).await
    })?;
    let mut snapshot = state.db.snapshot().await?;
    let conn = &mut snapshot.conn();
    let permit = store::permit(conn, viewer.account()).await?;
    let archive = collect(conn, &permit, now).await?;
    drop(snapshot);
    let library = state.library();
    let zip = tokio::task::spawn_blocking(move || account_zip(&archive, &titles(&library)))
        .await
        .map_err(AppError::internal)?
        .map_err(AppError::internal)?;
    let mut response = zip.into_response();
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/zip"));
    headers.insert(
        CONTENT_DISPOSITION,
        HeaderValue::from_static("attachment; filename=\"headroom.zip\""),
    );
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("private, no-store"));
    Ok(response)
}

/// `POST /account/import`: what an export gave, as a file.
pub async fn import(
    State(state): State<AppState>,
    SignedIn(viewer): SignedIn,
    theme: Theme,
    form: Result<Multipart, axum::extract::multipart::MultipartRejection>,
) -> Result<Response, AppError> {
    let outcome = match form {
        Ok(form) => take_upload(&state, &viewer, form).await,
        Err(_) => Err(AppError::invalid("archive", CHOOSE)),
    };
    match outcome {
        Ok((report, _)) if report.faults.is_empty() && report.warnings.is_empty() => Ok(done(
            "/account/data",
            Notice::Imported {
                added: u32::try_from(report.added).unwrap_or(u32::MAX),
                already: u32::try_from(report.already).unwrap_or(u32::MAX),
            },
        )),
        Ok((report, status)) => {
            let form = FormState::default();
            show(&state, &viewer, theme, Some(report), &form, status).await
        }
        Err(error) => {
            let (form, status) = returned(typed("import", &Fields::new()), error)?;
            show(&state, &viewer, theme, None, &form, status).await
        }
    }
}

const CHOOSE: &str = "Choose the file that the export gave you, of at most 32 MB.";

async fn take_upload(
    state: &AppState,
    viewer: &Viewer,
    mut form: Multipart,
) -> Result<(ArchiveReport, StatusCode), AppError> {
    let now = state.clock.now();
    let throttle = Throttle::new("import", &[viewer.account().unwrap_or_default()], 30, HOUR);
    transact!(state.db, |conn| throttle.take(conn, now).await.map_err(
        |refused| {
            refused.explained("You imported often within the hour. Nothing was imported.")
        }
    ))?;
    let mut bytes = None;
    while let Some(part) = form
        .next_field()
        .await
        .map_err(|_| AppError::invalid("archive", CHOOSE))?
    {
        if part.name() == Some("archive") {
            let whole = part.bytes().await;
            bytes = Some(whole.map_err(|_| AppError::invalid("archive", CHOOSE))?);
        }
    }
    let bytes = bytes.ok_or_else(|| AppError::invalid("archive", CHOOSE))?;
    // Unpacking and reading take time that the threads which serve do not have.
    let read = tokio::task::spawn_blocking(move || {
        read_upload(&bytes).map(|text| archive::parse(&text, JSON_BYTES))
    })
    .await
    .map_err(AppError::internal)?;
    let (read, faults) = read.map_err(|error| AppError::invalid("archive", error.to_string()))?;
    let words = |severity: Severity| -> Vec<String> {
        faults
            .iter()
            .filter(|fault| fault.severity == severity)
            .map(Fault::to_string)
            .collect()
    };
    let mut report = ArchiveReport {
        faults: words(Severity::Error),
        warnings: words(Severity::Warning),
        ..ArchiveReport::default()
    };
    let Some(read) = read.filter(|_| report.faults.is_empty()) else {
        return Ok((report, StatusCode::UNPROCESSABLE_ENTITY));
    };
    let brought = transact!(state.db, |conn| {
        let permit = store::permit(conn, viewer.account()).await?;
        let brought = bring_in(conn, &permit, &read, now).await?;
        let detail = format!("{} attempts", brought.imported);
        note(
            conn,
            viewer,
            Action::Imported,
            viewer.account(),
            &detail,
            now,
        )
        .await?;
        Ok(brought)
    })?;
    report.added = i64::try_from(brought.imported).unwrap_or(i64::MAX);
    report.already = i64::try_from(brought.already_there).unwrap_or(i64::MAX);
    Ok((report, StatusCode::OK))
}

/// `POST /account/delete`: for the password, the address typed again, and a code where there is a second factor.
pub async fn delete(
    State(state): State<AppState>,
    SignedIn(viewer): SignedIn,
    theme: Theme,
    axum::Form(fields): axum::Form<Fields>,
) -> Result<Response, AppError> {
    if let Err(error) = delete_account(&state, &viewer, &fields).await {
        let (form, status) = returned(typed("delete", &fields), error)?;
        return show(&state, &viewer, theme, None, &form, status).await;
    }
    viewer.sign_out().await?;
    Ok(done("/sign-in", Notice::Deleted))
}

async fn delete_account(
    state: &AppState,
    viewer: &Viewer,
    fields: &Fields,
) -> Result<(), AppError> {
    let permit = own(state, viewer).await?;
    let account = permit.account();
    if email_key(field(fields, "confirm")) != email_key(&account.email) {
        return Err(AppError::Invalid(vec![fault(
            "confirm",
            "Type the address of this account, to show that you mean it.",
        )]));
    }
    confirm_password(state, &permit, "password", field(fields, "password")).await?;
    if account.has_second_factor {
        check_code(state, viewer, &account.id, field(fields, "code")).await?;
    }
    let now = state.clock.now();
    transact!(state.db, |conn| {
        if account.is_administrator {
            store::administration::hold_administrators(conn).await?;
        }
        if account.is_administrator && store::administration::administrators(conn).await? <= 1 {
            return Err(AppError::invalid(
                "",
                "You are the only administrator. Grant the role to somebody else first.",
            )
            .into());
        }
        let permit = store::permit_to_change(conn, viewer).await?;
        store::delete(conn, &permit).await?;
        note(conn, viewer, Action::Deleted, Some(&account.id), "", now).await
    })?;
    Ok(())
}
