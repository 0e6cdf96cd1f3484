//! The archive read back: an [`Archive`], or everything that is wrong with the text.
//!
//! Must never trust a number, a length or a name, nor put what it read into a message at full length.

mod exercise;

use std::cell::Cell;
use std::collections::BTreeSet;
use std::fmt;
use std::ops::RangeInclusive;

use serde::Deserializer as _;
use serde::de::{DeserializeSeed, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::error::Category;

use self::exercise::Items;
use super::json::{Json, Tree};
use super::{
    Account, Archive, ArchivedAttempt, ArchivedExercise, ArchivedHint, ArchivedRevision,
    ArchivedScore, ArchivedSection, ArchivedTick, EXERCISES, Format, HINTS_PER_ATTEMPT,
    REVISIONS_PER_SECTION, SCORES_PER_ATTEMPT, SECTIONS_PER_ATTEMPT, TICKS, timestamp,
};
use crate::domain::account::HOURS_A_WEEK;
use crate::domain::attempt::{
    ATTEMPTS_PER_ACCOUNT, LENGTHS, SECTION_BYTES, SectionName, Terms, UnixMillis, Way,
};
use crate::domain::criterion::CriterionId;
use crate::domain::level::{Level, Rating};
use crate::domain::phase::Phase;
use crate::domain::quantity::nearest;
use crate::domain::scorecard::{EVIDENCE_BYTES, Entry};

/// The longest text of one line, in bytes of UTF-8: above every name and address that an account takes.
const LINE_BYTES: usize = 1000;
const SLUG_BYTES: usize = 100;
/// Far more than an attempt within the other limits has; what one attempt takes in memory is bounded by it.
const VALUES_PER_ATTEMPT: u32 = 250_000;
const VALUES_PER_BLOCK: u32 = 1000;
/// As for an attempt.
const VALUES_PER_EXERCISE: u32 = 5000;
/// No section is saved this often, and the next revision's number can still be written.
const HIGHEST_REVISION: i64 = 1_000_000_000;
/// Ten years.
const LONGEST_PHASE: i64 = 10 * 366 * 86_400_000;
/// As many errors and as many warnings are told one by one.
const TOLD: usize = 100;
/// What is shown of a text in a message, in characters.
const SHOWN: usize = 40;

/// Whether a fault stands in the way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// Nothing can be imported.
    Error,
    /// The archive can be imported; something in it is left out.
    Warning,
}

/// Something in an archive that is not as it should be, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Such as `attempts[3].sections[0].body`, or a line and column where the text is no JSON; may be empty.
    pub path: String,
    pub severity: Severity,
    pub message: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.path.is_empty() {
            write!(formatter, "{}: ", self.path)?;
        }
        formatter.write_str(&self.message)
    }
}

/// Reads the text of `headroom.json`, which may have at most `most_bytes` bytes. The archive is there when no fault is an
/// error; unknown fields are warnings and are left out. Lines are taken to end as they are saved, with a line feed.
pub fn parse(text: &str, most_bytes: usize) -> (Option<Archive>, Vec<Fault>) {
    let mut faults = Faults::default();
    if text.len() > most_bytes {
        faults.error(
            &Place::Root,
            format!(
                "The archive has {} MB and at most {} MB are taken here. Ask who runs this server to import it with headroom import.",
                text.len().div_ceil(1024 * 1024),
                most_bytes / (1024 * 1024)
            ),
        );
        return (None, faults.told());
    }
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut parts = Parts::default();
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let outcome = deserializer
        .deserialize_map(Whole {
            parts: &mut parts,
            faults: &mut faults,
        })
        .and_then(|()| deserializer.end());
    if let Some(named) = &parts.format
        && let Some(fault) = format_fault(named)
    {
        // Of another format, nothing else that could be said would help.
        return (None, vec![fault]);
    }
    if let Err(error) = outcome {
        faults.broken(&error);
        return (None, faults.told());
    }
    let archive = parts.archive(&mut faults);
    let archive = archive.filter(|_| faults.errors.is_empty());
    (archive, faults.told())
}

fn format_fault(named: &str) -> Option<Fault> {
    let message = match named {
        Format::NAME => return None,
        "headroom-attempt-1" => {
            "This is the export of one attempt. What can be imported is the archive of an account: export it on the account's page."
                .to_owned()
        }
        newer if newer.starts_with("headroom-archive-") => format!(
            "This archive has the format {}, which this Headroom does not know: a newer one wrote it. Update Headroom, then import it.",
            shown(newer)
        ),
        other => format!(
            "The format {} is unknown; expected {}. Choose the archive that Headroom's export gave you.",
            shown(other),
            Format::NAME
        ),
    };
    Some(Fault {
        path: "format".to_owned(),
        severity: Severity::Error,
        message,
    })
}

/// A text in a message: shortened, and without anything that could disturb a line.
fn shown(text: &str) -> String {
    let mut start: String = text.chars().take(SHOWN).collect();
    if start.len() < text.len() {
        start.push('…');
    }
    format!("“{}”", start.escape_debug())
}

/// Where something stands.
#[derive(Clone, Copy)]
enum Place<'p> {
    Root,
    Field(&'p Place<'p>, &'static str),
    Item(&'p Place<'p>, usize),
}

impl fmt::Display for Place<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Root => Ok(()),
            Self::Field(Place::Root, name) => formatter.write_str(name),
            Self::Field(parent, name) => write!(formatter, "{parent}.{name}"),
            Self::Item(parent, index) => write!(formatter, "{parent}[{index}]"),
        }
    }
}

#[derive(Default)]
struct Faults {
    errors: Vec<Fault>,
    warnings: Vec<Fault>,
    /// How many are not told one by one.
    untold: usize,
}

impl Faults {
    fn error(&mut self, place: &Place<'_>, message: impl Into<String>) {
        self.put(place.to_string(), Severity::Error, message.into());
    }

    fn warning(&mut self, place: &Place<'_>, message: impl Into<String>) {
        self.put(place.to_string(), Severity::Warning, message.into());
    }

    fn put(&mut self, path: String, severity: Severity, message: String) {
        let faults = match severity {
            Severity::Error => &mut self.errors,
            Severity::Warning => &mut self.warnings,
        };
        if faults.len() < TOLD {
            faults.push(Fault {
                path,
                severity,
                message,
            });
        } else {
            self.untold += 1;
        }
    }

    fn wrong_kind(&mut self, place: &Place<'_>, expected: &str, found: &Json) {
        self.error(
            place,
            format!("Expected {expected}, found {}.", found.kind()),
        );
    }

    fn duplicate_field(&mut self, place: &Place<'_>, name: &str) {
        self.error(
            place,
            format!(
                "The field {} stands here twice, and only one can be meant. Export again.",
                shown(name)
            ),
        );
    }

    fn unknown_field(&mut self, place: &Place<'_>, name: &str, known: &[&str]) {
        // Finding the nearest word takes long when there are millions of unknown ones.
        if self.warnings.len() >= TOLD {
            self.untold += 1;
            return;
        }
        let hint = nearest_field(name, known)
            .map_or_else(String::new, |near| format!(" Did you mean {near}?"));
        self.warning(
            place,
            format!(
                "The field {} is unknown and is left out.{hint}",
                shown(name)
            ),
        );
    }

    /// The text is no JSON, or stops being an archive in the middle.
    fn broken(&mut self, error: &serde_json::Error) {
        let what = error.to_string();
        let what = what.split(" at line ").next().unwrap_or_default();
        let message = match error.classify() {
            Category::Eof => {
                "The text ends in the middle: the file was cut off. Download it again, or export again."
                    .to_owned()
            }
            // What was found may be quoted here in full.
            Category::Data if what.starts_with("invalid type") => {
                "Something else stands here than an archive has at this place. Choose the archive that Headroom's export gave you."
                    .to_owned()
            }
            _ => format!("This cannot be read as an archive: {what}. Export again."),
        };
        let path = format!("line {}, column {}", error.line(), error.column());
        self.put(path, Severity::Error, message);
    }

    /// Errors first.
    fn told(self) -> Vec<Fault> {
        let mut told = self.errors;
        let severity = if told.is_empty() {
            Severity::Warning
        } else {
            Severity::Error
        };
        told.extend(self.warnings);
        if self.untold > 0 {
            told.push(Fault {
                path: String::new(),
                severity,
                message: format!("There are {} more faults of this kind.", self.untold),
            });
        }
        told
    }
}

/// A long name is no slip of the pen, and comparing it would take long.
fn nearest_field<'k>(name: &str, known: &[&'k str]) -> Option<&'k str> {
    (name.len() <= SHOWN)
        .then(|| nearest(name, known.iter().copied()))
        .flatten()
}

/// What the outermost object holds.
#[derive(Default)]
struct Parts {
    seen: BTreeSet<&'static str>,
    /// As it was named, where it is a text.
    format: Option<String>,
    exported_at: Option<UnixMillis>,
    account: Option<Account>,
    attempts: Option<Vec<ArchivedAttempt>>,
    exercises: Option<Vec<ArchivedExercise>>,
    ticks: Option<Vec<ArchivedTick>>,
}

const PARTS: [&str; 6] = [
    "format",
    "exported_at",
    "account",
    "attempts",
    "exercises",
    "ticks",
];
/// The parts that archives did not have from the start.
const LATER_PARTS: [&str; 2] = ["exercises", "ticks"];

impl Parts {
    fn archive(self, faults: &mut Faults) -> Option<Archive> {
        for part in PARTS {
            if !self.seen.contains(part) && !LATER_PARTS.contains(&part) {
                faults.error(
                    &Place::Field(&Place::Root, part),
                    "This field is missing. Choose the archive that Headroom's export gave you.",
                );
            }
        }
        let (exercises, ticks) = (self.exercises, self.ticks);
        let none = |part| !self.seen.contains(part);
        Some(Archive {
            format: Format::One,
            exported_at: self.exported_at?,
            account: self.account?,
            attempts: self.attempts?,
            exercises: exercises.or_else(|| none("exercises").then(Vec::new))?,
            ticks: ticks.or_else(|| none("ticks").then(Vec::new))?,
        })
    }
}

/// Reads the outermost object. One attempt at a time becomes a tree of values, so that memory follows what is kept.
struct Whole<'w> {
    parts: &'w mut Parts,
    faults: &'w mut Faults,
}

impl<'de> Visitor<'de> for Whole<'_> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an archive")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<(), A::Error> {
        let Self { parts, faults } = self;
        let root = Place::Root;
        while let Some(name) = fields.next_key::<String>()? {
            let Some(part) = PARTS.into_iter().find(|part| *part == name) else {
                faults.unknown_field(&root, &name, &PARTS);
                fields.next_value::<IgnoredAny>()?;
                continue;
            };
            if !parts.seen.insert(part) {
                faults.duplicate_field(&root, part);
                fields.next_value::<IgnoredAny>()?;
                continue;
            }
            let place = Place::Field(&root, part);
            if part == "attempts" {
                parts.attempts = fields.next_value_seed(Attempts {
                    place: &place,
                    faults: &mut *faults,
                })?;
                continue;
            }
            if part == "exercises" {
                parts.exercises = fields.next_value_seed(Items {
                    place: &place,
                    faults: &mut *faults,
                    most: EXERCISES,
                    values_per_item: VALUES_PER_EXERCISE,
                    read: exercise::exercise,
                    key: |exercise| &exercise.id,
                })?;
                continue;
            }
            if part == "ticks" {
                parts.ticks = fields.next_value_seed(Items {
                    place: &place,
                    faults: &mut *faults,
                    most: TICKS,
                    values_per_item: VALUES_PER_BLOCK,
                    read: exercise::tick,
                    key: |tick| &tick.item,
                })?;
                continue;
            }
            let values_left = Cell::new(VALUES_PER_BLOCK);
            let json = fields.next_value_seed(Tree {
                values_left: &values_left,
            })?;
            match part {
                "format" => parts.format = line(json, &place, faults),
                "exported_at" => parts.exported_at = instant(json, &place, faults),
                _ => parts.account = account(json, &place, faults),
            }
        }
        Ok(())
    }
}

/// Reads the list of attempts; `None` when one of them does not read.
struct Attempts<'a> {
    place: &'a Place<'a>,
    faults: &'a mut Faults,
}

impl<'de> DeserializeSeed<'de> for Attempts<'_> {
    type Value = Option<Vec<ArchivedAttempt>>;

    fn deserialize<D: serde::Deserializer<'de>>(
        self,
        deserializer: D,
    ) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Attempts<'_> {
    type Value = Option<Vec<ArchivedAttempt>>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a list of attempts")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
        let Self { place, faults } = self;
        let most = usize::try_from(ATTEMPTS_PER_ACCOUNT).unwrap_or(usize::MAX);
        let mut attempts: Vec<ArchivedAttempt> = Vec::new();
        let mut attempt_ids = BTreeSet::new();
        let mut score_ids = BTreeSet::new();
        let mut count = 0;
        loop {
            if count >= most {
                if items.next_element::<IgnoredAny>()?.is_none() {
                    break;
                }
                count += 1;
                continue;
            }
            let values_left = Cell::new(VALUES_PER_ATTEMPT);
            let tree = Tree {
                values_left: &values_left,
            };
            let Some(json) = items.next_element_seed(tree)? else {
                break;
            };
            let place = Place::Item(place, count);
            count += 1;
            let Some(attempt) = attempt(json, &place, faults) else {
                continue;
            };
            if !attempt_ids.insert(attempt.id.clone()) {
                faults.error(
                    &Place::Field(&place, "id"),
                    "An earlier attempt has the same id. Export again.",
                );
            }
            for score in &attempt.scores {
                if !score_ids.insert(score.id.clone()) {
                    faults.error(
                        &Place::Field(&place, "scores"),
                        format!(
                            "Score {} has the id of an earlier score. Export again.",
                            score.number
                        ),
                    );
                }
            }
            attempts.push(attempt);
        }
        if count > most {
            faults.error(
                place,
                format!("There are {count} attempts and an account keeps at most {most}. Nothing can be imported."),
            );
        }
        Ok((attempts.len() == count).then_some(attempts))
    }
}

/// An object whose fields are taken out one by one.
struct Object<'p> {
    place: &'p Place<'p>,
    fields: Vec<(String, Json)>,
}

impl<'p> Object<'p> {
    fn open(
        json: Json,
        place: &'p Place<'p>,
        known: &[&'static str],
        faults: &mut Faults,
    ) -> Option<Self> {
        let fields = match json {
            Json::Object(fields) => fields,
            other => {
                faults.wrong_kind(place, "an object", &other);
                return None;
            }
        };
        let mut seen = BTreeSet::new();
        for (name, _) in &fields {
            match known.iter().find(|known| **known == name.as_str()) {
                None => faults.unknown_field(place, name, known),
                Some(known) if !seen.insert(*known) => faults.duplicate_field(place, known),
                Some(_) => {}
            }
        }
        Some(Self { place, fields })
    }

    fn take(&mut self, name: &str) -> Option<Json> {
        let at = self.fields.iter().position(|(field, _)| field == name)?;
        Some(self.fields.swap_remove(at).1)
    }

    /// A field that has to be there.
    fn required<T>(
        &mut self,
        name: &'static str,
        faults: &mut Faults,
        read: impl FnOnce(Json, &Place<'_>, &mut Faults) -> Option<T>,
    ) -> Option<T> {
        let place = Place::Field(self.place, name);
        if let Some(json) = self.take(name) {
            return read(json, &place, faults);
        }
        faults.error(&place, "This field is missing.");
        None
    }

    /// A field that may be missing or `null`. The outer `None` is a value that does not read.
    #[expect(
        clippy::option_option,
        reason = "what is not there differs from what does not read"
    )]
    fn optional<T>(
        &mut self,
        name: &'static str,
        faults: &mut Faults,
        read: impl FnOnce(Json, &Place<'_>, &mut Faults) -> Option<T>,
    ) -> Option<Option<T>> {
        let place = Place::Field(self.place, name);
        match self.take(name) {
            None | Some(Json::Null) => Some(None),
            Some(json) => read(json, &place, faults).map(Some),
        }
    }
}

fn text(json: Json, place: &Place<'_>, faults: &mut Faults) -> Option<String> {
    match json {
        Json::Text(text) => Some(text),
        other => {
            faults.wrong_kind(place, "a text", &other);
            None
        }
    }
}

/// A text of one line.
fn line(json: Json, place: &Place<'_>, faults: &mut Faults) -> Option<String> {
    let text = text(json, place, faults)?;
    if text.len() > LINE_BYTES {
        faults.error(
            place,
            format!(
                "This has {} bytes and at most {LINE_BYTES} are taken. Shorten it.",
                text.len()
            ),
        );
        return None;
    }
    if text.contains(char::is_control) {
        faults.error(place, "This holds a control character. Take it out.");
        return None;
    }
    Some(text)
}

/// A text of many lines, which end as they are saved: with a line feed.
fn body(json: Json, place: &Place<'_>, faults: &mut Faults, most_bytes: usize) -> Option<String> {
    let mut text = text(json, place, faults)?;
    if text.contains('\0') {
        faults.error(
            place,
            "This holds a NUL character, which no text may. Take it out.",
        );
        return None;
    }
    if text.contains('\r') {
        text = text.replace("\r\n", "\n").replace('\r', "");
        faults.warning(
            place,
            "This holds carriage returns. They are left out, as when a text is saved.",
        );
    }
    if text.len() > most_bytes {
        faults.error(
            place,
            format!(
                "This has {} KB and at most {} KB are taken. Shorten it.",
                text.len().div_ceil(1024),
                most_bytes / 1024
            ),
        );
        return None;
    }
    Some(text)
}

fn whole(
    json: Json,
    place: &Place<'_>,
    faults: &mut Faults,
    allowed: RangeInclusive<i64>,
) -> Option<i64> {
    match json {
        Json::Whole(value) if allowed.contains(&value) => Some(value),
        Json::Whole(_) | Json::Fraction => {
            faults.error(
                place,
                format!(
                    "Expected a whole number from {} to {}.",
                    allowed.start(),
                    allowed.end()
                ),
            );
            None
        }
        other => {
            faults.wrong_kind(place, "a whole number", &other);
            None
        }
    }
}

fn instant(json: Json, place: &Place<'_>, faults: &mut Faults) -> Option<UnixMillis> {
    let text = text(json, place, faults)?;
    let at = timestamp::parse(&text);
    if at.is_none() {
        faults.error(
            place,
            format!(
                "{} is no time of the years 1970 to 2199 in UTC, such as 2026-03-01T09:30:00.250Z.",
                shown(&text)
            ),
        );
    }
    at
}

fn day(json: Json, place: &Place<'_>, faults: &mut Faults) -> Option<String> {
    let text = text(json, place, faults)?;
    if timestamp::parse_day(&text).is_none() {
        faults.error(
            place,
            format!("{} is no day, such as 2026-03-01.", shown(&text)),
        );
        return None;
    }
    Some(text)
}

/// One of a closed list of words.
fn member<T: Copy>(
    json: Json,
    place: &Place<'_>,
    faults: &mut Faults,
    all: &[T],
    slug: impl Fn(T) -> &'static str,
) -> Option<T> {
    let text = text(json, place, faults)?;
    let found = all.iter().copied().find(|member| slug(*member) == text);
    if found.is_none() {
        let slugs: Vec<&str> = all.iter().map(|member| slug(*member)).collect();
        faults.error(
            place,
            format!(
                "{} is unknown; expected one of {}.",
                shown(&text),
                slugs.join(", ")
            ),
        );
    }
    found
}

fn level(json: Json, place: &Place<'_>, faults: &mut Faults) -> Option<Level> {
    member(json, place, faults, &Level::ALL, Level::slug)
}

/// A list of at most so many; `None` when one of them does not read.
fn list<T>(
    json: Json,
    place: &Place<'_>,
    faults: &mut Faults,
    most: usize,
    mut read: impl FnMut(Json, &Place<'_>, &mut Faults) -> Option<T>,
) -> Option<Vec<T>> {
    let items = match json {
        Json::List(items) => items,
        other => {
            faults.wrong_kind(place, "a list", &other);
            return None;
        }
    };
    let count = items.len();
    if count > most {
        faults.error(
            place,
            format!("This list has {count} parts and at most {most} are taken."),
        );
        return None;
    }
    let read: Vec<T> = items
        .into_iter()
        .enumerate()
        .filter_map(|(index, item)| read(item, &Place::Item(place, index), faults))
        .collect();
    (read.len() == count).then_some(read)
}

/// Checks that each part of a list is another one.
fn each_once<T, K: Ord>(
    parts: &[T],
    place: &Place<'_>,
    faults: &mut Faults,
    key: impl Fn(&T) -> K,
) -> Option<()> {
    let mut seen = BTreeSet::new();
    let mut held = Some(());
    for (index, part) in parts.iter().enumerate() {
        if !seen.insert(key(part)) {
            faults.error(
                &Place::Item(place, index),
                "An earlier part of this list is the same. Keep one of them.",
            );
            held = None;
        }
    }
    held
}

/// Whether a text is an id as Headroom makes them: a UUID in lower case with hyphens.
fn is_id(text: &str) -> bool {
    uuid::Uuid::try_parse(text).is_ok_and(|id| id.hyphenated().to_string() == text)
}

fn id(json: Json, place: &Place<'_>, faults: &mut Faults) -> Option<String> {
    let text = text(json, place, faults)?;
    if !is_id(&text) {
        faults.error(
            place,
            format!(
                "{} is no id, such as 0198f2a0-0000-7000-8000-000000000000.",
                shown(&text)
            ),
        );
        return None;
    }
    Some(text)
}

fn is_slug(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    !text.is_empty() && text.len() <= SLUG_BYTES && text.bytes().all(plain)
}

fn account(json: Json, place: &Place<'_>, faults: &mut Faults) -> Option<Account> {
    let known = [
        "name",
        "email",
        "level",
        "interview_on",
        "hours_a_week",
        "time_zone",
        "theme",
        "created_at",
    ];
    let mut object = Object::open(json, place, &known, faults)?;
    let name = object.required("name", faults, line);
    let email = object.required("email", faults, line);
    let level = object.optional("level", faults, level);
    let interview_on = object.optional("interview_on", faults, day);
    let hours_a_week = object.optional("hours_a_week", faults, |json, place, faults| {
        whole(json, place, faults, HOURS_A_WEEK)
    });
    let time_zone = object.required("time_zone", faults, line);
    let theme = object.required("theme", faults, line);
    let created_at = object.required("created_at", faults, instant);
    Some(Account {
        name: name?,
        email: email?,
        level: level?,
        interview_on: interview_on?,
        hours_a_week: hours_a_week?,
        time_zone: time_zone?,
        theme: theme?,
        created_at: created_at?,
    })
}

fn attempt(json: Json, place: &Place<'_>, faults: &mut Faults) -> Option<ArchivedAttempt> {
    let known = [
        "id",
        "prompt",
        "variant",
        "way",
        "level",
        "minutes",
        "started_at",
        "phase",
        "marked_at",
        "milliseconds_by_phase",
        "sections",
        "hints",
        "scores",
    ];
    let mut object = Object::open(json, place, &known, faults)?;
    let id = object.required("id", faults, id);
    let prompt = object.required("prompt", faults, |json, place, faults| {
        slug(json, place, faults, "prompt")
    });
    let variant = object.optional("variant", faults, |json, place, faults| {
        slug(json, place, faults, "variant")
    });
    let way = object.required("way", faults, |json, place, faults| {
        member(json, place, faults, &Way::ALL, Way::slug)
    });
    let level = object.required("level", faults, level);
    let minutes = object.optional("minutes", faults, length);
    let started_at = object.required("started_at", faults, instant);
    let phase = object.required("phase", faults, |json, place, faults| {
        member(json, place, faults, &Phase::ALL, Phase::slug)
    });
    let marked_at = object.required("marked_at", faults, instant);
    let spent = object.required("milliseconds_by_phase", faults, time_by_phase);
    let sections = object.required("sections", faults, |json, place, faults| {
        let sections = list(json, place, faults, SECTIONS_PER_ATTEMPT, section)?;
        each_once(&sections, place, faults, |section| section.name.slug())?;
        Some(sections)
    });
    let hints = object.required("hints", faults, |json, place, faults| {
        let hints = list(json, place, faults, HINTS_PER_ATTEMPT, hint)?;
        each_once(&hints, place, faults, |hint| hint.number)?;
        Some(hints)
    });
    let scores = object.required("scores", faults, |json, place, faults| {
        let scores = list(json, place, faults, SCORES_PER_ATTEMPT, score)?;
        for ((index, score), number) in scores.iter().enumerate().zip(1..) {
            if score.number != number {
                faults.error(
                    &Place::Field(&Place::Item(place, index), "number"),
                    format!("Scores are numbered 1, 2, 3 in their order; expected {number}."),
                );
                return None;
            }
        }
        Some(scores)
    });
    let mut sections = sections?;
    sections.sort_by(|one, other| one.name.reading_order().cmp(&other.name.reading_order()));
    let mut hints = hints?;
    hints.sort_by_key(|hint| hint.number);
    Some(ArchivedAttempt {
        id: id?,
        prompt: prompt?,
        variant: variant?,
        terms: Terms {
            way: way?,
            level: level?,
            minutes: minutes?,
        },
        started_at: started_at?,
        phase: phase?,
        marked_at: marked_at?,
        spent: spent?,
        sections,
        hints,
        scores: scores?,
    })
}

/// The name of a prompt or of a variant.
fn slug(json: Json, place: &Place<'_>, faults: &mut Faults, what: &str) -> Option<String> {
    let text = text(json, place, faults)?;
    if !is_slug(&text) {
        faults.error(
            place,
            format!(
                "{} is no {what}'s name: those have up to {SLUG_BYTES} small letters, digits and hyphens.",
                shown(&text)
            ),
        );
        return None;
    }
    Some(text)
}

/// One of the lengths that a round may have, in minutes.
fn length(json: Json, place: &Place<'_>, faults: &mut Faults) -> Option<u32> {
    let minutes = whole(json, place, faults, 1..=i64::from(u32::MAX))?;
    let length = LENGTHS
        .into_iter()
        .flatten()
        .find(|length| i64::from(*length) == minutes);
    if length.is_none() {
        faults.error(
            place,
            "A round has 45, 60 or 90 minutes, or null when it is untimed.",
        );
    }
    length
}

fn time_by_phase(json: Json, place: &Place<'_>, faults: &mut Faults) -> Option<[i64; 8]> {
    let mut object = Object::open(json, place, &Phase::ALL.map(Phase::slug), faults)?;
    let times = Phase::ALL.map(|phase| {
        object
            .optional(phase.slug(), faults, |json, place, faults| {
                whole(json, place, faults, 0..=LONGEST_PHASE)
            })
            .map(Option::unwrap_or_default)
    });
    let mut spent = [0; 8];
    for (spent, time) in spent.iter_mut().zip(times) {
        *spent = time?;
    }
    Some(spent)
}

fn section(json: Json, place: &Place<'_>, faults: &mut Faults) -> Option<ArchivedSection> {
    let known = ["name", "revision", "saved_at", "body", "revisions"];
    let mut object = Object::open(json, place, &known, faults)?;
    let name = object.required("name", faults, |json, place, faults| {
        let text = text(json, place, faults)?;
        let name = SectionName::from_slug(&text);
        if name.is_none() {
            faults.error(place, format!("{} is no section.", shown(&text)));
        }
        name
    });
    let revision = object.required("revision", faults, revision_number);
    let saved_at = object.required("saved_at", faults, instant);
    let body = object.required("body", faults, section_body);
    let revisions = object.required("revisions", faults, |json, place, faults| {
        list(json, place, faults, REVISIONS_PER_SECTION, kept_revision)
    });
    let (revision, revisions) = (revision?, revisions?);
    let numbers: Vec<i64> = revisions.iter().map(|kept| kept.number).collect();
    let in_order = numbers.is_sorted_by(|before, after| before < after);
    if !in_order || numbers.last().is_some_and(|last| *last > revision) {
        faults.error(
            &Place::Field(place, "revisions"),
            format!("Revisions go from the oldest to the newest, each number once, up to the section's own, {revision}."),
        );
        return None;
    }
    Some(ArchivedSection {
        name: name?,
        revision,
        saved_at: saved_at?,
        body: body?,
        revisions,
    })
}

fn section_body(json: Json, place: &Place<'_>, faults: &mut Faults) -> Option<String> {
    body(json, place, faults, SECTION_BYTES)
}

fn revision_number(json: Json, place: &Place<'_>, faults: &mut Faults) -> Option<i64> {
    whole(json, place, faults, 1..=HIGHEST_REVISION)
}

fn kept_revision(json: Json, place: &Place<'_>, faults: &mut Faults) -> Option<ArchivedRevision> {
    let known = ["number", "began_at", "saved_at", "body"];
    let mut object = Object::open(json, place, &known, faults)?;
    let number = object.required("number", faults, revision_number);
    let began_at = object.required("began_at", faults, instant);
    let saved_at = object.required("saved_at", faults, instant);
    let body = object.required("body", faults, section_body);
    Some(ArchivedRevision {
        number: number?,
        began_at: began_at?,
        saved_at: saved_at?,
        body: body?,
    })
}

fn hint(json: Json, place: &Place<'_>, faults: &mut Faults) -> Option<ArchivedHint> {
    let mut object = Object::open(json, place, &["number", "asked_at"], faults)?;
    let number = object.required("number", faults, |json, place, faults| {
        whole(json, place, faults, 0..=i64::from(u16::MAX))
    });
    let asked_at = object.required("asked_at", faults, instant);
    Some(ArchivedHint {
        number: number?,
        asked_at: asked_at?,
    })
}

fn score(json: Json, place: &Place<'_>, faults: &mut Faults) -> Option<ArchivedScore> {
    let known = ["id", "number", "rubric_version", "scored_at", "entries"];
    let mut object = Object::open(json, place, &known, faults)?;
    let id = object.required("id", faults, |json, place, faults| {
        let text = text(json, place, faults)?;
        // The browser makes this one; any way of writing a UUID is kept as it came.
        if uuid::Uuid::try_parse(&text).is_err() {
            faults.error(
                place,
                format!(
                    "{} is no id, such as 0198f2a0-0000-7000-8000-000000000000.",
                    shown(&text)
                ),
            );
            return None;
        }
        Some(text)
    });
    let number = object.required("number", faults, |json, place, faults| {
        whole(json, place, faults, 1..=SCORES_PER_ATTEMPT as i64)
    });
    let rubric_version = object.required("rubric_version", faults, |json, place, faults| {
        whole(json, place, faults, 0..=i64::from(u32::MAX))
            .and_then(|version| u32::try_from(version).ok())
    });
    let scored_at = object.required("scored_at", faults, instant);
    let entries = object.required("entries", faults, |json, place, faults| {
        let entries = list(json, place, faults, CriterionId::ALL.len(), entry)?;
        each_once(&entries, place, faults, |entry| entry.criterion)?;
        if entries.is_empty() {
            faults.error(place, "A score rates at least one criterion.");
            return None;
        }
        Some(entries)
    });
    Some(ArchivedScore {
        id: id?,
        number: number?,
        rubric_version: rubric_version?,
        scored_at: scored_at?,
        entries: entries?,
    })
}

fn entry(json: Json, place: &Place<'_>, faults: &mut Faults) -> Option<Entry> {
    let mut object = Object::open(json, place, &["criterion", "rating", "evidence"], faults)?;
    let criterion = object.required("criterion", faults, |json, place, faults| {
        member(json, place, faults, &CriterionId::ALL, CriterionId::slug)
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
