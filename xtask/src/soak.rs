//! `cargo xtask soak`: builds for release and puts a mixed load on the server for minutes.

use std::process::Command;

use anyhow::Result;

use crate::postgres::{self, Cluster, Durability};
use crate::process;
use crate::project::{Profile, Project};
use crate::server::{self, Tools};
use crate::setup::Apt;
use crate::steps::step;

/// How long the load lasts, and on what.
#[derive(Debug, Clone, Copy, clap::Args)]
pub struct Load {
    /// How long the load lasts
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..))]
    minutes: u32,
    /// One minute, with a line every ten seconds
    #[arg(long, conflicts_with = "minutes")]
    quick: bool,
    /// On a throwaway PostgreSQL instead of SQLite
    #[arg(long)]
    postgres: bool,
}

/// Runs the load; an error when the server answered with one, or lost a save that it had acknowledged.
pub fn soak(project: &Project, load: Load) -> Result<()> {
    let mut apt = Apt::new(project);
    let tools = Tools::set_up(project, &mut apt, Profile::Release)?;
    let programs = load
        .postgres
        .then(|| postgres::set_up(&mut apt))
        .transpose()?;
    process::adopt_orphans();

    server::build_site(project, &tools, Profile::Release)?;
    let headroom = server::build_server(project, Profile::Release, &["headroom", "bench"])?;
    let logs = project.scratch().join("log");
    let cluster = programs
        .map(|programs| Cluster::start(&programs, Durability::Full, &logs))
        .transpose()?;
    process::check_interrupt()?;

    let minutes = if load.quick { 1 } else { load.minutes };
    step("soak", &format!("{minutes} min"), || {
        let mut soak = Command::new(headroom.with_file_name("bench"));
        soak.arg("--headroom").arg(&headroom);
        soak.args(["--soak", &minutes.to_string()]);
        if let Some(cluster) = &cluster {
            soak.args(["--postgres", &cluster.url()]);
        }
        process::stream(soak.current_dir(&project.root))
    })
}
