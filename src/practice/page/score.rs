//! The rubric as a grid to score by, beside the attempt.

use std::collections::BTreeMap;

use axum::extract::{Path, State};
use axum::response::Response;
use http::StatusCode;
use leptos::prelude::*;

use crate::domain::criterion::CriterionId;
use crate::domain::scorecard::{DraftEntry, Fault};
use crate::error::AppError;
use crate::practice::island::scoring::ScoringHelp;
use crate::practice::store::{self, AttemptPermit, Section};
use crate::server::clock::new_id;
use crate::server::content_library::PublishedPrompt;
use crate::server::document::{Head, Kind, own_page};
use crate::server::extract::{Theme, Viewer};
use crate::server::state::AppState;
use crate::ui::criterion::CriterionField;

use super::{attempt_title, in_order, section_title, seen, terms_words};

type Draft = BTreeMap<CriterionId, DraftEntry>;
type Faults = BTreeMap<CriterionId, Fault>;

/// `GET /attempts/{id}/score`
pub async fn score(
    State(state): State<AppState>,
    viewer: Viewer,
    theme: Theme,
    Path(id): Path<String>,
) -> Result<Response, AppError> {
    // Scoring itself is no phase: the time until now is the last that counts.
    let permit = seen(&state, &viewer, &id, None).await?;
    let library = state.library();
    let published = library
        .prompt(&permit.attempt().prompt)
        .ok_or(AppError::NotFound)?;
    render(
        &state,
        &permit,
        published,
        theme,
        &Draft::new(),
        &Faults::new(),
    )
    .await
}

/// The form again with what was filled in and what is missing beside it.
pub async fn score_again(
    state: &AppState,
    permit: &AttemptPermit,
    published: &PublishedPrompt,
    theme: Theme,
    draft: &Draft,
    faults: &Faults,
) -> Result<Response, AppError> {
    render(state, permit, published, theme, draft, faults).await
}

async fn render(
    state: &AppState,
    permit: &AttemptPermit,
    published: &PublishedPrompt,
    theme: Theme,
    draft: &Draft,
    faults: &Faults,
) -> Result<Response, AppError> {
    let attempt = permit.attempt();
    let mut reader = state.db.read().await?;
    let sections = in_order(store::sections(&mut reader.conn(), permit).await?);
    drop(reader);
    let head = Head {
        title: format!("Score · {}", published.prompt.title),
        description: "Score an attempt against the rubric.".to_owned(),
        path: format!("/attempts/{}/score", attempt.id),
        kind: Kind::Islands,
        current: "/attempts",
        ..Head::default()
    };
    let status = if faults.is_empty() {
        StatusCode::OK
    } else {
        StatusCode::UNPROCESSABLE_ENTITY
    };
    let score_id = new_id(state.clock.now());
    let number = u32::try_from(attempt.scores + 1).unwrap_or(1);
    Ok(own_page(state, theme, &head, status, || {
        let again = attempt.is_closed();
        let grid = published
            .prompt
            .rubric
            .criteria
            .iter()
            .map(|criterion| {
                view! {
                    <CriterionField
                        slug=criterion.id.slug()
                        title=&criterion.title
                        anchors=&criterion.anchors
                        looked_for=&criterion.evidence
                        aim=attempt.terms.level.bar()
                        entry=draft.get(&criterion.id)
                        fault=faults.get(&criterion.id).copied()
                    />
                }
            })
            .collect_view();
        let summary = faults
            .iter()
            .map(|(criterion, fault)| {
                let title = published.prompt.rubric.criteria.iter().find(|known| known.id == *criterion).map_or(criterion.title(), |known| &known.title);
                view! { <li><a href=format!("#criterion-{}", criterion.slug())>{title.to_owned()}</a>": "{fault.message()}</li> }
            })
            .collect_view();
        view! {
            <main id="main" class="page scoring">
                <div class="intro">
                    <p class="eyebrow"><a href=format!("/attempts/{}", attempt.id)>{attempt_title(Some(published), attempt)}</a>{format!(" / {}", terms_words(&attempt.terms))}</p>
                    <h1>"Score your attempt"</h1>
                    {attempt.variant.is_some().then(|| view! {
                        <p class="notice">"The anchors are those of the prompt as it stands. Where one speaks of what your variant changes, judge by the variant: what counts is the decision that its numbers and constraints lead to."</p>
                    })}
                    <p class="lead">
                        {if again {
                            "You have seen the reference, so this score stands beside the first one and is marked as given afterwards."
                        } else {
                            "For each criterion choose the level whose sentence your text meets, and quote what shows it. After you commit, \
                             the scores cannot be changed, the text takes no more changes, and the reference is shown."
                        }}
                    </p>
                    <p class="quiet small">
                        "An anchor marked \"after\" a source takes its demand from there; what it says of this prompt is ours, as the other anchors are. "
                        <a href="/reference/scorecard">"How to read the anchors"</a>
                    </p>
                    <p class="quiet small with-script">"Digits 1 to 4 choose a level. Select text in your attempt to quote it."</p>
                </div>
                {(!faults.is_empty()).then(|| view! {
                    <div class="notice fault" role="alert"><p>"Not committed yet. What you filled in is kept."</p><ul>{summary}</ul></div>
                })}
                <form id="scorecard" method="post" action=format!("/attempts/{}/score", attempt.id)>
                    <input type="hidden" name="score" value=score_id/>
                    {grid}
                    <p class="actions commit">
                        <button class="btn go">{if again { "Commit this score" } else { "Commit the scores and show the reference" }}</button>
                        <a href=format!("/attempts/{}", attempt.id)>"Back to the attempt"</a>
                    </p>
                </form>
                <aside class="mine" aria-label="Your attempt" data-quotable="true" tabindex="0">{sections_view(&sections, published)}</aside>
                <ScoringHelp attempt=attempt.id.clone() number=number form="scorecard".to_owned()/>
            </main>
        }
        .into_any()
    }))
}

fn sections_view(sections: &[Section], published: &PublishedPrompt) -> AnyView {
    let written: Vec<_> = sections
        .iter()
        .filter(|section| !section.body.trim().is_empty())
        .collect();
    if written.is_empty() {
        return view! { <p class="empty">"Nothing was written in this attempt. Score what was said aloud, or go back and write."</p> }.into_any();
    }
    written
        .into_iter()
        .map(|section| {
            view! {
                <section>
                    <h2>{section_title(&section.name, Some(published))}</h2>
                    // As it was typed: what is quoted from here is found again in it.
                    <pre class="written">{section.body.clone()}</pre>
                </section>
            }
        })
        .collect_view()
        .into_any()
}
