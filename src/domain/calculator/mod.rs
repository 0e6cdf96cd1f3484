//! Calculators: one declaration each, which drives the page, the island, the command line and the tests.
//!
//! A [`Calculator`] declares its inputs and outputs and a pure function between them. [`Inputs`] holds what a person typed, as it came
//! from a query or a command line, with every fault; [`Inputs::work`] gives a [`Worked`]: answers, the working step by step, warnings,
//! what fails first at ten times the load, a [`Chart`], and rows for the worksheet.
//!
//! Must never know a page, a query string's encoding, or a terminal: pairs of texts come in, texts and numbers go out.

mod catalogue;
mod chart;
mod inputs;
mod rows;
mod sources;
mod working;

#[cfg(test)]
mod tests;

use std::fmt;

use super::quantity::{Dimension, Quantity, Unit, nearest};

pub use chart::{Chart, Point, Scale, Span, Sweep};
pub use inputs::{Fault, Field, Inputs};
pub use rows::Row;
pub use working::{Answer, Shown, Step, Worked, Working};

/// Where a number comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// Published by somebody; the name is that of the source in the content where it is one of those.
    Cited {
        name: &'static str,
        date: &'static str,
    },
    /// Our own choice, and labelled so.
    Ours,
}

impl Source {
    const fn cited(name: &'static str, date: &'static str) -> Self {
        Self::Cited { name, date }
    }
}

/// `napkin-math, March 2026`, or `our own choice`.
impl fmt::Display for Source {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cited { name, date } => write!(formatter, "{name}, {date}"),
            Self::Ours => formatter.write_str("our own choice"),
        }
    }
}

/// What is usual, as a person would type it, and who says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Typical {
    pub from: &'static str,
    pub to: &'static str,
    pub source: Source,
}

/// One input of a calculator.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Input {
    /// The key in a query and the name in formulas.
    pub id: &'static str,
    pub label: &'static str,
    /// The unit that a plain number is taken in, and that its dimension must be; `1` for a plain number.
    pub unit: &'static str,
    /// As a person would type it.
    pub default: &'static str,
    pub source: Source,
    /// The hard range, measured in `unit`, both ends included.
    pub min: f64,
    pub max: f64,
    /// Whether only whole numbers make sense.
    pub whole: bool,
    pub typical: Typical,
    /// One sentence: what it is and how one comes by it.
    pub help: &'static str,
}

impl Input {
    /// In its unit: `10 M users`.
    pub fn show(&self, value: Quantity) -> String {
        show(value, self.unit)
    }

    /// The value in its unit, to the last digit.
    pub fn measured(&self, value: Quantity) -> f64 {
        value.value() / measure(self.unit).0
    }

    /// What may be typed: `1 req/s to 1 bn req/s, as in `600k req/s``.
    pub fn expected(&self) -> String {
        let [min, max] = [self.min, self.max].map(|end| show_in(end, self.unit));
        let kind = if self.whole {
            "a whole number from "
        } else {
            ""
        };
        format!("{kind}{min} to {max}, as in `{}`", self.default)
    }
}

/// Whether a quantity is what one came for, or a step on the way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Weight {
    Main,
    Detail,
}

/// One quantity that a calculator works out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Output {
    /// The name in formulas and of the worksheet's row.
    pub id: &'static str,
    pub label: &'static str,
    /// What it is shown in; `1` for a plain number.
    pub unit: &'static str,
    pub weight: Weight,
}

impl Output {
    /// The value in its unit, to the last digit.
    pub fn measured(&self, value: Quantity) -> f64 {
        value.value() / measure(self.unit).0
    }
}

/// Where a formula comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Citation {
    pub formula: &'static str,
    pub source: &'static str,
}

/// One calculator, declared.
#[derive(Clone, Copy)]
pub struct Calculator {
    /// The name in addresses and on the command line.
    pub slug: &'static str,
    pub title: &'static str,
    /// One sentence: the question that it answers.
    pub summary: &'static str,
    /// The words under which it is looked for besides.
    pub also: &'static str,
    pub inputs: &'static [Input],
    /// In the order of working; every one has a step.
    pub outputs: &'static [Output],
    /// The assumption that matters most.
    pub assumption: &'static str,
    /// What the chart sweeps.
    pub sweep: Sweep,
    /// The input that is multiplied by ten for "what fails first at 10x".
    pub load: &'static str,
    pub citations: &'static [Citation],
    /// Works out every output.
    compute: fn(&mut Working),
    /// What fails first at ten times the load, from the working now and then. It names the number at 10x.
    fails_first: fn(now: &Working, then: &Working) -> String,
}

impl fmt::Debug for Calculator {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Calculator({})", self.slug)
    }
}

impl PartialEq for Calculator {
    fn eq(&self, other: &Self) -> bool {
        self.slug == other.slug
    }
}

impl Calculator {
    pub fn input(&self, id: &str) -> Option<&'static Input> {
        self.inputs.iter().find(|input| input.id == id)
    }

    pub fn output(&self, id: &str) -> Option<&'static Output> {
        self.outputs.iter().find(|output| output.id == id)
    }
}

/// Every calculator, in the order in which an estimate needs them.
pub fn all() -> &'static [Calculator] {
    &catalogue::ALL
}

pub fn find(slug: &str) -> Option<&'static Calculator> {
    all().iter().find(|calculator| calculator.slug == slug)
}

/// The slug that a mistyped one was probably meant to be.
pub fn nearest_slug(slug: &str) -> Option<&'static str> {
    nearest(slug, all().iter().map(|calculator| calculator.slug))
}

/// So many of a unit that the declarations name.
fn show_in(value: f64, unit: &str) -> String {
    let (factor, dimension) = measure(unit);
    Quantity::new(value * factor, dimension)
        .map_or_else(|_| format!("{value} {unit}"), |value| show(value, unit))
}

/// Base units in one of a unit, and what it measures. The tests hold that every declared unit is one.
fn measure(unit: &str) -> (f64, Dimension) {
    Unit::parse(unit).map_or((1.0, Dimension::NONE), |unit| {
        (unit.factor(), unit.dimension())
    })
}

/// In the declared unit, or where sizes and times differ by orders of magnitude, in the one that reads best.
fn show(value: Quantity, unit: &str) -> String {
    // A probability of 1e-279 says no more than that it is none.
    if value.value() != 0.0
        && value.value().abs() < 1e-18
        && let Ok(none) = Quantity::new(0.0, value.dimension())
    {
        return format!("practically {}", show(none, unit));
    }
    match (value.dimension(), Unit::parse(unit)) {
        (Dimension::TIME | Dimension::DATA, _) | (_, Err(_)) => value.normalized(),
        (_, Ok(unit)) => {
            let shown = value.display_in(&unit);
            // One of what is counted is no plural.
            match unit.label().strip_suffix('s') {
                Some(singular)
                    if value.dimension() == Dimension::NONE
                        && shown == format!("1 {}", unit.label()) =>
                {
                    format!("1 {singular}")
                }
                _ => shown,
            }
        }
    }
}
