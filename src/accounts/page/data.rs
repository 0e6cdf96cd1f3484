//! Everything that a person made, taken out and brought back in, and the end of the account.
//!
//! Must never delete anything by itself: it renders the form that asks for it.

use axum::response::Response;
use http::StatusCode;
use leptos::prelude::*;

use crate::server::extract::Theme;
use crate::server::state::AppState;
use crate::ui::field::Field;

use super::{FormState, Frame, below_account, counted, respond};

/// What the page knows of the account.
#[derive(Clone, Debug, Default)]
pub struct DataPage {
    pub email: String,
    pub attempts: i64,
    pub second_factor_on: bool,
    pub report: Option<ArchiveReport>,
}

/// What came of an archive that was sent.
#[derive(Clone, Debug, Default)]
pub struct ArchiveReport {
    /// Nothing was taken when there is one.
    pub faults: Vec<String>,
    /// What was left out or is not known here.
    pub warnings: Vec<String>,
    pub added: i64,
    pub already: i64,
}

/// Faults that are listed; an archive can have thousands.
const LISTED: usize = 30;

/// `GET /account/data`. The forms are `import` and `delete`.
pub fn data(
    state: &AppState,
    theme: Theme,
    page: &DataPage,
    form: &FormState,
    status: StatusCode,
) -> Response {
    let frame = Frame {
        title: "Your data".to_owned(),
        path: "/account/data".to_owned(),
        trail: below_account(),
        width: "narrow",
        fields: &["archive", "confirm", "password", "code"],
        ..Frame::default()
    };
    respond(state, theme, frame, form, status, || {
        view! {
            {page.report.as_ref().map(report)}
            <section aria-labelledby="export">
                <h2 id="export">"Export"</h2>
                <p>
                    {format!("One zip file with your profile and {}: ", match page.attempts {
                        1 => "your attempt".to_owned(),
                        count => format!("your {}", counted(count, "attempt", "attempts")),
                    })}
                    "texts with every kept revision, numbers, minutes, hints and scores. It holds "
                    <code>"headroom.json"</code>", which can be imported again, and a folder of Markdown to read. Passwords and sessions are not in it."
                </p>
                <p class="actions"><a class="btn" href="/account/export">"Download everything"</a></p>
            </section>
            <section aria-labelledby="import">
                <h2 id="import">"Import"</h2>
                <p>"Brings attempts from such a file into this account. What you have already stays as it is; the profile is not changed."</p>
                <form class="form" method="post" action="/account/import" enctype="multipart/form-data" novalidate=true>
                    <Field
                        entry=form.part("import").entry("archive", "")
                        label="Archive"
                        kind="file"
                        accept=".zip,.json,application/zip,application/json"
                        help="The zip file of an export, or the headroom.json out of it."
                    />
                    <p class="actions"><button class="btn">"Import the archive"</button></p>
                </form>
            </section>
            {delete(page, form)}
        }
        .into_any()
    })
}

fn report(report: &ArchiveReport) -> AnyView {
    let list = |lines: &[String]| {
        let more = lines.len().saturating_sub(LISTED);
        let shown = lines
            .iter()
            .take(LISTED)
            .map(|line| view! { <li>{line.clone()}</li> })
            .collect_view();
        view! { <ul>{shown}{(more > 0).then(|| view! { <li>{format!("and {more} more")}</li> })}</ul> }
    };
    if !report.faults.is_empty() {
        return view! {
            <div class="notice fault" role="alert" tabindex="-1" autofocus=true>
                <p><b>"Nothing was imported: the archive cannot be taken as it is."</b></p>
                {list(&report.faults)}
            </div>
        }
        .into_any();
    }
    let words = match (report.added, report.already) {
        (0, 0) => "The archive holds no attempts.".to_owned(),
        (added, 0) => format!(
            "{} brought in.",
            counted(added, "attempt was", "attempts were")
        ),
        (added, already) => format!(
            "{} brought in; {} here already and stayed as you have it now.",
            counted(added, "attempt was", "attempts were"),
            counted(already, "attempt was", "attempts were")
        ),
    };
    view! {
        <div class="notice" role="status">
            <p>{words}" "<a href="/attempts">"Your attempts"</a></p>
            {(!report.warnings.is_empty()).then(|| list(&report.warnings))}
        </div>
    }
    .into_any()
}

fn delete(page: &DataPage, form: &FormState) -> AnyView {
    let form = form.part("delete");
    view! {
        <section class="danger" aria-labelledby="delete">
            <h2 id="delete">"Delete the account"</h2>
            <p>
                {match page.attempts {
                    0 => "Your profile, sessions and links".to_owned(),
                    count => format!("Your profile, {}, sessions and links", counted(count, "attempt", "attempts")),
                }}
                " are deleted at once and cannot be brought back by anybody but you, with an export. "
                <a href="/account/export">"Export everything first"</a>"."
            </p>
            <form class="form" method="post" action="/account/delete" novalidate=true>
                <Field entry=form.entry("confirm", "") label="Your email address, to confirm" kind="email" help=format!("Type {}", page.email)/>
                <Field entry=form.entry("password", "") label="Your password" kind="password" autocomplete="current-password"/>
                {page.second_factor_on.then(|| view! {
                    <Field
                        entry=form.entry("code", "")
                        label="Code"
                        autocomplete="one-time-code"
                        input_mode="numeric"
                        short=true
                        help="Of your authenticator, or a recovery code."
                    />
                })}
                <p class="actions"><button class="btn stop">"Delete my account and everything in it"</button></p>
            </form>
        </section>
    }
    .into_any()
}
