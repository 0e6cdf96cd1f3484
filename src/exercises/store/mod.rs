//! The SQL of exercises: what a person wrote in one, how far they are, and how they rated it.
//!
//! Who reads takes an [`ExercisePermit`], which only [`permit`] gives; who writes a [`HeldExercise`], which only [`hold`]
//! gives and which keeps everybody else waiting until the transaction ends. Functions run on the caller's transaction.

pub mod archive;

use std::collections::BTreeMap;

use sqlx::FromRow;

use crate::domain::attempt::UnixMillis;
use crate::domain::exercise::{Kind, Scores, Work};
use crate::domain::level::Level;
use crate::error::AppError;
use crate::server::database::{Conn, StoreError};
use crate::server::store::hold_owner;
use crate::{affected, on};

/// A person's work on an exercise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exercise {
    pub id: String,
    pub kind: Kind,
    /// The exercise's slug among those of its kind; it need not be published any more.
    pub slug: String,
    pub level: Level,
    pub started_at: UnixMillis,
    /// How many steps of an incident are shown.
    pub revealed: i64,
    pub work: Work,
    /// Rises with each save.
    pub revision: i64,
    pub saved_at: UnixMillis,
    /// From then on nothing more is written.
    pub finished_at: Option<UnixMillis>,
    /// Once it is rated the answer is shown.
    pub scores: Option<Scores>,
}

/// Leave to read one exercise.
#[derive(Clone, Debug)]
pub struct ExercisePermit {
    owner: String,
    exercise: Exercise,
}

impl ExercisePermit {
    /// Whose it is.
    pub fn owner(&self) -> &str {
        &self.owner
    }

    pub fn exercise(&self) -> &Exercise {
        &self.exercise
    }
}

/// Leave to write one exercise, which nobody else changes until the transaction ends.
#[derive(Debug)]
pub struct HeldExercise {
    exercise: Exercise,
}

impl HeldExercise {
    pub fn exercise(&self) -> &Exercise {
        &self.exercise
    }
}

#[derive(FromRow)]
struct Row {
    id: String,
    kind: String,
    slug: String,
    level: String,
    started_at: i64,
    revealed: i64,
    answers: String,
    revision: i64,
    saved_at: i64,
    finished_at: Option<i64>,
    scores: Option<String>,
}

impl Row {
    /// A row that does not read was not written by this program.
    fn read(self) -> Result<Exercise, StoreError> {
        let unreadable = || AppError::internal(format!("exercise {} does not read", self.id));
        let kind = Kind::from_slug(&self.kind).ok_or_else(unreadable)?;
        let level = Level::from_slug(&self.level).ok_or_else(unreadable)?;
        let work = Work::from_json(kind, &self.answers).map_err(|_| unreadable())?;
        let scores = self.scores.as_deref().map(serde_json::from_str);
        let scores: Option<Scores> = scores.transpose().map_err(|_| unreadable())?;
        Ok(Exercise {
            kind,
            level,
            work,
            scores,
            id: self.id,
            slug: self.slug,
            started_at: self.started_at,
            revealed: self.revealed,
            revision: self.revision,
            saved_at: self.saved_at,
            finished_at: self.finished_at,
        })
    }
}

async fn find(conn: &mut Conn<'_>, owner: &str, id: &str) -> Result<Exercise, StoreError> {
    // What is no id is not asked for: Postgres refuses a text with NUL.
    if uuid::Uuid::parse_str(id).is_err() {
        return Err(AppError::NotFound.into());
    }
    let row = on!(conn, |c| {
        sqlx::query_as::<_, Row>(
        "SELECT id, kind, slug, level, started_at, revealed, answers, revision, saved_at, finished_at, scores \
         FROM exercise WHERE id = $1 AND owner_id = $2"
    )
    .bind(id)
    .bind(owner)
    .fetch_optional(c)
    })?;
    row.ok_or(AppError::NotFound)?.read()
}

/// Leave for `owner` to read an exercise. Another's and none at all are the same answer.
pub async fn permit(
    conn: &mut Conn<'_>,
    owner: Option<&str>,
    id: &str,
) -> Result<ExercisePermit, StoreError> {
    let owner = owner.ok_or(AppError::NotFound)?;
    let exercise = find(conn, owner, id).await?;
    Ok(ExercisePermit {
        owner: owner.to_owned(),
        exercise,
    })
}

/// Leave for `owner` to write an exercise; other writers wait until the transaction ends.
pub async fn hold(
    conn: &mut Conn<'_>,
    owner: Option<&str>,
    id: &str,
) -> Result<HeldExercise, StoreError> {
    let owner = owner.ok_or(AppError::NotFound)?;
    if uuid::Uuid::parse_str(id).is_ok() {
        affected!(conn, |c| sqlx::query(
            "UPDATE exercise SET saved_at = saved_at WHERE id = $1 AND owner_id = $2"
        )
        .bind(id)
        .bind(owner)
        .execute(c))?;
    }
    let exercise = find(conn, owner, id).await?;
    Ok(HeldExercise { exercise })
}

/// What an exercise starts with.
#[derive(Clone, Copy, Debug)]
pub struct Start<'a> {
    pub id: &'a str,
    pub kind: Kind,
    pub slug: &'a str,
    pub level: Level,
}

/// Starts an exercise, unless the owner has `most` already.
pub async fn start(
    conn: &mut Conn<'_>,
    owner: &str,
    most: i64,
    start: Start<'_>,
    now: UnixMillis,
) -> Result<(), StoreError> {
    // One start after the other, so that the count holds.
    hold_owner(conn, owner).await?;
    if count(conn, owner).await? >= most {
        let message = format!(
            "You have {most} exercises, the most that are kept. They are all still there, among your attempts."
        );
        return Err(AppError::too_many(message, 0).into());
    }
    let answers = json(Work::new(start.kind).to_json())?;
    affected!(conn, |c| {
        sqlx::query(
        "INSERT INTO exercise (id, owner_id, kind, slug, level, started_at, revealed, answers, revision, saved_at) \
         VALUES ($1, $2, $3, $4, $5, $6, 1, $7, 0, $6)"
    )
    .bind(start.id)
    .bind(owner)
    .bind(start.kind.slug())
    .bind(start.slug)
    .bind(start.level.slug())
    .bind(now)
    .bind(answers)
    .execute(c)
    })?;
    Ok(())
}

/// How many exercises an owner has.
pub async fn count(conn: &mut Conn<'_>, owner: &str) -> Result<i64, StoreError> {
    let (count,) = on!(conn, |c| sqlx::query_as::<_, (i64,)>(
        "SELECT COUNT(*) FROM exercise WHERE owner_id = $1"
    )
    .bind(owner)
    .fetch_one(c))?;
    Ok(count)
}

/// The owner's exercises, the latest first.
pub async fn exercises(conn: &mut Conn<'_>, owner: &str) -> Result<Vec<Exercise>, StoreError> {
    let rows = on!(conn, |c| {
        sqlx::query_as::<_, Row>(
        "SELECT id, kind, slug, level, started_at, revealed, answers, revision, saved_at, finished_at, scores \
         FROM exercise WHERE owner_id = $1 ORDER BY started_at DESC, id DESC"
    )
    .bind(owner)
    .fetch_all(c)
    })?;
    rows.into_iter().map(Row::read).collect()
}

/// When the owner last started each exercise that they ever started, by kind and slug.
pub async fn last_started(
    conn: &mut Conn<'_>,
    owner: &str,
) -> Result<BTreeMap<(Kind, String), UnixMillis>, StoreError> {
    let rows = on!(conn, |c| {
        sqlx::query_as::<_, (String, String, i64)>(
        "SELECT kind, slug, MAX(started_at) FROM exercise WHERE owner_id = $1 GROUP BY kind, slug"
    )
    .bind(owner)
    .fetch_all(c)
    })?;
    let started = rows.into_iter().map(|(kind, slug, at)| {
        let kind = Kind::from_slug(&kind)
            .ok_or_else(|| AppError::internal(format!("exercise kind {kind} does not read")))?;
        Ok(((kind, slug), at))
    });
    started.collect()
}

/// Writes what an exercise holds now, as its next revision.
///
/// # Errors
/// [`finished`] when it takes no more writing.
pub async fn write(
    conn: &mut Conn<'_>,
    held: &HeldExercise,
    work: &Work,
    revealed: i64,
    finished_at: Option<UnixMillis>,
    now: UnixMillis,
) -> Result<(), StoreError> {
    let answers = json(work.to_json())?;
    let written = affected!(conn, |c| {
        sqlx::query(
        "UPDATE exercise SET answers = $2, revealed = $3, finished_at = $4, saved_at = $5, revision = revision + 1 \
         WHERE id = $1 AND finished_at IS NULL"
    )
    .bind(&held.exercise.id)
    .bind(answers)
    .bind(revealed)
    .bind(finished_at)
    .bind(now)
    .execute(c)
    })?;
    if written == 0 {
        return Err(finished().into());
    }
    Ok(())
}

/// What is told to who writes in an exercise that is finished.
pub fn finished() -> AppError {
    AppError::invalid(
        "body",
        "This exercise is finished and takes no more changes. Copy your text and start another one.",
    )
}

/// Writes the ratings of an exercise, or changes what is said beside them.
pub async fn write_scores(
    conn: &mut Conn<'_>,
    held: &HeldExercise,
    scores: &Scores,
) -> Result<(), StoreError> {
    let scores = json(serde_json::to_string(scores))?;
    affected!(conn, |c| sqlx::query(
        "UPDATE exercise SET scores = $2 WHERE id = $1 AND finished_at IS NOT NULL"
    )
    .bind(&held.exercise.id)
    .bind(scores)
    .execute(c))?;
    Ok(())
}

/// Gives a guest's exercises to an account: how many there are.
pub async fn claim(
    conn: &mut Conn<'_>,
    guest_owner: &str,
    account_owner: &str,
) -> Result<u64, StoreError> {
    affected!(conn, |c| sqlx::query(
        "UPDATE exercise SET owner_id = $2 WHERE owner_id = $1"
    )
    .bind(guest_owner)
    .bind(account_owner)
    .execute(c))
}

fn json(written: serde_json::Result<String>) -> Result<String, StoreError> {
    written.map_err(|error| AppError::internal(error).into())
}
