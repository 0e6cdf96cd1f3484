//! `headroom export` and `headroom import`: the archive of an account, written to a file and read back.
//!
//! Must never write half a file or over another one unasked, nor import half an archive.

use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;

use crate::accounts::store::administration::by_email;
use crate::accounts::store::archive::{bring_in, collect};
use crate::accounts::store::audit::{Action, COMMAND_LINE, Entry, add};
use crate::accounts::store::{AccountPermit, AdminPermit};
use crate::domain::archive::{self, Fault};
use crate::domain::attempt::UnixMillis;
use crate::error::AppError;
use crate::practice::store::archive::ImportReport;
use crate::server::clock::Clock;
use crate::server::config::Config;
use crate::server::content_library::{Library, Origin};
use crate::server::database::Db;
use crate::server::database::{Conn, StoreError};
use crate::server::zip_archive::{account_zip, read_archive, titles};
use crate::transact;

use super::migrate::open_migrated;

/// The largest file, and the largest `headroom.json` in it, that the command line takes, in bytes.
const MOST_BYTES: usize = 2 * 1024 * 1024 * 1024;

#[derive(clap::Args, Clone, Debug)]
pub struct ExportArgs {
    /// Address of the account.
    #[arg(long)]
    pub email: String,

    /// Zip file to write.
    #[arg(long, value_name = "FILE")]
    pub to: PathBuf,

    /// Replace the file when it is there already.
    #[arg(long)]
    pub force: bool,
}

#[derive(clap::Args, Clone, Debug)]
pub struct ImportArgs {
    /// Zip file of an export, or the headroom.json from one.
    pub file: PathBuf,

    /// Address of the account that the attempts are put into.
    #[arg(long)]
    pub email: String,
}

/// What an export wrote.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exported {
    pub file: PathBuf,
    /// Exercises among them.
    pub attempts: usize,
    pub bytes: u64,
}

impl fmt::Display for Exported {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            file,
            attempts,
            bytes,
        } = self;
        write!(
            formatter,
            "{attempts} attempts exported to {}, {bytes} bytes",
            file.display()
        )
    }
}

/// What an import came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Imported {
    pub report: ImportReport,
    /// What was left out of the archive.
    pub warnings: Vec<Fault>,
}

impl fmt::Display for Imported {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for warning in &self.warnings {
            writeln!(formatter, "warning: {warning}")?;
        }
        write!(
            formatter,
            "{} attempts imported, {} were there already and are as they were",
            self.report.imported, self.report.already_there
        )
    }
}

/// `headroom export`
pub async fn run_export(args: ExportArgs, config: &Config) -> anyhow::Result<ExitCode> {
    let origin = config
        .content
        .clone()
        .map_or(Origin::Program, Origin::Directory);
    let library = Library::read(&origin).context("the content directory cannot be read")?;
    let db = open_migrated(config).await?;
    let done = export(&db, &library, &args, Clock::System.now()).await;
    db.close().await;
    say!("{}", done?);
    Ok(ExitCode::SUCCESS)
}

/// `headroom import`
pub async fn run_import(args: ImportArgs, config: &Config) -> anyhow::Result<ExitCode> {
    let db = open_migrated(config).await?;
    let done = import(&db, &args, Clock::System.now()).await;
    db.close().await;
    say!("{}", done?);
    Ok(ExitCode::SUCCESS)
}

/// Writes everything that is kept of an account into a new zip file, which only this user can read.
pub async fn export(
    db: &Db,
    library: &Library,
    args: &ExportArgs,
    now: UnixMillis,
) -> anyhow::Result<Exported> {
    // Said before the work is done; what counts is said when the file gets its name.
    refuse_existing(args)?;
    let mut snapshot = db.snapshot().await?;
    let conn = &mut snapshot.conn();
    let permit = find(conn, &args.email).await?;
    let archive = collect(conn, &permit, now).await?;
    drop(snapshot);
    transact!(db, |conn| note(conn, &permit, Action::Exported, now).await)?;
    let zip = account_zip(&archive, &titles(library)).context("the archive cannot be packed")?;
    write_whole(args, &zip).with_context(|| {
        format!(
            "{} cannot be written; choose another place with --to",
            args.to.display()
        )
    })?;
    Ok(Exported {
        file: args.to.clone(),
        attempts: archive.attempts.len() + archive.exercises.len(),
        bytes: zip.len() as u64,
    })
}

/// Puts the attempts of an archive into an account: all of them, or none when anything is wrong.
pub async fn import(db: &Db, args: &ImportArgs, now: UnixMillis) -> anyhow::Result<Imported> {
    let bytes = read_whole(&args.file)?;
    let text = read_archive(&bytes, MOST_BYTES)?;
    drop(bytes);
    let (archive, faults) = archive::parse(&text, MOST_BYTES);
    drop(text);
    let Some(archive) = archive else {
        let list: String = faults.iter().map(|fault| format!("\n  {fault}")).collect();
        anyhow::bail!(
            "{} cannot be imported, and nothing was:{list}",
            args.file.display()
        );
    };
    let report = transact!(db, |conn| {
        let permit = find(conn, &args.email).await?;
        note(conn, &permit, Action::Imported, now).await?;
        bring_in(conn, &permit, &archive, now).await
    })?;
    Ok(Imported {
        report,
        warnings: faults,
    })
}

/// Leave for the account of an address.
async fn find(conn: &mut Conn<'_>, email: &str) -> Result<AccountPermit, StoreError> {
    let permit = AdminPermit::of_the_command_line();
    by_email(conn, &permit, email).await?.ok_or_else(|| {
        let message = format!(
            "there is no account with the address {}; check its spelling",
            email.escape_debug()
        );
        AppError::invalid("email", message).into()
    })
}

async fn note(
    conn: &mut Conn<'_>,
    permit: &AccountPermit,
    action: Action,
    now: UnixMillis,
) -> Result<(), StoreError> {
    let entry = Entry {
        actor: None,
        action,
        subject: Some(&permit.account().id),
        detail: "",
        address: COMMAND_LINE,
    };
    add(conn, &entry, now).await
}

fn refuse_existing(args: &ExportArgs) -> anyhow::Result<()> {
    anyhow::ensure!(
        args.force || !args.to.exists(),
        "{} is there already; choose another file, or replace it with --force",
        args.to.display()
    );
    Ok(())
}

/// Writes beside the target and renames, so that there is never half a file under its name.
fn write_whole(args: &ExportArgs, bytes: &[u8]) -> anyhow::Result<()> {
    let name = args.to.file_name().context("this names no file")?;
    let folder = match args.to.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let mut unfinished = name.to_owned();
    unfinished.push(".unfinished");
    let unfinished = folder.join(unfinished);
    // Another export to the same place that was killed may have left one.
    match fs::remove_file(&unfinished) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error.into()),
        _ => {}
    }
    let written = fill_new(&unfinished, bytes).and_then(|()| {
        refuse_existing(args)?;
        Ok(fs::rename(&unfinished, &args.to)?)
    });
    if let Err(error) = written {
        // What matters is why it was not written.
        let _ = fs::remove_file(&unfinished);
        return Err(error);
    }
    // The name is on the disk when the folder is.
    File::open(folder)?.sync_all()?;
    Ok(())
}

fn fill_new(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    Ok(())
}

fn read_whole(path: &Path) -> anyhow::Result<Vec<u8>> {
    let cannot = || {
        format!(
            "{} cannot be read; check its name and its permissions",
            path.display()
        )
    };
    let mut bytes = Vec::new();
    let file = File::open(path).with_context(cannot)?;
    file.take(MOST_BYTES as u64 + 1)
        .read_to_end(&mut bytes)
        .with_context(cannot)?;
    anyhow::ensure!(
        bytes.len() <= MOST_BYTES,
        "{} has more than {} MB, which no archive of one account has; check its name",
        path.display(),
        MOST_BYTES / (1024 * 1024)
    );
    Ok(bytes)
}
