//! Headroom: practise system design, and judge it fairly. One crate, three builds.
//!
//! - without features: [`domain`], pure values and functions;
//! - `hydrate`: the domain and the islands, for the browser, in two bundles: `workspace`, and `pages` for what helps on
//!   other pages;
//! - `ssr`: everything, the server.
//!
//! Directions: `main` → [`app`] → features ([`accounts`], [`calculators`], [`exercises`], [`mail`], [`prompts`], [`practice`], [`reference`],
//! [`search`]) → `server` and `ui` → [`domain`], never back. In a feature,
//! `page` renders, `island` interacts, `api` holds server functions and form handlers, `store` holds the SQL.
//! ARCHITECTURE.md tells how they work together.

// Views are types that nest as deep as the markup does.
#![recursion_limit = "512"]

pub mod domain;

#[cfg(feature = "ssr")]
pub mod accounts;
#[cfg(feature = "ssr")]
pub mod app;
#[cfg(any(feature = "ssr", feature = "pages"))]
pub mod calculators;
#[cfg(any(feature = "ssr", feature = "hydrate"))]
pub mod error;
#[cfg(any(feature = "ssr", feature = "pages"))]
pub mod exercises;
#[cfg(feature = "ssr")]
pub mod mail;
#[cfg(feature = "ssr")]
pub mod operations;
#[cfg(any(feature = "ssr", feature = "hydrate"))]
pub mod practice;
#[cfg(feature = "ssr")]
pub mod prompts;
#[cfg(feature = "ssr")]
pub mod reference;
#[cfg(any(feature = "ssr", feature = "pages"))]
pub mod search;
#[cfg(feature = "ssr")]
pub mod serve;
#[cfg(feature = "ssr")]
pub mod server;
#[cfg(all(test, feature = "ssr"))]
mod tests;
#[cfg(any(feature = "ssr", feature = "hydrate"))]
pub mod ui;

/// Wakes the islands of the page; called by the script that loads the module.
#[cfg(feature = "hydrate")]
#[wasm_bindgen::prelude::wasm_bindgen]
pub fn hydrate() {
    console_error_panic_hook::set_once();
    leptos::mount::hydrate_islands();
}
