//! The SQL of attempts: sections with their revisions, hints, time by phase, scores.
//!
//! What writes takes an [`AttemptPermit`], which only [`permit`] gives. Functions run on the caller's transaction.

pub mod archive;
pub mod share;

use std::collections::BTreeMap;

use sqlx::FromRow;

use crate::domain::attempt::{
    ATTEMPTS_PER_GUEST, MINUTE, Presence, RoundClock, SectionName, Terms, UnixMillis, Way,
};
use crate::domain::criterion::CriterionId;
use crate::domain::level::{Level, Rating};
use crate::domain::phase::Phase;
use crate::domain::scorecard::{Entry, Scorecard};
use crate::error::{AppError, Current};
use crate::server::database::{Conn, StoreError};
use crate::server::session::sha256_hex;
use crate::server::store::hold_owner;
use crate::{affected, on};

/// Saves of one section within this time are kept as one revision.
const COALESCED_WITHIN: i64 = MINUTE;
/// A save whose key starts so keeps the revision before it, however recent: a merge or a restored text.
pub const APART: &str = "apart-";
/// The most revisions that are kept of a section, the newest ones.
const REVISIONS_KEPT: i64 = 200;
/// A save's key is remembered for this long.
const KEYS_KEPT: i64 = 24 * 60 * MINUTE;

/// Leave to read and write one attempt.
#[derive(Clone, Debug)]
pub struct AttemptPermit {
    attempt: Attempt,
}

impl AttemptPermit {
    pub fn attempt(&self) -> &Attempt {
        &self.attempt
    }
}

/// An attempt as it was started, and where the person was last seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    pub id: String,
    /// The slug of its prompt.
    pub prompt: String,
    /// The variant of the prompt; `None` is the prompt as it stands.
    pub variant: Option<String>,
    pub terms: Terms,
    pub started_at: UnixMillis,
    pub phase: Phase,
    pub marked_at: UnixMillis,
    /// How often it has been scored; a scored attempt takes no more writing.
    pub scores: i64,
}

impl Attempt {
    pub fn clock(&self) -> RoundClock {
        RoundClock {
            started_at: self.started_at,
            minutes: self.terms.minutes,
        }
    }

    pub fn is_closed(&self) -> bool {
        self.scores > 0
    }
}

#[derive(FromRow)]
struct AttemptRow {
    id: String,
    prompt: String,
    variant: Option<String>,
    way: String,
    level: String,
    minutes: Option<i64>,
    started_at: i64,
    phase: String,
    marked_at: i64,
    scores: i64,
}

impl AttemptRow {
    /// A row that does not read was not written by this program.
    fn read(self) -> Result<Attempt, StoreError> {
        let terms = Way::from_slug(&self.way)
            .zip(Level::from_slug(&self.level))
            .map(|(way, level)| Terms {
                way,
                level,
                minutes: self.minutes.and_then(|minutes| u32::try_from(minutes).ok()),
            });
        let (Some(terms), Some(phase)) = (terms, Phase::from_slug(&self.phase)) else {
            return Err(AppError::internal(format!("attempt {} does not read", self.id)).into());
        };
        Ok(Attempt {
            id: self.id,
            prompt: self.prompt,
            variant: self.variant,
            terms,
            started_at: self.started_at,
            phase,
            marked_at: self.marked_at,
            scores: self.scores,
        })
    }
}

/// Leave for `owner` to work on an attempt. Another's attempt and none at all are the same answer.
pub async fn permit(
    conn: &mut Conn<'_>,
    owner: Option<&str>,
    id: &str,
) -> Result<AttemptPermit, StoreError> {
    // What is no id is not asked for: Postgres refuses a text with NUL.
    let Some(owner) = owner.filter(|_| uuid::Uuid::parse_str(id).is_ok()) else {
        return Err(AppError::NotFound.into());
    };
    let row = on!(conn, |c| sqlx::query_as::<_, AttemptRow>(
        "SELECT id, prompt, variant, way, level, minutes, started_at, phase, marked_at, \
         (SELECT COUNT(*) FROM score WHERE attempt_id = attempt.id) AS scores \
         FROM attempt WHERE id = $1 AND owner_id = $2"
    )
    .bind(id)
    .bind(owner)
    .fetch_optional(c))?;
    let attempt = row.ok_or(AppError::NotFound)?.read()?;
    Ok(AttemptPermit { attempt })
}

/// What an attempt starts with.
#[derive(Clone, Copy, Debug)]
pub struct Start<'a> {
    pub id: &'a str,
    /// The slug of the prompt.
    pub prompt: &'a str,
    pub variant: Option<&'a str>,
    pub terms: Terms,
    /// Where it opens.
    pub phase: Phase,
}

/// Starts an attempt, unless the owner has `most` already.
pub async fn start_attempt(
    conn: &mut Conn<'_>,
    owner: &str,
    most: i64,
    start: Start<'_>,
    now: UnixMillis,
) -> Result<(), StoreError> {
    // One start after the other, so that the count holds.
    hold_owner(conn, owner).await?;
    // What the last saves of earlier attempts left behind.
    affected!(conn, |c| {
        sqlx::query(
        "DELETE FROM save_key WHERE attempt_id IN (SELECT id FROM attempt WHERE owner_id = $1) AND saved_at < $2"
    )
    .bind(owner)
    .bind(now - KEYS_KEPT)
    .execute(c)
    })?;
    let (count,) = on!(conn, |c| sqlx::query_as::<_, (i64,)>(
        "SELECT COUNT(*) FROM attempt WHERE owner_id = $1"
    )
    .bind(owner)
    .fetch_one(c))?;
    if count >= most {
        return Err(AppError::too_many(
            format!(
                "You have {most} attempts, the most that are kept{}. They are all still there; export them to keep them elsewhere.",
                if most == ATTEMPTS_PER_GUEST { " without an account: sign up to keep more" } else { "" }
            ),
            0,
        )
        .into());
    }
    affected!(conn, |c| {
        sqlx::query(
        "INSERT INTO attempt (id, owner_id, prompt, way, level, minutes, started_at, phase, marked_at, variant) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $7, $9)"
    )
    .bind(start.id)
    .bind(owner)
    .bind(start.prompt)
    .bind(start.terms.way.slug())
    .bind(start.terms.level.slug())
    .bind(start.terms.minutes.map(i64::from))
    .bind(now)
    .bind(start.phase.slug())
    .bind(start.variant)
    .execute(c)
    })?;
    Ok(())
}

/// The owner's attempts, the latest first.
pub async fn attempts(conn: &mut Conn<'_>, owner: &str) -> Result<Vec<Attempt>, StoreError> {
    let rows = on!(conn, |c| sqlx::query_as::<_, AttemptRow>(
        "SELECT id, prompt, variant, way, level, minutes, started_at, phase, marked_at, \
         (SELECT COUNT(*) FROM score WHERE attempt_id = attempt.id) AS scores \
         FROM attempt WHERE owner_id = $1 ORDER BY started_at DESC, id DESC"
    )
    .bind(owner)
    .fetch_all(c))?;
    rows.into_iter().map(AttemptRow::read).collect()
}

/// The latest sections of an owner's attempts that hold one of the words, in any case: name and text, by attempt.
pub async fn holding(
    conn: &mut Conn<'_>,
    owner: &str,
    words: &[String],
) -> Result<BTreeMap<String, Vec<(String, String)>>, StoreError> {
    let mut found: BTreeMap<String, Vec<(String, String)>> = BTreeMap::new();
    for word in words {
        let pattern = format!("%{word}%");
        let rows = on!(conn, |c| {
            sqlx::query_as::<_, (String, String, String)>(
            "SELECT attempt_id, name, body FROM section \
             WHERE attempt_id IN (SELECT id FROM attempt WHERE owner_id = $1) AND LOWER(body) LIKE $2 \
             ORDER BY saved_at DESC LIMIT 20"
        )
        .bind(owner)
        .bind(pattern)
        .fetch_all(c)
        })?;
        for (attempt, name, body) in rows {
            let texts = found.entry(attempt).or_default();
            if !texts.iter().any(|(other, _)| *other == name) {
                texts.push((name, body));
            }
        }
    }
    Ok(found)
}

/// What a section holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Section {
    pub name: SectionName,
    pub body: String,
    pub revision: i64,
    pub saved_at: UnixMillis,
}

#[derive(FromRow)]
struct SectionRow {
    name: String,
    body: String,
    revision: i64,
    saved_at: i64,
}

/// Every section that was ever saved.
pub async fn sections(
    conn: &mut Conn<'_>,
    permit: &AttemptPermit,
) -> Result<Vec<Section>, StoreError> {
    let rows = on!(conn, |c| sqlx::query_as::<_, SectionRow>(
        "SELECT name, body, revision, saved_at FROM section WHERE attempt_id = $1 ORDER BY name"
    )
    .bind(&permit.attempt.id)
    .fetch_all(c))?;
    Ok(rows
        .into_iter()
        .filter_map(|row| {
            let name = SectionName::from_slug(&row.name)?;
            Some(Section {
                name,
                body: row.body,
                revision: row.revision,
                saved_at: row.saved_at,
            })
        })
        .collect())
}

/// The sections whose revision is above the one that is known; `known` lists slug and revision.
pub async fn sections_since(
    conn: &mut Conn<'_>,
    permit: &AttemptPermit,
    known: &BTreeMap<String, i64>,
) -> Result<Vec<Section>, StoreError> {
    // Revisions alone first: on almost every call nothing has changed and no text is read.
    let revisions = on!(conn, |c| sqlx::query_as::<_, (String, i64)>(
        "SELECT name, revision FROM section WHERE attempt_id = $1"
    )
    .bind(&permit.attempt.id)
    .fetch_all(c))?;
    if revisions
        .iter()
        .all(|(name, revision)| known.get(name).copied().unwrap_or(0) >= *revision)
    {
        return Ok(Vec::new());
    }
    let mut changed = sections(conn, permit).await?;
    changed
        .retain(|section| known.get(&section.name.slug()).copied().unwrap_or(0) < section.revision);
    Ok(changed)
}

/// A save as it arrives.
#[derive(Clone, Debug)]
pub struct Save<'a> {
    pub name: &'a SectionName,
    pub body: &'a str,
    /// The revision that the text started from, 0 for none.
    pub base: i64,
    /// Chosen by the sender: the same save again has the same key.
    pub key: &'a str,
}

impl Save<'_> {
    fn fingerprint(&self) -> String {
        sha256_hex(format!(
            "{}\n{}\n{}",
            self.name.slug(),
            self.base,
            self.body
        ))
    }
}

/// Saves a section. A repeat of an acknowledged save gets the same answer; a save that started from an older revision
/// is refused with the current text. The same text as the current one is always fine.
pub async fn save(
    conn: &mut Conn<'_>,
    permit: &AttemptPermit,
    save: &Save<'_>,
    now: UnixMillis,
) -> Result<Current, StoreError> {
    let attempt = &permit.attempt;
    lock(conn, permit).await?;
    let (scores,) = on!(conn, |c| sqlx::query_as::<_, (i64,)>(
        "SELECT COUNT(*) FROM score WHERE attempt_id = $1"
    )
    .bind(&attempt.id)
    .fetch_one(c))?;
    if scores > 0 {
        return Err(AppError::invalid(
            "body",
            "This attempt has been scored and takes no more changes. Copy your text and start another attempt.",
        )
        .into());
    }
    let name = save.name.slug();
    let fingerprint = save.fingerprint();
    let acknowledged = |revision, saved_at| Current {
        revision,
        body: save.body.to_owned(),
        saved_at,
    };

    let claimed = affected!(conn, |c| {
        sqlx::query(
        "INSERT INTO save_key (attempt_id, key, fingerprint, revision, saved_at) VALUES ($1, $2, $3, $4, $5) \
         ON CONFLICT (attempt_id, key) DO NOTHING"
    )
    .bind(&attempt.id)
    .bind(save.key)
    .bind(&fingerprint)
    .bind(save.base.saturating_add(1))
    .bind(now)
    .execute(c)
    })? > 0;
    if !claimed {
        let (known, revision, saved_at) = on!(conn, |c| {
            sqlx::query_as::<_, (String, i64, i64)>(
            "SELECT fingerprint, revision, saved_at FROM save_key WHERE attempt_id = $1 AND key = $2"
        )
        .bind(&attempt.id)
        .bind(save.key)
        .fetch_one(c)
        })?;
        return if known == fingerprint {
            Ok(acknowledged(revision, saved_at))
        } else {
            Err(AppError::invalid(
                "key",
                "This save's key was used for another text before. Reload the page and save again.",
            )
            .into())
        };
    }

    let before = current(conn, permit, save.name).await?;
    if before.body == save.body {
        // The same text, whatever it started from: nothing is written, and a repeat gets this answer.
        affected!(conn, |c| sqlx::query(
            "UPDATE save_key SET revision = $3, saved_at = $4 WHERE attempt_id = $1 AND key = $2"
        )
        .bind(&attempt.id)
        .bind(save.key)
        .bind(before.revision)
        .bind(before.saved_at)
        .execute(c))?;
        return Ok(before);
    }
    if before.revision != save.base {
        return Err(AppError::Conflict(Box::new(before)).into());
    }
    let revision = save.base + 1;
    affected!(conn, |c| {
        sqlx::query(
        "INSERT INTO section (attempt_id, name, body, revision, saved_at) VALUES ($1, $2, $3, $4, $5) \
         ON CONFLICT (attempt_id, name) DO UPDATE \
         SET body = excluded.body, revision = excluded.revision, saved_at = excluded.saved_at"
    )
    .bind(&attempt.id)
    .bind(&name)
    .bind(save.body)
    .bind(revision)
    .bind(now)
    .execute(c)
    })?;
    let apart = save.key.starts_with(APART);
    keep_revision(conn, permit, &name, revision, save.body, apart, now).await?;
    affected!(conn, |c| sqlx::query(
        "DELETE FROM save_key WHERE attempt_id = $1 AND (saved_at < $2 OR saved_at > $3)"
    )
    .bind(&attempt.id)
    .bind(now - KEYS_KEPT)
    .bind(now + KEYS_KEPT)
    .execute(c))?;
    Ok(acknowledged(revision, now))
}

/// Holds the attempt's row until the transaction ends: saves and scores of one attempt come one after the other.
async fn lock(conn: &mut Conn<'_>, permit: &AttemptPermit) -> Result<(), StoreError> {
    let there = affected!(conn, |c| sqlx::query(
        "UPDATE attempt SET marked_at = marked_at WHERE id = $1"
    )
    .bind(&permit.attempt.id)
    .execute(c))?;
    // Deleted since the permit was given, with the account.
    if there == 0 {
        return Err(AppError::NotFound.into());
    }
    Ok(())
}

/// What a section holds now; nothing saved yet is revision 0.
pub async fn current(
    conn: &mut Conn<'_>,
    permit: &AttemptPermit,
    name: &SectionName,
) -> Result<Current, StoreError> {
    let row = on!(conn, |c| sqlx::query_as::<_, SectionRow>(
        "SELECT name, body, revision, saved_at FROM section WHERE attempt_id = $1 AND name = $2"
    )
    .bind(&permit.attempt.id)
    .bind(name.slug())
    .fetch_optional(c))?;
    Ok(row.map_or(
        Current {
            revision: 0,
            body: String::new(),
            saved_at: permit.attempt.started_at,
        },
        |row| Current {
            revision: row.revision,
            body: row.body,
            saved_at: row.saved_at,
        },
    ))
}

/// Keeps the text under its revision, and drops the one before when both belong to the same minute of typing. A text
/// that lost more than half of its length starts a revision of its own, so that what was cut can be found again.
async fn keep_revision(
    conn: &mut Conn<'_>,
    permit: &AttemptPermit,
    name: &str,
    revision: i64,
    body: &str,
    apart: bool,
    now: UnixMillis,
) -> Result<(), StoreError> {
    let id = &permit.attempt.id;
    let before = on!(conn, |c| {
        sqlx::query_as::<_, (i64, i64)>(
        "SELECT began_at, CAST(LENGTH(body) AS BIGINT) FROM revision WHERE attempt_id = $1 AND name = $2 AND revision = $3"
    )
    .bind(id)
    .bind(name)
    .bind(revision - 1)
    .fetch_optional(c)
    })?;
    let length = i64::try_from(body.chars().count()).unwrap_or(i64::MAX);
    let coalesced = before.filter(|(began_at, before)| {
        // What began later than now was noted by a clock that was wrong.
        let together = (0..COALESCED_WITHIN).contains(&(now - began_at));
        !apart && together && length >= before / 2
    });
    if coalesced.is_some() {
        affected!(conn, |c| sqlx::query(
            "DELETE FROM revision WHERE attempt_id = $1 AND name = $2 AND revision = $3"
        )
        .bind(id)
        .bind(name)
        .bind(revision - 1)
        .execute(c))?;
    }
    affected!(conn, |c| {
        sqlx::query(
        "INSERT INTO revision (attempt_id, name, revision, body, began_at, saved_at) VALUES ($1, $2, $3, $4, $5, $6)"
    )
    .bind(id)
    .bind(name)
    .bind(revision)
    .bind(body)
    .bind(coalesced.map_or(now, |(began_at, _)| began_at))
    .bind(now)
    .execute(c)
    })?;
    affected!(conn, |c| {
        sqlx::query(
        "DELETE FROM revision WHERE attempt_id = $1 AND name = $2 AND revision < (SELECT MIN(revision) FROM \
         (SELECT revision FROM revision WHERE attempt_id = $1 AND name = $2 ORDER BY revision DESC LIMIT $3) AS newest)"
    )
    .bind(id)
    .bind(name)
    .bind(REVISIONS_KEPT)
    .execute(c)
    })?;
    Ok(())
}

/// A kept revision without its text.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct RevisionLine {
    pub revision: i64,
    pub saved_at: UnixMillis,
    /// In characters.
    pub length: i64,
}

/// The kept revisions of a section, the latest first.
pub async fn revisions(
    conn: &mut Conn<'_>,
    permit: &AttemptPermit,
    name: &SectionName,
) -> Result<Vec<RevisionLine>, StoreError> {
    on!(conn, |c| sqlx::query_as::<_, RevisionLine>(
        "SELECT revision, saved_at, CAST(LENGTH(body) AS BIGINT) AS length FROM revision \
         WHERE attempt_id = $1 AND name = $2 ORDER BY revision DESC"
    )
    .bind(&permit.attempt.id)
    .bind(name.slug())
    .fetch_all(c))
}

/// The text of a kept revision.
pub async fn revision(
    conn: &mut Conn<'_>,
    permit: &AttemptPermit,
    name: &SectionName,
    revision: i64,
) -> Result<Current, StoreError> {
    let row = on!(conn, |c| {
        sqlx::query_as::<_, SectionRow>(
        "SELECT name, body, revision, saved_at FROM revision WHERE attempt_id = $1 AND name = $2 AND revision = $3"
    )
    .bind(&permit.attempt.id)
    .bind(name.slug())
    .bind(revision)
    .fetch_optional(c)
    })?;
    let row = row.ok_or(AppError::NotFound)?;
    Ok(Current {
        revision: row.revision,
        body: row.body,
        saved_at: row.saved_at,
    })
}

/// The sections whose present text was saved after the round's end.
pub async fn sections_saved_after(
    conn: &mut Conn<'_>,
    permit: &AttemptPermit,
    ends_at: UnixMillis,
) -> Result<Vec<String>, StoreError> {
    let rows = on!(conn, |c| sqlx::query_as::<_, (String,)>(
        "SELECT name FROM section WHERE attempt_id = $1 AND saved_at > $2 ORDER BY name"
    )
    .bind(&permit.attempt.id)
    .bind(ends_at)
    .fetch_all(c))?;
    Ok(rows.into_iter().map(|(name,)| name).collect())
}

/// Where the person is and for how long each phase was worked on.
pub async fn presence(conn: &mut Conn<'_>, permit: &AttemptPermit) -> Result<Presence, StoreError> {
    let attempt = &permit.attempt;
    let rows = on!(conn, |c| sqlx::query_as::<_, (String, i64)>(
        "SELECT phase, spent FROM phase_time WHERE attempt_id = $1"
    )
    .bind(&attempt.id)
    .fetch_all(c))?;
    let mut spent = [0; 8];
    for (phase, millis) in rows {
        if let Some(phase) = Phase::from_slug(&phase) {
            spent[phase.index()] = millis;
        }
    }
    Ok(Presence {
        phase: attempt.phase,
        marked_at: attempt.marked_at,
        spent,
    })
}

/// The person is seen in `phase`: the time since they were last seen is counted. A closed attempt counts no more.
pub async fn mark(
    conn: &mut Conn<'_>,
    permit: &AttemptPermit,
    phase: Phase,
    now: UnixMillis,
) -> Result<Presence, StoreError> {
    let before = presence(conn, permit).await?;
    if permit.attempt.is_closed() {
        return Ok(before);
    }
    let after = before.marked(phase, now);
    let id = &permit.attempt.id;
    // Whoever else marks at the same time has counted the same stretch.
    let moved = affected!(conn, |c| sqlx::query(
        "UPDATE attempt SET phase = $2, marked_at = $3 WHERE id = $1 AND marked_at = $4"
    )
    .bind(id)
    .bind(phase.slug())
    .bind(after.marked_at)
    .bind(before.marked_at)
    .execute(c))?;
    let counted = after.spent[before.phase.index()] - before.spent[before.phase.index()];
    if moved > 0 && counted > 0 {
        affected!(conn, |c| {
            sqlx::query(
            "INSERT INTO phase_time (attempt_id, phase, spent) VALUES ($1, $2, $3) \
             ON CONFLICT (attempt_id, phase) DO UPDATE SET spent = phase_time.spent + excluded.spent"
        )
        .bind(id)
        .bind(before.phase.slug())
        .bind(counted)
        .execute(c)
        })?;
    }
    Ok(after)
}

/// The numbers of the hints that were asked for, from 0, with their times.
pub async fn hints(
    conn: &mut Conn<'_>,
    permit: &AttemptPermit,
) -> Result<Vec<(i64, UnixMillis)>, StoreError> {
    on!(conn, |c| sqlx::query_as::<_, (i64, i64)>(
        "SELECT number, asked_at FROM hint WHERE attempt_id = $1 ORDER BY number"
    )
    .bind(&permit.attempt.id)
    .fetch_all(c))
}

/// Records that a hint was asked for.
pub async fn ask_hint(
    conn: &mut Conn<'_>,
    permit: &AttemptPermit,
    number: i64,
    now: UnixMillis,
) -> Result<(), StoreError> {
    affected!(conn, |c| sqlx::query(
        "INSERT INTO hint (attempt_id, number, asked_at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING"
    )
    .bind(&permit.attempt.id)
    .bind(number)
    .bind(now)
    .execute(c))
    .map(|_| ())
}

/// A scorecard that was committed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Score {
    pub id: String,
    /// From 1; above 1 it was given with the reference known.
    pub number: i64,
    pub rubric_version: i64,
    pub scored_at: UnixMillis,
    pub card: Scorecard,
}

/// Commits a scorecard. It is never changed; the same id again changes nothing.
pub async fn commit_score(
    conn: &mut Conn<'_>,
    permit: &AttemptPermit,
    id: &str,
    rubric_version: u32,
    card: &Scorecard,
    now: UnixMillis,
) -> Result<(), StoreError> {
    let attempt_id = &permit.attempt.id;
    lock(conn, permit).await?;
    let new = affected!(conn, |c| {
        sqlx::query(
        "INSERT INTO score (id, attempt_id, number, rubric_version, scored_at) \
         VALUES ($1, $2, (SELECT COUNT(*) + 1 FROM score WHERE attempt_id = $2), $3, $4) ON CONFLICT (id) DO NOTHING"
    )
    .bind(id)
    .bind(attempt_id)
    .bind(i64::from(rubric_version))
    .bind(now)
    .execute(c)
    })?;
    if new == 0 {
        let known = on!(conn, |c| sqlx::query_as::<_, (i64,)>(
            "SELECT number FROM score WHERE id = $1 AND attempt_id = $2"
        )
        .bind(id)
        .bind(attempt_id)
        .fetch_optional(c))?;
        return if known.is_some() {
            Ok(())
        } else {
            Err(AppError::invalid(
                "score",
                "This form's key was used for another attempt. Reload the page and score again.",
            )
            .into())
        };
    }
    for (position, entry) in (0_i64..).zip(&card.entries) {
        affected!(conn, |c| {
            sqlx::query(
            "INSERT INTO score_entry (score_id, position, criterion, rating, evidence) VALUES ($1, $2, $3, $4, $5)"
        )
        .bind(id)
        .bind(position)
        .bind(entry.criterion.slug())
        .bind(entry.rating.digit())
        .bind(&entry.evidence)
        .execute(c)
        })?;
    }
    Ok(())
}

#[derive(FromRow)]
struct ScoreRow {
    attempt_id: String,
    id: String,
    number: i64,
    rubric_version: i64,
    scored_at: i64,
    criterion: String,
    rating: i64,
    evidence: String,
}

/// The scorecards of an attempt, in the order in which they were committed.
pub async fn scores(conn: &mut Conn<'_>, permit: &AttemptPermit) -> Result<Vec<Score>, StoreError> {
    let rows = on!(conn, |c| {
        sqlx::query_as::<_, ScoreRow>(
        "SELECT score.attempt_id, score.id, number, rubric_version, scored_at, criterion, rating, evidence \
         FROM score JOIN score_entry ON score_entry.score_id = score.id \
         WHERE score.attempt_id = $1 ORDER BY number, position"
    )
    .bind(&permit.attempt.id)
    .fetch_all(c)
    })?;
    Ok(gather(rows).into_iter().map(|(_, score)| score).collect())
}

/// All scorecards of an owner with the id of their attempt, in the order in which they were committed.
pub async fn scores_of_owner(
    conn: &mut Conn<'_>,
    owner: &str,
) -> Result<Vec<(String, Score)>, StoreError> {
    let rows = on!(conn, |c| {
        sqlx::query_as::<_, ScoreRow>(
        "SELECT score.attempt_id, score.id, number, rubric_version, scored_at, criterion, rating, evidence \
         FROM score JOIN score_entry ON score_entry.score_id = score.id \
         JOIN attempt ON attempt.id = score.attempt_id \
         WHERE attempt.owner_id = $1 ORDER BY scored_at, score.id, position"
    )
    .bind(owner)
    .fetch_all(c)
    })?;
    Ok(gather(rows))
}

/// Rows in order of their score become scores.
fn gather(rows: Vec<ScoreRow>) -> Vec<(String, Score)> {
    let mut scores: Vec<(String, Score)> = Vec::new();
    for row in rows {
        let entry = CriterionId::from_slug(&row.criterion)
            .zip(Rating::from_digit(row.rating))
            .map(|(criterion, rating)| Entry {
                criterion,
                rating,
                evidence: row.evidence,
            });
        match scores.last_mut() {
            Some((_, score)) if score.id == row.id => score.card.entries.extend(entry),
            _ => scores.push((
                row.attempt_id,
                Score {
                    id: row.id,
                    number: row.number,
                    rubric_version: row.rubric_version,
                    scored_at: row.scored_at,
                    card: Scorecard {
                        entries: entry.into_iter().collect(),
                    },
                },
            )),
        }
    }
    scores
}
