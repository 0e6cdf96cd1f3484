//! The mail that has to go out, went out, or was given up.
//!
//! Must never show what a message says: it may hold what only its reader may know.

use axum::response::Response;
use http::StatusCode;
use leptos::prelude::*;

use crate::accounts::page::{FormState, Frame, address, counted, instant, paging, query, respond};
use crate::domain::attempt::UnixMillis;
use crate::server::extract::Theme;
use crate::server::state::AppState;

/// A page of the outbox, with how many there are of each state.
#[derive(Clone, Debug, Default)]
pub struct OutboxList {
    pub rows: Vec<OutboxRow>,
    /// `all`, `waiting`, `given-up` or `sent`.
    pub shown: String,
    pub waiting: i64,
    pub sent: i64,
    pub failed: i64,
    /// From 1.
    pub page: i64,
    pub pages: i64,
    /// Whether this server sends mail.
    pub mail_on: bool,
}

/// A message.
#[derive(Clone, Debug, Default)]
pub struct OutboxRow {
    pub id: String,
    /// A slug: `reset-password`.
    pub kind: String,
    pub recipient: String,
    pub created_at: UnixMillis,
    pub tries: i64,
    pub next_try_at: UnixMillis,
    pub sent_at: Option<UnixMillis>,
    pub failed_at: Option<UnixMillis>,
    pub last_error: Option<String>,
}

/// `GET /admin/outbox`
pub fn outbox(
    state: &AppState,
    theme: Theme,
    list: &OutboxList,
    zone: &str,
    form: &FormState,
    status: StatusCode,
) -> Response {
    let frame = Frame {
        title: "Mail".to_owned(),
        path: "/admin/outbox".to_owned(),
        query: query(&[("show", &list.shown)]),
        width: "wide",
        administration: true,
        ..Frame::default()
    };
    respond(state, theme, frame, form, status, || {
        let choice = |slug: &'static str, text: String| {
            let current = (list.shown == slug).then_some("page");
            view! { <a href=format!("/admin/outbox{}", query(&[("show", slug)])) aria-current=current>{text}</a> }
        };
        let rows = list.rows.iter().map(|row| line(row, zone)).collect_view();
        let nothing = match list.shown.as_str() {
            "waiting" => "No message is waiting.",
            "sent" => "No message was sent in the last 30 days.",
            "given-up" => "No message was given up.",
            _ => "Messages that the server sends are listed here. There is none yet.",
        };
        view! {
            {(!list.mail_on).then(|| view! {
                <p class="notice">"This server sends no mail: no mail server is configured. Set "<code>"smtp_url"</code>" and "<code>"mail_from"</code>" to change that."</p>
            })}
            <nav class="sections states" aria-label="Messages by state">
                {choice("all", format!("All {}", list.waiting + list.sent + list.failed))}
                {choice("waiting", format!("Waiting {}", list.waiting))}
                {choice("given-up", format!("Given up {}", list.failed))}
                {choice("sent", format!("Sent {}", list.sent))}
            </nav>
            {if list.rows.is_empty() {
                view! { <p class="empty">{nothing}</p> }.into_any()
            } else {
                view! {
                    <table class="stacks">
                        <thead><tr>
                            <th scope="col">"Message"</th><th scope="col">"To"</th><th scope="col">"Queued"</th><th scope="col">"State"</th>
                            <th scope="col"><span class="hidden">"Action"</span></th>
                        </tr></thead>
                        <tbody>{rows}</tbody>
                    </table>
                    {paging("/admin/outbox", &[("show", &list.shown)], list.page, list.pages)}
                }
                .into_any()
            }}
        }
        .into_any()
    })
}

fn line(row: &OutboxRow, zone: &str) -> impl IntoView {
    let tries = counted(row.tries, "try", "tries");
    let standing = match (row.sent_at, row.failed_at) {
        (Some(at), _) => {
            view! { <p class="pass">"✓ sent "{instant(at, zone)}</p> }.into_any()
        }
        (None, Some(at)) => {
            view! { <p class="fail">{format!("✕ given up after {tries}, ")}{instant(at, zone)}</p> }.into_any()
        }
        (None, None) if row.tries == 0 => view! { <p>"waiting"</p> }.into_any(),
        (None, None) => {
            view! { <p class="undecided">{format!("~ waiting after {tries}, next ")}{instant(row.next_try_at, zone)}</p> }
                .into_any()
        }
    };
    let error = row
        .last_error
        .clone()
        .filter(|_| row.sent_at.is_none())
        .map(|error| view! { <p class="small quiet">{error}</p> });
    let retry = (row.sent_at.is_none() && row.tries > 0).then(|| {
        let label = format!("Retry {} to {}", row.kind.replace('-', " "), row.recipient);
        view! {
            <form method="post" action=format!("/admin/outbox/{}/retry", row.id)>
                <button class="btn" aria-label=label>"Retry"</button>
            </form>
        }
    });
    view! {
        <tr>
            <th scope="row">{row.kind.replace('-', " ")}</th>
            <td data-label="To"><span>{address(&row.recipient)}</span></td>
            <td data-label="Queued"><span>{instant(row.created_at, zone)}</span></td>
            <td data-label="State"><div>{standing}{error}</div></td>
            <td class="act">{retry}</td>
        </tr>
    }
}
