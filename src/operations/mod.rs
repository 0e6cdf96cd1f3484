//! What an operator does from the command line.

pub mod admin;
pub mod archive;
pub mod config_check;
pub mod content_check;
pub mod healthcheck;
pub mod migrate;
