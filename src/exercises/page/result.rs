//! What an exercise comes to: the answer beside one's own work, each criterion against the level aimed at, and what to do
//! next.

use std::collections::BTreeMap;

use axum::extract::{Path, State};
use axum::response::Response;
use http::StatusCode;
use leptos::prelude::*;

use crate::domain::attempt::UnixMillis;
use crate::domain::content::exercise::{Front, PlantedFault, Rubric};
use crate::domain::exercise::{
    Candidate, Comment, FREE_NOTES, Kind, NEAR_LINES, Notes, Outcome, Review, Scores, Severity,
    Tally, Verdict, Work, judge, next_exercise,
};
use crate::domain::level::Rating;
use crate::error::AppError;
use crate::exercises::store::{self, Exercise};
use crate::server::clock::words;
use crate::server::content_library::Library;
use crate::server::document::{Kind as PageKind, own_page, see_other};
use crate::server::exercise_library::{PublishedCodeReview, PublishedIncident};
use crate::server::extract::{Theme, Viewer};
use crate::server::markdown::{Place, render_or_explain};
use crate::server::state::AppState;
use crate::ui::notice::counted;
use crate::ui::sources::Sources;

use super::change::{Rows, change, jump_list};
use super::review::comment_words;
use super::score::of_library;
use super::{address, own_head, unpublished};

/// `GET /exercises/work/{id}/result`
pub async fn result(
    State(state): State<AppState>,
    viewer: Viewer,
    theme: Theme,
    Path(id): Path<String>,
) -> Result<Response, AppError> {
    let mut reader = state.db.read().await?;
    let conn = &mut reader.conn();
    let permit = store::permit(conn, viewer.owner(), &id).await?;
    let exercise = permit.exercise();
    let Some(scores) = &exercise.scores else {
        // The answer is shown to nobody who has not rated.
        return Ok(see_other(&format!("/exercises/work/{id}/score")));
    };
    let started = store::last_started(conn, permit.owner()).await?;
    drop(reader);
    let library = state.library();
    let Some((front, rubric)) = of_library(&library, exercise) else {
        return Ok(unpublished(&state, theme, exercise));
    };
    let title = format!("Result · {}", front.title);
    let head = own_head(&title, exercise, "/result", PageKind::Own);
    let exercises = &library.exercises;
    let eyebrow = view! {
        <p class="eyebrow">
            <a href=address(exercise.kind, &exercise.slug)>{front.title.clone()}</a>
            {format!(" / {}, started {}", exercise.level.slug(), words(exercise.started_at, &viewer.zone()))}
        </p>
    };
    let common = Common {
        exercise,
        scores,
        front,
        rubric,
        next: next_view(exercise, scores, rubric, &library, &started),
    };
    Ok(own_page(&state, theme, &head, StatusCode::OK, || {
        let body = match &exercise.work {
            Work::Debugging(notes) => exercises
                .incident(&exercise.slug)
                .map(|published| incident_result(common, notes, published)),
            Work::CodeReview(review) => exercises
                .code_review(&exercise.slug)
                .map(|published| review_result(common, review, published)),
        };
        view! { <main id="main" class="page wide result exercise-result">{eyebrow}{body}</main> }
            .into_any()
    }))
}

/// What both kinds of result show.
struct Common<'a> {
    exercise: &'a Exercise,
    scores: &'a Scores,
    front: &'a Front,
    rubric: &'a Rubric,
    next: AnyView,
}

/// `3 of 5 criteria meet senior`
fn met_words(exercise: &Exercise, scores: &Scores) -> String {
    let level = exercise.level;
    let (met, all) = (scores.card.met(level), scores.card.entries.len());
    if met == all {
        format!(
            "By your own rating you meet {} on every criterion.",
            level.slug()
        )
    } else {
        format!(
            "By your own rating you meet {} on {met} of {all} criteria.",
            level.slug()
        )
    }
}

/// The one next thing to do.
fn next_view(
    exercise: &Exercise,
    scores: &Scores,
    rubric: &Rubric,
    library: &Library,
    started: &BTreeMap<(Kind, String), UnixMillis>,
) -> AnyView {
    let candidates: Vec<Candidate> = Kind::ALL
        .into_iter()
        .flat_map(|kind| {
            let of_kind = library.exercises.of_kind(kind).into_iter();
            of_kind.map(move |(slug, front)| Candidate {
                kind,
                slug: slug.to_owned(),
                levels: front.levels.clone(),
                last_started: started.get(&(kind, slug.to_owned())).copied(),
            })
        })
        .collect();
    let weakest = scores.card.weakest().filter(|_| !scores.card.is_even());
    let weakest = weakest.map(|entry| {
        let title = rubric
            .criterion(entry.criterion)
            .map_or(entry.criterion.title(), |known| &known.title);
        format!("{title} was the weakest here. ")
    });
    let next = next_exercise(exercise.kind, &exercise.slug, exercise.level, &candidates);
    let link = next.and_then(|next| {
        let front = library.exercises.front(next.kind, &next.slug)?;
        Some(view! {
            <p class="actions"><a class="btn go" href=address(next.kind, &next.slug)>{format!("{}: {}", next.kind.title(), front.title)}</a></p>
        })
    });
    view! {
        <section class="next" aria-labelledby="next">
            <h2 id="next">"Next"</h2>
            <p>{weakest}{match &link {
                Some(_) if scores.card.is_even() => "You rated every criterion alike. Take the next exercise.",
                Some(_) => "Watch for it in the next exercise.",
                None => "There is no other exercise here yet; take a prompt.",
            }}</p>
            {match link {
                Some(link) => link.into_any(),
                None => view! { <p class="actions"><a class="btn go" href="/prompts">"All prompts"</a></p> }.into_any(),
            }}
        </section>
    }
    .into_any()
}

fn criteria_view(common: &Common<'_>) -> AnyView {
    let bar = common.exercise.level.bar();
    let rows = common
        .scores
        .card
        .entries
        .iter()
        .map(|entry| {
            let found = common.rubric.criterion(entry.criterion);
            let (class, verdict) = verdict_words(entry.rating, bar);
            let next = entry.rating.next().and_then(|next| {
                let anchor = found?.anchor(next);
                Some(view! { <p><b>{format!("{}: ", next.title())}</b>{anchor.text.clone()}</p> })
            });
            let top = entry.rating.next().is_none();
            let pitfall = found.and_then(|criterion| {
                let usual = criterion.pitfalls.iter().find(|pitfall| pitfall.rating == entry.rating);
                usual.map(|pitfall| view! { <p class="pitfall"><b>"Usual pitfall: "</b>{pitfall.text.clone()}</p> })
            });
            let evidence = (!entry.evidence.is_empty())
                .then(|| view! { <blockquote class="evidence">{entry.evidence.clone()}</blockquote> });
            let title = found.map_or_else(|| entry.criterion.title().to_owned(), |known| known.title.clone());
            view! {
                <tr>
                    <th scope="row">{title}{evidence}</th>
                    <td data-label="Your rating">{entry.rating.title()}</td>
                    <td data-label="Against your aim" class=class>{verdict}</td>
                    <td data-label="Next level">{next}{top.then(|| view! { <p>"The highest level of this rubric."</p> })}{pitfall}</td>
                </tr>
            }
        })
        .collect_view();
    view! {
        <section aria-labelledby="criteria">
            <h2 id="criteria">"Criterion by criterion"</h2>
            <table class="criteria stacks">
                <thead><tr>
                    <th scope="col">"Criterion"</th><th scope="col">"Your rating"</th>
                    <th scope="col">{format!("Against {}", bar.slug())}</th><th scope="col">"What the next level says, and what usually holds one here"</th>
                </tr></thead>
                <tbody>{rows}</tbody>
            </table>
        </section>
    }
    .into_any()
}

fn verdict_words(rating: Rating, bar: Rating) -> (&'static str, String) {
    match bar.digit() - rating.digit() {
        0 => ("pass", "✓ meets it".to_owned()),
        steps if steps < 0 => ("pass", "✓ above it".to_owned()),
        1 => ("undecided", "~ one step below".to_owned()),
        steps => ("fail", format!("✕ {steps} steps below")),
    }
}

fn html_section(id: &'static str, title: &'static str, html: &str) -> AnyView {
    view! { <section aria-labelledby=id><h2 id=id>{title}</h2><div class="prose" inner_html=html.to_owned()></div></section> }
        .into_any()
}

fn incident_result(common: Common<'_>, notes: &Notes, published: &PublishedIncident) -> AnyView {
    let steps = published
        .incident
        .steps
        .iter()
        .zip(&published.steps)
        .map(|(step, html)| {
            let mine = notes.answer(&step.id).map_or_else(
                || view! { <p class="empty">"You wrote nothing here."</p> }.into_any(),
                |answer| {
                    let prefix = format!("mine-{}", step.id);
                    let place = Place {
                        prefix: &prefix,
                        top_heading: 4,
                        sources: &[],
                        terms: None,
                    };
                    view! { <div inner_html=render_or_explain(&answer.text, place)></div> }.into_any()
                },
            );
            let id = format!("beside-{}", step.id);
            view! {
                <section class="beside" aria-labelledby=id.clone()>
                    <h3 id=id.clone()>{step.title.clone()}</h3>
                    <details class="fold"><summary>"The evidence again"</summary><div class="prose" inner_html=html.evidence.clone()></div></details>
                    <div class="prose question" inner_html=html.question.clone()></div>
                    <div class="pair">
                        <div class="prose yours"><h4 class="eyebrow">"Yours"</h4>{mine}</div>
                        <div class="prose theirs"><h4 class="eyebrow">"A strong responder"</h4><div inner_html=html.answer.clone()></div></div>
                    </div>
                </section>
            }
        })
        .collect_view();
    let criteria = criteria_view(&common);
    view! {
        <div class="intro">
            <h1>{common.front.title.clone()}</h1>
            <p class="lead">{met_words(common.exercise, common.scores)}</p>
        </div>
        {common.next}
        {criteria}
        <section aria-labelledby="steps">
            <h2 id="steps">"Step by step"</h2>
            <p class="quiet">"One good way through, not the only one. Where it differs from yours, ask which evidence decides between the two."</p>
            {steps}
        </section>
        {html_section("root-cause", "Root cause", &published.root_cause)}
        {html_section("mitigation", "Mitigation", &published.mitigation)}
        {html_section("follow-ups", "Follow-ups", &published.follow_ups)}
        {html_section("post-mortem", "What a post-mortem says", &published.post_mortem)}
        <section aria-labelledby="sources"><h2 id="sources">"Sources"</h2><Sources sources=published.sources.clone()/></section>
    }
    .into_any()
}

fn review_result(common: Common<'_>, review: &Review, published: &PublishedCodeReview) -> AnyView {
    let case = &published.review;
    let verdict = judge(
        &case.planted(),
        &case.decoys(),
        &review.comments,
        &common.scores.meant_otherwise,
    );
    let matched = Matched {
        common: &common,
        review,
        published,
        verdict: &verdict,
    };
    let tally = verdict.tally;
    let headline = format!(
        "Found {} of {}, {}",
        tally.found,
        tally.faults,
        counted(tally.false_alarms, "false alarm", "false alarms")
    );
    let below = |file: &str, line: u32| matched.below(file, line);
    let mark = |file: &str, line: u32| matched.mark(file, line);
    let rows = Rows {
        link: None,
        below: &below,
        mark: &mark,
    };
    let criteria = criteria_view(&common);
    let (in_numbers, list, other) = (numbers(tally), matched.fault_list(), matched.elsewhere());
    let changed = change(published, &rows);
    view! {
        <div class="intro">
            <h1>{headline}</h1>
            <p class="lead">{met_words(common.exercise, common.scores)}</p>
        </div>
        {common.next}
        {in_numbers}
        {list}
        <section aria-labelledby="change">
            <h2 id="change">"The change, with what was there to find"</h2>
            {jump_list(published)}
            {changed}
            {other}
        </section>
        {looks_wrong(published)}
        {html_section("good-review", "What a good review says", &published.good_review)}
        {criteria}
        <section aria-labelledby="sources"><h2 id="sources">"Sources"</h2><Sources sources=published.sources.clone()/></section>
    }
    .into_any()
}

/// What only looks like a fault, explained to everybody: a comment near it may have met a fault, too.
fn looks_wrong(published: &PublishedCodeReview) -> AnyView {
    let items = published
        .review
        .decoys()
        .into_iter()
        .zip(&published.traps)
        .map(|(decoy, html)| {
            view! {
                <details class="fold">
                    <summary><code>{format!("{}:{}", decoy.file, decoy.lines.first)}</code></summary>
                    <div inner_html=html.clone()></div>
                </details>
            }
        })
        .collect_view();
    view! {
        <section aria-labelledby="looks-wrong">
            <h2 id="looks-wrong">"What only looks wrong"</h2>
            {items}
        </section>
    }
    .into_any()
}

/// The tally as a table, with the rule that it follows.
fn numbers(tally: Tally) -> AnyView {
    let percent = |share: Option<f64>| {
        share.map_or_else(|| "–".to_owned(), |share| format!("{:.0} %", share * 100.0))
    };
    let rows = [
        (
            "Found",
            format!("{} of {}", tally.found, tally.faults),
            "Each fault counts once, and each comment for one fault.".to_owned(),
        ),
        (
            "False alarms",
            tally.false_alarms.to_string(),
            "Comments that met no fault and were not called minor.".to_owned(),
        ),
        (
            "Notes",
            tally.notes.to_string(),
            "Comments that met no fault and were called minor. They cost nothing.".to_owned(),
        ),
        (
            "Repeats",
            tally.repeats.to_string(),
            "Further comments where a fault is that was found. They count neither way.".to_owned(),
        ),
        (
            "Recall",
            percent(tally.recall()),
            format!("{} found of {} faults.", tally.found, tally.faults),
        ),
        (
            "Precision",
            percent(tally.precision()),
            format!(
                "{} found of {} comments that claim a fault.",
                tally.found,
                tally.found + tally.false_alarms
            ),
        ),
        (
            "By weight",
            format!("{} of {}", tally.weight_found, tally.weight),
            format!(
                "A blocking fault weighs {}, an important one {}, a minor one {}. The weights are ours.",
                Severity::Blocking.weight(),
                Severity::Important.weight(),
                Severity::Minor.weight()
            ),
        ),
    ]
    .map(|(label, value, note)| {
        view! { <tr><th scope="row">{label}</th><td class="n" data-label="Count">{value}</td><td data-label="What counts">{note}</td></tr> }
    })
    .collect_view();
    view! {
        <section aria-labelledby="numbers">
            <h2 id="numbers">"In numbers"</h2>
            <table class="stacks tally">
                <thead><tr><th scope="col">"Measure"</th><th scope="col" class="n">"Count"</th><th scope="col">"What counts"</th></tr></thead>
                <tbody>{rows}</tbody>
            </table>
            <p class="quiet">{format!(
                "A comment finds a fault when its lines overlap the fault's or lie at most {NEAR_LINES} lines from them, and not when they are those \
                 of something that only looks wrong. Remarks called minor that meet no fault cost nothing up to {FREE_NOTES} of them. Comments \
                 are matched with faults so that as many faults as possible are found: first with a fault on their own lines, then with one of their kind. \
                 Only the place is compared: where a comment of yours meant something else, say so beside it."
            )}</p>
        </section>
    }
    .into_any()
}

/// A review beside the faults that were there.
struct Matched<'a> {
    common: &'a Common<'a>,
    review: &'a Review,
    published: &'a PublishedCodeReview,
    verdict: &'a Verdict,
}

impl Matched<'_> {
    fn faults(&self) -> impl Iterator<Item = (usize, &PlantedFault)> {
        self.published.review.faults.iter().enumerate()
    }

    /// Whether a fault was found, with a sign and in words.
    fn state(&self, fault: usize) -> (&'static str, &'static str) {
        match self.verdict.faults.get(fault).copied().flatten() {
            None => ("fail", "✕ missed"),
            Some(found) if found.named_differently => ("undecided", "~ found, named differently"),
            Some(_) => ("pass", "✓ found"),
        }
    }

    fn fault_list(&self) -> AnyView {
        let rows = self
            .faults()
            .map(|(index, fault)| {
                let (class, state) = self.state(index);
                let place = &fault.place;
                let lines = place.spans.first().map(|lines| lines.words());
                view! {
                    <tr>
                        <th scope="row"><a href=format!("#fault-{}", fault.id)>{fault.title.clone()}</a></th>
                        <td data-label="Yours" class=class>{state}</td>
                        <td data-label="Kind">{place.kind.title()}</td>
                        <td data-label="Severity">{place.severity.title()}</td>
                        <td data-label="Where"><span><code>{place.file.clone()}</code>{lines.map(|lines| format!(", line {lines}"))}</span></td>
                    </tr>
                }
            })
            .collect_view();
        view! {
            <section aria-labelledby="faults">
                <h2 id="faults">"What was there to find"</h2>
                <table class="stacks">
                    <thead><tr>
                        <th scope="col">"Fault"</th><th scope="col">"Yours"</th><th scope="col">"Kind"</th>
                        <th scope="col">"Severity"</th><th scope="col">"Where"</th>
                    </tr></thead>
                    <tbody>{rows}</tbody>
                </table>
            </section>
        }
        .into_any()
    }

    /// What stands below a line: the faults that end there, then the comments that met none.
    fn below(&self, file: &str, line: u32) -> Vec<AnyView> {
        let faults = self.faults().filter(|(_, fault)| {
            let ends = fault.place.spans.first().map(|lines| lines.last);
            fault.place.file == file && ends == Some(line)
        });
        let mut views: Vec<AnyView> = faults
            .map(|(index, fault)| self.fault_view(index, fault))
            .collect();
        let comments = self.review.comments.iter().filter(|comment| {
            comment.said.file == file && comment.said.lines.last == line && !self.is_beside(comment)
        });
        views.extend(comments.map(|comment| self.comment_view(comment)));
        views
    }

    /// Whether a comment stands beside a fault that it found or repeats.
    fn is_beside(&self, comment: &Comment) -> bool {
        matches!(
            self.verdict.of_comment(comment.id),
            Some(Outcome::Found { .. } | Outcome::Repeat { .. })
        )
    }

    fn mark(&self, file: &str, line: u32) -> &'static str {
        let at = |fault: &PlantedFault| {
            let lines = fault.place.spans.first();
            fault.place.file == file
                && lines.is_some_and(|lines| (lines.first..=lines.last).contains(&line))
        };
        let mut here = self.faults().filter(|(_, fault)| at(fault)).peekable();
        if here.peek().is_none() {
            return "";
        }
        let missed = here.any(|(index, _)| self.verdict.faults[index].is_none());
        if missed {
            "at-fault missed"
        } else {
            "at-fault"
        }
    }

    fn fault_view(&self, index: usize, fault: &PlantedFault) -> AnyView {
        let (class, state) = self.state(index);
        let (explanation, fix) = self
            .published
            .faults
            .get(index)
            .cloned()
            .unwrap_or_default();
        let beside: Vec<AnyView> = self
            .review
            .comments
            .iter()
            .filter(|comment| {
                matches!(
                    self.verdict.of_comment(comment.id),
                    Some(Outcome::Found { fault, .. } | Outcome::Repeat { fault }) if fault == index
                )
            })
            .map(|comment| self.comment_view(comment))
            .collect();
        let yours = if beside.is_empty() {
            view! { <p class="empty">"You have no comment here."</p> }.into_any()
        } else {
            beside.into_any()
        };
        view! {
            <article class="planted" id=format!("fault-{}", fault.id)>
                <h3>{fault.title.clone()}<span class=format!("small {class}")>{state}</span></h3>
                <p class="eyebrow">{format!("{}, {}", fault.place.kind.title(), fault.place.severity.slug())}</p>
                <div class="pair">
                    <div class="yours"><h4 class="eyebrow">"Yours"</h4>{yours}</div>
                    <div class="theirs">
                        <h4 class="eyebrow">"What happens"</h4><div inner_html=explanation></div>
                        <h4 class="eyebrow">"A way out"</h4><div inner_html=fix></div>
                    </div>
                </div>
            </article>
        }
        .into_any()
    }

    fn comment_view(&self, comment: &Comment) -> AnyView {
        let outcome = self.verdict.of_comment(comment.id);
        let denied = self.common.scores.meant_otherwise.contains(&comment.id);
        let (class, words, decoy) = match outcome {
            Some(Outcome::Found {
                named_differently: false,
                ..
            }) => ("pass", "✓ found it", None),
            Some(Outcome::Found { .. }) => ("undecided", "~ found it, named differently", None),
            Some(Outcome::Repeat { .. }) => ("quiet", "a repeat", None),
            Some(Outcome::FalseAlarm { decoy }) => ("fail", "✕ a false alarm", decoy),
            Some(Outcome::Note { decoy }) => ("quiet", "a note", decoy),
            None => ("quiet", "", None),
        };
        let why = decoy.and_then(|decoy| self.published.traps.get(decoy)).map(|html| {
            view! { <div class="decoy"><h4 class="eyebrow">"Why it is fine"</h4><div inner_html=html.clone()></div></div> }
        });
        let claims = matches!(
            outcome,
            Some(Outcome::Found { .. } | Outcome::Repeat { .. })
        );
        let meant = (claims || denied).then(|| {
            let (value, label) = if denied {
                ("this", "It did mean the fault at its place")
            } else {
                ("otherwise", "My comment meant something else")
            };
            view! {
                <form class="actions" method="post" action=format!("/exercises/work/{}/meant", self.common.exercise.id)>
                    <input type="hidden" name="comment" value=comment.id/>
                    <button class="btn" name="meant" value=value>{label}</button>
                </form>
            }
        });
        view! {
            <article class="comment" id=format!("comment-{}", comment.id)>
                <p class="eyebrow">{format!("Your comment: {} ", comment_words(comment))}<span class=class>{words}</span>{denied.then_some(", by your own word about something else")}</p>
                <p class="words">{comment.said.text.clone()}</p>
                {why}
                {meant}
            </article>
        }
        .into_any()
    }

    /// Comments at lines that the change does not show any more, since it was published anew.
    fn elsewhere(&self) -> AnyView {
        let change = &self.published.review.change;
        let lost: Vec<AnyView> = self
            .review
            .comments
            .iter()
            .filter(|comment| {
                let said = &comment.said;
                let shown = change
                    .file(&said.file)
                    .is_some_and(|file| file.shows(said.lines.last));
                !shown && !self.is_beside(comment)
            })
            .map(|comment| self.comment_view(comment))
            .collect();
        if lost.is_empty() {
            return ().into_any();
        }
        view! { <h3>"Comments at lines that the change does not show any more"</h3>{lost} }
            .into_any()
    }
}
