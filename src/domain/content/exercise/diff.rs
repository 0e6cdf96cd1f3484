//! A unified diff as `git diff` prints it, read into files, hunks and numbered lines.
//!
//! Must never know what is wrong with the change.

use super::super::diagnostic::Report;

/// A change to some files.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Change {
    pub files: Vec<ChangedFile>,
}

/// What a change does to one file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChangedFile {
    /// On the new side, or on the old one where the file is deleted.
    pub path: String,
    /// On the old side; `None` where the file is new.
    pub old_path: Option<String>,
    pub is_deleted: bool,
    pub hunks: Vec<Hunk>,
}

/// A stretch of a file with some lines around what changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hunk {
    /// The `@@` line as it stands.
    pub header: String,
    pub lines: Vec<DiffLine>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LineKind {
    Context,
    Added,
    Removed,
}

/// A line of a hunk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DiffLine {
    pub kind: LineKind,
    /// Its number on the old side, from 1, if it is there.
    pub old: Option<u32>,
    /// Its number on the new side, from 1, if it is there.
    pub new: Option<u32>,
    /// Without the sign at its start.
    pub text: String,
}

impl Change {
    /// The file of a path on the new side.
    pub fn file(&self, path: &str) -> Option<&ChangedFile> {
        self.files
            .iter()
            .find(|file| file.path == path && !file.is_deleted)
    }
}

impl ChangedFile {
    pub fn lines(&self) -> impl Iterator<Item = &DiffLine> {
        self.hunks.iter().flat_map(|hunk| &hunk.lines)
    }

    /// Whether the change shows this line of the new side.
    pub fn shows(&self, line: u32) -> bool {
        self.lines().any(|shown| shown.new == Some(line))
    }

    /// How many lines are added, and how many removed.
    pub fn counts(&self) -> (usize, usize) {
        let count = |kind| self.lines().filter(|line| line.kind == kind).count();
        (count(LineKind::Added), count(LineKind::Removed))
    }
}

/// A hunk's header: where it starts and how many lines it has, on either side.
struct Header {
    old: (u32, u32),
    new: (u32, u32),
}

/// Reads `@@ -12,7 +12,9 @@ fn name`.
fn read_header(line: &str) -> Option<Header> {
    let side = |text: &str| -> Option<(u32, u32)> {
        match text.split_once(',') {
            Some((start, count)) => Some((start.parse().ok()?, count.parse().ok()?)),
            None => Some((text.parse().ok()?, 1)),
        }
    };
    let rest = line.strip_prefix("@@ -")?;
    let (old, rest) = rest.split_once(" +")?;
    let (new, rest) = rest.split_once(" @@")?;
    if !(rest.is_empty() || rest.starts_with(' ')) {
        return None;
    }
    Some(Header {
        old: side(old)?,
        new: side(new)?,
    })
}

/// Reads a diff; every fault is reported with its place, and what could be read is there.
pub(super) fn read(report: &mut Report<'_>) -> Change {
    let mut change = Change::default();
    let mut offset = 0;
    let lines: Vec<(usize, &str)> = report
        .text
        .split_inclusive('\n')
        .map(|line| {
            let at = offset;
            offset += line.len();
            (at, line.trim_end_matches(['\n', '\r']))
        })
        .collect();
    let mut rest = lines.as_slice();
    while let Some(((at, line), after)) = rest.split_first() {
        rest = after;
        let Some(names) = line.strip_prefix("diff --git ") else {
            report.at(*at, "expected a line that begins with diff --git");
            // One fault is enough for what stands before the next file.
            let next = rest.iter().position(|(_, line)| is_file(line));
            rest = &rest[next.unwrap_or(rest.len())..];
            continue;
        };
        let end = rest.iter().position(|(_, line)| is_file(line));
        let (of_file, others) = rest.split_at(end.unwrap_or(rest.len()));
        rest = others;
        if let Some(file) = read_file(report, *at, names, of_file) {
            if change.files.iter().any(|other| other.path == file.path) {
                report.at(*at, format!("{} stands here a second time", file.path));
            }
            change.files.push(file);
        }
    }
    if change.files.is_empty() {
        report.absent(0, "there is no file in this diff");
    }
    change
}

/// No line of a hunk begins so: each has a sign before it.
fn is_file(line: &str) -> bool {
    line.starts_with("diff --git ")
}

fn read_file(
    report: &mut Report<'_>,
    at: usize,
    names: &str,
    lines: &[(usize, &str)],
) -> Option<ChangedFile> {
    let paths = names
        .split_once(" b/")
        .and_then(|(old, new)| Some((old.strip_prefix("a/")?, new)));
    let Some((old_path, path)) = paths else {
        report.at(at, "expected diff --git a/path b/path");
        return None;
    };
    for path in [old_path, path] {
        // A path stands in addresses and in forms.
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/._-".contains(&byte);
        if path.is_empty() || path.len() > 200 || !path.bytes().all(plain) {
            let message = format!("the path {path:?} may hold letters, digits, /, ., _ and -");
            report.at(at, message);
        }
    }
    let first_hunk = lines.iter().position(|(_, line)| line.starts_with("@@"));
    let (head, hunks) = lines.split_at(first_hunk.unwrap_or(lines.len()));
    let (mut is_new, mut is_deleted) = (false, false);
    for (at, line) in head {
        let known = [
            "index ",
            "old mode ",
            "new mode ",
            "similarity index ",
            "rename from ",
            "rename to ",
        ];
        if line.starts_with("new file mode ") {
            is_new = true;
        } else if line.starts_with("deleted file mode ") {
            is_deleted = true;
        } else if let Some(named) = line.strip_prefix("--- ") {
            expect_path(report, *at, named, is_new, "a/", old_path);
        } else if let Some(named) = line.strip_prefix("+++ ") {
            expect_path(report, *at, named, is_deleted, "b/", path);
        } else if !known.iter().any(|start| line.starts_with(start)) {
            report.at(*at, format!("{line:?} is no line of a file's header"));
        }
    }
    let mut file = ChangedFile {
        path: path.to_owned(),
        old_path: (!is_new).then(|| old_path.to_owned()),
        is_deleted,
        hunks: Vec::new(),
    };
    if hunks.is_empty() {
        report.at(at, format!("nothing changes in {path}"));
    }
    // How far the new side is ahead of the old one.
    let mut ahead = 0_i64;
    let mut rest = hunks;
    while let Some(((at, line), after)) = rest.split_first() {
        let end = after.iter().position(|(_, line)| line.starts_with("@@"));
        let (of_hunk, others) = after.split_at(end.unwrap_or(after.len()));
        rest = others;
        if let Some(hunk) = read_hunk(report, *at, line, of_hunk, &mut ahead) {
            let end_of_last = file.lines().filter_map(|line| line.new).max();
            let start = hunk.lines.iter().find_map(|line| line.new);
            if start.is_some() && start <= end_of_last {
                report.at(*at, "this hunk does not come after the one before it");
            }
            file.hunks.push(hunk);
        }
    }
    Some(file)
}

fn expect_path(
    report: &mut Report<'_>,
    at: usize,
    named: &str,
    is_absent: bool,
    side: &str,
    path: &str,
) {
    let expected = if is_absent {
        "/dev/null".to_owned()
    } else {
        format!("{side}{path}")
    };
    if named != expected {
        report.at(at, format!("expected {expected}, found {named}"));
    }
}

fn read_hunk(
    report: &mut Report<'_>,
    at: usize,
    header: &str,
    lines: &[(usize, &str)],
    ahead: &mut i64,
) -> Option<Hunk> {
    let Some(Header { old, new }) = read_header(header) else {
        report.at(at, "a hunk begins with @@ -line,count +line,count @@");
        return None;
    };
    // A side without lines names the line before it.
    let start = |(start, count): (u32, u32)| {
        if count == 0 {
            start.saturating_add(1)
        } else {
            start
        }
    };
    let (old_start, new_start) = (start(old), start(new));
    let expected = i64::from(old_start) + *ahead;
    if i64::from(new_start) != expected {
        let message = format!(
            "the new side begins at {new_start}, expected {expected} by what was added before"
        );
        report.at(at, message);
    }
    let (mut next_old, mut next_new) = (old_start, new_start);
    let mut hunk = Hunk {
        header: header.to_owned(),
        lines: Vec::new(),
    };
    for (at, line) in lines {
        let (kind, text) = match line.as_bytes().first() {
            Some(b'+') => (LineKind::Added, &line[1..]),
            Some(b'-') => (LineKind::Removed, &line[1..]),
            Some(b' ') => (LineKind::Context, &line[1..]),
            // An editor took the space away.
            None => (LineKind::Context, *line),
            Some(b'\\') => continue,
            Some(_) => {
                report.at(*at, "a line of a hunk begins with a space, + or -");
                continue;
            }
        };
        let number = |is_there: bool, next: &mut u32| {
            is_there.then(|| {
                let number = *next;
                *next = next.saturating_add(1);
                number
            })
        };
        hunk.lines.push(DiffLine {
            kind,
            old: number(kind != LineKind::Added, &mut next_old),
            new: number(kind != LineKind::Removed, &mut next_new),
            text: text.to_owned(),
        });
    }
    let found = (next_old - old_start, next_new - new_start);
    if found != (old.1, new.1) {
        let message = format!(
            "this header names {} old and {} new lines, found {} and {}",
            old.1, new.1, found.0, found.1
        );
        report.at(at, message);
    }
    *ahead += i64::from(found.1) - i64::from(found.0);
    Some(hunk)
}
