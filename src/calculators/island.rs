//! A calculator that works while one types: it puts what the server makes of the inputs below them.
//!
//! The page is whole without it. The working itself stays on the server: all of it in the browser would weigh more than
//! everything else that is loaded.

use std::time::Duration;

use leptos::html::Form;
use leptos::prelude::*;
use leptos::task::spawn_local;

use super::api::{FOR_ATTEMPT, calculate};
use crate::ui::live_form::{after_a_pause, put_beside, query_of, settle_address, typed};

/// The pause after a key before the server is asked.
const PAUSE: Duration = Duration::from_millis(120);

/// `fields` and `results` are as the server rendered them; `path` is the calculator's address, `attempt` whose worksheet
/// the result may go to.
#[island]
pub fn LiveCalculator(
    name: String,
    path: String,
    attempt: Option<String>,
    fields: String,
    results: String,
) -> impl IntoView {
    let form = NodeRef::<Form>::new();
    let shown = RwSignal::new(results);
    let state = RwSignal::new("");
    let waiting = StoredValue::new(None);
    let name = StoredValue::new(name);
    let address = StoredValue::new(path.clone());
    let of_attempt = attempt
        .as_ref()
        .map(|id| format!("&{FOR_ATTEMPT}={id}"))
        .unwrap_or_default();
    let of_attempt = StoredValue::new(of_attempt);
    let ask = move || {
        let Some(form) = form.get_untracked() else {
            return;
        };
        let inputs = typed(&form);
        state.set("Working …");
        spawn_local(async move {
            let answer = calculate(name.get_value(), inputs.clone()).await;
            // An answer to what has been typed over since is too late.
            if typed(&form) != inputs {
                return;
            }
            let Ok(answer) = answer else {
                state.set("The server does not answer. What is shown is from before; press Calculate to try again.");
                return;
            };
            put_beside(&form, "data-fault", &answer.faults);
            put_beside(&form, "data-note", &answer.notes);
            shown.set(answer.results);
            state.set("");
            settle_address(&format!(
                "{}?{}{}",
                address.get_value(),
                query_of(&inputs),
                of_attempt.get_value()
            ));
        });
    };
    view! {
        <div class="calculator">
            <form node_ref=form action=path on:input=move |_| after_a_pause(waiting, PAUSE, ask)>
                {attempt.clone().map(|id| view! { <input type="hidden" name=FOR_ATTEMPT value=id/> })}
                <div inner_html=fields></div>
                <p class="actions">
                    <button class="btn go">"Calculate"</button>
                    {attempt.map(|id| view! {
                        <button class="btn" formmethod="post" formaction=format!("/attempts/{id}/calculators/{}", name.get_value())>
                            "Insert into the worksheet"
                        </button>
                    })}
                </p>
                <p class="small quiet" role="status">{move || state.get()}</p>
            </form>
            <div class="calc-results" aria-live="polite" inner_html=move || shown.get()></div>
        </div>
    }
}
