//! The command line: which command there is, and who does it.

use std::process::ExitCode;
use std::time::Duration;

use clap::{Parser, Subcommand};
use headroom::operations::admin::{AdminCommand, FlushArgs};
use headroom::operations::archive::{ExportArgs, ImportArgs};
use headroom::operations::{
    admin, archive, backup, calc, config_check, content_check, copy, doctor, healthcheck, migrate,
    restore,
};
use headroom::serve;
use headroom::server::config::{Config, ConfigFlags};
use headroom::server::telemetry::Telemetry;

/// Practise system design, and judge it fairly.
#[derive(Parser)]
#[command(version, about, arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    flags: ConfigFlags,
}

#[derive(Subcommand)]
enum Command {
    /// Migrate the database and serve until told to stop.
    Serve,
    /// Bring the database's schema up to date.
    Migrate(migrate::Args),
    /// Write a copy of the database while it is in use, and check it.
    Backup(backup::Args),
    /// Put a backup in the database's place.
    Restore(restore::Args),
    /// Move everything from one database to another, and compare row by row.
    Copy(copy::Args),
    /// Write everything that an account holds into a zip file.
    Export(ExportArgs),
    /// Put what an export holds into an account.
    Import(ImportArgs),
    /// Look for what is wrong, and say what to do about it; exit 1 when there is a problem.
    Doctor,
    /// Look after accounts.
    #[command(subcommand)]
    Admin(AdminCommand),
    /// Look after sessions.
    #[command(subcommand)]
    Sessions(SessionsCommand),
    /// Work on the configuration.
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Work on the published content.
    #[command(subcommand)]
    Content(ContentCommand),
    /// Work out a number of a design round, with its working; `--list` names the calculators.
    Calc(calc::Args),
    /// Ask the server at --addr whether it is ready; exit 1 when it is not.
    Healthcheck,
}

#[derive(Subcommand)]
enum ConfigCommand {
    /// Print every setting, its value and where that came from; exit 1 when there is a fault.
    Check,
}

#[derive(Subcommand)]
enum ContentCommand {
    /// Check the content and print every fault with file, line and column; exit 1 when there is one.
    Check(content_check::Args),
}

#[derive(Subcommand)]
enum SessionsCommand {
    /// End every session: everybody signs in again.
    Flush(FlushArgs),
}

async fn run(command: Command, config: &Config) -> anyhow::Result<ExitCode> {
    match command {
        Command::Serve => serve::run(config).await,
        Command::Migrate(args) => migrate::run(args, config).await,
        Command::Backup(args) => backup::run(args, config).await,
        Command::Restore(args) => restore::run(args, config).await,
        Command::Copy(args) => copy::run(args).await,
        Command::Export(args) => archive::run_export(args, config).await,
        Command::Import(args) => archive::run_import(args, config).await,
        Command::Doctor => Ok(doctor::run(config).await),
        Command::Admin(command) => admin::run(command, config).await,
        Command::Sessions(SessionsCommand::Flush(args)) => {
            admin::flush_sessions(&args, config).await
        }
        Command::Config(ConfigCommand::Check) => Ok(config_check::run(config)),
        Command::Content(ContentCommand::Check(args)) => content_check::run(args),
        Command::Calc(args) => Ok(calc::run(&args)),
        Command::Healthcheck => healthcheck::run(config),
    }
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    let environment = std::env::vars_os().filter_map(|(name, value)| {
        Some((
            name.into_string().ok()?,
            value.to_string_lossy().into_owned(),
        ))
    });
    let config = match Config::load(&cli.flags, environment, "".as_ref()) {
        Ok(config) => config,
        Err(faults) => {
            for fault in &faults {
                eprintln!("headroom: {fault}");
            }
            return ExitCode::FAILURE;
        }
    };
    in_runtime(cli.command, &config).unwrap_or_else(|error| {
        eprintln!("headroom: {error:#}");
        ExitCode::FAILURE
    })
}

fn in_runtime(command: Command, config: &Config) -> anyhow::Result<ExitCode> {
    let threads = std::thread::available_parallelism()
        .map_or(4, usize::from)
        .max(4);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(threads)
        .enable_all()
        .build()?;
    let outcome = runtime.block_on(async {
        let telemetry = Telemetry::start(config)?;
        let outcome = run(command, config).await;
        telemetry.stop().await;
        outcome
    });
    // What still runs was told to end and did not.
    runtime.shutdown_timeout(Duration::from_millis(100));
    outcome
}
