//! The pages of the shelf's data, as views that stand between a page's lead and its text.
//!
//! Each is rendered from the typed data and what the address chooses, runs no script, and has a table for each chart. The
//! views must never read the database: what a person has ticked is passed in.

mod chart;
mod compensation;
mod glossary;
mod levels;
mod loops;
mod numbers;
mod reading;
mod roadmap;
mod scorecard;
mod shelf;
mod tick;

pub use self::glossary::{glossary, term};
pub use self::shelf::{index, own_page, page};
pub use compensation::{PayChoice, compensation};
pub use levels::{LevelsChoice, levels};
pub use loops::{LoopsChoice, loops};
pub use numbers::numbers;
pub use reading::reading;
pub use roadmap::roadmap;
pub use scorecard::scorecard;
pub use tick::Ticks;

use leptos::prelude::*;

use crate::domain::content::Source;
use crate::domain::content::shelf::{Conflict, Statement};
use crate::server::form::{Fields, field};
use crate::ui::sources::Cite;

/// Says of a choice in the address that there is no such thing.
fn no_such(what: &str, given: &str) -> String {
    let given: String = given.chars().take(40).collect();
    format!("There is no {what} “{given}”, so it is left out.")
}

/// The choice under a name in an address: `None` where there is none or where it is not known, which `unknown` then tells.
fn chosen<T>(
    fields: &Fields,
    name: &str,
    what: &str,
    unknown: &mut Vec<String>,
    read: impl Fn(&str) -> Option<T>,
) -> Option<T> {
    let given = field(fields, name);
    if given.is_empty() {
        return None;
    }
    let found = read(given);
    if found.is_none() {
        unknown.push(no_such(what, given));
    }
    found
}

/// A query with its question mark, empty without pairs. The values are slugs.
fn query(pairs: &[(&str, String)]) -> String {
    let pairs: Vec<String> = pairs
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    if pairs.is_empty() {
        String::new()
    } else {
        format!("?{}", pairs.join("&"))
    }
}

/// A list to choose one from: each option is what is sent, what is read, and whether it is chosen.
fn select(
    name: &'static str,
    label: &'static str,
    options: Vec<(String, String, bool)>,
) -> AnyView {
    let options = options
        .into_iter()
        .map(|(value, text, chosen)| view! { <option value=value selected=chosen>{text}</option> })
        .collect_view();
    view! { <label><span class="eyebrow">{label}</span><select name=name>{options}</select></label> }
        .into_any()
}

/// What of the address was not understood.
fn notices(unknown: &[String]) -> AnyView {
    unknown
        .iter()
        .map(|text| view! { <p class="notice">{text.clone()}</p> })
        .collect_view()
        .into_any()
}

/// Statements with what each rests on; says so where no source says anything.
fn statements(all: &[Statement], sources: &[Source]) -> AnyView {
    if all.is_empty() {
        return view! { <span class="quiet">"The sources do not say."</span> }.into_any();
    }
    let lines = all
        .iter()
        .map(|statement| {
            view! { <p>{statement.text.clone()}" "<Cite basis=&statement.basis sources=sources/></p> }
        })
        .collect_view();
    view! { <div>{lines}</div> }.into_any()
}

/// Sources that do not agree: what they say, and what we make of it.
fn conflict(conflict: &Conflict, said: AnyView) -> AnyView {
    view! {
        <section class="conflict">
            <h3>{conflict.title.clone()}" "<span class="tag">"sources differ"</span></h3>
            {said}
            {our_reading(&conflict.reading)}
        </section>
    }
    .into_any()
}

/// What we make of a difference, labeled as ours.
fn our_reading(text: &str) -> AnyView {
    view! { <p><b>"Our reading."</b>" "{text.to_owned()}" "<span class="cite">"ours"</span></p> }
        .into_any()
}
