//! The pages of exercises: the list, what an exercise is about, the work on one, its rating and its result.

mod change;
mod incident;
mod library;
mod result;
mod review;
mod score;

pub use change::line_id;
pub use incident::{StepForm, incident_again};
pub use library::{code_review, debugging, list};
pub use result::result;
pub use review::{CommentForm, Trouble, review_again};
pub use score::{of_library, score, score_again};

use axum::extract::{Path, Query, State};
use axum::response::Response;
use http::StatusCode;
use leptos::prelude::*;
use serde::Deserialize;

use crate::domain::attempt::{MINUTE, UnixMillis};
use crate::domain::content::Source;
use crate::domain::content::exercise::Front;
use crate::domain::exercise::{Kind, Work};
use crate::error::AppError;
use crate::exercises::store::{self, Exercise};
use crate::server::document::{Head, Kind as PageKind, own_page, see_other};
use crate::server::extract::{Theme, Viewer};
use crate::server::state::AppState;
use crate::ui::sources::Sources;

/// What a review's address may ask for: the form at a line, as `path:line`, or at a comment.
#[derive(Debug, Default, Deserialize)]
pub struct OpenQuery {
    #[serde(default)]
    line: String,
    #[serde(default)]
    comment: String,
}

/// Who works on which exercise.
#[derive(Clone, Copy)]
pub struct Desk<'a> {
    pub state: &'a AppState,
    pub viewer: &'a Viewer,
    pub theme: Theme,
    pub exercise: &'a Exercise,
}

/// `GET /exercises/work/{id}`
pub async fn work(
    State(state): State<AppState>,
    viewer: Viewer,
    theme: Theme,
    Path(id): Path<String>,
    query: Result<Query<OpenQuery>, axum::extract::rejection::QueryRejection>,
) -> Result<Response, AppError> {
    let mut reader = state.db.read().await?;
    let permit = store::permit(&mut reader.conn(), viewer.owner(), &id).await?;
    drop(reader);
    let exercise = permit.exercise();
    if exercise.finished_at.is_some() {
        return Ok(see_other(&format!("/exercises/work/{id}/score")));
    }
    let query = query.map(|Query(query)| query).unwrap_or_default();
    let library = state.library();
    let exercises = &library.exercises;
    let desk = Desk {
        state: &state,
        viewer: &viewer,
        theme,
        exercise,
    };
    match &exercise.work {
        Work::Debugging(notes) => match exercises.incident(&exercise.slug) {
            Some(published) => Ok(incident::work(desk, notes, published)),
            None => Ok(unpublished(&state, theme, exercise)),
        },
        Work::CodeReview(review) => match exercises.code_review(&exercise.slug) {
            Some(published) => Ok(review::work(desk, review, published, &query)),
            None => Ok(unpublished(&state, theme, exercise)),
        },
    }
}

/// The head of a page of somebody's own.
fn own_head(title: &str, exercise: &Exercise, rest: &str, kind: PageKind) -> Head {
    Head {
        title: title.to_owned(),
        description: "Work on an exercise.".to_owned(),
        path: format!("/exercises/work/{}{rest}", exercise.id),
        kind,
        current: "/attempts",
        ..Head::default()
    }
}

/// The exercise is no longer published: what the person wrote is theirs all the same.
fn unpublished(state: &AppState, theme: Theme, exercise: &Exercise) -> Response {
    let title = exercise.slug.replace('-', " ");
    let head = own_head(&title, exercise, "", PageKind::Own);
    own_page(state, theme, &head, StatusCode::OK, || {
        let ratings = exercise
            .scores
            .iter()
            .flat_map(|scores| &scores.card.entries);
        let rows = ratings
            .map(|entry| {
                view! {
                    <tr>
                        <th scope="row">{entry.criterion.title()}</th>
                        <td>{entry.rating.title()}</td>
                        <td>{entry.evidence.clone()}</td>
                    </tr>
                }
            })
            .collect_view();
        view! {
            <main id="main" class="page">
                <p class="eyebrow">{format!("{} · {}", exercise.kind.title(), exercise.level.slug())}</p>
                <h1>{title.clone()}</h1>
                <p class="lead">"This exercise is no longer published here. What you wrote is kept."</p>
                {exercise.scores.is_some().then(|| view! {
                    <table>
                        <thead><tr><th scope="col">"Criterion"</th><th scope="col">"Your rating"</th><th scope="col">"Evidence"</th></tr></thead>
                        <tbody>{rows}</tbody>
                    </table>
                })}
                {written(exercise)}
                <p><a href="/exercises">"All exercises"</a>" · "<a href="/attempts">"Your attempts"</a></p>
            </main>
        }
        .into_any()
    })
}

/// What a person wrote in an exercise, as it was typed.
fn written(exercise: &Exercise) -> AnyView {
    let parts: Vec<(String, String)> = match &exercise.work {
        Work::Debugging(notes) => notes
            .committed
            .iter()
            .map(|answer| (answer.step.replace('-', " "), answer.text.clone()))
            .chain(
                (!notes.open.trim().is_empty())
                    .then(|| ("Not committed".to_owned(), notes.open.clone())),
            )
            .collect(),
        Work::CodeReview(review) => review
            .comments
            .iter()
            .map(|comment| {
                let place = format!("{}: {}", comment.said.file, review::comment_words(comment));
                (place, comment.said.text.clone())
            })
            .collect(),
    };
    if parts.is_empty() {
        return view! { <p class="empty">"Nothing was written in this exercise."</p> }.into_any();
    }
    parts
        .into_iter()
        .map(|(title, text)| {
            view! { <section><h2>{title}</h2><pre class="written">{text}</pre></section> }
        })
        .collect_view()
        .into_any()
}

/// What could not be saved, and why: the text comes back whole.
pub fn not_saved(state: &AppState, theme: Theme, text: &str, error: &AppError) -> Response {
    let head = Head {
        title: "Not saved".to_owned(),
        description: "A text that could not be saved.".to_owned(),
        path: "/exercises".to_owned(),
        kind: PageKind::Own,
        ..Head::default()
    };
    let (words, text) = (error.to_string(), text.to_owned());
    own_page(state, theme, &head, error.status(), || {
        view! {
            <main id="main" class="page narrow">
                <h1>"Not saved"</h1>
                <p class="fault">{words}</p>
                <p>"This is what you sent. Copy it, then go back and try again."</p>
                <pre class="written" tabindex="0">{text}</pre>
                <p><a href="/attempts">"Your attempts"</a>" · "<a href="/exercises">"All exercises"</a></p>
            </main>
        }
        .into_any()
    })
}

/// `mid, senior`
fn level_words(front: &Front) -> String {
    let levels: Vec<&str> = front.levels.iter().map(|level| level.title()).collect();
    levels.join(", ")
}

/// The address of the page that says what an exercise is about.
fn address(kind: Kind, slug: &str) -> String {
    format!("/exercises/{}/{slug}", kind.slug())
}

/// Where an exercise is in its minutes: `14 min since you started; written for 45`.
fn elapsed(started_at: UnixMillis, now: UnixMillis, front: &Front) -> String {
    let minutes = (now - started_at).max(0) / MINUTE;
    format!(
        "{minutes} min since you started; written for {} min",
        front.minutes
    )
}

/// The sources that these texts cite, and no other: what an answer cites would tell of it.
fn sources_shown(sources: &[Source], texts: &[&str]) -> AnyView {
    let shown: Vec<Source> = sources
        .iter()
        .filter(|source| {
            let link = format!("href=\"#source-{}\"", source.id);
            texts.iter().any(|text| text.contains(&link))
        })
        .cloned()
        .collect();
    if shown.is_empty() {
        return ().into_any();
    }
    view! {
        <section aria-labelledby="sources" class="sources"><h2 id="sources">"Sources"</h2><Sources sources=shown/></section>
    }
    .into_any()
}
