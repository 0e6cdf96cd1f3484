//! M^[X]/M/1: requests that arrive in batches at one server.
//!
//! Must never know more of a batch than the mean of its size and of the square of its size.

use super::parameter::{Load, ParameterError, Problem, between, left_over, non_negative, positive};

/// M^[X]/M/1 in its steady state. Source: Kleinrock, Queueing Systems vol. 1 (1975), ch. 4.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BatchArrivals {
    mean: f64,
    square: f64,
    /// μ − λ·E\[X\].
    spare: f64,
}

impl BatchArrivals {
    /// `batches` per second of mean size E\[X\] = `mean` with E\[X²\] = `square`; μ = `rate` per second.
    pub fn new(
        batches: f64,
        mean: f64,
        square: f64,
        rate: f64,
    ) -> Result<Load<Self>, ParameterError> {
        let batches = non_negative("batches", batches)?;
        let mean = between("mean", mean, 1.0, 1e50)?;
        let square = non_negative("square", square)?;
        let rate = positive("rate", rate)?;
        if square < mean * mean * (1.0 - 1e-12) {
            return Err(ParameterError::new("square", Problem::Below(mean * mean)));
        }
        let spare = left_over(rate, batches, mean);
        if spare <= 0.0 {
            return Ok(Load::Growing {
                by_per_second: 0.0 - spare,
            });
        }
        Ok(Load::Steady(Self {
            mean,
            square,
            spare,
        }))
    }

    /// Batches that all have one size.
    pub fn fixed(batches: f64, size: f64, rate: f64) -> Result<Load<Self>, ParameterError> {
        let size = between("size", size, 1.0, 1e50)?;
        Self::new(batches, size, size * size, rate)
    }

    /// W = (1/μ)·(1 + (E\[X²\]/E\[X\] − 1)/2)/(1 − ρ).
    pub fn mean_sojourn(&self) -> f64 {
        let batching = f64::midpoint(1.0, self.square / self.mean);
        batching / self.spare
    }
}
