//! How the server is: its version, its database, its mail, its disk.
//!
//! Must never show a secret of the configuration; the database is named by its engine, not by its address.

use axum::response::Response;
use http::StatusCode;
use leptos::prelude::*;

use crate::accounts::page::{FormState, Frame, bytes_words, counted, instant, respond, span_words};
use crate::domain::attempt::{MINUTE, UnixMillis};
use crate::server::extract::Theme;
use crate::server::state::AppState;

/// Free disk below which something has to be done, in bytes.
const LITTLE_DISK: i64 = 1_000_000_000;

/// Free disk below which saving is about to fail, in bytes.
const NO_DISK: i64 = 64_000_000;

/// A message that waits longer than this shows a mail server that does not take any.
const LONG_IN_OUTBOX: i64 = 30 * MINUTE;

/// What is measured when the page is asked for.
#[derive(Clone, Debug, Default)]
pub struct Health {
    pub now: UnixMillis,
    pub version: String,
    pub revision: Option<String>,
    pub started_at: UnixMillis,
    /// The newest migration in the database, and the newest that the program has.
    pub schema_version: i64,
    pub schema_known: i64,
    /// `SQLite 3.51.3`
    pub engine: String,
    pub database_bytes: Option<i64>,
    /// Connections: in use, open and idle, and how many there may be.
    pub pool_in_use: i64,
    pub pool_idle: i64,
    pub pool_most: i64,
    pub accounts: i64,
    pub guests: i64,
    pub attempts: i64,
    pub sessions: i64,
    pub mail_on: bool,
    pub mail_waiting: i64,
    pub mail_failed: i64,
    /// When the oldest message that waits was queued.
    pub mail_oldest_at: Option<UnixMillis>,
    /// Free bytes where the database's file is; `None` for a database elsewhere.
    pub disk_free: Option<i64>,
}

/// How a figure is judged.
enum Verdict {
    Plain,
    Good,
    /// With what to do.
    Warn(String),
    Bad(String),
}

/// `GET /admin/health`
pub fn health(
    state: &AppState,
    theme: Theme,
    health: &Health,
    zone: &str,
    form: &FormState,
    status: StatusCode,
) -> Response {
    let frame = Frame {
        title: "Health".to_owned(),
        path: "/admin/health".to_owned(),
        administration: true,
        ..Frame::default()
    };
    respond(state, theme, frame, form, status, || {
        view! {
            <p class="quiet">"Measured "{instant(health.now, zone)}". For a second opinion run "<code>"headroom doctor"</code>" on the server."</p>
            {table("server", "Server", vec![
                ("Version", revision_words(health), Verdict::Plain),
                ("Running for", span_words(health.now - health.started_at), Verdict::Plain),
                ("Free disk", disk_words(health.disk_free), disk_verdict(health.disk_free)),
            ])}
            {table("database", "Database", vec![
                ("Engine", health.engine.clone(), Verdict::Plain),
                ("Schema", format!("version {}", health.schema_version), schema_verdict(health)),
                ("Size", health.database_bytes.map_or_else(|| "not known".to_owned(), bytes_words), Verdict::Plain),
                (
                    "Connections",
                    format!("{} in use, {} idle, at most {}", health.pool_in_use, health.pool_idle, health.pool_most),
                    pool_verdict(health),
                ),
            ])}
            {table("mail", "Mail", vec![
                ("Sending", if health.mail_on { "on".to_owned() } else { "off".to_owned() }, sending_verdict(health)),
                ("Waiting", counted(health.mail_waiting, "message", "messages"), waiting_verdict(health)),
                ("Given up", counted(health.mail_failed, "message", "messages"), failed_verdict(health)),
            ])}
            {table("kept", "What is kept", vec![
                ("Accounts", health.accounts.to_string(), Verdict::Plain),
                ("Guests", health.guests.to_string(), Verdict::Plain),
                ("Attempts", health.attempts.to_string(), Verdict::Plain),
                ("Sessions", health.sessions.to_string(), Verdict::Plain),
            ])}
        }
        .into_any()
    })
}

fn table(
    id: &'static str,
    title: &'static str,
    rows: Vec<(&'static str, String, Verdict)>,
) -> AnyView {
    let rows = rows
        .into_iter()
        .map(|(label, value, verdict)| {
            let (class, words) = match verdict {
                Verdict::Plain => ("", String::new()),
                Verdict::Good => ("pass", "✓ good".to_owned()),
                Verdict::Warn(what) => ("undecided", format!("~ {what}")),
                Verdict::Bad(what) => ("fail", format!("✕ {what}")),
            };
            view! {
                <tr>
                    <th scope="row">{label}</th>
                    <td class="num">{value}</td>
                    <td class=class>{words}</td>
                </tr>
            }
        })
        .collect_view();
    view! {
        <section aria-labelledby=id>
            <h2 id=id>{title}</h2>
            <table class="facts told judged-facts">
                <thead class="hidden"><tr><th scope="col">"What"</th><th scope="col">"Figure"</th><th scope="col">"Verdict"</th></tr></thead>
                <tbody>{rows}</tbody>
            </table>
        </section>
    }
    .into_any()
}

fn revision_words(health: &Health) -> String {
    match &health.revision {
        Some(revision) => format!("{}, revision {revision}", health.version),
        None => health.version.clone(),
    }
}

fn disk_words(free: Option<i64>) -> String {
    free.map_or_else(
        || "the database is not on this machine's disk".to_owned(),
        bytes_words,
    )
}

fn disk_verdict(free: Option<i64>) -> Verdict {
    match free {
        None => Verdict::Plain,
        Some(..NO_DISK) => {
            Verdict::Bad("saves are about to fail: make room on the disk now".to_owned())
        }
        Some(NO_DISK..LITTLE_DISK) => Verdict::Warn("below 1 GB: make room on the disk".to_owned()),
        Some(_) => Verdict::Good,
    }
}

fn schema_verdict(health: &Health) -> Verdict {
    match health.schema_version.cmp(&health.schema_known) {
        std::cmp::Ordering::Equal => Verdict::Good,
        std::cmp::Ordering::Less => Verdict::Bad(format!(
            "the program wants version {}: run headroom migrate",
            health.schema_known
        )),
        std::cmp::Ordering::Greater => Verdict::Bad(format!(
            "the program knows version {} only: install the newer one",
            health.schema_known
        )),
    }
}

fn pool_verdict(health: &Health) -> Verdict {
    if health.pool_most > 0 && health.pool_in_use >= health.pool_most {
        Verdict::Warn("all are in use: if it stays so, raise database_connections".to_owned())
    } else {
        Verdict::Good
    }
}

fn sending_verdict(health: &Health) -> Verdict {
    if health.mail_on {
        Verdict::Good
    } else {
        Verdict::Warn(
            "passwords can be reset by an administrator only: set smtp_url to change that"
                .to_owned(),
        )
    }
}

fn waiting_verdict(health: &Health) -> Verdict {
    match health.mail_oldest_at {
        Some(oldest) if health.now - oldest > LONG_IN_OUTBOX => Verdict::Warn(format!(
            "the oldest for {}: look at its error under Mail",
            span_words(health.now - oldest)
        )),
        _ => Verdict::Plain,
    }
}

fn failed_verdict(health: &Health) -> Verdict {
    if health.mail_failed > 0 {
        Verdict::Warn("look at the errors under Mail, then retry".to_owned())
    } else {
        Verdict::Plain
    }
}
