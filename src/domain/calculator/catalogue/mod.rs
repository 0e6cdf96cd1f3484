//! The calculators themselves, one file each.
//!
//! Each declares what it takes and gives, and works it out with the formulas of `queueing` and `capacity`. Must never know how it is
//! shown or what was typed.

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

use super::{Answer, Calculator, Citation, Output, Weight};
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

/// The answer where a formula has no steady state or cannot take what it was given; else its value.
fn value_or_answer<T>(load: Result<Load<T>, ParameterError>) -> Result<T, Answer> {
    match load {
        Ok(Load::Steady(value)) => Ok(value),
        Ok(Load::Growing { by_per_second }) => Err(Answer::Growing { by_per_second }),
        Err(fault) => Err(Answer::Words(fault.to_string())),
    }
}
