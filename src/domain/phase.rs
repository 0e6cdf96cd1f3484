//! The phases of an attempt: what a design round works through, each with a section of the candidate's own.

use serde::{Deserialize, Serialize};

/// A phase of an attempt, in the usual order. Any order may be taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Phase {
    Requirements,
    Estimates,
    Api,
    DataModel,
    Architecture,
    FailureModes,
    Consistency,
    TradeOffs,
}

impl Phase {
    pub const ALL: [Self; 8] = [
        Self::Requirements,
        Self::Estimates,
        Self::Api,
        Self::DataModel,
        Self::Architecture,
        Self::FailureModes,
        Self::Consistency,
        Self::TradeOffs,
    ];

    pub fn slug(self) -> &'static str {
        match self {
            Self::Requirements => "requirements",
            Self::Estimates => "estimates",
            Self::Api => "api",
            Self::DataModel => "data-model",
            Self::Architecture => "architecture",
            Self::FailureModes => "failure-modes",
            Self::Consistency => "consistency",
            Self::TradeOffs => "trade-offs",
        }
    }

    pub fn title(self) -> &'static str {
        match self {
            Self::Requirements => "Requirements",
            Self::Estimates => "Estimates",
            Self::Api => "API",
            Self::DataModel => "Data model",
            Self::Architecture => "Architecture",
            Self::FailureModes => "Failure modes",
            Self::Consistency => "Consistency",
            Self::TradeOffs => "Trade-offs and rollout",
        }
    }

    /// The title within a sentence.
    pub fn in_a_sentence(self) -> String {
        match self {
            Self::Api => "the API".to_owned(),
            _ => self.title().to_lowercase(),
        }
    }

    pub fn from_slug(slug: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|phase| phase.slug() == slug)
    }

    pub fn index(self) -> usize {
        Self::ALL
            .iter()
            .position(|phase| *phase == self)
            .unwrap_or(0)
    }

    pub fn next(self) -> Option<Self> {
        Self::ALL.get(self.index() + 1).copied()
    }

    pub fn previous(self) -> Option<Self> {
        self.index()
            .checked_sub(1)
            .and_then(|index| Self::ALL.get(index))
            .copied()
    }
}
