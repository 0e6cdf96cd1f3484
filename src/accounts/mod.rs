//! Accounts: who a person is, what they may do, and what is theirs.

pub mod api;
pub mod page;
pub mod store;
