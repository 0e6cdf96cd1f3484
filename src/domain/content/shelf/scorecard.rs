//! `scorecard.toml`: the dimensions that a hiring team scores, and the signals that it listens for.
//!
//! Not a prompt's rubric: that is [`super::super::Rubric`]. Must never know who is scored.

use super::super::diagnostic::Report;
use super::super::fields::Table;
use super::{Basis, Ids, pick, some, text, texts};

/// The hiring team's scorecard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scorecard {
    pub dimensions: Vec<Dimension>,
    pub signals: Vec<Signal>,
}

/// What is scored by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dimension {
    pub id: String,
    pub title: String,
    /// What meets the bar of a senior: the one level that a source anchors.
    pub meets: String,
    pub pitfalls: Vec<String>,
    pub basis: Basis,
}

/// Something that is heard in an interview.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signal {
    pub kind: SignalKind,
    pub text: String,
    pub basis: Basis,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignalKind {
    Strong,
    Weak,
    RedFlag,
    /// What the design round looks for.
    DesignRound,
}

impl SignalKind {
    pub const ALL: [Self; 4] = [Self::Strong, Self::Weak, Self::RedFlag, Self::DesignRound];

    pub fn slug(self) -> &'static str {
        match self {
            Self::Strong => "strong",
            Self::Weak => "weak",
            Self::RedFlag => "red-flag",
            Self::DesignRound => "design-round",
        }
    }

    pub fn title(self) -> &'static str {
        match self {
            Self::Strong => "Strong signals",
            Self::Weak => "Weak signals",
            Self::RedFlag => "Red flags",
            Self::DesignRound => "What the design round looks for",
        }
    }
}

impl Scorecard {
    pub fn signals(&self, kind: SignalKind) -> impl Iterator<Item = &Signal> {
        self.signals
            .iter()
            .filter(move |signal| signal.kind == kind)
    }
}

pub(super) fn read(report: &mut Report<'_>, root: Table<'_>) -> Scorecard {
    let fields = root.open(report, &["dimension", "signal"], &[]);
    let mut ids = Ids::default();
    let dimensions = some(report, &fields, "dimension", |report, table| {
        let fields = table.open(
            report,
            &["id", "title", "meets", "pitfalls", "source"],
            &["working"],
        );
        let id = ids.read(report, &fields);
        let title = text(report, &fields, "title");
        let meets = text(report, &fields, "meets");
        let pitfalls = texts(report, &fields, "pitfalls");
        let basis = Basis::read(report, &fields);
        Some(Dimension {
            id: id?,
            title: title?,
            meets: meets?,
            pitfalls,
            basis: basis?,
        })
    });
    let signals = some(report, &fields, "signal", |report, table| {
        let fields = table.open(report, &["kind", "text", "source"], &["working"]);
        let kind = pick(report, &fields, "kind", &SignalKind::ALL, SignalKind::slug);
        let said = text(report, &fields, "text");
        let basis = Basis::read(report, &fields);
        Some(Signal {
            kind: kind?,
            text: said?,
            basis: basis?,
        })
    });
    for kind in SignalKind::ALL {
        if !signals.iter().any(|signal| signal.kind == kind) {
            report.absent(
                fields.place("signal"),
                format!("no signal of kind {:?}", kind.slug()),
            );
        }
    }
    Scorecard {
        dimensions,
        signals,
    }
}
