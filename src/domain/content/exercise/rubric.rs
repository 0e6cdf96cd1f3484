//! `rubric.toml` of an exercise: as a prompt's, with criteria of its own and without phases.
//!
//! Must never know a person's work or who judges it.

use toml::de::DeTable;

use super::super::diagnostic::Report;
use super::super::fields::{Table, report_syntax};
use super::super::rubric::{Anchor, Pitfall, pick, read_judged};
use crate::domain::exercise::{ExerciseCriterion, Kind};
use crate::domain::level::Rating;

/// What the work on one exercise is judged on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rubric {
    /// Rises with each change of meaning, so that scores stay with the rubric they were given by.
    pub version: u32,
    pub criteria: Vec<Criterion>,
}

/// One row of such a rubric: behaviourally anchored, one anchor a rating.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Criterion {
    pub id: ExerciseCriterion,
    pub title: String,
    /// What an assessor would point at.
    pub evidence: Vec<String>,
    /// In the order of [`Rating::ALL`].
    pub anchors: [Anchor; 4],
    pub pitfalls: Vec<Pitfall>,
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

impl Rubric {
    pub fn criterion(&self, id: ExerciseCriterion) -> Option<&Criterion> {
        self.criteria.iter().find(|criterion| criterion.id == id)
    }

    pub fn ids(&self) -> Vec<ExerciseCriterion> {
        self.criteria.iter().map(|criterion| criterion.id).collect()
    }
}

pub(super) fn read(report: &mut Report<'_>, kind: Kind) -> Option<Rubric> {
    let (document, errors) = DeTable::parse_recoverable(report.text);
    report_syntax(report, &errors);
    let fields = Table::root(&document).open(report, &["version", "criterion"], &[]);
    let version = fields.number(report, "version");
    if let Some(version) = version.filter(|version| version.value == 0) {
        report.at(version.offset, "versions count from 1");
    }
    let tables = fields.tables(report, "criterion")?;
    let headers: Vec<usize> = tables.iter().map(|table| table.header).collect();
    let last = headers.last().copied().unwrap_or_default();
    // All of the kind's criteria, or all but one.
    let all = kind.criteria().len();
    report.count("[[criterion]] tables", all - 1..=all, &headers, last);
    let mut ids = Vec::new();
    let criteria: Vec<Option<Criterion>> = tables
        .into_iter()
        .map(|table| read_criterion(report, table, kind, &mut ids))
        .collect();
    Some(Rubric {
        version: version?.value,
        criteria: criteria.into_iter().collect::<Option<_>>()?,
    })
}

fn read_criterion(
    report: &mut Report<'_>,
    table: Table<'_>,
    kind: Kind,
    ids: &mut Vec<ExerciseCriterion>,
) -> Option<Criterion> {
    let required = ["id", "title", "evidence", "anchors", "pitfalls"];
    let fields = table.open(report, &required, &[]);
    let slug = ExerciseCriterion::slug;
    let id = pick(report, &fields, "id", "criterion", kind.criteria(), slug);
    if let Some(id) = id {
        if ids.contains(&id) {
            let message = format!("criterion {:?} stands here a second time", id.slug());
            report.at(fields.place("id"), message);
        }
        ids.push(id);
    }
    let judged = read_judged(report, &fields)?;
    Some(Criterion {
        id: id?,
        title: judged.title,
        evidence: judged.evidence,
        anchors: judged.anchors,
        pitfalls: judged.pitfalls,
    })
}
