//! Components without state that pages and islands share.
//!
//! Must never know a feature, the server or the database.

pub mod text_area;
