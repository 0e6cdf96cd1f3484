//! A person's account: profile, address, password, and the ways to what else belongs to it.
//!
//! Must never show another person's account: it renders what it is given, for the one who asked.

use axum::response::Response;
use http::StatusCode;
use leptos::prelude::*;

use crate::domain::attempt::UnixMillis;
use crate::domain::level::Level;
use crate::server::extract::Theme;
use crate::server::state::AppState;
use crate::ui::field::{Choice, Field};

use super::entry::PASSWORD_RULE;
use super::{FormState, Frame, counted, day, respond};

/// What the page shows of an account.
#[derive(Clone, Debug, Default)]
pub struct AccountData {
    pub name: String,
    pub email: String,
    pub email_verified_at: Option<UnixMillis>,
    /// A level's slug.
    pub level: Option<String>,
    /// `2026-03-01`
    pub interview_on: Option<String>,
    pub hours_a_week: Option<i64>,
    /// A name of the time zone database.
    pub time_zone: String,
    /// `auto`, `light` or `dark`.
    pub theme: String,
    pub created_at: UnixMillis,
    pub sessions: i64,
    pub second_factor_on: bool,
    pub administrator: bool,
    /// Whether this server sends mail.
    pub mail_on: bool,
}

/// Zones that are offered; any other of the database can be typed.
const ZONES: [&str; 37] = [
    "UTC",
    "Africa/Cairo",
    "Africa/Johannesburg",
    "Africa/Lagos",
    "Africa/Nairobi",
    "America/Argentina/Buenos_Aires",
    "America/Bogota",
    "America/Chicago",
    "America/Denver",
    "America/Halifax",
    "America/Los_Angeles",
    "America/Mexico_City",
    "America/New_York",
    "America/Phoenix",
    "America/Sao_Paulo",
    "America/Toronto",
    "Asia/Bangkok",
    "Asia/Dhaka",
    "Asia/Dubai",
    "Asia/Hong_Kong",
    "Asia/Jakarta",
    "Asia/Jerusalem",
    "Asia/Karachi",
    "Asia/Kolkata",
    "Asia/Manila",
    "Asia/Seoul",
    "Asia/Shanghai",
    "Asia/Singapore",
    "Asia/Tokyo",
    "Australia/Sydney",
    "Europe/Berlin",
    "Europe/Istanbul",
    "Europe/Kyiv",
    "Europe/London",
    "Europe/Madrid",
    "Europe/Paris",
    "Pacific/Auckland",
];

/// `GET /account`. The forms are `profile`, `email` and `password`.
pub fn account(
    state: &AppState,
    theme: Theme,
    account: &AccountData,
    form: &FormState,
    status: StatusCode,
) -> Response {
    let frame = Frame {
        title: "Account".to_owned(),
        path: "/account".to_owned(),
        fields: &[
            "name",
            "level",
            "interview_on",
            "hours_a_week",
            "time_zone",
            "theme",
            "email",
            "password",
            "current",
        ],
        ..Frame::default()
    };
    respond(state, theme, frame, form, status, || {
        let administration = account.administrator.then(|| {
            view! { <li><a href="/admin">"Administration"</a></li> }
        });
        view! {
            <p class="quiet">{account.name.clone()}", since "{day(account.created_at, &account.time_zone)}</p>
            <div class="settings">
                <nav aria-label="On this page">
                    <ul>
                        <li><a href="#profile">"Profile"</a></li>
                        <li><a href="#email">"Email address"</a></li>
                        <li><a href="#password">"Password"</a></li>
                        <li><a href="#security">"Sessions and second factor"</a></li>
                        <li><a href="#data">"Your data"</a></li>
                        {administration}
                    </ul>
                    <form method="post" action="/sign-out"><button class="btn">"Sign out"</button></form>
                </nav>
                <div>
                    {profile(account, form)}
                    {email(account, form)}
                    {password(account, form)}
                    <section aria-labelledby="security">
                        <h2 id="security">"Sessions and second factor"</h2>
                        <p>
                            {format!("{} signed in. ", counted(account.sessions, "browser is", "browsers are"))}
                            <a href="/account/sessions">"See and end sessions"</a>
                        </p>
                        <p>
                            {if account.second_factor_on {
                                "The second factor is on: signing in needs a code of your authenticator. "
                            } else {
                                "The second factor is off: your password alone signs you in. "
                            }}
                            <a href="/account/second-factor">
                                {if account.second_factor_on { "Recovery codes and turning it off" } else { "Turn it on" }}
                            </a>
                        </p>
                    </section>
                    <section aria-labelledby="data">
                        <h2 id="data">"Your data"</h2>
                        <p>"Everything that you made here, as one file; the way back in from such a file; and the end of the account."</p>
                        <p><a href="/account/data">"Export, import, delete"</a></p>
                    </section>
                </div>
            </div>
        }
        .into_any()
    })
}

fn profile(account: &AccountData, form: &FormState) -> AnyView {
    let form = form.part("profile");
    let hours = account
        .hours_a_week
        .map_or_else(String::new, |hours| hours.to_string());
    let levels = [("", "None yet")]
        .into_iter()
        .chain(Level::ALL.map(|level| (level.slug(), level.title())))
        .collect();
    let themes = Theme::ALL
        .map(|theme| (theme.slug(), theme.title()))
        .to_vec();
    view! {
        <section aria-labelledby="profile">
            <h2 id="profile">"Profile"</h2>
            <form class="form" method="post" action="/account/profile" novalidate=true>
                <Field entry=form.entry("name", &account.name) label="Name" autocomplete="name"/>
                <Choice entry=form.entry("level", account.level.as_deref().unwrap_or_default()) label="Level that you aim at" options=levels/>
                <Field
                    entry=form.entry("interview_on", account.interview_on.as_deref().unwrap_or_default())
                    label="Day of the interview"
                    kind="date"
                    short=true
                    optional=true
                />
                <Field
                    entry=form.entry("hours_a_week", &hours)
                    label="Hours a week for practice"
                    input_mode="numeric"
                    short=true
                    optional=true
                />
                <Field
                    entry=form.entry("time_zone", &account.time_zone)
                    label="Time zone"
                    list="zones"
                    help="A city that keeps your time, such as Europe/Berlin. Times on your own pages are told in it."
                />
                <datalist id="zones">{ZONES.map(|zone| view! { <option value=zone></option> }).collect_view()}</datalist>
                <Choice entry=form.entry("theme", &account.theme) label="Theme" options=themes/>
                <p class="actions"><button class="btn go">"Save the profile"</button></p>
            </form>
        </section>
    }
    .into_any()
}

fn email(account: &AccountData, form: &FormState) -> AnyView {
    let form = form.part("email");
    let state = match (account.email_verified_at, account.mail_on) {
        (Some(at), _) => view! {
            <p><b>{account.email.clone()}</b>" "<span class="pass">"✓ verified "{day(at, &account.time_zone)}</span></p>
        }
        .into_any(),
        (None, true) => view! {
            <p><b>{account.email.clone()}</b>" "<span class="undecided">"~ not verified"</span></p>
            <form class="send-again" method="post" action="/account/verify">
                <p class="quiet">"We sent a link to it. Open the link, so that you can get back in when you forget your password."</p>
                <p class="actions"><button class="btn">"Send the link again"</button></p>
            </form>
        }
        .into_any(),
        (None, false) => view! {
            <p><b>{account.email.clone()}</b></p>
            <p class="quiet">"This server sends no mail, so an address is not verified here. A forgotten password is reset by who runs the server."</p>
        }
        .into_any(),
    };
    let warned = if account.mail_on {
        "A link to verify it goes to the new address, and a note about the change to the old one."
    } else {
        ""
    };
    view! {
        <section aria-labelledby="email">
            <h2 id="email">"Email address"</h2>
            {state}
            <form class="form" method="post" action="/account/email" novalidate=true>
                <Field entry=form.entry("email", "") label="New email address" kind="email" autocomplete="email" help=warned/>
                <Field entry=form.entry("password", "") label="Your password" kind="password" autocomplete="current-password"/>
                <p class="actions"><button class="btn">"Change the address"</button></p>
            </form>
        </section>
    }
    .into_any()
}

fn password(account: &AccountData, form: &FormState) -> AnyView {
    let form = form.part("password");
    view! {
        <section aria-labelledby="password">
            <h2 id="password">"Password"</h2>
            <form class="form" method="post" action="/account/password" novalidate=true>
                // For the one who keeps the passwords: whose this is.
                <input type="text" name="username" value=account.email.clone() autocomplete="username" hidden=true readonly=true/>
                <Field entry=form.entry("current", "") label="Present password" kind="password" autocomplete="current-password"/>
                <Field entry=form.entry("password", "") label="New password" kind="password" autocomplete="new-password" help=PASSWORD_RULE/>
                <p class="quiet">"Every other session will be ended; this one stays."</p>
                <p class="actions"><button class="btn">"Change the password"</button></p>
            </form>
        </section>
    }
    .into_any()
}
