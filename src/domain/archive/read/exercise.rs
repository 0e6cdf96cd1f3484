//! Exercises and ticks of an archive, read back.
//!
//! Must never trust what it reads, as its parent.

use std::cell::Cell;
use std::collections::BTreeSet;

use serde::Deserializer;
use serde::de::{DeserializeSeed, IgnoredAny, SeqAccess, Visitor};

use super::super::exercise::{ArchivedExercise, ArchivedTick};
use super::super::json::{Json, Tree};
use super::{
    Faults, HIGHEST_REVISION, LINE_BYTES, Object, Place, body, each_once, id, instant, is_slug,
    level, list, member, shown, slug, text, whole,
};
use crate::domain::exercise::{
    ANSWER_BYTES, COMMENT_BYTES, Comment, ExerciseCriterion, FaultKind, Kind, Lines, MOST_COMMENTS,
    MOST_STEPS, Notes, Review, Said, Scores, Severity, StepAnswer, Work,
};
use crate::domain::level::Rating;
use crate::domain::scorecard::{EVIDENCE_BYTES, Entry, Scorecard};

/// No file of a change has as many lines.
const HIGHEST_LINE: i64 = 1_000_000;

/// Reads a list whose items become values one at a time; `None` when one of them does not read.
pub(super) struct Items<'a, T> {
    pub place: &'a Place<'a>,
    pub faults: &'a mut Faults,
    pub most: usize,
    pub values_per_item: u32,
    pub read: fn(Json, &Place<'_>, &mut Faults) -> Option<T>,
    /// What no two items have in common.
    pub key: fn(&T) -> &str,
}

impl<'de, T> DeserializeSeed<'de> for Items<'_, T> {
    type Value = Option<Vec<T>>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de, T> Visitor<'de> for Items<'_, T> {
    type Value = Option<Vec<T>>;

    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
        let mut read: Vec<T> = Vec::new();
        let mut keys: BTreeSet<String> = BTreeSet::new();
        let mut count = 0;
        while count < self.most {
            let values_left = Cell::new(self.values_per_item);
            let tree = Tree {
                values_left: &values_left,
            };
            let Some(json) = items.next_element_seed(tree)? else {
                break;
            };
            let place = Place::Item(self.place, count);
            count += 1;
            let Some(item) = (self.read)(json, &place, self.faults) else {
                continue;
            };
            if !keys.insert((self.key)(&item).to_owned()) {
                let message = "An earlier part of this list is the same. Keep one of them.";
                self.faults.error(&place, message);
            }
            read.push(item);
        }
        let mut over = 0;
        while count == self.most && items.next_element::<IgnoredAny>()?.is_some() {
            over += 1;
        }
        if over > 0 {
            let message = format!(
                "This list has {} parts and at most {} are taken. Nothing can be imported.",
                count + over,
                self.most
            );
            self.faults.error(self.place, message);
        }
        Ok((read.len() == count).then_some(read))
    }
}

pub(super) fn tick(json: Json, place: &Place<'_>, faults: &mut Faults) -> Option<ArchivedTick> {
    let mut object = Object::open(json, place, &["item", "ticked_at"], faults)?;
    let item = object.required("item", faults, |json, place, faults| {
        let text = text(json, place, faults)?;
        let parts = text.split_once('/');
        if !parts.is_some_and(|(list, id)| is_slug(list) && is_slug(id)) {
            let message = format!("{} is nothing to tick, such as roadmap/a-b.", shown(&text));
            faults.error(place, message);
            return None;
        }
        Some(text)
    });
    let ticked_at = object.required("ticked_at", faults, instant);
    Some(ArchivedTick {
        item: item?,
        ticked_at: ticked_at?,
    })
}

pub(super) fn exercise(
    json: Json,
    place: &Place<'_>,
    faults: &mut Faults,
) -> Option<ArchivedExercise> {
    let known = [
        "id",
        "kind",
        "slug",
        "level",
        "started_at",
        "revealed",
        "revision",
        "saved_at",
        "finished_at",
        "answers",
        "open",
        "comments",
        "scores",
    ];
    let mut object = Object::open(json, place, &known, faults)?;
    let id = object.required("id", faults, id);
    let kind = object.required("kind", faults, |json, place, faults| {
        member(json, place, faults, &Kind::ALL, Kind::slug)
    });
    let slug = object.required("slug", faults, |json, place, faults| {
        slug(json, place, faults, "exercise")
    });
    let level = object.required("level", faults, level);
    let started_at = object.required("started_at", faults, instant);
    let revealed = object.required("revealed", faults, |json, place, faults| {
        whole(json, place, faults, 0..=MOST_STEPS as i64)
    });
    let revision = object.required("revision", faults, |json, place, faults| {
        whole(json, place, faults, 0..=HIGHEST_REVISION)
    });
    let saved_at = object.required("saved_at", faults, instant);
    let finished_at = object.optional("finished_at", faults, instant);
    let work = kind.and_then(|kind| work(kind, &mut object, faults));
    let scores = object.optional("scores", faults, |json, place, faults| {
        scores(json, place, faults, kind?)
    });
    if let (Some(None), Some(Some(_))) = (&finished_at, &scores) {
        faults.error(place, "This exercise is rated without being finished.");
        return None;
    }
    Some(ArchivedExercise {
        id: id?,
        kind: kind?,
        slug: slug?,
        level: level?,
        started_at: started_at?,
        revealed: revealed?,
        revision: revision?,
        saved_at: saved_at?,
        finished_at: finished_at?,
        work: work?,
        scores: scores?,
    })
}

fn work(kind: Kind, object: &mut Object<'_>, faults: &mut Faults) -> Option<Work> {
    match kind {
        Kind::Debugging => {
            let committed = object.required("answers", faults, |json, place, faults| {
                let answers = list(json, place, faults, MOST_STEPS, answer)?;
                each_once(&answers, place, faults, |answer| answer.step.clone())?;
                Some(answers)
            });
            let open = object.required("open", faults, |json, place, faults| {
                body(json, place, faults, ANSWER_BYTES)
            });
            Some(Work::Debugging(Notes {
                committed: committed?,
                open: open?,
            }))
        }
        Kind::CodeReview => {
            let comments = object.required("comments", faults, |json, place, faults| {
                let comments = list(json, place, faults, MOST_COMMENTS, comment)?;
                each_once(&comments, place, faults, |comment| comment.id)?;
                Some(comments)
            });
            Some(Work::CodeReview(Review {
                comments: comments?,
            }))
        }
    }
}

fn answer(json: Json, place: &Place<'_>, faults: &mut Faults) -> Option<StepAnswer> {
    let mut object = Object::open(json, place, &["step", "text", "committed_at"], faults)?;
    let step = object.required("step", faults, |json, place, faults| {
        slug(json, place, faults, "step")
    });
    let text = object.required("text", faults, |json, place, faults| {
        body(json, place, faults, ANSWER_BYTES)
    });
    let committed_at = object.required("committed_at", faults, instant);
    Some(StepAnswer {
        step: step?,
        text: text?,
        committed_at: committed_at?,
    })
}

fn comment(json: Json, place: &Place<'_>, faults: &mut Faults) -> Option<Comment> {
    let known = [
        "id", "revision", "file", "first", "last", "kind", "severity", "text",
    ];
    let mut object = Object::open(json, place, &known, faults)?;
    let number = |highest: i64| {
        move |json: Json, place: &Place<'_>, faults: &mut Faults| {
            whole(json, place, faults, 1..=highest)
        }
    };
    let id = object.required("id", faults, comment_id);
    let revision = object.required("revision", faults, number(HIGHEST_REVISION));
    let file = object.required("file", faults, |json, place, faults| {
        let text = text(json, place, faults)?;
        if text.is_empty() || text.len() > LINE_BYTES || text.contains(char::is_control) {
            faults.error(place, format!("{} is no path of a file.", shown(&text)));
            return None;
        }
        Some(text)
    });
    let first = object.required("first", faults, number(HIGHEST_LINE));
    let last = object.required("last", faults, number(HIGHEST_LINE));
    let kind = object.required("kind", faults, |json, place, faults| {
        member(json, place, faults, &FaultKind::ALL, FaultKind::slug)
    });
    let severity = object.required("severity", faults, |json, place, faults| {
        member(json, place, faults, &Severity::ALL, Severity::slug)
    });
    let text = object.required("text", faults, |json, place, faults| {
        body(json, place, faults, COMMENT_BYTES)
    });
    let (first, last) = (first?, last?);
    if first > last {
        let place = Place::Field(place, "last");
        faults.error(&place, format!("Line {last} comes before line {first}."));
        return None;
    }
    Some(Comment {
        id: id?,
        revision: revision?,
        said: Said {
            file: file?,
            lines: Lines {
                first: u32::try_from(first).ok()?,
                last: u32::try_from(last).ok()?,
            },
            kind: kind?,
            severity: severity?,
            text: text?,
        },
    })
}

fn comment_id(json: Json, place: &Place<'_>, faults: &mut Faults) -> Option<u32> {
    whole(json, place, faults, 1..=i64::from(u32::MAX)).and_then(|id| u32::try_from(id).ok())
}

fn scores(json: Json, place: &Place<'_>, faults: &mut Faults, kind: Kind) -> Option<Scores> {
    let known = ["rubric_version", "scored_at", "entries", "meant_otherwise"];
    let mut object = Object::open(json, place, &known, faults)?;
    let rubric_version = object.required("rubric_version", faults, |json, place, faults| {
        whole(json, place, faults, 0..=i64::from(u32::MAX))
            .and_then(|version| u32::try_from(version).ok())
    });
    let scored_at = object.required("scored_at", faults, instant);
    let entries = object.required("entries", faults, |json, place, faults| {
        let most = kind.criteria().len();
        let entries = list(json, place, faults, most, |json, place, faults| {
            entry(json, place, faults, kind)
        })?;
        each_once(&entries, place, faults, |entry| entry.criterion)?;
        if entries.is_empty() {
            faults.error(place, "Ratings are of at least one criterion.");
            return None;
        }
        Some(entries)
    });
    let meant_otherwise = object.required("meant_otherwise", faults, |json, place, faults| {
        list(json, place, faults, MOST_COMMENTS, comment_id)
    });
    Some(Scores {
        rubric_version: rubric_version?,
        scored_at: scored_at?,
        card: Scorecard { entries: entries? },
        meant_otherwise: meant_otherwise?.into_iter().collect(),
    })
}

fn entry(
    json: Json,
    place: &Place<'_>,
    faults: &mut Faults,
    kind: Kind,
) -> Option<Entry<ExerciseCriterion>> {
    let mut object = Object::open(json, place, &["criterion", "rating", "evidence"], faults)?;
    let criterion = object.required("criterion", faults, |json, place, faults| {
        let slug = ExerciseCriterion::slug;
        member(json, place, faults, kind.criteria(), slug)
    });
    let rating = object.required("rating", faults, |json, place, faults| {
        member(json, place, faults, &Rating::ALL, Rating::slug)
    });
    let evidence = object.required("evidence", faults, |json, place, faults| {
        body(json, place, faults, EVIDENCE_BYTES)
    });
    Some(Entry {
        criterion: criterion?,
        rating: rating?,
        evidence: evidence?,
    })
}
