//! Fan-out: a request that waits for the slowest of several, or takes the fastest.
//!
//! Must never know why one of them is slow.

use super::parameter::{Load, ParameterError, counted, fraction, non_negative, positive, tail};

/// P(at least one of n) = 1 − (1 − p)^n, for n that are independent. Source: Dean & Barroso, The Tail at Scale, CACM 56 (2013).
pub fn at_least_one(number: u64, probability: f64) -> Result<f64, ParameterError> {
    let number = counted("number", number, 0, 1_000_000_000_000_000)?;
    let probability = fraction("probability", probability)?;
    if number == 0.0 {
        return Ok(0.0);
    }
    Ok(-(number * (-probability).ln_1p()).exp_m1())
}

/// P(all copies are slow) = p^n where a request is sent n times and the first answer counts; independent. Source: Dean & Barroso 2013.
pub fn hedged(copies: u64, probability: f64) -> Result<f64, ParameterError> {
    let copies = counted("copies", copies, 1, 1_000_000)?;
    Ok(fraction("probability", probability)?.powf(copies))
}

/// Euler's constant.
const EULER: f64 = 0.577_215_664_901_532_9;

/// The harmonic number H(n) = 1 + 1/2 + … + 1/n: summed for small n, by its asymptotic series above.
pub fn harmonic(number: u64) -> f64 {
    if number <= 256 {
        return (1..=number).rev().map(|k| 1.0 / k as f64).sum();
    }
    let n = number as f64;
    let inverse = 1.0 / (n * n);
    n.ln() + EULER + 0.5 / n - inverse / 12.0 * (1.0 - inverse / 10.0)
}

/// The mean of the slowest of n exponential times: H(n)/μ. Source: order statistics; Harchol-Balter (2013).
pub fn slowest_mean(number: u64, rate: f64) -> Result<f64, ParameterError> {
    counted("number", number, 1, 1_000_000_000_000_000)?;
    Ok(harmonic(number) / positive("rate", rate)?)
}

/// The time that the slowest of n exponential times exceeds with probability `exceeded`: −ln(1 − (1 − exceeded)^(1/n))/μ.
pub fn slowest_exceeded_by(number: u64, rate: f64, exceeded: f64) -> Result<f64, ParameterError> {
    let number = counted("number", number, 1, 1_000_000_000_000_000)?;
    let rate = positive("rate", rate)?;
    let exceeded = tail("exceeded", exceeded)?;
    let each = -((-exceeded).ln_1p() / number).exp_m1();
    Ok(-each.ln() / rate)
}

/// The mean time of a fork-join of K stations M/M/1 that all get every request: until the last part is done.
///
/// K = 1: 1/(μ − λ). K = 2, exact: (12 − ρ)/8 · 1/(μ − λ), Flatto & Hahn 1984. K > 2, an approximation, about 1 % low at K = 8 to 16:
/// (H(K)/H(2) + 4/11·(1 − H(K)/H(2))·ρ)·R(2), Nelson & Tantawi, IEEE Trans. Computers 37 (1988).
pub fn fork_join(parts: u64, arrivals: f64, rate: f64) -> Result<Load<f64>, ParameterError> {
    counted("parts", parts, 1, 1_000_000_000)?;
    let arrivals = non_negative("arrivals", arrivals)?;
    let rate = positive("rate", rate)?;
    if arrivals >= rate {
        return Ok(Load::Growing {
            by_per_second: arrivals - rate,
        });
    }
    let one = 1.0 / (rate - arrivals);
    if parts == 1 {
        return Ok(Load::Steady(one));
    }
    let load = arrivals / rate;
    let two = (12.0 - load) / 8.0 * one;
    let ratio = harmonic(parts) / harmonic(2);
    Ok(Load::Steady(
        (ratio + 4.0 / 11.0 * (1.0 - ratio) * load) * two,
    ))
}
