//! Where things lie: the repository's root and cargo's target directory.
//!
//! Knows paths only; nothing here builds or runs anything.

use std::env;
use std::path::{Path, PathBuf};

/// The checked-out repository and the directory that cargo builds into.
#[derive(Debug, Clone)]
pub struct Project {
    /// The folder of the workspace's `Cargo.toml`.
    pub root: PathBuf,
    /// Cargo's target directory: `target`, or what `CARGO_TARGET_DIR` names.
    pub target: PathBuf,
}

/// Which of cargo's profiles the server is built with; the site follows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Profile {
    /// Quick to build; site, content and migrations are read from disk.
    Debug,
    /// Optimised, everything embedded, `wasm-opt` and the strongest compression.
    Release,
}

impl Profile {
    /// The profile that a `--release` flag asks for.
    pub fn of(release: bool) -> Self {
        if release { Self::Release } else { Self::Debug }
    }

    /// The name of the profile's folder under the target directory.
    pub fn name(self) -> &'static str {
        match self {
            Self::Debug => "debug",
            Self::Release => "release",
        }
    }
}

impl Project {
    /// The repository that this `xtask` belongs to.
    pub fn find() -> Self {
        let manifest = env::var_os("CARGO_MANIFEST_DIR")
            .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
        let root = manifest.parent().unwrap_or(Path::new(".")).to_path_buf();
        let target = env::var_os("CARGO_TARGET_DIR").map_or_else(
            || root.join("target"),
            |directory| root.join(PathBuf::from(directory)),
        );
        Self { root, target }
    }

    /// What the browser gets: always under the repository, because a release build embeds it from there.
    pub fn site(&self) -> PathBuf {
        self.root.join("target/site")
    }

    /// Our own intermediate files: bindings, logs, stamps.
    pub fn scratch(&self) -> PathBuf {
        self.target.join("xtask")
    }

    /// The Playwright project, which also holds `wasm-opt`.
    pub fn end2end(&self) -> PathBuf {
        self.root.join("end2end")
    }

    /// The server's binary, once built.
    pub fn binary(&self, profile: Profile) -> PathBuf {
        self.target.join(profile.name()).join("headroom")
    }
}
