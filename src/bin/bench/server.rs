//! The programs that are measured: started on a free port of loopback, gone when they are dropped. Must never know what
//! is measured.

use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use tokio::net::TcpStream;

/// How long a program may take until it answers.
const START: Duration = Duration::from_secs(30);

/// Limits against abuse, which everything from one address would run into.
const LIMITS: [&str; 4] = [
    "HEADROOM_GUESTS_PER_HOUR",
    "HEADROOM_SIGNUPS_PER_HOUR",
    "HEADROOM_SIGNINS_PER_QUARTER_HOUR",
    "HEADROOM_SIGNINS_PER_ADDRESS",
];

/// A program that serves until it is dropped, which kills it.
pub struct Server {
    child: Child,
    pub addr: SocketAddr,
}

impl Server {
    /// Starts a program and waits until it accepts connections.
    pub async fn start(mut command: Command, addr: SocketAddr) -> anyhow::Result<Self> {
        let child = command.stdout(Stdio::null()).spawn()?;
        let mut server = Self { child, addr };
        let since = Instant::now();
        while since.elapsed() < START {
            if TcpStream::connect(addr).await.is_ok() {
                return Ok(server);
            }
            if let Some(status) = server.child.try_wait()? {
                bail!("it ended before it answered: {status}");
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        bail!("the server at {addr} did not answer")
    }

    /// Headroom on a database. Its warnings come out on standard error.
    pub async fn headroom(program: &Path, database_url: &str) -> anyhow::Result<Self> {
        let addr = free_address()?;
        let mut command = headroom(program, database_url)?;
        command.args(["serve", "--addr", &addr.to_string()]);
        Self::start(command, addr)
            .await
            .with_context(|| format!("{} serves", program.display()))
    }

    /// Resident memory in KB (proc(5), `VmRSS`); none where the system does not say or the program has ended.
    pub fn memory_kb(&self) -> Option<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).ok()?;
        let line = status
            .lines()
            .find_map(|line| line.strip_prefix("VmRSS:"))?;
        line.split_whitespace().next()?.parse().ok()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A command of Headroom on a database, with nothing of this machine's configuration.
pub fn headroom(program: &Path, database_url: &str) -> anyhow::Result<Command> {
    let program = std::fs::canonicalize(program)
        .with_context(|| format!("{} is not there", program.display()))?;
    let mut command = Command::new(program);
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("HEADROOM_") {
            command.env_remove(name);
        }
    }
    command
        .current_dir(std::env::temp_dir())
        .stdin(Stdio::null())
        .env("HEADROOM_LOG", "warn")
        .env("HEADROOM_DATABASE_URL", database_url)
        .envs(LIMITS.map(|name| (name, "1000000")));
    Ok(command)
}

pub fn free_address() -> anyhow::Result<SocketAddr> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?)
}
