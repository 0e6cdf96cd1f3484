//! Search over what is published, and for its owner over attempts.

pub mod api;
pub mod island;
#[cfg(feature = "ssr")]
pub mod page;
