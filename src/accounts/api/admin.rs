//! Administration: accounts, the audit log, the outbox, and how the service is.

use axum::extract::{FromRequestParts, Path, Query, State};
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use http::header::{CONTENT_DISPOSITION, CONTENT_TYPE, HeaderValue};
use http::request::Parts;
use serde::{Deserialize, Serialize};

use crate::accounts::page::{FormState, Notice, admin as page};
use crate::accounts::store::administration::{self as rows, AccountLine};
use crate::accounts::store::audit::{self, Action, COMMAND_LINE, Filter, Line};
use crate::accounts::store::token::{self, Purpose};
use crate::accounts::store::{self, AdminPermit, Refusal, admin_permit};
use crate::domain::account::Role;
use crate::domain::attempt::{MINUTE, UnixMillis};
use crate::error::AppError;
use crate::mail::store as outbox_rows;
use crate::server::clock::random_bytes;
use crate::server::database::migration_names;
use crate::server::extract::{SignedIn, Theme, Viewer};
use crate::server::form::{Fields, field};
use crate::server::readiness;
use crate::server::state::AppState;
use crate::transact;

use super::{Done, done, fault, note, returned, typed};

const PAGE_LENGTH: i64 = 50;
/// Rows of the audit log that one export holds.
const EXPORTED: i64 = 100_000;
const DAY: i64 = 24 * 60 * MINUTE;

/// An administrator whose session was opened with a second factor. Others are told that there is nothing here.
pub struct Administrator {
    viewer: Viewer,
    permit: AdminPermit,
    zone: String,
}

impl FromRequestParts<AppState> for Administrator {
    type Rejection = Response;

    async fn from_request_parts(
        parts: &mut Parts,
        state: &AppState,
    ) -> Result<Self, Self::Rejection> {
        let SignedIn(viewer) = SignedIn::from_request_parts(parts, state).await?;
        let outcome = async {
            let mut reader = state.db.read().await?;
            let conn = &mut reader.conn();
            let permit = admin_permit(conn, viewer.account(), viewer.with_second_factor()).await?;
            let own = store::permit(conn, viewer.account()).await?;
            Ok::<_, AppError>((permit, own.account().profile.time_zone.clone()))
        };
        match outcome.await {
            Ok((Ok(permit), zone)) => Ok(Self {
                viewer,
                permit,
                zone,
            }),
            Ok((Err(Refusal::WithoutSecondFactor), _)) => {
                let theme = Theme::of(&parts.headers);
                Err(page::without_second_factor(state, theme))
            }
            Ok((Err(Refusal::NotAnAdministrator), _)) => Err(AppError::NotFound.into_response()),
            Err(error) => Err(error.into_response()),
        }
    }
}

/// The query of a list: which page, and what narrows it.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct ListQuery {
    q: String,
    page: String,
    action: String,
    account: String,
    from: String,
    to: String,
    show: String,
    done: String,
}

impl ListQuery {
    /// From 1; what does not read is the first.
    fn page(&self) -> i64 {
        self.page.parse().unwrap_or(1).clamp(1, 1_000_000)
    }

    fn notice(&self) -> Option<Notice> {
        Notice::from_slug(&self.done)
    }
}

fn pages(found: i64) -> i64 {
    found.saturating_add(PAGE_LENGTH - 1) / PAGE_LENGTH
}

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

fn actor_words(line: &Line) -> String {
    match (&line.actor, &line.actor_name) {
        (Some(_), Some(name)) => name.clone(),
        (Some(id), None) => format!("account {id}, deleted since"),
        (None, _) if line.address == COMMAND_LINE => COMMAND_LINE.to_owned(),
        (None, _) => "nobody known".to_owned(),
    }
}

fn audit_row(line: Line) -> page::AuditRow {
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
    conn: &mut crate::server::database::Conn<'_>,
    permit: &AdminPermit,
    query: &ListQuery,
) -> Result<(Filter, Vec<crate::error::FieldFault>), AppError> {
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

/// `GET /admin/health`
pub async fn health(
    State(state): State<AppState>,
    admin: Administrator,
    theme: Theme,
) -> Result<Response, AppError> {
    let mut reader = state.db.read().await?;
    let conn = &mut reader.conn();
    let counts = rows::counts(conn, &admin.permit).await?;
    let mail_oldest_at = outbox_rows::oldest_waiting(conn).await?;
    let (engine, database_bytes) = crate::server::store::engine(conn).await?;
    drop(reader);
    let known = migration_names();
    let lacking = state
        .db
        .lacking_migrations()
        .await
        .map_err(AppError::internal)?;
    let pools = state.db.pools();
    let in_use: u32 = pools.iter().map(|pool| pool.in_use).sum();
    let idle: u32 = pools.iter().map(|pool| pool.idle).sum();
    let count = |of: usize| i64::try_from(of).unwrap_or(i64::MAX);
    let health = page::Health {
        now: state.clock.now(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        revision: option_env!("HEADROOM_REVISION").map(ToOwned::to_owned),
        started_at: state.started_at,
        schema_version: count(known.len().saturating_sub(lacking.len())),
        schema_known: count(known.len()),
        engine,
        database_bytes,
        pool_in_use: in_use.into(),
        pool_idle: idle.into(),
        pool_most: state.db.most_connections().into(),
        accounts: counts.accounts,
        guests: counts.guests,
        attempts: counts.attempts,
        sessions: counts.sessions,
        mail_on: state.settings.mail,
        mail_waiting: counts.mail_waiting,
        mail_failed: counts.mail_failed,
        mail_oldest_at,
        disk_free: state
            .db
            .folder()
            .and_then(|folder| readiness::free(&folder)),
    };
    let form = FormState::default();
    Ok(page::health(
        &state,
        theme,
        &health,
        &admin.zone,
        &form,
        StatusCode::OK,
    ))
}
