//! Units: what an answer is measured in, as the content names it (`unit = "req/s"`).
//!
//! Must never know the prompt that asks for it.

use serde::{Deserialize, Serialize};

use super::literal::Reader;
use super::{Dimension, QuantityError, check_length};

/// A unit with the label that its author gave it.
///
/// On the wire it is its label.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Unit {
    label: String,
    factor: f64,
    dimension: Dimension,
    style: Style,
}

/// How a value in a unit is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Style {
    /// Counts: `12 M req/day`.
    Count,
    /// The sign stands in front: `$1,200/month`.
    Dollars,
    /// `99.95 %`: a value just under all keeps its nines.
    Percent,
    /// The label carries the size: `12,000 GB`.
    Measured,
}

impl Unit {
    /// Reads a unit: `req/s`, `KB`, `GB/day`, `$/month`, `$/GB-month`, `%`, `users`, `M users`.
    pub fn parse(text: &str) -> Result<Self, QuantityError> {
        check_length(text)?;
        let label = text.trim();
        let phrase = Reader::new(text, 0)?.unit()?;
        let style = if label.starts_with('$') {
            Style::Dollars
        } else if matches!(label, "%" | "percent") {
            Style::Percent
        } else if phrase.is_measured {
            Style::Measured
        } else {
            Style::Count
        };
        Ok(Self {
            label: label.to_owned(),
            factor: phrase.factor,
            dimension: phrase.dimension,
            style,
        })
    }

    /// As its author wrote it.
    pub fn label(&self) -> &str {
        &self.label
    }

    pub fn dimension(&self) -> Dimension {
        self.dimension
    }

    /// Base units (bytes, seconds, US dollars) in one of this unit.
    pub fn factor(&self) -> f64 {
        self.factor
    }

    /// Whether a bare number above one is more likely so many percent than a multiple of all.
    pub(crate) fn is_percent(&self) -> bool {
        self.style == Style::Percent
    }

    pub(super) fn style(&self) -> Style {
        self.style
    }
}

impl TryFrom<String> for Unit {
    type Error = QuantityError;

    fn try_from(label: String) -> Result<Self, QuantityError> {
        Self::parse(&label)
    }
}

impl From<Unit> for String {
    fn from(unit: Unit) -> Self {
        unit.label
    }
}
