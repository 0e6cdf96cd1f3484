//! D/M/1: arrivals at even intervals, as from a timer, at one server with exponential services.
//!
//! Must never know irregular arrivals.

use super::parameter::{Load, ParameterError, log_minus, non_negative, positive};

/// D/M/1 in its steady state: a GI/M/1 queue with the root σ = e^{−μ(1 − σ)/λ}. Source: Kleinrock, Queueing Systems vol. 1 (1975), ch. 6.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RegularArrivals {
    rate: f64,
    /// σ, and 1 − σ to its own last digit.
    root: f64,
    rest: f64,
}

impl RegularArrivals {
    /// λ arrivals and μ = `rate` services per second.
    pub fn new(arrivals: f64, rate: f64) -> Result<Load<Self>, ParameterError> {
        let arrivals = non_negative("arrivals", arrivals)?;
        let rate = positive("rate", rate)?;
        if arrivals >= rate {
            return Ok(Load::Growing {
                by_per_second: arrivals - rate,
            });
        }
        let load = arrivals / rate;
        let slack = (rate - arrivals) / arrivals;
        // ln(1 − η) + η/ρ is positive below the root η = 1 − σ and negative above it.
        let (mut lower, mut upper) = (0.0_f64, 1.0_f64);
        // Below ρ·(1 − ρ) there is no root: the logarithm's series starts so.
        lower = lower.max(load.min(1.0 - load) * 1e-3).min(0.5);
        for _ in 0..200 {
            let middle = f64::midpoint(lower, upper);
            if middle <= lower || middle >= upper {
                break;
            }
            if log_minus(-middle) + middle * slack > 0.0 {
                lower = middle;
            } else {
                upper = middle;
            }
        }
        let mut rest = f64::midpoint(lower, upper);
        let mut root = 1.0 - rest;
        if rest > 0.5 {
            for _ in 0..100 {
                root = (-(1.0 - root) / load).exp();
            }
            rest = 1.0 - root;
        }
        Ok(Load::Steady(Self { rate, root, rest }))
    }

    /// P(wait) = σ.
    pub fn wait_probability(&self) -> f64 {
        self.root
    }

    /// Wq = σ/(μ·(1 − σ)).
    pub fn mean_wait(&self) -> f64 {
        self.root / (self.rate * self.rest)
    }
}
