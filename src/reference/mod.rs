//! The reference shelf: levels, loops, pay, roadmap, reading, and the glossary.

pub mod page;
