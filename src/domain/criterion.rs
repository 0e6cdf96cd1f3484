//! The criteria that a rubric may hold: the closed list of what a design round is judged on.
//!
//! Must never know what a prompt asks or how a criterion is worded there: that is the rubric of the published content.

use serde::{Deserialize, Serialize};

/// What one row of a rubric judges. A prompt uses six to eight of the nine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CriterionId {
    Requirements,
    Estimation,
    Api,
    DataModel,
    Architecture,
    Consistency,
    FailureModes,
    TradeOffs,
    Security,
}

impl CriterionId {
    pub const ALL: [Self; 9] = [
        Self::Requirements,
        Self::Estimation,
        Self::Api,
        Self::DataModel,
        Self::Architecture,
        Self::Consistency,
        Self::FailureModes,
        Self::TradeOffs,
        Self::Security,
    ];

    pub fn slug(self) -> &'static str {
        match self {
            Self::Requirements => "requirements",
            Self::Estimation => "estimation",
            Self::Api => "api",
            Self::DataModel => "data-model",
            Self::Architecture => "architecture",
            Self::Consistency => "consistency",
            Self::FailureModes => "failure-modes",
            Self::TradeOffs => "trade-offs",
            Self::Security => "security",
        }
    }

    /// The name in general; a prompt's rubric may word its own title.
    pub fn title(self) -> &'static str {
        match self {
            Self::Requirements => "Requirements",
            Self::Estimation => "Estimation",
            Self::Api => "API",
            Self::DataModel => "Data model",
            Self::Architecture => "Architecture",
            Self::Consistency => "Consistency",
            Self::FailureModes => "Failure modes",
            Self::TradeOffs => "Trade-offs",
            Self::Security => "Security",
        }
    }

    pub fn from_slug(slug: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|criterion| criterion.slug() == slug)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slugs_read_back_and_are_the_names_on_the_wire() {
        for criterion in CriterionId::ALL {
            assert_eq!(CriterionId::from_slug(criterion.slug()), Some(criterion));
            assert_eq!(serde_json::to_value(criterion).unwrap(), criterion.slug());
        }
        assert_eq!(CriterionId::from_slug("Api"), None);
    }
}
