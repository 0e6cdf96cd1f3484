//! The calculators themselves, one file each.
//!
//! Each declares what it takes and gives, and works it out with formulas as the worksheet has them and with functions of `queueing`
//! and `capacity`; the tests hold the formulas to the functions. Must never know how it is shown or what was typed.

mod availability;
mod bandwidth;
mod cache;
mod cost;
mod fan_out;
mod latency;
mod pool;
mod queue;
mod replicas;
mod retries;
mod storage;
mod traffic;

use super::working::in_short;
use super::{Answer, Calculator, Citation, Output, Weight, Working, show};
use crate::domain::quantity::{Dimension, Quantity};
use crate::domain::queueing::{Load, ParameterError};

pub(super) static ALL: [Calculator; 12] = [
    traffic::TRAFFIC,
    storage::STORAGE,
    bandwidth::BANDWIDTH,
    cache::CACHE,
    pool::POOL,
    queue::QUEUE,
    replicas::REPLICAS,
    fan_out::FAN_OUT,
    latency::LATENCY,
    availability::AVAILABILITY,
    retries::RETRIES,
    cost::COST,
];

/// An answer that one came for.
const fn main(id: &'static str, label: &'static str, unit: &'static str) -> Output {
    Output {
        id,
        label,
        unit,
        weight: Weight::Main,
    }
}

/// A step on the way.
const fn detail(id: &'static str, label: &'static str, unit: &'static str) -> Output {
    Output {
        id,
        label,
        unit,
        weight: Weight::Detail,
    }
}

const fn cite(formula: &'static str, source: &'static str) -> Citation {
    Citation { formula, source }
}

/// From which multiple of today's load something is full that is used to `utilization` today and in proportion to the load:
/// `from 1.2x on`, `already today`.
fn full_from(utilization: f64) -> String {
    if utilization >= 1.0 {
        return "already today".to_owned();
    }
    match Quantity::new(1.0 / utilization, Dimension::NONE) {
        Ok(times) => format!("from {}x on", in_short(&times.normalized())),
        Err(_) => "never".to_owned(),
    }
}

/// What comes in over what is done: `400 req/s`.
fn excess(working: &Working, arrivals: &str, limit: &str) -> String {
    let by = working.at(arrivals) - working.at(limit);
    match Quantity::new(by, Dimension::RATE) {
        Ok(by) => in_short(&show(by, "req/s")),
        Err(fault) => fault.to_string(),
    }
}

/// The answer where a formula has no steady state or cannot take what it was given; else its value.
fn value_or_answer<T>(load: Result<Load<T>, ParameterError>) -> Result<T, Answer> {
    match load {
        Ok(Load::Steady(value)) => Ok(value),
        Ok(Load::Growing { by_per_second }) => Err(Answer::Growing { by_per_second }),
        Err(fault) => Err(Answer::Words(fault.to_string())),
    }
}
