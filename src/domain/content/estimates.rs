//! `estimates.toml`: the constants of the exercise and the back-of-envelope numbers that follow from them, each worked out and
//! checked against its own range.
//!
//! Expressions are stricter than a candidate's worksheet: they refer backwards only, and a plain number stands for no unit.
//! Must never know how units and expressions are read: that is [`crate::domain::quantity`].

use std::ops::Range;

use toml::de::DeTable;

use super::diagnostic::Report;
use super::fields::{Table, Text, report_syntax};
use super::source::SourceRef;
use crate::domain::quantity::{Formula, Quantity, QuantityError, Unit};
use crate::domain::worksheet::{MAX_ID_LENGTH, Sheet};

/// What rounding in floating point may take a value beyond its range, as a share of the range's end.
const ROUNDING: f64 = 1e-9;

/// The numbers of a prompt.
#[derive(Clone, Debug, PartialEq)]
pub struct Estimates {
    pub givens: Vec<Given>,
    /// In order: an expression uses the givens and the estimates before it.
    pub estimates: Vec<Estimate>,
}

/// A constant of the exercise.
#[derive(Clone, Debug, PartialEq)]
pub struct Given {
    /// Its name in an expression.
    pub id: String,
    pub label: String,
    pub value: Figure,
    pub source: SourceRef,
}

/// A number that the candidate works out.
#[derive(Clone, Debug, PartialEq)]
pub struct Estimate {
    /// Its name in an expression.
    pub id: String,
    pub label: String,
    /// What the answer is measured in.
    pub unit: Unit,
    /// How the reference gets there.
    pub expression: String,
    /// What the expression evaluates to.
    pub value: Quantity,
    /// The range in which an answer agrees with the reference, both ends included.
    pub low: Figure,
    pub high: Figure,
    /// Markdown.
    pub working: String,
    /// What the number decides in the design.
    pub feeds: String,
    pub source: SourceRef,
}

/// A quantity as it is written and as it is calculated with.
#[derive(Clone, Debug, PartialEq)]
pub struct Figure {
    pub text: String,
    pub quantity: Quantity,
}

impl Estimates {
    /// Works every estimate out again from the givens.
    ///
    /// # Errors
    /// The index of the first estimate that has no value, and why.
    pub(super) fn work_out(&mut self) -> Result<(), (usize, QuantityError)> {
        let givens = self.givens.iter();
        let mut scope: Vec<(String, Quantity)> = givens
            .map(|given| (given.id.clone(), given.value.quantity))
            .collect();
        for (index, estimate) in self.estimates.iter_mut().enumerate() {
            estimate.value = Formula::parse(&estimate.expression)
                .and_then(|formula| formula.evaluate(&scope))
                .map_err(|error| (index, error))?;
            scope.push((estimate.id.clone(), estimate.value));
        }
        Ok(())
    }
}

impl Estimate {
    /// Whether the value that the expression has lies in the range that is expected.
    pub(super) fn is_in_range(&self) -> bool {
        let range = self.low.quantity.value()..self.high.quantity.value();
        is_within(self.value.value(), &range)
    }
}

/// The names that the file has defined so far.
#[derive(Default)]
struct Names {
    /// Every id in the file.
    all: Vec<String>,
    /// The ids up to here.
    defined: Vec<String>,
    /// Those of them that have a value.
    scope: Vec<(String, Quantity)>,
}

pub(super) fn read(report: &mut Report<'_>) -> Option<Estimates> {
    let (document, errors) = DeTable::parse_recoverable(report.text);
    report_syntax(report, &errors);
    let fields = Table::root(&document).open(report, &["estimate"], &["given"]);
    let givens = fields.tables(report, "given").unwrap_or_default();
    let estimates = fields.tables(report, "estimate");
    if let Some(estimates) = &estimates {
        let headers: Vec<usize> = estimates.iter().map(|table| table.header).collect();
        report.count(
            "[[estimate]] tables",
            6..=9,
            &headers,
            headers.last().copied().unwrap_or_default(),
        );
    }
    let has_estimates = estimates.is_some();
    let estimates = estimates.unwrap_or_default();

    let ids = givens.iter().chain(&estimates).filter_map(Table::id);
    let mut names = Names {
        all: ids.map(str::to_owned).collect(),
        ..Names::default()
    };
    let givens: Vec<Option<Given>> = givens
        .into_iter()
        .map(|table| read_given(report, table, &mut names))
        .collect();
    let estimates: Vec<Option<Estimate>> = estimates
        .into_iter()
        .map(|table| read_estimate(report, table, &mut names))
        .collect();
    let givens = givens.into_iter().collect::<Option<_>>()?;
    let estimates = estimates.into_iter().collect::<Option<_>>()?;
    has_estimates.then_some(Estimates { givens, estimates })
}

fn read_given(report: &mut Report<'_>, table: Table<'_>, names: &mut Names) -> Option<Given> {
    let fields = table.open(report, &["id", "label", "value", "source"], &[]);
    let id = fields.string(report, "id");
    let label = fields.string(report, "label");
    let value = fields
        .string(report, "value")
        .and_then(|text| read_figure(report, text));
    let source = fields.source(report, "source");
    if let Some(id) = &id {
        names.define(report, id, value.as_ref().map(|figure| figure.quantity));
    }
    Some(Given {
        id: id?.value,
        label: label?.value,
        value: value?,
        source: source?,
    })
}

fn read_estimate(report: &mut Report<'_>, table: Table<'_>, names: &mut Names) -> Option<Estimate> {
    let required = [
        "id",
        "label",
        "unit",
        "expression",
        "low",
        "high",
        "working",
        "feeds",
        "source",
    ];
    let fields = table.open(report, &required, &[]);
    let id = fields.string(report, "id");
    let label = fields.string(report, "label");
    let unit = fields
        .string(report, "unit")
        .and_then(|text| accept(report, &text, Unit::parse(&text.value)));
    let expression = fields.string(report, "expression");
    let value = expression
        .as_ref()
        .and_then(|expression| evaluate(report, expression, names));
    let low = fields
        .string(report, "low")
        .and_then(|text| read_figure(report, text));
    let high = fields
        .string(report, "high")
        .and_then(|text| read_figure(report, text));
    let working = fields.markdown(report, "working");
    let feeds = fields.string(report, "feeds");
    let source = fields.source(report, "source");

    if let Some(unit) = &unit {
        let of_low = low.as_ref().map(|figure| ("low", figure.quantity));
        let of_high = high.as_ref().map(|figure| ("high", figure.quantity));
        let measured = [of_low, of_high, value.map(|value| ("expression", value))];
        for (key, quantity) in measured.into_iter().flatten() {
            if quantity.dimension() != unit.dimension() {
                let found = quantity.dimension().describe();
                let expected = unit.dimension().describe();
                report.at(
                    fields.place(key),
                    format!("{found}, but the unit {:?} is {expected}", unit.label()),
                );
            }
        }
    }
    if let (Some(low), Some(high)) = (&low, &high)
        && low.quantity.dimension() == high.quantity.dimension()
    {
        let range = low.quantity.value()..high.quantity.value();
        if range.start > range.end {
            report.at(
                fields.place("low"),
                format!("low {:?} is above high {:?}", low.text, high.text),
            );
        } else if let Some(value) =
            value.filter(|value| value.dimension() == low.quantity.dimension())
            && !is_within(value.value(), &range)
        {
            let shown = unit
                .as_ref()
                .map_or_else(|| value.normalized(), |unit| value.display_in(unit));
            report.at(
                fields.place("expression"),
                format!("{shown} is not within {} to {}", low.text, high.text),
            );
        }
    }
    if let Some(id) = &id {
        // A value that measures something else than it should would only bring on more faults.
        let sound = value.filter(|value| {
            unit.as_ref()
                .is_none_or(|unit| value.dimension() == unit.dimension())
        });
        names.define(report, id, sound);
    }
    Some(Estimate {
        id: id?.value,
        label: label?.value,
        unit: unit?,
        expression: expression?.value,
        value: value?,
        low: low?,
        high: high?,
        working: working?.value,
        feeds: feeds?.value,
        source: source?,
    })
}

fn is_within(value: f64, range: &Range<f64>) -> bool {
    value >= range.start - range.start.abs() * ROUNDING
        && value <= range.end + range.end.abs() * ROUNDING
}

pub(super) fn read_figure(report: &mut Report<'_>, text: Text) -> Option<Figure> {
    let quantity = accept(report, &text, Quantity::parse(&text.value))?;
    Some(Figure {
        text: text.value,
        quantity,
    })
}

/// What an expression gives, from the givens and the estimates before it.
fn evaluate(report: &mut Report<'_>, expression: &Text, names: &Names) -> Option<Quantity> {
    let formula = accept(report, expression, Formula::parse(&expression.value))?;
    let mut can_be_evaluated = true;
    for (name, span) in formula.names() {
        let is_among = |names: &[String]| names.iter().any(|other| other == name);
        if names.scope.iter().any(|(valued, _)| valued == name) {
            continue;
        }
        if !is_among(&names.all) {
            // A unit, or unknown, which evaluation tells; or an id in a part of the file that could not be read.
            can_be_evaluated &= report.is_complete();
            continue;
        }
        // What is defined without a value is faulty, and has been reported where it stands.
        can_be_evaluated = false;
        if !is_among(&names.defined) {
            let message = format!(
                "{name:?} is not defined before this; an expression uses givens and earlier estimates"
            );
            report.at(expression.position(span.start), message);
        }
    }
    if !can_be_evaluated {
        return None;
    }
    accept(report, expression, formula.evaluate(&names.scope))
}

/// The value, or its error at its place in the text.
fn accept<T>(report: &mut Report<'_>, text: &Text, result: Result<T, QuantityError>) -> Option<T> {
    result
        .map_err(|error| report.at(text.position(error.span.start), error.message))
        .ok()
}

impl Names {
    /// Takes up an id, which is to be fit for a row of a candidate's worksheet and to stand once in the file.
    fn define(&mut self, report: &mut Report<'_>, id: &Text, value: Option<Quantity>) {
        let name = &id.value;
        if !Sheet::is_row_id(name) {
            let message = format!(
                "id {name:?} must be lower-case letters, digits and _, a letter first, at most {MAX_ID_LENGTH}"
            );
            report.at(id.offset, message);
        } else if self.defined.contains(name) {
            report.at(id.offset, format!("id {name:?} stands here a second time"));
        }
        self.defined.push(name.clone());
        if let Some(value) = value {
            self.scope.push((name.clone(), value));
        }
    }
}
