//! Error budgets: what an objective leaves for failure, and how fast it is used up.
//!
//! Must never know alerts.

use crate::domain::queueing::{ParameterError, between, fraction, non_negative, positive};

/// An objective over a period. Source: Google SRE book (2016), ch. 3 and 4; SRE workbook (2018), ch. 5.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ErrorBudget {
    allowed: f64,
    period: f64,
}

impl ErrorBudget {
    /// An objective such as 0.999, and its period in any unit of time.
    pub fn new(objective: f64, period: f64) -> Result<Self, ParameterError> {
        Ok(Self {
            allowed: 1.0 - fraction("objective", objective)?,
            period: positive("period", period)?,
        })
    }

    /// The time of the period that may be lost, in the period's unit.
    pub fn allowed_downtime(&self) -> f64 {
        self.allowed * self.period
    }

    /// The requests of so many that may fail.
    pub fn allowed_failures(&self, requests: f64) -> Result<f64, ParameterError> {
        Ok(self.allowed * non_negative("requests", requests)?)
    }

    /// The share of the budget that a burn rate uses up in a window, which is in the period's unit: burn·window/period.
    pub fn used(&self, burn: f64, window: f64) -> Result<f64, ParameterError> {
        let burn = non_negative("burn", burn)?;
        Ok(burn * (non_negative("window", window)? / self.period))
    }

    /// The share of failures at a burn rate: burn·(1 − objective), at most all.
    pub fn failures_at(&self, burn: f64) -> Result<f64, ParameterError> {
        Ok((non_negative("burn", burn)? * self.allowed).min(1.0))
    }

    /// The burn rate at a share of failures; none where the objective allows none.
    pub fn burn_at(&self, failures: f64) -> Result<Option<f64>, ParameterError> {
        let failures = between("failures", failures, 0.0, 1.0)?;
        let burn = failures / self.allowed;
        Ok(burn.is_finite().then_some(burn))
    }

    /// The time after which a burn rate has used up the whole budget.
    pub fn exhausted_after(&self, burn: f64) -> Result<f64, ParameterError> {
        Ok(self.period / positive("burn", burn)?)
    }
}
