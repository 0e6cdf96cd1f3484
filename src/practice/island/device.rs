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
    /// What was sent last and not answered: when the server holds just that, it is our own text.
    pub sent: Option<String>,
}

impl Draft {
    /// One line of numbers, then what was sent, then the text.
    fn to_text(&self) -> String {
        let sent = self.sent.as_deref().unwrap_or_default();
        let length = self.sent.as_ref().map_or(-1, |sent| sent.len() as i64);
        format!("{} {} {length}\n{sent}{}", self.base, self.at, self.body)
    }

    fn from_text(text: &str) -> Option<Self> {
        let (numbers, rest) = text.split_once('\n')?;
        let mut numbers = numbers.split(' ').map(str::parse::<i64>);
        let (base, at, length) = (
            numbers.next()?.ok()?,
            numbers.next()?.ok()?,
            numbers.next()?.ok()?,
        );
        let (sent, body) = match usize::try_from(length) {
            Ok(length) => (Some(rest.get(..length)?), rest.get(length..)?),
            Err(_) => (None, rest),
        };
        Some(Self {
            body: body.to_owned(),
            base,
            at,
            sent: sent.map(ToOwned::to_owned),
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

/// Every draft of a section that some page left, with its place, the newest first.
pub fn drafts(attempt: &str, section: &str) -> Vec<(String, Draft)> {
    let prefix = prefix(attempt, section);
    let Some(storage) = storage() else {
        return Vec::new();
    };
    let mut drafts: Vec<_> = keys(&storage, &prefix)
        .into_iter()
        .filter_map(|key| {
            let draft = Draft::from_text(&storage.get_item(&key).ok()??)?;
            Some((key, draft))
        })
        .collect();
    drafts.sort_by_key(|(_, draft)| -draft.at);
    drafts
}

/// Whether anything of an attempt is on this device that is not known to have reached the server.
pub fn has_drafts(attempt: &str) -> bool {
    storage()
        .is_some_and(|storage| !keys(&storage, &format!("headroom/draft/{attempt}/")).is_empty())
}

fn keys(storage: &Storage, prefix: &str) -> Vec<String> {
    (0..storage.length().unwrap_or(0))
        .filter_map(|index| storage.key(index).ok().flatten())
        .filter(|key| key.starts_with(prefix))
        .collect()
}

/// Forgets what stands at a place.
pub fn forget_place(key: &str) {
    if let Some(storage) = storage() {
        let _ = storage.remove_item(key);
    }
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

/// The device's clock.
pub fn now() -> UnixMillis {
    js_sys::Date::now() as UnixMillis
}

/// Milliseconds since the page was opened, by a clock that is never set.
pub fn since_opened() -> i64 {
    web_sys::window()
        .and_then(|window| window.performance())
        .map_or(0, |performance| performance.now() as i64)
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
        for body in ["", "\n", "a\nb\n", "1 2\n3", "\u{e9}"] {
            for sent in [None, Some(String::new()), Some("sent \u{e9}\n".to_owned())] {
                let draft = Draft {
                    body: body.to_owned(),
                    base: 7,
                    at: 1_700_000_000_000,
                    sent,
                };
                assert_eq!(Draft::from_text(&draft.to_text()), Some(draft));
            }
        }
        for text in [
            "",
            "7",
            "7 x -1\n",
            "x 7 -1\n",
            "7 7 9\nshort",
            "7 7 1\n\u{e9}",
            "{\"body\":\"\"}",
        ] {
            assert_eq!(Draft::from_text(text), None, "{text}");
        }
    }
}
