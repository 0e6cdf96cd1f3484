//! Child processes: each runs in a process group of its own, is waited for with a progress line, and is
//! stopped when we are told to stop, so that nothing of ours outlives us.
//!
//! Knows nothing of what the processes are for.

use std::collections::BTreeSet;
use std::env;
use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::IsTerminal;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio, exit};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use nix::errno::Errno;
use nix::sys::signal::{Signal, kill, killpg};
use nix::unistd::Pid;

/// How long a process may take to end after a polite signal: two seconds more than the server's own deadline.
pub const GRACE: Duration = Duration::from_secs(12);

/// How often a step that takes long says that it is still running.
const PROGRESS: Duration = Duration::from_secs(20);

const POLL: Duration = Duration::from_millis(20);

static INTERRUPTED: AtomicBool = AtomicBool::new(false);
static RUNNING: Mutex<Vec<Group>> = Mutex::new(Vec::new());

/// A process group that we started, and the signal that it ends well on.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Group {
    id: Pid,
    polite: Signal,
}

fn running() -> MutexGuard<'static, Vec<Group>> {
    RUNNING.lock().unwrap_or_else(PoisonError::into_inner)
}

/// From now on Ctrl-C, SIGTERM and SIGHUP end our children politely, then firmly after [`GRACE`]; a second
/// signal ends everything at once.
pub fn catch_interrupts() -> Result<()> {
    ctrlc::set_handler(|| {
        if INTERRUPTED.swap(true, Ordering::SeqCst) {
            for group in running().iter() {
                signal_group(group.id, Signal::SIGKILL);
            }
            sweep();
            #[expect(
                clippy::disallowed_methods,
                reason = "a second Ctrl-C ends everything at once"
            )]
            exit(130);
        }
        eprintln!("\n==> stopping …");
        for group in running().iter() {
            signal_group(group.id, group.polite);
        }
        thread::spawn(|| {
            thread::sleep(GRACE);
            for group in running().iter() {
                signal_group(group.id, Signal::SIGKILL);
            }
        });
    })
    .context("cannot catch signals")
}

/// Whether a signal has asked us to stop.
pub fn interrupted() -> bool {
    INTERRUPTED.load(Ordering::SeqCst)
}

/// An error once a signal has asked us to stop: put it between steps.
pub fn check_interrupt() -> Result<()> {
    if interrupted() {
        bail!("interrupted");
    }
    Ok(())
}

fn signal_group(id: Pid, signal: Signal) {
    // A group that has just ended is what we want.
    let _ = killpg(id, signal);
}

/// A child in its own process group. Dropping it stops it.
pub struct Running {
    child: Child,
    group: Group,
    ended: bool,
}

impl Running {
    /// Starts `command` with no standard input; `polite` is the signal that it ends well on.
    pub fn start(command: &mut Command, polite: Signal) -> Result<Self> {
        check_interrupt()?;
        // The lock is held while starting, so that a signal cannot fall between the start and the entry.
        let mut groups = running();
        let child = command
            .stdin(Stdio::null())
            .process_group(0)
            .spawn()
            .with_context(|| format!("cannot start {}", command.get_program().display()))?;
        let group = Group {
            id: Pid::from_raw(child.id() as i32),
            polite,
        };
        groups.push(group);
        Ok(Self {
            child,
            group,
            ended: false,
        })
    }

    /// The exit status if the process has ended.
    pub fn poll(&mut self) -> Result<Option<ExitStatus>> {
        let status = self.child.try_wait().context("cannot wait for a child")?;
        if status.is_some() && !self.ended {
            self.ended = true;
            running().retain(|group| *group != self.group);
            if interrupted() {
                // The leader is gone; what it left behind goes too.
                signal_group(self.group.id, Signal::SIGKILL);
            }
        }
        Ok(status)
    }

    /// Waits for the end, at most `limit`; `None` when the time is up. Says every 20 s that it is still
    /// waiting, if `progress`.
    pub fn wait(&mut self, limit: Option<Duration>, progress: bool) -> Result<Option<ExitStatus>> {
        let start = Instant::now();
        let mut next = PROGRESS;
        loop {
            if let Some(status) = self.poll()? {
                return Ok(Some(status));
            }
            let elapsed = start.elapsed();
            if limit.is_some_and(|limit| elapsed >= limit) {
                return Ok(None);
            }
            if progress && elapsed >= next {
                println!("    still running, {} s", elapsed.as_secs());
                next += PROGRESS;
            }
            thread::sleep(POLL);
        }
    }

    /// Ends the process: politely, and by SIGKILL when it has not ended after `grace`.
    pub fn stop(&mut self, grace: Duration) {
        if self.ended {
            return;
        }
        signal_group(self.group.id, self.group.polite);
        if !matches!(self.wait(Some(grace), false), Ok(Some(_))) {
            signal_group(self.group.id, Signal::SIGKILL);
            let _ = self.wait(Some(grace), false);
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stop(GRACE);
    }
}

/// Runs a command whose output the person should see as it comes; an error unless it exits with 0.
pub fn stream(command: &mut Command) -> Result<()> {
    stream_until(command, Signal::SIGTERM)
}

/// [`stream`] for a command that ends well on another signal than SIGTERM.
pub fn stream_until(command: &mut Command, polite: Signal) -> Result<()> {
    let mut running = Running::start(command, polite)?;
    // On a terminal the command shows its own progress.
    let progress = !std::io::stdout().is_terminal();
    let status = running.wait(None, progress)?;
    finished(command, status)
}

/// Runs a command whose output matters only when it fails: it goes to `log`, and its end is then part of
/// the error.
pub fn quiet(command: &mut Command, log: &Path, limit: Option<Duration>) -> Result<()> {
    if let Some(folder) = log.parent() {
        fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    }
    let file = File::create(log).with_context(|| format!("cannot write {}", log.display()))?;
    let twin = file.try_clone().context("cannot share the log file")?;
    let mut running = Running::start(command.stdout(file).stderr(twin), Signal::SIGTERM)?;
    let status = running.wait(limit, true)?;
    if status.is_none() {
        running.stop(Duration::from_secs(3));
    }
    finished(command, status).with_context(|| last_lines(log, 30))
}

fn finished(command: &Command, status: Option<ExitStatus>) -> Result<()> {
    check_interrupt()?;
    match status {
        Some(status) if status.success() => Ok(()),
        Some(status) => bail!("`{}`: {status}", show(command)),
        None => bail!("`{}`: took too long and was stopped", show(command)),
    }
}

/// What a short command prints on standard output; an error unless it exits with 0.
pub fn output(command: &mut Command) -> Result<String> {
    let output = command
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("cannot start {}", command.get_program().display()))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        bail!("`{}`: {}: {}", show(command), output.status, said.trim());
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Whether a short command exits with 0; its output is thrown away.
pub fn succeeds(command: &mut Command) -> bool {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

/// A command as a person would type it.
pub fn show(command: &Command) -> String {
    let mut line = command.get_program().to_string_lossy().into_owned();
    for argument in command.get_args() {
        let _ = write!(line, " {}", argument.to_string_lossy());
    }
    line
}

fn last_lines(log: &Path, count: usize) -> String {
    let text = fs::read(log).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let lines: Vec<&str> = text.lines().collect();
    let tail = lines[lines.len().saturating_sub(count)..].join("\n");
    format!("the whole output is in {}; its end:\n{tail}", log.display())
}

/// The program of that name on the `PATH`.
pub fn which(program: &str) -> Option<PathBuf> {
    env::split_paths(&env::var_os("PATH")?)
        .map(|folder| folder.join(program))
        .find(|path| is_executable(path))
}

/// Whether `path` is a file with an execute bit.
pub fn is_executable(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0)
}

/// From now on a process whose parent dies becomes our child, so that [`sweep`] finds it. Not before the
/// set-up: a service that a package starts belongs to the machine, not to us.
pub fn adopt_orphans() {
    #[cfg(target_os = "linux")]
    {
        // Without it a browser that outlives a killed test runner stays; nothing worse.
        let _ = nix::sys::prctl::set_child_subreaper(true);
    }
}

/// Kills every descendant that is still alive: call it last.
pub fn sweep() {
    for _ in 0..20 {
        let left = descendants(std::process::id() as i32);
        if left.is_empty() {
            return;
        }
        for pid in left {
            let pid = Pid::from_raw(pid);
            if kill(pid, Signal::SIGKILL) != Err(Errno::ESRCH) {
                // Collects it when it is our own child by now; otherwise its parent is killed in this round.
                let _ = nix::sys::wait::waitpid(pid, Some(nix::sys::wait::WaitPidFlag::WNOHANG));
            }
        }
        thread::sleep(POLL);
    }
}

/// The processes below `root`, as `/proc` shows them; zombies are counted too. Empty where there is no `/proc`.
fn descendants(root: i32) -> BTreeSet<i32> {
    let Ok(entries) = fs::read_dir("/proc") else {
        return BTreeSet::new();
    };
    let parents: Vec<(i32, i32)> = entries
        .flatten()
        .filter_map(|entry| {
            let pid = entry.file_name().to_str()?.parse().ok()?;
            let stat = fs::read_to_string(entry.path().join("stat")).ok()?;
            Some((pid, parent_of(&stat)?))
        })
        .collect();
    let mut found = BTreeSet::new();
    let mut frontier = vec![root];
    while let Some(parent) = frontier.pop() {
        for &(pid, _) in parents.iter().filter(|(_, of)| *of == parent) {
            if found.insert(pid) {
                frontier.push(pid);
            }
        }
    }
    found
}

/// The parent's id in a line of `/proc/PID/stat` (proc(5)): the second field after the name, which stands in
/// parentheses and may itself hold spaces and parentheses.
fn parent_of(stat: &str) -> Option<i32> {
    let (_, rest) = stat.rsplit_once(')')?;
    rest.split_whitespace().nth(1)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parent_is_found_whatever_the_name() {
        assert_eq!(parent_of("12 (cat) S 7 12 12 0"), Some(7));
        assert_eq!(parent_of("12 (a) b) (c) R 41 12"), Some(41));
        assert_eq!(parent_of("12 (cat"), None);
    }

    #[test]
    fn a_quiet_failure_shows_what_the_command_said() {
        let log = env::temp_dir().join(format!("headroom-quiet-{}.log", std::process::id()));
        let result = quiet(
            Command::new("sh").args(["-c", "echo out; echo bad >&2; exit 3"]),
            &log,
            None,
        );
        let message = format!("{:#}", result.expect_err("it exits with 3"));
        let _ = fs::remove_file(&log);
        assert!(message.contains("out\nbad"), "{message}");
        assert!(message.contains("exit status: 3"), "{message}");
    }

    #[test]
    fn a_command_over_its_limit_is_stopped() {
        let log = env::temp_dir().join(format!("headroom-limit-{}.log", std::process::id()));
        let result = quiet(
            Command::new("sleep").arg("60"),
            &log,
            Some(Duration::from_millis(50)),
        );
        let message = format!("{:#}", result.expect_err("it sleeps for a minute"));
        let _ = fs::remove_file(&log);
        assert!(message.contains("took too long"), "{message}");
    }
}
