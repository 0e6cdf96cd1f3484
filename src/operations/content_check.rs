//! `headroom content check`: every fault of the content.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;

use crate::server::content_library::{Library, Origin};

#[derive(clap::Args, Debug)]
pub struct Args {
    /// Content directory; without it, the content inside the program.
    pub dir: Option<PathBuf>,
}

pub fn run(args: Args) -> anyhow::Result<ExitCode> {
    let origin = args.dir.map_or(Origin::Program, Origin::Directory);
    let library = Library::read(&origin).context("the content directory cannot be read")?;
    for diagnostic in &library.diagnostics {
        say!("{diagnostic}");
    }
    if library.diagnostics.is_empty() {
        say!(
            "{} prompts, {} incidents, {} code reviews, {} pages, {} terms, {} sources, no faults",
            library.prompts.len(),
            library.exercises.incidents.len(),
            library.exercises.code_reviews.len(),
            library.pages.len(),
            library.glossary.terms.len(),
            library.sources.len()
        );
        Ok(ExitCode::SUCCESS)
    } else {
        say!("{} faults", library.diagnostics.len());
        Ok(ExitCode::FAILURE)
    }
}
