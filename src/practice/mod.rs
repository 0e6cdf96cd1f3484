//! Practising: an attempt from its start to its result.

pub mod api;
pub mod island;
#[cfg(feature = "ssr")]
pub mod page;
#[cfg(feature = "ssr")]
pub mod store;
