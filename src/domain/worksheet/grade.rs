//! Grades: how near an estimate comes to the reference range.
//!
//! Estimates are judged by ratio, since what matters is the order of magnitude. The thresholds are Headroom's own: within a factor
//! of 2 of the range the design that follows is the same, within a factor of 10 it is a neighbour, beyond that it is another one.
//! Must never know which row or prompt a value belongs to.

use serde::{Deserialize, Serialize};

/// Up to this ratio to the nearer end of the range a value counts in full.
const FULL_RATIO: f64 = 2.0;
/// Up to this ratio it counts in part.
const PARTIAL_RATIO: f64 = 10.0;
/// What rounding in the calculation may add to a ratio.
const TOLERANCE: f64 = 1.0 + 1e-9;

/// How near a value comes to the reference range.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Grade {
    /// Neither, or it has the wrong sign.
    Off,
    /// Within a factor of 10 of the nearer end.
    Partial,
    /// Within the range, or within a factor of 2 of the nearer end.
    Full,
}

/// On which side of the range a value lies, with its ratio to the nearer end, 1 or more.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Deviation {
    Within,
    TooLow(f64),
    TooHigh(f64),
    /// No ratio can be formed: zero, a wrong sign, or a range that is not positive.
    NotComparable,
}

impl Deviation {
    pub fn grade(self) -> Grade {
        match self {
            Self::Within => Grade::Full,
            Self::TooLow(ratio) | Self::TooHigh(ratio) if ratio <= FULL_RATIO * TOLERANCE => {
                Grade::Full
            }
            Self::TooLow(ratio) | Self::TooHigh(ratio) if ratio <= PARTIAL_RATIO * TOLERANCE => {
                Grade::Partial
            }
            Self::TooLow(_) | Self::TooHigh(_) | Self::NotComparable => Grade::Off,
        }
    }

    /// In words, as in "3.4 times too high".
    pub fn words(self) -> String {
        match self {
            Self::Within => "within the range".to_owned(),
            Self::TooLow(ratio) => format!("{} times too low", times(ratio)),
            Self::TooHigh(ratio) => format!("{} times too high", times(ratio)),
            Self::NotComparable => "not comparable with the range".to_owned(),
        }
    }
}

/// Two digits below ten; no fraction from there on, and no number that nobody reads from a million on.
fn times(ratio: f64) -> String {
    if ratio < 1.1 {
        format!("{ratio:.2}")
    } else if ratio < 9.95 {
        format!("{ratio:.1}")
    } else if ratio < 1e6 {
        format!("{ratio:.0}")
    } else {
        "over a million".to_owned()
    }
}

/// Where `value` lies beside the range from `low` to `high`, all in the same unit. The ends may come in either order.
pub fn deviation(value: f64, low: f64, high: f64) -> Deviation {
    if low.is_nan() || high.is_nan() {
        return Deviation::NotComparable;
    }
    let (low, high) = if low <= high {
        (low, high)
    } else {
        (high, low)
    };
    if (low..=high).contains(&value) {
        return Deviation::Within;
    }
    let ratio_of = |larger: f64, smaller: f64| {
        let ratio = larger / smaller;
        (smaller > 0.0 && ratio.is_finite()).then_some(ratio)
    };
    let found = if value < low {
        ratio_of(low, value).map(Deviation::TooLow)
    } else {
        ratio_of(value, high).map(Deviation::TooHigh)
    };
    found.unwrap_or(Deviation::NotComparable)
}

/// The grade of `value` against the range from `low` to `high`, all in the same unit.
pub fn grade(value: f64, low: f64, high: f64) -> Grade {
    deviation(value, low, high).grade()
}
