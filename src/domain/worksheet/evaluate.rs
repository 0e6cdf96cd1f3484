//! Evaluation: every row of a sheet to its value, whatever the order in which rows refer to each other.
//!
//! Must never know reference ranges or expected answers: it says what a row comes to, not whether that is right.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use super::Sheet;
use crate::domain::quantity::{
    Dimension, Formula, Quantity, QuantityError, Unit, counts_something_else,
};

/// A row with what it comes to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Evaluated {
    pub id: String,
    pub text: String,
    pub outcome: Outcome,
}

/// What a row comes to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// Nothing is typed yet.
    Empty,
    Value {
        quantity: Quantity,
        /// In the wanted unit where the row has one, else normalized.
        shown: String,
        /// What was assumed in reading it.
        note: Option<String>,
    },
    Error {
        message: String,
        /// Where in the row's text, in bytes on character boundaries; none when the fault is not at one place.
        span: Option<Range<u32>>,
    },
}

/// Why a row has no value.
#[derive(Clone)]
struct Fault {
    message: String,
    span: Option<Range<u32>>,
}

impl From<QuantityError> for Fault {
    fn from(error: QuantityError) -> Self {
        Self {
            message: error.message,
            span: Some(narrow(&error.span)),
        }
    }
}

fn narrow(span: &Range<usize>) -> Range<u32> {
    let narrow = |end| u32::try_from(end).unwrap_or(u32::MAX);
    narrow(span.start)..narrow(span.end)
}

/// Evaluates every row, in the order of the sheet. `givens` are the constants of the exercise, which a row of the same name hides;
/// `wanted` has the unit that a row is measured in, for the rows that are asked for.
pub fn evaluate(
    sheet: &Sheet,
    givens: &[(String, Quantity)],
    wanted: &[(String, Unit)],
) -> Vec<Evaluated> {
    let rows: Vec<RowState<'_>> = sheet
        .rows()
        .map(|(id, text)| RowState {
            id,
            text,
            wanted: wanted
                .iter()
                .find(|(wanted, _)| wanted == id)
                .map(|(_, unit)| unit),
            formula: if text.is_empty() {
                None
            } else {
                Some(Formula::parse(text).map_err(Fault::from))
            },
            progress: Progress::Waiting,
            cycle: None,
        })
        .collect();
    let mut evaluation = Evaluation {
        rows,
        givens,
        path: Vec::new(),
    };
    for index in 0..evaluation.rows.len() {
        evaluation.resolve(index);
    }
    evaluation
        .rows
        .into_iter()
        .map(|row| Evaluated {
            id: row.id.to_owned(),
            text: row.text.to_owned(),
            outcome: match row.progress {
                Progress::Done(Ok((quantity, note))) => Outcome::Value {
                    quantity,
                    shown: match row.wanted {
                        Some(unit) => quantity.display_in(unit),
                        None => quantity.normalized(),
                    },
                    note,
                },
                Progress::Done(Err(Fault { message, span })) => Outcome::Error { message, span },
                Progress::Waiting | Progress::Started => Outcome::Empty,
            },
        })
        .collect()
}

type Resolved = Result<(Quantity, Option<String>), Fault>;

struct RowState<'s> {
    id: &'s str,
    text: &'s str,
    wanted: Option<&'s Unit>,
    /// None when the row is empty.
    formula: Option<Result<Formula, Fault>>,
    progress: Progress,
    /// What is said of the circle that the row is part of.
    cycle: Option<String>,
}

enum Progress {
    Waiting,
    Started,
    Done(Resolved),
}

struct Evaluation<'s> {
    rows: Vec<RowState<'s>>,
    givens: &'s [(String, Quantity)],
    /// The rows that wait for each other, outermost first.
    path: Vec<usize>,
}

impl Evaluation<'_> {
    /// Brings a row to its end, and before it all that it refers to. An empty row stays as it is.
    fn resolve(&mut self, index: usize) {
        if !matches!(self.rows[index].progress, Progress::Waiting) {
            return;
        }
        let Some(formula) = self.rows[index].formula.take() else {
            return;
        };
        self.rows[index].progress = Progress::Started;
        self.path.push(index);
        let resolved = formula.and_then(|formula| {
            let value = self.value(index, &formula)?;
            self.in_wanted_unit(index, value)
        });
        self.path.pop();
        let row = &mut self.rows[index];
        row.progress = Progress::Done(match row.cycle.take() {
            Some(message) => Err(Fault {
                message,
                span: None,
            }),
            None => resolved,
        });
    }

    fn value(&mut self, index: usize, formula: &Formula) -> Result<Quantity, Fault> {
        for (name, span) in formula.names() {
            let Some(other) = self.rows.iter().position(|row| row.id == name) else {
                continue;
            };
            if matches!(self.rows[other].progress, Progress::Started) {
                self.mark_cycle(other);
                continue;
            }
            self.resolve(other);
            let message = match &self.rows[other].progress {
                Progress::Done(Ok(_)) => continue,
                Progress::Done(Err(_)) => {
                    format!("The row `{name}`, which this one uses, has an error: mend it first.")
                }
                Progress::Waiting | Progress::Started => {
                    format!("The row `{name}`, which this one uses, is still empty.")
                }
            };
            return Err(Fault {
                message,
                span: Some(narrow(&span)),
            });
        }
        let own = self.rows[index].id;
        let names: Vec<&str> = self
            .rows
            .iter()
            .map(|row| row.id)
            .chain(self.givens.iter().map(|(id, _)| id.as_str()))
            .filter(|name| *name != own)
            .collect();
        let quantity = formula.evaluate_with(&names, |name| {
            if let Some(row) = self.rows.iter().find(|row| row.id == name) {
                return match &row.progress {
                    Progress::Done(Ok((quantity, _))) => Some(*quantity),
                    _ => None,
                };
            }
            let given = self.givens.iter().find(|(id, _)| id == name);
            given.map(|(_, quantity)| *quantity)
        })?;
        Ok(quantity)
    }

    /// Tells every row from `first` to the end of the path that they go round in a circle.
    fn mark_cycle(&mut self, first: usize) {
        let start = self.path.iter().position(|index| *index == first);
        let members = self.path[start.unwrap_or(0)..].to_vec();
        let message = if let [only] = members[..] {
            format!(
                "`{}` refers to itself: write a number, or the rows it comes from.",
                self.rows[only].id
            )
        } else {
            let ids: Vec<String> = members
                .iter()
                .chain(members.first())
                .map(|index| format!("`{}`", self.rows[*index].id))
                .collect();
            format!(
                "These rows go round in a circle: {}. Give one of them a number.",
                ids.join(" → ")
            )
        };
        for index in members {
            let cycle = &mut self.rows[index].cycle;
            cycle.get_or_insert_with(|| message.clone());
        }
    }

    /// The value as what the row asks for: a plain number is taken in the wanted unit, anything else must have its dimension.
    fn in_wanted_unit(&self, index: usize, value: Quantity) -> Resolved {
        let row = &self.rows[index];
        let Some(unit) = row.wanted else {
            return Ok((value, None));
        };
        let whole = Some(0..narrow(&(0..row.text.len())).end);
        let is_plain = value.dimension() == Dimension::NONE;
        // `20` where a percentage is asked for, and `0.2`: which of the two was meant is said.
        let is_bare = unit.is_percent() && is_plain && !row.text.contains(['=', '%']);
        let is_bare_percentage = is_bare && value.value() > 1.0;
        // A calculation with a percentage comes to whatever it is a part of.
        let is_share = row.text.contains('%') && !row.text.contains('=');
        let is_of_something_else = unit.dimension() != Dimension::NONE
            && (is_share || counts_something_else(row.text, unit));
        if is_plain && is_of_something_else {
            let what = if is_share {
                "a percentage"
            } else {
                "a count of something"
            };
            let wanted = unit.dimension().describe();
            return Err(Fault {
                message: format!("This is {what}; the row asks for {wanted}."),
                span: whole,
            });
        }
        if is_plain && (unit.dimension() != Dimension::NONE || is_bare_percentage) {
            let taken = value.taken_as(unit).map_err(|fault| Fault {
                message: fault.to_string(),
                span: whole,
            })?;
            return Ok((taken, Some(format!("taken as {}", taken.display_in(unit)))));
        }
        if value.dimension() == unit.dimension() {
            let note = (is_bare && value.value() > 0.0).then(|| {
                let typed = row.text.trim();
                format!("taken as {}, not as {typed} %", value.display_in(unit))
            });
            return Ok((value, note));
        }
        let mut message = format!(
            "This comes out as {}; the row asks for {}.",
            value.dimension().describe(),
            unit.dimension().describe()
        );
        if let Some(advice) = advice(row.text, value.dimension(), unit.dimension()) {
            message.push(' ');
            message.push_str(&advice);
        }
        Err(Fault {
            message,
            span: whole,
        })
    }
}

/// What to multiply or divide by, with the row's own text as the example; none when no one factor makes up for what is missing.
fn advice(text: &str, got: Dimension, asked: Dimension) -> Option<String> {
    const LONGEST_EXAMPLE: usize = 40;
    let missing = asked.over(got)?;
    let (words, operation) = match (missing.data, missing.time, missing.money) {
        (0, -1, 0) => ("Divide by a time", "/ 2 s"),
        (0, 1, 0) => ("Multiply by a time", "* 30 day"),
        (-1, 0, 0) => ("Divide by a size", "/ 2 KB"),
        (1, 0, 0) => ("Multiply by a size", "* 2 KB"),
        (-1, 1, 0) => ("Divide by a bandwidth", "/ 50 MB/s"),
        (-1, -1, 0) => ("Divide by a size and by a time", "/ 2 KB / 2 s"),
        (0, 0, 1) => ("Multiply by a price", "* $5"),
        (-1, 0, 1) => ("Multiply by a price per GB", "* $0.09/GB"),
        (-1, -1, 1) => ("Multiply by a price per GB and month", "* $0.023/GB-month"),
        _ => return None,
    };
    let calculation = match text.trim_start().strip_prefix('=') {
        Some(body) if body.contains(|letter: char| "+-*/^×·÷−".contains(letter)) => {
            format!("({})", body.trim())
        }
        Some(body) => body.trim().to_owned(),
        None => text.trim().to_owned(),
    };
    let example = if calculation.chars().count() <= LONGEST_EXAMPLE {
        &calculation
    } else {
        "(…)"
    };
    Some(format!("{words}, as in `= {example} {operation}`."))
}
