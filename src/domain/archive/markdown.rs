//! The archive as Markdown, for people: an index and a file for each attempt. Nothing reads it back.
//!
//! Must never know where the titles come from.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use super::{Archive, ArchivedAttempt, timestamp};
use crate::domain::attempt::SectionName;
use crate::domain::phase::Phase;

/// The titles of a prompt and of what it throws in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PromptTitles {
    pub title: String,
    /// By the curveball's id.
    pub curveballs: BTreeMap<String, String>,
}

/// By the prompt's slug; a prompt that is not here goes by its slug.
pub type Titles = BTreeMap<String, PromptTitles>;

fn prompt_title(prompt: &str, titles: Option<&PromptTitles>) -> String {
    titles.map_or_else(|| prompt.replace('-', " "), |titles| titles.title.clone())
}

/// The files of the Markdown folder with their paths: `README.md`, then one file for each attempt.
pub fn markdown_folder<'a>(
    archive: &'a Archive,
    titles: &'a Titles,
) -> impl Iterator<Item = (String, String)> + 'a {
    let paths = paths(&archive.attempts);
    let index = index(archive, titles, &paths);
    let attempts = archive
        .attempts
        .iter()
        .zip(paths)
        .map(|(attempt, path)| (path, attempt_markdown(attempt, titles.get(&attempt.prompt))));
    std::iter::once(("README.md".to_owned(), index)).chain(attempts)
}

/// `attempts/2026-03-01-payments-processor-0d9f3a21.md`; with the whole id where that is not enough.
fn paths(attempts: &[ArchivedAttempt]) -> Vec<String> {
    let mut taken = BTreeSet::new();
    let mut path = |attempt: &ArchivedAttempt| {
        let day = timestamp::format_day(attempt.started_at);
        let plain = |text: &str| -> String {
            text.chars()
                .filter(|character| character.is_ascii_alphanumeric() || *character == '-')
                .collect()
        };
        let (prompt, id) = (plain(&attempt.prompt), plain(&attempt.id));
        // The end of an id is random; its beginning is the time.
        let short = &id[id.len().saturating_sub(8)..];
        let path = format!("attempts/{day}-{prompt}-{short}.md");
        if taken.insert(path.clone()) {
            path
        } else {
            format!("attempts/{day}-{prompt}-{id}.md")
        }
    };
    attempts.iter().map(&mut path).collect()
}

/// A text in a cell of a table.
fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace('\n', " ")
}

// Writing to a string does not fail, which is why the results below are dropped.

fn index(archive: &Archive, titles: &Titles, paths: &[String]) -> String {
    let account = &archive.account;
    let mut out = format!(
        "# Headroom: the archive of {}\n\nExported {} for {}. The file `headroom.json` beside this one holds everything and can be imported \
         into an account; these texts are for reading.\n\n",
        cell(&account.name),
        timestamp::format(archive.exported_at),
        cell(&account.email)
    );
    if archive.attempts.is_empty() {
        out.push_str("There are no attempts.\n");
        return out;
    }
    out.push_str("| Started | Prompt | Way | Level | Scores |\n|---|---|---|---|--:|\n");
    for (attempt, path) in archive.attempts.iter().zip(paths) {
        let _ = writeln!(
            out,
            "| {} | [{}]({path}) | {} | {} | {} |",
            timestamp::format_day(attempt.started_at),
            cell(&prompt_title(&attempt.prompt, titles.get(&attempt.prompt))),
            attempt.terms.way.slug(),
            attempt.terms.level.slug(),
            attempt.scores.len()
        );
    }
    out
}

/// An attempt as one Markdown text. The titles are those of its prompt.
pub fn attempt_markdown(attempt: &ArchivedAttempt, titles: Option<&PromptTitles>) -> String {
    let terms = &attempt.terms;
    let mut out = format!("# {}\n\n", prompt_title(&attempt.prompt, titles));
    let length = terms.minutes.map_or_else(
        || "untimed".to_owned(),
        |minutes| format!("{minutes} minutes"),
    );
    let _ = writeln!(
        out,
        "{} attempt, aimed at {}, {length}, started {}.\n",
        terms.way.title(),
        terms.level.slug(),
        timestamp::format(attempt.started_at)
    );
    if let Some(variant) = &attempt.variant {
        let _ = writeln!(out, "Variant: {}.\n", variant.replace('-', " "));
    }
    for section in &attempt.sections {
        let title = section
            .name
            .title(|id| Some(titles?.curveballs.get(id)?.as_str()));
        let body = section.body.trim();
        let _ = if section.name == SectionName::Worksheet {
            writeln!(out, "## {title}\n\n```text\n{body}\n```\n")
        } else {
            writeln!(out, "## {title}\n\n{body}\n")
        };
    }
    for score in &attempt.scores {
        let _ = writeln!(
            out,
            "## Score {}, {}\n\n| Criterion | Rating | Evidence |\n|---|---|---|",
            score.number,
            timestamp::format(score.scored_at)
        );
        for entry in &score.entries {
            let _ = writeln!(
                out,
                "| {} | {} | {} |",
                entry.criterion.title(),
                entry.rating.title(),
                cell(&entry.evidence)
            );
        }
        out.push('\n');
    }
    out.push_str("## Minutes\n\n| Phase | Minutes |\n|---|--:|\n");
    for (phase, spent) in Phase::ALL.into_iter().zip(attempt.spent) {
        let minutes = (spent as f64 / 6_000.0).round() / 10.0;
        let _ = writeln!(out, "| {} | {minutes} |", phase.slug());
    }
    out
}
