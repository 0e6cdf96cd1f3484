//! One account as an administrator sees it, and what can be done to it.
//!
//! Must never show a password, a secret or a code; a link to reset a password is shown once, to be handed over.

use axum::response::Response;
use http::StatusCode;
use leptos::prelude::*;

use crate::accounts::page::{FormState, Frame, counted, instant, instant_or, query, respond};
use crate::domain::attempt::UnixMillis;
use crate::server::extract::Theme;
use crate::server::state::AppState;
use crate::ui::field::Field;

use super::audit::{AuditRow, audit_table};

/// An account with what may be done to it.
#[derive(Clone, Debug, Default)]
pub struct AccountDetail {
    pub id: String,
    pub name: String,
    pub email: String,
    pub email_verified_at: Option<UnixMillis>,
    pub mentor: bool,
    pub administrator: bool,
    pub second_factor_on: bool,
    pub created_at: UnixMillis,
    pub seen_at: Option<UnixMillis>,
    pub sessions: i64,
    pub attempts: i64,
    pub disabled_at: Option<UnixMillis>,
    /// Who disabled it, in words.
    pub disabled_by: Option<String>,
    /// The account of the one who asks: it cannot be disabled or demoted from here.
    pub own: bool,
    /// The latest entries of the audit log about it.
    pub audit: Vec<AuditRow>,
    /// The whole address of a link that was just made: shown this once.
    pub reset_link: Option<String>,
}

/// `GET /admin/accounts/{id}`. The form with a field is `disable`.
pub fn account(
    state: &AppState,
    theme: Theme,
    account: &AccountDetail,
    zone: &str,
    form: &FormState,
    status: StatusCode,
) -> Response {
    let frame = Frame {
        title: account.name.clone(),
        path: format!("/admin/accounts/{}", account.id),
        trail: vec![("/admin".to_owned(), "Accounts".to_owned())],
        fields: &["reason"],
        administration: true,
        ..Frame::default()
    };
    respond(state, theme, frame, form, status, || {
        view! {
            {account.own.then(|| view! { <p class="quiet">"This is your own account."</p> })}
            {account.reset_link.clone().map(|link| view! {
                <div class="notice" role="status">
                    <p><label for="reset-link"><b>"The link is made. Hand it over in a way that nobody else reads: it is not shown again."</b></label></p>
                    <input id="reset-link" class="mono" value=link readonly=true autofocus=true spellcheck="false"/>
                    <p class="small">"It works once, and for one hour."</p>
                </div>
            })}
            <section aria-labelledby="about">
                <h2 id="about">"About it"</h2>
                {facts(account, zone)}
            </section>
            <section aria-labelledby="roles">
                <h2 id="roles">"Roles"</h2>
                {roles(account)}
            </section>
            <section aria-labelledby="access">
                <h2 id="access">"Access"</h2>
                {access(account, form)}
            </section>
            <section aria-labelledby="log">
                <h2 id="log">"Audit log"</h2>
                {if account.audit.is_empty() {
                    view! { <p class="quiet">"Nothing is recorded about this account."</p> }.into_any()
                } else {
                    view! {
                        {audit_table(&account.audit, zone)}
                        <p class="aside"><a href=format!("/admin/audit{}", query(&[("account", &account.email)]))>"All entries about this account"</a></p>
                    }
                    .into_any()
                }}
            </section>
        }
        .into_any()
    })
}

fn facts(account: &AccountDetail, zone: &str) -> AnyView {
    let row = |label: &'static str, value: AnyView| {
        view! { <tr><th scope="row">{label}</th><td>{value}</td></tr> }
    };
    let standing = match account.disabled_at {
        Some(at) => {
            let by = account.disabled_by.clone().map(|by| format!(" by {by}"));
            view! { <span class="fail">"✕ disabled "{instant(at, zone)}{by}</span> }.into_any()
        }
        None => "active".into_any(),
    };
    let verified = match account.email_verified_at {
        Some(at) => view! { <span class="pass">"✓ verified "{instant(at, zone)}</span> }.into_any(),
        None => view! { <span class="undecided">"~ not verified"</span> }.into_any(),
    };
    let factor = if account.second_factor_on {
        view! { <span class="pass">"✓ on"</span> }.into_any()
    } else {
        "off".into_any()
    };
    view! {
        <table class="facts told">
            <tbody>
                {row("State", standing)}
                {row("Email address", view! { {account.email.clone()}" "{verified} }.into_any())}
                {row("Second factor", factor)}
                {row("Made", instant(account.created_at, zone))}
                {row("Last use", instant_or(account.seen_at, zone, "signed out everywhere"))}
                {row("Sessions", counted(account.sessions, "session", "sessions").into_any())}
                {row("Attempts", counted(account.attempts, "attempt", "attempts").into_any())}
            </tbody>
        </table>
    }
    .into_any()
}

fn roles(account: &AccountDetail) -> AnyView {
    let id = &account.id;
    let role = |slug: &'static str, title: &'static str, what: &'static str, granted: bool| {
        let kept = account.own && granted && slug == "administrator";
        let (to, verb, preposition) = if granted {
            ("revoke", "Revoke", "from")
        } else {
            ("grant", "Grant", "to")
        };
        let label = format!("{verb} {slug} {preposition} {}", account.name);
        let action = if kept {
            view! { <span class="quiet">"Another administrator can revoke it."</span> }.into_any()
        } else {
            view! {
                <form method="post" action=format!("/admin/accounts/{id}/{to}")>
                    <input type="hidden" name="role" value=slug/>
                    <button class="btn" aria-label=label>{verb}</button>
                </form>
            }
            .into_any()
        };
        view! {
            <tr>
                <th scope="row">{title}<p>{what}</p></th>
                <td data-label="State">{if granted { view! { <span class="pass">"✓ granted"</span> }.into_any() } else { view! { <span>"not granted"</span> }.into_any() }}</td>
                <td class="act">{action}</td>
            </tr>
        }
    };
    view! {
        <table class="stacks">
            <thead class="hidden"><tr><th scope="col">"Role"</th><th scope="col">"State"</th><th scope="col">"Action"</th></tr></thead>
            <tbody>
                {role("mentor", "Mentor", "Reviews attempts when people ask for it.", account.mentor)}
                {role("administrator", "Administrator", "Opens these pages, once the account has a second factor.", account.administrator)}
            </tbody>
        </table>
    }
    .into_any()
}

fn access(account: &AccountDetail, form: &FormState) -> AnyView {
    let id = &account.id;
    let form = form.part("disable");
    let disabling = if account.own {
        view! { <p class="quiet">"You cannot disable your own account. To leave, delete it under Your data."</p> }.into_any()
    } else if account.disabled_at.is_some() {
        view! {
            <form method="post" action=format!("/admin/accounts/{id}/enable")>
                <p>"The person cannot sign in. What they made is kept."</p>
                <p class="actions"><button class="btn">"Enable the account"</button></p>
            </form>
        }
        .into_any()
    } else {
        view! {
            <form class="form" method="post" action=format!("/admin/accounts/{id}/disable") novalidate=true>
                <Field entry=form.entry("reason", "") label="Reason for disabling it" help="Goes into the audit log. The person is signed out everywhere and cannot sign in; what they made is kept."/>
                <p class="actions"><button class="btn stop">"Disable the account"</button></p>
            </form>
        }
        .into_any()
    };
    view! {
        <div class="doings">
            <form method="post" action=format!("/admin/accounts/{id}/end-sessions")>
                <p>"Sign the person out in every browser."</p>
                <p class="actions"><button class="btn" disabled={account.sessions == 0}>{if account.sessions == 0 { "No session to end".to_owned() } else { format!("End {}", counted(account.sessions, "session", "sessions")) }}</button></p>
            </form>
            <form method="post" action=format!("/admin/accounts/{id}/reset-link")>
                <p>"Make a link by which the person chooses a new password. Earlier links stop working."</p>
                <p class="actions"><button class="btn">"Make a reset link"</button></p>
            </form>
            {disabling}
        </div>
    }
    .into_any()
}
