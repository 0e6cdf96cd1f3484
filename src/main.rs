//! The command line.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::{Parser, Subcommand};
use headroom::app;
use headroom::server::clock::Clock;
use headroom::server::config::ServeConfig;
use headroom::server::content_library::{Library, Origin};
use headroom::server::database::Db;
use headroom::server::state::{Allowances, AppState, Settings};
use headroom::server::{listener, store};

/// Practise system design, and judge it fairly.
#[derive(Parser)]
#[command(version, about, arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Migrate the database and serve until told to stop.
    Serve(ServeConfig),
    /// Work on the published content.
    Content {
        #[command(subcommand)]
        command: ContentCommand,
    },
}

#[derive(Subcommand)]
enum ContentCommand {
    /// Check the content and print every fault with file, line and column; exit 1 when there is one.
    Check {
        /// Content directory; without it, the content inside the program.
        dir: Option<PathBuf>,
    },
}

fn main() -> ExitCode {
    tracing_subscriber::fmt()
        .with_env_filter(
            tracing_subscriber::EnvFilter::try_from_env("HEADROOM_LOG")
                .unwrap_or_else(|_| "info".into()),
        )
        .with_writer(std::io::stderr)
        .init();
    let outcome = match Cli::parse().command {
        Command::Serve(config) => serve(config),
        Command::Content {
            command: ContentCommand::Check { dir },
        } => content_check(dir),
    };
    outcome.unwrap_or_else(|error| {
        eprintln!("headroom: {error:#}");
        ExitCode::FAILURE
    })
}

fn origin(dir: Option<PathBuf>) -> Origin {
    dir.map_or(Origin::Program, Origin::Directory)
}

fn content_check(dir: Option<PathBuf>) -> anyhow::Result<ExitCode> {
    let library = Library::read(&origin(dir)).context("the content directory cannot be read")?;
    for diagnostic in &library.diagnostics {
        println!("{diagnostic}");
    }
    if library.diagnostics.is_empty() {
        println!(
            "{} prompts, {} sources, no faults",
            library.prompts.len(),
            library.sources.len()
        );
        Ok(ExitCode::SUCCESS)
    } else {
        println!("{} faults", library.diagnostics.len());
        Ok(ExitCode::FAILURE)
    }
}

fn serve(config: ServeConfig) -> anyhow::Result<ExitCode> {
    let threads = std::thread::available_parallelism()
        .map_or(4, usize::from)
        .max(4);
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(threads)
        .enable_all()
        .build()?
        .block_on(serve_until_stopped(config))
}

async fn serve_until_stopped(config: ServeConfig) -> anyhow::Result<ExitCode> {
    let origin = origin(config.content.clone());
    let library = Library::read(&origin).context("the content directory cannot be read")?;
    if !library.diagnostics.is_empty() && !config.dev {
        for diagnostic in &library.diagnostics {
            eprintln!("{diagnostic}");
        }
        anyhow::bail!(
            "the content has {} faults; mend them, or serve with --dev to see them in the page",
            library.diagnostics.len()
        );
    }
    let db = Db::open(&config.database_url).await.with_context(|| {
        format!(
            "the database at {} cannot be opened",
            without_password(&config.database_url)
        )
    })?;
    db.migrate()
        .await
        .context("the database cannot be migrated")?;
    let clock = Clock::System;
    let settings = Settings {
        public_url: config.public_url(),
        dev: config.dev,
        mail: false,
        allowances: Allowances::default(),
    };
    let state = AppState::new(db.clone(), clock.clone(), origin, library, settings);
    let socket = tokio::net::TcpListener::bind(config.addr)
        .await
        .with_context(|| {
            format!(
                "cannot listen on {}; choose another address with --addr",
                config.addr
            )
        })?;
    let sweeper = tokio::spawn(sweep(db.clone(), clock));
    tracing::info!(address = %socket.local_addr()?, "Headroom is serving");
    let limits = listener::Limits::for_connections(config.max_connections);
    listener::serve(socket, app::router(state), limits, stop_signal()).await?;
    sweeper.abort();
    db.close().await;
    tracing::info!("stopped");
    Ok(ExitCode::SUCCESS)
}

/// Removes ended sessions every hour.
async fn sweep(db: Db, clock: Clock) {
    loop {
        let outcome =
            headroom::transact!(db, |conn| store::delete_expired_sessions(conn, clock.now())
                .await);
        if let Err(error) = outcome {
            tracing::warn!(%error, "ended sessions were not removed");
        }
        tokio::time::sleep(std::time::Duration::from_hours(1)).await;
    }
}

fn without_password(url: &str) -> String {
    match url.split_once("://").zip(url.rsplit_once('@')) {
        Some(((scheme, _), (_, host))) => format!("{scheme}://…@{host}"),
        None => url.to_owned(),
    }
}

async fn stop_signal() {
    let interrupt = async {
        let _ = tokio::signal::ctrl_c().await;
    };
    #[cfg(unix)]
    let terminate = async {
        match tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
            Ok(mut signal) => {
                signal.recv().await;
            }
            Err(_) => std::future::pending().await,
        }
    };
    #[cfg(not(unix))]
    let terminate = std::future::pending::<()>();
    tokio::select! {
        () = interrupt => {}
        () = terminate => {}
    }
}
