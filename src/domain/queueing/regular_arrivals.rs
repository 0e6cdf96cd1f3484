//! D/M/1: arrivals at even intervals, as from a timer, at one server with exponential services.
//!
//! Must never know irregular arrivals.

use super::parameter::{Load, ParameterError, log_above, log_minus, non_negative, positive, tail};

/// D/M/1 in its steady state: a GI/M/1 queue with the root σ = e^{−μ(1 − σ)/λ}. Source: Kleinrock, Queueing Systems vol. 1 (1975), ch. 6.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RegularArrivals {
    arrivals: f64,
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
        Ok(Load::Steady(Self {
            arrivals,
            rate,
            root,
            rest,
        }))
    }

    /// ρ = λ/μ.
    pub fn utilization(&self) -> f64 {
        self.arrivals / self.rate
    }

    /// P(wait) = σ.
    pub fn wait_probability(&self) -> f64 {
        self.root
    }

    /// Wq = σ/(μ·(1 − σ)).
    pub fn mean_wait(&self) -> f64 {
        self.root / (self.rate * self.rest)
    }

    /// W = 1/(μ·(1 − σ)).
    pub fn mean_sojourn(&self) -> f64 {
        1.0 / (self.rate * self.rest)
    }

    /// L = λ·W, the mean number over time.
    pub fn mean_number(&self) -> f64 {
        self.arrivals * self.mean_sojourn()
    }

    /// The waiting time that a share `exceeded` of the arrivals exceeds: P(Wq > t) = σ·e^{−μ(1 − σ)t}.
    pub fn wait_exceeded_by(&self, exceeded: f64) -> Result<f64, ParameterError> {
        let exceeded = tail("exceeded", exceeded)?;
        Ok(log_above(self.root, exceeded) / (self.rate * self.rest))
    }

    /// The sojourn time that a share `exceeded` of the arrivals exceeds: it is exponential of rate μ(1 − σ).
    pub fn sojourn_exceeded_by(&self, exceeded: f64) -> Result<f64, ParameterError> {
        Ok(-tail("exceeded", exceeded)?.ln() / (self.rate * self.rest))
    }
}
