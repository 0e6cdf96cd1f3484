//! What a client or a gate refuses before it costs anything.
//!
//! Must never know what is behind the gate.

use super::parameter::{ParameterError, between, non_negative};

/// The probability with which a client refuses its own requests: max(0, (requests − K·accepts)/(requests + 1)), over the last minutes.
/// Source: Google SRE book (2016), ch. 21.
pub fn adaptive_rejection(
    requests: f64,
    accepts: f64,
    multiplier: f64,
) -> Result<f64, ParameterError> {
    let requests = non_negative("requests", requests)?;
    let accepts = non_negative("accepts", accepts)?;
    let multiplier = between("multiplier", multiplier, 1.0, 1e6)?;
    Ok(((requests - multiplier * accepts) / (requests + 1.0)).max(0.0))
}

/// What a full token bucket lets through in `seconds`: the lesser of what is offered and burst + rate·t, for an even stream.
pub fn token_bucket_admitted(
    rate: f64,
    burst: f64,
    offered: f64,
    seconds: f64,
) -> Result<f64, ParameterError> {
    let rate = non_negative("rate", rate)?;
    let burst = non_negative("burst", burst)?;
    let offered = non_negative("offered", offered)?;
    let seconds = non_negative("seconds", seconds)?;
    Ok((offered * seconds).min(burst + rate * seconds))
}
