//! The SQL of exercises in an account's archive: all of an owner's, and exercises put back.
//!
//! Must never know how an archive is written or packed. Functions run on the caller's transaction.

use std::collections::BTreeSet;

use crate::accounts::store::AccountPermit;
use crate::domain::archive::{ArchivedExercise, EXERCISES};
use crate::error::AppError;
use crate::server::database::{Conn, StoreError};
use crate::server::store::hold_owner;
use crate::{affected, on};

use super::json;

/// Everything that is kept of an owner's exercises, the first started first.
pub async fn everything(
    conn: &mut Conn<'_>,
    owner: &str,
) -> Result<Vec<ArchivedExercise>, StoreError> {
    let mut exercises = super::exercises(conn, owner).await?;
    exercises.reverse();
    let archived = exercises.into_iter().map(|exercise| ArchivedExercise {
        id: exercise.id,
        kind: exercise.kind,
        slug: exercise.slug,
        level: exercise.level,
        started_at: exercise.started_at,
        revealed: exercise.revealed,
        revision: exercise.revision,
        saved_at: exercise.saved_at,
        finished_at: exercise.finished_at,
        work: exercise.work,
        scores: exercise.scores,
    });
    Ok(archived.collect())
}

/// Puts exercises into an account: how many are new. Ids are kept where they are free; an exercise that the owner has
/// already is left as it is; an id that is taken otherwise is replaced by one of `new_id`.
///
/// # Errors
/// [`AppError::Invalid`] on the field `archive` when the account would hold more exercises than are kept of one, and
/// [`AppError::NotFound`] when there is no such owner.
pub async fn import(
    conn: &mut Conn<'_>,
    permit: &AccountPermit,
    exercises: &[ArchivedExercise],
    mut new_id: impl FnMut() -> String,
) -> Result<usize, StoreError> {
    let owner = permit.account().owner_id.as_str();
    // One import or start after the other, so that the count holds.
    hold_owner(conn, owner).await?;
    let own = on!(conn, |c| sqlx::query_as::<_, (String,)>(
        "SELECT id FROM exercise WHERE owner_id = $1"
    )
    .bind(owner)
    .fetch_all(c))?;
    let mut own: BTreeSet<String> = own.into_iter().map(|(id,)| id).collect();
    let had = own.len();
    let coming: Vec<&ArchivedExercise> = exercises
        .iter()
        .filter(|exercise| own.insert(exercise.id.clone()))
        .collect();
    if had + coming.len() > EXERCISES {
        let message = format!(
            "The archive brings {} exercises and this account has {had}; an account keeps at most {EXERCISES}. Nothing was imported. \
             Import it into another account.",
            coming.len()
        );
        return Err(AppError::invalid("archive", message).into());
    }
    for exercise in &coming {
        insert(conn, owner, exercise, &mut new_id).await?;
    }
    Ok(coming.len())
}

async fn insert(
    conn: &mut Conn<'_>,
    owner: &str,
    exercise: &ArchivedExercise,
    new_id: &mut impl FnMut() -> String,
) -> Result<(), StoreError> {
    let answers = json(exercise.work.to_json())?;
    let scores = exercise.scores.as_ref().map(serde_json::to_string);
    let scores = scores.map(json).transpose()?;
    let mut id = exercise.id.clone();
    loop {
        let inserted = affected!(conn, |c| {
            sqlx::query(
                "INSERT INTO exercise (id, owner_id, kind, slug, level, started_at, revealed, answers, revision, saved_at, \
                 finished_at, scores) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) ON CONFLICT (id) DO NOTHING",
            )
            .bind(&id)
            .bind(owner)
            .bind(exercise.kind.slug())
            .bind(&exercise.slug)
            .bind(exercise.level.slug())
            .bind(exercise.started_at)
            .bind(exercise.revealed)
            .bind(&answers)
            .bind(exercise.revision)
            .bind(exercise.saved_at)
            .bind(exercise.finished_at)
            .bind(&scores)
            .execute(c)
        })?;
        if inserted > 0 {
            return Ok(());
        }
        id = new_id();
    }
}
