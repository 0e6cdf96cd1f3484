//! The measurements of `cargo xtask bench` that need no browser, and the load of `cargo xtask soak`: a real server on
//! loopback, and clients in this process.
//!
//! Machines differ and are shared, so that a figure stands beside another of the same run where one can be had. No
//! measurement passes or fails; the load does.

mod backup;
mod client;
mod figures;
mod idle;
mod pages;
mod saves;
mod search;
mod server;
mod sign_ins;
mod soak;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Parser;

use crate::server::Server;

/// Measures a release build of Headroom.
#[derive(Parser)]
struct Options {
    /// The built site, for the sizes of its files.
    #[arg(long, default_value = "target/site")]
    site: PathBuf,
    /// The program to measure.
    #[arg(long, default_value = "target/release/headroom")]
    headroom: PathBuf,
    /// A Postgres server to measure on too, or `none`. A soak runs on it instead of SQLite.
    #[arg(long, default_value = "none")]
    postgres: String,
    /// Taken and not used: the browser's figures come from another script.
    #[arg(long)]
    chromium: Option<PathBuf>,
    /// Shorter runs.
    #[arg(long)]
    quick: bool,
    /// Instead of measuring: a mixed load for so many minutes; exit 1 on an error.
    #[arg(long, value_name = "MINUTES", conflicts_with = "quick", value_parser = clap::value_parser!(u32).range(1..))]
    soak: Option<u32>,
    /// Instead of measuring: answer every request with the bytes of this file, by a bare axum handler.
    #[arg(long, hide = true)]
    bare: Option<PathBuf>,
    #[arg(long, hide = true, default_value = "127.0.0.1:0")]
    addr: SocketAddr,
}

fn main() -> anyhow::Result<()> {
    let options = Options::parse();
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(4)
        .enable_all()
        .build()?
        .block_on(run(options))
}

async fn run(options: Options) -> anyhow::Result<()> {
    if let Some(file) = &options.bare {
        return pages::bare(file, options.addr).await;
    }
    let folder = std::env::temp_dir().join(format!("headroom-bench-{}", std::process::id()));
    std::fs::create_dir_all(&folder)?;
    let outcome = match options.soak {
        Some(minutes) => {
            let sqlite = sqlite_in(&folder, "soak.db");
            let database = options.postgres().unwrap_or(&sqlite);
            let length = Duration::from_mins(minutes.into());
            soak::soak(&options.headroom, database, length).await
        }
        None => measure(&options, &folder).await,
    };
    std::fs::remove_dir_all(&folder)?;
    outcome
}

impl Options {
    fn postgres(&self) -> Option<&str> {
        (self.postgres != "none").then_some(self.postgres.as_str())
    }
}

fn sqlite_in(folder: &Path, file: &str) -> String {
    format!("sqlite:{}", folder.join(file).display())
}

async fn measure(options: &Options, folder: &Path) -> anyhow::Result<()> {
    let program = &options.headroom;
    let seconds = Duration::from_secs(if options.quick { 2 } else { 5 });
    let rounds = if options.quick { 1 } else { 3 };
    let sqlite = sqlite_in(folder, "bench.db");

    let server = Server::headroom(program, &sqlite).await?;
    pages::sizes(&options.site, server.addr).await?;
    pages::reading(server.addr, folder, seconds, rounds).await?;
    search::search(server.addr, rounds).await?;
    println!(
        "\nAutosave, each writer at an attempt of its own, {} s each",
        seconds.as_secs()
    );
    for writers in [8, 64] {
        saves::on_one_node("SQLite", server.addr, writers, seconds).await?;
    }
    drop(server);
    if let Some(postgres) = options.postgres() {
        let server = Server::headroom(program, postgres).await?;
        for writers in [8, 64] {
            saves::on_one_node("Postgres", server.addr, writers, seconds).await?;
        }
        drop(server);
        saves::on_two_nodes(program, postgres, seconds, rounds).await?;
    } else {
        println!("  Postgres: not measured, none was given");
    }

    let server = Server::headroom(program, &sqlite).await?;
    sign_ins::sign_ins(server.addr, seconds, rounds).await?;
    drop(server);
    idle::idle(program, &sqlite).await?;

    backup::headline();
    let attempts = if options.quick { 300 } else { 2000 };
    let sqlite = sqlite_in(folder, "backup-source.db");
    let places = [
        ("SQLite", Some(sqlite.as_str())),
        ("Postgres", options.postgres()),
    ];
    for (engine, url) in places {
        if let Some(url) = url {
            let place = backup::Place {
                engine,
                url,
                attempts,
            };
            backup::backup(program, place, folder, seconds).await?;
        }
    }
    Ok(())
}
