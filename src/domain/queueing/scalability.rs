//! The Universal Scalability Law: how throughput grows, stops growing and falls as nodes or threads are added.
//!
//! Must never know queues: it is a curve with two measured coefficients.

use super::parameter::{ParameterError, fraction, non_negative};

/// Contention α and coherency β: n nodes do n/(1 + α(n − 1) + βn(n − 1)) times what one does. Source: Gunther, Guerrilla Capacity Planning (2007).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Scalability {
    contention: f64,
    coherency: f64,
}

impl Scalability {
    pub fn new(contention: f64, coherency: f64) -> Result<Self, ParameterError> {
        Ok(Self {
            contention: fraction("contention", contention)?,
            coherency: non_negative("coherency", coherency)?,
        })
    }

    /// The number at which throughput peaks, √((1 − α)/β); none when it never falls.
    pub fn peak(&self) -> Option<f64> {
        let peak = ((1.0 - self.contention) / self.coherency).sqrt();
        peak.is_finite().then_some(peak)
    }
}
