//! The working: each output as a formula in symbols, the formula with the numbers put in, and the result.
//!
//! A formula that the worksheet can calculate is written once, in the worksheet's own language, and evaluated from that text: what is
//! shown is what was calculated. Where a function is needed that the worksheet lacks, the value is passed in beside the formula.
//! Must never know how it is laid out.

use std::sync::OnceLock;

use super::chart::Chart;
use super::inputs::Inputs;
use super::rows::Row;
use super::{Calculator, Input, Output, Weight, measure, show};
use crate::domain::quantity::{Dimension, Formula, Quantity};
use crate::domain::queueing::ParameterError;

/// What an output comes to.
#[derive(Clone, Debug, PartialEq)]
pub enum Answer {
    Value(Quantity),
    /// Overload: the queue grows without bound, in the long run by so many a second (0 at exactly full load).
    Growing {
        by_per_second: f64,
    },
    /// There is no number, and this says why, as a sentence without its full stop.
    Words(String),
}

impl Answer {
    pub fn value(&self) -> Option<Quantity> {
        match self {
            Self::Value(quantity) => Some(*quantity),
            _ => None,
        }
    }

    fn shown(&self, unit: &str) -> String {
        match self {
            Self::Value(quantity) => show(*quantity, unit),
            Self::Growing { by_per_second } if *by_per_second > 0.0 => {
                let by = Quantity::new(*by_per_second, Dimension::RATE);
                let by = by.map_or_else(|fault| fault.to_string(), |by| in_short(&by.normalized()));
                format!("the queue grows without bound, by {by}")
            }
            Self::Growing { .. } => {
                "the queue grows without bound: at exactly full load nothing is left to catch up with"
                    .to_owned()
            }
            Self::Words(words) => words.clone(),
        }
    }
}

/// One step of the working.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    pub output: &'static Output,
    /// In symbols: `dau × actions / 1 day`.
    pub formula: String,
    /// With the numbers put in: `10 M users × 20 / 1 day`.
    pub numbers: String,
    pub answer: Answer,
    /// The answer in words: `2,310 req/s`.
    pub shown: String,
    /// Whether `formula` is one that the worksheet calculates.
    pub(super) calculates: bool,
}

/// An answer beside what it answers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Shown<'w> {
    pub output: &'static Output,
    pub answer: &'w Answer,
    pub text: &'w str,
}

/// A calculator at work on one set of values.
#[derive(Clone, Debug, PartialEq)]
pub struct Working {
    calculator: &'static Calculator,
    values: Vec<(&'static Input, Quantity)>,
    steps: Vec<Step>,
    warnings: Vec<String>,
}

impl Working {
    /// Runs the calculator on `values`, one for each input.
    pub(super) fn new(
        calculator: &'static Calculator,
        values: Vec<(&'static Input, Quantity)>,
    ) -> Self {
        let mut working = Self {
            calculator,
            values,
            steps: Vec::new(),
            warnings: Vec::new(),
        };
        (calculator.compute)(&mut working);
        working
    }

    /// The same with one input changed.
    pub(super) fn with(&self, id: &str, quantity: Quantity) -> Self {
        let values = self.values.iter().map(|(input, value)| {
            let value = if input.id == id { quantity } else { *value };
            (*input, value)
        });
        Self::new(self.calculator, values.collect())
    }

    /// The same at ten times the load.
    pub(super) fn tenfold(&self) -> Self {
        let load = self.calculator.load;
        let now = self.quantity(load);
        let then = now.and_then(|now| Quantity::new(now.value() * 10.0, now.dimension()).ok());
        match then {
            Some(then) => self.with(load, then),
            None => self.clone(),
        }
    }

    pub(super) fn calculator(&self) -> &'static Calculator {
        self.calculator
    }

    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }

    /// What an output comes to.
    pub fn answer(&self, id: &str) -> Option<&Answer> {
        let step = self.steps.iter().find(|step| step.output.id == id)?;
        Some(&step.answer)
    }

    /// An input or an output with a value.
    pub(super) fn quantity(&self, id: &str) -> Option<Quantity> {
        let input = self.values.iter().find(|(input, _)| input.id == id);
        match input {
            Some((_, value)) => Some(*value),
            None => self.answer(id)?.value(),
        }
    }

    /// An input or an output in base units: bytes, seconds, dollars. 0 where it has no value.
    pub(super) fn at(&self, id: &str) -> f64 {
        debug_assert!(
            self.values.iter().any(|(input, _)| input.id == id) || self.answer(id).is_some(),
            "{}: nothing is called {id}",
            self.calculator.slug
        );
        self.quantity(id).map_or(0.0, Quantity::value)
    }

    /// An input that is a whole number.
    pub(super) fn count(&self, id: &str) -> u64 {
        self.at(id).clamp(0.0, 1e18) as u64
    }

    /// An input or an output as it is shown.
    pub(super) fn text(&self, id: &str) -> String {
        if let Some((input, value)) = self.values.iter().find(|(input, _)| input.id == id) {
            return in_short(&input.show(*value));
        }
        let step = self.steps.iter().find(|step| step.output.id == id);
        step.map_or_else(String::new, |step| in_short(&step.shown))
    }

    /// An output's answer, whole.
    pub(super) fn text_of(&self, id: &str) -> String {
        let step = self.steps.iter().find(|step| step.output.id == id);
        step.map_or_else(String::new, |step| step.shown.clone())
    }

    /// A step that the worksheet's own language can calculate, from the names of inputs and earlier steps. Where one of those has no
    /// value, this one has the same answer.
    pub(super) fn step(&mut self, id: &str, formula: &str) {
        let answer = self.evaluate(formula);
        self.push(id, formula, None, answer, true);
    }

    /// A step whose value was calculated elsewhere, in base units.
    pub(super) fn computed(&mut self, id: &str, formula: &str, value: f64) {
        let answer = self.measured(id, value);
        self.push(id, formula, None, answer, false);
    }

    /// A step whose value comes from something that may not exist, such as a station in its steady state.
    pub(super) fn found<T>(
        &mut self,
        id: &str,
        formula: &str,
        from: &Result<T, Answer>,
        value: impl FnOnce(&T) -> Result<f64, ParameterError>,
    ) {
        match from.as_ref().map(value) {
            Ok(Ok(value)) => self.computed(id, formula, value),
            Ok(Err(fault)) => self.answered(id, formula, Answer::Words(fault.to_string())),
            Err(answer) => self.answered(id, formula, answer.clone()),
        }
    }

    /// A step without a number.
    pub(super) fn answered(&mut self, id: &str, formula: &str, answer: Answer) {
        self.push(id, formula, None, answer, false);
    }

    /// A step whose formula does not name what was put in.
    pub(super) fn told(&mut self, id: &str, formula: &str, numbers: String, value: f64) {
        let answer = self.measured(id, value);
        self.push(id, formula, Some(numbers), answer, false);
    }

    pub(super) fn warn(&mut self, warning: impl Into<String>) {
        self.warnings.push(warning.into());
    }

    fn measured(&self, id: &str, value: f64) -> Answer {
        let unit = self.calculator.output(id).map_or("1", |output| output.unit);
        match Quantity::new(value, measure(unit).1) {
            Ok(quantity) => Answer::Value(quantity),
            Err(_) => Answer::Words("too large to be shown".to_owned()),
        }
    }

    fn evaluate(&self, formula: &str) -> Answer {
        let parsed = match Formula::parse(&format!("= {formula}")) {
            Ok(parsed) => parsed,
            Err(fault) => {
                debug_assert!(false, "{}: {formula}: {fault}", self.calculator.slug);
                return Answer::Words(fault.message);
            }
        };
        for (name, _) in parsed.names() {
            if let Some(answer) = self.answer(name)
                && answer.value().is_none()
            {
                return answer.clone();
            }
        }
        let known: Vec<&str> = self
            .values
            .iter()
            .map(|(input, _)| input.id)
            .chain(self.steps.iter().map(|step| step.output.id))
            .collect();
        match parsed.evaluate_with(&known, |name| self.quantity(name)) {
            Ok(quantity) => Answer::Value(quantity),
            Err(fault) => Answer::Words(fault.message),
        }
    }

    fn push(
        &mut self,
        id: &str,
        formula: &str,
        numbers: Option<String>,
        answer: Answer,
        calculates: bool,
    ) {
        let Some(output) = self.calculator.output(id) else {
            debug_assert!(false, "{}: no output {id}", self.calculator.slug);
            return;
        };
        if let Answer::Value(value) = &answer {
            debug_assert_eq!(
                value.dimension(),
                measure(output.unit).1,
                "{}: {id}",
                self.calculator.slug
            );
        }
        let numbers = numbers.unwrap_or_else(|| self.put_in(formula));
        let shown = answer.shown(output.unit);
        self.steps.push(Step {
            output,
            formula: formula.to_owned(),
            numbers,
            answer,
            shown,
            calculates,
        });
    }

    /// The formula with every name replaced by the number that it stands for. Beside an exponent's sign a count stands without its unit, and
    /// anything else in brackets.
    fn put_in(&self, formula: &str) -> String {
        replace_names(formula, |name, before, after| {
            // What has no number stays a name: overload cannot be put in.
            let value = self.quantity(name)?;
            let text = self.text(name);
            let by_power = before == Some('^') || after == Some('^');
            if !by_power || !text.contains(' ') {
                return Some(text);
            }
            Some(
                if value.dimension() == Dimension::NONE && !text.ends_with('%') {
                    in_short(&value.normalized())
                } else {
                    format!("({text})")
                },
            )
        })
    }
}

/// Without the aside in brackets.
pub(super) fn in_short(shown: &str) -> String {
    let end = shown.find(" (").unwrap_or(shown.len());
    shown[..end].to_owned()
}

/// Replaces the words of a formula for which there is something else; the characters beside a word are told, too.
pub(super) fn replace_names(
    formula: &str,
    replace: impl Fn(&str, Option<char>, Option<char>) -> Option<String>,
) -> String {
    let is_part = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
    let mut replaced = String::new();
    let mut rest = formula;
    while let Some(start) = rest.find(is_part) {
        let (before, from_word) = rest.split_at(start);
        let end = from_word
            .find(|letter| !is_part(letter))
            .unwrap_or(from_word.len());
        let (word, after) = from_word.split_at(end);
        replaced.push_str(before);
        match replace(word, before.chars().last(), after.chars().next()) {
            Some(other) => replaced.push_str(&other),
            None => replaced.push_str(word),
        }
        rest = after;
    }
    replaced.push_str(rest);
    replaced
}

/// Everything that a calculator says about one set of inputs.
#[derive(Clone, Debug, PartialEq)]
pub struct Worked {
    pub inputs: Inputs,
    pub(super) working: Working,
    pub(super) chart: OnceLock<Chart>,
}

impl Worked {
    /// The answers that one came for, in order.
    pub fn main(&self) -> impl Iterator<Item = Shown<'_>> {
        self.steps()
            .iter()
            .filter(|step| step.output.weight == Weight::Main)
            .map(|step| Shown {
                output: step.output,
                answer: &step.answer,
                text: &step.shown,
            })
    }

    /// The whole working, in order.
    pub fn steps(&self) -> &[Step] {
        self.working.steps()
    }

    pub fn answer(&self, id: &str) -> Option<&Answer> {
        self.working.answer(id)
    }

    pub fn warnings(&self) -> &[String] {
        self.working.warnings()
    }

    /// What fails first at ten times the load, with the number at 10x.
    pub fn at_ten_times(&self) -> String {
        let then = self.working.tenfold();
        (self.working.calculator().fails_first)(&self.working, &then)
    }

    /// The output against the most telling input; worked out once.
    pub fn chart(&self) -> &Chart {
        self.chart.get_or_init(|| Chart::draw(&self.working))
    }

    /// The inputs and the working as rows of a worksheet, in an order that reads from top to bottom. Names for which `is_taken` holds
    /// get a number at their end, here and in the formulas.
    pub fn rows(&self, is_taken: impl Fn(&str) -> bool) -> Vec<Row> {
        super::rows::rows(&self.inputs, &self.working, is_taken)
    }
}
