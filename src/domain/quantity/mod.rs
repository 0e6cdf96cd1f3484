//! Quantities: what a person types as a number with a unit (`5M/s`, `2.5 TB/day`, `$0.023/GB-month`), as a value that can be
//! calculated with, checked for its dimension and shown again in readable units.
//!
//! Must never know worksheets, rows, prompts or grades: it reads one line of text and knows nothing of where that stands.
//!
//! Conventions, all deliberate:
//! - Base units are the byte, the second and the US dollar. Counts (`req`, `users`, any noun) are plain numbers.
//! - `KB` = `kB` = 1000 bytes, `KiB` = 1024 bytes (IEC 80000-13). A lower-case `b` after an upper-case prefix is a bit: `Mb` is a
//!   megabit. All in lower case (`mb`, `kb`) it is refused, because people mean either and the two differ by eight.
//! - A month has 30 days, a year 365: the usual convention of estimates.
//! - `5B` and `5B/s` are bytes; `5B users` and `$5B` are billions.
//! - A word that could mean two things (`m`, `b`, `daily`) is an error that names both, never a guess.
//! - No quantity is ever infinite or NaN: beyond [`Quantity::MAX`] it is an error.

mod dimension;
mod display;
mod formula;
mod lexer;
mod literal;
mod spelling;
mod unit;
mod vocabulary;

#[cfg(test)]
mod tests;

use std::ops::Range;

use serde::{Deserialize, Serialize};
use thiserror::Error;

pub use dimension::Dimension;
pub use formula::Formula;
pub use unit::Unit;

pub use spelling::nearest;

/// The longest text that is read, in characters.
pub const MAX_LENGTH: usize = 200;

/// Why a text is not a quantity, in words for the person who wrote it.
#[derive(Clone, Debug, PartialEq, Eq, Error, Serialize, Deserialize)]
#[error("{message}")]
pub struct QuantityError {
    /// What is wrong and what to write instead.
    pub message: String,
    /// Where, in bytes of the text; both ends are on character boundaries.
    pub span: Range<usize>,
}

impl QuantityError {
    pub(crate) fn new(message: impl Into<String>, span: Range<usize>) -> Self {
        Self {
            message: message.into(),
            span,
        }
    }
}

/// Why a calculation has no result.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum ArithmeticError {
    #[error("This is too large: check the exponents and the magnitudes (k, M, bn).")]
    TooLarge,
    #[error("This divides by zero.")]
    DivisionByZero,
    #[error("{}", mixed("added to", *.addend, *.to))]
    Sum { addend: Dimension, to: Dimension },
    #[error("{}", mixed("subtracted from", *.subtrahend, *.from))]
    Difference {
        subtrahend: Dimension,
        from: Dimension,
    },
    #[error("An exponent is a plain number; this one is {}.", .0.describe())]
    ExponentWithUnit(Dimension),
    #[error("A value with a unit takes a whole exponent from -9 to 9, as in `(2 s)^2`.")]
    ExponentOfUnit,
    #[error("The units multiply up too far: at most the ninth power of a unit is kept.")]
    DimensionTooLarge,
    #[error("A negative number has no power with a fraction.")]
    NoRealResult,
}

/// The sentence for a sum or difference of two dimensions.
fn mixed(verb: &str, term: Dimension, other: Dimension) -> String {
    let sentence = format!("{} cannot be {verb} {}.", term.describe(), other.describe());
    let mut letters = sentence.chars();
    let mut sentence: String = letters
        .next()
        .map(|first| first.to_ascii_uppercase())
        .into_iter()
        .chain(letters)
        .collect();
    for (plain, measured) in [(term, other), (other, term)] {
        if plain == Dimension::NONE {
            sentence.push_str(" Give the plain number a unit, as in `");
            sentence.push_str(&measured.example(100));
            sentence.push_str("`.");
        }
    }
    sentence
}

/// A finite value in base units (bytes, seconds, US dollars) and what it measures.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Wire")]
pub struct Quantity {
    value: f64,
    dimension: Dimension,
}

/// A quantity as it crosses the wire, before it is known to be finite.
#[derive(Deserialize)]
struct Wire {
    value: f64,
    dimension: Dimension,
}

impl TryFrom<Wire> for Quantity {
    type Error = ArithmeticError;

    fn try_from(wire: Wire) -> Result<Self, ArithmeticError> {
        Self::new(wire.value, wire.dimension)
    }
}

/// Whether a literal counts what the unit does not: `5 apples` where gigabytes are asked for. `5M requests` for `req/s` does
/// not, and neither does a number alone.
pub fn counts_something_else(text: &str, unit: &Unit) -> bool {
    literal::parse(text).is_ok_and(|literal| {
        literal.nouns.iter().any(|noun| {
            let word = &text[noun.span.clone()];
            unit.dimension() != Dimension::RATE || !vocabulary::is_noun(word)
        })
    })
}

impl Quantity {
    /// The largest magnitude, in base units: the product of two such values is still finite.
    pub const MAX: f64 = 1e100;

    /// A quantity of `value` base units; an error when it is not finite or beyond [`Self::MAX`].
    pub fn new(value: f64, dimension: Dimension) -> Result<Self, ArithmeticError> {
        if value.is_nan() || value.abs() > Self::MAX {
            return Err(ArithmeticError::TooLarge);
        }
        // Adding zero turns -0 into 0.
        Ok(Self {
            value: value + 0.0,
            dimension,
        })
    }

    /// Reads what a person typed: a literal (`830 req/s`), or a formula without names (`= 12M / 1 day`).
    pub fn parse(text: &str) -> Result<Self, QuantityError> {
        Formula::parse(text)?.evaluate(&[])
    }

    /// The value in base units: bytes, seconds, US dollars.
    pub fn value(self) -> f64 {
        self.value
    }

    pub fn dimension(self) -> Dimension {
        self.dimension
    }

    /// The value measured in `unit`; none when the unit measures something else.
    pub fn value_in(self, unit: &Unit) -> Option<f64> {
        (self.dimension == unit.dimension()).then(|| self.value / unit.factor())
    }

    /// A plain number taken as so many of `unit`.
    pub fn taken_as(self, unit: &Unit) -> Result<Self, ArithmeticError> {
        Self::new(self.value * unit.factor(), unit.dimension())
    }

    pub fn checked_add(self, other: Self) -> Result<Self, ArithmeticError> {
        if self.dimension != other.dimension {
            return Err(ArithmeticError::Sum {
                addend: other.dimension,
                to: self.dimension,
            });
        }
        Self::new(self.value + other.value, self.dimension)
    }

    pub fn checked_sub(self, other: Self) -> Result<Self, ArithmeticError> {
        if self.dimension != other.dimension {
            return Err(ArithmeticError::Difference {
                subtrahend: other.dimension,
                from: self.dimension,
            });
        }
        Self::new(self.value - other.value, self.dimension)
    }

    pub fn checked_mul(self, other: Self) -> Result<Self, ArithmeticError> {
        let dimension = self.dimension.times(other.dimension);
        Self::new(
            self.value * other.value,
            dimension.ok_or(ArithmeticError::DimensionTooLarge)?,
        )
    }

    pub fn checked_div(self, other: Self) -> Result<Self, ArithmeticError> {
        if other.value == 0.0 {
            return Err(ArithmeticError::DivisionByZero);
        }
        let dimension = self.dimension.over(other.dimension);
        Self::new(
            self.value / other.value,
            dimension.ok_or(ArithmeticError::DimensionTooLarge)?,
        )
    }

    /// Any exponent for a plain number, a whole one from -9 to 9 for a value with a unit.
    pub fn checked_pow(self, exponent: Self) -> Result<Self, ArithmeticError> {
        if exponent.dimension != Dimension::NONE {
            return Err(ArithmeticError::ExponentWithUnit(exponent.dimension));
        }
        if self.value == 0.0 && exponent.value < 0.0 {
            return Err(ArithmeticError::DivisionByZero);
        }
        if self.value < 0.0 && exponent.value.fract() != 0.0 {
            return Err(ArithmeticError::NoRealResult);
        }
        let dimension = if self.dimension == Dimension::NONE {
            Dimension::NONE
        } else if exponent.value.fract() == 0.0 && exponent.value.abs() <= 9.0 {
            self.dimension
                .power(exponent.value as i8)
                .ok_or(ArithmeticError::DimensionTooLarge)?
        } else {
            return Err(ArithmeticError::ExponentOfUnit);
        };
        Self::new(self.value.powf(exponent.value), dimension)
    }

    #[must_use]
    pub fn negated(self) -> Self {
        Self {
            value: 0.0 - self.value,
            dimension: self.dimension,
        }
    }
}

/// An error when a text is longer than [`MAX_LENGTH`].
fn check_length(text: &str) -> Result<(), QuantityError> {
    match text.char_indices().nth(MAX_LENGTH) {
        Some((start, _)) => Err(QuantityError::new(
            format!("This is too long: at most {MAX_LENGTH} characters. Split it into two rows."),
            start..text.len(),
        )),
        None => Ok(()),
    }
}
