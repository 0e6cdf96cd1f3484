//! What every feature of the server stands on: configuration, state, the database, the content library, the assets,
//! the rules of the browser, the listener, and what is told about all of it.
//!
//! Must never know a feature.

pub mod assets;
pub mod client_address;
pub mod clock;
pub mod config;
pub mod content_library;
pub mod database;
pub mod document;
pub mod exercise_library;
pub mod extract;
pub mod failure;
pub mod form;
pub mod function;
pub mod glossary;
pub mod healthcheck;
pub mod listener;
pub mod markdown;
pub mod page_cache;
pub mod password;
pub mod readiness;
pub mod search;
pub mod security;
pub mod session;
pub mod state;
pub mod store;
pub mod telemetry;
pub mod throttle;
pub mod zip_archive;
