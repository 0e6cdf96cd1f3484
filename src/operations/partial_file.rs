//! A file in the making, beside the one that it becomes: it gets its name when it is whole and on the disk.
//!
//! Must never leave half a file under the name that was asked for.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;

use crate::server::clock::random_bytes;

use super::place::beside;

/// Removed when it is dropped before it became the file. A program that is killed leaves it; its name ends in `.partial`.
pub struct PartialFile {
    path: PathBuf,
}

impl PartialFile {
    /// Makes an empty file that its owner alone may read, in the folder of `target`.
    pub fn beside(target: &Path) -> anyhow::Result<Self> {
        let name = target
            .file_name()
            .with_context(|| format!("{} names no file", target.display()))?;
        Self::within(&folder_of(target), &name.to_string_lossy())
    }

    /// The same in a folder that is named.
    pub fn within(folder: &Path, name: &str) -> anyhow::Result<Self> {
        anyhow::ensure!(
            folder.is_dir(),
            "there is no folder {}; make it first",
            folder.display()
        );
        let random: String = random_bytes::<8>()
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        // Whole from the root, so that SQLite takes it as a path whatever it starts with.
        let path = std::path::absolute(folder)
            .with_context(|| format!("the folder {} cannot be named", folder.display()))?
            .join(format!(".{name}.{random}.partial"));
        OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&path)
            .with_context(|| {
                format!("nothing can be written in the folder {}", folder.display())
            })?;
        Ok(Self { path })
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The path as SQLite takes it.
    pub fn path_text(&self) -> anyhow::Result<&str> {
        self.path
            .to_str()
            .with_context(|| format!("the path {} is not UTF-8", self.path.display()))
    }

    /// Sees it onto the disk and gives it its name, in one step that replaces what had the name.
    pub fn become_file(self, target: &Path) -> anyhow::Result<()> {
        File::open(&self.path)
            .and_then(|file| file.sync_all())
            .with_context(|| format!("{} cannot be seen onto the disk", self.path.display()))?;
        std::fs::rename(&self.path, target)
            .with_context(|| format!("{} cannot be given its name", target.display()))?;
        sync_folder(target)
    }
}

impl Drop for PartialFile {
    fn drop(&mut self) {
        // After it became the file there is nothing under this name.
        for suffix in ["", "-journal", "-wal", "-shm"] {
            let _ = std::fs::remove_file(beside(&self.path, suffix));
        }
    }
}

/// The folder that a file is in: `.` for a bare name.
pub fn folder_of(file: &Path) -> PathBuf {
    match file.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder.to_owned(),
        _ => PathBuf::from("."),
    }
}

/// Sees the names in a file's folder onto the disk.
pub fn sync_folder(file: &Path) -> anyhow::Result<()> {
    let folder = folder_of(file);
    File::open(&folder)
        .and_then(|folder| folder.sync_all())
        .with_context(|| {
            format!(
                "the folder {} cannot be seen onto the disk",
                folder.display()
            )
        })
}
