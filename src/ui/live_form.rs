//! What a form in the document holds, and short texts put beside its fields.
//!
//! Must never know which form it is.

use leptos::prelude::*;
use wasm_bindgen::JsCast as _;
use web_sys::{Element, HtmlInputElement};

/// The names and values of a form's text fields, in order.
pub fn typed(form: &Element) -> Vec<(String, String)> {
    let Ok(fields) = form.query_selector_all("input[name]:not([type=hidden])") else {
        return Vec::new();
    };
    (0..fields.length())
        .filter_map(|at| fields.item(at)?.dyn_into::<HtmlInputElement>().ok())
        .map(|field| (field.name(), field.value()))
        .collect()
}

/// Puts texts into the elements whose attribute `mark` names the field, and says which fields are at fault.
pub fn put_beside(form: &Element, mark: &str, texts: &[(String, String)]) {
    for (name, text) in texts {
        let Ok(Some(place)) = form.query_selector(&format!("[{mark}={name}]")) else {
            continue;
        };
        if place.text_content().unwrap_or_default() != *text {
            place.set_text_content(Some(text));
        }
        if mark != "data-fault" {
            continue;
        }
        if let Ok(Some(field)) = form.query_selector(&format!("input[name={name}]")) {
            let _ = if text.is_empty() {
                field.remove_attribute("aria-invalid")
            } else {
                field.set_attribute("aria-invalid", "true")
            };
        }
    }
}

/// The form as the query of an address.
pub fn query_of(typed: &[(String, String)]) -> String {
    typed
        .iter()
        .map(|(name, value)| {
            let value = js_sys::encode_uri_component(value);
            format!("{name}={value}")
        })
        .collect::<Vec<_>>()
        .join("&")
}

/// Makes `address` the page's own, and the one that a change of the theme comes back to.
pub fn settle_address(address: &str) {
    if let Ok(history) = window().history() {
        let _ = history.replace_state_with_url(&wasm_bindgen::JsValue::NULL, "", Some(address));
    }
    if let Ok(Some(back)) = document().query_selector("input[name=back]") {
        let _ = back.set_attribute("value", address);
    }
}

/// Calls `act` once the typing has paused.
pub fn after_a_pause(
    waiting: StoredValue<Option<leptos::leptos_dom::helpers::TimeoutHandle>>,
    pause: std::time::Duration,
    act: impl Fn() + 'static,
) {
    if let Some(earlier) = waiting.get_value() {
        earlier.clear();
    }
    waiting.set_value(set_timeout_with_handle(act, pause).ok());
}
