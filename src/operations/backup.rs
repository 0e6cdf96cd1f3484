//! `headroom backup`: one file that holds everything, made while the server runs, and checked.
//!
//! A backup is an SQLite file of the same schema version, whichever engine it comes from. So it can be restored on
//! either engine, be opened and looked at with any SQLite tool, and needs neither `pg_dump` nor its matching version.
//! A Postgres of many gigabytes is better served by the engine's own base backups and log archiving, which can go back to
//! any moment; this command copies every row. Must never replace a file that it was not told to replace.

use std::fmt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, anyhow, bail, ensure};
use sqlx::{Connection as _, PgConnection, SqliteConnection};

use crate::server::clock::Clock;
use crate::server::config::Config;
use crate::server::database::{Conn, migrations_for_sqlite};

use super::copy::{Opening, compare, fill, reachable};
use super::in_words;
use super::partial_file::PartialFile;
use super::place::{Link, Place, beside, explain, explained, open_alone, same_file};
use super::schema::{Schema, State};
use super::store;

#[derive(clap::Args, Clone, Debug)]
pub struct Args {
    /// File to write. Its owner alone may read it.
    #[arg(long, value_name = "FILE")]
    pub to: PathBuf,

    /// Replace the file if it is there.
    #[arg(long)]
    pub force: bool,
}

/// Backs up the database that the configuration names.
pub async fn run(args: Args, config: &Config) -> anyhow::Result<ExitCode> {
    let report = backup(&config.database_url, &args.to, args.force, &Clock::System).await?;
    say!("{report}");
    Ok(ExitCode::SUCCESS)
}

/// A backup that was made and checked.
#[derive(Debug)]
pub struct Report {
    pub file: PathBuf,
    pub bytes: u64,
    pub schema_version: i64,
    /// Rows by table.
    pub tables: Vec<(String, u64)>,
    pub millis: i64,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "Wrote {}: {}, schema version {}, in {}.{:03} s.",
            self.file.display(),
            in_words(self.bytes),
            self.schema_version,
            self.millis / 1000,
            self.millis % 1000
        )?;
        write_rows(f, &self.tables)?;
        write!(
            f,
            "The file passed its integrity check. Keep it on another machine."
        )
    }
}

pub(super) fn write_rows(f: &mut fmt::Formatter<'_>, tables: &[(String, u64)]) -> fmt::Result {
    for (table, rows) in tables {
        writeln!(f, "  {table:<16} {rows:>9} rows")?;
    }
    Ok(())
}

/// Writes a copy of the database as it is at one moment, while others read and write.
///
/// # Errors
/// When the database cannot be read, the file cannot be written or is there already, or the copy does not pass its
/// checks; then nothing is left under the name, or what was there before.
pub async fn backup(
    database_url: &str,
    to: &Path,
    force: bool,
    clock: &Clock,
) -> anyhow::Result<Report> {
    let began = clock.now();
    let place = Place::of(database_url)?;
    may_be_written(to, &place, force)?;
    let mut source = reachable(&place, Opening::Read).await?;
    let state = State::of(&mut source.conn())
        .await
        .map_err(|error| anyhow!("{place}: {}", explained(error)))?;
    let partial = PartialFile::beside(to)?;
    let version = match &mut source {
        Link::Sqlite(connection) => {
            // Any version and any mishap of a migration: a backup is what is wanted then.
            let version = match state {
                State::At(version) | State::Unfinished(version) | State::Altered(version) => {
                    version
                }
                State::Nothing | State::Foreign => state.understood(&place.to_string())?,
            };
            store::vacuum_into(connection, partial.path_text()?)
                .await
                .map_err(|error| anyhow!("the copy could not be written: {}", explained(error)))?;
            version
        }
        Link::Postgres(connection) => {
            let version = state.understood(&place.to_string())?;
            dump(connection, &partial, version).await?;
            version
        }
    };
    source.close().await;
    let mut copy = open_alone(partial.path())
        .await
        .map_err(|error| anyhow!("the copy cannot be opened again: {}", explain(&error)))?;
    check(&mut copy, "the copy").await?;
    let tables = rows_by_table(&mut copy).await?;
    copy.close()
        .await
        .map_err(|error| anyhow!("the copy cannot be closed: {}", explain(&error)))?;
    let bytes = std::fs::metadata(partial.path())
        .context("the copy cannot be looked at")?
        .len();
    // The name may have been taken meanwhile.
    may_be_written(to, &place, force)?;
    partial.become_file(to)?;
    Ok(Report {
        file: to.to_owned(),
        bytes,
        schema_version: version,
        tables,
        millis: (clock.now() - began).max(0),
    })
}

fn may_be_written(to: &Path, place: &Place, force: bool) -> anyhow::Result<()> {
    if let Place::Sqlite(database) = place {
        let own = ["", "-wal", "-shm", "-journal"]
            .iter()
            .any(|suffix| same_file(to, &beside(database, suffix)));
        ensure!(
            !own,
            "{} is the database itself; name another file",
            to.display()
        );
    }
    match std::fs::symlink_metadata(to) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(anyhow!("{} cannot be written: {error}", to.display())),
        Ok(found) if found.is_dir() => {
            bail!("{} is a folder; name a file in it", to.display())
        }
        Ok(found) if !found.is_file() => {
            bail!("{} is not an ordinary file; name another", to.display())
        }
        Ok(_) => {
            ensure!(
                force,
                "{} is there already; name another file, or replace it with --force",
                to.display()
            );
            Ok(())
        }
    }
}

/// Every row of a Postgres database at one moment, in an SQLite file of the same schema version, compared row by row.
async fn dump(source: &mut PgConnection, into: &PartialFile, version: i64) -> anyhow::Result<()> {
    let written =
        |error: sqlx::Error| anyhow!("the copy could not be written: {}", explain(&error));
    let mut target = open_alone(into.path()).await.map_err(written)?;
    migrations_for_sqlite()
        .run_to(version, &mut target)
        .await
        .context("the tables of the copy could not be made")?;
    let schema = Schema::of(&mut target).await?;
    {
        let (source, target) = (&mut Conn::Postgres(source), &mut Conn::Sqlite(&mut target));
        store::begin_snapshot(source).await.map_err(explained)?;
        store::begin_filling(target).await.map_err(explained)?;
        fill(source, target, &schema).await?;
        compare(source, target, &schema).await?;
        store::commit(target).await.map_err(explained)?;
    }
    target.close().await.map_err(written)
}

/// Whether a file is sound, and every reference in it leads somewhere.
pub(super) async fn check(connection: &mut SqliteConnection, what: &str) -> anyhow::Result<()> {
    let faults = store::integrity_faults(connection)
        .await
        .map_err(|error| anyhow!("{what} cannot be checked: {}", explained(error)))?;
    if let Some(first) = faults.first() {
        bail!(
            "{what} is damaged: {} found, the first: {first}",
            faults.len()
        );
    }
    let faults = store::reference_faults(connection)
        .await
        .map_err(|error| anyhow!("{what} cannot be checked: {}", explained(error)))?;
    if let Some((from, to)) = faults.first() {
        bail!(
            "{what} has {} references that lead nowhere, the first from {from} to {to}",
            faults.len()
        );
    }
    Ok(())
}

pub(super) async fn rows_by_table(
    connection: &mut SqliteConnection,
) -> anyhow::Result<Vec<(String, u64)>> {
    let conn = &mut Conn::Sqlite(connection);
    let mut tables = Vec::new();
    for table in store::tables(conn).await.map_err(explained)? {
        if table != store::MIGRATIONS {
            let rows = store::count(conn, &table).await.map_err(explained)?;
            tables.push((table, rows));
        }
    }
    Ok(tables)
}
