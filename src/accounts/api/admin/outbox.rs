//! The mail that waits, was sent or was given up.

use axum::extract::{Path, Query, State};
use axum::response::Response;
use http::StatusCode;

use crate::accounts::api::{done, note};
use crate::accounts::page::{FormState, Notice, admin as page};
use crate::accounts::store::audit::Action;
use crate::error::AppError;
use crate::mail::store as outbox_rows;
use crate::server::extract::Theme;
use crate::server::state::AppState;
use crate::transact;

use super::{Administrator, ListQuery, pages};

/// `GET /admin/outbox`
pub async fn outbox(
    State(state): State<AppState>,
    admin: Administrator,
    theme: Theme,
    Query(query): Query<ListQuery>,
) -> Result<Response, AppError> {
    let mut reader = state.db.read().await?;
    let conn = &mut reader.conn();
    let shown = outbox_rows::Filter::from_slug(&query.show).unwrap_or(outbox_rows::Filter::All);
    let counts = outbox_rows::counts(conn).await?;
    // The store counts pages from 0.
    let page_number = u32::try_from(query.page() - 1).unwrap_or(0);
    let entries = outbox_rows::list(conn, shown, page_number).await?;
    let found = match shown {
        outbox_rows::Filter::All => counts.waiting + counts.sent + counts.given_up,
        outbox_rows::Filter::Waiting => counts.waiting,
        outbox_rows::Filter::Sent => counts.sent,
        outbox_rows::Filter::GivenUp => counts.given_up,
    };
    let list = page::OutboxList {
        rows: entries
            .into_iter()
            .map(|entry| page::OutboxRow {
                id: entry.id,
                kind: entry.kind,
                recipient: entry.recipient,
                created_at: entry.created_at,
                tries: entry.tries,
                next_try_at: entry.next_try_at,
                sent_at: entry.sent_at,
                failed_at: entry.failed_at,
                last_error: entry.last_error,
            })
            .collect(),
        shown: shown.slug().to_owned(),
        waiting: counts.waiting,
        sent: counts.sent,
        failed: counts.given_up,
        page: query.page(),
        pages: pages(found),
        mail_on: state.settings.mail,
    };
    let form = FormState::default().with_notice(query.notice());
    Ok(page::outbox(
        &state,
        theme,
        &list,
        &admin.zone,
        &form,
        StatusCode::OK,
    ))
}

/// `POST /admin/outbox/{id}/retry`
pub async fn retry_mail(
    State(state): State<AppState>,
    admin: Administrator,
    Path(id): Path<String>,
) -> Result<Response, AppError> {
    if uuid::Uuid::parse_str(&id).is_err() {
        return Err(AppError::NotFound);
    }
    let now = state.clock.now();
    transact!(state.db, |conn| {
        // One that is sent at this moment, or within two minutes by itself, is left alone.
        if outbox_rows::retry(conn, &id, now).await? {
            return note(conn, &admin.viewer, Action::MailRetried, None, &id, now).await;
        }
        if !outbox_rows::exists(conn, &id).await? {
            return Err(AppError::NotFound.into());
        }
        Ok(())
    })?;
    state.wake_mail();
    Ok(done("/admin/outbox", Notice::MailQueued))
}
