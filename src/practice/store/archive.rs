//! Everything of an owner, read for an archive and written from one.
