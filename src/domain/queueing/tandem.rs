//! Hops one after the other: the sum of independent exponential times, and why percentiles do not add.
//!
//! Must never know parallel hops; those are [`super::slowest_mean`]'s.

use super::parameter::{Load, ParameterError, Problem, invert_tail, non_negative, positive, tail};

/// The most hops.
const MOST_HOPS: usize = 64;

/// The sojourn rates μ − λ of stations M/M/1 in tandem. Each sojourn is exponential and they are independent; the first station that
/// cannot carry the load makes it grow. Source: Burke, Operations Research 4 (1956); Reich 1957, 1963.
pub fn sojourn_rates(arrivals: f64, rates: &[f64]) -> Result<Load<Vec<f64>>, ParameterError> {
    let arrivals = non_negative("arrivals", arrivals)?;
    let mut sojourns = Vec::new();
    for rate in rates {
        let rate = positive("rate", *rate)?;
        if arrivals >= rate {
            return Ok(Load::Growing {
                by_per_second: arrivals - rate,
            });
        }
        sojourns.push(rate - arrivals);
    }
    Ok(Load::Steady(sojourns))
}

/// P(X1 + … + Xn > t) of independent exponential times with these rates, equal or not (hypoexponential).
///
/// The exponential of the chain of stages, by uniformization over a short step and repeated squaring. Nothing is ever subtracted, so
/// equal rates and far tails keep their digits, where partial fractions cancel.
pub fn sum_of_exponentials_tail(rates: &[f64], time: f64) -> Result<f64, ParameterError> {
    check(rates)?;
    let time = non_negative("time", time)?;
    Ok(chain_tail(rates, time))
}

/// The time that the sum exceeds with probability `exceeded`.
pub fn sum_exceeded_by(rates: &[f64], exceeded: f64) -> Result<f64, ParameterError> {
    check(rates)?;
    let exceeded = tail("exceeded", exceeded)?;
    if let [rate] = rates {
        return Ok(-exceeded.ln() / rate);
    }
    let mean: f64 = rates.iter().map(|rate| 1.0 / rate).sum();
    Ok(invert_tail(exceeded, mean, |time| chain_tail(rates, time)))
}

/// What adding up the hops' percentiles gives: not the percentile of the sum, but too much.
pub fn sum_of_percentiles(rates: &[f64], exceeded: f64) -> Result<f64, ParameterError> {
    check(rates)?;
    let exceeded = tail("exceeded", exceeded)?;
    Ok(rates.iter().map(|rate| -exceeded.ln() / rate).sum())
}

fn check(rates: &[f64]) -> Result<(), ParameterError> {
    if rates.is_empty() {
        return Err(ParameterError::new("rates", Problem::Below(1.0)));
    }
    if rates.len() > MOST_HOPS {
        return Err(ParameterError::new(
            "rates",
            Problem::Above(MOST_HOPS as f64),
        ));
    }
    for rate in rates {
        positive("rate", *rate)?;
    }
    Ok(())
}

fn chain_tail(rates: &[f64], time: f64) -> f64 {
    let size = rates.len();
    let fastest = rates.iter().copied().fold(0.0, f64::max);
    let doublings = (fastest * time).log2().ceil().clamp(0.0, 1100.0) as i32;
    let step = time * 0.5_f64.powi(doublings);
    let jumps = fastest * step;
    // One row after the other of e^{Qh}, from the powers of I + Q/Λ, which has no negative entry.
    let mut transition = vec![0.0; size * size];
    for row in 0..size {
        let mut state = vec![0.0; size];
        state[row] = 1.0;
        let mut weight = (-jumps).exp();
        for count in 1..60 {
            for (target, part) in transition[row * size..].iter_mut().zip(&state) {
                *target += weight * part;
            }
            for stage in (0..size).rev() {
                let stays = state[stage] * (1.0 - rates[stage] / fastest);
                let comes = match stage.checked_sub(1) {
                    Some(before) => state[before] * rates[before] / fastest,
                    None => 0.0,
                };
                state[stage] = stays + comes;
            }
            weight *= jumps / f64::from(count);
        }
    }
    let mut reached = step;
    for _ in 0..doublings {
        let mut squared = vec![0.0; size * size];
        for row in 0..size {
            for middle in row..size {
                let first = transition[row * size + middle];
                for column in middle..size {
                    squared[row * size + column] += first * transition[middle * size + column];
                }
            }
        }
        reached *= 2.0;
        for stage in 0..size {
            squared[stage * size + stage] = (-rates[stage] * reached).exp();
        }
        transition = squared;
    }
    transition[..size].iter().sum()
}
