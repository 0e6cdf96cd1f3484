//! The search box and its results: found while one types, chosen with the arrow keys.

use std::time::Duration;

use leptos::html::{Div, Input};
use leptos::leptos_dom::helpers::TimeoutHandle;
use leptos::prelude::*;
use leptos::task::spawn_local;
use wasm_bindgen::JsCast as _;

use super::api::{Hit, MOST_HITS, QUERY_LENGTH, Results, search};
use crate::ui::live_form::{query_of, settle_address};

/// The pause after a key before the server is asked.
const PAUSE: Duration = Duration::from_millis(120);

#[island]
pub fn SearchBox(first: Results) -> impl IntoView {
    let typed = first.query.clone();
    let results = RwSignal::new(first);
    let offline = RwSignal::new(false);
    let input = NodeRef::<Input>::new();
    let list = NodeRef::<Div>::new();
    let waiting = StoredValue::new(None::<TimeoutHandle>);

    let ask = move || {
        let Some(query) = input.get_untracked().map(|input| input.value()) else {
            return;
        };
        spawn_local(async move {
            let answer = search(query.clone()).await;
            // An answer to what has been typed over since is too late.
            let current = input.get_untracked().map(|input| input.value());
            if current.as_deref() != Some(query.as_str()) {
                return;
            }
            offline.set(answer.is_err());
            if let Ok(answer) = answer {
                // Whoever comes back from a result finds what they had searched for.
                settle_address(&format!("/search?{}", query_of(&[("q".to_owned(), query)])));
                results.set(answer);
            }
        });
    };
    let on_input = move |_| {
        if let Some(earlier) = waiting.get_value() {
            earlier.clear();
        }
        waiting.set_value(set_timeout_with_handle(ask, PAUSE).ok());
    };
    // From the field into the results, along them, and back: by steps, or with Escape at once.
    let on_key = move |event: leptos::ev::KeyboardEvent| {
        let step: i32 = match event.key().as_str() {
            "ArrowDown" => 1,
            "ArrowUp" => -1,
            "Escape" => i32::MIN,
            _ => return,
        };
        let Some(list) = list.get_untracked() else {
            return;
        };
        let Ok(links) = list.query_selector_all("a.hit") else {
            return;
        };
        let links: Vec<web_sys::HtmlElement> = (0..links.length())
            .filter_map(|at| links.item(at)?.dyn_into().ok())
            .collect();
        let active = document().active_element();
        let at = links
            .iter()
            .position(|link| active.as_ref() == Some(link.as_ref()))
            .map_or(-1, |at| at as i32);
        // In the field Escape empties it, as the browser does by itself.
        if at < 0 && step == i32::MIN {
            return;
        }
        event.prevent_default();
        match usize::try_from(at.saturating_add(step)) {
            Ok(next) => {
                if let Some(link) = links.get(next) {
                    let _ = link.focus();
                }
            }
            Err(_) => {
                if let Some(input) = input.get_untracked() {
                    let _ = input.focus();
                }
            }
        }
    };
    view! {
        <div node_ref=list on:keydown=on_key>
            <form class="search-form" role="search" action="/search">
                <label class="hidden" for="q">"Search the library"</label>
                <input node_ref=input type="search" id="q" name="q" value=typed maxlength=QUERY_LENGTH autofocus
                    placeholder="idempotency, rate limiter, L5 …" autocomplete="off" on:input=on_input/>
                <button class="btn">"Search"</button>
            </form>
            <p class="hint small quiet">"Arrow keys move along the results, Enter opens one."</p>
            <div aria-live="polite">
                {move || offline.get().then(|| view! { <p class="notice">"The server does not answer. What is shown is from before; press Enter to try again."</p> })}
                {move || outcome(&results.get())}
            </div>
        </div>
    }
}

fn outcome(results: &Results) -> AnyView {
    let Results {
        query,
        hits,
        taken_as,
        own,
    } = results;
    if query.trim().is_empty() {
        return view! {
            <p class="empty">"Prompts, the reference shelf, the glossary, the calculators and your own attempts are found here. Type a word of the field, such as "<a href="/search?q=idempotency">"idempotency"</a>"."</p>
        }
        .into_any();
    }
    let count = match hits.len() + own.len() {
        0 => format!("Nothing fits “{query}”."),
        1 => "1 result".to_owned(),
        many if hits.len() == MOST_HITS => format!("The {many} results that fit best"),
        many => format!("{many} results"),
    };
    let instead = taken_as
        .as_ref()
        .map(|taken| view! { <p class="quiet">{format!("No text has “{query}”. Shown for “{taken}”.")}</p> });
    let nothing = (hits.is_empty() && own.is_empty()).then(|| {
        view! {
            <p class="empty">"Try fewer or other words, or look through the "<a href="/prompts">"prompts"</a>", the "<a href="/reference">"reference"</a>" and the "<a href="/reference/glossary">"glossary"</a>"."</p>
        }
    });
    view! {
        <p class="count quiet">{count}</p>
        {instead}
        {nothing}
        {(!own.is_empty()).then(|| view! { <h2>"Your attempts"</h2>{list(own)} })}
        {(!own.is_empty() && !hits.is_empty()).then(|| view! { <h2>"The library"</h2> })}
        {list(hits)}
    }
    .into_any()
}

fn list(hits: &[Hit]) -> AnyView {
    let items = hits
        .iter()
        .map(|hit| {
            view! {
                <li>
                    <a class="hit" href=hit.path.clone() inner_html=hit.title.clone()></a>
                    <span class="eyebrow">{hit.kind.clone()}</span>
                    <p inner_html=hit.excerpt.clone()></p>
                </li>
            }
        })
        .collect_view();
    view! { <ol class="hits">{items}</ol> }.into_any()
}
