//! `roadmap.toml`: the phases with the milestones that a person ticks, the ladder of scope, and promotion packets.
//!
//! Must never know who has reached what.

use super::super::diagnostic::Report;
use super::super::fields::{Fields, Table};
use super::{Basis, Ids, some, text, texts};

/// The way to senior.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Roadmap {
    pub hours_a_week: Stated,
    /// How long the whole takes as the source says; [`Roadmap::months_of_phases`] may differ.
    pub months: Stated,
    /// What we make of that difference, where there is one.
    pub conflict: Option<String>,
    pub phases: Vec<Phase>,
    /// From the narrowest scope to the widest.
    pub steps: Vec<Step>,
    pub packets: Vec<Packet>,
}

/// A number as a source states it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stated {
    pub value: u32,
    pub basis: Basis,
}

/// A stretch of the way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Phase {
    pub id: String,
    pub title: String,
    /// About how long.
    pub months: u32,
    pub why: String,
    pub skills: Vec<String>,
    pub milestones: Vec<Milestone>,
    /// Of its figures and its milestones.
    pub basis: Basis,
}

/// What shows that a stretch is done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Milestone {
    /// Unique in the roadmap.
    pub id: String,
    pub text: String,
}

/// A scope to own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    pub title: String,
    pub text: String,
    pub stands_for: String,
    pub basis: Basis,
}

/// What a case for promotion holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Packet {
    pub title: String,
    pub items: Vec<String>,
    pub basis: Basis,
}

impl Roadmap {
    pub fn milestones(&self) -> impl Iterator<Item = &Milestone> {
        self.phases.iter().flat_map(|phase| &phase.milestones)
    }

    /// The phases' own months together.
    pub fn months_of_phases(&self) -> u32 {
        self.phases.iter().map(|phase| phase.months).sum()
    }
}

pub(super) fn read(report: &mut Report<'_>, root: Table<'_>) -> Option<Roadmap> {
    let fields = root.open(
        report,
        &["hours_a_week", "months", "phase", "step", "packet"],
        &["conflict"],
    );
    let hours_a_week = read_stated(report, &fields, "hours_a_week");
    let months = read_stated(report, &fields, "months");
    let (mut ids, mut milestones) = (Ids::default(), Ids::default());
    let phases = some(report, &fields, "phase", |report, table| {
        read_phase(report, table, &mut ids, &mut milestones)
    });
    let steps = some(report, &fields, "step", |report, table| {
        let required = ["title", "text", "stands_for", "source"];
        let fields = table.open(report, &required, &["working"]);
        let title = text(report, &fields, "title");
        let said = text(report, &fields, "text");
        let stands_for = text(report, &fields, "stands_for");
        let basis = Basis::read(report, &fields);
        Some(Step {
            title: title?,
            text: said?,
            stands_for: stands_for?,
            basis: basis?,
        })
    });
    let packets = some(report, &fields, "packet", |report, table| {
        let fields = table.open(report, &["title", "items", "source"], &["working"]);
        let title = text(report, &fields, "title");
        let items = texts(report, &fields, "items");
        let basis = Basis::read(report, &fields);
        Some(Packet {
            title: title?,
            items,
            basis: basis?,
        })
    });
    let conflict = fields.table(report, "conflict").and_then(|table| {
        let fields = table.open(report, &["reading"], &[]);
        text(report, &fields, "reading")
    });
    let roadmap = Roadmap {
        hours_a_week: hours_a_week?,
        months: months?,
        conflict,
        phases,
        steps,
        packets,
    };
    let differs = roadmap.months_of_phases() != roadmap.months.value;
    if differs && roadmap.conflict.is_none() {
        report.absent(
            fields.place("months"),
            format!(
                "the phases add to {} months and not to {}; [conflict] says what to make of it",
                roadmap.months_of_phases(),
                roadmap.months.value
            ),
        );
    } else if !differs && roadmap.conflict.is_some() {
        report.at(
            fields.place("conflict"),
            "the phases add to the months of the whole, so there is no conflict",
        );
    }
    Some(roadmap)
}

fn read_stated(report: &mut Report<'_>, fields: &Fields<'_>, key: &str) -> Option<Stated> {
    let fields = fields
        .table(report, key)?
        .open(report, &["value", "source"], &["working"]);
    let value = fields.number(report, "value");
    let basis = Basis::read(report, &fields);
    Some(Stated {
        value: value?.value,
        basis: basis?,
    })
}

fn read_phase(
    report: &mut Report<'_>,
    table: Table<'_>,
    ids: &mut Ids,
    milestone_ids: &mut Ids,
) -> Option<Phase> {
    let required = [
        "id",
        "title",
        "months",
        "why",
        "skills",
        "milestone",
        "source",
    ];
    let fields = table.open(report, &required, &["working"]);
    let id = ids.read(report, &fields);
    let title = text(report, &fields, "title");
    let months = fields.number(report, "months");
    let why = text(report, &fields, "why");
    let skills = texts(report, &fields, "skills");
    let milestones = some(report, &fields, "milestone", |report, table| {
        let fields = table.open(report, &["id", "text"], &[]);
        let id = milestone_ids.read(report, &fields);
        let said = text(report, &fields, "text");
        Some(Milestone {
            id: id?,
            text: said?,
        })
    });
    let basis = Basis::read(report, &fields);
    Some(Phase {
        id: id?,
        title: title?,
        months: months?.value,
        why: why?,
        skills,
        milestones,
        basis: basis?,
    })
}
