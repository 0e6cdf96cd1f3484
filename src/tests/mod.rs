//! The server's tests: the whole router in process, each test on a real database of its own.
//!
//! `app` holds the application under test and its clients, `engines` the databases. Must never be needed by anything else.

mod access;
mod account_pages;
mod accounts;
mod app;
mod archive;
mod attempt_store;
mod bad_days;
mod bad_forms;
mod bad_input;
mod browser_rules;
mod calculators;
mod commands;
mod configuration;
mod deployment;
mod engines;
mod exercises;
mod journeys;
mod killed;
mod library;
mod listener;
mod mail;
mod migrations;
mod operations;
mod pages;
mod program;
mod reference;
mod reveal;
mod scoring;
mod search;
mod sessions;
mod stored_markup;
mod telemetry;
mod tidy;
mod two_nodes;
mod upkeep;
mod variants;
