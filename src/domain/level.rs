//! The level that a candidate aims at, and the rating that an assessor gives.
//!
//! A level is a target, a rating is a result: the rating scale has one step more, because an answer can fall below every bar.

use serde::{Deserialize, Serialize};

/// The level that a candidate aims at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Level {
    Mid,
    Senior,
    Staff,
}

impl Level {
    pub const ALL: [Self; 3] = [Self::Mid, Self::Senior, Self::Staff];

    pub fn slug(self) -> &'static str {
        match self {
            Self::Mid => "mid",
            Self::Senior => "senior",
            Self::Staff => "staff",
        }
    }

    pub fn title(self) -> &'static str {
        match self {
            Self::Mid => "Mid",
            Self::Senior => "Senior",
            Self::Staff => "Staff",
        }
    }

    pub fn from_slug(slug: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|level| level.slug() == slug)
    }

    /// The rating that meets this level.
    pub fn bar(self) -> Rating {
        match self {
            Self::Mid => Rating::Mid,
            Self::Senior => Rating::Senior,
            Self::Staff => Rating::Staff,
        }
    }
}

/// What a criterion is rated, an ordinal scale of four steps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Rating {
    Below,
    Mid,
    Senior,
    Staff,
}

impl Rating {
    pub const ALL: [Self; 4] = [Self::Below, Self::Mid, Self::Senior, Self::Staff];

    pub fn slug(self) -> &'static str {
        match self {
            Self::Below => "below",
            Self::Mid => "mid",
            Self::Senior => "senior",
            Self::Staff => "staff",
        }
    }

    pub fn title(self) -> &'static str {
        match self {
            Self::Below => "Below the bar",
            Self::Mid => "Mid",
            Self::Senior => "Senior",
            Self::Staff => "Staff",
        }
    }

    pub fn from_slug(slug: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|rating| rating.slug() == slug)
    }

    /// The digit that stands for the rating, 1 to 4: on the keyboard, in the database, in a chart.
    pub fn digit(self) -> i64 {
        match self {
            Self::Below => 1,
            Self::Mid => 2,
            Self::Senior => 3,
            Self::Staff => 4,
        }
    }

    pub fn from_digit(digit: i64) -> Option<Self> {
        Self::ALL.into_iter().find(|rating| rating.digit() == digit)
    }

    /// The next step up, where there is one.
    pub fn next(self) -> Option<Self> {
        Self::from_digit(self.digit() + 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slugs_and_digits_read_back() {
        for rating in Rating::ALL {
            assert_eq!(Rating::from_slug(rating.slug()), Some(rating));
            assert_eq!(Rating::from_digit(rating.digit()), Some(rating));
        }
        for level in Level::ALL {
            assert_eq!(Level::from_slug(level.slug()), Some(level));
            assert_eq!(level.bar().slug(), level.slug());
        }
        assert_eq!(Rating::Staff.next(), None);
        assert_eq!(Rating::from_slug("Mid"), None);
    }
}
