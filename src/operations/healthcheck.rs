//! `headroom healthcheck`: whether the server of this configuration is ready, for containers.

use std::process::ExitCode;

use crate::server::config::Config;
use crate::server::healthcheck;

/// Asks the address that the server listens on. Prints what it says; exit 1 when it is not ready or not there.
pub fn run(config: &Config) -> anyhow::Result<ExitCode> {
    let (ready, answer) = healthcheck::ask(config.addr)?;
    say!("{answer}");
    Ok(if ready {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}
