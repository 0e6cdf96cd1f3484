//! Components without state that pages and islands share.
//!
//! Must never know a feature, the server or the database.

#[cfg(feature = "ssr")]
pub mod calculation;
#[cfg(feature = "ssr")]
pub mod criterion;
#[cfg(feature = "ssr")]
pub mod field;
pub mod live_form;
#[cfg(feature = "ssr")]
pub mod notice;
#[cfg(feature = "ssr")]
pub mod sources;
pub mod text_area;
