//! A person's attempts, and each criterion over time.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use axum::extract::{Query, State};
use axum::response::Response;
use http::StatusCode;
use jiff::tz::TimeZone;
use leptos::prelude::*;
use serde::Deserialize;

use crate::domain::criterion::CriterionId;
use crate::domain::exercise::Kind as ExerciseKind;
use crate::domain::level::Rating;
use crate::error::AppError;
use crate::exercises::store::{Exercise, exercises as all_exercises};
use crate::practice::store::{self, Attempt, Score};
use crate::server::clock::words;
use crate::server::content_library::Library;
use crate::server::document::{Head, Kind, own_page};
use crate::server::extract::{Theme, Viewer};
use crate::server::state::AppState;
use crate::ui::notice::{Notice, counted};

use super::{attempt_title, terms_words};

/// Scores that the chart shows, the latest ones.
const CHARTED: usize = 24;

/// What was done before: signing up and in lead here.
#[derive(Deserialize)]
pub struct Before {
    #[serde(default)]
    done: String,
}

/// `GET /attempts`
pub async fn attempts(
    State(state): State<AppState>,
    viewer: Viewer,
    theme: Theme,
    Query(before): Query<Before>,
) -> Result<Response, AppError> {
    let (list, scores, exercises) = match viewer.owner() {
        Some(owner) => {
            let mut reader = state.db.read().await?;
            let conn = &mut reader.conn();
            (
                store::attempts(conn, owner).await?,
                store::scores_of_owner(conn, owner).await?,
                all_exercises(conn, owner).await?,
            )
        }
        None => (Vec::new(), Vec::new(), Vec::new()),
    };
    let notice = Notice::from_slug(&before.done)
        .map(|notice| view! { <p class="notice" role="status">{notice.text()}</p> });
    let library = state.library();
    let zone = viewer.zone();
    let (signed_in, most) = (viewer.account().is_some(), viewer.attempts_kept());
    let head = Head {
        title: "Your attempts".to_owned(),
        description: "Your attempts and how each criterion went over time.".to_owned(),
        path: "/attempts".to_owned(),
        kind: Kind::Own,
        current: "/attempts",
        ..Head::default()
    };
    Ok(own_page(&state, theme, &head, StatusCode::OK, || {
        if list.is_empty() && exercises.is_empty() {
            return view! {
                <main id="main" class="page">
                    <h1>"Your attempts"</h1>
                    {notice}
                    <p class="empty">
                        "Your attempts will be listed here, with how each criterion goes over time. "
                        {if signed_in { "They belong to your account. " } else { "They belong to this browser until you sign up. " }}
                        <a href="/prompts">"Choose a first prompt"</a>"."
                    </p>
                </main>
            }
            .into_any();
        }
        let rows = list
            .iter()
            .map(|attempt| row(attempt, &scores, &library, &zone))
            .collect_view();
        // Only the first score of an attempt: the later ones know the reference.
        let firsts: Vec<_> = scores
            .iter()
            .filter(|(_, score)| score.number == 1)
            .collect();
        let scored = !firsts.is_empty();
        view! {
            <main id="main" class="page">
                <h1>"Your attempts"</h1>
                {notice}
                <p class="quiet">
                    {if signed_in {
                        view! { {format!("{} of {most}. They belong to your account.", list.len())} }.into_any()
                    } else {
                        view! {
                            {format!("{} of {most}. They belong to this browser; no one else can open them. ", list.len())}
                            <a href="/sign-up?next=/attempts">"Sign up"</a>" to keep them and open them anywhere."
                        }
                        .into_any()
                    }}
                </p>
                {scored.then(|| over_time(&firsts, &list, &library, &zone))}
                {(!list.is_empty()).then(|| view! {
                    <section aria-labelledby="all">
                        <h2 id="all">"All attempts"</h2>
                        <table class="stacks">
                            <thead><tr><th scope="col">"Prompt"</th><th scope="col">"Taken as"</th><th scope="col">"Started"</th><th scope="col">"State"</th><th scope="col">"Take out"</th></tr></thead>
                            <tbody>{rows}</tbody>
                        </table>
                    </section>
                })}
                {exercises_view(&exercises, &library, &zone)}
            </main>
        }
        .into_any()
    }))
}

fn row(
    attempt: &Attempt,
    scores: &[(String, Score)],
    library: &Library,
    zone: &TimeZone,
) -> impl IntoView {
    let published = library.prompt(&attempt.prompt).map(AsRef::as_ref);
    let level = attempt.terms.level;
    let first = scores
        .iter()
        .find(|(id, score)| *id == attempt.id && score.number == 1);
    let (link, state) = match first {
        Some((_, score)) => (
            "result",
            format!(
                "{} of {} meet {}",
                score.card.met(level),
                score.card.entries.len(),
                level.slug()
            ),
        ),
        None => (
            attempt.phase.slug(),
            format!("open, at {}", attempt.phase.title()),
        ),
    };
    view! {
        <tr>
            <th scope="row"><a href=format!("/attempts/{}/{link}", attempt.id)>{attempt_title(published, attempt)}</a></th>
            <td data-label="Taken as">{terms_words(&attempt.terms)}</td>
            <td data-label="Started">{words(attempt.started_at, zone)}</td>
            <td data-label="State">{state}</td>
            <td data-label="Take out">
                <span>
                    <a href=format!("/attempts/{}/export/attempt.md", attempt.id)>"Markdown"</a>", "
                    <a href=format!("/attempts/{}/export/attempt.json", attempt.id)>"JSON"</a>", "
                    <a href=format!("/attempts/{}/share", attempt.id)>"share"</a>
                </span>
            </td>
        </tr>
    }
}

/// The incidents and reviews, in a table of their own.
fn exercises_view(exercises: &[Exercise], library: &Library, zone: &TimeZone) -> AnyView {
    if exercises.is_empty() {
        return ().into_any();
    }
    let rows = exercises
        .iter()
        .map(|exercise| {
            let front = library.exercises.front(exercise.kind, &exercise.slug);
            let title =
                front.map_or_else(|| exercise.slug.replace('-', " "), |front| front.title.clone());
            let (rest, state) = match (&exercise.scores, exercise.finished_at, exercise.kind) {
                (Some(scores), _, _) => (
                    "/result",
                    format!(
                        "{} of {} meet {}",
                        scores.card.met(exercise.level),
                        scores.card.entries.len(),
                        exercise.level.slug()
                    ),
                ),
                (None, Some(_), _) => ("/score", "to be rated".to_owned()),
                (None, None, ExerciseKind::Debugging) => ("", format!("open, at step {}", exercise.revealed)),
                (None, None, ExerciseKind::CodeReview) => {
                    let comments = i64::try_from(exercise.work.count()).unwrap_or(i64::MAX);
                    ("", format!("open, {}", counted(comments, "comment", "comments")))
                }
            };
            view! {
                <tr>
                    <th scope="row"><a href=format!("/exercises/work/{}{rest}", exercise.id)>{title}</a></th>
                    <td data-label="Kind">{exercise.kind.title()}</td>
                    <td data-label="Aimed at">{exercise.level.title()}</td>
                    <td data-label="Started">{words(exercise.started_at, zone)}</td>
                    <td data-label="State">{state}</td>
                </tr>
            }
        })
        .collect_view();
    view! {
        <section aria-labelledby="exercises">
            <h2 id="exercises">"Debugging and code review"</h2>
            <table class="stacks">
                <thead><tr><th scope="col">"Exercise"</th><th scope="col">"Kind"</th><th scope="col">"Aimed at"</th><th scope="col">"Started"</th><th scope="col">"State"</th></tr></thead>
                <tbody>{rows}</tbody>
            </table>
        </section>
    }
    .into_any()
}

/// A small chart for each criterion, one point a scored attempt, with its table twin.
fn over_time(
    scores: &[&(String, Score)],
    attempts: &[Attempt],
    library: &Library,
    zone: &TimeZone,
) -> AnyView {
    let shown = &scores[scores.len().saturating_sub(CHARTED)..];
    let mut by_criterion: BTreeMap<CriterionId, Vec<(usize, Rating)>> = BTreeMap::new();
    for (position, (_, score)) in shown.iter().enumerate() {
        for entry in &score.card.entries {
            by_criterion
                .entry(entry.criterion)
                .or_default()
                .push((position, entry.rating));
        }
    }
    let charts = by_criterion
        .iter()
        .map(|(criterion, points)| {
            let sentence = trend(points);
            view! {
                <figure>
                    <figcaption><b>{criterion.title()}</b><span class="quiet small">{sentence.clone()}</span></figcaption>
                    {chart(criterion.title(), &sentence, points, shown.len())}
                </figure>
            }
        })
        .collect_view();
    let title = |id: &str| {
        let attempt = attempts.iter().find(|attempt| attempt.id == id);
        attempt.map_or_else(String::new, |attempt| {
            attempt_title(library.prompt(&attempt.prompt).map(AsRef::as_ref), attempt)
        })
    };
    let heads = by_criterion
        .keys()
        .map(|criterion| view! { <th scope="col">{criterion.title()}</th> })
        .collect_view();
    let rows = shown
        .iter()
        .map(|(id, score)| {
            let cells = by_criterion
                .keys()
                .map(|criterion| view! { <td>{score.card.rating(*criterion).map_or("–", Rating::title)}</td> })
                .collect_view();
            view! { <tr><th scope="row"><a href=format!("/attempts/{id}/result")>{title(id)}</a><p class="small">{words(score.scored_at, zone)}</p></th>{cells}</tr> }
        })
        .collect_view();
    view! {
        <section aria-labelledby="over-time">
            <h2 id="over-time">"Each criterion over time"</h2>
            <p class="quiet">{format!("Your own ratings before the reference was shown, {} scored, oldest left. The lines are mid, senior and staff.", attempts_words(shown.len()))}</p>
            <div class="charts">{charts}</div>
            <details class="fold">
                <summary>"The same as a table"</summary>
                <div class="scroll" tabindex="0"><table><thead><tr><th scope="col">"Attempt"</th>{heads}</tr></thead><tbody>{rows}</tbody></table></div>
            </details>
        </section>
    }
    .into_any()
}

fn attempts_words(count: usize) -> String {
    if count == 1 {
        "one attempt".to_owned()
    } else {
        format!("{count} attempts")
    }
}

/// One plain sentence about the points.
fn trend(points: &[(usize, Rating)]) -> String {
    match points {
        [] => "not rated yet".to_owned(),
        [(_, only)] => format!("{}, once", only.title()),
        [(_, first), .., (_, last)] if first == last => format!("{} first and last", last.title()),
        [(_, first), .., (_, last)] => format!(
            "from {} to {}",
            first.title().to_lowercase(),
            last.title().to_lowercase()
        ),
    }
}

const WIDTH: usize = 240;
const HEIGHT: usize = 72;

fn chart(title: &str, sentence: &str, points: &[(usize, Rating)], columns: usize) -> AnyView {
    let x = |position: usize| 10 + position * (WIDTH - 20) / columns.saturating_sub(1).max(1);
    let y = |rating: Rating| HEIGHT - 8 - (rating.digit() as usize - 1) * 18;
    let mut path = String::new();
    for (index, (position, rating)) in points.iter().enumerate() {
        let _ = write!(
            path,
            "{}{} {}",
            if index == 0 { 'M' } else { 'L' },
            x(*position),
            y(*rating)
        );
    }
    let lines = [Rating::Mid, Rating::Senior, Rating::Staff]
        .map(|rating| view! { <path class="bar-line" d=format!("M0 {0}H{WIDTH}", y(rating))/> })
        .collect_view();
    let dots = points
        .iter()
        .map(|(position, rating)| view! { <circle cx=x(*position).to_string() cy=y(*rating).to_string() r="3.5"/> })
        .collect_view();
    view! {
        <svg class="trend" viewBox=format!("0 0 {WIDTH} {HEIGHT}") role="img" aria-label=format!("{title}: {sentence}")>
            {lines}<path class="line" d=path/>{dots}
        </svg>
    }
    .into_any()
}
