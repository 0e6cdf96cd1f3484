//! What a person has ticked, and the form that ticks one thing.

use std::collections::BTreeMap;

use jiff::tz::TimeZone;
use leptos::prelude::*;

use crate::domain::attempt::UnixMillis;
use crate::domain::content::shelf::TickItem;
use crate::server::clock::in_zone;

/// What a signed-in person has ticked.
#[derive(Clone, Debug)]
pub struct Ticks {
    /// By the name of the item.
    pub when: BTreeMap<String, UnixMillis>,
    /// Where the person is.
    pub zone: TimeZone,
}

impl Ticks {
    fn at(&self, item: &TickItem) -> Option<UnixMillis> {
        self.when.get(&item.name()).copied()
    }
}

/// How far a person is, or how to keep track. `done` is what a ticked one is called: reached, read.
pub(super) fn progress(items: &[TickItem], ticks: Option<&Ticks>, done: &'static str) -> AnyView {
    let Some(ticks) = ticks else {
        let page = items.first().map_or("", TickItem::page);
        let to = format!("/sign-in?next=/reference/{page}");
        return view! { <p class="progress"><a href=to>"Sign in to keep track"</a>" of what you have "{done}"."</p> }
            .into_any();
    };
    let count = items.iter().filter(|item| ticks.at(item).is_some()).count();
    let all = items.len();
    view! {
        <p class="progress">
            <b class="num">{format!("{count} of {all}")}</b>{format!(" {done}")}
            <progress max=all.to_string() value=count.to_string() aria-hidden="true"></progress>
        </p>
    }
    .into_any()
}

/// An item of a list with its tick before it, where somebody is signed in.
pub(super) fn tickable(
    item: &TickItem,
    ticks: Option<&Ticks>,
    done: &'static str,
    label: &str,
    body: AnyView,
) -> AnyView {
    let done = capital(done);
    let at = ticks.and_then(|ticks| Some((ticks.at(item)?, &ticks.zone)));
    let form = ticks.is_some().then(|| {
        let on = if at.is_some() { "0" } else { "1" };
        let pressed = if at.is_some() { "true" } else { "false" };
        view! {
            <form method="post" action="/reference/ticks">
                <input type="hidden" name="item" value=item.name()/>
                <input type="hidden" name="on" value=on/>
                <button class="tick" aria-pressed=pressed aria-label=format!("{done}: {label}")></button>
            </form>
        }
    });
    let when = at.map(|(at, zone)| {
        view! { <p class="small quiet">{format!("{done} {}", in_zone(at, zone, "%-d %b %Y"))}</p> }
    });
    view! {
        <li id=item.anchor() class="tickable">
            {form}
            <div>{body}{when}</div>
        </li>
    }
    .into_any()
}

fn capital(word: &str) -> String {
    let mut letters = word.chars();
    letters
        .next()
        .map(|first| first.to_ascii_uppercase())
        .into_iter()
        .chain(letters)
        .collect()
}
