//! The list of accounts, found by a part of their name or address.
//!
//! Must never know what an account made, only that it is there.

use axum::response::Response;
use http::StatusCode;
use leptos::prelude::*;

use crate::accounts::page::{FormState, Frame, address, counted, day, paging, query, respond};
use crate::domain::attempt::UnixMillis;
use crate::server::extract::Theme;
use crate::server::state::AppState;

/// A page of the list.
#[derive(Clone, Debug, Default)]
pub struct AccountList {
    pub rows: Vec<AccountRow>,
    /// What was searched for.
    pub q: String,
    /// Found in all.
    pub found: i64,
    /// From 1.
    pub page: i64,
    pub pages: i64,
}

/// An account in the list.
#[derive(Clone, Debug, Default)]
pub struct AccountRow {
    pub id: String,
    pub name: String,
    pub email: String,
    pub verified: bool,
    /// Titles of the roles granted.
    pub roles: Vec<String>,
    pub disabled: bool,
    pub created_at: UnixMillis,
    pub seen_at: Option<UnixMillis>,
}

/// `GET /admin`
pub fn accounts(
    state: &AppState,
    theme: Theme,
    list: &AccountList,
    zone: &str,
    form: &FormState,
    status: StatusCode,
) -> Response {
    let frame = Frame {
        title: "Accounts".to_owned(),
        path: "/admin".to_owned(),
        query: query(&[("q", &list.q)]),
        width: "wide",
        administration: true,
        ..Frame::default()
    };
    respond(state, theme, frame, form, status, || {
        let rows = list.rows.iter().map(|row| line(row, zone)).collect_view();
        let searched = !list.q.is_empty();
        view! {
            <form class="filter" method="get" action="/admin" role="search" aria-label="Find accounts">
                <label class="grow">
                    <span class="eyebrow">"Name or email address"</span>
                    <input type="search" name="q" value=list.q.clone() autocomplete="off" spellcheck="false"/>
                </label>
                <button class="btn">"Find"</button>
                {searched.then(|| view! { <a href="/admin">"Show all"</a> })}
            </form>
            {if list.rows.is_empty() && searched {
                view! { <p class="empty">"No account has that in its name or address. Try a shorter part of it."</p> }.into_any()
            } else if list.rows.is_empty() {
                view! { <p class="empty">"Accounts are listed here once somebody signs up."</p> }.into_any()
            } else {
                view! {
                    <p class="quiet count">{counted(list.found, "account", "accounts")}</p>
                    <table class="stacks">
                        <thead><tr>
                            <th scope="col">"Name"</th><th scope="col">"Email address"</th><th scope="col">"Roles"</th>
                            <th scope="col">"State"</th><th scope="col">"Made"</th><th scope="col">"Last use"</th>
                        </tr></thead>
                        <tbody>{rows}</tbody>
                    </table>
                    {paging("/admin", &[("q", &list.q)], list.page, list.pages)}
                }
                .into_any()
            }}
        }
        .into_any()
    })
}

fn line(row: &AccountRow, zone: &str) -> impl IntoView {
    let roles = if row.roles.is_empty() {
        "–".to_owned()
    } else {
        row.roles.join(", ")
    };
    let (class, standing) = match (row.disabled, row.verified) {
        (true, _) => ("fail", "✕ disabled"),
        (false, true) => ("", "active"),
        (false, false) => ("", "active, address not verified"),
    };
    view! {
        <tr>
            <th scope="row"><a href=format!("/admin/accounts/{}", row.id)>{row.name.clone()}</a></th>
            <td data-label="Email">{address(&row.email)}</td>
            <td data-label="Roles">{roles}</td>
            <td data-label="State"><span class=class>{standing}</span></td>
            <td data-label="Made"><span>{day(row.created_at, zone)}</span></td>
            <td data-label="Last use"><span>{row.seen_at.map_or_else(|| "signed out".into_any(), |at| day(at, zone))}</span></td>
        </tr>
    }
}
