//! Capacity: the arithmetic of estimates, caches, availability, retries and backlogs, as functions of plain numbers.
//!
//! Parameters are refused, and overload is answered, as in [`crate::domain::queueing`]. Must never know calculators, pages or units of
//! display: a size is in bytes, a time in seconds, a share between 0 and 1.

mod availability;
mod backlog;
mod cache;
mod error_budget;
mod estimate;
mod popularity;
mod retry;

#[cfg(test)]
mod tests;

pub use availability::{at_least, at_least_unavailable, chain, from_failures};
pub use backlog::Spike;
pub use cache::{
    CharacteristicTime, LruCache, cold_multiplier, duplicate_recomputations, exact_fifo, exact_lru,
    fixed_lifetime_hit_ratio, mean_latency, renewed_lifetime_hit_ratio, top_hit_ratio,
};
pub use error_budget::ErrorBudget;
pub use estimate::{
    average_rate, bandwidth, fan_out_writes, replica_utilization, stored_bytes, units_needed,
    whole_up,
};
pub use popularity::{Zipf, hottest_shard_share};
pub use retry::{
    attempts, budgeted_amplification, layered_amplification, success, vulnerable_load,
};
