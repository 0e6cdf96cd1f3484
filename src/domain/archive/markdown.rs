//! The archive as Markdown, for people: an index and a file for each attempt. Nothing reads it back.
//!
//! Must never know where the titles come from.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use super::{Archive, ArchivedAttempt, ArchivedExercise, timestamp};
use crate::domain::attempt::SectionName;
use crate::domain::exercise::{Comment, Work};
use crate::domain::phase::Phase;

/// The titles of a prompt and of what it throws in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PromptTitles {
    pub title: String,
    /// By the curveball's id.
    pub curveballs: BTreeMap<String, String>,
}

/// By the prompt's slug, or an exercise's kind and slug as in `debugging/queue-stuck`; what is not here goes by its slug.
pub type Titles = BTreeMap<String, PromptTitles>;

fn prompt_title(prompt: &str, titles: Option<&PromptTitles>) -> String {
    titles.map_or_else(|| prompt.replace('-', " "), |titles| titles.title.clone())
}

/// The files of the Markdown folder with their paths: `README.md`, then one file for each attempt and each exercise.
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
    let exercises = archive.exercises.iter().map(|exercise| {
        let title = exercise_title(exercise, titles);
        (exercise_path(exercise), exercise_markdown(exercise, &title))
    });
    std::iter::once(("README.md".to_owned(), index))
        .chain(attempts)
        .chain(exercises)
}

/// `attempts/2026-03-01-payments-processor-0d9f3a21.md`; with the whole id where that is not enough.
fn paths(attempts: &[ArchivedAttempt]) -> Vec<String> {
    let mut taken = BTreeSet::new();
    let mut path = |attempt: &ArchivedAttempt| {
        let day = timestamp::format_day(attempt.started_at);
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

/// What of a text may stand in a name: nothing that leads out of the folder.
fn plain(text: &str) -> String {
    text.chars()
        .filter(|character| character.is_ascii_alphanumeric() || *character == '-')
        .collect()
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
    } else {
        list_attempts(&mut out, archive, titles, paths);
    }
    if !archive.exercises.is_empty() {
        out.push_str("\n| Started | Exercise | Kind | Level |\n|---|---|---|---|\n");
    }
    for exercise in &archive.exercises {
        let _ = writeln!(
            out,
            "| {} | [{}]({}) | {} | {} |",
            timestamp::format_day(exercise.started_at),
            cell(&exercise_title(exercise, titles)),
            exercise_path(exercise),
            exercise.kind.title(),
            exercise.level.slug()
        );
    }
    if !archive.ticks.is_empty() {
        out.push_str("\n| Ticked | What |\n|---|---|\n");
    }
    for tick in &archive.ticks {
        let day = timestamp::format_day(tick.ticked_at);
        let _ = writeln!(out, "| {day} | {} |", cell(&tick.item));
    }
    out
}

fn list_attempts(out: &mut String, archive: &Archive, titles: &Titles, paths: &[String]) {
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

fn exercise_title(exercise: &ArchivedExercise, titles: &Titles) -> String {
    let key = format!("{}/{}", exercise.kind.slug(), exercise.slug);
    prompt_title(&exercise.slug, titles.get(&key))
}

fn exercise_path(exercise: &ArchivedExercise) -> String {
    let day = timestamp::format_day(exercise.started_at);
    let (slug, id) = (plain(&exercise.slug), plain(&exercise.id));
    format!("exercises/{day}-{slug}-{id}.md")
}

/// The work on an exercise as one Markdown text.
fn exercise_markdown(exercise: &ArchivedExercise, title: &str) -> String {
    let mut out = format!("# {title}\n\n");
    let _ = writeln!(
        out,
        "{}, aimed at {}, started {}.\n",
        exercise.kind.title(),
        exercise.level.slug(),
        timestamp::format(exercise.started_at)
    );
    match &exercise.work {
        Work::Debugging(notes) => {
            for answer in &notes.committed {
                let step = answer.step.replace('-', " ");
                let _ = writeln!(out, "## {step}\n\n{}\n", answer.text.trim());
            }
            if !notes.open.trim().is_empty() {
                let _ = writeln!(out, "## Not committed\n\n{}\n", notes.open.trim());
            }
        }
        Work::CodeReview(review) => {
            for Comment { said, .. } in &review.comments {
                let _ = writeln!(
                    out,
                    "## {}, line {}\n\n{}, {}.\n\n{}\n",
                    said.file,
                    said.lines.words(),
                    said.kind.title(),
                    said.severity.slug(),
                    said.text.trim()
                );
            }
        }
    }
    if let Some(scores) = &exercise.scores {
        let _ = writeln!(
            out,
            "## Score, {}\n\n| Criterion | Rating | Evidence |\n|---|---|---|",
            timestamp::format(scores.scored_at)
        );
        for entry in &scores.card.entries {
            let _ = writeln!(
                out,
                "| {} | {} | {} |",
                entry.criterion.title(),
                entry.rating.title(),
                cell(&entry.evidence)
            );
        }
    }
    out
}
