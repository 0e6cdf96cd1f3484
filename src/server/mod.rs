//! What every feature of the server stands on: configuration, state, the database, the content library, the assets,
//! the rules of the browser, and the listener.
//!
//! Must never know a feature.

pub mod assets;
pub mod clock;
pub mod config;
pub mod content_library;
pub mod database;
pub mod document;
pub mod extract;
pub mod failure;
pub mod listener;
pub mod markdown;
pub mod page_cache;
pub mod security;
pub mod session;
pub mod state;
pub mod store;
pub mod zip_archive;
