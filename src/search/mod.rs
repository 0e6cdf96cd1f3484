//! Search over what is published, and for its owner over attempts. Must never know how words are compared.

pub mod api;
pub mod island;
#[cfg(feature = "ssr")]
pub mod page;
