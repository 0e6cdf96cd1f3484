//! Help on the score form: digits choose a level, a selection in the attempt becomes evidence, and what was filled in
//! survives a reload. The form itself is the server's and works without any of this.

use std::time::Duration;

use leptos::ev;
use leptos::prelude::*;
use wasm_bindgen::JsCast as _;
use web_sys::{Document, Element, HtmlInputElement, HtmlTextAreaElement};

use super::device;

/// `attempt` and the `number` of the score name the drafts on this device, so that a committed score is never filled in
/// again; `form` is the id of the form.
#[island]
pub fn ScoringHelp(attempt: String, number: u32, form: String) -> impl IntoView {
    let selected = RwSignal::new(String::new());
    let live = RwSignal::new(false);
    let target = RwSignal::new(String::new());
    let unsaved = RwSignal::new(false);
    let workspace = format!("/attempts/{attempt}");
    let names = StoredValue::new((format!("{attempt}/{number}"), form));
    Effect::new(move |ran: Option<()>| {
        if ran.is_some() {
            return;
        }
        live.set(true);
        unsaved.set(device::has_drafts(&attempt));
        let (attempt, form) = names.get_value();
        bring_back(&attempt, &form);
        let _ = window_event_listener(ev::keydown, move |event| on_key(&event));
        let _ = window_event_listener(ev::focusin, move |event| {
            if let Some(name) = event
                .target()
                .and_then(|target| criterion_of(target.dyn_ref::<Element>()?))
            {
                target.set(name);
            }
        });
        let _ = window_event_listener(ev::input, move |_| {
            let (attempt, form) = names.get_value();
            keep(&attempt, &form);
        });
        let _ = window_event_listener(ev::change, move |_| {
            let (attempt, form) = names.get_value();
            keep(&attempt, &form);
        });
        set_interval(
            move || {
                let text = selection_in_attempt().unwrap_or_default();
                if selected.with_untracked(|known| *known != text) {
                    selected.set(text);
                }
            },
            Duration::from_millis(250),
        );
    });
    let title = move || {
        let name = target.get();
        if name.is_empty() {
            return None;
        }
        document()?
            .query_selector(&format!("[data-criterion=\"{name}\"] legend"))
            .ok()??
            .text_content()
    };
    let quote = move |event: ev::MouseEvent| {
        event.prevent_default();
        put_evidence(&target.get_untracked(), &selected.get_untracked());
        let (attempt, form) = names.get_value();
        keep(&attempt, &form);
    };
    let usable = move || live.get() && !selected.with(String::is_empty);
    view! {
        <p class="notice" role="alert" hidden=move || !unsaved.get()>
            "Something that you typed on this device has not reached the server, and would be left out: once scored, the \
             attempt takes no more changes. "<a href=workspace>"Back to the attempt, to save it first"</a>"."
        </p>
        <div class="quoting" hidden=move || !usable() role="region" aria-label="Selected text">
            <button type="button" class="btn go" on:mousedown=|event| event.prevent_default() on:click=quote disabled=move || target.with(String::is_empty)>
                {move || title().map_or_else(|| "Choose a criterion first, then quote".to_owned(), |title| format!("Quote as evidence for {title}"))}
            </button>
        </div>
    }
}

fn document() -> Option<Document> {
    web_sys::window()?.document()
}

fn criterion_of(element: &Element) -> Option<String> {
    element
        .closest("[data-criterion]")
        .ok()??
        .get_attribute("data-criterion")
}

/// Digits 1 to 4 choose the level of the criterion that has the focus.
fn on_key(event: &ev::KeyboardEvent) {
    if event.ctrl_key() || event.meta_key() || event.alt_key() {
        return;
    }
    let Some(element) = event
        .target()
        .and_then(|target| target.dyn_into::<Element>().ok())
    else {
        return;
    };
    if element.tag_name() == "TEXTAREA" || !matches!(event.key().as_str(), "1" | "2" | "3" | "4") {
        return;
    }
    let Some(name) = criterion_of(&element) else {
        return;
    };
    let selector = format!(
        "[data-criterion=\"{name}\"] input[data-digit=\"{}\"]",
        event.key()
    );
    let input = document()
        .and_then(|document| document.query_selector(&selector).ok().flatten())
        .and_then(|element| element.dyn_into::<HtmlInputElement>().ok());
    if let Some(input) = input {
        input.set_checked(true);
        let _ = input.focus();
        event.prevent_default();
        if let (Ok(changed), Some(window)) = (web_sys::Event::new("change"), web_sys::window()) {
            let _ = window.dispatch_event(&changed);
        }
    }
}

/// What is selected, when it lies in the attempt's text.
fn selection_in_attempt() -> Option<String> {
    let selection = web_sys::window()?.get_selection().ok()??;
    if selection.is_collapsed() {
        return None;
    }
    let node = selection.anchor_node()?;
    let element = node
        .dyn_ref::<Element>()
        .cloned()
        .or_else(|| node.parent_element())?;
    element.closest("[data-quotable]").ok()??;
    let text = String::from(selection.to_string());
    let text = text.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

fn put_evidence(criterion: &str, text: &str) {
    let area = document()
        .and_then(|document| document.get_element_by_id(&format!("evidence-{criterion}")))
        .and_then(|element| element.dyn_into::<HtmlTextAreaElement>().ok());
    if let Some(area) = area {
        let before = area.value();
        let joined = if before.trim().is_empty() {
            text.to_owned()
        } else {
            format!("{}\n{text}", before.trim_end())
        };
        area.set_value(&joined);
        let _ = area.focus();
    }
}

fn elements(selector: &str) -> Vec<Element> {
    let found = document().and_then(|document| document.query_selector_all(selector).ok());
    found.map_or_else(Vec::new, |found| {
        (0..found.length())
            .filter_map(|index| found.item(index)?.dyn_into().ok())
            .collect()
    })
}

/// The form's fields as name and value: the levels that are chosen, and all evidence.
fn fields(form: &str) -> Vec<(String, String)> {
    elements(&format!(
        "#{form} input[type=radio]:checked, #{form} textarea"
    ))
    .iter()
    .filter_map(|element| {
        let input = element
            .dyn_ref::<HtmlInputElement>()
            .map(|input| (input.name(), input.value()));
        input.or_else(|| {
            element
                .dyn_ref::<HtmlTextAreaElement>()
                .map(|area| (area.name(), area.value()))
        })
    })
    .collect()
}

/// Each field has a place of its own on this device.
fn place(attempt: &str, name: &str) -> String {
    format!("score/{attempt}/{name}")
}

fn keep(attempt: &str, form: &str) {
    for (name, value) in fields(form) {
        device::remember(&place(attempt, &name), &value);
    }
}

/// Fills in what was there before a reload, where the form has nothing yet.
fn bring_back(attempt: &str, form: &str) {
    let filled = fields(form);
    for element in elements(&format!("#{form} input[type=radio], #{form} textarea")) {
        if let Some(input) = element.dyn_ref::<HtmlInputElement>() {
            let name = input.name();
            let chosen = filled.iter().any(|(known, _)| *known == name);
            if !chosen && device::remembered(&place(attempt, &name)) == Some(input.value()) {
                input.set_checked(true);
            }
        } else if let Some(area) = element.dyn_ref::<HtmlTextAreaElement>()
            && area.value().is_empty()
            && let Some(kept) = device::remembered(&place(attempt, &area.name()))
        {
            area.set_value(&kept);
        }
    }
}
