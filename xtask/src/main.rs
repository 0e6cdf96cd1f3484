//! What `cargo xtask` does: sets the machine up, builds Headroom, serves, checks and measures it.

mod bench;
mod checks;
mod css;
mod dev;
mod postgres;
mod process;
mod project;
mod server;
mod setup;
mod site;
mod steps;
mod wasm;

use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};

use crate::checks::Choice;
use crate::project::{Profile, Project};
use crate::server::Place;

/// Builds, serves, checks and measures Headroom
///
/// Every command sets up what is missing first (Rust's standard library for wasm32, Node, Chromium,
/// PostgreSQL, HAProxy, as far as it needs them), says what it does and how long it took, and does no work twice.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", version = None)]
struct Arguments {
    #[command(subcommand)]
    command: Task,
}

#[derive(Debug, Subcommand)]
enum Task {
    /// Build everything and serve it on this machine
    ///
    /// Builds the islands, the site and the server, migrates the database and serves until Ctrl-C. Prints the
    /// address when the server answers.
    Serve {
        #[command(flatten)]
        place: Place,
        /// Build optimised, with everything embedded in the one binary
        #[arg(long)]
        release: bool,
    },
    /// Serve, and rebuild and reload on every change
    ///
    /// Watches sources, styles, public files and migrations; rebuilds what a change affects, restarts the
    /// server and reloads the page. A build error is shown and the last good server goes on. Edits of the
    /// content show without a restart.
    Dev {
        #[command(flatten)]
        place: Place,
    },
    /// Run every check
    ///
    /// Formatting, lints on each of the builds, the tests of the domain and of the server on SQLite and
    /// PostgreSQL and behind a load balancer, the content check, cargo-deny and the journeys in Chromium; all of them, even when one fails,
    /// with a table at the end. Exits with 1 when a check failed.
    Test {
        #[command(flatten)]
        choice: Choice,
    },
    /// Print the figures of the performance budget
    ///
    /// Builds for release, then measures bytes, requests and saves per second, the way from navigation to a
    /// saved key in Chromium, and shows the recorded times of `serve` and `test`.
    Bench {
        /// Shorter runs, with less exact figures
        #[arg(long)]
        quick: bool,
    },
    /// Only set up what the other commands need
    Setup,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let result = process::catch_interrupts().and_then(|()| run(arguments.command));
    let code = match result {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(_) if process::interrupted() => ExitCode::from(130),
        Err(fault) => {
            eprintln!("error: {fault:#}");
            ExitCode::FAILURE
        }
    };
    process::sweep();
    code
}

/// Whether the command did all that it was asked for.
fn run(task: Task) -> Result<bool> {
    let project = Project::find();
    match task {
        Task::Serve { place, release } => {
            server::serve(&project, &place, Profile::of(release)).map(|()| true)
        }
        Task::Dev { place } => dev::dev(&project, &place).map(|()| true),
        Task::Test { choice } => checks::test(&project, &choice),
        Task::Bench { quick } => bench::bench(&project, quick).map(|()| true),
        Task::Setup => setup::everything(&project),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn everything_has_help() {
        for command in Arguments::command().get_subcommands() {
            assert!(command.get_about().is_some(), "{}", command.get_name());
            for argument in command.get_arguments() {
                assert!(
                    argument.get_help().is_some(),
                    "{} {}",
                    command.get_name(),
                    argument.get_id()
                );
            }
        }
    }
}
