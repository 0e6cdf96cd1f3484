//! The estimate worksheet: rows that are typed as people write them and calculated as they are typed.
//!
//! The worksheet is one section: its rows are the lines of its text, so that saving, conflicts and history are those of
//! every section.

use leptos::ev::Event;
use leptos::html::Div;
use leptos::prelude::*;
use wasm_bindgen::JsCast as _;
use web_sys::{Element, HtmlInputElement};

use crate::domain::quantity::{Quantity, Unit};
use crate::domain::worksheet::{Outcome, Sheet, evaluate};
use crate::practice::api::{GivenQuantity, WantedEstimate};

use super::saving::Editor;
use crate::domain::markup::escape;

/// Empty rows offered below the filled ones.
const SPARE_ROWS: usize = 2;

/// The lines of a worksheet's text as name and value, whether they read or not: nothing typed is dropped.
pub fn rows_of(text: &str) -> Vec<(String, String)> {
    text.lines()
        .filter(|line| !line.trim().is_empty())
        .map(|line| match line.split_once(':') {
            Some((name, value)) => (name.trim().to_owned(), value.trim().to_owned()),
            None => (String::new(), line.trim().to_owned()),
        })
        .collect()
}

pub fn text_of(rows: &[(String, String)]) -> String {
    rows.iter()
        .filter(|(name, value)| !name.is_empty() || !value.is_empty())
        .map(|(name, value)| format!("{name}: {value}"))
        .collect::<Vec<_>>()
        .join("\n")
}

/// What a row comes to, in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Shown {
    Nothing,
    Value { shown: String, note: Option<String> },
    Fault(String),
}

/// The domain's evaluation with the prompt's constants and wanted units.
#[derive(Clone)]
pub struct Calculator {
    givens: Vec<(String, Quantity)>,
    wanted: Vec<(String, Unit)>,
}

impl Calculator {
    pub fn new(givens: &[GivenQuantity], wanted: &[WantedEstimate]) -> Self {
        Self {
            givens: givens
                .iter()
                .filter_map(|given| Some((given.id.clone(), Quantity::parse(&given.value).ok()?)))
                .collect(),
            wanted: wanted
                .iter()
                .filter_map(|estimate| {
                    Some((estimate.id.clone(), Unit::parse(&estimate.unit).ok()?))
                })
                .collect(),
        }
    }

    /// The result of every row by its name, and what cannot be a row at all.
    pub fn results(&self, text: &str) -> Vec<(String, Shown)> {
        let (sheet, diagnostics) = Sheet::parse(text);
        let mut results: Vec<_> = evaluate(&sheet, &self.givens, &self.wanted)
            .into_iter()
            .map(|row| {
                let shown = match row.outcome {
                    Outcome::Empty => Shown::Nothing,
                    Outcome::Value { shown, note, .. } => Shown::Value { shown, note },
                    Outcome::Error { message, .. } => Shown::Fault(message),
                };
                (row.id, shown)
            })
            .collect();
        let lines: Vec<_> = text.lines().collect();
        for diagnostic in diagnostics {
            let line = lines
                .get(diagnostic.line as usize - 1)
                .copied()
                .unwrap_or_default();
            let name = line.split_once(':').map_or("", |(name, _)| name).trim();
            results.push((name.to_owned(), Shown::Fault(diagnostic.message)));
        }
        results
    }
}

/// The worksheet's form. Without JavaScript its rows are posted as they stand.
///
/// Its rows are written as text and updated through the document: as typed views they would be a tenth of everything
/// that the browser loads.
#[component]
pub fn Worksheet(
    editor: Editor,
    action: String,
    form_key: String,
    wanted: Vec<WantedEstimate>,
    givens: Vec<GivenQuantity>,
    live: RwSignal<bool>,
) -> impl IntoView {
    let calculator = StoredValue::new(Calculator::new(&givens, &wanted));
    let first = editor.first_text();
    let html = calculator
        .with_value(|calculator| tables(&first, &wanted, &givens, &calculator.results(&first)));
    let (wanted, givens) = (StoredValue::new(wanted), StoredValue::new(givens));
    let node = NodeRef::<Div>::new();
    let served = editor.body.get_untracked();
    // What the rows in the document say.
    let shown = StoredValue::new(served.clone());
    let typed = move |_: Event| {
        if let Some(node) = node.get_untracked() {
            let text = text_of(&rows_in(&node));
            shown.set_value(text.clone());
            editor.typed(text);
            add_spare_rows(&node);
        }
    };
    // Typed before the island woke, or refused by the server.
    Effect::new(move |_| {
        let Some(node) = node.get() else {
            return;
        };
        let text = text_of(&rows_in(&node));
        let as_served = text_of(&rows_of(&first));
        // A text that was brought back from this device before this ran is not what was refused: it stays.
        let refused = text_of(&rows_of(&served)) != as_served
            && editor.body.with_untracked(|body| *body == served);
        if text != as_served || refused {
            shown.set_value(text.clone());
            editor.typed(text);
        }
    });
    Effect::new(move |_| {
        let body = editor.body.get();
        let Some(node) = node.get() else { return };
        let results = calculator.with_value(|calculator| calculator.results(&body));
        if shown.with_value(|shown| *shown != body) {
            // The text came from elsewhere: another tab, a merge, this device.
            shown.set_value(body.clone());
            node.set_inner_html(&wanted.with_value(|wanted| {
                givens.with_value(|givens| tables(&body, wanted, givens, &results))
            }));
            return;
        }
        show_results(&node, &results);
    });
    let history = format!("{action}/history");
    view! {
        <form class="worksheet" method="post" action=action on:input=typed on:focusout=move |_| editor.flush() on:submit=move |event| {
            if live.get_untracked() {
                event.prevent_default();
                editor.flush();
            }
        }>
            <input type="hidden" name="base" value=editor.base.get_untracked()/>
            <input type="hidden" name="key" value=form_key/>
            <h2 id="numbers">"Numbers"</h2>
            <p class="quiet small">
                "Type them as you would write them: "<code>"5M/s"</code>", "<code>"300 KB"</code>", "<code>"2.5 TB/day"</code>
                ". A row that starts with = calculates with other rows by name, as in "<code>"= dau * 2 / 86400"</code>"."
            </p>
            <div node_ref=node inner_html=html></div>
            <p class="actions">
                <button class="btn without-script">"Save the numbers"</button>
                <a class="quiet small" href=history>"History of the numbers"</a>
            </p>
        </form>
    }
}

/// The rows as markup: what is asked for, the candidate's own, what is given.
fn tables(
    text: &str,
    wanted: &[WantedEstimate],
    givens: &[GivenQuantity],
    results: &[(String, Shown)],
) -> String {
    let rows = rows_of(text);
    let asked: String = wanted
        .iter()
        .map(|estimate| {
            let value = rows.iter().find(|(row, _)| *row == estimate.id).map_or("", |(_, value)| value.as_str());
            let (id, label) = (escape(&estimate.id), escape(&estimate.label));
            format!(
                "<tr><th scope=\"row\"><label for=\"row-{id}\">{label}</label><span class=\"eyebrow mono\">{id}</span></th>\
                 <td><input type=\"hidden\" name=\"asked\" value=\"{id}\">{}{}</td></tr>",
                input(&format!("id=\"row-{id}\" placeholder=\"in {}, or = a formula\"", escape(&estimate.unit)), &id, value),
                output(&id, &reading(results, &estimate.id, value)),
            )
        })
        .collect();
    let mut own: Vec<_> = rows
        .iter()
        .filter(|(row, _)| !wanted.iter().any(|estimate| estimate.id == *row))
        .cloned()
        .collect();
    own.extend(std::iter::repeat_n(
        (String::new(), String::new()),
        SPARE_ROWS,
    ));
    let own: String = own
        .iter()
        .enumerate()
        .map(|(number, (name, value))| own_row(number + 1, name, value, results))
        .collect();
    let given: String = givens
        .iter()
        .map(|given| {
            format!(
                "<tr><th scope=\"row\">{}<span class=\"eyebrow mono\">{}</span></th><td class=\"mono\">{}</td></tr>",
                escape(&given.label),
                escape(&given.id),
                escape(&given.value)
            )
        })
        .collect();
    format!(
        "<table aria-labelledby=\"numbers\"><thead><tr><th scope=\"col\">Quantity</th><th scope=\"col\">Your estimate</th></tr></thead>\
         <tbody>{asked}</tbody></table>\
         <details class=\"fold\" open><summary>Rows of your own</summary><table aria-label=\"Rows of your own\">\
         <thead><tr><th scope=\"col\">Name</th><th scope=\"col\">Value or formula</th></tr></thead>\
         <tbody data-own>{own}</tbody></table></details>\
         <details class=\"fold\"><summary>Given by the prompt</summary><table aria-label=\"Given by the prompt\"><tbody>{given}</tbody></table></details>"
    )
}

fn own_row(number: usize, name: &str, value: &str, results: &[(String, Shown)]) -> String {
    let id = format!("own-{number}");
    format!(
        "<tr><td><input class=\"mono\" name=\"row\" aria-label=\"Name of your row {number}\" value=\"{}\" placeholder=\"name\" \
         autocomplete=\"off\" autocapitalize=\"none\" spellcheck=\"false\" maxlength=\"40\"></td><td>{}{}</td></tr>",
        escape(name),
        input(
            &format!(
                "aria-label=\"Value of your row {number}\" placeholder=\"value or = formula\""
            ),
            &id,
            value
        ),
        output(&id, &reading(results, name, value)),
    )
}

fn input(attributes: &str, id: &str, value: &str) -> String {
    format!(
        "<input class=\"mono\" name=\"text\" {attributes} value=\"{}\" aria-describedby=\"out-{id}\" autocomplete=\"off\" \
         autocapitalize=\"none\" spellcheck=\"false\" maxlength=\"200\">",
        escape(value)
    )
}

fn output(id: &str, shown: &Shown) -> String {
    format!(
        "<output id=\"out-{id}\" class=\"reading\">{}</output>",
        words(shown)
    )
}

fn words(shown: &Shown) -> String {
    match shown {
        Shown::Nothing => String::new(),
        Shown::Value { shown, note } => {
            let note = note.as_ref().map_or_else(String::new, |note| {
                format!(" <span class=\"quiet\">{}</span>", escape(note))
            });
            format!("<span class=\"mono\">= {}</span>{note}", escape(shown))
        }
        Shown::Fault(message) => format!("<span class=\"fault\">{}</span>", escape(message)),
    }
}

fn reading(results: &[(String, Shown)], name: &str, value: &str) -> Shown {
    if name.is_empty() && value.is_empty() {
        return Shown::Nothing;
    }
    // A row that appears twice is at fault at its second place; the fault is what helps.
    let found = results
        .iter()
        .filter(|(row, _)| row == name)
        .map(|(_, shown)| shown);
    found
        .clone()
        .find(|shown| matches!(shown, Shown::Fault(_)))
        .or_else(|| found.clone().next())
        .cloned()
        .unwrap_or(Shown::Nothing)
}

/// Every row in the document with its name's and its value's field.
fn fields(node: &Element) -> Vec<(HtmlInputElement, HtmlInputElement, Option<Element>)> {
    let Ok(rows) = node.query_selector_all("tr") else {
        return Vec::new();
    };
    (0..rows.length())
        .filter_map(|index| {
            let row = rows.item(index)?.dyn_into::<Element>().ok()?;
            let field = |name| {
                row.query_selector(name)
                    .ok()??
                    .dyn_into::<HtmlInputElement>()
                    .ok()
            };
            Some((
                field("[name=row], [name=asked]")?,
                field("[name=text]")?,
                row.query_selector("output").ok()?,
            ))
        })
        .collect()
}

fn rows_in(node: &Element) -> Vec<(String, String)> {
    fields(node)
        .iter()
        // An asked-for row without a value is not a row yet.
        .filter(|(name, value, _)| name.name() != "asked" || !value.value().trim().is_empty())
        .map(|(name, value, _)| {
            (
                name.value().trim().to_owned(),
                value.value().trim().to_owned(),
            )
        })
        .collect()
}

fn show_results(node: &Element, results: &[(String, Shown)]) {
    for (name, value, output) in fields(node) {
        let shown = reading(results, name.value().trim(), value.value().trim());
        if let Some(output) = output {
            let words = words(&shown);
            if output.inner_html() != words {
                output.set_inner_html(&words);
            }
        }
        let _ = match shown {
            Shown::Fault(_) => value.set_attribute("aria-invalid", "true"),
            _ => value.remove_attribute("aria-invalid"),
        };
    }
}

/// Keeps an empty row below the filled ones.
fn add_spare_rows(node: &Element) {
    let Ok(Some(body)) = node.query_selector("[data-own]") else {
        return;
    };
    let own = fields(&body);
    if own
        .last()
        .is_some_and(|(name, value, _)| !name.value().is_empty() || !value.value().is_empty())
    {
        let _ = body.insert_adjacent_html("beforeend", &own_row(own.len() + 1, "", "", &[]));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_survive_their_text() {
        for text in [
            "a: 1\nb: = a * 2",
            "Not an id: 5",
            ": lost?",
            "a:",
            "just words",
        ] {
            let rows = rows_of(text);
            assert_eq!(rows_of(&text_of(&rows)), rows, "{text}");
        }
        assert_eq!(rows_of("a: b: c"), [("a".to_owned(), "b: c".to_owned())]);
    }
}
