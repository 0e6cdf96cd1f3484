//! The work on an incident: what is known so far, and the field for the step that is open.

use axum::response::Response;
use http::StatusCode;
use leptos::prelude::*;

use crate::domain::attempt::{MINUTE, UnixMillis};
use crate::domain::content::exercise::Step;
use crate::domain::exercise::{Notes, Refused};
use crate::exercises::island::ExerciseHelp;
use crate::exercises::store::Exercise;
use crate::server::clock::words;
use crate::server::document::{Kind as PageKind, own_page};
use crate::server::exercise_library::{PublishedIncident, PublishedStep};
use crate::ui::text_area::TextArea;

use super::{Desk, elapsed, own_head, sources_shown};

/// What a form sent for a step and the server did not take.
#[derive(Debug)]
pub struct StepForm<'a> {
    pub step: &'a str,
    pub text: &'a str,
    pub refused: &'a Refused,
}

pub(super) fn work(desk: Desk<'_>, notes: &Notes, published: &PublishedIncident) -> Response {
    render(desk, notes, published, None, StatusCode::OK)
}

/// The page again, with what was sent and why it was not taken.
pub fn incident_again(
    desk: Desk<'_>,
    notes: &Notes,
    published: &PublishedIncident,
    form: &StepForm<'_>,
) -> Response {
    let status = match form.refused {
        Refused::TooLong | Refused::Empty => StatusCode::UNPROCESSABLE_ENTITY,
        Refused::Committed(_) | Refused::ChangedElsewhere(_) | Refused::NotOpen => {
            StatusCode::CONFLICT
        }
    };
    let form = Some(form);
    render(desk, notes, published, form, status)
}

fn render(
    desk: Desk<'_>,
    notes: &Notes,
    published: &PublishedIncident,
    form: Option<&StepForm<'_>>,
    status: StatusCode,
) -> Response {
    let Desk {
        state,
        viewer,
        theme,
        exercise,
    } = desk;
    let incident = &published.incident;
    let ids = incident.step_ids();
    let open = notes.open_step(&ids);
    let head = own_head(&incident.front.title, exercise, "", PageKind::Islands);
    let now = state.clock.now();
    let zone = viewer.zone();
    let mut shown: Vec<&str> = vec![&published.situation, &published.page];
    let mut steps = Vec::new();
    for ((number, step), html) in (1..).zip(&incident.steps).zip(&published.steps) {
        let is_open = open == Some(step.id.as_str());
        if !is_open && notes.answer(&step.id).is_none() {
            continue;
        }
        shown.extend([html.evidence.as_str(), &html.question]);
        steps.push((number, step, html, is_open));
    }
    own_page(state, theme, &head, status, || {
        let all = incident.steps.len();
        let view = |(number, step, html, is_open): &(usize, &Step, &PublishedStep, bool)| {
            let below = if *is_open {
                open_step(exercise, notes, step, &html.question, *number == all, form)
            } else {
                answered(exercise, notes, step, &html.question)
            };
            let id = format!("step-{}", step.id);
            view! {
                <section class="step" aria-labelledby=id.clone()>
                    <h2 id=id.clone()><span class="eyebrow">{format!("Step {number} of {all}")}</span>{step.title.clone()}</h2>
                    <div class="prose" inner_html=html.evidence.clone()></div>
                    {below}
                </section>
            }
        };
        let sections = steps.iter().map(view).collect_view();
        view! {
            <main id="main" class="page incident">
                <p class="eyebrow"><a href="/exercises">"Exercises"</a>{format!(" / Production debugging / {}", exercise.level.slug())}</p>
                <h1>{incident.front.title.clone()}</h1>
                <p class="quiet num">{format!("{}. Started {}.", elapsed(exercise.started_at, now, &incident.front), words(exercise.started_at, &zone))}</p>
                <ExerciseHelp exercise=exercise.id.clone()/>
                {form.map(|form| trouble(form, open))}
                <details class="fold"><summary>"The situation"</summary><div class="prose" inner_html=published.situation.clone()></div></details>
                <section class="step" aria-labelledby="the-page"><h2 id="the-page">"The page"</h2><div class="prose" inner_html=published.page.clone()></div></section>
                {sections}
                {sources_shown(&published.sources, &shown)}
            </main>
        }
        .into_any()
    })
}

/// Why a text was not taken, and both versions where there are two.
fn trouble(form: &StepForm<'_>, open: Option<&str>) -> AnyView {
    let (message, there) = match form.refused {
        Refused::Committed(there) => (
            "This step was committed with another text, which stands. Yours was not saved.",
            Some(there.clone()),
        ),
        Refused::ChangedElsewhere(there) => (
            "The text of this step was changed elsewhere since you opened it. Yours is in the field below and not saved yet; the other \
             one stands here. Take what you need of both, then save or commit.",
            Some(there.clone()),
        ),
        Refused::NotOpen => ("This step is not open. Your text was not saved.", None),
        Refused::TooLong => (
            "An answer holds 16 KB, and this one is longer. Shorten it; what is here is kept until you do.",
            None,
        ),
        Refused::Empty => (
            "There is nothing to commit yet. Write what you conclude, in one sentence at least, before you see more.",
            None,
        ),
    };
    // Where the field is not on the page, the text stands here.
    let mine = (open != Some(form.step)).then(|| form.text.to_owned());
    view! {
        <div class="notice fault" role="alert">
            <p>{message}</p>
            {there.map(|there| view! { <h3>"What stands there"</h3><pre class="written" tabindex="0">{there}</pre> })}
            {mine.map(|mine| view! { <h3>"What you sent"</h3><pre class="written" tabindex="0">{mine}</pre> })}
        </div>
    }
    .into_any()
}

fn answered(exercise: &Exercise, notes: &Notes, step: &Step, question: &str) -> AnyView {
    let Some(answer) = notes.answer(&step.id) else {
        return ().into_any();
    };
    let minute = minute(exercise, answer.committed_at);
    view! {
        <div class="prose question" inner_html=question.to_owned()></div>
        <div class="answered">
            <p class="eyebrow">{format!("Your answer, committed at minute {minute}")}</p>
            <pre class="written">{answer.text.clone()}</pre>
        </div>
    }
    .into_any()
}

fn open_step(
    exercise: &Exercise,
    notes: &Notes,
    step: &Step,
    question: &str,
    is_last: bool,
    form: Option<&StepForm<'_>>,
) -> AnyView {
    let returned = form.filter(|form| form.step == step.id);
    let text = returned.map_or_else(|| notes.open.clone(), |form| form.text.to_owned());
    let invalid = returned.is_some();
    let saved = (!notes.open.is_empty() && !invalid)
        .then(|| format!("Saved at minute {}. ", minute(exercise, exercise.saved_at)));
    view! {
        <form
            class="answer"
            method="post"
            action=format!("/exercises/work/{}/step", exercise.id)
            data-keep=format!("step-{}", step.id)
            data-base=format!("{}:{}", step.id, exercise.revision)
            data-returned=invalid.then_some("true")
        >
            <input type="hidden" name="step" value=step.id.clone()/>
            <input type="hidden" name="base" value=exercise.revision/>
            <div class="prose question" id="question" inner_html=question.to_owned()></div>
            <label class="eyebrow" for="answer">"Your answer"</label>
            <TextArea id="answer" name="body" text=text rows=10 invalid=invalid described_by="question"/>
            <p class="actions">
                <button class="btn go" name="then" value="commit">
                    {if is_last { "Commit the last answer" } else { "Commit and see the next step" }}
                </button>
                <button class="btn" name="then" value="save">"Save for now"</button>
                <span class="small quiet">{saved}"Once committed, an answer stands."</span>
            </p>
        </form>
    }
    .into_any()
}

/// The minute of the exercise in which something happened.
fn minute(exercise: &Exercise, at: UnixMillis) -> i64 {
    (at - exercise.started_at).max(0) / MINUTE
}
