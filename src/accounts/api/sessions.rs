//! Where one is signed in, and ending it.

use axum::extract::{Query, State};
use axum::response::Response;
use http::StatusCode;

use crate::accounts::page::{self, FormState, Notice, SessionRow};
use crate::accounts::store;
use crate::accounts::store::audit::Action;
use crate::error::AppError;
use crate::server::extract::{SignedIn, Theme};
use crate::server::form::{Fields, field};
use crate::server::state::AppState;
use crate::transact;

use super::{Done, done, note};

const PAGE: &str = "/account/sessions";

/// `GET /account/sessions`
pub async fn sessions(
    State(state): State<AppState>,
    SignedIn(viewer): SignedIn,
    theme: Theme,
    Query(before): Query<Done>,
) -> Result<Response, AppError> {
    let mut reader = state.db.read().await?;
    let conn = &mut reader.conn();
    let permit = store::permit(conn, viewer.account()).await?;
    let here = viewer.session_hash();
    let rows: Vec<SessionRow> = store::sessions(conn, &permit, state.clock.now())
        .await?
        .into_iter()
        .map(|line| SessionRow {
            current: line.id_hash == here,
            id: line.id_hash,
            device: line.device,
            seen_at: line.seen_at,
            signed_in_at: line.signed_in_at,
        })
        .collect();
    let form = FormState::default().with_notice(before.notice());
    let zone = &permit.account().profile.time_zone;
    Ok(page::sessions(
        &state,
        theme,
        &rows,
        zone,
        &form,
        StatusCode::OK,
    ))
}

/// `POST /account/sessions/end`
pub async fn end(
    State(state): State<AppState>,
    SignedIn(viewer): SignedIn,
    axum::Form(fields): axum::Form<Fields>,
) -> Result<Response, AppError> {
    let now = state.clock.now();
    let session = field(&fields, "session");
    transact!(state.db, |conn| {
        let permit = store::permit_to_change(conn, &viewer).await?;
        store::end_session(conn, &permit, session).await?;
        let id = &permit.account().id;
        note(conn, &viewer, Action::SessionsEnded, Some(id), "one", now).await
    })?;
    if session == viewer.session_hash() {
        viewer.sign_out().await?;
        return Ok(done("/sign-in", Notice::SignedOut));
    }
    Ok(done(PAGE, Notice::SessionEnded))
}

/// `POST /account/sessions/end-others`
pub async fn end_others(
    State(state): State<AppState>,
    SignedIn(viewer): SignedIn,
) -> Result<Response, AppError> {
    let now = state.clock.now();
    let here = viewer.session_hash();
    let ended = transact!(state.db, |conn| {
        let permit = store::permit_to_change(conn, &viewer).await?;
        let ended = store::end_other_sessions(conn, &permit, &here).await?;
        let id = &permit.account().id;
        note(
            conn,
            &viewer,
            Action::SessionsEnded,
            Some(id),
            "all others",
            now,
        )
        .await?;
        Ok(ended)
    })?;
    let count = u32::try_from(ended).unwrap_or(u32::MAX);
    Ok(done(PAGE, Notice::SessionsEnded { count }))
}

/// `POST /account/sessions/end-all`: this one too, and one that is being opened at this moment.
pub async fn end_all(
    State(state): State<AppState>,
    SignedIn(viewer): SignedIn,
) -> Result<Response, AppError> {
    let now = state.clock.now();
    transact!(state.db, |conn| {
        let permit = store::permit_to_change(conn, &viewer).await?;
        store::end_all_sessions(conn, &permit).await?;
        let id = &permit.account().id;
        note(conn, &viewer, Action::SessionsEnded, Some(id), "all", now).await
    })?;
    viewer.sign_out().await?;
    Ok(done("/sign-in", Notice::SignedOut))
}
