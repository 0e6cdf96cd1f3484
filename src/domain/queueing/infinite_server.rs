//! M/G/∞: as many servers as there is work, as for a delay or for requests in flight.
//!
//! Must never know a queue: there is none.

use super::parameter::{ParameterError, non_negative};

/// L = λ·S, the mean number in the system. Source: Kleinrock, Queueing Systems vol. 1 (1975), ch. 3.
pub fn infinite_server_mean(arrivals: f64, service: f64) -> Result<f64, ParameterError> {
    Ok(non_negative("arrivals", arrivals)? * non_negative("service", service)?)
}

/// P(N > n): the number in the system is Poisson with mean λ·S.
pub fn infinite_server_tail(
    arrivals: f64,
    service: f64,
    number: u64,
) -> Result<f64, ParameterError> {
    let mean = infinite_server_mean(arrivals, service)?;
    let mean = super::parameter::between("arrivals × service", mean, 0.0, 1e7)?;
    super::parameter::counted("number", number, 0, 100_000_000)?;
    // Weights in units of the largest one, so that none overflows: those above n over all of them.
    let mode = mean.floor();
    let (mut inside, mut beyond) = (0.0, 0.0);
    let mut add = |k: f64, weight: f64| {
        if k > number as f64 {
            beyond += weight;
        } else {
            inside += weight;
        }
    };
    let (mut k, mut weight) = (mode, 1.0_f64);
    // Far beyond n the weights count for the tail although they are small beside the largest.
    while weight > 1e-300 {
        add(k, weight);
        k += 1.0;
        weight *= mean / k;
    }
    let (mut k, mut weight) = (mode, 1.0_f64);
    while k > 0.0 && weight > 1e-300 {
        weight *= k / mean;
        k -= 1.0;
        add(k, weight);
    }
    Ok(beyond / (inside + beyond))
}
