//! `headroom copy`: moves an installation to another database, of the same engine or the other.
//!
//! The source is read at one moment. The target is filled, read back and compared row by row in one transaction, so that
//! a failure leaves it as empty as it was. Must never write to the source.

use std::fmt;
use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt as _;
use std::process::ExitCode;

use anyhow::{anyhow, bail, ensure};
use sha2::{Digest as _, Sha256};

use crate::server::database::Conn;

use super::partial_file::folder_of;
use super::place::{Link, Place, explain, explained, look_at};
use super::schema::{Schema, State, Table};
use super::store::{self, Cell, Cells, Reading};

#[derive(clap::Args, Clone, Debug)]
pub struct Args {
    /// Database to read: sqlite:PATH or postgres://USER@HOST/NAME. It is not changed.
    #[arg(long, value_name = "URL")]
    pub from: String,

    /// Database to fill: it has to be empty. An SQLite file is made where there is none.
    #[arg(long, value_name = "URL")]
    pub to: String,
}

pub async fn run(args: Args) -> anyhow::Result<ExitCode> {
    say!("{}", copy(&args.from, &args.to).await?);
    Ok(ExitCode::SUCCESS)
}

/// What was moved, table by table.
#[derive(Debug)]
pub struct Report {
    pub from: String,
    pub to: String,
    pub schema_version: i64,
    pub tables: Vec<Moved>,
}

/// A table that was moved and read back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Moved {
    pub table: String,
    pub rows: u64,
    /// SHA-256 over all rows in the order of the key, in hex; the same on both sides.
    pub digest: String,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "Copied {} to {}, schema version {}.",
            self.from, self.to, self.schema_version
        )?;
        writeln!(f, "Every row was read back and compared:")?;
        for moved in &self.tables {
            writeln!(
                f,
                "  {:<16} {:>9} rows  sha256 {}",
                moved.table, moved.rows, moved.digest
            )?;
        }
        write!(
            f,
            "What people did in {} since the copy began is not in it: stop the server before, and start it on {} after.",
            self.from, self.to
        )
    }
}

/// Copies every row of one database to an empty one.
///
/// # Errors
/// When either cannot be used, the versions do not fit, the target holds rows, or what was read back differs; the target
/// is then empty.
pub async fn copy(from: &str, to: &str) -> anyhow::Result<Report> {
    let from = Place::of(from).map_err(|error| anyhow!("--from: {error}"))?;
    let to = Place::of(to).map_err(|error| anyhow!("--to: {error}"))?;
    ensure!(!from.is(&to), "--from and --to name the same database");
    let mut source = reachable(&from, Opening::Read).await?;
    let version = State::of(&mut source.conn())
        .await
        .map_err(|error| anyhow!("{from}: {}", explained(error)))?
        .understood(&from.to_string())?;
    ensure!(
        version == super::schema::program_version(),
        "{from} has schema version {version}, and this program has {}; run `headroom migrate` on it first",
        super::schema::program_version()
    );
    let schema = Schema::at(version).await?;

    if let Place::Sqlite(path) = &to {
        make_file(path)?;
    }
    let mut target = reachable(&to, Opening::Write).await?;
    prepare(&mut target, &to).await?;
    let tables = {
        let (source, target) = (&mut source.conn(), &mut target.conn());
        let at = |place: &Place, error| anyhow!("{place}: {}", explained(error));
        store::begin_snapshot(source)
            .await
            .map_err(|error| at(&from, error))?;
        store::begin_filling(target)
            .await
            .map_err(|error| at(&to, error))?;
        if let Some(table) = first_with_rows(target, &schema).await? {
            bail!(
                "{to} is not empty: there are rows in the table {table}. Nothing was copied; name a database that is empty"
            );
        }
        fill(source, target, &schema).await?;
        let tables = compare(source, target, &schema).await?;
        store::commit(target)
            .await
            .map_err(|error| at(&to, error))?;
        tables
    };
    source.close().await;
    target.close().await;
    Ok(Report {
        from: from.to_string(),
        to: to.to_string(),
        schema_version: version,
        tables,
    })
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Opening {
    Read,
    Write,
}

/// Opens a database that has to be there, or says why not.
pub(super) async fn reachable(place: &Place, opening: Opening) -> anyhow::Result<Link> {
    if let Place::Sqlite(path) = place {
        look_at(path).map_err(|fault| anyhow!("{place}: {fault}"))?;
    }
    let opened = match opening {
        Opening::Read => place.open_to_read().await,
        Opening::Write => place.open_to_write().await,
    };
    opened.map_err(|error| anyhow!("{place}: {}", explain(&error)))
}

/// Brings a target's schema to this program's version; refuses one of something else.
pub(super) async fn prepare(target: &mut Link, place: &Place) -> anyhow::Result<()> {
    let state = State::of(&mut target.conn())
        .await
        .map_err(|error| anyhow!("{place}: {}", explained(error)))?;
    if state != State::Nothing {
        state.understood(&place.to_string())?;
    }
    target.migrate().await
}

/// Makes an empty file for SQLite that its owner alone may read, where there is none.
fn make_file(path: &std::path::Path) -> anyhow::Result<()> {
    let folder = folder_of(path);
    ensure!(
        folder.is_dir(),
        "there is no folder {}; make it first",
        folder.display()
    );
    let made = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path);
    match made {
        Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => {
            bail!("{} cannot be made: {error}", path.display())
        }
        _ => Ok(()),
    }
}

/// The first table that holds anything.
pub(super) async fn first_with_rows(
    conn: &mut Conn<'_>,
    schema: &Schema,
) -> anyhow::Result<Option<String>> {
    for table in &schema.tables {
        if store::has_rows(conn, &table.name)
            .await
            .map_err(explained)?
        {
            return Ok(Some(table.name.clone()));
        }
    }
    Ok(None)
}

/// Moves every row of every table.
pub(super) async fn fill(
    source: &mut Conn<'_>,
    target: &mut Conn<'_>,
    schema: &Schema,
) -> anyhow::Result<()> {
    let to_postgres = matches!(target, Conn::Postgres(_));
    for table in &schema.tables {
        let failed =
            |side: &str, error| anyhow!("{side} the table {}: {}", table.name, explained(error));
        let mut reading = Reading::new(table);
        loop {
            let rows = reading
                .next(source)
                .await
                .map_err(|error| failed("reading", error))?;
            if rows.is_empty() {
                break;
            }
            if to_postgres && let Some(row) = rows.iter().find(|row| has_nul(row)) {
                bail!(
                    "the row {} of the table {} holds a NUL character, which Postgres does not take; take it out and try again",
                    key_in_words(table, row),
                    table.name
                );
            }
            store::insert_rows(target, table, &rows)
                .await
                .map_err(|error| failed("filling", error))?;
        }
    }
    Ok(())
}

/// Reads both sides in the order of the key and compares them row by row.
pub(super) async fn compare(
    source: &mut Conn<'_>,
    target: &mut Conn<'_>,
    schema: &Schema,
) -> anyhow::Result<Vec<Moved>> {
    let mut tables = Vec::new();
    for table in &schema.tables {
        let (mut left, mut right) = (Reading::new(table), Reading::new(table));
        let (mut left_digest, mut right_digest) = (Sha256::new(), Sha256::new());
        let mut rows = 0;
        loop {
            let here = left.next(source).await.map_err(explained)?;
            let there = right.next(target).await.map_err(explained)?;
            let different = here.iter().zip(&there).find(|(here, there)| here != there);
            if let Some((row, _)) = different {
                bail!(
                    "what was read back differs from what was written: table {}, row {}. Nothing was kept",
                    table.name,
                    key_in_words(table, row)
                );
            }
            ensure!(
                here.len() == there.len(),
                "the table {} has more rows on one side than on the other. Nothing was kept; is a server still running?",
                table.name
            );
            if here.is_empty() {
                break;
            }
            rows += here.len() as u64;
            for (digest, side) in [(&mut left_digest, &here), (&mut right_digest, &there)] {
                for row in side {
                    take(digest, row);
                }
            }
        }
        let digest = hex(&left_digest.finalize());
        ensure!(
            digest == hex(&right_digest.finalize()),
            "the table {} has another digest on the other side. Nothing was kept",
            table.name
        );
        tables.push(Moved {
            table: table.name.clone(),
            rows,
            digest,
        });
    }
    Ok(tables)
}

/// Feeds a row to a digest so that no two rows feed the same: each cell with its kind and length.
fn take(digest: &mut Sha256, row: &Cells) {
    digest.update((row.len() as u64).to_be_bytes());
    for cell in row {
        match cell {
            Cell::Text(None) | Cell::Integer(None) => digest.update(b"n"),
            Cell::Text(Some(text)) => {
                digest.update(b"t");
                digest.update((text.len() as u64).to_be_bytes());
                digest.update(text.as_bytes());
            }
            Cell::Integer(Some(number)) => {
                digest.update(b"i");
                digest.update(number.to_be_bytes());
            }
        }
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn has_nul(row: &Cells) -> bool {
    row.iter()
        .any(|cell| matches!(cell, Cell::Text(Some(text)) if text.contains('\0')))
}

/// The key of a row as it may be shown: keys are ids, names and hashes, never what a person wrote.
fn key_in_words(table: &Table, row: &Cells) -> String {
    let parts: Vec<String> = table
        .key
        .iter()
        .filter_map(|at| row.get(*at))
        .map(|cell| match cell {
            Cell::Text(text) => text
                .clone()
                .unwrap_or_default()
                .escape_default()
                .to_string(),
            Cell::Integer(number) => number.unwrap_or_default().to_string(),
        })
        .collect();
    parts.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_that_differ_have_different_digests() {
        let text = |text: &str| Cell::Text(Some(text.to_owned()));
        let rows = [
            vec![text("ab"), text("c")],
            vec![text("a"), text("bc")],
            vec![text("abc"), text("")],
            vec![text("abc"), Cell::Text(None)],
            vec![text("abc")],
            vec![text("1")],
            vec![Cell::Integer(Some(1))],
            vec![Cell::Integer(None)],
            vec![],
        ];
        let digests: std::collections::BTreeSet<String> = rows
            .iter()
            .map(|row| {
                let mut digest = Sha256::new();
                take(&mut digest, row);
                hex(&digest.finalize())
            })
            .collect();
        assert_eq!(digests.len(), rows.len());
    }
}
