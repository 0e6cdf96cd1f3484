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
mod soak;
mod steps;
mod wasm;

use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};

use crate::checks::Choice;
use crate::project::{Profile, Project};
use crate::server::Place;
use crate::soak::Load;

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
    /// Builds for release, then measures bytes, requests, saves (on one node and on two) and sign-ins per
    /// second, pages while many sign in, the memory of idle connections, backups under writers, and the way
    /// from navigation to a saved key in Chromium, and shows the recorded times of `serve` and `test`.
    Bench {
        /// Shorter runs, with less exact figures
        #[arg(long)]
        quick: bool,
    },
    /// Put a mixed load on the server for minutes
    ///
    /// Builds for release, then lets readers, sign-ins, guests and accounts that write and export, and slow
    /// clients at a server of its own. Prints requests, errors, waiting and memory each minute, and at the end
    /// how memory grew. Kills the server then and looks for what it acknowledged. Exits with 1 when the server
    /// answered with an error or lost a save. Being told to wait is no error.
    Soak {
        #[command(flatten)]
        load: Load,
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
        Task::Soak { load } => soak::soak(&project, load).map(|()| true),
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
