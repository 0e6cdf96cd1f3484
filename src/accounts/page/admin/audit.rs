//! The audit log: who did what to whom, filtered and taken along.
//!
//! Must never offer to change an entry.

use axum::response::Response;
use http::StatusCode;
use leptos::prelude::*;

use crate::accounts::page::{FormState, Frame, counted, instant, paging, query, respond};
use crate::domain::attempt::UnixMillis;
use crate::server::extract::Theme;
use crate::server::state::AppState;
use crate::ui::field::{Entry, Field};

/// An entry of the log.
#[derive(Clone, Debug, Default)]
pub struct AuditRow {
    pub at: UnixMillis,
    /// In words: a name and address, the command line, nobody known.
    pub actor: String,
    /// The actor's account, where it still exists.
    pub actor_id: Option<String>,
    /// A slug: `sign-in-refused`.
    pub action: String,
    /// In words; empty when it was done to nobody.
    pub subject: String,
    pub subject_id: Option<String>,
    pub detail: String,
    /// The address that it was asked from; empty for the command line.
    pub address: String,
}

/// What the log is filtered by, as it was typed; empty is any.
#[derive(Clone, Debug, Default)]
pub struct AuditFilter {
    pub action: String,
    /// An email address or an id of an account.
    pub account: String,
    /// `2026-01-01`, a day in UTC, inclusive.
    pub from: String,
    pub to: String,
}

/// What can be wrong with a filter, by the names in the address.
const FIELDS: [&str; 4] = ["action", "account", "from", "to"];

impl AuditFilter {
    fn pairs(&self) -> [(&'static str, &str); 4] {
        [
            ("action", &self.action),
            ("account", &self.account),
            ("from", &self.from),
            ("to", &self.to),
        ]
    }
}

/// A page of the log.
#[derive(Clone, Debug, Default)]
pub struct AuditList {
    pub rows: Vec<AuditRow>,
    pub filter: AuditFilter,
    /// Every action that there is, for the choice.
    pub actions: Vec<String>,
    pub found: i64,
    /// From 1.
    pub page: i64,
    pub pages: i64,
}

/// `GET /admin/audit`. A filter that is not understood comes with a fault of its field.
pub fn audit(
    state: &AppState,
    theme: Theme,
    list: &AuditList,
    zone: &str,
    form: &FormState,
    status: StatusCode,
) -> Response {
    let filter = &list.filter;
    let pairs = filter.pairs();
    let frame = Frame {
        title: "Audit log".to_owned(),
        path: "/admin/audit".to_owned(),
        query: query(&pairs),
        width: "wide",
        fields: &FIELDS,
        administration: true,
        ..Frame::default()
    };
    respond(state, theme, frame, form, status, || {
        let entry = |name: &'static str, value: &str| Entry {
            value: value.to_owned(),
            ..form.entry(name, value)
        };
        let actions = list
            .actions
            .iter()
            .map(|action| {
                let chosen = *action == filter.action;
                view! { <option value=action.clone() selected=chosen>{action.replace('-', " ")}</option> }
            })
            .collect_view();
        let filtered = pairs.iter().any(|(_, value)| !value.is_empty());
        let unread = FIELDS.iter().any(|field| form.fault(field).is_some());
        let nothing = match (unread, filtered) {
            (true, _) => "Nothing is shown until the filter reads.",
            (false, true) => "No entry fits. Widen the days, or leave the action open.",
            (false, false) => "What is done to accounts is recorded here. Nothing was done yet.",
        };
        let export = |format: &str| format!("/admin/audit/export/audit.{format}{}", query(&pairs));
        view! {
            <form class="filter" method="get" action="/admin/audit" role="search" aria-label="Filter the log" novalidate=true>
                <div class="field">
                    <label for="action">"Action"</label>
                    <select id="action" name="action"><option value="">"Any action"</option>{actions}</select>
                </div>
                <Field entry=entry("account", &filter.account) label="Account" optional=true/>
                <Field entry=entry("from", &filter.from) label="From (UTC)" kind="date" optional=true/>
                <Field entry=entry("to", &filter.to) label="To (UTC)" kind="date" optional=true/>
                <button class="btn">"Show"</button>
                {filtered.then(|| view! { <a href="/admin/audit">"Show all"</a> })}
            </form>
            {if list.rows.is_empty() {
                view! {
                    <p class="empty">{nothing}</p>
                }
                .into_any()
            } else {
                view! {
                    <p class="count quiet links actions">
                        <span>{counted(list.found, "entry, latest first", "entries, latest first")}</span>
                        <a href=export("csv")>"Export as CSV"</a>
                        <a href=export("json")>"Export as JSON"</a>
                    </p>
                    {audit_table(&list.rows, zone)}
                    {paging("/admin/audit", &pairs, list.page, list.pages)}
                }
                .into_any()
            }}
        }
        .into_any()
    })
}

/// The entries as a table, latest first as they are given.
pub(super) fn audit_table(rows: &[AuditRow], zone: &str) -> AnyView {
    let who = |words: &str, id: &Option<String>| {
        let words = if words.is_empty() { "–" } else { words }.to_owned();
        match id {
            Some(id) => view! { <a href=format!("/admin/accounts/{id}")>{words}</a> }.into_any(),
            None => words.into_any(),
        }
    };
    let lines = rows
        .iter()
        .map(|row| {
            let failed = row.action.contains("fail") || row.action.contains("refused");
            let or_dash = |text: &str| if text.is_empty() { "–" } else { text }.to_owned();
            view! {
                <tr>
                    <td data-label="When"><span>{instant(row.at, zone)}</span></td>
                    <th scope="row" class=failed.then_some("fail")>{row.action.replace('-', " ")}</th>
                    <td data-label="By"><span>{who(&row.actor, &row.actor_id)}</span></td>
                    <td data-label="To"><span>{who(&row.subject, &row.subject_id)}</span></td>
                    <td data-label="Detail"><span>{or_dash(&row.detail)}</span></td>
                    <td data-label="Address"><span class="mono">{or_dash(&row.address)}</span></td>
                </tr>
            }
        })
        .collect_view();
    view! {
        <table class="stacks log">
            <thead><tr>
                <th scope="col">"When"</th><th scope="col">"Action"</th><th scope="col">"By"</th>
                <th scope="col">"To"</th><th scope="col">"Detail"</th><th scope="col">"Address"</th>
            </tr></thead>
            <tbody>{lines}</tbody>
        </table>
    }
    .into_any()
}
