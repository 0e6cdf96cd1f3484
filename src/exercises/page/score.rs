//! The rubric of an exercise to rate one's own work by, beside that work.

use std::collections::BTreeMap;

use axum::extract::{Path, State};
use axum::response::Response;
use http::StatusCode;
use leptos::prelude::*;

use crate::domain::content::exercise::{Front, Rubric};
use crate::domain::exercise::{ExerciseCriterion, Kind};
use crate::domain::scorecard::{DraftEntry, Fault};
use crate::error::AppError;
use crate::exercises::island::ExerciseHelp;
use crate::exercises::store::{self, Exercise};
use crate::server::content_library::Library;
use crate::server::document::{Kind as PageKind, own_page, see_other};
use crate::server::extract::{Theme, Viewer};
use crate::server::state::AppState;
use crate::ui::criterion::CriterionField;

use super::{own_head, unpublished, written};

type Draft = BTreeMap<ExerciseCriterion, DraftEntry>;
type Faults = BTreeMap<ExerciseCriterion, Fault>;

/// `GET /exercises/work/{id}/score`
pub async fn score(
    State(state): State<AppState>,
    viewer: Viewer,
    theme: Theme,
    Path(id): Path<String>,
) -> Result<Response, AppError> {
    let mut reader = state.db.read().await?;
    let permit = store::permit(&mut reader.conn(), viewer.owner(), &id).await?;
    drop(reader);
    let exercise = permit.exercise();
    if exercise.finished_at.is_none() {
        return Ok(see_other(&format!("/exercises/work/{id}")));
    }
    if exercise.scores.is_some() {
        return Ok(see_other(&format!("/exercises/work/{id}/result")));
    }
    let library = state.library();
    let (none, no_faults) = (Draft::new(), Faults::new());
    Ok(match of_library(&library, exercise) {
        Some((front, rubric)) => {
            score_again(&state, theme, exercise, front, rubric, &none, &no_faults)
        }
        None => unpublished(&state, theme, exercise),
    })
}

/// What an exercise says of itself, and its rubric, while it is published.
pub fn of_library<'l>(
    library: &'l Library,
    exercise: &Exercise,
) -> Option<(&'l Front, &'l Rubric)> {
    let exercises = &library.exercises;
    match exercise.kind {
        Kind::Debugging => {
            let incident = &exercises.incident(&exercise.slug)?.incident;
            Some((&incident.front, &incident.rubric))
        }
        Kind::CodeReview => {
            let review = &exercises.code_review(&exercise.slug)?.review;
            Some((&review.front, &review.rubric))
        }
    }
}

/// The form with what was filled in and what is missing beside it.
pub fn score_again(
    state: &AppState,
    theme: Theme,
    exercise: &Exercise,
    front: &Front,
    rubric: &Rubric,
    draft: &Draft,
    faults: &Faults,
) -> Response {
    let title = format!("Rate · {}", front.title);
    let head = own_head(&title, exercise, "/score", PageKind::Islands);
    let status = if faults.is_empty() {
        StatusCode::OK
    } else {
        StatusCode::UNPROCESSABLE_ENTITY
    };
    own_page(state, theme, &head, status, || {
        let fields = rubric
            .criteria
            .iter()
            .map(|criterion| {
                view! {
                    <CriterionField
                        slug=criterion.id.slug()
                        title=&criterion.title
                        anchors=&criterion.anchors
                        looked_for=&criterion.evidence
                        aim=exercise.level.bar()
                        entry=draft.get(&criterion.id)
                        fault=faults.get(&criterion.id).copied()
                    />
                }
            })
            .collect_view();
        let summary = faults
            .iter()
            .map(|(id, fault)| {
                let title = rubric.criterion(*id).map_or(id.title(), |known| &known.title);
                view! { <li><a href=format!("#criterion-{}", id.slug())>{title.to_owned()}</a>": "{fault.message()}</li> }
            })
            .collect_view();
        let (heading, what) = match exercise.kind {
            Kind::Debugging => (
                "Rate your answers",
                "what a strong responder says, and the root cause, are shown",
            ),
            Kind::CodeReview => (
                "Rate your review",
                "the faults that were planted are shown, with what you found and missed",
            ),
        };
        view! {
            <main id="main" class="page scoring">
                <div class="intro">
                    <p class="eyebrow">{format!("{} / {} / {}", exercise.kind.title(), front.title, exercise.level.slug())}</p>
                    <h1>{heading}</h1>
                    <p class="lead">{format!(
                        "For each criterion choose the level whose sentence your work meets, and quote what shows it. After you commit, the ratings \
                         cannot be changed, and {what}."
                    )}</p>
                    <p class="quiet small with-script">"Digits 1 to 4 choose a level."</p>
                </div>
                {(!faults.is_empty()).then(|| view! {
                    <div class="notice fault" role="alert"><p>"Not committed yet. What you filled in is kept."</p><ul>{summary}</ul></div>
                })}
                <form
                    method="post"
                    action=format!("/exercises/work/{}/score", exercise.id)
                    data-keep="score"
                    data-base="score"
                    data-returned=(!faults.is_empty()).then_some("true")
                >
                    {fields}
                    <p class="actions commit"><button class="btn go">"Commit the ratings and show the answer"</button></p>
                </form>
                <aside class="mine" aria-label="Your work" tabindex="0">{written(exercise)}</aside>
                <ExerciseHelp exercise=exercise.id.clone()/>
            </main>
        }
        .into_any()
    })
}
