//! The SQL of an account's archive: everything that is kept of an owner's attempts, and attempts put back.
//!
//! Must never know how an archive is written or packed. Functions run on the caller's transaction.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::sync::LazyLock;

use sqlx::FromRow;

use crate::accounts::store::AccountPermit;
use crate::domain::archive::{
    ArchivedAttempt, ArchivedHint, ArchivedRevision, ArchivedScore, ArchivedSection,
    REVISIONS_PER_SECTION,
};
use crate::domain::attempt::{ATTEMPTS_PER_ACCOUNT, SectionName, UnixMillis};
use crate::domain::criterion::CriterionId;
use crate::domain::level::Rating;
use crate::domain::phase::Phase;
use crate::domain::scorecard::Entry;
use crate::error::AppError;
use crate::server::database::{Conn, StoreError};
use crate::server::store::hold_owner;
use crate::{affected, on};

use super::{Attempt, AttemptPermit};

// What is kept has to fit into what is read back.
const _: () = assert!(REVISIONS_PER_SECTION as i64 == super::REVISIONS_KEPT);

/// What an import came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ImportReport {
    pub imported: usize,
    /// Attempts that the owner had already; they were left as they are.
    pub already_there: usize,
}

#[derive(FromRow)]
struct RevisionRow {
    attempt_id: String,
    name: String,
    revision: i64,
    body: String,
    began_at: i64,
    saved_at: i64,
}

#[derive(FromRow)]
struct SectionRow {
    attempt_id: String,
    name: String,
    body: String,
    revision: i64,
    saved_at: i64,
}

#[derive(FromRow)]
struct ScoreRow {
    attempt_id: String,
    id: String,
    number: i64,
    rubric_version: i64,
    scored_at: i64,
}

#[derive(FromRow)]
struct EntryRow {
    score_id: String,
    criterion: String,
    rating: i64,
    evidence: String,
}

/// Everything that is kept of an owner's attempts, the first started first.
///
/// The statements need not see one moment: what is written in between may be missing, but what is there always reads
/// back. For that, revisions are read before their sections, whose number is never below theirs, and scores before
/// their entries.
pub async fn everything(
    conn: &mut Conn<'_>,
    owner: &str,
) -> Result<Vec<ArchivedAttempt>, StoreError> {
    let mut attempts = super::attempts(conn, owner).await?;
    attempts.reverse();
    let revisions = on!(conn, |c| {
        sqlx::query_as::<_, RevisionRow>(
            "SELECT attempt_id, name, revision, body, began_at, saved_at FROM revision \
             WHERE attempt_id IN (SELECT id FROM attempt WHERE owner_id = $1) ORDER BY attempt_id, name, revision",
        )
        .bind(owner)
        .fetch_all(c)
    })?;
    let sections = on!(conn, |c| sqlx::query_as::<_, SectionRow>(
        "SELECT attempt_id, name, body, revision, saved_at FROM section \
         WHERE attempt_id IN (SELECT id FROM attempt WHERE owner_id = $1)"
    )
    .bind(owner)
    .fetch_all(c))?;
    let spent = on!(conn, |c| sqlx::query_as::<_, (String, String, i64)>(
        "SELECT attempt_id, phase, spent FROM phase_time \
         WHERE attempt_id IN (SELECT id FROM attempt WHERE owner_id = $1)"
    )
    .bind(owner)
    .fetch_all(c))?;
    let hints = on!(conn, |c| {
        sqlx::query_as::<_, (String, i64, i64)>(
        "SELECT attempt_id, number, asked_at FROM hint \
         WHERE attempt_id IN (SELECT id FROM attempt WHERE owner_id = $1) ORDER BY attempt_id, number"
    )
    .bind(owner)
    .fetch_all(c)
    })?;
    let scores = on!(conn, |c| {
        sqlx::query_as::<_, ScoreRow>(
        "SELECT attempt_id, id, number, rubric_version, scored_at FROM score \
         WHERE attempt_id IN (SELECT id FROM attempt WHERE owner_id = $1) ORDER BY attempt_id, number"
    )
    .bind(owner)
    .fetch_all(c)
    })?;
    let entries = on!(conn, |c| {
        sqlx::query_as::<_, EntryRow>(
            "SELECT score_id, criterion, rating, evidence FROM score_entry \
             WHERE score_id IN (SELECT score.id FROM score JOIN attempt ON attempt.id = score.attempt_id \
             WHERE attempt.owner_id = $1) ORDER BY score_id, position",
        )
        .bind(owner)
        .fetch_all(c)
    })?;
    assemble(
        attempts,
        Rows {
            revisions,
            sections,
            spent,
            hints,
            scores,
            entries,
        },
    )
}

/// One attempt as it stands, without the kept revisions of its sections.
pub async fn attempt(
    conn: &mut Conn<'_>,
    permit: &AttemptPermit,
) -> Result<ArchivedAttempt, StoreError> {
    let attempt = permit.attempt();
    let mut sections: Vec<ArchivedSection> = super::sections(conn, permit)
        .await?
        .into_iter()
        .map(|section| ArchivedSection {
            name: section.name,
            revision: section.revision,
            saved_at: section.saved_at,
            body: section.body,
            revisions: Vec::new(),
        })
        .collect();
    in_reading_order(&mut sections);
    let hints = super::hints(conn, permit).await?.into_iter();
    let scores = super::scores(conn, permit).await?.into_iter();
    Ok(ArchivedAttempt {
        id: attempt.id.clone(),
        prompt: attempt.prompt.clone(),
        variant: attempt.variant.clone(),
        terms: attempt.terms,
        started_at: attempt.started_at,
        phase: attempt.phase,
        marked_at: attempt.marked_at,
        spent: super::presence(conn, permit).await?.spent,
        sections,
        hints: hints
            .map(|(number, asked_at)| ArchivedHint { number, asked_at })
            .collect(),
        scores: scores
            .map(|score| {
                Ok(ArchivedScore {
                    rubric_version: rubric_version(score.rubric_version, &score.id)?,
                    id: score.id,
                    number: score.number,
                    scored_at: score.scored_at,
                    entries: score.card.entries,
                })
            })
            .collect::<Result<_, StoreError>>()?,
    })
}

/// What the tables hold of one owner, each in the order of its number.
struct Rows {
    revisions: Vec<RevisionRow>,
    sections: Vec<SectionRow>,
    spent: Vec<(String, String, i64)>,
    hints: Vec<(String, i64, i64)>,
    scores: Vec<ScoreRow>,
    entries: Vec<EntryRow>,
}

/// What does not read was not written by this program; leaving it out would lose it without a word.
fn unreadable(what: &str, id: &str) -> StoreError {
    AppError::internal(format!("{what} of {id} does not read")).into()
}

fn rubric_version(version: i64, score: &str) -> Result<u32, StoreError> {
    u32::try_from(version).map_err(|_| unreadable("the rubric's version", score))
}

fn in_reading_order(sections: &mut [ArchivedSection]) {
    sections.sort_by(|one, other| one.name.reading_order().cmp(&other.name.reading_order()));
}

fn assemble(attempts: Vec<Attempt>, rows: Rows) -> Result<Vec<ArchivedAttempt>, StoreError> {
    let mut revisions: BTreeMap<(String, String), Vec<ArchivedRevision>> = BTreeMap::new();
    for row in rows.revisions {
        let kept = ArchivedRevision {
            number: row.revision,
            began_at: row.began_at,
            saved_at: row.saved_at,
            body: row.body,
        };
        let place = (row.attempt_id, row.name);
        revisions.entry(place).or_default().push(kept);
    }
    let mut sections: BTreeMap<String, Vec<ArchivedSection>> = BTreeMap::new();
    for row in rows.sections {
        let name = SectionName::from_slug(&row.name)
            .ok_or_else(|| unreadable("a section's name", &row.attempt_id))?;
        let place = (row.attempt_id, row.name);
        let section = ArchivedSection {
            name,
            revision: row.revision,
            saved_at: row.saved_at,
            body: row.body,
            revisions: revisions.remove(&place).unwrap_or_default(),
        };
        sections.entry(place.0).or_default().push(section);
    }
    let mut spent: BTreeMap<String, [i64; 8]> = BTreeMap::new();
    for (attempt, phase, millis) in rows.spent {
        let phase = Phase::from_slug(&phase).ok_or_else(|| unreadable("a phase", &attempt))?;
        spent.entry(attempt).or_default()[phase.index()] = millis;
    }
    let mut hints: BTreeMap<String, Vec<ArchivedHint>> = BTreeMap::new();
    for (attempt, number, asked_at) in rows.hints {
        let hint = ArchivedHint { number, asked_at };
        hints.entry(attempt).or_default().push(hint);
    }
    let mut entries: BTreeMap<String, Vec<Entry>> = BTreeMap::new();
    for row in rows.entries {
        let (Some(criterion), Some(rating)) = (
            CriterionId::from_slug(&row.criterion),
            Rating::from_digit(row.rating),
        ) else {
            return Err(unreadable("a rating", &row.score_id));
        };
        let entry = Entry {
            criterion,
            rating,
            evidence: row.evidence,
        };
        entries.entry(row.score_id).or_default().push(entry);
    }
    let mut scores: BTreeMap<String, Vec<ArchivedScore>> = BTreeMap::new();
    for row in rows.scores {
        let score = ArchivedScore {
            rubric_version: rubric_version(row.rubric_version, &row.id)?,
            entries: entries.remove(&row.id).unwrap_or_default(),
            id: row.id,
            number: row.number,
            scored_at: row.scored_at,
        };
        scores.entry(row.attempt_id).or_default().push(score);
    }
    let whole = |attempt: Attempt| {
        let mut sections = sections.remove(&attempt.id).unwrap_or_default();
        in_reading_order(&mut sections);
        ArchivedAttempt {
            sections,
            spent: spent.remove(&attempt.id).unwrap_or_default(),
            hints: hints.remove(&attempt.id).unwrap_or_default(),
            scores: scores.remove(&attempt.id).unwrap_or_default(),
            id: attempt.id,
            prompt: attempt.prompt,
            variant: attempt.variant,
            terms: attempt.terms,
            started_at: attempt.started_at,
            phase: attempt.phase,
            marked_at: attempt.marked_at,
        }
    };
    Ok(attempts.into_iter().map(whole).collect())
}

/// Rows that go into a table with one statement.
const BATCH: usize = 32;

/// `INSERT INTO hint (a, b) VALUES ($1, $2), ($3, $4)` for so many rows.
fn insert_statement(table: &str, columns: &str, rows: usize) -> String {
    let width = columns.split(',').count();
    let mut statement = format!("INSERT INTO {table} ({columns}) VALUES ");
    for row in 0..rows {
        for column in 0..width {
            let before = match (row, column) {
                (0, 0) => "(",
                (_, 0) => "), (",
                _ => ", ",
            };
            // Writing to a string does not fail.
            let _ = write!(statement, "{before}${}", row * width + column + 1);
        }
    }
    statement.push(')');
    statement
}

/// Inserts rows, many with one statement. The statements are made once, of nothing but the names that stand here.
macro_rules! insert_all {
    ($conn:expr, $table:literal, $columns:literal, $rows:expr, |$row:pat_param| [$($value:expr),+ $(,)?]) => {{
        static MANY: LazyLock<String> = LazyLock::new(|| insert_statement($table, $columns, BATCH));
        static ONE: LazyLock<String> = LazyLock::new(|| insert_statement($table, $columns, 1));
        let rows = $rows;
        let batches = rows.chunks_exact(BATCH);
        let singles = batches.remainder().chunks(1);
        for (statement, rows) in batches
            .map(|rows| (&*MANY, rows))
            .chain(singles.map(|rows| (&*ONE, rows)))
        {
            affected!($conn, |c| {
                let mut query = sqlx::query(statement.as_str());
                for $row in rows {
                    $(query = query.bind($value);)+
                }
                query.execute(c)
            })?;
        }
    }};
}

/// Puts attempts into an account. Ids are kept where they are free; an attempt that the owner has already is left as it
/// is; an id that is taken otherwise is replaced by one of `new_id`. All of it or nothing, as the transaction ends.
///
/// # Errors
/// [`AppError::Invalid`] on the field `archive` when the account would hold more attempts than are kept of one, and
/// [`AppError::NotFound`] when there is no such owner.
pub async fn import(
    conn: &mut Conn<'_>,
    permit: &AccountPermit,
    attempts: &[ArchivedAttempt],
    mut new_id: impl FnMut() -> String,
    now: UnixMillis,
) -> Result<ImportReport, StoreError> {
    let owner = permit.account().owner_id.as_str();
    // One import or start after the other, so that the count holds.
    hold_owner(conn, owner).await?;
    let own = on!(conn, |c| sqlx::query_as::<_, (String,)>(
        "SELECT id FROM attempt WHERE owner_id = $1"
    )
    .bind(owner)
    .fetch_all(c))?;
    let mut own: BTreeSet<String> = own.into_iter().map(|(id,)| id).collect();
    let had = own.len();
    let coming: Vec<&ArchivedAttempt> = attempts
        .iter()
        .filter(|attempt| own.insert(attempt.id.clone()))
        .collect();
    check_count(had, coming.len())?;

    let mut placed = Vec::with_capacity(coming.len());
    for attempt in &coming {
        let id = insert_attempt(conn, owner, attempt, &mut new_id, now).await?;
        placed.push((id, *attempt));
    }
    insert_parts(conn, &placed).await?;
    insert_scores(conn, &placed, &mut new_id).await?;
    Ok(ImportReport {
        imported: coming.len(),
        already_there: attempts.len() - coming.len(),
    })
}

fn check_count(had: usize, coming: usize) -> Result<(), StoreError> {
    let most = usize::try_from(ATTEMPTS_PER_ACCOUNT).unwrap_or(usize::MAX);
    if had + coming <= most {
        return Ok(());
    }
    Err(AppError::invalid(
        "archive",
        format!(
            "The archive brings {coming} attempts and this account has {had}; an account keeps at most {most}. Nothing was imported. \
             Import it into another account."
        ),
    )
    .into())
}

/// Inserts an attempt's own row under its id or, where that is taken, under a new one, which is the answer.
async fn insert_attempt(
    conn: &mut Conn<'_>,
    owner: &str,
    attempt: &ArchivedAttempt,
    new_id: &mut impl FnMut() -> String,
    now: UnixMillis,
) -> Result<String, StoreError> {
    let mut id = attempt.id.clone();
    loop {
        let inserted = affected!(conn, |c| {
            sqlx::query(
                "INSERT INTO attempt (id, owner_id, prompt, way, level, minutes, started_at, phase, marked_at, imported_at, variant) \
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) ON CONFLICT (id) DO NOTHING",
            )
            .bind(&id)
            .bind(owner)
            .bind(&attempt.prompt)
            .bind(attempt.terms.way.slug())
            .bind(attempt.terms.level.slug())
            .bind(attempt.terms.minutes.map(i64::from))
            .bind(attempt.started_at)
            .bind(attempt.phase.slug())
            .bind(attempt.marked_at)
            .bind(now)
            .bind(&attempt.variant)
            .execute(c)
        })?;
        if inserted > 0 {
            return Ok(id);
        }
        id = new_id();
    }
}

/// Inserts what belongs to the attempts apart from their scores. Each comes with the id that it has here.
async fn insert_parts(
    conn: &mut Conn<'_>,
    placed: &[(String, &ArchivedAttempt)],
) -> Result<(), StoreError> {
    let mut times = Vec::new();
    let mut hints = Vec::new();
    let mut sections = Vec::new();
    let mut revisions = Vec::new();
    for (id, attempt) in placed {
        let worked = Phase::ALL.into_iter().zip(attempt.spent);
        times.extend(
            worked
                .filter(|(_, spent)| *spent != 0)
                .map(|(phase, spent)| (id, phase, spent)),
        );
        hints.extend(attempt.hints.iter().map(|hint| (id, hint)));
        for section in &attempt.sections {
            let name = section.name.slug();
            let kept = section.revisions.iter();
            revisions.extend(kept.map(|kept| (id, name.clone(), kept)));
            sections.push((id, name, section));
        }
    }
    insert_all!(
        conn,
        "phase_time",
        "attempt_id, phase, spent",
        times,
        |(id, phase, spent)| [*id, phase.slug(), *spent]
    );
    insert_all!(conn, "hint", "attempt_id, number, asked_at", hints, |(
        id,
        hint,
    )| [
        *id,
        hint.number,
        hint.asked_at
    ]);
    insert_all!(
        conn,
        "section",
        "attempt_id, name, body, revision, saved_at",
        sections,
        |(id, name, section)| [*id, name, &section.body, section.revision, section.saved_at]
    );
    insert_all!(
        conn,
        "revision",
        "attempt_id, name, revision, body, began_at, saved_at",
        revisions,
        |(id, name, kept)| [
            *id,
            name,
            kept.number,
            &kept.body,
            kept.began_at,
            kept.saved_at
        ]
    );
    Ok(())
}

async fn insert_scores(
    conn: &mut Conn<'_>,
    placed: &[(String, &ArchivedAttempt)],
    new_id: &mut impl FnMut() -> String,
) -> Result<(), StoreError> {
    let mut entries = Vec::new();
    for (attempt_id, attempt) in placed {
        for score in &attempt.scores {
            let id = insert_score(conn, attempt_id, score, new_id).await?;
            for (position, entry) in (0_i64..).zip(&score.entries) {
                entries.push((id.clone(), position, entry));
            }
        }
    }
    insert_all!(
        conn,
        "score_entry",
        "score_id, position, criterion, rating, evidence",
        entries,
        |(id, position, entry)| [
            id,
            *position,
            entry.criterion.slug(),
            entry.rating.digit(),
            &entry.evidence
        ]
    );
    Ok(())
}

/// Inserts a score's own row under its id or, where that is taken, under a new one, which is the answer.
async fn insert_score(
    conn: &mut Conn<'_>,
    attempt_id: &str,
    score: &ArchivedScore,
    new_id: &mut impl FnMut() -> String,
) -> Result<String, StoreError> {
    let mut id = score.id.clone();
    loop {
        let inserted = affected!(conn, |c| {
            sqlx::query(
                "INSERT INTO score (id, attempt_id, number, rubric_version, scored_at) VALUES ($1, $2, $3, $4, $5) \
                 ON CONFLICT (id) DO NOTHING",
            )
            .bind(&id)
            .bind(attempt_id)
            .bind(score.number)
            .bind(i64::from(score.rubric_version))
            .bind(score.scored_at)
            .execute(c)
        })?;
        if inserted > 0 {
            return Ok(id);
        }
        id = new_id();
    }
}
