//! `headroom restore`: puts a backup in the place of a database.
//!
//! The backup is copied, checked and brought up to date aside; only then is anything touched. With SQLite the new file
//! takes the name of the old one in one step, so that a program that is killed leaves either; with Postgres all is one
//! transaction. Must never lose what was there without being told to, and with SQLite not even then.
//!
//! Whether a server has the SQLite file open is told by its locks: each connection holds a shared one for as long as it
//! is open, and the exclusive one that is taken here is refused beside it. A server on another machine that reaches the
//! file over a network file system without working locks is not seen, nor is one that has closed all its connections.

use std::fmt;
use std::fs::{File, OpenOptions};
use std::io::Read as _;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, anyhow, bail, ensure};
use rustix::fs::{FlockOperation, fcntl_lock};
use sqlx::sqlite::SqliteJournalMode;
use sqlx::{ConnectOptions as _, Connection as _, SqliteConnection};

use crate::domain::attempt::UnixMillis;
use crate::server::clock::Clock;
use crate::server::config::Config;
use crate::server::database::{Conn, StoreError, migrations_for_sqlite};

use super::backup::{check, rows_by_table, write_rows};
use super::copy::{Opening, compare, fill, first_with_rows, prepare, reachable};
use super::partial_file::{PartialFile, folder_of, sync_folder};
use super::place::{
    Place, beside, explain, explained, is_damage, look_at, open_alone, same_file, sqlite,
    sqlite_code,
};
use super::schema::{Schema, State, program_version};
use super::store;

#[derive(clap::Args, Clone, Debug)]
pub struct Args {
    /// Backup to restore, made by `headroom backup` on either engine. Stop every server first.
    #[arg(long, value_name = "FILE")]
    pub from: PathBuf,

    /// Restore although the database holds something. An SQLite file is kept beside under a dated name; what is in
    /// Postgres is deleted.
    #[arg(long)]
    pub force: bool,
}

/// Restores into the database that the configuration names.
pub async fn run(args: Args, config: &Config) -> anyhow::Result<ExitCode> {
    let say = |line: &str| say!("{line}");
    let url = &config.database_url;
    let report = restore(url, &args.from, args.force, &Clock::System, say).await?;
    say!("{report}");
    Ok(ExitCode::SUCCESS)
}

/// What was restored, and where the database before it is.
#[derive(Debug)]
pub struct Report {
    pub place: String,
    pub schema_version: i64,
    /// The backup's version, when it was an older one.
    pub migrated_from: Option<i64>,
    /// Where the file that was there before is now.
    pub kept: Option<PathBuf>,
    /// Rows by table.
    pub tables: Vec<(String, u64)>,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Restored {}, schema version {}",
            self.place, self.schema_version
        )?;
        match self.migrated_from {
            Some(version) => writeln!(f, ", brought up from version {version}.")?,
            None => writeln!(f, ".")?,
        }
        write_rows(f, &self.tables)?;
        match &self.kept {
            Some(kept) => write!(
                f,
                "The database that was there is now {}. Remove it when you no longer need it.",
                kept.display()
            ),
            None => write!(f, "The server can be started."),
        }
    }
}

/// Puts a backup in the place of the database. `say` is told what is about to be lost, before it is.
///
/// # Errors
/// When the backup is damaged, is none, or is newer than this program; when the target holds anything and `force` is not
/// given; when a server has it open. Then what was there is there still.
pub async fn restore(
    database_url: &str,
    from: &Path,
    force: bool,
    clock: &Clock,
    say: impl Fn(&str),
) -> anyhow::Result<Report> {
    let place = Place::of(database_url)?;
    may_be_read(from)?;
    match &place {
        Place::Sqlite(path) => restore_file(path, &place, from, force, clock.now(), say).await,
        Place::Postgres(_) => restore_rows(&place, from, force, say).await,
    }
}

fn may_be_read(from: &Path) -> anyhow::Result<()> {
    look_at(from).map_err(|fault| anyhow!("{}: {fault}", from.display()))?;
    let log = beside(from, "-wal");
    ensure!(
        std::fs::metadata(&log).map_or(0, |found| found.len()) == 0,
        "{} lies beside the file, so this is a database in use and not a backup; make a backup of it first: \
         headroom backup --database-url sqlite:{} --to FILE",
        log.display(),
        from.display()
    );
    let mut head = [0; 16];
    let is_sqlite = File::open(from)
        .with_context(|| format!("{} cannot be read", from.display()))?
        .read_exact(&mut head)
        .is_ok_and(|()| &head == b"SQLite format 3\0");
    ensure!(
        is_sqlite,
        "{} is not a backup: it is not an SQLite file",
        from.display()
    );
    Ok(())
}

/// The backup in a file of our own, checked and at this program's version; and the version that it had.
async fn stage(from: &Path, staged: &PartialFile) -> anyhow::Result<(i64, Vec<(String, u64)>)> {
    copy_bytes(from, staged.path()).with_context(|| {
        format!(
            "{} cannot be copied to {}",
            from.display(),
            folder_of(staged.path()).display()
        )
    })?;
    let what = from.display().to_string();
    let failed = |error: sqlx::Error| anyhow!("{what}: {}", explain(&error));
    let mut copy = open_alone(staged.path()).await.map_err(failed)?;
    check(&mut copy, &what).await?;
    let version = State::of(&mut Conn::Sqlite(&mut copy))
        .await
        .map_err(|error| anyhow!("{what}: {}", explained(error)))?
        .understood(&what)?;
    if version < program_version() {
        migrations_for_sqlite()
            .run(&mut copy)
            .await
            .with_context(|| format!("{what} cannot be brought up to date"))?;
        check(&mut copy, "the backup brought up to date").await?;
    }
    let tables = rows_by_table(&mut copy).await?;
    copy.close().await.map_err(failed)?;
    Ok((version, tables))
}

/// Into a file that is there, and keeps its own mode.
fn copy_bytes(from: &Path, to: &Path) -> std::io::Result<u64> {
    let mut to = OpenOptions::new().write(true).open(to)?;
    std::io::copy(&mut File::open(from)?, &mut to)
}

/// What is under the name of an SQLite database.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Old {
    Absent,
    /// A database without a row.
    Empty,
    /// Rows in this table.
    Rows(String),
    Damaged,
}

async fn restore_file(
    path: &Path,
    place: &Place,
    from: &Path,
    force: bool,
    now: UnixMillis,
    say: impl Fn(&str),
) -> anyhow::Result<Report> {
    ensure!(
        !same_file(path, from),
        "{} is the database itself; name a backup",
        from.display()
    );
    // A link stays a link: what it leads to is replaced.
    let path = &path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let folder = folder_of(path);
    std::fs::create_dir_all(&folder)
        .with_context(|| format!("the folder {} cannot be made", folder.display()))?;
    may_be_replaced(&what_is_at(path, place).await?, path, force)?;
    let staged = PartialFile::beside(path)?;
    let (version, tables) = stage(from, &staged).await?;
    take_over_owner(path, staged.path(), &say)?;

    let mut old = what_is_at(path, place).await?;
    let mut lock = match &old {
        Old::Absent => Lock::Nothing,
        Old::Empty | Old::Rows(_) => lock_sound(path, place).await?,
        Old::Damaged => lock_damaged(path, place)?,
    };
    if let Lock::Sqlite(connection) = &mut lock {
        // A row may have come between looking and locking.
        old = rows_of(&mut Conn::Sqlite(connection))
            .await
            .map_err(explained)?;
    }
    may_be_replaced(&old, path, force)?;
    let kept = match old {
        Old::Absent | Old::Empty => None,
        Old::Rows(_) | Old::Damaged => {
            let kept = keep(path, now)?;
            say(&format!(
                "The database that is there is kept as {}.",
                kept.display()
            ));
            Some(kept)
        }
    };
    if old == Old::Damaged {
        // They belong to the damaged file, which is kept with them; beside the new one they would spoil it.
        for suffix in ["-wal", "-shm", "-journal"] {
            remove_if_there(&beside(path, suffix))?;
        }
        sync_folder(path)?;
    }
    for suffix in ["-wal", "-journal"] {
        let log = beside(path, suffix);
        ensure!(
            !log.exists(),
            "{} lies there and does not belong to the backup; move it away and try again",
            log.display()
        );
    }
    staged.become_file(path)?;
    lock.release().await;
    Ok(Report {
        place: place.to_string(),
        schema_version: program_version(),
        migrated_from: (version < program_version()).then_some(version),
        kept,
        tables,
    })
}

fn may_be_replaced(old: &Old, path: &Path, force: bool) -> anyhow::Result<()> {
    match old {
        _ if force => Ok(()),
        Old::Absent | Old::Empty => Ok(()),
        Old::Rows(table) => bail!(
            "{} holds data: there are rows in the table {table}. With --force it is kept beside under a dated name, and the backup takes its place",
            path.display()
        ),
        Old::Damaged => bail!(
            "{} cannot be read as a database, and may hold data. With --force it is kept beside under a dated name, and the backup takes its place",
            path.display()
        ),
    }
}

async fn what_is_at(path: &Path, place: &Place) -> anyhow::Result<Old> {
    if !path.exists() {
        return Ok(Old::Absent);
    }
    look_at(path).map_err(|fault| anyhow!("{place}: {fault}"))?;
    let found = async {
        let mut connection = sqlite(path).read_only(true).connect().await?;
        let conn = &mut Conn::Sqlite(&mut connection);
        let found = rows_of(conn).await;
        connection.close().await?;
        found
    };
    match found.await {
        Ok(old) => Ok(old),
        Err(StoreError::Database(error)) if is_damage(&error) => Ok(Old::Damaged),
        Err(error) => Err(anyhow!("{place}: {}", explained(error))),
    }
}

async fn rows_of(conn: &mut Conn<'_>) -> Result<Old, StoreError> {
    for table in store::tables(conn).await? {
        if table != store::MIGRATIONS && store::has_rows(conn, &table).await? {
            return Ok(Old::Rows(table));
        }
    }
    Ok(Old::Empty)
}

/// What keeps others from the old file while the new one takes its place.
enum Lock {
    Nothing,
    Sqlite(SqliteConnection),
    File(File),
}

impl Lock {
    async fn release(self) {
        match self {
            Self::Nothing => {}
            Self::File(file) => drop(file),
            Self::Sqlite(connection) => {
                if let Err(error) = connection.close().await {
                    tracing::debug!(%error, "the old file did not close");
                }
            }
        }
    }
}

/// Takes a sound file for ourselves, and moves what is in its log into it: leaving the log needs that nobody else has
/// the file open.
async fn lock_sound(path: &Path, place: &Place) -> anyhow::Result<Lock> {
    let refused = |error: sqlx::Error| match sqlite_code(&error) {
        Some(5 | 6) => in_use(place),
        _ => anyhow!("{place}: {}", explain(&error)),
    };
    let mut connection = sqlite(path)
        .journal_mode(SqliteJournalMode::Delete)
        .busy_timeout(std::time::Duration::from_secs(1))
        .connect()
        .await
        .map_err(refused)?;
    let mode = store::journal_mode(&mut connection)
        .await
        .map_err(explained)?;
    if mode != "delete" {
        return Err(in_use(place));
    }
    match store::begin_exclusive(&mut connection).await {
        Ok(()) => Ok(Lock::Sqlite(connection)),
        Err(StoreError::Database(error)) => Err(refused(error)),
        Err(error) => Err(explained(error)),
    }
}

/// The same for a file that SQLite cannot read, by the lock that conflicts with each of SQLite's.
fn lock_damaged(path: &Path, place: &Place) -> anyhow::Result<Lock> {
    let file = OpenOptions::new()
        .read(true)
        .write(true)
        .open(path)
        .with_context(|| format!("{place} cannot be opened"))?;
    fcntl_lock(&file, FlockOperation::NonBlockingLockExclusive).map_err(|_| in_use(place))?;
    Ok(Lock::File(file))
}

fn in_use(place: &Place) -> anyhow::Error {
    anyhow!("{place} is in use; stop the server and try again. Nothing was changed")
}

/// Gives the old file, and its log, a second, dated name. The first one stays until the new file takes it.
fn keep(path: &Path, now: UnixMillis) -> anyhow::Result<PathBuf> {
    let stamp = jiff::Timestamp::from_millisecond(now).map_or_else(
        |_| now.to_string(),
        |time| time.strftime("%Y%m%d-%H%M%S").to_string(),
    );
    for number in 0..100 {
        let suffix = if number == 0 {
            format!(".before-restore-{stamp}")
        } else {
            format!(".before-restore-{stamp}-{number}")
        };
        let kept = beside(path, &suffix);
        match std::fs::hard_link(path, &kept) {
            Ok(()) => {
                for log in ["-wal", "-journal"] {
                    if beside(path, log).exists() {
                        std::fs::hard_link(beside(path, log), beside(&kept, log))
                            .with_context(|| format!("{} cannot be kept", path.display()))?;
                    }
                }
                sync_folder(path)?;
                return Ok(kept);
            }
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
            Err(error) => bail!(
                "{} cannot be given a second name ({error}); move it away by hand and restore again. Nothing was changed",
                path.display()
            ),
        }
    }
    bail!(
        "there are too many files named {}.before-restore-{stamp}; move them away",
        path.display()
    )
}

fn remove_if_there(path: &Path) -> anyhow::Result<()> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(anyhow!("{} cannot be removed: {error}", path.display()))
        }
        _ => Ok(()),
    }
}

/// Gives the new file the owner and the mode of the old one, or the owner of the folder: the server has to read it, and
/// may run as somebody else than the operator.
fn take_over_owner(old: &Path, new: &Path, say: &impl Fn(&str)) -> anyhow::Result<()> {
    let failed = || format!("{} cannot be looked at", new.display());
    let ours = std::fs::metadata(new).with_context(failed)?;
    let wanted = match std::fs::metadata(old) {
        Ok(old) => {
            std::fs::set_permissions(new, std::fs::Permissions::from_mode(old.mode() & 0o777))
                .with_context(failed)?;
            old
        }
        Err(_) => std::fs::metadata(folder_of(old)).with_context(failed)?,
    };
    if (ours.uid(), ours.gid()) != (wanted.uid(), wanted.gid())
        && std::os::unix::fs::chown(new, Some(wanted.uid()), Some(wanted.gid())).is_err()
        && ours.uid() != wanted.uid()
    {
        say(&format!(
            "The restored file belongs to user {} and not to user {} as before; see that the server may read and write it.",
            ours.uid(),
            wanted.uid()
        ));
    }
    Ok(())
}

async fn restore_rows(
    place: &Place,
    from: &Path,
    force: bool,
    say: impl Fn(&str),
) -> anyhow::Result<Report> {
    let staged = PartialFile::within(&std::env::temp_dir(), "headroom-restore")?;
    let (version, tables) = stage(from, &staged).await?;
    let schema = Schema::at(program_version()).await?;
    let mut target = reachable(place, Opening::Write).await?;
    prepare(&mut target, place).await?;
    let mut source = open_alone(staged.path())
        .await
        .map_err(|error| anyhow!("{}", explain(&error)))?;
    {
        let (source, target) = (&mut Conn::Sqlite(&mut source), &mut target.conn());
        store::begin_snapshot(source).await.map_err(explained)?;
        store::begin_filling(target).await.map_err(explained)?;
        if let Some(table) = first_with_rows(target, &schema).await? {
            ensure!(
                force,
                "{place} holds data: there are rows in the table {table}. With --force everything in it is deleted first"
            );
            say(&format!("Everything in {place} is deleted first:"));
            for table in schema.tables.iter().rev() {
                let rows = store::count(target, &table.name).await.map_err(explained)?;
                say(&format!("  {:<16} {rows:>9} rows", table.name));
                store::delete_rows(target, table).await.map_err(explained)?;
            }
        }
        fill(source, target, &schema).await?;
        compare(source, target, &schema).await?;
        store::commit(target).await.map_err(explained)?;
    }
    target.close().await;
    source
        .close()
        .await
        .map_err(|error| anyhow!("{}", explain(&error)))?;
    Ok(Report {
        place: place.to_string(),
        schema_version: program_version(),
        migrated_from: (version < program_version()).then_some(version),
        kept: None,
        tables,
    })
}
