//! `cargo xtask dev`: watches the sources, rebuilds what a change affects and restarts the server. The page
//! reloads by itself: the server tells it.
//!
//! `content/` is not watched here: the server picks it up without a restart.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Duration;

use anyhow::{Context, Result};
use notify::event::ModifyKind;
use notify::{Event, EventKind, RecursiveMode, Watcher};

use crate::process::{self, Running};
use crate::project::{Profile, Project};
use crate::server::{self, Place, Tools};
use crate::setup::Apt;
use crate::steps::step;
use crate::wasm;

/// A burst of changes is over when nothing has changed for this long.
const QUIET: Duration = Duration::from_millis(200);

/// How often we look whether the server has died or we are to stop.
const POLL: Duration = Duration::from_millis(100);

/// What has to be built.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
struct Work {
    islands: bool,
    site: bool,
    server: bool,
}

impl Work {
    fn is_none(self) -> bool {
        self == Self::default()
    }

    fn and(self, other: Self) -> Self {
        Self {
            islands: self.islands || other.islands,
            site: self.site || other.site,
            server: self.server || other.server,
        }
    }

    /// What a change of `path` asks for. `island_sources` are the files that the islands were built from.
    fn for_change(root: &Path, path: &Path, island_sources: &BTreeSet<PathBuf>) -> Self {
        let Ok(inside) = path.strip_prefix(root) else {
            return Self::default();
        };
        let name = inside.file_name().unwrap_or_default().to_string_lossy();
        // What editors write beside the file.
        if name.starts_with('.') || name.ends_with('~') {
            return Self::default();
        }
        let everything = Self {
            islands: true,
            site: true,
            server: true,
        };
        let server = Self {
            server: true,
            ..Self::default()
        };
        match inside.iter().next().and_then(|first| first.to_str()) {
            Some("Cargo.toml") => everything,
            Some("style" | "public") => Self {
                site: true,
                ..Self::default()
            },
            Some("src") if island_sources.contains(path) => everything,
            Some("src" | "migrations") => server,
            _ => Self::default(),
        }
    }
}

/// Runs until it is told to stop.
pub fn dev(project: &Project, place: &Place) -> Result<()> {
    place.check_free()?;
    let mut apt = Apt::new(project);
    let tools = Tools::set_up(project, &mut apt, Profile::Debug)?;
    process::adopt_orphans();

    let (sender, changes) = channel();
    let mut watcher = notify::recommended_watcher(sender).context("cannot watch files")?;
    let mut watch = |path: &Path, mode| {
        let result = if path.exists() {
            watcher.watch(path, mode)
        } else {
            Ok(())
        };
        result.with_context(|| format!("cannot watch {}", path.display()))
    };
    for folder in ["src", "style", "public", "migrations"] {
        watch(&project.root.join(folder), RecursiveMode::Recursive)?;
    }
    // The folder, not the file: editors replace files.
    watch(&project.root, RecursiveMode::NonRecursive)?;

    let mut session = Session {
        project,
        place,
        tools,
        server: None,
        // The first round builds everything.
        due: Work {
            islands: true,
            site: true,
            server: true,
        },
        islands: None,
        island_sources: BTreeSet::new(),
    };
    session.round();
    while !process::interrupted() {
        let paths = changed_paths(&changes, || session.look_after_server());
        let work = paths
            .iter()
            .map(|path| Work::for_change(&project.root, path, &session.island_sources))
            .fold(Work::default(), Work::and);
        if !work.is_none() {
            session.due = session.due.and(work);
            session.round();
        }
    }
    Ok(())
}

struct Session<'a> {
    project: &'a Project,
    place: &'a Place,
    tools: Tools,
    server: Option<Running>,
    /// What is not built yet; what failed stays due until it builds.
    due: Work,
    /// The folder of the islands' bundles, once they have been built.
    islands: Option<PathBuf>,
    island_sources: BTreeSet<PathBuf>,
}

impl Session<'_> {
    /// Builds what is due; a failure is shown, and whatever runs goes on.
    fn round(&mut self) {
        let islands = self.build_islands();
        let site = self.build_site();
        // A compile error in the islands' sources is most often one in the server's: once is enough.
        let server = if islands.is_ok() {
            self.build_server()
        } else {
            Ok(())
        };
        for fault in [islands, site, server].into_iter().filter_map(Result::err) {
            if !process::interrupted() {
                eprintln!("error: {fault:#}");
            }
        }
        if !self.due.is_none() && !process::interrupted() {
            let state = if self.server.is_some() {
                "the last good server goes on"
            } else {
                "no server runs"
            };
            println!("    {state}; waiting for a change");
        }
    }

    fn build_islands(&mut self) -> Result<()> {
        if self.due.islands {
            let toolchain = &self.tools.toolchain;
            let raw = step("islands", "cargo build, for wasm32", || {
                wasm::build(self.project, toolchain)
            })?;
            self.islands = Some(wasm::bind(self.project, &raw, Profile::Debug, None)?);
            self.island_sources = wasm::sources(self.project, toolchain).into_iter().collect();
            self.due.islands = false;
        }
        Ok(())
    }

    /// The site can be made as long as there have ever been islands.
    fn build_site(&mut self) -> Result<()> {
        if let (true, Some(islands)) = (self.due.site, &self.islands) {
            server::lay_out_site(self.project, islands, Profile::Debug)?;
            self.due.site = self.due.islands;
        }
        Ok(())
    }

    fn build_server(&mut self) -> Result<()> {
        if self.due.server {
            let binary = server::build_server(self.project, Profile::Debug, &["headroom"])?;
            if let Some(mut old) = self.server.take() {
                server::stop(&mut old);
            }
            let mut server = server::start(self.project, &binary, self.place, &["--dev"])?;
            server::await_answer(&mut server, self.place.url())?;
            self.server = Some(server);
            self.due.server = false;
            println!("Headroom is at {}", self.place.url());
        }
        Ok(())
    }

    /// Notices a server that has ended by itself.
    fn look_after_server(&mut self) {
        let Some(server) = &mut self.server else {
            return;
        };
        if let Ok(Some(status)) = server.poll() {
            self.server = None;
            self.due.server = true;
            if !process::interrupted() {
                println!("    the server ended by itself ({status}); waiting for a change");
            }
        }
    }
}

/// Waits for changes and for the end of their burst; none when we are to stop.
fn changed_paths(
    changes: &Receiver<notify::Result<Event>>,
    mut meanwhile: impl FnMut(),
) -> BTreeSet<PathBuf> {
    let mut paths = BTreeSet::new();
    loop {
        let patience = if paths.is_empty() { POLL } else { QUIET };
        match changes.recv_timeout(patience) {
            Ok(Ok(event)) if is_change(event.kind) => paths.extend(event.paths),
            Ok(_) => {}
            Err(RecvTimeoutError::Timeout) if paths.is_empty() && !process::interrupted() => {
                meanwhile();
            }
            Err(_) => return paths,
        }
    }
}

/// Reading a file and touching its times are events too.
fn is_change(kind: EventKind) -> bool {
    !matches!(
        kind,
        EventKind::Access(_) | EventKind::Modify(ModifyKind::Metadata(_))
    )
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::Sender;
    use std::thread;
    use std::time::Instant;

    use notify::event::{AccessKind, CreateKind, DataChange, MetadataKind};

    use super::*;

    #[test]
    fn a_change_asks_for_what_it_affects() {
        let root = Path::new("/p");
        let sources = [PathBuf::from("/p/src/a/island.rs")].into();
        let cases = [
            ("/p/src/a/island.rs", "islands site server"),
            ("/p/src/a/page.rs", "server"),
            ("/p/src/a/new.rs", "server"),
            ("/p/migrations/sqlite/1.sql", "server"),
            ("/p/style/page.css", "site"),
            ("/p/public/img/a.svg", "site"),
            ("/p/Cargo.toml", "islands site server"),
            ("/p/Cargo.lock", ""),
            ("/p/README.md", ""),
            ("/p/src/.page.rs.swp", ""),
            ("/p/src/page.rs~", ""),
            ("/q/src/page.rs", ""),
        ];
        for (path, expected) in cases {
            let work = Work::for_change(root, Path::new(path), &sources);
            let parts = [
                (work.islands, "islands"),
                (work.site, "site"),
                (work.server, "server"),
            ];
            let parts: Vec<&str> = parts
                .iter()
                .filter(|part| part.0)
                .map(|part| part.1)
                .collect();
            assert_eq!(parts.join(" "), expected, "{path}");
        }
    }

    fn send(sender: &Sender<notify::Result<Event>>, kind: EventKind, path: &str) {
        sender
            .send(Ok(Event::new(kind).add_path(path.into())))
            .expect("somebody listens");
    }

    #[test]
    fn a_burst_is_one_round() {
        let (sender, changes) = channel();
        let start = Instant::now();
        let writer = thread::spawn(move || {
            thread::sleep(POLL * 2);
            send(&sender, EventKind::Access(AccessKind::Read), "/read");
            send(
                &sender,
                EventKind::Modify(ModifyKind::Metadata(MetadataKind::AccessTime)),
                "/times",
            );
            for path in ["/a", "/b", "/a"] {
                send(&sender, EventKind::Create(CreateKind::File), path);
                thread::sleep(QUIET / 4);
            }
            sender
        });
        let mut idle = 0;
        let paths = changed_paths(&changes, || idle += 1);
        let sender = writer.join().expect("it does not panic");
        assert_eq!(paths, [PathBuf::from("/a"), PathBuf::from("/b")].into());
        assert!(
            idle >= 1,
            "the server is looked after while nothing changes"
        );
        assert!(start.elapsed() >= QUIET);

        send(
            &sender,
            EventKind::Modify(ModifyKind::Data(DataChange::Any)),
            "/c",
        );
        assert_eq!(changed_paths(&changes, || ()), [PathBuf::from("/c")].into());
    }
}
