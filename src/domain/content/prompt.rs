//! `prompt.md`: what the candidate is asked, with hints and curveballs, behind front matter in TOML.
//!
//! Must never know the other three files: what they have in common is checked where they are put together.

use std::ops::Range;

use toml::de::DeTable;

use super::diagnostic::Report;
use super::fields::{Fields, Number, Table, Text, report_syntax};
use super::markdown::{self, Block, BlockKind, Item, Outline, Section};
use super::source::SourceRef;
use super::{check_slug, prose};
use crate::domain::level::Level;
use crate::domain::phase::Phase;

/// A closed list of what a prompt can be about.
pub const TOPICS: [&str; 26] = [
    "money",
    "idempotency",
    "transactions",
    "limits",
    "caching",
    "counters",
    "fan-out",
    "ranking",
    "timelines",
    "geo",
    "matching",
    "real-time",
    "queues",
    "storage",
    "observability",
    "messaging",
    "delivery",
    "replication",
    "partitioning",
    "multi-region",
    "migration",
    "billing",
    "workflow",
    "configuration",
    "language-models",
    "cost",
];

/// The sections of `prompt.md`, in order.
const SECTIONS: [&str; 6] = [
    "Situation",
    "Functional requirements",
    "Quality requirements",
    "Out of scope",
    "Hints",
    "Curveballs",
];

/// The most characters of a summary.
pub(super) const SUMMARY_LENGTH: usize = 140;

/// The minutes of a 60-minute round in which a curveball may come.
const CURVEBALL_MINUTES: std::ops::RangeInclusive<u32> = 15..=58;

/// One row of the scale in numbers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScaleRow {
    pub label: String,
    /// Shown as it stands.
    pub value: String,
    pub source: SourceRef,
    pub note: Option<String>,
}

/// A level that a source names the system for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedFor {
    pub level: Level,
    pub source: SourceRef,
    /// In which words, where that matters.
    pub note: Option<String>,
}

/// A question that nudges, for a candidate who is stuck.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hint {
    pub phase: Phase,
    pub title: String,
    /// Markdown.
    pub body: String,
}

/// What `prompt.md` says, as far as it could be read.
pub(super) struct PromptText {
    pub front: Option<Front>,
    /// The ids that the prompt says it cites.
    pub declared: Option<Vec<Text>>,
    /// Markdown of the four sections of prose.
    pub situation: Option<String>,
    pub functional: Option<String>,
    pub quality: Option<String>,
    pub out_of_scope: Option<String>,
    pub hints: Option<Vec<Hint>>,
    /// Each curveball, even if there is a fault in it; `None` without the section.
    pub curveballs: Option<Vec<Question>>,
}

/// The front matter.
pub(super) struct Front {
    pub title: String,
    pub summary: String,
    pub levels: Vec<Level>,
    pub minutes: Vec<u32>,
    pub topics: Vec<String>,
    pub named: Vec<NamedFor>,
    pub scale: Vec<ScaleRow>,
}

/// A curveball without its answer.
pub(super) struct Question {
    pub id: Option<String>,
    pub title: String,
    pub minute: Option<u32>,
    pub level: Option<Level>,
    /// Markdown.
    pub text: String,
}

pub(super) fn read(report: &mut Report<'_>) -> PromptText {
    let (front, body_start) = split_front_matter(report);

    let text = report.text;
    let outline = markdown::read(report, &text[body_start..], |offset| body_start + offset);
    let mut prompt = read_body(report, &outline, body_start);
    prose::check(report, &text[body_start..], |offset| body_start + offset);

    // After the body, so that broken TOML does not silence what the body lacks.
    if let Some(front) = front {
        // Blank up to the front matter, so that the places are those in the file.
        let blank: String = text[..front.start]
            .chars()
            .map(|character| if character == '\n' { '\n' } else { ' ' })
            .collect();
        let document = blank + &text[front];
        let (document, errors) = DeTable::parse_recoverable(&document);
        report_syntax(report, &errors);
        let required = [
            "title", "summary", "levels", "minutes", "topics", "sources", "named", "scale",
        ];
        let fields = Table::root(&document).open(report, &required, &[]);
        prompt.front = read_front(report, &fields);
        prompt.declared = fields.strings(report, "sources");
    }
    prompt
}

/// Where the front matter stands, if there is any, and where the text after it begins.
pub(super) fn split_front_matter(report: &mut Report<'_>) -> (Option<Range<usize>>, usize) {
    let text = report.text;
    let lines = || {
        text.split_inclusive('\n').scan(0, |end, line| {
            let start = *end;
            *end += line.len();
            Some((start..*end, line.trim_end()))
        })
    };
    let mut fences = lines()
        .filter(|(_, line)| *line == "+++")
        .map(|(span, _)| span);
    let first_section = || {
        lines()
            .find(|(_, line)| line.starts_with("## "))
            .map_or(text.len(), |(span, _)| span.start)
    };
    match (
        fences.next().filter(|opening| opening.start == 0),
        fences.next(),
    ) {
        (Some(opening), Some(closing)) => (Some(opening.end..closing.start), closing.end),
        (Some(opening), None) => {
            report.at(0, "front matter without an end: a line +++");
            let end = first_section();
            (Some(opening.end..end.max(opening.end)), end)
        }
        (None, _) => {
            report.at(0, "missing front matter: a line +++, TOML, and a line +++");
            (None, first_section())
        }
    }
}

fn read_front(report: &mut Report<'_>, fields: &Fields<'_>) -> Option<Front> {
    let title = fields.string(report, "title");
    let summary = fields.string(report, "summary");
    if let Some(summary) = &summary {
        let length = summary.value.chars().count();
        if length > SUMMARY_LENGTH {
            let message = format!("summary of {length} characters, at most {SUMMARY_LENGTH} fit");
            report.at(summary.offset, message);
        }
    }
    let levels = fields.strings(report, "levels").and_then(|words| {
        report.count(
            "levels",
            1..=Level::ALL.len(),
            &offsets(&words),
            fields.place("levels"),
        );
        vocabulary(report, "level", &words, &Level::ALL, Level::slug)
    });
    let minutes = fields.numbers(report, "minutes");
    if let Some(minutes) = &minutes {
        check_minutes(report, minutes, fields.place("minutes"));
    }
    let topics = fields.strings(report, "topics").and_then(|words| {
        report.count("topics", 2..=5, &offsets(&words), fields.place("topics"));
        vocabulary(report, "topic", &words, &TOPICS, |topic| topic)
    });
    let named = fields.tables(report, "named").and_then(|tables| {
        let headers: Vec<usize> = tables.iter().map(|table| table.header).collect();
        report.count("[[named]] tables", 1..=4, &headers, fields.place("named"));
        let named: Vec<Option<NamedFor>> = tables
            .into_iter()
            .map(|table| read_named(report, table))
            .collect();
        named.into_iter().collect::<Option<Vec<NamedFor>>>()
    });
    let scale = fields.tables(report, "scale").and_then(|rows| {
        let headers: Vec<usize> = rows.iter().map(|row| row.header).collect();
        report.count(
            "[[scale]] rows",
            5..=8,
            &headers,
            headers.last().copied().unwrap_or(fields.header),
        );
        let rows: Vec<Option<ScaleRow>> = rows
            .into_iter()
            .map(|row| read_scale_row(report, row))
            .collect();
        rows.into_iter().collect::<Option<Vec<ScaleRow>>>()
    });
    Some(Front {
        title: title?.value,
        summary: summary?.value,
        levels: levels?,
        minutes: minutes?.into_iter().map(|number| number.value).collect(),
        topics: topics?.into_iter().map(str::to_owned).collect(),
        named: named?,
        scale: scale?,
    })
}

fn read_named(report: &mut Report<'_>, table: Table<'_>) -> Option<NamedFor> {
    let fields = table.open(report, &["level", "source"], &["note"]);
    let level = fields
        .string(report, "level")
        .and_then(|word| report.pick("level", word.offset, &word.value, &Level::ALL, Level::slug));
    let source = fields.source(report, "source");
    let note = fields.string(report, "note");
    Some(NamedFor {
        level: level?,
        source: source?,
        note: note.map(|text| text.value),
    })
}

fn check_minutes(report: &mut Report<'_>, minutes: &[Number], place: usize) {
    if minutes.is_empty() {
        report.absent(place, "expected at least one round length, found none");
    }
    for (index, number) in minutes.iter().enumerate() {
        if number.value == 0 {
            report.at(number.offset, "a round of 0 minutes");
        }
        if index > 0 && number.value <= minutes[index - 1].value {
            report.at(number.offset, "round lengths ascend");
        }
    }
}

pub(super) fn read_scale_row(report: &mut Report<'_>, row: Table<'_>) -> Option<ScaleRow> {
    let fields = row.open(report, &["label", "value", "source"], &["note"]);
    let label = fields.string(report, "label");
    let value = fields.string(report, "value");
    let source = fields.source(report, "source");
    let note = fields.string(report, "note");
    Some(ScaleRow {
        label: label?.value,
        value: value?.value,
        source: source?,
        note: note.map(|text| text.value),
    })
}

/// The members of a closed vocabulary that the words name, each once.
pub(super) fn vocabulary<T: Copy>(
    report: &mut Report<'_>,
    what: &str,
    words: &[Text],
    all: &[T],
    slug: impl Fn(T) -> &'static str,
) -> Option<Vec<T>> {
    let mut members = Vec::new();
    for (index, word) in words.iter().enumerate() {
        if words[..index]
            .iter()
            .any(|earlier| earlier.value == word.value)
        {
            report.at(
                word.offset,
                format!("{what} {:?} stands here a second time", word.value),
            );
        }
        members.push(report.pick(what, word.offset, &word.value, all, &slug));
    }
    members.into_iter().collect()
}

pub(super) fn offsets(words: &[Text]) -> Vec<usize> {
    words.iter().map(|word| word.offset).collect()
}

fn read_body(report: &mut Report<'_>, outline: &Outline, start: usize) -> PromptText {
    let mut sections = markdown::sections(report, outline, start, &SECTIONS).into_iter();
    let mut next = || sections.next().flatten();
    let situation = next();
    let lists = [next(), next(), next()];
    let hints = next();
    let curveballs = next();

    if let Some(situation) = &situation {
        situation.no_headings(report);
        let paragraphs = paragraphs(situation.blocks);
        report.count(
            "paragraphs in \"Situation\"",
            2..=4,
            &paragraphs,
            situation.heading.span.start,
        );
    }
    for section in lists.iter().flatten() {
        section.no_headings(report);
        if items(section).next().is_none() && !section.text.is_empty() {
            report.at(
                section.heading.span.start,
                format!("section {:?} is a list", section.heading.title),
            );
        }
    }
    if let Some(quality) = &lists[1] {
        for item in items(quality).filter(|item| {
            !item
                .text
                .contains(|character: char| character.is_ascii_digit())
        }) {
            report.at(item.offset, "quality requirement without a number");
        }
    }

    let text = |section: &Section<'_, '_>| section.text.to_owned();
    PromptText {
        front: None,
        declared: None,
        situation: situation.as_ref().map(text),
        functional: lists[0].as_ref().map(text),
        quality: lists[1].as_ref().map(text),
        out_of_scope: lists[2].as_ref().map(text),
        hints: hints.and_then(|section| read_hints(report, &section)),
        curveballs: curveballs.map(|section| read_curveballs(report, &section)),
    }
}

fn paragraphs(blocks: &[Block]) -> Vec<usize> {
    blocks
        .iter()
        .filter(|block| block.kind == BlockKind::Paragraph)
        .map(|block| block.offset)
        .collect()
}

fn items<'o>(section: &Section<'_, 'o>) -> impl Iterator<Item = &'o Item> {
    section.blocks.iter().flat_map(|block| match &block.kind {
        BlockKind::List(items) => items.as_slice(),
        _ => &[],
    })
}

fn read_hints<'t>(report: &mut Report<'t>, section: &Section<'t, '_>) -> Option<Vec<Hint>> {
    let entries = section.entries(report);
    let headings: Vec<usize> = entries
        .iter()
        .map(|entry| entry.heading.span.start)
        .collect();
    report.count("hints", 5..=7, &headings, section.heading.span.start);
    let mut hints = Vec::new();
    for entry in &entries {
        entry.no_headings(report);
        let paragraphs = entry
            .blocks
            .iter()
            .map(|block| block.offset)
            .collect::<Vec<_>>();
        if !paragraphs.is_empty() {
            report.count(
                "paragraph in a hint",
                1..=1,
                &paragraphs,
                entry.heading.span.start,
            );
        }
        let (_, [phase]) = entry.heading.attributes(report, false, ["phase"]);
        let phase = phase.and_then(|word| {
            let at = entry.heading.place(report, "phase");
            report.pick("phase", at, word, &Phase::ALL, Phase::slug)
        });
        hints.push(phase.map(|phase| Hint {
            phase,
            title: entry.heading.title.clone(),
            body: entry.text.to_owned(),
        }));
    }
    let hints: Vec<Hint> = hints.into_iter().collect::<Option<_>>()?;
    let mut phases: Vec<Phase> = hints.iter().map(|hint| hint.phase).collect();
    phases.sort();
    phases.dedup();
    if phases.len() < 4 {
        let message = format!("hints over {} phases, expected at least 4", phases.len());
        report.at(section.heading.span.start, message);
    }
    Some(hints)
}

fn read_curveballs<'t>(report: &mut Report<'t>, section: &Section<'t, '_>) -> Vec<Question> {
    let entries = section.entries(report);
    let headings: Vec<usize> = entries
        .iter()
        .map(|entry| entry.heading.span.start)
        .collect();
    report.count("curveballs", 4..=6, &headings, section.heading.span.start);

    let mut questions: Vec<Question> = Vec::new();
    let mut all_levels_known = true;
    let mut levels = Vec::new();
    let mut latest = None;
    for entry in &entries {
        entry.no_headings(report);
        let heading = entry.heading;
        let (id, [minute, level]) = heading.attributes(report, true, ["minute", "level"]);
        let level = level.and_then(|word| {
            let at = heading.place(report, "level");
            report.pick("level", at, word, &Level::ALL, Level::slug)
        });
        all_levels_known &= level.is_some();
        levels.extend(level);
        let minute =
            minute.and_then(|word| read_minute(report, heading.place(report, "minute"), word));
        if let (Some(minute), Some(latest)) = (minute, latest)
            && minute <= latest
        {
            report.at(
                heading.place(report, "minute"),
                format!("minute {minute} does not come after minute {latest}"),
            );
        }
        latest = minute.or(latest);
        if let Some(id) = id {
            let offset = heading.place(report, id);
            check_slug(report, offset, "curveball id", id);
            if questions
                .iter()
                .any(|earlier| earlier.id.as_deref() == Some(id))
            {
                report.at(
                    offset,
                    format!("curveball {id:?} stands here a second time"),
                );
            }
        }
        questions.push(Question {
            id: id.map(str::to_owned),
            title: heading.title.clone(),
            minute,
            level,
            text: entry.text.to_owned(),
        });
    }
    for level in Level::ALL {
        if all_levels_known && !levels.contains(&level) {
            report.at(
                section.heading.span.start,
                format!("no curveball at level {:?}", level.slug()),
            );
        }
    }
    questions
}

fn read_minute(report: &mut Report<'_>, offset: usize, word: &str) -> Option<u32> {
    let minute = word
        .parse::<u32>()
        .ok()
        .filter(|minute| CURVEBALL_MINUTES.contains(minute));
    if minute.is_none() {
        let (first, last) = CURVEBALL_MINUTES.into_inner();
        report.at(
            offset,
            format!("minute {word:?} is not a whole number from {first} to {last}"),
        );
    }
    minute
}
