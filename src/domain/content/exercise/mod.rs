//! The two further kinds of exercise as they are published: an incident in three files, and a change to review in four.
//!
//! Must never know what a person writes in one, nor how a change is shown.

mod code_review;
mod diff;
mod incident;
mod rubric;
#[cfg(test)]
mod tests;

use std::ops::{Range, RangeInclusive};

use toml::de::DeTable;

use super::diagnostic::Report;
use super::fields::{Number, Table, Text, report_syntax};
use super::markdown::Section;
use super::prompt::{SUMMARY_LENGTH, TOPICS, offsets, split_front_matter, vocabulary};
use super::{Diagnostic, Link, Source, check_citations, check_slug};
use crate::domain::exercise::Kind;
use crate::domain::level::Level;

pub use self::code_review::{CodeReview, CodeReviewFiles, PlantedFault, Trap, parse_code_review};
pub use self::diff::{Change, ChangedFile, DiffLine, Hunk, LineKind};
pub use self::incident::{Incident, IncidentFiles, Step, parse_incident};
pub use self::rubric::{Criterion, Rubric};

/// The most characters of a title.
const TITLE_LENGTH: usize = 60;

/// What every exercise says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Front {
    pub title: String,
    /// One sentence.
    pub summary: String,
    /// The levels that it suits.
    pub levels: Vec<Level>,
    /// How long it takes.
    pub minutes: u32,
    pub topics: Vec<String>,
}

/// The folder of an exercise: `exercises/debugging/pool-exhausted`.
fn folder(kind: Kind, slug: &str) -> String {
    format!("exercises/{}/{slug}", kind.slug())
}

/// The front matter's place, if there is any, and the text below it.
struct Split {
    front: Option<Range<usize>>,
    body: usize,
}

fn split(report: &mut Report<'_>) -> Split {
    let (front, body) = split_front_matter(report);
    Split { front, body }
}

/// Reads the front matter, and the ids of the sources that it declares. After the body, so that broken TOML does not
/// silence what the body lacks.
fn read_front(
    report: &mut Report<'_>,
    split: Split,
    allowed_minutes: &[u32],
) -> (Option<Front>, Option<Vec<Text>>) {
    let Some(front) = split.front else {
        return (None, None);
    };
    // Blank up to the front matter, so that the places are those in the file.
    let blank: String = report.text[..front.start]
        .chars()
        .map(|character| if character == '\n' { '\n' } else { ' ' })
        .collect();
    let document = blank + &report.text[front];
    let (document, errors) = DeTable::parse_recoverable(&document);
    report_syntax(report, &errors);
    let required = ["title", "summary", "levels", "minutes", "topics", "sources"];
    let fields = Table::root(&document).open(report, &required, &[]);
    let title = fields.string(report, "title");
    check_characters(report, "title", title.as_ref(), TITLE_LENGTH);
    let summary = fields.string(report, "summary");
    check_characters(report, "summary", summary.as_ref(), SUMMARY_LENGTH);
    let levels = fields.strings(report, "levels").and_then(|words| {
        let all = 1..=Level::ALL.len();
        report.count("levels", all, &offsets(&words), fields.place("levels"));
        vocabulary(report, "level", &words, &Level::ALL, Level::slug)
    });
    let minutes = fields.number(report, "minutes");
    if let Some(minutes) = &minutes {
        check_minutes(report, *minutes, allowed_minutes);
    }
    let topics = fields.strings(report, "topics").and_then(|words| {
        report.count("topics", 2..=5, &offsets(&words), fields.place("topics"));
        vocabulary(report, "topic", &words, &TOPICS, |topic| topic)
    });
    let declared = fields.strings(report, "sources");
    let front = || {
        Some(Front {
            title: title?.value,
            summary: summary?.value,
            levels: levels?,
            minutes: minutes?.value,
            topics: topics?.into_iter().map(str::to_owned).collect(),
        })
    };
    (front(), declared)
}

fn check_characters(report: &mut Report<'_>, what: &str, text: Option<&Text>, most: usize) {
    let Some(text) = text else { return };
    let length = text.value.chars().count();
    if length > most {
        let message = format!("{what} of {length} characters, at most {most} fit");
        report.at(text.offset, message);
    }
}

fn check_minutes(report: &mut Report<'_>, minutes: Number, allowed: &[u32]) {
    if !allowed.contains(&minutes.value) {
        let allowed: Vec<String> = allowed.iter().map(u32::to_string).collect();
        let message = format!(
            "{} minutes, expected {}",
            minutes.value,
            allowed.join(" or ")
        );
        report.at(minutes.offset, message);
    }
}

/// Checks how many words a section has.
fn check_words(report: &mut Report<'_>, section: &Section<'_, '_>, allowed: RangeInclusive<usize>) {
    let start = section.heading.span.start;
    let what = format!("section {:?}", section.heading.title);
    count_words(report, start, &what, section.text, allowed);
}

fn count_words(
    report: &mut Report<'_>,
    offset: usize,
    what: &str,
    text: &str,
    allowed: RangeInclusive<usize>,
) {
    let words = text.split_whitespace().count();
    // Nothing at all is a fault of its own.
    if words > 0 && !allowed.contains(&words) {
        let (least, most) = allowed.into_inner();
        let message = format!("{what} has {words} words, expected {least} to {most}");
        report.at(offset, message);
    }
}

/// What all files of an exercise have in common: the name, the sources, and the links to pages of ours.
struct Common {
    sources: Vec<String>,
    links: Vec<Link>,
    diagnostics: Vec<Diagnostic>,
}

/// Checks what the files have in common; the first of them declares the sources.
fn finish<const N: usize>(
    mut reports: [Report<'_>; N],
    slug: &str,
    declared: Option<Vec<Text>>,
    sources: &[Source],
) -> Common {
    if let Some(first) = reports.first_mut() {
        check_slug(first, 0, "folder name", slug);
    }
    check_citations(&mut reports, declared.as_deref(), sources);
    Common {
        links: reports.iter_mut().flat_map(Report::take_links).collect(),
        sources: declared
            .unwrap_or_default()
            .into_iter()
            .map(|source| source.value)
            .collect(),
        diagnostics: reports
            .into_iter()
            .flat_map(Report::into_diagnostics)
            .collect(),
    }
}
