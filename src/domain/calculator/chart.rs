//! The chart: one output against the most telling input.
//!
//! Must never know pixels or colors: points, axes, the marked point and the region of overload, as quantities.

use std::fmt::Write as _;

use super::working::{Answer, Working};
use super::{Input, Output, measure, show};
use crate::domain::quantity::Quantity;

/// How an axis divides its length.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scale {
    Linear,
    Log,
}

/// How far the swept input goes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Span {
    /// From a part of the present value to a multiple of it, within the hard range.
    Around { from: f64, to: f64 },
    /// Between two values in the input's unit.
    Between { from: f64, to: f64 },
}

/// What a chart shows.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sweep {
    pub input: &'static str,
    pub output: &'static str,
    pub span: Span,
    pub x: Scale,
    pub y: Scale,
}

/// One point of the curve.
#[derive(Clone, Debug, PartialEq)]
pub struct Point {
    pub x: Quantity,
    /// `2,310 req/s`.
    pub x_text: String,
    /// None where the output has no value there.
    pub y: Option<Quantity>,
    /// The value, or the answer in words.
    pub y_text: String,
}

/// The output against the input.
#[derive(Clone, Debug, PartialEq)]
pub struct Chart {
    pub input: &'static Input,
    pub output: &'static Output,
    pub x: Scale,
    /// Never logarithmic where a point is 0.
    pub y: Scale,
    /// By ascending x.
    pub points: Vec<Point>,
    /// The index of the point that stands for what was typed.
    pub marked: usize,
    /// Where the output has no value, or the queue grows without bound: stretches of x.
    pub overload: Vec<(Quantity, Quantity)>,
    /// What it shows, in one plain sentence.
    pub sentence: String,
}

/// How many points there are, besides the marked one.
const POINTS: u32 = 48;

impl Chart {
    pub(super) fn draw(working: &Working) -> Self {
        let calculator = working.calculator();
        let sweep = calculator.sweep;
        let input = calculator
            .input(sweep.input)
            .unwrap_or(&calculator.inputs[0]);
        let output = calculator
            .output(sweep.output)
            .unwrap_or(&calculator.outputs[0]);
        let (factor, dimension) = measure(input.unit);
        let here = working.at(input.id) / factor;
        let (from, to) = match sweep.span {
            Span::Around { from, to } => (here * from, here * to),
            Span::Between { from, to } => (from.min(here), to.max(here)),
        };
        let from = from.clamp(input.min, input.max);
        let to = to.clamp(input.min, input.max);
        let x = if from > 0.0 { sweep.x } else { Scale::Linear };
        let mut places: Vec<f64> = (0..=POINTS)
            .map(|index| {
                let share = f64::from(index) / f64::from(POINTS);
                let place = match x {
                    Scale::Linear => from + (to - from) * share,
                    Scale::Log => from * (to / from).powf(share),
                };
                let place = place.clamp(from, to);
                if input.whole { place.round() } else { place }
            })
            .filter(|place| place.is_finite())
            .collect();
        places.push(here);
        places.sort_by(f64::total_cmp);
        places.dedup();
        let points: Vec<Point> = places
            .iter()
            .filter_map(|place| {
                let value = if *place == here {
                    working.quantity(input.id)?
                } else {
                    Quantity::new(place * factor, dimension).ok()?
                };
                let there = working.with(input.id, value);
                let answer = there.answer(output.id)?;
                Some(Point {
                    x: value,
                    x_text: show(value, input.unit),
                    y: answer.value(),
                    y_text: there.text_of(output.id),
                })
            })
            .collect();
        let own = working.quantity(input.id);
        let marked = points.iter().position(|point| Some(point.x) == own);
        let has_zero = points
            .iter()
            .any(|point| point.y.is_some_and(|y| y.value() <= 0.0));
        let mut chart = Self {
            input,
            output,
            x,
            y: if has_zero { Scale::Linear } else { sweep.y },
            overload: overload(working, input, output, &points),
            points,
            marked: marked.unwrap_or(0),
            sentence: String::new(),
        };
        chart.sentence = chart.describe();
        chart
    }

    fn describe(&self) -> String {
        let (Some(first), Some(last)) = (self.points.first(), self.points.last()) else {
            return String::new();
        };
        let label = self.output.label;
        let known: Vec<&Point> = self
            .points
            .iter()
            .filter(|point| point.y.is_some())
            .collect();
        let (Some(lowest), Some(highest)) = (known.first(), known.last()) else {
            return format!(
                "{label}: from {} to {} there is no number, but {}.",
                first.x_text, last.x_text, first.y_text
            );
        };
        let mut sentence = if lowest.y == highest.y {
            format!(
                "{label}: {} both at {} and at {}",
                lowest.y_text, lowest.x_text, highest.x_text
            )
        } else {
            format!(
                "{label}: from {} at {} to {} at {}",
                lowest.y_text, lowest.x_text, highest.y_text, highest.x_text
            )
        };
        if let Some(point) = self.points.get(self.marked) {
            let _ = write!(sentence, "; here, at {}, {}", point.x_text, point.y_text);
        }
        if let Some((from, to)) = self.overload.first() {
            let [from, to] = [from, to].map(|end| show(*end, self.input.unit));
            let _ = write!(sentence, "; without bound from {from} to {to}");
        }
        sentence.push('.');
        sentence
    }
}

/// The stretches without a value, each with the edge found to within a thousandth of a step.
fn overload(
    working: &Working,
    input: &Input,
    output: &Output,
    points: &[Point],
) -> Vec<(Quantity, Quantity)> {
    let mut stretches: Vec<(Quantity, Quantity)> = Vec::new();
    let mut before: Option<&Point> = None;
    let mut open: Option<Quantity> = None;
    for point in points {
        match (point.y, open) {
            (None, None) => {
                let edge = before.map(|before| edge(working, input, output, before.x, point.x));
                open = Some(edge.unwrap_or(point.x));
            }
            (Some(_), Some(from)) => {
                let last = before.map_or(point.x, |before| {
                    edge(working, input, output, point.x, before.x)
                });
                stretches.push((from, last));
                open = None;
            }
            _ => {}
        }
        before = Some(point);
    }
    if let (Some(from), Some(last)) = (open, before) {
        stretches.push((from, last.x));
    }
    stretches
}

/// Where the output loses its value, between a place that has one and a place that has none.
fn edge(
    working: &Working,
    input: &Input,
    output: &Output,
    with: Quantity,
    without: Quantity,
) -> Quantity {
    let (mut with, mut edge) = (with, without);
    for _ in 0..10 {
        let middle = f64::midpoint(with.value(), edge.value());
        let middle = if input.whole { middle.round() } else { middle };
        let Ok(middle) = Quantity::new(middle, edge.dimension()) else {
            break;
        };
        if middle == with || middle == edge {
            break;
        }
        let there = working.with(input.id, middle);
        let has_value = matches!(there.answer(output.id), Some(Answer::Value(_)));
        if has_value {
            with = middle;
        } else {
            edge = middle;
        }
    }
    edge
}
