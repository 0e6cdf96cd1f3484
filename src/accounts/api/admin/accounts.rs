//! The list of accounts.

use axum::extract::{Query, State};
use axum::response::Response;
use http::StatusCode;

use crate::accounts::page::{FormState, admin as page};
use crate::accounts::store::administration::{self as rows, AccountLine};
use crate::domain::account::Role;
use crate::error::AppError;
use crate::server::extract::Theme;
use crate::server::state::AppState;

use super::{Administrator, ListQuery, PAGE_LENGTH, pages};

/// `GET /admin`
pub async fn accounts(
    State(state): State<AppState>,
    admin: Administrator,
    theme: Theme,
    Query(query): Query<ListQuery>,
) -> Result<Response, AppError> {
    let mut reader = state.db.read().await?;
    let conn = &mut reader.conn();
    let q = query.q.trim();
    let offset = (query.page() - 1) * PAGE_LENGTH;
    let found = rows::count_found(conn, &admin.permit, q).await?;
    let lines = rows::search(conn, &admin.permit, q, offset, PAGE_LENGTH).await?;
    let list = page::AccountList {
        rows: lines.into_iter().map(account_row).collect(),
        q: q.to_owned(),
        found,
        page: query.page(),
        pages: pages(found),
    };
    let form = FormState::default().with_notice(query.notice());
    Ok(page::accounts(
        &state,
        theme,
        &list,
        &admin.zone,
        &form,
        StatusCode::OK,
    ))
}

fn account_row(line: AccountLine) -> page::AccountRow {
    let roles = [
        (Role::Mentor, line.mentor),
        (Role::Administrator, line.administrator),
    ];
    page::AccountRow {
        id: line.id,
        name: line.name,
        email: line.email,
        verified: line.email_verified_at.is_some(),
        roles: roles
            .into_iter()
            .filter(|(_, granted)| *granted > 0)
            .map(|(role, _)| role.title().to_owned())
            .collect(),
        disabled: line.disabled_at.is_some(),
        created_at: line.created_at,
        seen_at: line.seen_at,
    }
}
