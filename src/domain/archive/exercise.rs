//! Exercises in an archive, and what was ticked on the reference shelf.
//!
//! Must never know how they are stored.

use serde::{Serialize, Serializer};

use super::{as_optional_timestamp, as_timestamp};
use crate::domain::attempt::{ATTEMPTS_PER_ACCOUNT, UnixMillis};
use crate::domain::exercise::{Comment, ExerciseCriterion, Kind, Notes, Scores, Work};
use crate::domain::level::Level;
use crate::domain::scorecard::Entry;

/// The most exercises of one account.
pub const EXERCISES: usize = ATTEMPTS_PER_ACCOUNT as usize;
/// Far above what there is to tick.
pub const TICKS: usize = 5000;

/// Everything that is kept of the work on one exercise.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ArchivedExercise {
    pub id: String,
    pub kind: Kind,
    /// Which exercise of its kind; it need not be published any more.
    pub slug: String,
    pub level: Level,
    #[serde(serialize_with = "as_timestamp")]
    pub started_at: UnixMillis,
    /// How many steps of an incident are shown.
    pub revealed: i64,
    pub revision: i64,
    #[serde(serialize_with = "as_timestamp")]
    pub saved_at: UnixMillis,
    #[serde(serialize_with = "as_optional_timestamp")]
    pub finished_at: Option<UnixMillis>,
    /// As JSON, `answers` and `open` of an incident, `comments` of a review.
    #[serde(flatten, serialize_with = "as_work")]
    pub work: Work,
    #[serde(serialize_with = "as_scores")]
    pub scores: Option<Scores>,
}

/// A milestone reached or a text read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ArchivedTick {
    /// Such as `roadmap/<id>`.
    pub item: String,
    #[serde(serialize_with = "as_timestamp")]
    pub ticked_at: UnixMillis,
}

#[derive(Serialize)]
struct WrittenNotes<'a> {
    answers: Vec<WrittenAnswer<'a>>,
    open: &'a str,
}

#[derive(Serialize)]
struct WrittenAnswer<'a> {
    step: &'a str,
    text: &'a str,
    #[serde(serialize_with = "as_timestamp")]
    committed_at: UnixMillis,
}

#[derive(Serialize)]
struct WrittenReview<'a> {
    comments: &'a [Comment],
}

#[derive(Serialize)]
struct WrittenScores<'a> {
    rubric_version: u32,
    #[serde(serialize_with = "as_timestamp")]
    scored_at: UnixMillis,
    entries: &'a [Entry<ExerciseCriterion>],
    meant_otherwise: Vec<u32>,
}

fn as_work<S: Serializer>(work: &Work, serializer: S) -> Result<S::Ok, S::Error> {
    match work {
        Work::Debugging(Notes { committed, open }) => {
            let answers = committed.iter().map(|answer| WrittenAnswer {
                step: &answer.step,
                text: &answer.text,
                committed_at: answer.committed_at,
            });
            let answers = answers.collect();
            WrittenNotes { answers, open }.serialize(serializer)
        }
        Work::CodeReview(review) => WrittenReview {
            comments: &review.comments,
        }
        .serialize(serializer),
    }
}

#[expect(clippy::ref_option, reason = "serde hands over references")]
fn as_scores<S: Serializer>(scores: &Option<Scores>, serializer: S) -> Result<S::Ok, S::Error> {
    let Some(scores) = scores else {
        return serializer.serialize_none();
    };
    WrittenScores {
        rubric_version: scores.rubric_version,
        scored_at: scores.scored_at,
        entries: &scores.card.entries,
        meant_otherwise: scores.meant_otherwise.iter().copied().collect(),
    }
    .serialize(serializer)
}
