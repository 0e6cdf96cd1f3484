//! A worked calculator as rows of the worksheet, which evaluate to the same numbers.
//!
//! Must never know the sheet that they go into, only which names are taken there.

use super::Weight;
use super::inputs::{Field, Inputs};
use super::working::{Answer, Working, replace_names};
use crate::domain::quantity::{Dimension, Quantity};

/// One row for a worksheet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    pub id: String,
    pub label: &'static str,
    /// A literal, or a formula that starts with `=`.
    pub text: String,
}

pub(super) fn rows(
    inputs: &Inputs,
    working: &Working,
    is_taken: impl Fn(&str) -> bool,
) -> Vec<Row> {
    let ids = inputs.fields.iter().map(|field| field.input.id);
    let ids = ids.chain(working.steps().iter().map(|step| step.output.id));
    let mut names: Vec<(&str, String)> = Vec::new();
    for id in ids {
        let fresh = |name: &str| !is_taken(name) && names.iter().all(|(_, taken)| taken != name);
        let name = if fresh(id) {
            id.to_owned()
        } else {
            (2..1000)
                .map(|number: u32| format!("{id}_{number}"))
                .find(|name| fresh(name))
                .unwrap_or_else(|| id.to_owned())
        };
        names.push((id, name));
    }
    let renamed = |id: &str| {
        let found = names.iter().find(|(original, _)| *original == id);
        found.map(|(_, name)| name.clone())
    };
    let name = |id: &str| renamed(id).unwrap_or_else(|| id.to_owned());
    let mut rows = Vec::new();
    // What is no answer stands there only where a row calculates with it.
    let mut wanted: Vec<&str> = Vec::new();
    for step in working.steps().iter().rev() {
        if step.output.weight == Weight::Main || wanted.contains(&step.output.id) {
            wanted.push(step.output.id);
            let is_part = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
            let names = step.formula.split(|letter| !is_part(letter));
            wanted.extend(names.filter_map(|name| {
                let mut steps = working.steps().iter();
                steps
                    .find(|step| step.output.id == name)
                    .map(|step| step.output.id)
            }));
        }
    }
    for field in &inputs.fields {
        if let Ok(value) = &field.reading {
            rows.push(Row {
                id: name(field.input.id),
                label: field.input.label,
                text: literal_of(field, *value, |word| {
                    let own = names
                        .iter()
                        .any(|(id, name)| *id == field.input.id && name == word);
                    !own && (is_taken(word) || names.iter().any(|(_, name)| name == word))
                }),
            });
        }
    }
    for step in working.steps() {
        let Answer::Value(value) = &step.answer else {
            continue;
        };
        if !wanted.contains(&step.output.id) {
            continue;
        }
        let formula = format!("= {}", replace_names(&step.formula, |id, _, _| renamed(id)));
        let fits = formula.chars().count() <= crate::domain::quantity::MAX_LENGTH;
        rows.push(Row {
            id: name(step.output.id),
            label: step.output.label,
            text: if step.calculates && fits {
                formula
            } else {
                exactly(*value)
            },
        });
    }
    rows
}

/// What was typed, where that means the same among the rows; else the value to its last digit. A word that is the name of
/// another row (`3 layers` where there is a row `layers`) would be taken for that row.
fn literal_of(field: &Field, value: Quantity, is_another_row: impl Fn(&str) -> bool) -> String {
    let text = field.text.trim();
    let mut words = text.split(|letter: char| !letter.is_alphanumeric() && letter != '_');
    if Quantity::parse(text) == Ok(value) && !words.any(is_another_row) {
        text.to_owned()
    } else {
        exactly(value)
    }
}

/// A literal that parses to exactly this quantity.
fn exactly(value: Quantity) -> String {
    let dimension = value.dimension();
    let units: &[&str] = match (dimension.data, dimension.time, dimension.money) {
        (0, 0, 0) => &[""],
        (0, -1, 0) => &[" /s"],
        (1, 0, 0) => &[" B"],
        (1, -1, 0) => &[" B/s"],
        (0, 1, 0) => &[" s"],
        (0, 0, 1) => &[" USD"],
        (0, -1, 1) => &[" USD/s"],
        _ => &[],
    };
    let number = number(value.value());
    units
        .iter()
        .map(|unit| format!("{number}{unit}"))
        .find(|text| Quantity::parse(text) == Ok(value))
        .unwrap_or_else(|| by_exponents(&number, dimension))
}

/// A calculation of base units, for what has no unit of its own.
fn by_exponents(number: &str, dimension: Dimension) -> String {
    let mut text = format!("= {number}");
    for (base, exponent) in [
        ("1 B", dimension.data),
        ("1 s", dimension.time),
        ("$1", dimension.money),
    ] {
        for _ in 0..exponent.unsigned_abs() {
            text.push_str(if exponent > 0 { " * " } else { " / " });
            text.push_str(base);
        }
    }
    text
}

fn number(value: f64) -> String {
    if value == 0.0 || (1e-6..1e15).contains(&value.abs()) {
        format!("{value}")
    } else {
        format!("{value:e}")
    }
}
