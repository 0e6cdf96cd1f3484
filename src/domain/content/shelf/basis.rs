//! What a statement of the shelf rests on: a source, our own judgement, or a calculation that is shown.
//!
//! Must never know what is stated.

use super::super::diagnostic::Report;
use super::super::fields::{Fields, Table};
use super::super::source::SourceRef;

/// The word that stands for [`Basis::Derived`], and so is no source's id.
pub(super) const DERIVED: &str = "derived";

/// What a figure or a statement rests on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Basis {
    /// The id of a source.
    Cited(String),
    /// Our own judgement.
    Ours,
    /// Follows from what sources say, by this working.
    Derived(String),
}

impl Basis {
    /// The id of the source, where there is one.
    pub fn source(&self) -> Option<&str> {
        match self {
            Self::Cited(id) => Some(id),
            Self::Ours | Self::Derived(_) => None,
        }
    }

    /// From `source`, and `working` where that is "derived".
    pub(super) fn read(report: &mut Report<'_>, fields: &Fields<'_>) -> Option<Self> {
        let text = fields.string(report, "source")?;
        let working = fields.string(report, "working");
        if text.value == DERIVED {
            if working.is_none() {
                report.absent(text.offset, "what is derived needs its working");
            }
            return working.map(|working| Self::Derived(working.value));
        }
        if let Some(working) = working {
            report.at(
                working.offset,
                format!("a working goes with source = {DERIVED:?}"),
            );
        }
        Some(match SourceRef::read(report, &text) {
            SourceRef::Ours => Self::Ours,
            SourceRef::Cited(id) => Self::Cited(id),
        })
    }
}

/// A sentence or two, and what they rest on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    pub text: String,
    pub basis: Basis,
}

impl Statement {
    pub(super) fn read(report: &mut Report<'_>, table: Table<'_>) -> Option<Self> {
        let fields = table.open(report, &["text", "source"], &["working"]);
        let text = fields.string(report, "text");
        let basis = Basis::read(report, &fields);
        Some(Self {
            text: text?.value,
            basis: basis?,
        })
    }
}

/// Sources that do not agree, and what we make of it: our own judgement, and shown as such.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conflict {
    /// What they do not agree on.
    pub title: String,
    /// The ids of what does not agree.
    pub about: Vec<String>,
    pub reading: String,
}

impl Conflict {
    /// Whether this tells of two that do not agree.
    fn tells_of(&self, (one, other): &(String, String)) -> bool {
        self.about.contains(one) && self.about.contains(other)
    }
}

/// Reads the conflicts that a file declares, and holds them against those that follow from its figures: each that follows
/// is declared, and each that is declared follows.
pub(super) fn read_conflicts(
    report: &mut Report<'_>,
    fields: &Fields<'_>,
    found: &[(String, String)],
) -> Vec<Conflict> {
    let mut conflicts = Vec::new();
    for table in fields.tables(report, "conflict").unwrap_or_default() {
        let fields = table.open(report, &["title", "about", "reading"], &[]);
        let title = fields.string(report, "title");
        let about = fields.strings(report, "about");
        let reading = fields.string(report, "reading");
        let (Some(title), Some(about), Some(reading)) = (title, about, reading) else {
            continue;
        };
        let named: Vec<&str> = about.iter().map(|text| text.value.as_str()).collect();
        let differs = |id: &str| {
            found.iter().any(|(one, other)| {
                (id == one && named.contains(&other.as_str()))
                    || (id == other && named.contains(&one.as_str()))
            })
        };
        for text in about.iter().filter(|text| !differs(&text.value)) {
            report.at(
                text.offset,
                format!(
                    "{:?} does not differ from any other that is named here",
                    text.value
                ),
            );
        }
        conflicts.push(Conflict {
            title: title.value,
            about: about.into_iter().map(|text| text.value).collect(),
            reading: reading.value,
        });
    }
    for pair in found {
        if !conflicts.iter().any(|conflict| conflict.tells_of(pair)) {
            let (one, other) = pair;
            report.absent(
                fields.place("conflict"),
                format!(
                    "{one:?} and {other:?} differ; a [[conflict]] about both says what to make of it"
                ),
            );
        }
    }
    conflicts
}
