//! The browsers in which a person is signed in.
//!
//! Must never show the id that a session's cookie carries, only the row's own.

use axum::response::Response;
use http::StatusCode;
use leptos::prelude::*;

use crate::domain::attempt::UnixMillis;
use crate::server::extract::Theme;
use crate::server::state::AppState;

use super::{FormState, Frame, below_account, instant, instant_or, respond};

/// A session of the account.
#[derive(Clone, Debug, Default)]
pub struct SessionRow {
    /// What the form sends to end it; no cookie can be made from it.
    pub id: String,
    /// `Firefox on Linux`; empty when the browser did not say.
    pub device: String,
    pub seen_at: UnixMillis,
    pub signed_in_at: Option<UnixMillis>,
    /// The one that asks.
    pub current: bool,
}

/// `GET /account/sessions`
pub fn sessions(
    state: &AppState,
    theme: Theme,
    rows: &[SessionRow],
    zone: &str,
    form: &FormState,
    status: StatusCode,
) -> Response {
    let frame = Frame {
        title: "Sessions".to_owned(),
        path: "/account/sessions".to_owned(),
        trail: below_account(),
        ..Frame::default()
    };
    respond(state, theme, frame, form, status, || {
        let others = rows.iter().filter(|row| !row.current).count();
        let lines = rows.iter().map(|row| line(row, zone)).collect_view();
        view! {
            <p class="quiet">"Where you are signed in. End what you do not know or no longer use, and change your password if you did not sign in there."</p>
            <table class="stacks">
                <thead><tr>
                    <th scope="col">"Device"</th><th scope="col">"Last use"</th><th scope="col">"Signed in"</th>
                    <th scope="col"><span class="hidden">"Action"</span></th>
                </tr></thead>
                <tbody>{lines}</tbody>
            </table>
            {if others == 0 {
                view! { <p class="quiet aside">"There is no other session."</p> }.into_any()
            } else {
                view! {
                    <form class="aside" method="post" action="/account/sessions/end-others">
                        <p class="actions"><button class="btn">"End all others"</button><span class="quiet">"This browser stays signed in."</span></p>
                    </form>
                }
                .into_any()
            }}
            <form class="aside" method="post" action="/account/sessions/end-all">
                <p class="actions"><button class="btn">"End all"</button><span class="quiet">"You sign in again, here too."</span></p>
            </form>
        }
        .into_any()
    })
}

fn line(row: &SessionRow, zone: &str) -> impl IntoView {
    let device = if row.device.is_empty() {
        "Unknown device".to_owned()
    } else {
        row.device.clone()
    };
    let label = format!("End the session of {device}");
    let action = if row.current {
        view! { <span class="tag">"this browser"</span> }.into_any()
    } else {
        view! {
            <form method="post" action="/account/sessions/end">
                <input type="hidden" name="session" value=row.id.clone()/>
                <button class="btn" aria-label=label>"End"</button>
            </form>
        }
        .into_any()
    };
    view! {
        <tr>
            <th scope="row">{device}</th>
            <td data-label="Last use"><span>{instant(row.seen_at, zone)}</span></td>
            <td data-label="Signed in"><span>{instant_or(row.signed_in_at, zone, "unknown")}</span></td>
            <td class="act">{action}</td>
        </tr>
    }
}
