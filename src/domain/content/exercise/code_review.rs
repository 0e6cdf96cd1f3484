//! `exercises/code-review/<slug>/`: a change with planted faults, what a good review says, and the rubric.
//!
//! Must never know a person's comments.

use toml::de::DeTable;

use super::super::diagnostic::{Report, unknown};
use super::super::fields::{Fields, Table, report_syntax};
use super::super::rubric::pick;
use super::super::source::SourceRef;
use super::super::{Link, Parsed, Source, check_slug, markdown, prose};
use super::diff::{self, Change, ChangedFile};
use super::rubric::{self, Rubric};
use super::{Front, check_words, count_words, finish, folder, read_front, split};
use crate::domain::exercise::{Decoy, FaultKind, Kind, Lines, Planted, Severity};

/// How many lines a change adds and removes in all.
const CHANGED_LINES: std::ops::RangeInclusive<usize> = 50..=260;

/// The texts of a code review's four files.
#[derive(Clone, Copy, Debug)]
pub struct CodeReviewFiles<'a> {
    /// `review.md`
    pub review: &'a str,
    /// `change.diff`
    pub change: &'a str,
    /// `faults.toml`
    pub faults: &'a str,
    /// `rubric.toml`
    pub rubric: &'a str,
}

/// A change to review.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CodeReview {
    pub slug: String,
    pub front: Front,
    /// The ids of the sources cited in any of the files.
    pub sources: Vec<String>,
    /// Markdown: what the service does, and what its author says of the change.
    pub context: String,
    pub change: Change,
    /// Nobody sees these, nor the next two, before scoring.
    pub faults: Vec<PlantedFault>,
    pub traps: Vec<Trap>,
    /// Markdown.
    pub good_review: String,
    pub rubric: Rubric,
    /// Those to pages of ours, from any of the files.
    pub links: Vec<Link>,
}

impl CodeReview {
    /// Where the faults are, for matching with comments.
    pub fn planted(&self) -> Vec<Planted> {
        self.faults
            .iter()
            .map(|fault| fault.place.clone())
            .collect()
    }

    /// Where there only seems to be a fault.
    pub fn decoys(&self) -> Vec<Decoy> {
        self.traps.iter().map(|trap| trap.place.clone()).collect()
    }
}

/// A fault to find.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlantedFault {
    /// A slug, unique within the change.
    pub id: String,
    pub title: String,
    pub place: Planted,
    /// Markdown: what happens, to whom, when.
    pub explanation: String,
    /// Markdown.
    pub fix: String,
    pub source: SourceRef,
}

/// What looks wrong and is fine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trap {
    pub place: Decoy,
    /// Markdown: why it is fine.
    pub explanation: String,
}

/// Reads a code review. `slug` is its folder's name; `sources` is what may be cited.
pub fn parse_code_review(
    slug: &str,
    files: CodeReviewFiles<'_>,
    sources: &[Source],
) -> Parsed<CodeReview> {
    let report =
        |name: &str, text| Report::new(format!("{}/{name}", folder(Kind::CodeReview, slug)), text);
    let mut review_report = report("review.md", files.review);
    let mut change_report = report("change.diff", files.change);
    let mut faults_report = report("faults.toml", files.faults);
    let mut rubric_report = report("rubric.toml", files.rubric);

    let front_place = split(&mut review_report);
    let (context, good_review) = read_review(&mut review_report, front_place.body);
    let (front, declared) = read_front(&mut review_report, front_place, &[30, 45]);
    let change = diff::read(&mut change_report);
    check_size(&mut change_report, &change);
    let planted = read_faults(&mut faults_report, &change);
    let rubric = rubric::read(&mut rubric_report, Kind::CodeReview);

    let was_declared = declared.is_some();
    let common = finish(
        [review_report, change_report, faults_report, rubric_report],
        slug,
        declared,
        sources,
    );
    let assemble = || {
        let (faults, traps) = planted?;
        Some(CodeReview {
            slug: slug.to_owned(),
            front: front?,
            sources: was_declared.then_some(common.sources)?,
            context: context?,
            change,
            faults,
            traps,
            good_review: good_review?,
            rubric: rubric?,
            links: common.links,
        })
    };
    Parsed::new(assemble(), common.diagnostics)
}

fn read_review(report: &mut Report<'_>, start: usize) -> (Option<String>, Option<String>) {
    let body = &report.text[start..];
    let outline = markdown::read(report, body, |offset| start + offset);
    let names = ["Context", "What a good review says"];
    let mut sections = markdown::sections(report, &outline, start, &names).into_iter();
    let (context, good) = (sections.next().flatten(), sections.next().flatten());
    prose::check(report, body, |offset| start + offset);
    for (section, words) in [(&context, 80..=300), (&good, 200..=600)] {
        if let Some(section) = section {
            section.no_headings(report);
            check_words(report, section, words);
        }
    }
    let text = |section: markdown::Section<'_, '_>| section.text.to_owned();
    (context.map(text), good.map(text))
}

fn check_size(report: &mut Report<'_>, change: &Change) {
    let (least, most) = CHANGED_LINES.into_inner();
    let changed: usize = change
        .files
        .iter()
        .map(ChangedFile::counts)
        .map(|(added, removed)| added + removed)
        .sum();
    if !CHANGED_LINES.contains(&changed) {
        report.absent(
            0,
            format!("{changed} lines are added or removed, expected {least} to {most}"),
        );
    }
    if !(2..=4).contains(&change.files.len()) {
        let files = change.files.len();
        report.absent(0, format!("{files} files change, expected 2 to 4"));
    }
}

fn read_faults(report: &mut Report<'_>, change: &Change) -> Option<(Vec<PlantedFault>, Vec<Trap>)> {
    let (document, errors) = DeTable::parse_recoverable(report.text);
    report_syntax(report, &errors);
    let fields = Table::root(&document).open(report, &["fault", "decoy"], &[]);
    let faults = fields.tables(report, "fault").map(|tables| {
        let headers: Vec<usize> = tables.iter().map(|table| table.header).collect();
        let last = headers.last().copied().unwrap_or_default();
        report.count("[[fault]] tables", 5..=8, &headers, last);
        let mut ids = Vec::new();
        let faults: Vec<Option<PlantedFault>> = tables
            .into_iter()
            .map(|table| read_fault(report, table, change, &mut ids))
            .collect();
        let faults = faults.into_iter().collect::<Option<Vec<PlantedFault>>>()?;
        let mut kinds: Vec<FaultKind> = faults.iter().map(|fault| fault.place.kind).collect();
        kinds.sort();
        kinds.dedup();
        if kinds.len() < 4 {
            let message = format!("faults of {} kinds, expected at least 4", kinds.len());
            report.absent(last, message);
        }
        Some(faults)
    });
    let traps = fields.tables(report, "decoy").map(|tables| {
        let headers: Vec<usize> = tables.iter().map(|table| table.header).collect();
        let last = headers.last().copied().unwrap_or_default();
        report.count("[[decoy]] tables", 1..=3, &headers, last);
        let traps: Vec<Option<Trap>> = tables
            .into_iter()
            .map(|table| read_trap(report, table, change))
            .collect();
        let traps = traps.into_iter().collect::<Option<Vec<Trap>>>();
        (traps, headers)
    });
    let (faults, (traps, headers)) = (faults??, traps?);
    let traps = traps?;
    for (trap, header) in traps.iter().zip(headers) {
        let place = &trap.place;
        let overlaps = |fault: &&PlantedFault| {
            fault.place.file == place.file
                && (fault.place.spans.iter()).any(|span| span.distance(place.lines) == 0)
        };
        if let Some(fault) = faults.iter().find(overlaps) {
            let message = format!("this decoy stands on the lines of the fault {:?}", fault.id);
            report.at(header, message);
        }
    }
    Some((faults, traps))
}

fn read_fault(
    report: &mut Report<'_>,
    table: Table<'_>,
    change: &Change,
    ids: &mut Vec<String>,
) -> Option<PlantedFault> {
    let required = [
        "id",
        "title",
        "kind",
        "severity",
        "file",
        "lines",
        "explanation",
        "fix",
        "source",
    ];
    let fields = table.open(report, &required, &["also"]);
    let id = fields.string(report, "id");
    if let Some(id) = &id {
        check_slug(report, id.offset, "fault id", &id.value);
        if ids.contains(&id.value) {
            let message = format!("fault {:?} stands here a second time", id.value);
            report.at(id.offset, message);
        }
        ids.push(id.value.clone());
    }
    let title = fields.string(report, "title");
    let (kinds, severities) = (FaultKind::ALL, Severity::ALL);
    let kind = pick(report, &fields, "kind", "kind", &kinds, FaultKind::slug);
    let severity = pick(
        report,
        &fields,
        "severity",
        "severity",
        &severities,
        Severity::slug,
    );
    let file = read_file_name(report, &fields, change);
    let lines = read_lines(report, &fields, file);
    let also = match fields.ranges(report, "also") {
        Some(ranges) => ranges
            .into_iter()
            .map(|(offset, numbers)| check_lines(report, offset, &numbers, file))
            .collect(),
        None => Some(Vec::new()),
    };
    let explanation = read_text(report, &fields, "explanation", 30..=150);
    let fix = read_text(report, &fields, "fix", 15..=110);
    let source = fields.source(report, "source");
    let mut spans = vec![lines?];
    spans.extend(also?);
    Some(PlantedFault {
        id: id?.value,
        title: title?.value,
        place: Planted {
            file: file?.path.clone(),
            spans,
            kind: kind?,
            severity: severity?,
        },
        explanation: explanation?,
        fix: fix?,
        source: source?,
    })
}

fn read_trap(report: &mut Report<'_>, table: Table<'_>, change: &Change) -> Option<Trap> {
    let fields = table.open(report, &["file", "lines", "explanation"], &[]);
    let file = read_file_name(report, &fields, change);
    let lines = read_lines(report, &fields, file);
    let explanation = read_text(report, &fields, "explanation", 10..=130);
    Some(Trap {
        place: Decoy {
            file: file?.path.clone(),
            lines: lines?,
        },
        explanation: explanation?,
    })
}

fn read_text(
    report: &mut Report<'_>,
    fields: &Fields<'_>,
    key: &str,
    words: std::ops::RangeInclusive<usize>,
) -> Option<String> {
    let text = fields.markdown(report, key)?;
    count_words(report, text.offset, key, &text.value, words);
    Some(text.value)
}

fn read_file_name<'c>(
    report: &mut Report<'_>,
    fields: &Fields<'_>,
    change: &'c Change,
) -> Option<&'c ChangedFile> {
    let name = fields.string(report, "file")?;
    let found = change.file(&name.value);
    if found.is_none() {
        let known = change.files.iter().filter(|file| !file.is_deleted);
        let known: Vec<&str> = known.map(|file| file.path.as_str()).collect();
        let message = unknown("file of change.diff", &name.value, &known);
        report.at(name.offset, message);
    }
    found
}

fn read_lines(
    report: &mut Report<'_>,
    fields: &Fields<'_>,
    file: Option<&ChangedFile>,
) -> Option<Lines> {
    let numbers = fields.numbers(report, "lines")?;
    let numbers: Vec<u32> = numbers.iter().map(|number| number.value).collect();
    check_lines(report, fields.place("lines"), &numbers, file)
}

/// Lines are two numbers, ascending, that the change shows on the new side.
fn check_lines(
    report: &mut Report<'_>,
    offset: usize,
    numbers: &[u32],
    file: Option<&ChangedFile>,
) -> Option<Lines> {
    let &[first, last] = numbers else {
        let found = numbers.len();
        report.at(
            offset,
            format!("lines are two numbers, the first and the last; found {found}"),
        );
        return None;
    };
    if first > last {
        report.at(offset, format!("line {first} comes after line {last}"));
        return None;
    }
    let lines = Lines { first, last };
    if let Some(file) = file {
        for line in [first, last] {
            if !file.shows(line) {
                let message = format!("line {line} of {} is not shown in change.diff", file.path);
                report.at(offset, message);
                return None;
            }
        }
    }
    Some(lines)
}
