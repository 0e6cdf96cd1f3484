//! The pages of accounts and of administration.
