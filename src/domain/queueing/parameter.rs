//! What a formula may be given, and what it says when the load is more than the station can do.
//!
//! Must never know a formula.

use thiserror::Error;

/// The smallest and the largest magnitude of a rate, a time or a load: products of two, and of three small ones, stay finite.
const SMALLEST: f64 = 1e-100;
const LARGEST: f64 = 1e100;

/// The most servers, places or customers that are counted one by one.
pub(crate) const MOST_COUNTED: u64 = 10_000_000;

/// A parameter that a formula cannot take.
#[derive(Clone, Copy, Debug, PartialEq, Error)]
#[error("{name} {problem}")]
pub struct ParameterError {
    /// As the formula's documentation calls it.
    pub name: &'static str,
    pub problem: Problem,
}

/// What is wrong with a parameter.
#[derive(Clone, Copy, Debug, PartialEq, Error)]
pub enum Problem {
    #[error("is not a finite number")]
    NotFinite,
    #[error("must be at least {0}")]
    Below(f64),
    #[error("must be greater than {0}")]
    NotAbove(f64),
    #[error("must be at most {0}")]
    Above(f64),
    #[error("must be less than {0}")]
    NotBelow(f64),
}

impl ParameterError {
    pub(crate) fn new(name: &'static str, problem: Problem) -> Self {
        Self { name, problem }
    }
}

/// A station under a load that it can carry, or one that it cannot.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Load<T> {
    /// The queue has a steady state.
    Steady(T),
    /// More arrives than is served, or exactly as much: the queue grows without bound, by this many a unit of time in the long run.
    /// At exactly full load it grows too, ever more slowly, so that the rate is 0.
    Growing { by_per_second: f64 },
}

impl<T> Load<T> {
    /// The steady state; none in overload.
    pub fn steady(self) -> Option<T> {
        match self {
            Self::Steady(station) => Some(station),
            Self::Growing { .. } => None,
        }
    }

    /// Applies a function to the steady state.
    pub fn map<U>(self, change: impl FnOnce(T) -> U) -> Load<U> {
        match self {
            Self::Steady(station) => Load::Steady(change(station)),
            Self::Growing { by_per_second } => Load::Growing { by_per_second },
        }
    }
}

/// A rate, a time or a load greater than 0.
pub(crate) fn positive(name: &'static str, value: f64) -> Result<f64, ParameterError> {
    let value = between(name, value, 0.0, LARGEST)?;
    if value == 0.0 {
        return Err(ParameterError::new(name, Problem::NotAbove(0.0)));
    }
    if value < SMALLEST {
        return Err(ParameterError::new(name, Problem::Below(SMALLEST)));
    }
    Ok(value)
}

/// A rate, a time, a load or a squared coefficient of variation, at least 0.
pub(crate) fn non_negative(name: &'static str, value: f64) -> Result<f64, ParameterError> {
    let value = between(name, value, 0.0, LARGEST)?;
    // Less than the smallest is as good as nothing.
    Ok(if value < SMALLEST { 0.0 } else { value })
}

/// A probability or a share, both ends included.
pub(crate) fn fraction(name: &'static str, value: f64) -> Result<f64, ParameterError> {
    between(name, value, 0.0, 1.0)
}

/// The tail of a quantile: a probability between 0 and 1, neither included.
pub(crate) fn tail(name: &'static str, value: f64) -> Result<f64, ParameterError> {
    let value = fraction(name, value)?;
    if value == 0.0 {
        return Err(ParameterError::new(name, Problem::NotAbove(0.0)));
    }
    if value == 1.0 {
        return Err(ParameterError::new(name, Problem::NotBelow(1.0)));
    }
    Ok(value.max(f64::MIN_POSITIVE))
}

/// A number within closed bounds.
pub(crate) fn between(
    name: &'static str,
    value: f64,
    lowest: f64,
    highest: f64,
) -> Result<f64, ParameterError> {
    if !value.is_finite() {
        return Err(ParameterError::new(name, Problem::NotFinite));
    }
    if value < lowest {
        return Err(ParameterError::new(name, Problem::Below(lowest)));
    }
    if value > highest {
        return Err(ParameterError::new(name, Problem::Above(highest)));
    }
    Ok(value + 0.0)
}

/// What is left: `whole` − `factor`·`other`, rounded once, so that near full load it keeps its digits. A rest that is no more than the
/// rounding of the three numbers themselves is none: three servers of 0.1 a second are full at 0.3 a second.
pub(crate) fn left_over(whole: f64, factor: f64, other: f64) -> f64 {
    let rest = (-factor).mul_add(other, whole);
    if rest.abs() <= 4.0 * f64::EPSILON * whole {
        0.0
    } else {
        rest
    }
}

/// ln(`probability` / `exceeded`), or 0 where it is negative; to its last digits also where the two are nearly the same.
pub(super) fn log_above(probability: f64, exceeded: f64) -> f64 {
    let more = probability - exceeded;
    if more <= 0.0 {
        0.0
    } else if more < exceeded {
        (more / exceeded).ln_1p()
    } else {
        (probability / exceeded).ln()
    }
}

/// A count within closed bounds.
pub(crate) fn counted(
    name: &'static str,
    value: u64,
    lowest: u64,
    highest: u64,
) -> Result<f64, ParameterError> {
    between(name, value as f64, lowest as f64, highest as f64)
}

/// The time that a falling tail function crosses `tail`, to the last digits: bisection on `0..=upper`, where `upper` is doubled until
/// the tail lies below.
pub(crate) fn invert_tail(tail: f64, first_upper: f64, exceeds: impl Fn(f64) -> f64) -> f64 {
    if exceeds(0.0) <= tail {
        return 0.0;
    }
    let mut lower = 0.0;
    let mut upper = first_upper;
    for _ in 0..1100 {
        if exceeds(upper) <= tail || upper > 1e200 {
            break;
        }
        lower = upper;
        upper *= 2.0;
    }
    for _ in 0..200 {
        let middle = f64::midpoint(lower, upper);
        if middle <= lower || middle >= upper {
            break;
        }
        if exceeds(middle) > tail {
            lower = middle;
        } else {
            upper = middle;
        }
    }
    f64::midpoint(lower, upper)
}

/// ln(1 + x) − x, to its own last digits where x is small.
pub(super) fn log_minus(x: f64) -> f64 {
    if x.abs() > 0.05 {
        return x.ln_1p() - x;
    }
    // −x²/2 + x³/3 − …
    let (mut term, mut sum) = (x, 0.0);
    for power in 2..30 {
        term *= -x;
        sum += term / f64::from(power);
    }
    sum
}
