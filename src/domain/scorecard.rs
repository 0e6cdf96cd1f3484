//! A scorecard: one rating with evidence for each criterion of a rubric, and what follows from it.
//!
//! Which criteria there are is a type: those of a design round, unless another is named. Must never know who scored or
//! when, nor the texts of the rubric: it works on criterion ids and ratings.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::attempt::UnixMillis;
use super::criterion::CriterionId;
use super::level::{Level, Rating};

/// The longest evidence for one criterion, in bytes of UTF-8.
pub const EVIDENCE_BYTES: usize = 4 * 1024;

/// What a person has filled in so far for one criterion.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DraftEntry {
    pub rating: Option<Rating>,
    pub evidence: String,
}

/// One criterion, rated.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry<C = CriterionId> {
    pub criterion: C,
    pub rating: Rating,
    /// A quotation from the attempt or a sentence about it.
    pub evidence: String,
}

/// All criteria of a rubric, rated, in the rubric's order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Scorecard<C = CriterionId> {
    pub entries: Vec<Entry<C>>,
}

/// What is missing or wrong in one criterion of a draft.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    NoRating,
    NoEvidence,
    EvidenceTooLong,
}

impl Fault {
    pub fn message(self) -> &'static str {
        match self {
            Self::NoRating => "Choose a level.",
            Self::NoEvidence => {
                "Say what in the attempt shows this level: quote it, or write a sentence."
            }
            Self::EvidenceTooLong => "This is over 4 KB. Keep the part that shows the level.",
        }
    }
}

impl<C: Copy + Ord> Scorecard<C> {
    /// Takes a whole draft, or says what each criterion lacks. Evidence may be left out only below the bar, where
    /// there is often nothing to point at.
    pub fn from_draft(
        criteria: &[C],
        draft: &BTreeMap<C, DraftEntry>,
    ) -> Result<Self, BTreeMap<C, Fault>> {
        let mut entries = Vec::with_capacity(criteria.len());
        let mut faults = BTreeMap::new();
        for criterion in criteria {
            let entry = draft.get(criterion).cloned().unwrap_or_default();
            let evidence = entry.evidence.trim();
            match entry.rating {
                None => {
                    faults.insert(*criterion, Fault::NoRating);
                }
                Some(_) if evidence.len() > EVIDENCE_BYTES => {
                    faults.insert(*criterion, Fault::EvidenceTooLong);
                }
                Some(rating) if evidence.is_empty() && rating > Rating::Below => {
                    faults.insert(*criterion, Fault::NoEvidence);
                }
                Some(rating) => {
                    entries.push(Entry {
                        criterion: *criterion,
                        rating,
                        evidence: evidence.to_owned(),
                    });
                }
            }
        }
        if faults.is_empty() {
            Ok(Self { entries })
        } else {
            Err(faults)
        }
    }

    pub fn rating(&self, criterion: C) -> Option<Rating> {
        self.entries
            .iter()
            .find(|entry| entry.criterion == criterion)
            .map(|entry| entry.rating)
    }

    /// The criteria below the bar of `level`, widest gap first, then in the rubric's order.
    pub fn gaps(&self, level: Level) -> Vec<Gap<C>> {
        let bar = level.bar();
        let mut gaps: Vec<Gap<C>> = self
            .entries
            .iter()
            .filter(|entry| entry.rating < bar)
            .map(|entry| Gap {
                criterion: entry.criterion,
                rating: entry.rating,
                steps: bar.digit() - entry.rating.digit(),
            })
            .collect();
        gaps.sort_by_key(|gap| -gap.steps);
        gaps
    }

    /// How many criteria meet the bar of `level`.
    pub fn met(&self, level: Level) -> usize {
        self.entries
            .iter()
            .filter(|entry| entry.rating >= level.bar())
            .count()
    }

    /// Whether every criterion has the same rating, so that none stands out.
    pub fn is_even(&self) -> bool {
        self.entries
            .windows(2)
            .all(|pair| pair[0].rating == pair[1].rating)
    }

    /// The criterion to work on next: the lowest rating, the first of them in the rubric's order.
    pub fn weakest(&self) -> Option<&Entry<C>> {
        self.entries.iter().min_by_key(|entry| entry.rating)
    }
}

/// A criterion below the bar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gap<C = CriterionId> {
    pub criterion: C,
    pub rating: Rating,
    /// Steps of the scale between the rating and the bar, at least 1.
    pub steps: i64,
}

/// Which of the named texts the evidence is quoted from, comparing words and ignoring white space and case. The whole
/// evidence may be one quotation, or a line of it. Under four words nothing counts as a quotation.
pub fn quoted_from<'a, N>(evidence: &str, texts: &'a [(N, String)]) -> Option<&'a N> {
    let plain = |text: &str| {
        text.to_lowercase()
            .split_whitespace()
            .collect::<Vec<_>>()
            .join(" ")
    };
    let bare = |text: &str| {
        plain(
            text.trim()
                .trim_matches(['"', '\u{201c}', '\u{201d}', '>', ' ']),
        )
    };
    let texts: Vec<_> = texts
        .iter()
        .map(|(name, text)| (name, plain(text)))
        .collect();
    std::iter::once(evidence)
        .chain(evidence.lines())
        .map(bare)
        .filter(|wanted| wanted.split(' ').count() >= 4)
        .find_map(|wanted| {
            texts
                .iter()
                .find(|(_, text)| text.contains(&wanted))
                .map(|(name, _)| *name)
        })
}

/// A prompt that could be practised next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    pub slug: String,
    pub levels: Vec<Level>,
    /// When the person last started an attempt at it.
    pub last_started: Option<UnixMillis>,
}

/// The prompt to go to next: another one, suited to the level, never tried before if there is one, else the one that
/// was tried longest ago.
pub fn next_prompt<'a>(
    current: &str,
    level: Level,
    candidates: &'a [Candidate],
) -> Option<&'a Candidate> {
    let others = || {
        candidates
            .iter()
            .filter(|candidate| candidate.slug != current)
    };
    others()
        .filter(|candidate| candidate.levels.contains(&level))
        .min_by_key(|candidate| candidate.last_started)
        .or_else(|| others().min_by_key(|candidate| candidate.last_started))
}

#[cfg(test)]
mod tests {
    use super::*;

    const CRITERIA: [CriterionId; 3] = [
        CriterionId::Requirements,
        CriterionId::Api,
        CriterionId::FailureModes,
    ];

    fn draft(ratings: [Option<Rating>; 3], evidence: &str) -> BTreeMap<CriterionId, DraftEntry> {
        let entry = |rating| DraftEntry {
            rating,
            evidence: evidence.to_owned(),
        };
        CRITERIA.into_iter().zip(ratings.map(entry)).collect()
    }

    fn card(ratings: [Rating; 3]) -> Scorecard {
        Scorecard::from_draft(&CRITERIA, &draft(ratings.map(Some), "because it says so"))
            .expect("whole")
    }

    #[test]
    fn a_draft_names_every_fault() {
        let faults = Scorecard::from_draft(
            &CRITERIA,
            &draft([None, Some(Rating::Mid), Some(Rating::Below)], "  "),
        )
        .expect_err("faults");
        assert_eq!(
            faults.into_iter().collect::<Vec<_>>(),
            [
                (CriterionId::Requirements, Fault::NoRating),
                (CriterionId::Api, Fault::NoEvidence)
            ]
        );
        let long = "x".repeat(EVIDENCE_BYTES + 1);
        let faults = Scorecard::from_draft(&CRITERIA, &draft([Some(Rating::Mid); 3], &long))
            .expect_err("faults");
        assert_eq!(faults.len(), 3);
        assert_eq!(
            Scorecard::from_draft(&CRITERIA, &BTreeMap::new())
                .expect_err("faults")
                .len(),
            3
        );
    }

    #[test]
    fn gaps_are_widest_first() {
        let card = card([Rating::Mid, Rating::Senior, Rating::Below]);
        let gaps: Vec<_> = card
            .gaps(Level::Senior)
            .into_iter()
            .map(|gap| (gap.criterion, gap.steps))
            .collect();
        assert_eq!(
            gaps,
            [
                (CriterionId::FailureModes, 2),
                (CriterionId::Requirements, 1)
            ]
        );
        assert_eq!(card.met(Level::Senior), 1);
        assert_eq!(
            card.weakest().map(|entry| entry.criterion),
            Some(CriterionId::FailureModes)
        );
        assert_eq!(
            super::tests::card([Rating::Staff; 3]).gaps(Level::Staff),
            []
        );
        // Even a full card has a weakest criterion: there is always a next thing to do.
        assert!(super::tests::card([Rating::Staff; 3]).weakest().is_some());
    }

    #[test]
    fn quotations_are_found_whatever_the_spacing() {
        let texts = [
            (
                "api",
                "POST /charges takes an\n  Idempotency-Key header.".to_owned(),
            ),
            ("data", String::new()),
        ];
        assert_eq!(
            quoted_from("> takes an idempotency-key header", &texts),
            Some(&"api")
        );
        assert_eq!(
            quoted_from(
                "Good:\n\u{201c}takes an idempotency-key header\u{201d}",
                &texts
            ),
            Some(&"api")
        );
        assert_eq!(quoted_from("Idempotency-Key", &texts), None);
        assert_eq!(quoted_from("takes no idempotency key header", &texts), None);
        assert_eq!(quoted_from("", &texts), None);
    }

    #[test]
    fn the_next_prompt_is_another_one() {
        let candidate = |slug: &str, levels: &[Level], last_started| Candidate {
            slug: slug.to_owned(),
            levels: levels.to_vec(),
            last_started,
        };
        let all = [
            candidate("payments", &Level::ALL, Some(9)),
            candidate("feed", &Level::ALL, Some(5)),
            candidate("limiter", &[Level::Mid], None),
            candidate("dispatch", &Level::ALL, Some(3)),
        ];
        let next = |level, candidates: &[Candidate]| {
            next_prompt("payments", level, candidates).map(|candidate| candidate.slug.clone())
        };
        assert_eq!(next(Level::Mid, &all).as_deref(), Some("limiter"));
        assert_eq!(next(Level::Staff, &all).as_deref(), Some("dispatch"));
        assert_eq!(next(Level::Staff, &all[2..3]).as_deref(), Some("limiter"));
        assert_eq!(next(Level::Staff, &all[..1]), None);
    }
}
