//! Queueing theory: closed forms for one station, its tail, and what stands around it (retries, hedges, fan-out).
//!
//! Symbols, throughout: λ arrivals per unit of time, μ services per unit of time and server, S = 1/μ mean service time, c servers,
//! a = λ/μ offered load in erlangs, ρ = a/c utilization, L mean number in the system, W mean time in the system, Lq and Wq the same
//! in the queue alone. Times come out in the unit that rates went in. A quantile is asked for by its tail: the p99 is the time that
//! is exceeded with probability 0.01, so that a tail of 1e-12 loses no digits.
//!
//! Overload is an answer, [`Load::Growing`], not an error. A parameter that makes no sense is a [`ParameterError`] that names it.
//! No result is infinite or NaN. Must never know calculators, pages or simulated time.

mod approximation;
mod batch;
mod erlang;
mod fan_out;
mod finite_room;
mod finite_source;
mod general_service;
mod impatience;
mod infinite_server;
mod multi_server;
mod parameter;
mod priority;
mod regular_arrivals;
mod scalability;
mod tandem;
mod throttle;

#[cfg(test)]
mod tests;

pub use approximation::{allen_cunneen, kingman, power_of_choices};
pub use batch::BatchArrivals;
pub use erlang::{
    erlang_b, erlang_c, extended_erlang_b, servers_for_waiting, square_root_staffing,
};
pub use fan_out::{at_least_one, fork_join, harmonic, hedged, slowest_exceeded_by, slowest_mean};
pub use finite_room::FiniteRoom;
pub use finite_source::FiniteSource;
pub use general_service::{
    GeneralService, deterministic_wait_exceeded_by, deterministic_wait_tail,
};
pub use impatience::Impatient;
pub use infinite_server::infinite_server_mean;
pub use multi_server::MultiServer;
pub use parameter::{Load, ParameterError, Problem};
pub(crate) use parameter::{
    MOST_COUNTED, between, counted, fraction, left_over, non_negative, positive,
};
pub use priority::{PriorityClass, non_preemptive_waits};
pub use regular_arrivals::RegularArrivals;
pub use scalability::Scalability;
pub use tandem::{sojourn_rates, sum_exceeded_by, sum_of_exponentials_tail, sum_of_percentiles};
pub use throttle::{adaptive_rejection, token_bucket_admitted};

/// Little's law: L = λ·W, the mean number of anything that arrives at λ and stays W, whatever the distributions.
///
/// Source: Little, Operations Research 9 (1961).
pub fn little(arrivals: f64, stay: f64) -> Result<f64, ParameterError> {
    Ok(non_negative("arrivals", arrivals)? * non_negative("stay", stay)?)
}
