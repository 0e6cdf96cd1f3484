//! A review of a change: comments at lines of its new side, and how they meet the faults that were planted there.
//!
//! Must never know the text of the change or of a fault's explanation.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::{COMMENT_BYTES, MOST_COMMENTS};

/// A comment counts for a fault when it overlaps the fault's lines, or lies this many lines from them at most. Ours: a
/// comment often stands at the call, the signature or the brace beside what it is about.
pub const NEAR_LINES: u32 = 2;

/// The most lines that a comment stands at: one over half of a change points at nothing. Ours.
pub const MOST_LINES: u32 = 12;

/// So many remarks called minor may meet no fault and cost nothing. Ours: more of them is noise that its reader pays for.
pub const FREE_NOTES: usize = 3;

/// What sort of fault it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FaultKind {
    Correctness,
    Security,
    Data,
    Performance,
    Reliability,
    Operability,
    Compatibility,
}

impl FaultKind {
    pub const ALL: [Self; 7] = [
        Self::Correctness,
        Self::Security,
        Self::Data,
        Self::Performance,
        Self::Reliability,
        Self::Operability,
        Self::Compatibility,
    ];

    pub fn slug(self) -> &'static str {
        match self {
            Self::Correctness => "correctness",
            Self::Security => "security",
            Self::Data => "data",
            Self::Performance => "performance",
            Self::Reliability => "reliability",
            Self::Operability => "operability",
            Self::Compatibility => "compatibility",
        }
    }

    pub fn title(self) -> &'static str {
        match self {
            Self::Correctness => "Correctness",
            Self::Security => "Security",
            Self::Data => "Data",
            Self::Performance => "Performance",
            Self::Reliability => "Reliability",
            Self::Operability => "Operability",
            Self::Compatibility => "Compatibility",
        }
    }

    pub fn from_slug(slug: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.slug() == slug)
    }
}

/// Whether a change may be merged with it. The gravest comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    Blocking,
    Important,
    Minor,
}

impl Severity {
    pub const ALL: [Self; 3] = [Self::Blocking, Self::Important, Self::Minor];

    pub fn slug(self) -> &'static str {
        match self {
            Self::Blocking => "blocking",
            Self::Important => "important",
            Self::Minor => "minor",
        }
    }

    pub fn title(self) -> &'static str {
        match self {
            Self::Blocking => "Blocking",
            Self::Important => "Important",
            Self::Minor => "Minor",
        }
    }

    pub fn from_slug(slug: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|severity| severity.slug() == slug)
    }

    /// What a fault of this severity counts in the weighted tally. Ours.
    pub fn weight(self) -> u32 {
        match self {
            Self::Blocking => 3,
            Self::Important => 2,
            Self::Minor => 1,
        }
    }
}

/// Lines of the new side of a file, from 1, both ends included.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Lines {
    pub first: u32,
    pub last: u32,
}

impl Lines {
    /// How far the two are apart: 0 when they overlap, 1 when one ends on the line above the other.
    pub fn distance(self, other: Self) -> u32 {
        let below = other.first.saturating_sub(self.last);
        let above = self.first.saturating_sub(other.last);
        below.max(above)
    }

    /// `41`, or `41 to 44`.
    pub fn words(self) -> String {
        if self.first == self.last {
            self.first.to_string()
        } else {
            format!("{} to {}", self.first, self.last)
        }
    }
}

/// What a comment says, and where.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Said {
    /// The file's path on the new side.
    pub file: String,
    #[serde(flatten)]
    pub lines: Lines,
    pub kind: FaultKind,
    pub severity: Severity,
    pub text: String,
}

/// A comment on a change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Comment {
    /// Unique within the review, from 1.
    pub id: u32,
    /// The revision of the review that wrote it last.
    pub revision: i64,
    #[serde(flatten)]
    pub said: Said,
}

/// The comments on a change, in the order in which they were made.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Review {
    pub comments: Vec<Comment>,
}

/// Why a comment is not taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NotTaken {
    Empty,
    TooLong,
    TooMany,
    /// It says something else by now, which is this.
    Changed(Box<Comment>),
    /// It was deleted elsewhere.
    Gone,
}

impl Review {
    pub fn comment(&self, id: u32) -> Option<&Comment> {
        self.comments.iter().find(|comment| comment.id == id)
    }

    /// Adds a comment, which gets `revision`: its id. The same comment again is the one that is there.
    pub fn add(&mut self, said: Said, revision: i64) -> Result<u32, NotTaken> {
        check(&said)?;
        if let Some(same) = self.comments.iter().find(|comment| comment.said == said) {
            return Ok(same.id);
        }
        if self.comments.len() >= MOST_COMMENTS {
            return Err(NotTaken::TooMany);
        }
        let highest = self.comments.iter().map(|comment| comment.id).max();
        let id = highest.unwrap_or_default().saturating_add(1);
        self.comments.push(Comment { id, revision, said });
        Ok(id)
    }

    /// Changes a comment that was read at revision `base`; it gets `revision`.
    pub fn change(
        &mut self,
        id: u32,
        base: i64,
        said: Said,
        revision: i64,
    ) -> Result<(), NotTaken> {
        check(&said)?;
        let comment = self.comments.iter_mut().find(|comment| comment.id == id);
        let comment = comment.ok_or(NotTaken::Gone)?;
        if comment.said == said {
            return Ok(());
        }
        if comment.revision != base {
            return Err(NotTaken::Changed(Box::new(comment.clone())));
        }
        *comment = Comment { id, revision, said };
        Ok(())
    }

    /// Deletes a comment that was read at revision `base`. One that is gone already is deleted.
    pub fn delete(&mut self, id: u32, base: i64) -> Result<(), NotTaken> {
        match self.comment(id) {
            Some(comment) if comment.revision != base => {
                Err(NotTaken::Changed(Box::new(comment.clone())))
            }
            _ => {
                self.comments.retain(|comment| comment.id != id);
                Ok(())
            }
        }
    }
}

fn check(said: &Said) -> Result<(), NotTaken> {
    if said.text.trim().is_empty() {
        Err(NotTaken::Empty)
    } else if said.text.len() > COMMENT_BYTES {
        Err(NotTaken::TooLong)
    } else {
        Ok(())
    }
}

/// Where a fault was planted, and what it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Planted {
    pub file: String,
    /// The fault's own lines, then other places where a comment on it counts.
    pub spans: Vec<Lines>,
    pub kind: FaultKind,
    pub severity: Severity,
}

/// What looks like a fault and is none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decoy {
    pub file: String,
    pub lines: Lines,
}

/// What became of a comment. Faults and decoys are named by their place in the list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    Found {
        fault: usize,
        /// It calls the fault by another kind than its own.
        named_differently: bool,
    },
    /// It stands where a fault is that another comment has found; it counts neither way.
    Repeat {
        fault: usize,
    },
    FalseAlarm {
        decoy: Option<usize>,
    },
    /// It met nothing and says itself that it is minor; it counts neither way.
    Note {
        decoy: Option<usize>,
    },
}

/// The comment that found a fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Found {
    /// The comment's id.
    pub comment: u32,
    pub named_differently: bool,
}

/// What a review comes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// By fault, in their order; `None` is missed.
    pub faults: Vec<Option<Found>>,
    /// By comment, in their order: the id and what became of it.
    pub comments: Vec<(u32, Outcome)>,
    pub tally: Tally,
}

impl Verdict {
    pub fn of_comment(&self, id: u32) -> Option<Outcome> {
        self.comments
            .iter()
            .find(|(comment, _)| *comment == id)
            .map(|(_, outcome)| *outcome)
    }
}

/// A review in numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    pub faults: u32,
    pub found: u32,
    pub false_alarms: u32,
    pub notes: u32,
    pub repeats: u32,
    /// The weights of the faults found, and of all faults.
    pub weight_found: u32,
    pub weight: u32,
}

impl Tally {
    /// Of the comments that claim a fault, the share that found one; `None` without such a comment.
    pub fn precision(&self) -> Option<f64> {
        let claimed = self.found + self.false_alarms;
        (claimed > 0).then(|| f64::from(self.found) / f64::from(claimed))
    }

    /// Of the faults, the share that was found; `None` without faults.
    pub fn recall(&self) -> Option<f64> {
        (self.faults > 0).then(|| f64::from(self.found) / f64::from(self.faults))
    }
}

/// Matches comments with faults, each at most once, so that as many faults as possible are found. Where that leaves a choice,
/// a comment on the lines of a fault is about that one and not about one beside it; then comments that name a fault's kind go
/// first, then the nearer ones, then the earlier ones; graver faults choose first. A comment on a decoy's lines and on no
/// fault's fell for the decoy, however near a fault is. `meant_otherwise` holds the ids of comments that are about something
/// else than the fault at their place.
///
/// A maximum matching in a bipartite graph by augmenting paths (H. W. Kuhn, "The Hungarian method for the assignment
/// problem", 1955, for weights of 0 and 1), over the likeliest edges first and over all of them in the end. An augmenting path
/// never gives up a fault that is found, so each pass keeps what the ones before it found.
pub fn judge(
    faults: &[Planted],
    decoys: &[Decoy],
    comments: &[Comment],
    meant_otherwise: &BTreeSet<u32>,
) -> Verdict {
    let on_a_fault: Vec<bool> = comments
        .iter()
        .map(|comment| {
            faults
                .iter()
                .any(|fault| fault.distance(&comment.said) == Some(0))
        })
        .collect();
    let on_a_decoy: Vec<bool> = comments
        .iter()
        .map(|comment| {
            decoys
                .iter()
                .any(|decoy| decoy.distance(&comment.said) == Some(0))
        })
        .collect();
    let near: Vec<Vec<Edge>> = faults
        .iter()
        .map(|fault| edges(fault, comments, &on_a_fault, &on_a_decoy, meant_otherwise))
        .collect();
    let mut order: Vec<usize> = (0..faults.len()).collect();
    order.sort_by_key(|fault| (faults[*fault].severity, *fault));
    let mut matching = Matching {
        by_fault: vec![None; faults.len()],
        by_comment: vec![None; comments.len()],
    };
    for likely in [Likely::Kind, Likely::Place, Likely::Beside] {
        for fault in &order {
            if matching.by_fault[*fault].is_none() {
                let mut seen = vec![false; comments.len()];
                matching.augment(*fault, &near, likely, &mut seen);
            }
        }
    }

    let mut notes = 0;
    let mut outcome = |index: usize, comment: &Comment| {
        if let Some(fault) = matching.by_comment[index] {
            return Outcome::Found {
                fault,
                named_differently: faults[fault].kind != comment.said.kind,
            };
        }
        let beside = near
            .iter()
            .position(|edges| edges.iter().any(|edge| edge.comment == index));
        if let Some(fault) = beside {
            return Outcome::Repeat { fault };
        }
        let decoy = (0..decoys.len())
            .filter_map(|decoy| Some((decoys[decoy].distance(&comment.said)?, decoy)))
            .filter(|(distance, _)| *distance <= NEAR_LINES)
            .min()
            .map(|(_, decoy)| decoy);
        let minor = comment.said.severity == Severity::Minor;
        notes += usize::from(minor);
        if minor && notes <= FREE_NOTES {
            Outcome::Note { decoy }
        } else {
            Outcome::FalseAlarm { decoy }
        }
    };
    let outcomes: Vec<(u32, Outcome)> = comments
        .iter()
        .enumerate()
        .map(|(index, comment)| (comment.id, outcome(index, comment)))
        .collect();
    let found = |fault: usize| {
        let comment = &comments[matching.by_fault[fault]?];
        Some(Found {
            comment: comment.id,
            named_differently: faults[fault].kind != comment.said.kind,
        })
    };
    let found: Vec<Option<Found>> = (0..faults.len()).map(found).collect();
    let tally = tally(faults, &found, &outcomes);
    Verdict {
        faults: found,
        comments: outcomes,
        tally,
    }
}

impl Decoy {
    /// How far a comment is from the decoy, in the same file.
    fn distance(&self, said: &Said) -> Option<u32> {
        (self.file == said.file).then(|| self.lines.distance(said.lines))
    }
}

impl Planted {
    /// How far a comment is from the fault, in the same file.
    fn distance(&self, said: &Said) -> Option<u32> {
        let spans = self.spans.iter().filter(|_| self.file == said.file);
        spans.map(|span| span.distance(said.lines)).min()
    }
}

/// How likely a comment is about a fault, the likeliest first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Likely {
    /// As [`Self::Place`], and it names the fault's kind.
    Kind,
    /// It stands on the fault's lines, or beside them and on no other fault's.
    Place,
    /// It stands beside the fault, and on another one.
    Beside,
}

/// A comment that may stand for a fault.
struct Edge {
    likely: Likely,
    /// Its place in the list.
    comment: usize,
}

/// The comments that may stand for a fault, the preferred ones first.
fn edges(
    fault: &Planted,
    comments: &[Comment],
    on_a_fault: &[bool],
    on_a_decoy: &[bool],
    meant_otherwise: &BTreeSet<u32>,
) -> Vec<Edge> {
    let mut edges: Vec<(Likely, u32, usize)> = Vec::new();
    for (index, comment) in comments.iter().enumerate() {
        let distance = fault.distance(&comment.said);
        let Some(distance) = distance.filter(|distance| *distance <= NEAR_LINES) else {
            continue;
        };
        let fell = distance > 0 && on_a_decoy[index] && !on_a_fault[index];
        if fell || meant_otherwise.contains(&comment.id) {
            continue;
        }
        let likely = if distance > 0 && on_a_fault[index] {
            Likely::Beside
        } else if comment.said.kind == fault.kind {
            Likely::Kind
        } else {
            Likely::Place
        };
        edges.push((likely, distance, index));
    }
    edges.sort_unstable();
    edges
        .into_iter()
        .map(|(likely, _, comment)| Edge { likely, comment })
        .collect()
}

/// Which comment stands for which fault, both ways.
struct Matching {
    by_fault: Vec<Option<usize>>,
    by_comment: Vec<Option<usize>>,
}

impl Matching {
    /// Finds a comment for the fault, where need be by finding another one for the fault that has it.
    fn augment(
        &mut self,
        fault: usize,
        near: &[Vec<Edge>],
        likely: Likely,
        seen: &mut [bool],
    ) -> bool {
        for edge in &near[fault] {
            if edge.likely > likely || seen[edge.comment] {
                continue;
            }
            seen[edge.comment] = true;
            let free = match self.by_comment[edge.comment] {
                None => true,
                Some(other) => self.augment(other, near, likely, seen),
            };
            if free {
                self.by_fault[fault] = Some(edge.comment);
                self.by_comment[edge.comment] = Some(fault);
                return true;
            }
        }
        false
    }
}

fn tally(faults: &[Planted], found: &[Option<Found>], outcomes: &[(u32, Outcome)]) -> Tally {
    let mut tally = Tally::default();
    for (fault, found) in faults.iter().zip(found) {
        let weight = fault.severity.weight();
        tally.faults += 1;
        tally.weight += weight;
        if found.is_some() {
            tally.found += 1;
            tally.weight_found += weight;
        }
    }
    for (_, outcome) in outcomes {
        match outcome {
            Outcome::Found { .. } => {}
            Outcome::Repeat { .. } => tally.repeats += 1,
            Outcome::FalseAlarm { .. } => tally.false_alarms += 1,
            Outcome::Note { .. } => tally.notes += 1,
        }
    }
    tally
}
