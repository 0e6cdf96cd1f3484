//! A throwaway PostgreSQL server for the tests and the measurements: in a temporary folder, on a free
//! loopback port, gone when it is dropped.

use std::env;
use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::{DirBuilderExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use nix::sys::signal::Signal;
use nix::unistd::{User, geteuid};

use crate::process::{self, GRACE, Running};
use crate::setup::Apt;
use crate::steps::step;

/// Whether the server waits for the disk: a measurement must, a test need not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Durability {
    Full,
    None,
}

/// The folder of PostgreSQL's programs, newest version first; Debian's package when there is none.
pub fn set_up(apt: &mut Apt) -> Result<PathBuf> {
    if let Some(folder) = newest() {
        return Ok(folder);
    }
    apt.install(&["postgresql"])?;
    newest()
        .context("Debian's postgresql is installed and has no programs under /usr/lib/postgresql")
}

fn newest() -> Option<PathBuf> {
    let complete = |folder: &Path| {
        process::is_executable(&folder.join("initdb"))
            && process::is_executable(&folder.join("postgres"))
    };
    let versions = fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten();
    let debian = versions
        .filter_map(|entry| {
            Some((
                entry.file_name().to_str()?.parse::<u32>().ok()?,
                entry.path().join("bin"),
            ))
        })
        .filter(|(_, folder)| complete(folder))
        .max();
    match debian {
        Some((_, folder)) => Some(folder),
        None => process::which("initdb")?
            .parent()
            .map(Path::to_path_buf)
            .filter(|folder| complete(folder)),
    }
}

/// A running server. Dropping it stops it and removes its files.
pub struct Cluster {
    server: Option<Running>,
    folder: PathBuf,
    port: u16,
}

impl Cluster {
    /// Makes an empty cluster and starts its server; ready for connections on return.
    pub fn start(programs: &Path, durability: Durability, logs: &Path) -> Result<Self> {
        let mut cluster = Self {
            server: None,
            folder: env::temp_dir().join(format!("headroom-postgres-{}", std::process::id())),
            port: free_port()?,
        };
        step(
            "PostgreSQL",
            &format!("a throwaway server on 127.0.0.1:{}", cluster.port),
            || cluster.launch(programs, durability, logs),
        )?;
        Ok(cluster)
    }

    /// Where to connect, as the superuser, to a database that always exists.
    pub fn url(&self) -> String {
        format!("postgres://postgres@127.0.0.1:{}/postgres", self.port)
    }

    fn launch(&mut self, programs: &Path, durability: Durability, logs: &Path) -> Result<()> {
        fs::DirBuilder::new()
            .mode(0o700)
            .create(&self.folder)
            .with_context(|| format!("cannot make {}", self.folder.display()))?;
        // The server refuses to run as root.
        let user = if geteuid().is_root() {
            let user = User::from_name("postgres").ok().flatten();
            let user =
                user.context("PostgreSQL does not run as root, and there is no user `postgres`")?;
            chown(
                &self.folder,
                Some(user.uid.as_raw()),
                Some(user.gid.as_raw()),
            )
            .with_context(|| format!("cannot give {} to postgres", self.folder.display()))?;
            Some(user)
        } else {
            None
        };
        let program = |name: &str| {
            let mut command = Command::new(programs.join(name));
            command.current_dir(&self.folder);
            if let Some(user) = &user {
                command.uid(user.uid.as_raw()).gid(user.gid.as_raw());
            }
            command
        };
        let data = self.folder.join("data");

        let mut initdb = program("initdb");
        initdb.args([
            "--username=postgres",
            "--auth=trust",
            "--encoding=UTF8",
            "--locale=C",
            "--no-sync",
            "-D",
        ]);
        process::quiet(initdb.arg(&data), &logs.join("initdb.log"), None)?;

        let log = logs.join("postgres.log");
        let file =
            fs::File::create(&log).with_context(|| format!("cannot write {}", log.display()))?;
        let twin = file.try_clone().context("cannot share the log file")?;
        let mut server = program("postgres");
        server
            .arg("-D")
            .arg(&data)
            .arg("-p")
            .arg(self.port.to_string());
        let settings: &[&str] = match durability {
            Durability::Full => &["max_connections=200"],
            Durability::None => &[
                "max_connections=200",
                "fsync=off",
                "synchronous_commit=off",
                "full_page_writes=off",
            ],
        };
        for setting in ["listen_addresses=127.0.0.1", "unix_socket_directories="]
            .iter()
            .chain(settings)
        {
            server.args(["-c", setting]);
        }
        // SIGINT is its fast shutdown; SIGTERM would wait for clients to leave.
        let running = self.server.insert(Running::start(
            server.stdout(file).stderr(twin),
            Signal::SIGINT,
        )?);

        let start = Instant::now();
        loop {
            process::check_interrupt()?;
            if let Some(status) = running.poll()? {
                bail!("the server ended at once ({status}): see {}", log.display());
            }
            let port = self.port.to_string();
            if process::succeeds(program("pg_isready").args(["-q", "-h", "127.0.0.1", "-p", &port]))
            {
                return Ok(());
            }
            if start.elapsed() > Duration::from_secs(30) {
                bail!("the server does not answer: see {}", log.display());
            }
            thread::sleep(Duration::from_millis(50));
        }
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        if let Some(server) = &mut self.server {
            server.stop(GRACE);
        }
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// A loopback port that nobody listens on right now.
fn free_port() -> Result<u16> {
    let listener = TcpListener::bind("127.0.0.1:0").context("no free loopback port")?;
    Ok(listener
        .local_addr()
        .context("no free loopback port")?
        .port())
}
