//! The outbox: mail that has to go out, and who sends it.
