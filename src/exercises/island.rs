//! What the browser adds to the pages of an exercise: what is typed is kept on this device until it has arrived, lines of
//! a change are commented on where they stand, and digits choose a rating. Every page works as plain forms without it.
//!
//! Must never decide what is taken: that is the server's.

use leptos::ev;
use leptos::prelude::*;
use wasm_bindgen::JsCast as _;
use web_sys::{Document, Element, HtmlElement, HtmlInputElement, HtmlTextAreaElement, Storage};

/// What a form held when its page was left.
#[derive(serde::Serialize, serde::Deserialize)]
struct Kept {
    /// What the form started from, as it says itself.
    base: String,
    /// Whether it was sent: if the server's text has moved on since, it has arrived.
    sent: bool,
    fields: Vec<(String, String)>,
}

impl Kept {
    /// The texts that were typed.
    fn texts(&self) -> String {
        let written = self
            .fields
            .iter()
            .filter(|(name, _)| name == "body" || name.starts_with("evidence."));
        let texts: Vec<&str> = written.map(|(_, value)| value.trim()).collect();
        texts.join("\n\n").trim().to_owned()
    }
}

/// Keeps the fields of each form with a `data-keep` on this device. `exercise` names the place.
#[island]
pub fn ExerciseHelp(exercise: String) -> impl IntoView {
    // What is kept and fits no form of this page: its place, and its texts.
    let strays = RwSignal::new(Vec::<(String, String)>::new());
    let prefix = StoredValue::new(format!("headroom/exercise/{exercise}/"));
    Effect::new(move |ran: Option<()>| {
        if ran.is_some() {
            return;
        }
        let prefix = prefix.get_value();
        strays.set(bring_back(&prefix));
        follow_lines();
        for keep_on in ["input", "change", "submit"] {
            let prefix = prefix.clone();
            let sent = keep_on == "submit";
            let _ = window_event_listener_untyped(keep_on, move |event| {
                let target = event.target().and_then(|at| at.dyn_into::<Element>().ok());
                let form = target.and_then(|at| at.closest("form[data-keep]").ok().flatten());
                if let Some(form) = form {
                    keep(&prefix, &form, sent);
                }
            });
        }
        let _ = window_event_listener(ev::keydown, on_key);
        let _ = window_event_listener(ev::click, on_click);
    });
    let forget = move |place: String| {
        if let Some(storage) = storage() {
            let _ = storage.remove_item(&place);
        }
        strays.update(|strays| strays.retain(|(known, _)| *known != place));
    };
    let rows = move || {
        strays
            .get()
            .into_iter()
            .map(|(place, text)| {
                view! {
                    <li>
                        <pre class="written">{text}</pre>
                        <button type="button" class="btn" on:click=move |_| forget(place.clone())>"Forget this text"</button>
                    </li>
                }
            })
            .collect_view()
    };
    view! {
        <div class="notice strays" role="region" aria-label="Kept on this device" hidden=move || strays.with(Vec::is_empty)>
            <p>"This was typed on this device and has not arrived. Copy what you need of it."</p>
            <ul>{rows}</ul>
        </div>
    }
}

fn document() -> Option<Document> {
    web_sys::window()?.document()
}

fn storage() -> Option<Storage> {
    web_sys::window()?.local_storage().ok()?
}

fn all(within: &str) -> Vec<Element> {
    let found = document().and_then(|document| document.query_selector_all(within).ok());
    found.map_or_else(Vec::new, |found| {
        (0..found.length())
            .filter_map(|index| found.item(index)?.dyn_into().ok())
            .collect()
    })
}

fn attribute(element: &Element, name: &str) -> String {
    element.get_attribute(name).unwrap_or_default()
}

/// The fields that a person fills in, in order; of radio buttons the one that is chosen.
fn fields(form: &Element) -> Vec<(String, String)> {
    let Ok(found) =
        form.query_selector_all("input:not([type=hidden]), input[name=file], textarea, select")
    else {
        return Vec::new();
    };
    (0..found.length())
        .filter_map(|index| found.item(index)?.dyn_into::<Element>().ok())
        .filter_map(|field| {
            if let Some(area) = field.dyn_ref::<HtmlTextAreaElement>() {
                return Some((area.name(), area.value()));
            }
            let Some(input) = field.dyn_ref::<HtmlInputElement>() else {
                // A list to choose from: its value is that of the option, which web-sys knows under another feature.
                let value = js_sys::Reflect::get(&field, &"value".into()).ok()?;
                return Some((attribute(&field, "name"), value.as_string()?));
            };
            let left_out = input.type_() == "radio" && !input.checked();
            (!left_out).then(|| (input.name(), input.value()))
        })
        .collect()
}

fn fill(form: &Element, kept: &[(String, String)]) {
    for (name, value) in kept {
        let Ok(found) = form.query_selector_all(&format!("[name=\"{name}\"]")) else {
            continue;
        };
        for index in 0..found.length() {
            let field = found
                .item(index)
                .and_then(|at| at.dyn_into::<Element>().ok());
            let Some(field) = field else { continue };
            match field.dyn_ref::<HtmlInputElement>() {
                Some(input) if input.type_() == "radio" => {
                    input.set_checked(input.value() == *value);
                }
                _ => {
                    let _ = js_sys::Reflect::set(&field, &"value".into(), &value.as_str().into());
                }
            }
        }
    }
}

fn keep(prefix: &str, form: &Element, sent: bool) {
    let kept = Kept {
        base: attribute(form, "data-base"),
        sent,
        fields: fields(form),
    };
    let place = format!("{prefix}{}", attribute(form, "data-keep"));
    if let (Some(storage), Ok(text)) = (storage(), serde_json::to_string(&kept)) {
        let _ = storage.set_item(&place, &text);
    }
}

/// Fills in what was typed and has not arrived; the answer is what fits no form of this page.
fn bring_back(prefix: &str) -> Vec<(String, String)> {
    let Some(storage) = storage() else {
        return Vec::new();
    };
    let places: Vec<String> = (0..storage.length().unwrap_or(0))
        .filter_map(|index| storage.key(index).ok().flatten())
        .filter(|place| place.starts_with(prefix))
        .collect();
    let mut strays = Vec::new();
    for place in places {
        let text = storage.get_item(&place).ok().flatten().unwrap_or_default();
        let kept: Option<Kept> = serde_json::from_str(&text).ok();
        let form = all("form[data-keep]")
            .into_iter()
            .find(|form| attribute(form, "data-keep") == place[prefix.len()..]);
        match (kept, form) {
            (Some(kept), Some(form))
                if attribute(&form, "data-base") == kept.base
                    || !kept.sent && form.has_attribute("data-always") =>
            {
                // What the server sent back is what was typed last.
                if !form.has_attribute("data-returned") {
                    fill(&form, &kept.fields);
                    open_again(&form, &kept);
                }
            }
            (Some(kept), form) => {
                let there = form.is_some_and(|form| fields(&form) == kept.fields);
                if kept.sent || there || kept.texts().is_empty() {
                    let _ = storage.remove_item(&place);
                } else {
                    strays.push((place, kept.texts()));
                }
            }
            (None, _) => {
                let _ = storage.remove_item(&place);
            }
        }
    }
    strays
}

/// A comment that was begun is shown where it was.
fn open_again(form: &Element, kept: &Kept) {
    let value = |wanted: &str| {
        let found = kept.fields.iter().find(|(name, _)| name == wanted);
        found.map(|(_, value)| value.clone()).unwrap_or_default()
    };
    let is_hidden = form.closest("[hidden]").ok().flatten().is_some();
    if is_hidden && !value("body").trim().is_empty() {
        let line = format!("{}:{}", value("file"), value("last"));
        let link = lines()
            .into_iter()
            .find(|link| attribute(link, "data-line") == line);
        if let Some(link) = link {
            put_form_below(&link);
        }
    }
}

/// The lines that can be commented on, in order.
fn lines() -> Vec<Element> {
    all("a[data-line]")
}

/// One line at a time is in the order of the Tab key; arrows go from one to the next.
fn follow_lines() {
    for (index, line) in lines().iter().enumerate() {
        let _ = line.set_attribute("tabindex", if index == 0 { "0" } else { "-1" });
    }
}

fn focus_line(line: &Element) {
    for other in lines() {
        let _ = other.set_attribute("tabindex", "-1");
    }
    let _ = line.set_attribute("tabindex", "0");
    if let Some(line) = line.dyn_ref::<HtmlElement>() {
        let _ = line.focus();
    }
}

fn comment_form() -> Option<HtmlElement> {
    document()?
        .get_element_by_id("new-comment")?
        .dyn_into()
        .ok()
}

fn input(name: &str) -> Option<HtmlInputElement> {
    let found = comment_form()?.query_selector(&format!("[name={name}]"));
    found.ok()??.dyn_into().ok()
}

/// Moves the form into a row below a line.
fn put_form_below(line: &Element) -> Option<()> {
    let row = line.closest("tr").ok()??;
    let below = document()?.create_element("tr").ok()?;
    below.set_class_name("said");
    let cell = document()?.create_element("td").ok()?;
    let _ = cell.set_attribute("colspan", "3");
    let form = comment_form()?;
    let before = row_of_form();
    if let Ok(Some(place)) = form.query_selector("[data-place]") {
        let target = attribute(line, "data-line");
        let file = target.rsplit_once(':').map(|(file, _)| file);
        place.set_text_content(file);
    }
    let _ = cell.append_child(&form);
    let _ = below.append_child(&cell);
    let _ = row
        .parent_node()?
        .insert_before(&below, row.next_sibling().as_ref());
    if let Some(before) = before {
        before.remove();
    }
    Some(())
}

/// The row that the form stands in while it is open.
fn row_of_form() -> Option<Element> {
    comment_form()?.closest("tr.said").ok()?
}

/// Opens the form at a line, or stretches it to there.
fn comment_on(line: &Element, stretch: bool) -> Option<()> {
    let target = attribute(line, "data-line");
    let (file, number) = target.rsplit_once(':')?;
    let is_open = row_of_form().is_some() && input("file")?.value() == file;
    let first: u32 = input("first")?.value().parse().unwrap_or(0);
    let here: u32 = number.parse().ok()?;
    if stretch && is_open && first > 0 {
        input("first")?.set_value(&first.min(here).to_string());
        let last: u32 = input("last")?.value().parse().unwrap_or(first);
        let end = if here < first { last } else { here };
        input("last")?.set_value(&end.max(first).to_string());
    } else {
        input("file")?.set_value(file);
        input("first")?.set_value(number);
        input("last")?.set_value(number);
        put_form_below(line)?;
    }
    // What was set here is kept as what is typed.
    let changed = document()?.create_event("Event").ok()?;
    changed.init_event_with_bubbles("input", true);
    let _ = input("last")?.dispatch_event(&changed);
    let area = comment_form()?.query_selector("textarea").ok()??;
    let _ = area.dyn_ref::<HtmlElement>()?.focus();
    Some(())
}

fn on_click(event: ev::MouseEvent) {
    let target = event.target().and_then(|at| at.dyn_into::<Element>().ok());
    let Some(target) = target else { return };
    if event.ctrl_key() || event.meta_key() || event.button() != 0 {
        return;
    }
    if let Ok(Some(line)) = target.closest("a[data-line]") {
        // Without the form the link leads to where there is one.
        if comment_form().is_some() {
            event.prevent_default();
            focus_line(&line);
            comment_on(&line, event.shift_key());
        }
    } else if target
        .closest("#new-comment [data-close]")
        .ok()
        .flatten()
        .is_some()
    {
        event.prevent_default();
        close_form();
    }
}

fn close_form() {
    let Some(form) = comment_form() else { return };
    let line = format!(
        "{}:{}",
        input("file").map(|input| input.value()).unwrap_or_default(),
        input("first")
            .map(|input| input.value())
            .unwrap_or_default()
    );
    let row = row_of_form();
    let spare = document().and_then(|document| document.get_element_by_id("spare"));
    if let (Some(row), Some(spare)) = (row, spare) {
        let _ = spare.append_child(&form);
        row.remove();
    }
    if let Some(line) = lines()
        .into_iter()
        .find(|link| attribute(link, "data-line") == line)
    {
        focus_line(&line);
    }
}

fn on_key(event: ev::KeyboardEvent) {
    let target = event.target().and_then(|at| at.dyn_into::<Element>().ok());
    let Some(target) = target else { return };
    if event.ctrl_key() || event.meta_key() || event.alt_key() {
        return;
    }
    let key = event.key();
    if key == "Escape" && target.closest("#new-comment").ok().flatten().is_some() {
        event.prevent_default();
        close_form();
    } else if target.has_attribute("data-line") {
        let lines = lines();
        let Some(at) = lines.iter().position(|line| *line == target) else {
            return;
        };
        let to = match key.as_str() {
            "ArrowDown" => at + 1,
            "ArrowUp" => at.saturating_sub(1),
            "Home" => 0,
            "End" => lines.len() - 1,
            _ => return,
        };
        if let Some(line) = lines.get(to) {
            event.prevent_default();
            focus_line(line);
        }
    } else if matches!(key.as_str(), "1" | "2" | "3" | "4") && target.tag_name() != "TEXTAREA" {
        choose_rating(&target, &key);
    }
}

/// A digit chooses the rating of the criterion that has the focus.
fn choose_rating(target: &Element, digit: &str) -> Option<()> {
    let criterion = target.closest("[data-criterion]").ok()??;
    let input = criterion.query_selector(&format!("input[data-digit=\"{digit}\"]"));
    let input: HtmlInputElement = input.ok()??.dyn_into().ok()?;
    // As by hand, so that what listens for a choice hears of it.
    input.click();
    let _ = input.focus();
    Some(())
}
