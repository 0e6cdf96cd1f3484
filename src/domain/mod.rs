//! The domain: what Headroom knows about practising and judging system design, as plain values and pure functions.
//!
//! Must never know the web, SQL, files, the clock or global randomness: time and randomness are passed in.

pub mod account;
#[cfg(not(target_arch = "wasm32"))]
pub mod archive;
pub mod attempt;
pub mod calculator;
pub mod capacity;
#[cfg(not(target_arch = "wasm32"))]
pub mod content;
pub mod criterion;
pub mod exercise;
pub mod level;
pub mod markup;
pub mod phase;
pub mod quantity;
pub mod queueing;
pub mod scorecard;
pub mod worksheet;
