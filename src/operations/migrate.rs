//! `headroom migrate`: brings the schema up to date. Several nodes may do so at the same time.

use std::process::ExitCode;

use anyhow::Context as _;

use crate::server::config::{Config, without_password};
use crate::server::database::{Db, migration_names, sqlite_file};

#[derive(clap::Args, Debug)]
pub struct Args {
    /// Change nothing; say what is lacking, and exit 1 when something is.
    #[arg(long)]
    pub check: bool,
}

/// Prints each migration that was made, or with `--check` that would be.
pub async fn run(args: Args, config: &Config) -> anyhow::Result<ExitCode> {
    if args.check {
        let lacking = lacking(config).await?;
        for migration in &lacking {
            say!("lacks {migration}");
        }
        return Ok(if lacking.is_empty() {
            say!("up to date");
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        });
    }
    let db = open(config).await?;
    let made = db
        .migrate()
        .await
        .context("the database cannot be migrated")?;
    db.close().await;
    for migration in &made {
        say!("applied {migration}");
    }
    if made.is_empty() {
        say!("up to date");
    }
    Ok(ExitCode::SUCCESS)
}

async fn lacking(config: &Config) -> anyhow::Result<Vec<String>> {
    // Opening would make the file.
    if sqlite_file(&config.database_url).is_some_and(|file| !file.exists()) {
        return Ok(migration_names());
    }
    let db = open(config).await?;
    let lacking = db.lacking_migrations().await;
    db.close().await;
    lacking
}

/// The database that the configuration names, with this program's schema.
pub async fn open_migrated(config: &Config) -> anyhow::Result<Db> {
    let db = open(config).await?;
    db.migrate()
        .await
        .context("the database cannot be migrated")?;
    Ok(db)
}

async fn open(config: &Config) -> anyhow::Result<Db> {
    Db::open_with(&config.database_url, config.database_connections)
        .await
        .with_context(|| {
            format!(
                "the database at {} cannot be opened",
                without_password(&config.database_url)
            )
        })
}
