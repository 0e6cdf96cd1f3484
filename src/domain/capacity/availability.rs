//! Availability of parts that fail independently.
//!
//! Must never know objectives and budgets; those are [`super::ErrorBudget`]'s.

use crate::domain::queueing::{
    MOST_COUNTED, ParameterError, Problem, counted, fraction, non_negative,
};

/// The availability of a chain in which every part is needed: the product. Source: Trivedi, Probability and Statistics with Reliability,
/// Queuing, and Computer Science Applications (2nd ed.).
pub fn chain(parts: &[f64]) -> Result<f64, ParameterError> {
    let mut product = 1.0;
    for part in parts {
        product *= fraction("part", *part)?;
    }
    Ok(product)
}

/// The probability that at least k of n independent parts are up, each with probability a. Source: binomial; Trivedi (2nd ed.).
pub fn at_least(needed: u64, number: u64, availability: f64) -> Result<f64, ParameterError> {
    split(needed, number, availability).map(|(up, _)| up)
}

/// The probability that fewer than k of n are up: what [`at_least`] leaves, to its own last digits, where it is very small.
pub fn at_least_unavailable(
    needed: u64,
    number: u64,
    availability: f64,
) -> Result<f64, ParameterError> {
    split(needed, number, availability).map(|(_, down)| down)
}

/// Both sides of the binomial sum, each from terms relative to the most likely number, so that none overflows and none is subtracted.
fn split(needed: u64, number: u64, availability: f64) -> Result<(f64, f64), ParameterError> {
    let count = counted("number", number, 1, MOST_COUNTED)?;
    let availability = fraction("availability", availability)?;
    if needed > number {
        return Err(ParameterError {
            name: "needed",
            problem: Problem::Above(count),
        });
    }
    if needed == 0 || availability == 1.0 {
        return Ok((1.0, 0.0));
    }
    if availability == 0.0 {
        return Ok((0.0, 1.0));
    }
    let odds = availability / (1.0 - availability);
    let mode = ((count + 1.0) * availability).floor().min(count);
    let (mut up, mut down) = (0.0, 0.0);
    let mut add = |parts: f64, weight: f64| {
        if parts >= needed as f64 {
            up += weight;
        } else {
            down += weight;
        }
    };
    let (mut parts, mut weight) = (mode, 1.0_f64);
    while parts <= count && weight > 0.0 {
        add(parts, weight);
        weight *= (count - parts) / (parts + 1.0) * odds;
        parts += 1.0;
    }
    let (mut parts, mut weight) = (mode, 1.0_f64);
    while parts > 0.0 && weight > 0.0 {
        weight *= parts / (count - parts + 1.0) / odds;
        parts -= 1.0;
        add(parts, weight);
    }
    let all = up + down;
    Ok((up / all, down / all))
}

/// A = MTBF/(MTBF + MTTR). Source: Trivedi (2nd ed.).
pub fn from_failures(between_failures: f64, to_repair: f64) -> Result<f64, ParameterError> {
    let up = non_negative("between_failures", between_failures)?;
    let down = non_negative("to_repair", to_repair)?;
    if up + down == 0.0 {
        return Err(ParameterError {
            name: "between_failures",
            problem: Problem::NotAbove(0.0),
        });
    }
    Ok(up / (up + down))
}
