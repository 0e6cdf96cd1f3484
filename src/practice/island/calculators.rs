//! The calculators beside the worksheet: one opens below the rows, works while one types, and its numbers become rows.
//!
//! Without JavaScript the same links lead to the calculator's own page, which puts its result into the worksheet by a form.

use std::time::Duration;

use leptos::html::Form;
use leptos::prelude::*;
use leptos::task::spawn_local;
use wasm_bindgen::JsCast as _;

use super::saving::Editor;
use super::worksheet::rows_of;
use crate::domain::markup::escape;
use crate::domain::worksheet::append;
use crate::practice::api::{
    Beside, CalculatorLink, GivenQuantity, WantedEstimate, calculate_beside,
};
use crate::ui::live_form::{after_a_pause, put_beside, typed};

/// The pause after a key before the server is asked.
const PAUSE: Duration = Duration::from_millis(150);

#[component]
pub fn Calculators(
    editor: Editor,
    attempt: String,
    links: Vec<CalculatorLink>,
    wanted: Vec<WantedEstimate>,
    givens: Vec<GivenQuantity>,
    live: RwSignal<bool>,
) -> impl IntoView {
    let reserved: Vec<String> = wanted
        .iter()
        .map(|estimate| estimate.id.clone())
        .chain(givens.iter().map(|given| given.id.clone()))
        .collect();
    let reserved = StoredValue::new(reserved);
    let form = NodeRef::<Form>::new();
    let open = RwSignal::new(String::new());
    let title = RwSignal::new(String::new());
    let results = RwSignal::new(String::new());
    let said = RwSignal::new(String::new());
    // The rows, and the inputs that they are of: what has been typed since is not inserted.
    let rows = StoredValue::new((Vec::new(), Vec::<(String, String)>::new()));
    let inserted = StoredValue::new(false);
    let waiting = StoredValue::new(None);

    let ask = move |name: String, inputs: Vec<(String, String)>, opening: bool| {
        let mut taken = reserved.get_value();
        taken.extend(
            rows_of(&editor.body.get_untracked())
                .into_iter()
                .map(|(id, _)| id),
        );
        spawn_local(async move {
            let answer = calculate_beside(name.clone(), inputs.clone(), taken).await;
            inserted.set_value(false);
            let answer = match answer {
                Ok(answer) => answer,
                Err(error) => {
                    said.set(format!("{error} Your worksheet is not touched."));
                    return;
                }
            };
            let Some(form) = form.get_untracked() else {
                return;
            };
            if opening {
                open.set(name);
            } else if open.get_untracked() != name || typed(&form) != inputs {
                return;
            }
            let Beside {
                title: name,
                form: fields,
                results: html,
                faults,
                notes,
                rows: found,
            } = answer;
            title.set(name);
            results.set(html);
            if opening {
                said.set(String::new());
                if let Ok(Some(place)) = form.query_selector("[data-fields]") {
                    place.set_inner_html(&fields);
                }
                if let Ok(Some(field)) = form.query_selector("input")
                    && let Ok(field) = field.dyn_into::<web_sys::HtmlElement>()
                {
                    // Only once it is shown can it be focused.
                    request_animation_frame(move || {
                        let _ = field.focus();
                    });
                }
            } else {
                put_beside(&form, "data-fault", &faults);
                put_beside(&form, "data-note", &notes);
            }
            rows.set_value((typed(&form), found));
        });
    };
    let again = move || {
        if let Some(form) = form.get_untracked() {
            ask(open.get_untracked(), typed(&form), false);
        }
    };
    let insert = move |_| {
        if inserted.get_value() {
            return;
        }
        let (of, found) = rows.get_value();
        let now = form.get_untracked().map(|form| typed(&form));
        if now.as_ref() == Some(&of) && found.is_empty() {
            said.set("There is no result to insert yet.".to_owned());
            return;
        }
        if now != Some(of) {
            said.set(
                "The result of what you typed is not here yet. Press again in a moment.".to_owned(),
            );
            again();
            return;
        }
        let rows_to_add = found.iter().map(|(id, text)| (id.as_str(), text.as_str()));
        let text = match append(&editor.body.get_untracked(), rows_to_add) {
            Ok(text) => text,
            Err(full) => {
                said.set(full.to_string());
                return;
            }
        };
        editor.typed(text);
        editor.flush();
        // Until the next names are here nothing is inserted: a double click adds one set of rows.
        rows.set_value((Vec::new(), Vec::new()));
        inserted.set_value(true);
        again();
        let rows = if found.len() == 1 {
            "row was"
        } else {
            "rows were"
        };
        said.set(format!("{} {rows} added to your own rows.", found.len()));
    };
    // As text and one listener: typed views of a dozen links would be most of this component's weight.
    let list: String = links
        .iter()
        .map(|link| {
            format!(
                "<li><a href=\"/calculators/{0}?for={attempt}\" data-name=\"{0}\">{1}</a></li>",
                escape(&link.slug),
                escape(&link.title)
            )
        })
        .collect();
    let choose = move |event: leptos::ev::MouseEvent| {
        let name = event
            .target()
            .and_then(|target| target.dyn_into::<web_sys::Element>().ok())
            .and_then(|target| target.get_attribute("data-name"));
        let plain = !(event.ctrl_key() || event.meta_key() || event.shift_key());
        if let Some(name) = name.filter(|_| plain && live.get_untracked()) {
            event.prevent_default();
            ask(name, Vec::new(), true);
        }
    };
    view! {
        <details class="fold calculators">
            <summary>"Calculators"</summary>
            <p class="small quiet">"One opens here. Its numbers can become rows of yours, each with its formula."</p>
            <ul class="calc-links" on:click=choose inner_html=list></ul>
            <form node_ref=form hidden=move || open.with(String::is_empty)
                on:submit=move |event| { event.prevent_default(); again(); }
                on:input=move |event| { event.stop_propagation(); said.set(String::new()); after_a_pause(waiting, PAUSE, again); }
            >
                <h3>{move || title.get()}</h3>
                <div data-fields=""></div>
                <p class="actions">
                    <button type="button" class="btn go" on:click=insert>"Insert as rows"</button>
                    <button type="button" class="btn" on:click=move |_| open.set(String::new())>"Close"</button>
                </p>
            </form>
            <p class="small" role="status">{move || said.get()}</p>
            <div class="calc-results" hidden=move || open.with(String::is_empty) inner_html=move || results.get()></div>
        </details>
    }
}
