//! The pages of the reference shelf.

mod glossary;
mod shelf;

pub use self::glossary::{glossary, term};
pub use self::shelf::{index, page};
