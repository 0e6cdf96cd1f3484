//! `loops.toml`: interview loops, round by round, by level and company.
//!
//! Must never know how a loop is drawn.

use super::super::diagnostic::Report;
use super::super::fields::Table;
use super::basis::read_conflicts;
use super::range::range;
use super::{Basis, Conflict, Ids, Range, Rung, differing, pick, some, text};

/// Every loop that the sources describe.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Loops {
    pub loops: Vec<Loop>,
    pub conflicts: Vec<Conflict>,
}

/// The rounds that stand between an application and an offer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Loop {
    pub id: String,
    pub title: String,
    pub level: Rung,
    /// `None` where the source speaks of companies in general.
    pub company: Option<String>,
    /// How many rounds the source says there are, where it gives a sum.
    pub stated: Option<Range>,
    /// What is left out, where the source describes a part.
    pub covers: Option<String>,
    /// How the outcome is decided.
    pub decision: Option<String>,
    /// In the order in which they are held.
    pub rounds: Vec<Round>,
    pub basis: Basis,
}

/// One kind of round within a loop.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Round {
    pub kind: RoundKind,
    /// How many of them.
    pub count: Range,
    /// How long one takes; `None` where the source does not say.
    pub minutes: Option<Range>,
    pub asks: String,
    pub note: Option<String>,
    pub basis: Basis,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum RoundKind {
    Screen,
    Algorithms,
    Coding,
    TakeHome,
    Design,
    DeepDive,
    Debugging,
    CodeReview,
    Behavioral,
    Other,
}

impl RoundKind {
    pub const ALL: [Self; 10] = [
        Self::Screen,
        Self::Algorithms,
        Self::Coding,
        Self::TakeHome,
        Self::Design,
        Self::DeepDive,
        Self::Debugging,
        Self::CodeReview,
        Self::Behavioral,
        Self::Other,
    ];

    pub fn slug(self) -> &'static str {
        match self {
            Self::Screen => "screen",
            Self::Algorithms => "algorithms",
            Self::Coding => "coding",
            Self::TakeHome => "take-home",
            Self::Design => "design",
            Self::DeepDive => "deep-dive",
            Self::Debugging => "debugging",
            Self::CodeReview => "code-review",
            Self::Behavioral => "behavioral",
            Self::Other => "other",
        }
    }

    pub fn title(self) -> &'static str {
        match self {
            Self::Screen => "Screen",
            Self::Algorithms => "Algorithms",
            Self::Coding => "Backend coding",
            Self::TakeHome => "Take-home",
            Self::Design => "System design",
            Self::DeepDive => "Project deep dive",
            Self::Debugging => "Production debugging",
            Self::CodeReview => "Code review",
            Self::Behavioral => "Behavioral",
            Self::Other => "Not stated",
        }
    }
}

impl Loop {
    /// How many rounds there are after the rounds themselves.
    pub fn counted(&self) -> Range {
        self.rounds
            .iter()
            .fold(Range::exactly(0), |sum, round| sum.plus(&round.count))
    }

    /// How long the rounds whose length is stated take together, in minutes.
    pub fn minutes(&self) -> Range {
        self.rounds.iter().fold(Range::exactly(0), |sum, round| {
            round
                .minutes
                .map_or(sum, |minutes| sum.plus(&round.count.times(&minutes)))
        })
    }

    /// Whether every round's length is stated.
    pub fn is_timed(&self) -> bool {
        self.rounds.iter().all(|round| round.minutes.is_some())
    }

    /// How many rounds of a kind there are.
    fn count_of(&self, kind: RoundKind) -> Option<Range> {
        let mut of_kind = self.rounds.iter().filter(|round| round.kind == kind);
        let first = of_kind.next()?.count;
        Some(of_kind.fold(first, |sum, round| sum.plus(&round.count)))
    }
}

pub(super) fn read(report: &mut Report<'_>, root: Table<'_>) -> Loops {
    let fields = root.open(report, &["loop"], &["conflict"]);
    let mut ids = Ids::default();
    let loops = some(report, &fields, "loop", |report, table| {
        read_loop(report, table, &mut ids)
    });
    // Two sources on the same level in general whose number of design rounds cannot be the same.
    let pairs = differing(
        &loops,
        |found| found.id.clone(),
        |one, other| {
            let in_general = one.company.is_none() && other.company.is_none();
            let counts = one
                .count_of(RoundKind::Design)
                .zip(other.count_of(RoundKind::Design));
            in_general
                && one.level == other.level
                && counts.is_some_and(|(one, other)| !one.overlaps(&other))
        },
    );
    let conflicts = read_conflicts(report, &fields, &pairs);
    Loops { loops, conflicts }
}

fn read_loop(report: &mut Report<'_>, table: Table<'_>, ids: &mut Ids) -> Option<Loop> {
    let fields = table.open(
        report,
        &["id", "title", "level", "round", "source"],
        &["company", "stated", "covers", "decision", "working"],
    );
    let id = ids.read(report, &fields);
    let title = text(report, &fields, "title");
    let level = pick(report, &fields, "level", &Rung::ALL, Rung::slug);
    let company = text(report, &fields, "company");
    let stated = range(report, &fields, "stated");
    let covers = text(report, &fields, "covers");
    let decision = text(report, &fields, "decision");
    let rounds = some(report, &fields, "round", read_round);
    let basis = Basis::read(report, &fields);
    Some(Loop {
        id: id?,
        title: title?,
        level: level?,
        company,
        stated,
        covers,
        decision,
        rounds,
        basis: basis?,
    })
}

fn read_round(report: &mut Report<'_>, table: Table<'_>) -> Option<Round> {
    let fields = table.open(
        report,
        &["kind", "count", "asks", "source"],
        &["minutes", "note", "working"],
    );
    let kind = pick(report, &fields, "kind", &RoundKind::ALL, RoundKind::slug);
    let count = range(report, &fields, "count");
    if count.is_some_and(|count| !(1..=9).contains(&count.high)) {
        report.at(fields.place("count"), "a loop has 1 to 9 rounds of a kind");
    }
    let minutes = range(report, &fields, "minutes");
    if minutes.is_some_and(|minutes| !(1..=480).contains(&minutes.high)) {
        report.at(fields.place("minutes"), "a round takes 1 to 480 minutes");
    }
    let asks = text(report, &fields, "asks");
    let note = text(report, &fields, "note");
    let basis = Basis::read(report, &fields);
    Some(Round {
        kind: kind?,
        count: count?,
        minutes,
        asks: asks?,
        note,
        basis: basis?,
    })
}
