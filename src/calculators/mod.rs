//! The calculators: one page each, whose address is its state. Must never know a formula.

pub mod api;
pub mod island;
#[cfg(feature = "ssr")]
pub mod page;
