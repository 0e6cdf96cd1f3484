//! The reference shelf: levels, loops, compensation, the scorecard, the roadmap, the reading list and the numbers, and what
//! a person has ticked of them.

pub mod api;
pub mod page;
pub mod store;
