//! The estimate worksheet: rows that are typed as people write them and calculated as they are typed.
//!
//! The worksheet is one section: its rows are the lines of its text, so that saving, conflicts and history are those of
//! every section.

use leptos::prelude::*;

use crate::domain::quantity::{Quantity, Unit};
use crate::domain::worksheet::{Outcome, Sheet, evaluate};
use crate::practice::api::{GivenQuantity, WantedEstimate};

use super::saving::Editor;

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
                .filter_map(|estimate| Some((estimate.id.clone(), Unit::parse(&estimate.unit).ok()?)))
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
            let line = lines.get(diagnostic.line as usize - 1).copied().unwrap_or_default();
            let name = line.split_once(':').map_or("", |(name, _)| name).trim();
            results.push((name.to_owned(), Shown::Fault(diagnostic.message)));
        }
        results
    }
}

/// The worksheet's form. Without JavaScript its rows are posted as they stand.
#[component]
pub fn Worksheet(
    editor: Editor,
    action: String,
    form_key: String,
    wanted: Vec<WantedEstimate>,
    givens: Vec<GivenQuantity>,
    live: RwSignal<bool>,
) -> impl IntoView {
    let calculator = Calculator::new(&givens, &wanted);
    let results = Memo::new(move |_| calculator.results(&editor.body.get()));
    let shown = move |id: &str| {
        results.with(|results| {
            results.iter().find(|(row, _)| row == id).map_or(Shown::Nothing, |(_, shown)| shown.clone())
        })
    };
    let value_of = move |id: &str| {
        rows_of(&editor.body.get()).into_iter().find(|(row, _)| row == id).map(|(_, value)| value).unwrap_or_default()
    };
    let wanted_ids: Vec<String> = wanted.iter().map(|estimate| estimate.id.clone()).collect();

    let set_wanted = {
        let ids = wanted_ids.clone();
        move |id: &str, value: String| {
            let mut rows = rows_of(&editor.body.get_untracked());
            match rows.iter_mut().find(|(row, _)| row == id) {
                Some(row) => row.1 = value,
                None => {
                    // Asked-for rows stand first, in the order in which they are asked for.
                    let before = ids.iter().position(|known| known == id).unwrap_or(0);
                    let at = rows
                        .iter()
                        .position(|(row, _)| !ids[..before].contains(row))
                        .unwrap_or(rows.len());
                    rows.insert(at, (id.to_owned(), value));
                }
            }
            editor.typed(text_of(&rows));
        }
    };

    let asked = wanted
        .into_iter()
        .map(|estimate| {
            let id = StoredValue::new(estimate.id.clone());
            let set = set_wanted.clone();
            let result = move || shown(&id.get_value());
            let initial = editor.body.with_untracked(|body| {
                rows_of(body).into_iter().find(|(row, _)| *row == estimate.id).map(|(_, value)| value).unwrap_or_default()
            });
            let field = format!("row-{}", estimate.id);
            let out = format!("out-{}", estimate.id);
            view! {
                <tr>
                    <th scope="row">
                        <label for=field.clone()>{estimate.label.clone()}</label>
                        <span class="eyebrow mono">{estimate.id.clone()}</span>
                    </th>
                    <td>
                        <input type="hidden" name="row" value=estimate.id.clone()/>
                        <input
                            class="mono"
                            id=field
                            name="text"
                            value=initial
                            prop:value=move || value_of(&id.get_value())
                            on:input=move |event| set(&id.get_value(), event_target_value(&event))
                            on:blur=move |_| editor.flush()
                            placeholder=format!("in {}, or = a formula", estimate.unit)
                            autocomplete="off"
                            spellcheck="false"
                            maxlength="200"
                            aria-describedby=out.clone()
                            aria-invalid=move || matches!(result(), Shown::Fault(_)).then_some("true")
                        />
                        <output id=out class="reading"><Reading shown=Signal::derive(result)/></output>
                    </td>
                </tr>
            }
        })
        .collect_view();

    let own_ids = wanted_ids.clone();
    let own_rows = move || {
        let ids = own_ids.clone();
        editor.body.with(|body| rows_of(body).into_iter().filter(|(row, _)| !ids.contains(row)).collect::<Vec<_>>())
    };
    let own_rows = StoredValue::new(own_rows);
    let count = Memo::new(move |_| own_rows.with_value(|rows| rows()).len() + SPARE_ROWS);
    let set_own = {
        let ids = wanted_ids.clone();
        move |index: usize, change: &dyn Fn(&mut (String, String))| {
            let rows = rows_of(&editor.body.get_untracked());
            let (asked, mut own): (Vec<_>, Vec<_>) = rows.into_iter().partition(|(row, _)| ids.contains(row));
            while own.len() <= index {
                own.push((String::new(), String::new()));
            }
            change(&mut own[index]);
            editor.typed(text_of(&asked.into_iter().chain(own).collect::<Vec<_>>()));
        }
    };
    let own = move || {
        let set_own = set_own.clone();
        (0..count.get())
            .map(|index| {
                let row = move || own_rows.with_value(|rows| rows()).get(index).cloned().unwrap_or_default();
                let (set_name, set_text) = (set_own.clone(), set_own.clone());
                let result = move || {
                    let (id, value) = row();
                    if id.is_empty() && value.is_empty() { Shown::Nothing } else { shown(&id) }
                };
                view! {
                    <tr>
                        <td>
                            <input
                                class="mono"
                                name="row"
                                aria-label=format!("Name of your row {}", index + 1)
                                value=row().0
                                prop:value=move || row().0
                                on:change=move |event| {
                                    let name = event_target_value(&event);
                                    set_name(index, &|row| row.0 = name.trim().to_owned());
                                }
                                placeholder="name"
                                autocomplete="off"
                                spellcheck="false"
                                maxlength="40"
                            />
                        </td>
                        <td>
                            <input
                                class="mono"
                                name="text"
                                aria-label=format!("Value of your row {}", index + 1)
                                value=row().1
                                prop:value=move || row().1
                                on:change=move |event| {
                                    let text = event_target_value(&event);
                                    set_text(index, &|row| row.1 = text.trim().to_owned());
                                }
                                placeholder="value or = formula"
                                autocomplete="off"
                                spellcheck="false"
                                maxlength="200"
                            />
                            <output class="reading"><Reading shown=Signal::derive(result)/></output>
                        </td>
                    </tr>
                }
            })
            .collect_view()
    };

    let given_rows = givens
        .into_iter()
        .map(|given| {
            view! {
                <tr>
                    <th scope="row">{given.label}<span class="eyebrow mono">{given.id}</span></th>
                    <td class="mono">{given.value}</td>
                </tr>
            }
        })
        .collect_view();

    view! {
        <form class="worksheet" method="post" action=action on:submit=move |event| {
            if live.get_untracked() {
                event.prevent_default();
                editor.flush();
            }
        }>
            <input type="hidden" name="base" value=editor.base.get_untracked()/>
            <input type="hidden" name="key" value=form_key/>
            <h3 id="numbers">"Numbers"</h3>
            <p class="quiet small">
                "Type them as you would write them: "<code>"5M/s"</code>", "<code>"300 KB"</code>", "<code>"2.5 TB/day"</code>
                ". A row that starts with = calculates with other rows by name, as in "<code>"= dau * 2 / 86400"</code>"."
            </p>
            <table aria-labelledby="numbers">
                <thead><tr><th scope="col">"Quantity"</th><th scope="col">"Your estimate"</th></tr></thead>
                <tbody>{asked}</tbody>
            </table>
            <details class="fold" open>
                <summary>"Rows of your own"</summary>
                <table aria-label="Rows of your own">
                    <thead><tr><th scope="col">"Name"</th><th scope="col">"Value or formula"</th></tr></thead>
                    <tbody>{own}</tbody>
                </table>
            </details>
            <details class="fold">
                <summary>"Given by the prompt"</summary>
                <table aria-label="Given by the prompt"><tbody>{given_rows}</tbody></table>
            </details>
            <button class="btn without-script">"Save the numbers"</button>
        </form>
    }
}

#[component]
fn Reading(#[prop(into)] shown: Signal<Shown>) -> impl IntoView {
    move || match shown.get() {
        Shown::Nothing => ().into_any(),
        Shown::Value { shown, note } => view! {
            <span class="mono">{format!("= {shown}")}</span>
            {note.map(|note| view! { <span class="quiet">{format!(" {note}")}</span> })}
        }
        .into_any(),
        Shown::Fault(message) => view! { <span class="fault">{message}</span> }.into_any(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_survive_their_text() {
        for text in ["a: 1\nb: = a * 2", "Not an id: 5", ": lost?", "a:", "just words"] {
            let rows = rows_of(text);
            assert_eq!(rows_of(&text_of(&rows)), rows, "{text}");
        }
        assert_eq!(rows_of("a: b: c"), [("a".to_owned(), "b: c".to_owned())]);
    }
}
