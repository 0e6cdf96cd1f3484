//! The calculators: one page each, whose address is its state.

pub mod api;
pub mod island;
#[cfg(feature = "ssr")]
pub mod page;
