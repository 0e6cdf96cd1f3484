//! The two further kinds of exercise: incidents to debug, and changes to review.

#[cfg(feature = "ssr")]
pub mod api;
pub mod island;
#[cfg(feature = "ssr")]
pub mod page;
#[cfg(feature = "ssr")]
pub mod store;
