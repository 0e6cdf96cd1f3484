//! The list of exercises, and what each is about.

use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use http::HeaderMap;
use leptos::prelude::*;

use crate::domain::content::exercise::{ChangedFile, Front};
use crate::domain::exercise::Kind;
use crate::domain::level::Level;
use crate::error::AppError;
use crate::server::document::{Head, Kind as PageKind, public_page};
use crate::server::exercise_library::Exercises;
use crate::server::extract::Theme;
use crate::server::state::AppState;

use super::{address, level_words, sources_shown};

/// `GET /exercises`
pub async fn list(State(state): State<AppState>, theme: Theme, headers: HeaderMap) -> Response {
    let library = state.library();
    let head = Head {
        title: "Exercises".to_owned(),
        description: "Incidents to debug step by step, and changes with planted faults to review."
            .to_owned(),
        path: "/exercises".to_owned(),
        kind: PageKind::Reading,
        current: "/prompts",
        ..Head::default()
    };
    public_page(&state, theme, &headers, &head, || {
        view! {
            <main id="main" class="page">
                <p class="eyebrow"><a href="/prompts">"Practice"</a></p>
                <h1>"Exercises"</h1>
                <p class="lead">"Two further rounds that loops hold besides design. Each is rated against its own rubric, before the answer is shown."</p>
                {kind_section(&library.exercises, Kind::Debugging)}
                {kind_section(&library.exercises, Kind::CodeReview)}
            </main>
        }
        .into_any()
    })
}

fn kind_section(exercises: &Exercises, kind: Kind) -> AnyView {
    let what = match kind {
        Kind::Debugging => {
            "An incident unfolds. Its evidence comes step by step, and each answer stands once you have seen the next."
        }
        Kind::CodeReview => {
            "A change with planted faults, and with some things that only look wrong. Comment on its lines; you are told what you found, missed and took for a fault."
        }
    };
    let rows = exercises
        .of_kind(kind)
        .into_iter()
        .map(|(slug, front)| {
            view! {
                <tr>
                    <th scope="row"><a href=address(kind, slug)>{front.title.clone()}</a><p>{front.summary.clone()}</p></th>
                    <td data-label="Levels">{level_words(front)}</td>
                    <td data-label="Minutes" class="num">{front.minutes}</td>
                    <td data-label="Topics">{topic_words(front)}</td>
                </tr>
            }
        })
        .collect::<Vec<_>>();
    let body = if rows.is_empty() {
        view! { <p class="empty">"None is published here yet. "<a href="/prompts">"The prompts"</a>" are."</p> }.into_any()
    } else {
        view! {
            <table class="prompts stacks">
                <thead>
                    <tr><th scope="col">"Exercise"</th><th scope="col">"Levels"</th><th scope="col">"Minutes"</th><th scope="col">"Topics"</th></tr>
                </thead>
                <tbody>{rows}</tbody>
            </table>
        }
        .into_any()
    };
    view! {
        <section aria-labelledby=kind.slug()>
            <h2 id=kind.slug()>{kind.title()}</h2>
            <p class="quiet measure">{what}</p>
            {body}
        </section>
    }
    .into_any()
}

fn topic_words(front: &Front) -> String {
    let topics: Vec<String> = front
        .topics
        .iter()
        .map(|topic| topic.replace('-', " "))
        .collect();
    topics.join(", ")
}

/// `GET /exercises/debugging/{slug}`
pub async fn debugging(
    State(state): State<AppState>,
    theme: Theme,
    headers: HeaderMap,
    Path(slug): Path<String>,
) -> Response {
    let library = state.library();
    let Some(published) = library.exercises.incident(&slug) else {
        return AppError::NotFound.into_response();
    };
    let incident = &published.incident;
    let criteria = incident.rubric.criteria.iter();
    let about = About {
        kind: Kind::Debugging,
        slug: &slug,
        front: &incident.front,
        heading: "The situation",
        html: &published.situation,
        judged: criteria.map(|criterion| criterion.title.as_str()).collect(),
        facts: vec![
            ("Steps", incident.steps.len().to_string()),
            ("Minutes", incident.front.minutes.to_string()),
        ],
        how: "The alert and its evidence come step by step. At each you say what you conclude and what you do next; then it stands, and the next step is shown.",
    };
    about_page(&state, theme, &headers, &about, || {
        sources_shown(&published.sources, &[&published.situation])
    })
}

/// `GET /exercises/code-review/{slug}`
pub async fn code_review(
    State(state): State<AppState>,
    theme: Theme,
    headers: HeaderMap,
    Path(slug): Path<String>,
) -> Response {
    let library = state.library();
    let Some(published) = library.exercises.code_review(&slug) else {
        return AppError::NotFound.into_response();
    };
    let review = &published.review;
    let criteria = review.rubric.criteria.iter();
    let counts = review.change.files.iter().map(ChangedFile::counts);
    let (added, removed) = counts.fold((0, 0), |(added, removed), (more, less)| {
        (added + more, removed + less)
    });
    let about = About {
        kind: Kind::CodeReview,
        slug: &slug,
        front: &review.front,
        heading: "The context",
        html: &published.context,
        judged: criteria.map(|criterion| criterion.title.as_str()).collect(),
        facts: vec![
            ("Files", review.change.files.len().to_string()),
            ("Lines added", added.to_string()),
            ("Lines removed", removed.to_string()),
            ("Minutes", review.front.minutes.to_string()),
        ],
        how: "You comment on lines of the change, each with what kind of fault it is and how grave. How many faults there are is not said before you have finished.",
    };
    about_page(&state, theme, &headers, &about, || {
        sources_shown(&published.sources, &[&published.context])
    })
}

/// What an exercise says before it is started.
struct About<'a> {
    kind: Kind,
    slug: &'a str,
    front: &'a Front,
    heading: &'static str,
    html: &'a str,
    judged: Vec<&'a str>,
    facts: Vec<(&'static str, String)>,
    how: &'static str,
}

fn about_page(
    state: &AppState,
    theme: Theme,
    headers: &HeaderMap,
    about: &About<'_>,
    sources: impl FnOnce() -> AnyView,
) -> Response {
    let front = about.front;
    let head = Head {
        title: front.title.clone(),
        description: front.summary.clone(),
        path: address(about.kind, about.slug),
        kind: PageKind::Reading,
        current: "/prompts",
        ..Head::default()
    };
    public_page(state, theme, headers, &head, || {
        let facts = about
            .facts
            .iter()
            .map(|(label, value)| {
                view! { <tr><th scope="row">{*label}</th><td class="n">{value.clone()}</td></tr> }
            })
            .collect_view();
        let judged = about.judged.iter();
        let judged = judged
            .map(|title| view! { <li>{(*title).to_owned()}</li> })
            .collect_view();
        view! {
            <main id="main" class="page two-columns">
                <article class="prose">
                    <p class="eyebrow"><a href="/exercises">"Exercises"</a>{format!(" / {}", about.kind.title())}</p>
                    <h1>{front.title.clone()}</h1>
                    <p class="lead">{front.summary.clone()}</p>
                    <p class="jump"><a class="btn go" href="#start">"Start"</a></p>
                    <section aria-labelledby="about"><h2 id="about">{about.heading}</h2><div inner_html=about.html.to_owned()></div></section>
                    <section aria-labelledby="how"><h2 id="how">"How it goes"</h2><p>{about.how}</p></section>
                    {sources()}
                </article>
                <aside aria-label="Start and facts">
                    {start_form(about)}
                    <table class="facts"><caption>"In numbers"</caption><tbody>{facts}</tbody></table>
                    <section class="judged" aria-labelledby="judged">
                        <h2 id="judged" class="eyebrow">"Judged on"</h2>
                        <ul>{judged}</ul>
                    </section>
                </aside>
            </main>
        }
        .into_any()
    })
}

fn start_form(about: &About<'_>) -> AnyView {
    let levels = &about.front.levels;
    let aim = if levels.contains(&Level::Senior) {
        Some(&Level::Senior)
    } else {
        levels.first()
    };
    let choices = levels
        .iter()
        .map(|level| {
            view! { <label><input type="radio" name="level" value=level.slug() checked=Some(level) == aim/>{level.title()}</label> }
        })
        .collect_view();
    view! {
        <form id="start" class="start" method="post" action=format!("{}/work", address(about.kind, about.slug))>
            <h2 class="hidden">"Start"</h2>
            <fieldset><legend>"Aim for"</legend><span class="seg">{choices}</span></fieldset>
            <button class="btn go">{match about.kind {
                Kind::Debugging => "Take the page",
                Kind::CodeReview => "Start the review",
            }}</button>
            <p class="small quiet">"No account needed. Everything you type is kept. The minutes are a guide; nothing stops you at their end."</p>
        </form>
    }
    .into_any()
}
