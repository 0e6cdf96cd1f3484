//! Dimensions: what a quantity measures, as exponents of the three base units.
//!
//! Must never know prefixes or spellings of units; those are [`super::vocabulary`]'s.

use serde::{Deserialize, Serialize};

/// Exponents of data (byte), time (second) and money (US dollar). Counts have no dimension.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Dimension {
    pub data: i8,
    pub time: i8,
    pub money: i8,
}

impl Dimension {
    pub const NONE: Self = Self::of(0, 0, 0);
    pub const DATA: Self = Self::of(1, 0, 0);
    pub const TIME: Self = Self::of(0, 1, 0);
    pub const MONEY: Self = Self::of(0, 0, 1);
    /// Per second.
    pub const RATE: Self = Self::of(0, -1, 0);
    /// Bytes per second.
    pub const BANDWIDTH: Self = Self::of(1, -1, 0);
    /// Dollars per second.
    pub const SPENDING: Self = Self::of(0, -1, 1);

    /// The largest exponent that is kept.
    const MAX_EXPONENT: i32 = 9;

    pub const fn of(data: i8, time: i8, money: i8) -> Self {
        Self { data, time, money }
    }

    /// The dimension of a product; none when an exponent leaves -9..=9.
    pub fn times(self, other: Self) -> Option<Self> {
        self.combine(other, 1)
    }

    /// The dimension of a quotient; none when an exponent leaves -9..=9.
    pub fn over(self, other: Self) -> Option<Self> {
        self.combine(other, -1)
    }

    /// The dimension of a power; none when an exponent leaves -9..=9.
    pub fn power(self, exponent: i8) -> Option<Self> {
        Self::NONE.combine(self, i32::from(exponent))
    }

    fn combine(self, other: Self, weight: i32) -> Option<Self> {
        let exponent = |own: i8, other: i8| {
            let sum = i32::from(own) + weight * i32::from(other);
            (sum.abs() <= Self::MAX_EXPONENT).then_some(sum as i8)
        };
        Some(Self {
            data: exponent(self.data, other.data)?,
            time: exponent(self.time, other.time)?,
            money: exponent(self.money, other.money)?,
        })
    }

    /// What it measures, in words that fit after "This comes out as" and "the row asks for".
    pub fn describe(self) -> String {
        let words = match (self.data, self.time, self.money) {
            (0, 0, 0) => "a plain number",
            (0, -1, 0) => "a rate (per second)",
            (1, 0, 0) => "a size in bytes",
            (1, -1, 0) => "a bandwidth (bytes per second)",
            (0, 1, 0) => "a duration",
            (0, 0, 1) => "an amount of money",
            (0, -1, 1) => "money per month",
            (-1, 0, 1) => "a price per GB",
            (-1, -1, 1) => "a price per GB and month",
            (-1, 0, 0) => "a count per GB",
            _ => return format!("a mixed quantity (in `{}`)", self.label()),
        };
        words.to_owned()
    }

    /// The base units with their exponents, as in `B·s²/$`: what [`super::Unit::parse`] reads back. Empty for a plain number.
    pub(super) fn label(self) -> String {
        const SUPERSCRIPTS: [&str; 10] = ["⁰", "", "²", "³", "⁴", "⁵", "⁶", "⁷", "⁸", "⁹"];
        let bases = [("$", self.money), ("B", self.data), ("s", self.time)];
        let mut label = String::new();
        for (symbol, exponent) in bases {
            if exponent > 0 {
                if !label.is_empty() {
                    label.push('·');
                }
                label.push_str(symbol);
                label.push_str(SUPERSCRIPTS[usize::from(exponent.unsigned_abs().min(9))]);
            }
        }
        for (symbol, exponent) in bases {
            if exponent < 0 {
                label.push('/');
                label.push_str(symbol);
                label.push_str(SUPERSCRIPTS[usize::from(exponent.unsigned_abs().min(9))]);
            }
        }
        label
    }

    /// How one would write `number` of it.
    pub(super) fn example(self, number: u32) -> String {
        match (self.data, self.time, self.money) {
            (0, 0, 0) => number.to_string(),
            (1, 0, 0) => format!("{number} KB"),
            (1, -1, 0) => format!("{number} KB/s"),
            (0, 0, 1) => format!("${number}"),
            (0, -1, 1) => format!("${number}/month"),
            _ => format!("{number} {}", self.label()),
        }
    }
}
