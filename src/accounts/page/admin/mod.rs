//! The pages of administration: accounts, the audit log, the outbox, and how the server is.
//!
//! Must never show what a person wrote: administrators manage accounts, they do not read attempts.

mod account;
mod accounts;
mod audit;
mod health;
mod outbox;

pub use account::{AccountDetail, account};
pub use accounts::{AccountList, AccountRow, accounts};
pub use audit::{AuditFilter, AuditList, AuditRow, audit};
pub use health::{Health, health};
pub use outbox::{OutboxList, OutboxRow, outbox};

use axum::response::Response;
use http::StatusCode;
use leptos::prelude::*;

use crate::server::extract::Theme;
use crate::server::state::AppState;

use super::{FormState, Frame, respond};

/// The pages of administration, the one at `path` marked; those below `/admin/accounts` belong to the first.
pub(super) fn navigation(path: &str) -> AnyView {
    let current = if path.starts_with("/admin/accounts/") {
        "/admin"
    } else {
        path
    };
    let items = [
        ("/admin", "Accounts"),
        ("/admin/audit", "Audit log"),
        ("/admin/outbox", "Mail"),
        ("/admin/health", "Health"),
    ]
    .map(|(to, title)| {
        view! { <a href=to aria-current=(to == current).then_some("page")>{title}</a> }
    })
    .collect_view();
    view! { <nav class="sections" aria-label="Administration">{items}</nav> }.into_any()
}

/// `GET /admin` for an administrator without a second factor. 403.
pub fn without_second_factor(state: &AppState, theme: Theme) -> Response {
    let frame = Frame {
        title: "Administration is closed".to_owned(),
        path: "/admin".to_owned(),
        width: "narrow",
        ..Frame::default()
    };
    respond(
        state,
        theme,
        frame,
        &FormState::default(),
        StatusCode::FORBIDDEN,
        || {
            view! {
                <p>
                    "You are an administrator, but your account has no second factor. Whoever learned your password could act on every \
                     account, so these pages open only to who signs in with a code as well."
                </p>
                <p class="actions links"><a class="btn go" href="/account/second-factor">"Turn on the second factor"</a><a href="/account">"Your account"</a></p>
            }
            .into_any()
        },
    )
}
