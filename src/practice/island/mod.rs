//! The islands of practising: the workspace, and the help on the score form.
//!
//! The server renders their first state, which works as plain forms; in the browser they take over. Nothing here decides
//! what may be written: that is the server's.

mod calculators;
pub mod device;
pub mod palette;
pub mod saving;
pub mod scoring;
pub mod worksheet;
pub mod workspace;
