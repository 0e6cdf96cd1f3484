//! The pages of accounts and of administration: plain forms that need no script, rendered from what they are given.
//!
//! They must never read the database, and never put a password or a code back into a page.

mod account;
pub mod admin;
mod data;
mod entry;
mod form;
mod second_factor;
mod sessions;

pub use account::{AccountData, account};
pub use data::{ArchiveReport, DataPage, data};
pub use entry::{
    expired_link, forgot_password, forgot_password_sent, reset_password, second_factor_code,
    sign_in, sign_up, verify_email,
};
pub use form::FormState;

pub use second_factor::{SecondFactor, enroll_second_factor, recovery_codes, second_factor};
pub use sessions::{SessionRow, sessions};

use std::fmt::Write as _;

use axum::response::Response;
use http::StatusCode;
use http::header::RETRY_AFTER;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use leptos::prelude::*;

use crate::domain::attempt::{MINUTE, UnixMillis};
use crate::server::document::{Head, Kind, own_page};
use crate::server::extract::Theme;
use crate::server::state::AppState;
pub use crate::ui::notice::Notice;
use crate::ui::notice::counted;

/// What stands around the content of each of these pages.
#[derive(Clone, Debug, Default)]
struct Frame {
    title: String,
    /// Where the page is read, also when it answers a form that was posted elsewhere.
    path: String,
    /// The query of that address, with its question mark.
    query: String,
    /// The pages above this one, as (address, title).
    trail: Vec<(String, String)>,
    /// How wide the page is: a class beside `page`.
    width: &'static str,
    /// The fields that show their fault beside them, by the name that they send.
    fields: &'static [&'static str],
    lead: &'static str,
    /// Stands below the navigation of administration.
    administration: bool,
}

/// A page with its heading, what was done before it, and what is wrong with the form.
fn respond(
    state: &AppState,
    theme: Theme,
    frame: Frame,
    form: &FormState,
    status: StatusCode,
    body: impl FnOnce() -> AnyView,
) -> Response {
    let head = Head {
        title: frame.title.clone(),
        description: frame.title.clone(),
        path: frame.path.clone(),
        settled: frame.query,
        kind: Kind::Own,
        current: "/account",
    };
    let mut response = own_page(state, theme, &head, status, || {
        let trail = (!frame.trail.is_empty()).then(|| {
            let links = frame
                .trail
                .into_iter()
                .map(|(path, title)| view! { <a href=path>{title}</a>" / " })
                .collect_view();
            view! { <p class="eyebrow">{links}{frame.title.clone()}</p> }
        });
        view! {
            <main id="main" class=format!("page account {}", frame.width)>
                {frame.administration.then(|| admin::navigation(&frame.path))}
                {trail}
                <h1>{frame.title.clone()}</h1>
                {(!frame.lead.is_empty()).then(|| view! { <p class="lead">{frame.lead}</p> })}
                {form.messages(frame.fields)}
                {body()}
            </main>
        }
        .into_any()
    });
    if let Some(seconds) = form.seconds_to_wait() {
        response.headers_mut().insert(RETRY_AFTER, seconds.into());
    }
    response
}

/// `(address, title)` of the account's own page, which the others stand below.
fn below_account() -> Vec<(String, String)> {
    vec![("/account".to_owned(), "Account".to_owned())]
}

/// An email address that breaks before its host, where it has to break.
fn address(email: &str) -> AnyView {
    match email.rsplit_once('@') {
        Some((local, host)) => view! { {format!("{local}@")}<wbr/>{host.to_owned()} }.into_any(),
        None => email.to_owned().into_any(),
    }
}

/// An instant in words in the person's time zone, or in UTC when that is not known here.
fn instant(at: UnixMillis, zone: &str) -> AnyView {
    time(at, zone, "%-d %b %Y, %H:%M %Z")
}

/// An instant, or what is said where there is none.
fn instant_or(at: Option<UnixMillis>, zone: &str, none: &'static str) -> AnyView {
    at.map_or_else(|| none.into_any(), |at| instant(at, zone))
}

/// The day of an instant, where the minute does not matter.
fn day(at: UnixMillis, zone: &str) -> AnyView {
    time(at, zone, "%-d %b %Y")
}

fn time(at: UnixMillis, zone: &str, format: &str) -> AnyView {
    let Ok(at) = Timestamp::from_millisecond(at) else {
        return "unknown".into_any();
    };
    let zoned = at.to_zoned(TimeZone::get(zone).unwrap_or(TimeZone::UTC));
    view! { <time datetime=at.to_string()>{zoned.strftime(format).to_string()}</time> }.into_any()
}

/// How long something lasted, in its largest fitting unit.
fn span_words(millis: i64) -> String {
    let minutes = millis / MINUTE;
    match minutes {
        ..60 => counted(minutes.max(0), "minute", "minutes"),
        60..2880 => counted(minutes / 60, "hour", "hours"),
        _ => counted(minutes / 1440, "day", "days"),
    }
}

/// `1.5 GB`: bytes in decimal units.
fn bytes_words(bytes: i64) -> String {
    let units = [
        (1_000_000_000_000, "TB"),
        (1_000_000_000, "GB"),
        (1_000_000, "MB"),
        (1_000, "KB"),
    ];
    units
        .into_iter()
        .find(|(size, _)| bytes >= *size)
        .map_or_else(
            || format!("{bytes} B"),
            |(size, unit)| {
                let tenths = bytes / (size / 10);
                format!("{}.{} {unit}", tenths / 10, tenths % 10)
            },
        )
}

/// A query with its question mark, without what is empty; empty when all is.
pub fn query(pairs: &[(&str, &str)]) -> String {
    let mut text = String::new();
    for (name, value) in pairs.iter().filter(|(_, value)| !value.is_empty()) {
        text.push(if text.is_empty() { '?' } else { '&' });
        text.push_str(name);
        text.push('=');
        for byte in value.bytes() {
            if byte.is_ascii_alphanumeric() || b"-._~/:".contains(&byte) {
                text.push(char::from(byte));
            } else {
                // Writing to a string does not fail.
                let _ = write!(text, "%{byte:02X}");
            }
        }
    }
    text
}

/// Where the list goes on: earlier and later pages, and which this is. Pages count from 1.
fn paging(path: &str, pairs: &[(&str, &str)], page: i64, pages: i64) -> AnyView {
    if pages <= 1 {
        return ().into_any();
    }
    let to = |page: i64| {
        let number = page.to_string();
        let mut all = pairs.to_vec();
        all.push(("page", &number));
        format!("{path}{}", query(&all))
    };
    view! {
        <nav class="actions paging" aria-label="Pages of the list">
            {(page > 1).then(|| view! { <a class="btn" href=to(page - 1) rel="prev">"Previous"</a> })}
            <span class="quiet num">{format!("Page {page} of {pages}")}</span>
            {(page < pages).then(|| view! { <a class="btn" href=to(page + 1) rel="next">"Next"</a> })}
        </nav>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queries_keep_what_they_are_given() {
        for (pairs, expected) in [
            (&[][..], ""),
            (&[("next", "")][..], ""),
            (
                &[("next", "/prompts?level=mid&x=1#start")],
                "?next=/prompts%3Flevel%3Dmid%26x%3D1%23start",
            ),
            (&[("q", ""), ("page", "2")], "?page=2"),
            (&[("q", "a b+ü"), ("page", "2")], "?q=a%20b%2B%C3%BC&page=2"),
        ] {
            assert_eq!(query(pairs), expected);
        }
    }

    #[test]
    fn figures_have_units() {
        for (bytes, words) in [
            (0, "0 B"),
            (999, "999 B"),
            (1_000, "1.0 KB"),
            (1_560_000, "1.5 MB"),
            (i64::MAX, "9223372.0 TB"),
        ] {
            assert_eq!(bytes_words(bytes), words);
        }
        for (millis, words) in [
            (-5, "0 minutes"),
            (MINUTE, "1 minute"),
            (90 * MINUTE, "1 hour"),
            (3000 * MINUTE, "2 days"),
        ] {
            assert_eq!(span_words(millis), words);
        }
    }

    #[test]
    fn instants_are_told_in_a_zone_that_is_known() {
        let at = 1_767_225_600_000;
        let html = |zone: &str| Owner::new().with(|| instant(at, zone).to_html());
        assert!(html("UTC").contains("1 Jan 2026, 00:00 UTC"));
        assert!(html("no such zone").contains("1 Jan 2026, 00:00 UTC"));
        assert!(html("UTC").contains("datetime=\"2026-01-01T00:00:00Z\""));
    }
}
