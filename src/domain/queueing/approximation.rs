//! Approximations, which say that they are: general arrivals and services, and the choice of the shorter queue.
//!
//! Must never know an exact form; those have modules of their own.

use super::erlang::{blocking, waiting};
use super::parameter::{
    Load, MOST_COUNTED, ParameterError, between, counted, left_over, non_negative, positive,
};

/// The mean wait at GI/G/1: ρ/(1 − ρ)·(ca² + cs²)/2·S, with the squared coefficients of variation of the times between arrivals and of
/// the service times. Exact for M/G/1, good near full load. Source: Kingman 1961; Hopp & Spearman, Factory Physics.
pub fn kingman(
    utilization: f64,
    service: f64,
    arrival_variation: f64,
    service_variation: f64,
) -> Result<Load<f64>, ParameterError> {
    let load = between("utilization", utilization, 0.0, 1e50)?;
    let service = positive("service", service)?;
    let variation = f64::midpoint(
        non_negative("arrival_variation", arrival_variation)?,
        non_negative("service_variation", service_variation)?,
    );
    Ok(if load >= 1.0 {
        Load::Growing {
            by_per_second: (load - 1.0) / service,
        }
    } else {
        Load::Steady(load / (1.0 - load) * variation * service)
    })
}

/// The mean wait at GI/G/c: that of M/M/c times (ca² + cs²)/2. Source: Allen 1990; Bolch, Greiner, de Meer & Trivedi, Queueing Networks and
/// Markov Chains (2nd ed.), 6.3.
pub fn allen_cunneen(
    arrivals: f64,
    service: f64,
    servers: u64,
    arrival_variation: f64,
    service_variation: f64,
) -> Result<Load<f64>, ParameterError> {
    let arrivals = non_negative("arrivals", arrivals)?;
    let service = positive("service", service)?;
    let count = counted("servers", servers, 1, MOST_COUNTED)?;
    let variation = f64::midpoint(
        non_negative("arrival_variation", arrival_variation)?,
        non_negative("service_variation", service_variation)?,
    );
    let offered = arrivals * service;
    let idle = left_over(count, arrivals, service);
    Ok(if idle <= 0.0 {
        Load::Growing {
            by_per_second: -idle / service,
        }
    } else {
        // The product may round up to the number of servers.
        let waiting = waiting(count, offered.min(count), blocking(servers, offered));
        Load::Steady(waiting * service / idle * variation)
    })
}

/// The mean time in the system where each request looks at d of very many servers and joins the shortest queue, in units of time:
/// Σ over i ≥ 1 of ρ^((d^i − d)/(d − 1)), divided by μ; 1/(μ − λ) for one choice. The limit of infinitely many servers.
/// Source: Mitzenmacher, IEEE TPDS 12 (2001); Vvedenskaya, Dobrushin & Karpelevich 1996.
pub fn power_of_choices(
    choices: u64,
    arrivals: f64,
    rate: f64,
) -> Result<Load<f64>, ParameterError> {
    let choices = counted("choices", choices, 1, 1_000_000)?;
    let arrivals = non_negative("arrivals", arrivals)?;
    let rate = positive("rate", rate)?;
    if arrivals >= rate {
        return Ok(Load::Growing {
            by_per_second: arrivals - rate,
        });
    }
    if choices == 1.0 {
        return Ok(Load::Steady(1.0 / (rate - arrivals)));
    }
    // ln ρ, also where ρ is near 1.
    let log = if arrivals > rate / 2.0 {
        (-(rate - arrivals) / rate).ln_1p()
    } else {
        (arrivals / rate).ln()
    };
    let (mut sum, mut exponent) = (1.0, 0.0_f64);
    loop {
        exponent = choices * exponent + choices;
        let term = (exponent * log).exp();
        sum += term;
        if term < 1e-20 {
            return Ok(Load::Steady(sum / rate));
        }
    }
}
