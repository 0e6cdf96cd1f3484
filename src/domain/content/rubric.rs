//! `rubric.toml`: what a prompt's answer is judged on, and what tells the ratings apart.
//!
//! Must never know a candidate's answer or who judges it.

use toml::de::DeTable;

use super::diagnostic::Report;
use super::fields::{Fields, Table, report_syntax};
use super::source::SourceRef;
use crate::domain::criterion::CriterionId;
use crate::domain::level::Rating;
use crate::domain::phase::Phase;

/// The ratings for which each criterion names a pitfall; one for `staff` is optional.
const RATINGS_WITH_PITFALL: [Rating; 3] = [Rating::Below, Rating::Mid, Rating::Senior];

/// What the answers to one prompt are judged on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rubric {
    /// Rises with each change of meaning, so that scores stay with the rubric they were given by.
    pub version: u32,
    pub criteria: Vec<Criterion>,
}

/// One row of a rubric: behaviourally anchored, one anchor a rating.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Criterion {
    pub id: CriterionId,
    pub title: String,
    /// Where in an attempt this shows most.
    pub phase: Phase,
    /// What an assessor would point at in the text.
    pub evidence: Vec<String>,
    /// In the order of [`Rating::ALL`].
    pub anchors: [Anchor; 4],
    pub pitfalls: Vec<Pitfall>,
}

/// What is said at a rating.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Anchor {
    pub text: String,
    pub source: SourceRef,
}

/// A usual mistake.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pitfall {
    pub text: String,
    /// Whom it typically holds at this rating.
    pub rating: Rating,
}

impl Criterion {
    pub fn anchor(&self, rating: Rating) -> &Anchor {
        let [below, mid, senior, staff] = &self.anchors;
        match rating {
            Rating::Below => below,
            Rating::Mid => mid,
            Rating::Senior => senior,
            Rating::Staff => staff,
        }
    }
}

pub(super) fn read(report: &mut Report<'_>) -> Option<Rubric> {
    let (document, errors) = DeTable::parse_recoverable(report.text);
    report_syntax(report, &errors);
    let fields = Table::root(&document).open(report, &["version", "criterion"], &[]);
    let version = fields.number(report, "version");
    if let Some(version) = version.filter(|version| version.value == 0) {
        report.at(version.offset, "versions count from 1");
    }
    let tables = fields.tables(report, "criterion")?;
    let headers: Vec<usize> = tables.iter().map(|table| table.header).collect();
    report.count(
        "[[criterion]] tables",
        6..=8,
        &headers,
        headers.last().copied().unwrap_or_default(),
    );
    let mut ids = Vec::new();
    let criteria: Vec<Option<Criterion>> = tables
        .into_iter()
        .map(|table| read_criterion(report, table, &mut ids))
        .collect();
    Some(Rubric {
        version: version?.value,
        criteria: criteria.into_iter().collect::<Option<_>>()?,
    })
}

fn read_criterion(
    report: &mut Report<'_>,
    table: Table<'_>,
    ids: &mut Vec<CriterionId>,
) -> Option<Criterion> {
    let fields = table.open(
        report,
        &["id", "title", "phase", "evidence", "anchors", "pitfalls"],
        &[],
    );
    let id = pick(
        report,
        &fields,
        "id",
        "criterion",
        &CriterionId::ALL,
        CriterionId::slug,
    );
    if let Some(id) = id {
        if ids.contains(&id) {
            report.at(
                fields.place("id"),
                format!("criterion {:?} stands here a second time", id.slug()),
            );
        }
        ids.push(id);
    }
    let phase = pick(report, &fields, "phase", "phase", &Phase::ALL, Phase::slug);
    let judged = read_judged(report, &fields)?;
    Some(Criterion {
        id: id?,
        title: judged.title,
        phase: phase?,
        evidence: judged.evidence,
        anchors: judged.anchors,
        pitfalls: judged.pitfalls,
    })
}

/// What every criterion says, whatever it is for.
pub(super) struct Judged {
    pub title: String,
    pub evidence: Vec<String>,
    pub anchors: [Anchor; 4],
    pub pitfalls: Vec<Pitfall>,
}

/// Reads the keys `title`, `evidence`, `anchors` and `pitfalls`.
pub(super) fn read_judged(report: &mut Report<'_>, fields: &Fields<'_>) -> Option<Judged> {
    let title = fields.string(report, "title");
    let evidence = fields.strings(report, "evidence");
    if let Some(evidence) = &evidence {
        let offsets: Vec<usize> = evidence.iter().map(|text| text.offset).collect();
        report.count(
            "lines of evidence",
            2..=4,
            &offsets,
            fields.place("evidence"),
        );
    }
    let anchors = fields
        .table(report, "anchors")
        .and_then(|table| read_anchors(report, table));
    let pitfalls = fields.tables(report, "pitfalls").and_then(|tables| {
        let pitfalls: Vec<Option<Pitfall>> = tables
            .into_iter()
            .map(|table| read_pitfall(report, table))
            .collect();
        let pitfalls = pitfalls.into_iter().collect::<Option<Vec<Pitfall>>>()?;
        for rating in RATINGS_WITH_PITFALL {
            if !pitfalls.iter().any(|pitfall| pitfall.rating == rating) {
                report.absent(
                    fields.header,
                    format!("no pitfall of rating {:?}", rating.slug()),
                );
            }
        }
        Some(pitfalls)
    });
    Some(Judged {
        title: title?.value,
        evidence: evidence?.into_iter().map(|text| text.value).collect(),
        anchors: anchors?,
        pitfalls: pitfalls?,
    })
}

fn read_anchors(report: &mut Report<'_>, table: Table<'_>) -> Option<[Anchor; 4]> {
    let fields = table.open(report, &Rating::ALL.map(Rating::slug), &[]);
    let [below, mid, senior, staff] = Rating::ALL.map(|rating| {
        let fields = fields
            .table(report, rating.slug())?
            .open(report, &["text", "source"], &[]);
        let text = fields.string(report, "text");
        let source = fields.source(report, "source");
        Some(Anchor {
            text: text?.value,
            source: source?,
        })
    });
    Some([below?, mid?, senior?, staff?])
}

fn read_pitfall(report: &mut Report<'_>, table: Table<'_>) -> Option<Pitfall> {
    let fields = table.open(report, &["text", "rating"], &[]);
    let text = fields.string(report, "text");
    let rating = pick(
        report,
        &fields,
        "rating",
        "rating",
        &Rating::ALL,
        Rating::slug,
    );
    Some(Pitfall {
        text: text?.value,
        rating: rating?,
    })
}

pub(super) fn pick<T: Copy>(
    report: &mut Report<'_>,
    fields: &Fields<'_>,
    key: &str,
    what: &str,
    all: &[T],
    slug: impl Fn(T) -> &'static str,
) -> Option<T> {
    let word = fields.string(report, key)?;
    report.pick(what, word.offset, &word.value, all, slug)
}
