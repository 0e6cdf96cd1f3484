//! The audit log: a list that is narrowed, and its export.

use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use http::header::{CONTENT_DISPOSITION, CONTENT_TYPE, HeaderValue};
use serde::Serialize;

use crate::accounts::api::{fault, note};
use crate::accounts::page::{FormState, admin as page};
use crate::accounts::store::AdminPermit;
use crate::accounts::store::administration as rows;
use crate::accounts::store::audit::{self, Action, COMMAND_LINE, Filter, Line};
use crate::domain::attempt::{MINUTE, UnixMillis};
use crate::error::{AppError, FieldFault};
use crate::server::database::Conn;
use crate::server::extract::Theme;
use crate::server::state::AppState;
use crate::transact;

use super::{Administrator, ListQuery, PAGE_LENGTH, pages};

/// Rows of the audit log that one export holds.
const EXPORTED: i64 = 100_000;
const DAY: i64 = 24 * 60 * MINUTE;

/// `GET /admin/audit`
pub async fn audit(
    State(state): State<AppState>,
    admin: Administrator,
    theme: Theme,
    Query(query): Query<ListQuery>,
) -> Result<Response, AppError> {
    let mut reader = state.db.read().await?;
    let conn = &mut reader.conn();
    let (filter, faults) = read_filter(conn, &admin.permit, &query).await?;
    let (found, lines) = if faults.is_empty() {
        let offset = (query.page() - 1) * PAGE_LENGTH;
        (
            audit::count(conn, &admin.permit, &filter).await?,
            audit::list(conn, &admin.permit, &filter, offset, PAGE_LENGTH).await?,
        )
    } else {
        (0, Vec::new())
    };
    let status = if faults.is_empty() {
        StatusCode::OK
    } else {
        StatusCode::UNPROCESSABLE_ENTITY
    };
    let list = page::AuditList {
        rows: lines.into_iter().map(audit_row).collect(),
        filter: page::AuditFilter {
            action: query.action.clone(),
            account: query.account.clone(),
            from: query.from.clone(),
            to: query.to.clone(),
        },
        actions: Action::ALL
            .into_iter()
            .map(|action| action.slug().to_owned())
            .collect(),
        found,
        page: query.page(),
        pages: pages(found),
    };
    let form = FormState::default().with_faults(faults);
    Ok(page::audit(
        &state,
        theme,
        &list,
        &admin.zone,
        &form,
        status,
    ))
}

/// What the query narrows to, and what of it does not read.
async fn read_filter(
    conn: &mut Conn<'_>,
    permit: &AdminPermit,
    query: &ListQuery,
) -> Result<(Filter, Vec<FieldFault>), AppError> {
    let mut faults = Vec::new();
    let mut day = |name: &str, text: &str, later: i64| {
        if text.trim().is_empty() {
            return None;
        }
        let start = start_of_day(text.trim());
        if start.is_none() {
            faults.push(fault(name, "This is not a day. It looks like 2026-03-31."));
        }
        start.map(|start| start + later)
    };
    let (from, to) = (day("from", &query.from, 0), day("to", &query.to, DAY));
    let action = match query.action.as_str() {
        "" => None,
        slug => Action::from_slug(slug).or_else(|| {
            faults.push(fault("action", "There is no such action."));
            None
        }),
    };
    let account = match query.account.trim() {
        "" => None,
        email if email.contains('@') => match rows::by_email(conn, permit, email).await? {
            Some(found) => Some(found.account().id.clone()),
            None => {
                faults.push(fault("account", "No account has this address."));
                None
            }
        },
        // The id of an account that may be gone.
        id if uuid::Uuid::parse_str(id).is_ok() => Some(id.to_owned()),
        _ => {
            faults.push(fault("account", "Type an address or an account's id."));
            None
        }
    };
    let filter = Filter {
        action,
        account,
        from,
        to,
    };
    Ok((filter, faults))
}

/// The start of a day in UTC.
fn start_of_day(day: &str) -> Option<UnixMillis> {
    let date: jiff::civil::Date = day.parse().ok()?;
    let start = date.to_zoned(jiff::tz::TimeZone::UTC).ok()?;
    Some(start.timestamp().as_millisecond())
}

#[derive(Serialize)]
struct ExportedLine<'a> {
    at: String,
    action: &'a str,
    actor: Option<&'a str>,
    subject: Option<&'a str>,
    detail: &'a str,
    address: &'a str,
}

/// `GET /admin/audit/export/{format}`: what the filter lets through, as `audit.csv` or `audit.json`.
pub async fn export_audit(
    State(state): State<AppState>,
    admin: Administrator,
    Path(format): Path<String>,
    Query(query): Query<ListQuery>,
) -> Result<Response, AppError> {
    let kind = match format.as_str() {
        "audit.csv" => "text/csv; charset=utf-8",
        "audit.json" => "application/json",
        _ => return Err(AppError::NotFound),
    };
    let now = state.clock.now();
    let mut reader = state.db.read().await?;
    let (filter, faults) = read_filter(&mut reader.conn(), &admin.permit, &query).await?;
    if !faults.is_empty() {
        return Err(AppError::Invalid(faults));
    }
    let lines = audit::list(&mut reader.conn(), &admin.permit, &filter, 0, EXPORTED).await?;
    drop(reader);
    transact!(state.db, |conn| note(
        conn,
        &admin.viewer,
        Action::AuditExported,
        None,
        &format,
        now,
    )
    .await)?;
    let lines: Vec<ExportedLine<'_>> = lines
        .iter()
        .map(|line| ExportedLine {
            at: jiff::Timestamp::from_millisecond(line.at)
                .map_or_else(|_| "unknown".to_owned(), |at| at.to_string()),
            action: &line.action,
            actor: line.actor.as_deref(),
            subject: line.subject.as_deref(),
            detail: &line.detail,
            address: &line.address,
        })
        .collect();
    let text = if format == "audit.json" {
        serde_json::to_string_pretty(&lines).map_err(AppError::internal)?
    } else {
        csv(&lines)
    };
    let mut response = text.into_response();
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    let name = format!("attachment; filename=\"headroom-{format}\"");
    headers.insert(
        CONTENT_DISPOSITION,
        HeaderValue::from_str(&name).map_err(AppError::internal)?,
    );
    Ok(response)
}

/// RFC 4180. A cell that a spreadsheet would take for a formula is made a text.
fn csv(lines: &[ExportedLine<'_>]) -> String {
    let cell = |text: &str| {
        let guard = if text.starts_with(['=', '+', '-', '@', '\t', '\r']) {
            "'"
        } else {
            ""
        };
        format!("\"{guard}{}\"", text.replace('"', "\"\""))
    };
    let mut out = "at,action,actor,subject,detail,address\r\n".to_owned();
    for line in lines {
        let cells = [
            line.at.as_str(),
            line.action,
            line.actor.unwrap_or_default(),
            line.subject.unwrap_or_default(),
            line.detail,
            line.address,
        ];
        out.push_str(&cells.map(cell).join(","));
        out.push_str("\r\n");
    }
    out
}

pub(super) fn actor_words(line: &Line) -> String {
    match (&line.actor, &line.actor_name) {
        (Some(_), Some(name)) => name.clone(),
        (Some(id), None) => format!("account {id}, deleted since"),
        (None, _) if line.address == COMMAND_LINE => COMMAND_LINE.to_owned(),
        (None, _) => "nobody known".to_owned(),
    }
}

pub(super) fn audit_row(line: Line) -> page::AuditRow {
    let actor = actor_words(&line);
    let address = if line.address == COMMAND_LINE {
        String::new()
    } else {
        line.address
    };
    page::AuditRow {
        at: line.at,
        actor,
        actor_id: line.actor.filter(|_| line.actor_name.is_some()),
        action: line.action,
        subject: match (&line.subject, &line.subject_name) {
            (Some(_), Some(name)) => name.clone(),
            (Some(id), None) => format!("account {id}, deleted since"),
            (None, _) => String::new(),
        },
        subject_id: line.subject.filter(|_| line.subject_name.is_some()),
        detail: line.detail,
        address,
    }
}
