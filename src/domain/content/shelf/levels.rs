//! `levels.toml`: the ladder, what is done and asked at each level, and how one is promoted.
//!
//! Must never know which two levels somebody compares.

use super::super::diagnostic::Report;
use super::super::fields::Table;
use super::basis::read_conflicts;
use super::range::range;
use super::{Basis, Conflict, Range, Rung, Statement, differing, each, pick, some, text};

/// The ladder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Levels {
    /// From the lowest to the highest, each rung once.
    pub levels: Vec<Level>,
    pub conflicts: Vec<Conflict>,
}

/// What the sources say of one level. An empty list says that none of them says anything.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Level {
    pub rung: Rung,
    /// One for each source, so that a conflict shows.
    pub years: Vec<Years>,
    /// What companies call it.
    pub grades: Vec<Statement>,
    /// What is owned.
    pub scope: Vec<Statement>,
    /// What the design round asks.
    pub round: Vec<Statement>,
    /// How the working time divides.
    pub split: Vec<Share>,
    /// The design documents that are written.
    pub documents: Vec<Statement>,
    pub on_call: Vec<Statement>,
    pub mentoring: Vec<Statement>,
    /// How one gets to the next level.
    pub promotion: Vec<Promotion>,
}

/// Years of experience at a level, after one source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Years {
    pub range: Range,
    pub basis: Basis,
}

/// A part of the working time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Share {
    pub activity: String,
    /// Percent
    pub share: Range,
    pub basis: Basis,
}

/// What it takes to get to the next level.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Promotion {
    /// Years at this level before it.
    pub years: Option<Range>,
    pub text: String,
    pub basis: Basis,
}

impl Levels {
    pub fn level(&self, rung: Rung) -> Option<&Level> {
        self.levels.iter().find(|level| level.rung == rung)
    }
}

impl Level {
    /// Whether the sources differ on its years.
    pub fn years_differ(&self) -> bool {
        self.years
            .iter()
            .any(|years| years.range != self.years[0].range)
    }
}

pub(super) fn read(report: &mut Report<'_>, root: Table<'_>) -> Levels {
    let fields = root.open(report, &["level"], &["conflict"]);
    let headers = fields.tables(report, "level").unwrap_or_default();
    let headers: Vec<usize> = headers.iter().map(|table| table.header).collect();
    let levels = some(report, &fields, "level", read_level);
    for (place, (level, rung)) in levels.iter().zip(Rung::ALL).enumerate() {
        if level.rung != rung && levels.len() == headers.len() {
            report.at(
                headers[place],
                format!(
                    "{:?} stands where {:?} is expected; levels go from {} up, each once",
                    level.rung.slug(),
                    rung.slug(),
                    Rung::ALL[0].slug()
                ),
            );
            break;
        }
    }
    let last = headers.last().copied().unwrap_or_default();
    report.count(
        "[[level]] tables",
        Rung::ALL.len()..=Rung::ALL.len(),
        &headers,
        last,
    );
    let pairs: Vec<(String, String)> = levels
        .iter()
        .flat_map(|level| {
            let id = |years: &Years| {
                let source = years.basis.source().unwrap_or("ours");
                format!("{}:{source}", level.rung.slug())
            };
            differing(&level.years, id, |one, other| one.range != other.range)
        })
        .collect();
    let conflicts = read_conflicts(report, &fields, &pairs);
    Levels { levels, conflicts }
}

fn read_level(report: &mut Report<'_>, table: Table<'_>) -> Option<Level> {
    let required = [
        "id",
        "years",
        "scope",
        "round",
        "documents",
        "on_call",
        "mentoring",
        "promotion",
    ];
    let fields = table.open(report, &required, &["grades", "split"]);
    let rung = pick(report, &fields, "id", &Rung::ALL, Rung::slug);
    let years = each(report, &fields, "years", |report, table| {
        let fields = table.open(report, &["range", "source"], &["working"]);
        let range = range(report, &fields, "range");
        let basis = Basis::read(report, &fields);
        Some(Years {
            range: range?,
            basis: basis?,
        })
    });
    let split = each(report, &fields, "split", |report, table| {
        let fields = table.open(report, &["activity", "share", "source"], &["working"]);
        let activity = text(report, &fields, "activity");
        let share = range(report, &fields, "share");
        if share.is_some_and(|share| share.high > 100) {
            report.at(fields.place("share"), "a share is at most 100 percent");
        }
        let basis = Basis::read(report, &fields);
        Some(Share {
            activity: activity?,
            share: share?,
            basis: basis?,
        })
    });
    let (least, most) = split.iter().fold((0, 0), |(least, most), share| {
        (least + share.share.low, most + share.share.high)
    });
    if !split.is_empty() && !(least..=most).contains(&100) {
        report.at(
            fields.place("split"),
            format!("the shares add to {least} to {most} percent, which 100 is not among"),
        );
    }
    let promotion = each(report, &fields, "promotion", |report, table| {
        let fields = table.open(report, &["text", "source"], &["years", "working"]);
        let years = range(report, &fields, "years");
        let said = text(report, &fields, "text");
        let basis = Basis::read(report, &fields);
        Some(Promotion {
            years,
            text: said?,
            basis: basis?,
        })
    });
    let mut statements = |key| each(report, &fields, key, Statement::read);
    let (grades, scope, round) = (
        statements("grades"),
        statements("scope"),
        statements("round"),
    );
    let (documents, on_call, mentoring) = (
        statements("documents"),
        statements("on_call"),
        statements("mentoring"),
    );
    Some(Level {
        rung: rung?,
        years,
        grades,
        scope,
        round,
        split,
        documents,
        on_call,
        mentoring,
        promotion,
    })
}
