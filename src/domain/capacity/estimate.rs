//! Estimates on the back of an envelope.
//!
//! Must never know where the factors come from.

use crate::domain::queueing::{ParameterError, between, fraction, non_negative, positive};

/// Requests per second of so many users with so many requests each in a day of `day` seconds: 86,400, or 100,000 in the head, which
/// is 13.6 % too low.
pub fn average_rate(users: f64, actions: f64, day: f64) -> Result<f64, ParameterError> {
    let users = non_negative("users", users)?;
    let actions = non_negative("actions", actions)?;
    let day = between("day", day, 1e-9, 1e100)?;
    Ok((users / day) * actions)
}

/// Bytes after so many days of writes, with every copy.
pub fn stored_bytes(
    writes_per_day: f64,
    bytes: f64,
    days: f64,
    copies: f64,
) -> Result<f64, ParameterError> {
    let writes = between("writes_per_day", writes_per_day, 0.0, 1e60)?;
    let bytes = between("bytes", bytes, 0.0, 1e60)?;
    let days = between("days", days, 0.0, 1e60)?;
    let copies = between("copies", copies, 0.0, 1e60)?;
    Ok(writes * bytes * days * copies)
}

/// Bytes per second.
pub fn bandwidth(rate: f64, bytes: f64) -> Result<f64, ParameterError> {
    Ok(non_negative("rate", rate)? * non_negative("bytes", bytes)?)
}

/// Entries that fan-out on write puts into timelines, per second: posts × mean number of followers.
/// Source: Kleppmann, Designing Data-Intensive Applications (2017), ch. 1.
pub fn fan_out_writes(posts: f64, followers: f64) -> Result<f64, ParameterError> {
    Ok(non_negative("posts", posts)? * non_negative("followers", followers)?)
}

/// The units (shards, consumers, nodes) that a load needs when each is used to at most `utilization` of its capacity:
/// ⌈load/(capacity·utilization)⌉, at least one.
pub fn units_needed(load: f64, capacity: f64, utilization: f64) -> Result<f64, ParameterError> {
    let load = non_negative("load", load)?;
    let capacity = positive("capacity", capacity)?;
    let utilization = positive("utilization", fraction("utilization", utilization)?)?;
    Ok(whole_up(load / capacity / utilization).max(1.0))
}

/// Up to the next whole number; what is above one by rounding alone counts as that one.
pub fn whole_up(value: f64) -> f64 {
    (value * (1.0 - 1e-12)).ceil()
}

/// The utilization of each of n replicas when every one applies all writes and reads are spread over them:
/// (w + (1 − w)/n)·λ·S. Source: utilization law.
pub fn replica_utilization(
    rate: f64,
    write_share: f64,
    replicas: f64,
    service: f64,
) -> Result<f64, ParameterError> {
    let rate = non_negative("rate", rate)?;
    let writes = fraction("write_share", write_share)?;
    let replicas = between("replicas", replicas, 1.0, 1e100)?;
    let service = positive("service", service)?;
    Ok((writes + (1.0 - writes) / replicas) * rate * service)
}
