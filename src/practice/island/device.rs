//! What the island keeps on this device and asks of the browser. Every function does nothing where the browser refuses.

use wasm_bindgen::JsValue;
use web_sys::Storage;

use crate::domain::attempt::UnixMillis;

/// Text that was typed and is not known to have reached the server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Draft {
    pub body: String,
    /// The revision that it started from.
    pub base: i64,
    /// By the device's clock.
    pub at: UnixMillis,
}

impl Draft {
    /// One line of numbers, then the text as it is.
    fn to_text(&self) -> String {
        format!("{} {}\n{}", self.base, self.at, self.body)
    }

    fn from_text(text: &str) -> Option<Self> {
        let (numbers, body) = text.split_once('\n')?;
        let (base, at) = numbers.split_once(' ')?;
        Some(Self {
            body: body.to_owned(),
            base: base.parse().ok()?,
            at: at.parse().ok()?,
        })
    }
}

fn storage() -> Option<Storage> {
    web_sys::window()?.local_storage().ok()?
}

fn prefix(attempt: &str, section: &str) -> String {
    format!("headroom/draft/{attempt}/{section}/")
}

/// Keeps a draft. Each loaded page has its own place, so that two tabs do not overwrite each other.
pub fn keep_draft(attempt: &str, section: &str, page: &str, draft: &Draft) -> bool {
    let text = draft.to_text();
    storage().is_some_and(|storage| {
        storage
            .set_item(&format!("{}{page}", prefix(attempt, section)), &text)
            .is_ok()
    })
}

pub fn drop_draft(attempt: &str, section: &str, page: &str) {
    if let Some(storage) = storage() {
        let _ = storage.remove_item(&format!("{}{page}", prefix(attempt, section)));
    }
}

/// Takes the newest draft of a section, whichever page left it, and forgets them all.
pub fn take_drafts(attempt: &str, section: &str) -> Option<Draft> {
    let storage = storage()?;
    let prefix = prefix(attempt, section);
    let keys: Vec<String> = (0..storage.length().unwrap_or(0))
        .filter_map(|index| storage.key(index).ok().flatten())
        .filter(|key| key.starts_with(&prefix))
        .collect();
    let mut newest: Option<Draft> = None;
    for key in keys {
        let draft = storage
            .get_item(&key)
            .ok()
            .flatten()
            .and_then(|text| Draft::from_text(&text));
        let _ = storage.remove_item(&key);
        if let Some(draft) = draft
            && newest.as_ref().is_none_or(|known| draft.at > known.at)
        {
            newest = Some(draft);
        }
    }
    newest
}

/// A small choice that is remembered on this device.
pub fn remember(name: &str, value: &str) {
    if let Some(storage) = storage() {
        let _ = storage.set_item(&format!("headroom/{name}"), value);
    }
}

pub fn remembered(name: &str) -> Option<String> {
    storage()?.get_item(&format!("headroom/{name}")).ok()?
}

pub fn forget(name: &str) {
    if let Some(storage) = storage() {
        let _ = storage.remove_item(&format!("headroom/{name}"));
    }
}

/// The device's clock.
pub fn now() -> UnixMillis {
    js_sys::Date::now() as UnixMillis
}

/// A key that no other save has.
pub fn new_key() -> String {
    let random = || (js_sys::Math::random() * f64::from(u32::MAX)) as u32;
    format!("{:012x}-{:08x}{:08x}", now(), random(), random())
}

/// The time of day where the person is.
pub fn local_time(at: UnixMillis) -> String {
    let date = js_sys::Date::new(&JsValue::from_f64(at as f64));
    format!(
        "{:02}:{:02}:{:02}",
        date.get_hours(),
        date.get_minutes(),
        date.get_seconds()
    )
}

/// The time of day in UTC, for where the person's zone is not known.
pub fn utc_time(at: UnixMillis) -> String {
    let seconds = at.div_euclid(1000).rem_euclid(86_400);
    format!(
        "{:02}:{:02}:{:02} UTC",
        seconds / 3600,
        seconds / 60 % 60,
        seconds % 60
    )
}

pub fn is_visible() -> bool {
    web_sys::window()
        .and_then(|window| window.document())
        .is_some_and(|document| document.visibility_state() == web_sys::VisibilityState::Visible)
}

/// Posts JSON in a way that outlives the page. The answer is not seen; the same save is sent again if the page lives on.
pub fn post_and_forget(path: &str, body: &str) {
    let options = web_sys::RequestInit::new();
    options.set_method("POST");
    options.set_body(&JsValue::from_str(body));
    let _ = js_sys::Reflect::set(&options, &"keepalive".into(), &JsValue::TRUE);
    let Ok(headers) = web_sys::Headers::new() else {
        return;
    };
    let _ = headers.set("content-type", "application/json");
    let _ = headers.set("accept", "application/json");
    options.set_headers(&headers);
    if let Some(window) = web_sys::window() {
        let _ = window.fetch_with_str_and_init(path, &options);
    }
}

/// Shows another address without loading it.
pub fn show_address(path: &str) {
    if let Some(history) = web_sys::window().and_then(|window| window.history().ok()) {
        let _ = history.push_state_with_url(&JsValue::NULL, "", Some(path));
    }
}

pub fn go_to(path: &str) {
    if let Some(window) = web_sys::window() {
        let _ = window.location().set_href(path);
    }
}

/// The path of the page.
pub fn address() -> String {
    web_sys::window()
        .and_then(|window| window.location().pathname().ok())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::Draft;

    #[test]
    fn drafts_read_back() {
        for body in ["", "\n", "a\nb\n", "1 2\n3"] {
            let draft = Draft {
                body: body.to_owned(),
                base: 7,
                at: 1_700_000_000_000,
            };
            assert_eq!(Draft::from_text(&draft.to_text()), Some(draft));
        }
        for text in ["", "7", "7 x\n", "x 7\n", "{\"body\":\"\"}"] {
            assert_eq!(Draft::from_text(text), None, "{text}");
        }
    }
}
