//! The prompts to read: the home page, the list and each prompt. The same for everybody, and without scripts.

pub mod page;
