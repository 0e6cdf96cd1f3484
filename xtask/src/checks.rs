//! `cargo xtask test`: every check, one after the other (there are two cores and one cargo lock), all of
//! them even when one fails, and a table at the end.

use std::env;
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use nix::sys::signal::Signal;

use crate::postgres::{self, Cluster, Durability};
use crate::process;
use crate::project::{Profile, Project};
use crate::server::{self, Tools};
use crate::setup::{self, Apt, Node};
use crate::steps::{Timing, step};
use crate::wasm::{self, Toolchain};

/// A check, in the order in which they run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, clap::ValueEnum)]
pub enum Check {
    /// `cargo fmt --check` on everything
    Rustfmt,
    /// clippy on the pure domain (no features)
    ClippyDomain,
    /// clippy on the server
    ClippySsr,
    /// clippy on the islands, for wasm32
    ClippyHydrate,
    /// clippy on xtask
    ClippyXtask,
    /// The domain's tests
    DomainTests,
    /// The tests of xtask
    XtaskTests,
    /// Builds the site and the server that the checks after it run
    Build,
    /// The server's tests, on SQLite and PostgreSQL, and two nodes behind HAProxy
    ServerTests,
    /// `headroom content check` on what we publish
    #[value(name = "content-check")]
    Content,
    /// cargo-deny: bans, licences, sources
    CargoDeny,
    /// The journeys in Chromium
    Browser,
}

impl Check {
    const ALL: [Self; 12] = [
        Self::Rustfmt,
        Self::ClippyDomain,
        Self::ClippySsr,
        Self::ClippyHydrate,
        Self::ClippyXtask,
        Self::DomainTests,
        Self::XtaskTests,
        Self::Build,
        Self::ServerTests,
        Self::Content,
        Self::CargoDeny,
        Self::Browser,
    ];

    fn name(self) -> &'static str {
        match self {
            Self::Rustfmt => "rustfmt",
            Self::ClippyDomain => "clippy domain",
            Self::ClippySsr => "clippy ssr",
            Self::ClippyHydrate => "clippy hydrate",
            Self::ClippyXtask => "clippy xtask",
            Self::DomainTests => "domain tests",
            Self::XtaskTests => "xtask tests",
            Self::Build => "build",
            Self::ServerTests => "server tests",
            Self::Content => "content check",
            Self::CargoDeny => "cargo deny",
            Self::Browser => "browser",
        }
    }

    /// What it runs, in short.
    fn detail(self) -> &'static str {
        match self {
            Self::Rustfmt => "cargo fmt --all --check",
            Self::ClippyDomain => "cargo clippy, no features",
            Self::ClippySsr => "cargo clippy --features ssr",
            Self::ClippyHydrate => "cargo clippy --features hydrate, for wasm32",
            Self::ClippyXtask => "cargo clippy -p xtask",
            Self::DomainTests => "cargo test, no features",
            Self::XtaskTests => "cargo test -p xtask",
            Self::Build => "islands, site, server",
            Self::ServerTests => "cargo test --features ssr",
            Self::Content => "headroom content check content",
            Self::CargoDeny => "cargo deny check bans licenses sources",
            Self::Browser => "playwright test",
        }
    }

    /// Whether it runs tests with names, which a filter can choose from.
    fn has_tests(self) -> bool {
        matches!(
            self,
            Self::DomainTests | Self::XtaskTests | Self::ServerTests | Self::Browser
        )
    }

    /// Whether it runs the built server.
    fn needs_build(self) -> bool {
        matches!(self, Self::ServerTests | Self::Content | Self::Browser)
    }
}

/// Which checks to run.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct Choice {
    /// Run only the tests whose names contain one of these, and no other check
    #[arg(value_name = "FILTER")]
    pub filters: Vec<String>,
    /// Run only these checks (and the build that they need)
    #[arg(long, value_name = "STEP", value_delimiter = ',')]
    pub only: Vec<Check>,
    /// Leave the browser journeys out
    #[arg(long)]
    pub no_browser: bool,
}

impl Choice {
    fn is_everything(&self) -> bool {
        self.filters.is_empty() && self.only.is_empty() && !self.no_browser
    }

    /// The checks to run, in order.
    fn checks(&self) -> Vec<Check> {
        let mut chosen: Vec<Check> = Check::ALL
            .into_iter()
            .filter(|check| self.only.is_empty() || self.only.contains(check))
            .filter(|check| self.filters.is_empty() || check.has_tests())
            .filter(|check| !(self.no_browser && *check == Check::Browser))
            .collect();
        if chosen.iter().any(|check| check.needs_build()) && !chosen.contains(&Check::Build) {
            chosen.push(Check::Build);
            chosen.sort();
        }
        chosen
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Outcome {
    Passed,
    Failed,
    Skipped(String),
}

/// What the checks need beyond cargo. A part that could not be set up keeps the reason.
struct Bench<'a> {
    project: &'a Project,
    filters: &'a [String],
    toolchain: Result<Toolchain, String>,
    node: Result<Node, String>,
    chromium: Result<PathBuf, String>,
    postgres: Result<Cluster, String>,
    balancer: Result<PathBuf, String>,
    binary: Option<PathBuf>,
}

/// Set-up that was not needed by any chosen check.
fn not_needed<T>() -> Result<T, String> {
    Err("not set up".to_owned())
}

fn in_ci() -> bool {
    env::var("CI").is_ok_and(|value| value == "true" || value == "1")
}

/// Runs the chosen checks; whether all of them passed.
pub fn test(project: &Project, choice: &Choice) -> Result<bool> {
    let timing = Timing::start("test", project);
    let checks = choice.checks();
    let mut bench = set_up(project, choice, &checks)?;

    let mut rows = Vec::new();
    for &check in &checks {
        let start = Instant::now();
        let result = step(check.name(), check.detail(), || {
            let outcome = bench.run(check)?;
            if let Outcome::Skipped(reason) = &outcome {
                println!("    SKIPPED: {reason}");
            }
            Ok(outcome)
        });
        if process::interrupted() {
            bail!("interrupted");
        }
        let outcome = result.unwrap_or_else(|fault| {
            eprintln!("error: {fault:#}");
            Outcome::Failed
        });
        rows.push((check, outcome, start.elapsed()));
    }

    println!("\n{}", table(&rows));
    if checks.contains(&Check::ServerTests)
        && let Err(reason) = &bench.postgres
    {
        println!("\nNOTHING WAS TESTED ON POSTGRESQL: {reason}");
    }
    if checks.contains(&Check::ServerTests)
        && let Err(reason) = &bench.balancer
    {
        println!("\nNOTHING WAS TESTED BEHIND A LOAD BALANCER: {reason}");
    }
    if choice.is_everything() {
        timing.write_down()?;
    }
    println!("\nafter {:.1} s", timing.elapsed().as_secs_f64());
    let failed = rows
        .iter()
        .filter(|(_, outcome, _)| *outcome == Outcome::Failed)
        .count();
    let passed = rows
        .iter()
        .filter(|(_, outcome, _)| *outcome == Outcome::Passed)
        .count();
    println!("{passed} passed, {failed} failed");
    Ok(failed == 0)
}

/// Sets up what the chosen checks need, all before the first, so that a person learns at once what is missing.
fn set_up<'a>(project: &'a Project, choice: &'a Choice, checks: &[Check]) -> Result<Bench<'a>> {
    let mut apt = Apt::new(project);
    let needs = |wanted: &[Check]| checks.iter().any(|check| wanted.contains(check));
    let told = |fault: anyhow::Error| {
        let reason = format!("{fault:#}");
        println!("!!! {reason}");
        reason
    };

    if needs(&[
        Check::Rustfmt,
        Check::ClippyDomain,
        Check::ClippySsr,
        Check::ClippyHydrate,
        Check::ClippyXtask,
    ]) {
        // Without them their checks fail and say so.
        let _ = setup::rust_components().map_err(told);
    }
    let toolchain = if needs(&[Check::ClippyHydrate, Check::Build]) {
        Toolchain::set_up(project, &mut apt).map_err(told)
    } else {
        not_needed()
    };
    if let (Ok(toolchain), true) = (&toolchain, needs(&[Check::ClippyHydrate])) {
        let _ = toolchain.set_up_clippy(&mut apt).map_err(told);
    }
    let (node, chromium) = if needs(&[Check::Browser]) {
        (
            Node::set_up(project, &mut apt).map_err(told),
            setup::chromium(&mut apt).map_err(told),
        )
    } else {
        (not_needed(), not_needed())
    };
    let (programs, balancer) = if needs(&[Check::ServerTests]) {
        (
            postgres::set_up(&mut apt).map_err(told),
            setup::balancer(&mut apt).map_err(told),
        )
    } else {
        (not_needed(), not_needed())
    };
    process::check_interrupt()?;
    process::adopt_orphans();
    let postgres = programs.and_then(|programs| {
        Cluster::start(&programs, Durability::None, &project.scratch().join("log")).map_err(told)
    });
    process::check_interrupt()?;
    Ok(Bench {
        project,
        filters: &choice.filters,
        toolchain,
        node,
        chromium,
        postgres,
        balancer,
        binary: None,
    })
}

impl Bench<'_> {
    fn run(&mut self, check: Check) -> Result<Outcome> {
        match check {
            Check::Rustfmt => self.cargo(&["fmt", "--all", "--check"])?,
            Check::ClippyDomain => {
                self.clippy(&["-p", "headroom", "--no-default-features", "--all-targets"])?;
            }
            Check::ClippySsr => {
                self.clippy(&[
                    "-p",
                    "headroom",
                    "--no-default-features",
                    "--features",
                    "ssr",
                    "--all-targets",
                ])?;
            }
            Check::ClippyHydrate => {
                let mut clippy = or_fail(&self.toolchain)?.clippy(self.project);
                process::stream(clippy.args(["--", "-D", "warnings"]))?;
            }
            Check::ClippyXtask => self.clippy(&["-p", "xtask", "--all-targets"])?,
            Check::DomainTests => self.cargo_test(&["-p", "headroom", "--no-default-features"])?,
            Check::XtaskTests => self.cargo_test(&["-p", "xtask"])?,
            Check::Build => self.build()?,
            Check::ServerTests => return self.server_tests(),
            Check::Content => {
                let mut command = Command::new(self.built()?);
                process::stream(
                    command
                        .args(["content", "check", "content"])
                        .current_dir(&self.project.root),
                )?;
            }
            Check::CargoDeny => {
                if process::which("cargo-deny").is_none() {
                    return Ok(Outcome::Skipped("cargo-deny is not installed".to_owned()));
                }
                self.cargo(&["deny", "check", "bans", "licenses", "sources"])?;
            }
            Check::Browser => self.browser()?,
        }
        Ok(Outcome::Passed)
    }

    fn cargo(&self, arguments: &[&str]) -> Result<()> {
        process::stream(
            wasm::cargo()
                .args(arguments)
                .current_dir(&self.project.root),
        )
    }

    fn clippy(&self, arguments: &[&str]) -> Result<()> {
        self.cargo(&[&["clippy"], arguments, &["--", "-D", "warnings"]].concat())
    }

    fn test_command(&self, arguments: &[&str]) -> Command {
        let mut command = wasm::cargo();
        command
            .arg("test")
            .args(arguments)
            .arg("--")
            .args(self.filters)
            .env("RUST_BACKTRACE", "1")
            .current_dir(&self.project.root);
        command
    }

    fn cargo_test(&self, arguments: &[&str]) -> Result<()> {
        process::stream(&mut self.test_command(arguments))
    }

    fn build(&mut self) -> Result<()> {
        let tools = Tools {
            toolchain: or_fail(&self.toolchain)?.clone(),
            node: None,
        };
        server::build_site(self.project, &tools, Profile::Debug)?;
        self.binary = Some(server::build_server(
            self.project,
            Profile::Debug,
            &["headroom"],
        )?);
        Ok(())
    }

    fn built(&self) -> Result<&PathBuf> {
        match &self.binary {
            Some(binary) => Ok(binary),
            None => bail!("there is no server to run: its build failed"),
        }
    }

    fn server_tests(&self) -> Result<Outcome> {
        let features = [
            "-p",
            "headroom",
            "--no-default-features",
            "--features",
            "ssr",
            "--lib",
            "--bins",
        ];
        let mut command = self.test_command(&features);
        command.env("HEADROOM_BIN", self.built()?);
        if let Ok(cluster) = &self.postgres {
            command.env("HEADROOM_TEST_POSTGRES", cluster.url());
        } else {
            command.env_remove("HEADROOM_TEST_POSTGRES");
        }
        if let Ok(program) = &self.balancer {
            command.env("HEADROOM_TEST_BALANCER", program);
        } else {
            command.env_remove("HEADROOM_TEST_BALANCER");
        }
        process::stream(&mut command)?;
        match (&self.postgres, &self.balancer) {
            (Err(reason), _) if in_ci() => bail!("nothing was tested on PostgreSQL: {reason}"),
            (_, Err(reason)) if in_ci() => {
                bail!("nothing was tested behind a load balancer: {reason}")
            }
            _ => Ok(Outcome::Passed),
        }
    }

    fn browser(&self) -> Result<()> {
        let mut playwright = or_fail(&self.node)?.command("playwright");
        playwright
            .arg("test")
            .env("HEADROOM_BIN", self.built()?)
            .env("CHROMIUM", or_fail(&self.chromium)?)
            .current_dir(self.project.end2end());
        if !self.filters.is_empty() {
            // A filter may well mean tests of another step.
            playwright.args(["--pass-with-no-tests", "--grep", &self.filters.join("|")]);
        }
        // On SIGINT Playwright closes its browsers and servers.
        process::stream_until(&mut playwright, Signal::SIGINT)
    }
}

fn or_fail<T>(part: &Result<T, String>) -> Result<&T> {
    part.as_ref().map_err(|reason| anyhow::anyhow!("{reason}"))
}

/// The closing table: check, result, time.
fn table(rows: &[(Check, Outcome, Duration)]) -> String {
    let line = |(check, outcome, time): &(Check, Outcome, Duration)| {
        let result = match outcome {
            Outcome::Passed => "passed".to_owned(),
            Outcome::Failed => "FAILED".to_owned(),
            Outcome::Skipped(reason) => format!("skipped ({reason})"),
        };
        format!(
            "{:<15} {:>7.1} s  {result}",
            check.name(),
            time.as_secs_f64()
        )
    };
    rows.iter().map(line).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(choice: Choice) -> String {
        choice
            .checks()
            .iter()
            .map(|check| check.name())
            .collect::<Vec<_>>()
            .join(", ")
    }

    #[test]
    fn a_choice_keeps_the_order_and_builds_what_it_runs() {
        let only = |checks: &[Check]| Choice {
            only: checks.to_vec(),
            ..Choice::default()
        };
        let filter = |no_browser| Choice {
            filters: vec!["clock".to_owned()],
            no_browser,
            ..Choice::default()
        };
        let cases = [
            (
                only(&[Check::ClippySsr, Check::Rustfmt]),
                "rustfmt, clippy ssr",
            ),
            (only(&[Check::Browser]), "build, browser"),
            (only(&[Check::DomainTests]), "domain tests"),
            (
                filter(false),
                "domain tests, xtask tests, build, server tests, browser",
            ),
            (
                filter(true),
                "domain tests, xtask tests, build, server tests",
            ),
        ];
        for (choice, expected) in cases {
            assert_eq!(chosen(choice), expected);
        }
        assert_eq!(Choice::default().checks(), Check::ALL);
    }

    #[test]
    fn the_table_has_a_line_a_check() {
        let rows = [
            (
                Check::Rustfmt,
                Outcome::Passed,
                Duration::from_millis(1_250),
            ),
            (
                Check::ClippyHydrate,
                Outcome::Failed,
                Duration::from_secs(75),
            ),
            (
                Check::CargoDeny,
                Outcome::Skipped("cargo-deny is not installed".to_owned()),
                Duration::ZERO,
            ),
        ];
        insta::assert_snapshot!(table(&rows), @r"
        rustfmt             1.2 s  passed
        clippy hydrate     75.0 s  FAILED
        cargo deny          0.0 s  skipped (cargo-deny is not installed)
        ");
    }
}
