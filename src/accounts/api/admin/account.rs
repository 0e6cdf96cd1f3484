//! One account: what there is to know of it, and what an administrator may do with it.

use axum::extract::{Path, Query, State};
use axum::response::Response;
use http::StatusCode;

use crate::accounts::api::{Done, done, fault, note, returned, typed};
use crate::accounts::page::{FormState, Notice, admin as page};
use crate::accounts::store;
use crate::accounts::store::administration as rows;
use crate::accounts::store::audit::{self, Action, Filter, Line};
use crate::accounts::store::token::{self, Purpose};
use crate::domain::account::Role;
use crate::error::AppError;
use crate::server::clock::random_bytes;
use crate::server::extract::Theme;
use crate::server::form::{Fields, field};
use crate::server::state::AppState;
use crate::transact;

use super::Administrator;
use super::audit::{actor_words, audit_row};

/// `GET /admin/accounts/{id}`
pub async fn account(
    State(state): State<AppState>,
    admin: Administrator,
    theme: Theme,
    Path(id): Path<String>,
    Query(before): Query<Done>,
) -> Result<Response, AppError> {
    let form = FormState::default().with_notice(before.notice());
    show(&state, &admin, theme, &id, None, &form, StatusCode::OK).await
}

async fn show(
    state: &AppState,
    admin: &Administrator,
    theme: Theme,
    id: &str,
    reset_link: Option<String>,
    form: &FormState,
    status: StatusCode,
) -> Result<Response, AppError> {
    let now = state.clock.now();
    let mut reader = state.db.read().await?;
    let conn = &mut reader.conn();
    let permit = rows::on_behalf(conn, &admin.permit, id).await?;
    let account = permit.account();
    let sessions = store::sessions(conn, &permit, now).await?;
    let filter = Filter {
        account: Some(id.to_owned()),
        ..Filter::default()
    };
    let entries = audit::list(conn, &admin.permit, &filter, 0, 20).await?;
    let filter = Filter {
        action: Some(Action::Disabled),
        ..filter
    };
    let disabled: Vec<Line> = audit::list(conn, &admin.permit, &filter, 0, 20)
        .await?
        .into_iter()
        .filter(|line| line.subject.as_deref() == Some(id))
        .collect();
    let detail = page::AccountDetail {
        id: account.id.clone(),
        name: account.name.clone(),
        email: account.email.clone(),
        email_verified_at: account.email_verified_at,
        mentor: account.is_mentor,
        administrator: account.is_administrator,
        second_factor_on: account.has_second_factor,
        created_at: account.created_at,
        seen_at: sessions.iter().map(|session| session.seen_at).max(),
        sessions: i64::try_from(sessions.len()).unwrap_or(i64::MAX),
        attempts: store::attempt_count(conn, &account.owner_id).await?,
        disabled_at: account.disabled_at,
        disabled_by: disabled.first().map(actor_words),
        own: admin.permit.actor() == Some(id),
        audit: entries.into_iter().map(audit_row).collect(),
        reset_link,
    };
    Ok(page::account(
        state,
        theme,
        &detail,
        &admin.zone,
        form,
        status,
    ))
}

fn path(id: &str) -> String {
    format!("/admin/accounts/{id}")
}

/// `POST /admin/accounts/{id}/grant`
pub async fn grant(
    State(state): State<AppState>,
    admin: Administrator,
    Path(id): Path<String>,
    axum::Form(fields): axum::Form<Fields>,
) -> Result<Response, AppError> {
    let role = role_of(&fields)?;
    let now = state.clock.now();
    transact!(state.db, |conn| {
        rows::still_permitted(conn, &admin.permit).await?;
        rows::on_behalf(conn, &admin.permit, &id).await?;
        if rows::grant(conn, &admin.permit, &id, role, now).await? {
            note(
                conn,
                &admin.viewer,
                Action::RoleGranted,
                Some(&id),
                role.slug(),
                now,
            )
            .await?;
        }
        Ok(())
    })?;
    Ok(done(&path(&id), Notice::RoleGranted))
}

/// `POST /admin/accounts/{id}/revoke`: the account's sessions end.
pub async fn revoke(
    State(state): State<AppState>,
    admin: Administrator,
    Path(id): Path<String>,
    axum::Form(fields): axum::Form<Fields>,
) -> Result<Response, AppError> {
    let role = role_of(&fields)?;
    refuse_own(
        &admin,
        &id,
        "Your own roles are taken back by another administrator.",
    )?;
    let now = state.clock.now();
    transact!(state.db, |conn| {
        rows::still_permitted(conn, &admin.permit).await?;
        rows::on_behalf(conn, &admin.permit, &id).await?;
        if rows::revoke(conn, &admin.permit, &id, role).await? {
            note(
                conn,
                &admin.viewer,
                Action::RoleRevoked,
                Some(&id),
                role.slug(),
                now,
            )
            .await?;
        }
        Ok(())
    })?;
    Ok(done(&path(&id), Notice::RoleRevoked))
}

fn role_of(fields: &Fields) -> Result<Role, AppError> {
    Role::from_slug(field(fields, "role"))
        .ok_or_else(|| AppError::invalid("role", "The roles are mentor and administrator."))
}

/// An administrator cannot lock themselves out, so there is always one.
fn refuse_own(admin: &Administrator, id: &str, message: &str) -> Result<(), AppError> {
    if admin.permit.actor() == Some(id) {
        return Err(AppError::invalid("", message));
    }
    Ok(())
}

/// `POST /admin/accounts/{id}/disable`: nobody signs in with it, and its sessions end.
pub async fn disable(
    State(state): State<AppState>,
    admin: Administrator,
    theme: Theme,
    Path(id): Path<String>,
    axum::Form(fields): axum::Form<Fields>,
) -> Result<Response, AppError> {
    refuse_own(
        &admin,
        &id,
        "Your own account is disabled by another administrator.",
    )?;
    let reason = field(&fields, "reason").trim();
    if reason.is_empty() || reason.chars().count() > 200 || reason.contains(char::is_control) {
        let message = "Say why in up to 200 characters; it stands in the audit log.";
        let error = AppError::Invalid(vec![fault("reason", message)]);
        let (form, status) = returned(typed("disable", &fields), error)?;
        return show(&state, &admin, theme, &id, None, &form, status).await;
    }
    let now = state.clock.now();
    transact!(state.db, |conn| {
        rows::still_permitted(conn, &admin.permit).await?;
        rows::on_behalf(conn, &admin.permit, &id).await?;
        rows::disable(conn, &admin.permit, &id, now).await?;
        note(
            conn,
            &admin.viewer,
            Action::Disabled,
            Some(&id),
            reason,
            now,
        )
        .await
    })?;
    Ok(done(&path(&id), Notice::AccountDisabled))
}

/// `POST /admin/accounts/{id}/enable`
pub async fn enable(
    State(state): State<AppState>,
    admin: Administrator,
    Path(id): Path<String>,
) -> Result<Response, AppError> {
    let now = state.clock.now();
    transact!(state.db, |conn| {
        rows::still_permitted(conn, &admin.permit).await?;
        rows::on_behalf(conn, &admin.permit, &id).await?;
        rows::enable(conn, &admin.permit, &id).await?;
        note(conn, &admin.viewer, Action::Enabled, Some(&id), "", now).await
    })?;
    Ok(done(&path(&id), Notice::AccountEnabled))
}

/// `POST /admin/accounts/{id}/end-sessions`
pub async fn end_sessions(
    State(state): State<AppState>,
    admin: Administrator,
    Path(id): Path<String>,
) -> Result<Response, AppError> {
    let now = state.clock.now();
    let ended = transact!(state.db, |conn| {
        rows::still_permitted(conn, &admin.permit).await?;
        let permit = rows::on_behalf(conn, &admin.permit, &id).await?;
        let ended = store::sessions(conn, &permit, now).await?.len();
        rows::end_sessions(conn, &admin.permit, &id).await?;
        note(
            conn,
            &admin.viewer,
            Action::SessionsEnded,
            Some(&id),
            "all",
            now,
        )
        .await?;
        Ok(ended)
    })?;
    let count = u32::try_from(ended).unwrap_or(u32::MAX);
    Ok(done(&path(&id), Notice::SessionsEnded { count }))
}

/// `POST /admin/accounts/{id}/reset-link`: for who cannot get a mail; shown once.
pub async fn reset_link(
    State(state): State<AppState>,
    admin: Administrator,
    theme: Theme,
    Path(id): Path<String>,
) -> Result<Response, AppError> {
    let now = state.clock.now();
    let secret = random_bytes();
    let link = transact!(state.db, |conn| {
        rows::still_permitted(conn, &admin.permit).await?;
        let permit = rows::on_behalf(conn, &admin.permit, &id).await?;
        let account = permit.account();
        if account.disabled_at.is_some() {
            return Err(AppError::invalid("", "The account is disabled: enable it first.").into());
        }
        let text = token::issue(
            conn,
            &id,
            Purpose::ResetPassword,
            &account.email,
            secret,
            now,
        )
        .await?;
        note(
            conn,
            &admin.viewer,
            Action::ResetLinkMade,
            Some(&id),
            "",
            now,
        )
        .await?;
        Ok(Purpose::ResetPassword.url(&state.settings.public_url, &text))
    })?;
    let form = FormState::default();
    show(
        &state,
        &admin,
        theme,
        &id,
        Some(link),
        &form,
        StatusCode::OK,
    )
    .await
}
