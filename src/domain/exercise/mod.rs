//! The two further kinds of exercise: an incident to debug step by step, and a change to review line by line. What a
//! person writes in one, what of it is taken, and what it comes to.
//!
//! Must never know where the texts of an exercise come from, how they are shown, or what time it is: `now` is passed in.

mod review;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::attempt::UnixMillis;
use super::level::Level;
use super::scorecard::Scorecard;

pub use review::{
    Comment, Decoy, FREE_NOTES, FaultKind, Found, Lines, MOST_LINES, NEAR_LINES, NotTaken, Outcome,
    Planted, Review, Said, Severity, Tally, Verdict, judge,
};

/// The longest answer to a step of an incident, in bytes of UTF-8.
pub const ANSWER_BYTES: usize = 16 * 1024;
/// The longest comment on a change, in bytes of UTF-8.
pub const COMMENT_BYTES: usize = 4 * 1024;
/// The most comments on one change.
pub const MOST_COMMENTS: usize = 100;
/// Far above the steps of any incident.
pub const MOST_STEPS: usize = 32;

/// What is exercised.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    Debugging,
    CodeReview,
}

impl Kind {
    pub const ALL: [Self; 2] = [Self::Debugging, Self::CodeReview];

    pub fn slug(self) -> &'static str {
        match self {
            Self::Debugging => "debugging",
            Self::CodeReview => "code-review",
        }
    }

    pub fn title(self) -> &'static str {
        match self {
            Self::Debugging => "Production debugging",
            Self::CodeReview => "Code review",
        }
    }

    pub fn from_slug(slug: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.slug() == slug)
    }

    /// The closed list of what a rubric of this kind may judge.
    pub fn criteria(self) -> &'static [ExerciseCriterion] {
        use ExerciseCriterion as C;
        match self {
            Self::Debugging => &[
                C::Triage,
                C::Hypotheses,
                C::Mitigation,
                C::RootCause,
                C::Prevention,
                C::Communication,
            ],
            Self::CodeReview => &[C::Coverage, C::Priorities, C::Reasoning, C::Tone, C::Risk],
        }
    }
}

/// What one row of such a rubric judges: the first six in an incident, the last five in a review.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ExerciseCriterion {
    Triage,
    Hypotheses,
    Mitigation,
    RootCause,
    Prevention,
    Communication,
    Coverage,
    Priorities,
    Reasoning,
    Tone,
    Risk,
}

impl ExerciseCriterion {
    pub const ALL: [Self; 11] = [
        Self::Triage,
        Self::Hypotheses,
        Self::Mitigation,
        Self::RootCause,
        Self::Prevention,
        Self::Communication,
        Self::Coverage,
        Self::Priorities,
        Self::Reasoning,
        Self::Tone,
        Self::Risk,
    ];

    pub fn slug(self) -> &'static str {
        match self {
            Self::Triage => "triage",
            Self::Hypotheses => "hypotheses",
            Self::Mitigation => "mitigation",
            Self::RootCause => "root-cause",
            Self::Prevention => "prevention",
            Self::Communication => "communication",
            Self::Coverage => "coverage",
            Self::Priorities => "priorities",
            Self::Reasoning => "reasoning",
            Self::Tone => "tone",
            Self::Risk => "risk",
        }
    }

    /// The name in general; a rubric may word its own title.
    pub fn title(self) -> &'static str {
        match self {
            Self::Triage => "Triage",
            Self::Hypotheses => "Hypotheses",
            Self::Mitigation => "Mitigation",
            Self::RootCause => "Root cause",
            Self::Prevention => "Prevention",
            Self::Communication => "Communication",
            Self::Coverage => "Coverage",
            Self::Priorities => "Priorities",
            Self::Reasoning => "Reasoning",
            Self::Tone => "Tone",
            Self::Risk => "Risk",
        }
    }

    pub fn from_slug(slug: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|criterion| criterion.slug() == slug)
    }
}

/// What a person has written in an exercise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Work {
    Debugging(Notes),
    CodeReview(Review),
}

impl Work {
    /// Nothing yet.
    pub fn new(kind: Kind) -> Self {
        match kind {
            Kind::Debugging => Self::Debugging(Notes::default()),
            Kind::CodeReview => Self::CodeReview(Review::default()),
        }
    }

    pub fn kind(&self) -> Kind {
        match self {
            Self::Debugging(_) => Kind::Debugging,
            Self::CodeReview(_) => Kind::CodeReview,
        }
    }

    /// As it is kept.
    pub fn to_json(&self) -> serde_json::Result<String> {
        match self {
            Self::Debugging(notes) => serde_json::to_string(notes),
            Self::CodeReview(review) => serde_json::to_string(review),
        }
    }

    pub fn from_json(kind: Kind, json: &str) -> serde_json::Result<Self> {
        match kind {
            Kind::Debugging => serde_json::from_str(json).map(Self::Debugging),
            Kind::CodeReview => serde_json::from_str(json).map(Self::CodeReview),
        }
    }

    /// How many answers or comments there are.
    pub fn count(&self) -> usize {
        match self {
            Self::Debugging(notes) => notes.committed.len(),
            Self::CodeReview(review) => review.comments.len(),
        }
    }
}

/// What was answered to the steps of an incident.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notes {
    /// In the order in which they were committed; they change no more, as evidence does not.
    pub committed: Vec<StepAnswer>,
    /// What stands in the open step so far.
    pub open: String,
}

/// An answer that stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepAnswer {
    /// The id of the step.
    pub step: String,
    pub text: String,
    pub committed_at: UnixMillis,
}

/// A text for a step, as a form sends it.
#[derive(Clone, Copy, Debug)]
pub struct Answer<'a> {
    pub step: &'a str,
    pub text: &'a str,
    /// Whether it started from what is there now.
    pub fresh: bool,
}

/// What became of an answer that was taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taken {
    Written,
    /// It was there already: the same form sent twice.
    Already,
}

/// Why an answer is not taken. Nothing of it is lost: whoever sent it gets it back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refused {
    /// The step was committed with another text, which is this.
    Committed(String),
    /// The open step holds another text by now, which is this.
    ChangedElsewhere(String),
    /// There is no such step, or it is not shown yet.
    NotOpen,
    TooLong,
    /// There is nothing to commit.
    Empty,
}

impl Notes {
    pub fn answer(&self, step: &str) -> Option<&StepAnswer> {
        self.committed.iter().find(|answer| answer.step == step)
    }

    /// The first of the steps, in their order, that has no answer yet.
    pub fn open_step<'s>(&self, steps: &[&'s str]) -> Option<&'s str> {
        steps
            .iter()
            .copied()
            .find(|step| self.answer(step).is_none())
    }

    /// How many steps are shown: those that are answered, and the open one.
    pub fn revealed(&self, steps: &[&str]) -> usize {
        let answered = steps.iter().filter(|step| self.answer(step).is_some());
        answered.count() + usize::from(self.open_step(steps).is_some())
    }

    /// Keeps a text in the open step.
    pub fn keep(&mut self, steps: &[&str], answer: Answer<'_>) -> Result<Taken, Refused> {
        if self.check(steps, answer)? == Taken::Already || self.open == answer.text {
            return Ok(Taken::Already);
        }
        answer.text.clone_into(&mut self.open);
        Ok(Taken::Written)
    }

    /// Commits a text as the answer to the open step, which shows the next one.
    pub fn commit(
        &mut self,
        steps: &[&str],
        answer: Answer<'_>,
        now: UnixMillis,
    ) -> Result<Taken, Refused> {
        if self.check(steps, answer)? == Taken::Already {
            return Ok(Taken::Already);
        }
        if answer.text.trim().is_empty() {
            return Err(Refused::Empty);
        }
        self.committed.push(StepAnswer {
            step: answer.step.to_owned(),
            text: answer.text.to_owned(),
            committed_at: now,
        });
        self.open.clear();
        Ok(Taken::Written)
    }

    fn check(&self, steps: &[&str], answer: Answer<'_>) -> Result<Taken, Refused> {
        if let Some(committed) = self.answer(answer.step) {
            return if committed.text == answer.text {
                Ok(Taken::Already)
            } else {
                Err(Refused::Committed(committed.text.clone()))
            };
        }
        if self.open_step(steps) != Some(answer.step) {
            return Err(Refused::NotOpen);
        }
        if answer.text.len() > ANSWER_BYTES {
            return Err(Refused::TooLong);
        }
        if !answer.fresh && self.open != answer.text {
            return Err(Refused::ChangedElsewhere(self.open.clone()));
        }
        Ok(Taken::Written)
    }
}

/// How a person rated their own work, before they saw the answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Scores {
    /// The rubric that it was rated by.
    pub rubric_version: u32,
    pub scored_at: UnixMillis,
    pub card: Scorecard<ExerciseCriterion>,
    /// The ids of comments that met a fault by their place, and were about something else as their writer says.
    #[serde(default)]
    pub meant_otherwise: BTreeSet<u32>,
}

/// An exercise that could be taken next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    pub kind: Kind,
    pub slug: String,
    pub levels: Vec<Level>,
    /// When the person last started it.
    pub last_started: Option<UnixMillis>,
}

/// The exercise to go to next: another one, first of those never started, then of the same kind, then suited to the
/// level, then the one that was started longest ago.
pub fn next_exercise<'a>(
    kind: Kind,
    slug: &str,
    level: Level,
    candidates: &'a [Candidate],
) -> Option<&'a Candidate> {
    candidates
        .iter()
        .filter(|candidate| (candidate.kind, candidate.slug.as_str()) != (kind, slug))
        .min_by_key(|candidate| {
            (
                candidate.last_started.is_some(),
                candidate.kind != kind,
                !candidate.levels.contains(&level),
                candidate.last_started,
            )
        })
}
