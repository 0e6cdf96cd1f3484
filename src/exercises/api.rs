//! What the forms of an exercise do: start it, answer a step, comment on a line, finish, rate, and say what was meant.
//!
//! Each is short: leave, the domain's rules, the store. What a person typed comes back to them whatever is wrong with it.

use std::collections::BTreeMap;

use axum::extract::{Path, State};
use axum::response::Response;

use crate::domain::content::exercise::CodeReview;
use crate::domain::exercise::{
    Answer, ExerciseCriterion, FaultKind, Kind, Lines, MOST_LINES, NotTaken, Notes, Refused,
    Review, Said, Scores, Severity, Taken, Work,
};
use crate::domain::level::{Level, Rating};
use crate::domain::scorecard::{DraftEntry, Scorecard};
use crate::error::AppError;
use crate::server::clock::new_id;
use crate::server::document::see_other;
use crate::server::extract::{Theme, Viewer};
use crate::server::form::{Fields, field, plain_text};
use crate::server::state::AppState;
use crate::transact;

use super::page::{self, CommentForm, Desk, StepForm, Trouble};
use super::store::{self, Exercise};

/// `POST /exercises/debugging/{slug}/work`
pub async fn start_debugging(
    State(state): State<AppState>,
    viewer: Viewer,
    Path(slug): Path<String>,
    axum::Form(fields): axum::Form<Fields>,
) -> Result<Response, AppError> {
    start(&state, &viewer, Kind::Debugging, &slug, &fields).await
}

/// `POST /exercises/code-review/{slug}/work`
pub async fn start_code_review(
    State(state): State<AppState>,
    viewer: Viewer,
    Path(slug): Path<String>,
    axum::Form(fields): axum::Form<Fields>,
) -> Result<Response, AppError> {
    start(&state, &viewer, Kind::CodeReview, &slug, &fields).await
}

async fn start(
    state: &AppState,
    viewer: &Viewer,
    kind: Kind,
    slug: &str,
    fields: &Fields,
) -> Result<Response, AppError> {
    let library = state.library();
    let front = library
        .exercises
        .front(kind, slug)
        .ok_or(AppError::NotFound)?;
    let level = Level::from_slug(field(fields, "level"))
        .filter(|level| front.levels.contains(level))
        .ok_or_else(|| {
            AppError::invalid(
                "level",
                "Choose one of this exercise's levels, then start. Go back to the exercise to choose.",
            )
        })?;
    let owner = viewer.owner_or_guest(state).await?;
    let now = state.clock.now();
    let id = new_id(now);
    let most = viewer.attempts_kept();
    let start = store::Start {
        id: &id,
        kind,
        slug,
        level,
    };
    transact!(state.db, |conn| store::start(
        conn, &owner, most, start, now
    )
    .await)?;
    Ok(see_other(&format!("/exercises/work/{id}")))
}

/// `POST /exercises/work/{id}/step`: keeps or commits the answer to the open step of an incident.
pub async fn answer_step(
    State(state): State<AppState>,
    viewer: Viewer,
    theme: Theme,
    Path(id): Path<String>,
    axum::Form(fields): axum::Form<Fields>,
) -> Result<Response, AppError> {
    let text = plain_text(field(&fields, "body"));
    match take_answer(&state, &viewer, &id, &fields, &text).await {
        Ok(Step::Taken(anchor)) => Ok(see_other(&format!("/exercises/work/{id}{anchor}"))),
        Ok(Step::Refused(exercise, refused)) => {
            let library = state.library();
            let published = library.exercises.incident(&exercise.slug);
            let (Some(published), Work::Debugging(notes)) = (published, &exercise.work) else {
                return Err(AppError::NotFound);
            };
            let form = StepForm {
                step: field(&fields, "step"),
                text: &text,
                refused: &refused,
            };
            let desk = Desk {
                state: &state,
                viewer: &viewer,
                theme,
                exercise: &exercise,
            };
            Ok(page::incident_again(desk, notes, published, &form))
        }
        Err(error) if text.trim().is_empty() => Err(error),
        // Even where there is no such exercise, what was typed comes back to who typed it.
        Err(error) => Ok(page::not_saved(&state, theme, &text, &error)),
    }
}

/// What became of an answer.
enum Step {
    /// With the fragment to go to.
    Taken(String),
    Refused(Box<Exercise>, Refused),
}

async fn take_answer(
    state: &AppState,
    viewer: &Viewer,
    id: &str,
    fields: &Fields,
    text: &str,
) -> Result<Step, AppError> {
    let now = state.clock.now();
    let library = state.library();
    let base: i64 = field(fields, "base").parse().unwrap_or(-1);
    let commits = field(fields, "then") == "commit";
    Ok(transact!(state.db, |conn| {
        let held = store::hold(conn, viewer.owner(), id).await?;
        let exercise = held.exercise();
        let mut notes = notes_of(exercise)?;
        let published = library.exercises.incident(&exercise.slug);
        let published = published.ok_or(AppError::NotFound)?;
        let steps = published.incident.step_ids();
        let answer = Answer {
            step: field(fields, "step"),
            text,
            fresh: base == exercise.revision,
        };
        let taken = if commits {
            notes.commit(&steps, answer, now)
        } else {
            notes.keep(&steps, answer)
        };
        match taken {
            Err(refused) => Ok(Step::Refused(Box::new(exercise.clone()), refused)),
            Ok(taken) => {
                let open = notes.open_step(&steps);
                let anchor = open.map(|step| format!("#step-{step}")).unwrap_or_default();
                if taken == Taken::Written {
                    let revealed = i64::try_from(notes.revealed(&steps)).unwrap_or(i64::MAX);
                    let finished_at = open.is_none().then_some(now);
                    let work = Work::Debugging(notes);
                    store::write(conn, &held, &work, revealed, finished_at, now).await?;
                }
                Ok(Step::Taken(anchor))
            }
        }
    })?)
}

fn notes_of(exercise: &Exercise) -> Result<Notes, AppError> {
    match &exercise.work {
        Work::Debugging(notes) => Ok(notes.clone()),
        Work::CodeReview(_) => Err(AppError::NotFound),
    }
}

fn review_of(exercise: &Exercise) -> Result<Review, AppError> {
    match &exercise.work {
        Work::CodeReview(review) => Ok(review.clone()),
        Work::Debugging(_) => Err(AppError::NotFound),
    }
}

/// `POST /exercises/work/{id}/comments`: a new comment, another text of one, or the end of one.
pub async fn comment(
    State(state): State<AppState>,
    viewer: Viewer,
    theme: Theme,
    Path(id): Path<String>,
    axum::Form(fields): axum::Form<Fields>,
) -> Result<Response, AppError> {
    let form = form_from_fields(&fields);
    let text = form.text.clone();
    let deletes = field(&fields, "do") == "delete";
    match take_comment(&state, &viewer, &id, form, deletes).await {
        Ok(Commented::Taken(anchor)) => Ok(see_other(&format!("/exercises/work/{id}#{anchor}"))),
        Ok(Commented::Refused(exercise, form)) => {
            let library = state.library();
            let published = library.exercises.code_review(&exercise.slug);
            let (Some(published), Work::CodeReview(review)) = (published, &exercise.work) else {
                return Err(AppError::NotFound);
            };
            let desk = Desk {
                state: &state,
                viewer: &viewer,
                theme,
                exercise: &exercise,
            };
            Ok(page::review_again(desk, review, published, *form))
        }
        Err(error) if text.trim().is_empty() => Err(error),
        Err(error) => Ok(page::not_saved(&state, theme, &text, &error)),
    }
}

/// What became of a comment.
enum Commented {
    /// With the anchor to go to.
    Taken(String),
    Refused(Box<Exercise>, Box<CommentForm>),
}

fn form_from_fields(fields: &Fields) -> CommentForm {
    let short = |name: &str| field(fields, name).chars().take(200).collect::<String>();
    CommentForm {
        comment: field(fields, "comment").parse().ok(),
        base: field(fields, "base").parse().unwrap_or(-1),
        file: short("file"),
        first: short("first"),
        last: short("last"),
        kind: FaultKind::from_slug(field(fields, "kind")),
        severity: Severity::from_slug(field(fields, "severity")),
        text: plain_text(field(fields, "body")),
        trouble: None,
    }
}

/// What a form says, where the change shows its lines.
fn said(form: &CommentForm, case: &CodeReview) -> Result<Said, Trouble> {
    let file = case.change.file(&form.file).ok_or(Trouble::Lines)?;
    let line = |text: &str| {
        let line = text.trim().parse::<u32>().ok();
        line.filter(|line| file.shows(*line)).ok_or(Trouble::Lines)
    };
    let (first, last) = (line(&form.first)?, line(&form.last)?);
    if first > last {
        return Err(Trouble::Lines);
    }
    if last - first >= MOST_LINES {
        return Err(Trouble::Wide);
    }
    let (Some(kind), Some(severity)) = (form.kind, form.severity) else {
        return Err(Trouble::Choices);
    };
    Ok(Said {
        file: form.file.clone(),
        lines: Lines { first, last },
        kind,
        severity,
        text: form.text.clone(),
    })
}

async fn take_comment(
    state: &AppState,
    viewer: &Viewer,
    id: &str,
    form: CommentForm,
    deletes: bool,
) -> Result<Commented, AppError> {
    let now = state.clock.now();
    let library = state.library();
    Ok(transact!(state.db, |conn| {
        let held = store::hold(conn, viewer.owner(), id).await?;
        let exercise = held.exercise();
        let before = review_of(exercise)?;
        let published = library.exercises.code_review(&exercise.slug);
        let published = published.ok_or(AppError::NotFound)?;
        if exercise.finished_at.is_some() {
            return Err(store::finished().into());
        }
        let mut review = before.clone();
        let next = exercise.revision + 1;
        let taken = match (deletes, form.comment) {
            (true, Some(comment)) => {
                let deleted = review.delete(comment, form.base);
                deleted.map_err(Trouble::NotTaken)
            }
            (true, None) => return Err(AppError::NotFound.into()),
            (false, comment) => said(&form, &published.review).and_then(|said| {
                let written = match comment {
                    Some(comment) => review.change(comment, form.base, said, next),
                    None => review.add(said, next).map(|_| ()),
                };
                written.map_err(Trouble::NotTaken)
            }),
        };
        if let Err(trouble) = taken {
            let returned = returned(&form, &before, deletes, trouble);
            return Ok(Commented::Refused(
                Box::new(exercise.clone()),
                Box::new(returned),
            ));
        }
        // Where the comment is, or was.
        let was = form.comment.and_then(|comment| before.comment(comment));
        let (file, line) = match was {
            Some(was) if deletes => (was.said.file.clone(), was.said.lines.first),
            _ => (form.file.clone(), form.first.trim().parse().unwrap_or(0)),
        };
        if review != before {
            store::write(
                conn,
                &held,
                &Work::CodeReview(review),
                exercise.revealed,
                None,
                now,
            )
            .await?;
        }
        Ok(Commented::Taken(page::line_id(published, &file, line)))
    })?)
}

/// The form as it goes back: one that would have deleted shows the comment as it is now.
fn returned(form: &CommentForm, before: &Review, deletes: bool, trouble: Trouble) -> CommentForm {
    let there = form.comment.and_then(|comment| before.comment(comment));
    match there {
        Some(there) if deletes => CommentForm {
            trouble: Some(Trouble::NotTaken(NotTaken::Changed(Box::new(
                there.clone(),
            )))),
            file: there.said.file.clone(),
            first: there.said.lines.first.to_string(),
            last: there.said.lines.last.to_string(),
            kind: Some(there.said.kind),
            severity: Some(there.said.severity),
            text: there.said.text.clone(),
            ..form.clone()
        },
        _ => CommentForm {
            trouble: Some(trouble),
            ..form.clone()
        },
    }
}

/// `POST /exercises/work/{id}/finish`: a review changes no more.
pub async fn finish(
    State(state): State<AppState>,
    viewer: Viewer,
    Path(id): Path<String>,
) -> Result<Response, AppError> {
    let now = state.clock.now();
    transact!(state.db, |conn| {
        let held = store::hold(conn, viewer.owner(), &id).await?;
        let exercise = held.exercise();
        let review = review_of(exercise)?;
        if exercise.finished_at.is_none() {
            let work = Work::CodeReview(review);
            store::write(conn, &held, &work, exercise.revealed, Some(now), now).await?;
        }
        Ok(())
    })?;
    Ok(see_other(&format!("/exercises/work/{id}/score")))
}

/// `POST /exercises/work/{id}/score`: commits the ratings, after which the answer is shown.
pub async fn commit_score(
    State(state): State<AppState>,
    viewer: Viewer,
    theme: Theme,
    Path(id): Path<String>,
    axum::Form(fields): axum::Form<Fields>,
) -> Result<Response, AppError> {
    let now = state.clock.now();
    let library = state.library();
    let mut reader = state.db.read().await?;
    let permit = store::permit(&mut reader.conn(), viewer.owner(), &id).await?;
    drop(reader);
    let exercise = permit.exercise();
    if exercise.finished_at.is_none() {
        return Ok(see_other(&format!("/exercises/work/{id}")));
    }
    let (front, rubric) = page::of_library(&library, exercise).ok_or(AppError::NotFound)?;
    let criteria = rubric.ids();
    let draft = draft_from_fields(&criteria, &fields);
    let card = match Scorecard::from_draft(&criteria, &draft) {
        Ok(card) => card,
        // The first ratings stand; a form sent again changes nothing and needs no mending.
        Err(_) if exercise.scores.is_some() => {
            return Ok(see_other(&format!("/exercises/work/{id}/result")));
        }
        Err(faults) => {
            return Ok(page::score_again(
                &state, theme, exercise, front, rubric, &draft, &faults,
            ));
        }
    };
    let scores = Scores {
        rubric_version: rubric.version,
        scored_at: now,
        card,
        meant_otherwise: std::collections::BTreeSet::new(),
    };
    transact!(state.db, |conn| {
        let held = store::hold(conn, viewer.owner(), &id).await?;
        if held.exercise().scores.is_none() {
            store::write_scores(conn, &held, &scores).await?;
        }
        Ok(())
    })?;
    Ok(see_other(&format!("/exercises/work/{id}/result")))
}

fn draft_from_fields(
    criteria: &[ExerciseCriterion],
    fields: &Fields,
) -> BTreeMap<ExerciseCriterion, DraftEntry> {
    criteria
        .iter()
        .map(|criterion| {
            let slug = criterion.slug();
            let entry = DraftEntry {
                rating: Rating::from_slug(field(fields, &format!("rating.{slug}"))),
                evidence: plain_text(field(fields, &format!("evidence.{slug}"))),
            };
            (*criterion, entry)
        })
        .collect()
}

/// `POST /exercises/work/{id}/meant`: a comment was about something else than the fault at its place, or it was not.
pub async fn say_meant(
    State(state): State<AppState>,
    viewer: Viewer,
    Path(id): Path<String>,
    axum::Form(fields): axum::Form<Fields>,
) -> Result<Response, AppError> {
    let comment: Option<u32> = field(&fields, "comment").parse().ok();
    let otherwise = field(&fields, "meant") == "otherwise";
    let anchor = transact!(state.db, |conn| {
        let held = store::hold(conn, viewer.owner(), &id).await?;
        let review = review_of(held.exercise())?;
        let known = comment.and_then(|comment| review.comment(comment));
        if let (Some(comment), Some(scores)) = (known, &held.exercise().scores) {
            let mut scores = scores.clone();
            if otherwise {
                scores.meant_otherwise.insert(comment.id);
            } else {
                scores.meant_otherwise.remove(&comment.id);
            }
            store::write_scores(conn, &held, &scores).await?;
        }
        Ok(known.map(|comment| format!("#comment-{}", comment.id)))
    })?;
    let anchor = anchor.unwrap_or_default();
    Ok(see_other(&format!("/exercises/work/{id}/result{anchor}")))
}
