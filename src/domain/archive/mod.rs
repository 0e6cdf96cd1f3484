//! The archive of an account: everything that is kept of it, as one JSON text that is read back identically, and as
//! Markdown for people.
//!
//! Must never know how the archive is packed, sent or stored. What it reads was written by anybody: [`parse`] takes
//! nothing on trust.

mod exercise;
mod json;
mod markdown;
mod read;
#[cfg(test)]
mod tests;
pub mod timestamp;

use std::collections::BTreeMap;

use serde::ser::SerializeMap as _;
use serde::{Serialize, Serializer};

use super::attempt::{SectionName, Terms, UnixMillis};
use super::level::Level;
use super::phase::Phase;
use super::scorecard::Entry;

pub use exercise::{ArchivedExercise, ArchivedTick, EXERCISES, TICKS};
pub use markdown::{PromptTitles, Titles, attempt_markdown, markdown_folder};
pub use read::{Fault, Severity, parse};

/// The most revisions that are kept of one section.
pub const REVISIONS_PER_SECTION: usize = 200;
/// Far above what a round has: eight phases, the worksheet and a few curveballs.
pub const SECTIONS_PER_ATTEMPT: usize = 64;
/// Far above what a prompt offers.
pub const HINTS_PER_ATTEMPT: usize = 100;
/// Far above how often anybody scores one attempt.
pub const SCORES_PER_ATTEMPT: usize = 1000;

/// The version of the format; a change that an older program would misread gets a new name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub enum Format {
    #[default]
    #[serde(rename = "headroom-archive-1")]
    One,
}

impl Format {
    pub const NAME: &str = "headroom-archive-1";
}

/// Everything that is kept of an account. As JSON, instants are RFC 3339 in UTC with milliseconds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Archive {
    pub format: Format,
    #[serde(serialize_with = "as_timestamp")]
    pub exported_at: UnixMillis,
    pub account: Account,
    pub attempts: Vec<ArchivedAttempt>,
    /// The first started first; an archive from before there were any has none.
    pub exercises: Vec<ArchivedExercise>,
    /// By item; as with the exercises.
    pub ticks: Vec<ArchivedTick>,
}

/// What an account says of its person. An import shows it and leaves the account that imports as it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Account {
    pub name: String,
    pub email: String,
    pub level: Option<Level>,
    /// The day of the interview, such as `2026-03-01`.
    pub interview_on: Option<String>,
    pub hours_a_week: Option<i64>,
    /// A name of the time zone database, such as `Europe/Berlin`.
    pub time_zone: String,
    pub theme: String,
    #[serde(serialize_with = "as_timestamp")]
    pub created_at: UnixMillis,
}

/// An attempt with everything that is kept of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ArchivedAttempt {
    pub id: String,
    /// The slug of its prompt, which need not be published any more.
    pub prompt: String,
    /// The variant of the prompt, if it was not taken as it stands.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub variant: Option<String>,
    #[serde(flatten)]
    pub terms: Terms,
    #[serde(serialize_with = "as_timestamp")]
    pub started_at: UnixMillis,
    /// Where the person was last seen, and when.
    pub phase: Phase,
    #[serde(serialize_with = "as_timestamp")]
    pub marked_at: UnixMillis,
    /// Milliseconds by phase, in the order of [`Phase::ALL`]; the JSON names the phases that have any.
    #[serde(rename = "milliseconds_by_phase", serialize_with = "by_phase")]
    pub spent: [i64; 8],
    /// In the order in which they are read.
    pub sections: Vec<ArchivedSection>,
    /// By number.
    pub hints: Vec<ArchivedHint>,
    /// In the order in which they were committed.
    pub scores: Vec<ArchivedScore>,
}

/// A section as it stands, and how it came to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ArchivedSection {
    #[serde(serialize_with = "as_slug")]
    pub name: SectionName,
    /// The number of the present text, from 1.
    pub revision: i64,
    #[serde(serialize_with = "as_timestamp")]
    pub saved_at: UnixMillis,
    pub body: String,
    /// The kept ones, the oldest first.
    pub revisions: Vec<ArchivedRevision>,
}

/// A kept text of a section.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ArchivedRevision {
    pub number: i64,
    /// The first save that it stands for: saves in quick succession are kept as one.
    #[serde(serialize_with = "as_timestamp")]
    pub began_at: UnixMillis,
    #[serde(serialize_with = "as_timestamp")]
    pub saved_at: UnixMillis,
    pub body: String,
}

/// A hint that was asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ArchivedHint {
    /// From 0.
    pub number: i64,
    #[serde(serialize_with = "as_timestamp")]
    pub asked_at: UnixMillis,
}

/// A scorecard that was committed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ArchivedScore {
    pub id: String,
    /// From 1, without gaps.
    pub number: i64,
    pub rubric_version: u32,
    #[serde(serialize_with = "as_timestamp")]
    pub scored_at: UnixMillis,
    pub entries: Vec<Entry>,
}

#[expect(clippy::ref_option, reason = "serde hands over references")]
fn as_optional_timestamp<S: Serializer>(
    at: &Option<UnixMillis>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    match at {
        Some(at) => as_timestamp(at, serializer),
        None => serializer.serialize_none(),
    }
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde hands over references"
)]
fn as_timestamp<S: Serializer>(at: &UnixMillis, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&timestamp::format(*at))
}

fn as_slug<S: Serializer>(name: &SectionName, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&name.slug())
}

fn by_phase<S: Serializer>(spent: &[i64; 8], serializer: S) -> Result<S::Ok, S::Error> {
    let worked: BTreeMap<usize, Phase> = Phase::ALL
        .into_iter()
        .enumerate()
        .filter(|(index, _)| spent[*index] != 0)
        .collect();
    let mut map = serializer.serialize_map(Some(worked.len()))?;
    for (index, phase) in worked {
        map.serialize_entry(phase.slug(), &spent[index])?;
    }
    map.end()
}
