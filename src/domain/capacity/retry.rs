//! Retries: how many attempts, what they achieve, and how they multiply through layers.
//!
//! Must never know time: backoff changes when the attempts come, not how many.

use crate::domain::queueing::{ParameterError, Problem, between, counted, fraction, non_negative};

/// The mean number of attempts of a request that is tried again up to r times, each try failing with probability p independently:
/// (1 − p^(r + 1))/(1 − p), summed so that p = 1 is no exception.
pub fn attempts(failure: f64, retries: u64) -> Result<f64, ParameterError> {
    let failure = fraction("failure", failure)?;
    let tries = counted("retries", retries, 0, 1_000_000_000)? + 1.0;
    if failure > 0.999 && retries < 100_000 {
        let (mut term, mut sum) = (1.0, 0.0);
        for _ in 0..=retries {
            sum += term;
            term *= failure;
        }
        return Ok(sum);
    }
    if failure == 1.0 {
        return Ok(tries);
    }
    if failure == 0.0 {
        return Ok(1.0);
    }
    Ok(-(tries * failure.ln()).exp_m1() / (1.0 - failure))
}

/// The probability that one of the tries succeeds: 1 − p^(r + 1).
pub fn success(failure: f64, retries: u64) -> Result<f64, ParameterError> {
    let failure = fraction("failure", failure)?;
    let tries = counted("retries", retries, 0, 1_000_000_000)? + 1.0;
    if failure == 0.0 {
        return Ok(1.0);
    }
    Ok(-(tries * failure.ln()).exp_m1())
}

/// The most attempts at the lowest of several layers that each try so often: attempts^layers. Source: Amazon Builders' Library, Timeouts,
/// retries and backoff with jitter; Google SRE book (2016), ch. 22.
pub fn layered_amplification(attempts: f64, layers: u64) -> Result<f64, ParameterError> {
    let attempts = between("attempts", attempts, 1.0, 1e100)?;
    let layers = counted("layers", layers, 0, 1_000_000)?;
    let product = attempts.powf(layers);
    if product > 1e100 {
        return Err(ParameterError {
            name: "layers",
            problem: Problem::Above((100.0 / attempts.log10()).floor()),
        });
    }
    Ok(product)
}

/// The most that retries add when they may be at most a share of the requests: 1 + budget. Source: Google SRE book (2016), ch. 21.
pub fn budgeted_amplification(budget: f64) -> Result<f64, ParameterError> {
    Ok(1.0 + non_negative("budget", budget)?)
}

/// The load above which timeouts can keep themselves going, when work that timed out is still done and is tried again r times:
/// μ/(1 + r). Below it the system recovers by itself; between it and μ it is vulnerable. Source: Bronson, Aghayev, Charapko & Zhu, HotOS 2021.
pub fn vulnerable_load(capacity: f64, retries: u64) -> Result<f64, ParameterError> {
    let capacity = non_negative("capacity", capacity)?;
    Ok(capacity / (1.0 + counted("retries", retries, 0, 1_000_000_000)?))
}
