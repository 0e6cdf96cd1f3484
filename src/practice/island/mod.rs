//! The islands of practising: the workspace, and the help on the score form.
//!
//! The server renders their first state, which works as plain forms; in the browser they take over. Nothing here decides
//! what may be written: that is the server's.

#[cfg(any(feature = "ssr", feature = "workspace"))]
mod calculators;
pub mod device;
#[cfg(any(feature = "ssr", feature = "workspace"))]
pub mod palette;
#[cfg(any(feature = "ssr", feature = "workspace"))]
pub mod saving;
#[cfg(any(feature = "ssr", feature = "pages"))]
pub mod scoring;
#[cfg(any(feature = "ssr", feature = "workspace"))]
pub mod worksheet;
#[cfg(any(feature = "ssr", feature = "workspace"))]
pub mod workspace;
