//! What an operator does from the command line: look after accounts, back up, restore, move to another engine, look for
//! what is wrong.
//!
//! Each command is a plain function that takes what it needs and returns a report that can be printed; what a command
//! line asks of it stands beside it. Must never know the web.

/// Prints a line. Whoever reads it may have gone, as `head` does.
macro_rules! say {
    ($($part:tt)*) => {{
        use std::io::Write as _;
        let _ = writeln!(std::io::stdout(), $($part)*);
    }};
}

pub mod admin;
pub mod archive;
pub mod backup;
pub mod calc;
pub mod config_check;
pub mod content_check;
pub mod copy;
pub mod doctor;
pub mod healthcheck;
pub mod migrate;
mod partial_file;
mod place;
pub mod restore;
pub mod schema;
pub mod store;

pub use place::Place;

/// A number of bytes in the unit that reads best: `17.3 MB`.
fn in_words(bytes: u64) -> String {
    match bytes {
        0..10_000 => format!("{bytes} bytes"),
        10_000..1_000_000 => format!("{:.1} kB", bytes as f64 / 1e3),
        1_000_000..1_000_000_000 => format!("{:.1} MB", bytes as f64 / 1e6),
        _ => format!("{:.1} GB", bytes as f64 / 1e9),
    }
}
