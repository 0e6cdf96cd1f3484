//! `cargo xtask bench`: builds for release, runs the measurements and prints them with the recorded times of
//! the other two commands.

use std::process::Command;

use anyhow::{Context, Result};
use nix::sys::signal::Signal;

use crate::postgres::{self, Cluster, Durability};
use crate::process;
use crate::project::{Profile, Project};
use crate::server::{self, Tools};
use crate::setup::{self, Apt};
use crate::steps::{latest_times, step};

/// Runs both measurement programs; `quick` asks them for shorter runs.
pub fn bench(project: &Project, quick: bool) -> Result<()> {
    let mut apt = Apt::new(project);
    let tools = Tools::set_up(project, &mut apt, Profile::Release)?;
    let chromium = setup::chromium(&mut apt)?;
    let programs = postgres::set_up(&mut apt);
    process::adopt_orphans();

    server::build_site(project, &tools, Profile::Release)?;
    let headroom = server::build_server(project, Profile::Release, &["headroom", "bench"])?;
    let cluster = programs.and_then(|programs| {
        Cluster::start(&programs, Durability::Full, &project.scratch().join("log"))
    });
    process::check_interrupt()?;
    let postgres = match &cluster {
        Ok(cluster) => cluster.url(),
        Err(reason) => {
            println!("!!! nothing is measured on PostgreSQL: {reason:#}");
            "none".to_owned()
        }
    };

    let quick: &[&str] = if quick { &["--quick"] } else { &[] };
    step("measurements", "of the server", || {
        let mut bench = Command::new(headroom.with_file_name("bench"));
        bench
            .arg("--site")
            .arg(project.site())
            .arg("--headroom")
            .arg(&headroom);
        bench
            .args(["--postgres", &postgres, "--chromium"])
            .arg(&chromium);
        process::stream(bench.args(quick).current_dir(&project.root))
    })?;
    step("measurements", "in the browser", || {
        let node = tools
            .node
            .as_ref()
            .context("a release build has set Node up")?;
        let mut script = node.command("node");
        script
            .arg("bench.mjs")
            .args(quick)
            .env("HEADROOM_BIN", &headroom)
            .env("CHROMIUM", &chromium)
            .current_dir(project.end2end());
        process::stream_until(&mut script, Signal::SIGINT)
    })?;
    println!();
    for line in latest_times(project) {
        println!("{line}");
    }
    Ok(())
}
