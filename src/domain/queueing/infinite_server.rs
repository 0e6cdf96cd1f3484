//! M/G/∞: as many servers as there is work, as for a delay or for requests in flight.
//!
//! Must never know a queue: there is none.

use super::parameter::{ParameterError, non_negative};

/// L = λ·S, the mean number in the system. Source: Kleinrock, Queueing Systems vol. 1 (1975), ch. 3.
pub fn infinite_server_mean(arrivals: f64, service: f64) -> Result<f64, ParameterError> {
    Ok(non_negative("arrivals", arrivals)? * non_negative("service", service)?)
}
