//! What a scored attempt comes to: each criterion beside the level aimed at, the estimates, the minutes, the reference
//! beside the text, and one next thing to do.

use axum::extract::{Path, State};
use axum::response::Response;
use http::StatusCode;
use jiff::tz::TimeZone;
use leptos::prelude::*;

use crate::domain::attempt::{MINUTE, SectionName};
use crate::domain::content::{Criterion, Estimate};
use crate::domain::criterion::CriterionId;
use crate::domain::level::{Level, Rating};
use crate::domain::phase::Phase;
use crate::domain::scorecard::{Candidate, Entry, next_prompt, quoted_from};
use crate::domain::worksheet::{Grade, Outcome, Sheet, deviation, evaluate};
use crate::error::AppError;
use crate::practice::store::{self, Attempt, Score, Section};
use crate::server::clock::words;
use crate::server::content_library::{Library, PublishedPrompt};
use crate::server::document::{Head, Kind, own_page, see_other};
use crate::server::extract::{Theme, Viewer};
use crate::server::glossary::OnAPage;
use crate::server::markdown::{Place, render_or_explain};
use crate::server::state::AppState;
use crate::ui::sources::Sources;

use super::{attempt_title, in_order, minutes, section_title, terms_words};

/// Everything that the page is made from.
struct Facts<'a> {
    zone: TimeZone,
    attempt: &'a Attempt,
    published: &'a PublishedPrompt,
    sections: Vec<Section>,
    spent: [i64; 8],
    hints: Vec<(i64, i64)>,
    overtime: Vec<String>,
    scores: Vec<Score>,
    candidates: Vec<Candidate>,
    /// The variants of this prompt that the person has begun.
    variants_taken: Vec<String>,
}

/// `GET /attempts/{id}/result`
pub async fn result(
    State(state): State<AppState>,
    viewer: Viewer,
    theme: Theme,
    Path(id): Path<String>,
) -> Result<Response, AppError> {
    let library = state.library();
    let mut reader = state.db.read().await?;
    let conn = &mut reader.conn();
    let permit = store::permit(conn, viewer.owner(), &id).await?;
    let attempt = permit.attempt();
    let scores = store::scores(conn, &permit).await?;
    if scores.is_empty() {
        // The reference is shown to nobody who has not scored.
        return Ok(see_other(&format!("/attempts/{id}/score")));
    }
    let Some(published) = library.prompt(&attempt.prompt) else {
        let sections = in_order(store::sections(conn, &permit).await?);
        return Ok(unpublished(&state, theme, attempt, &scores, &sections));
    };
    let overtime = match attempt.clock().ends_at() {
        Some(ends_at) => store::sections_saved_after(conn, &permit, ends_at).await?,
        None => Vec::new(),
    };
    let mine = store::attempts(conn, viewer.owner().unwrap_or_default()).await?;
    let facts = Facts {
        zone: viewer.zone(),
        attempt,
        published,
        sections: in_order(store::sections(conn, &permit).await?),
        spent: store::presence(conn, &permit).await?.spent,
        hints: store::hints(conn, &permit).await?,
        overtime,
        scores,
        candidates: candidates(&library, &mine),
        variants_taken: mine
            .iter()
            .filter(|other| other.prompt == attempt.prompt)
            .filter_map(|other| other.variant.clone())
            .collect(),
    };
    drop(reader);
    let head = Head {
        title: format!("Result · {}", published.prompt.title),
        description: "The result of an attempt.".to_owned(),
        path: format!("/attempts/{id}/result"),
        kind: Kind::Own,
        current: "/attempts",
        ..Head::default()
    };
    Ok(own_page(&state, theme, &head, StatusCode::OK, || {
        view(&facts, &library)
    }))
}

/// The prompt is no longer published: what the person wrote and rated is theirs all the same.
fn unpublished(
    state: &AppState,
    theme: Theme,
    attempt: &Attempt,
    scores: &[Score],
    sections: &[Section],
) -> Response {
    let head = Head {
        title: "Result".to_owned(),
        description: "The result of an attempt.".to_owned(),
        path: format!("/attempts/{}/result", attempt.id),
        kind: Kind::Own,
        current: "/attempts",
        ..Head::default()
    };
    own_page(state, theme, &head, StatusCode::OK, || {
        let ratings = scores
            .iter()
            .flat_map(|score| {
                score
                    .card
                    .entries
                    .iter()
                    .map(move |entry| (score.number, entry))
            })
            .map(|(number, entry)| {
                view! {
                    <tr>
                        <th scope="row">{entry.criterion.title()}</th>
                        <td>{entry.rating.title()}</td>
                        <td>{entry.evidence.clone()}</td>
                        <td class="n">{number}</td>
                    </tr>
                }
            })
            .collect_view();
        let texts = sections
            .iter()
            .map(|section| {
                view! {
                    <section>
                        <h2>{section_title(&section.name, None)}</h2>
                        <pre class="written" tabindex="0">{section.body.clone()}</pre>
                    </section>
                }
            })
            .collect_view();
        view! {
            <main id="main" class="page result">
                <p class="eyebrow">{terms_words(&attempt.terms)}</p>
                <h1>{super::prompt_title(None, &attempt.prompt)}</h1>
                <p class="lead">"This prompt is no longer published here, so there is no reference to compare with. Your ratings and your text are kept."</p>
                <p class="links">
                    <a href=format!("/attempts/{}/export/attempt.md", attempt.id)>"Export as Markdown"</a>
                    <a href=format!("/attempts/{}/export/attempt.json", attempt.id)>"Export as JSON"</a>
                    <a href=format!("/attempts/{}/share", attempt.id)>"Share"</a>
                </p>
                <table>
                    <thead><tr><th scope="col">"Criterion"</th><th scope="col">"Your rating"</th><th scope="col">"Evidence"</th><th scope="col" class="n">"Score"</th></tr></thead>
                    <tbody>{ratings}</tbody>
                </table>
                {texts}
            </main>
        }
        .into_any()
    })
}

fn candidates(library: &Library, attempts: &[Attempt]) -> Vec<Candidate> {
    library
        .prompts
        .iter()
        .map(|published| Candidate {
            slug: published.prompt.slug.clone(),
            levels: published.prompt.levels.clone(),
            last_started: attempts
                .iter()
                .filter(|attempt| attempt.prompt == published.prompt.slug)
                .map(|attempt| attempt.started_at)
                .max(),
        })
        .collect()
}

fn criterion(published: &PublishedPrompt, id: CriterionId) -> Option<&Criterion> {
    published
        .prompt
        .rubric
        .criteria
        .iter()
        .find(|criterion| criterion.id == id)
}

fn criterion_title(published: &PublishedPrompt, id: CriterionId) -> String {
    criterion(published, id).map_or_else(
        || id.title().to_owned(),
        |criterion| criterion.title.clone(),
    )
}

fn view(facts: &Facts<'_>, library: &Library) -> AnyView {
    let Some(first) = facts.scores.first() else {
        return ().into_any();
    };
    let attempt = facts.attempt;
    let prompt = &facts.published.prompt;
    let level = attempt.terms.level;
    let (met, all) = (first.card.met(level), first.card.entries.len());
    let headline = if met == all {
        format!("Your own score meets {} on every criterion", level.slug())
    } else {
        format!("{met} of {all} criteria meet {}", level.slug())
    };
    let id = &attempt.id;
    view! {
        <main id="main" class="page wide result">
            <div class="intro">
                <p class="eyebrow"><a href=format!("/prompts/{}", prompt.slug)>{attempt_title(Some(facts.published), attempt)}</a>{format!(" / {}, started {}", terms_words(&attempt.terms), words(attempt.started_at, &facts.zone))}</p>
                <h1>{headline}</h1>
                <p class="lead">{gap_sentence(first, facts.published, level)}</p>
                <p class="actions links">
                    <a href=format!("/attempts/{id}/export/attempt.md")>"Export as Markdown"</a>
                    <a href=format!("/attempts/{id}/export/attempt.json")>"Export as JSON"</a>
                    <a href=format!("/attempts/{id}/share")>"Share"</a>
                    <a href=format!("/attempts/{id}/score")>"Score again"</a>
                    <a href="/attempts">"Your attempts"</a>
                </p>
            </div>
            {next_action(first, facts, library)}
            {criteria_view(first, facts, library)}
            {again_view(facts)}
            {estimates_view(facts)}
            {minutes_view(facts)}
            {variant_view(facts)}
            {reference_view(facts)}
            <section aria-labelledby="sources"><h2 id="sources">"Sources"</h2><Sources sources=facts.published.sources.clone()/></section>
        </main>
    }
    .into_any()
}

fn gap_sentence(score: &Score, published: &PublishedPrompt, level: Level) -> String {
    let gaps = score.card.gaps(level);
    let names: Vec<_> = gaps
        .iter()
        .take(3)
        .map(|gap| criterion_title(published, gap.criterion))
        .collect();
    match (names.as_slice(), gaps.len()) {
        ([], _) => {
            "No gap to the level you aimed at. The steps to the next level are below.".to_owned()
        }
        ([one], _) => format!("The gap is {one}."),
        ([first, rest @ ..], all) => {
            let rest = rest.join(" and ");
            let more = if all > 3 {
                format!(", and {} more", all - 3)
            } else {
                String::new()
            };
            format!("The widest gaps are {first} and {rest}{more}.")
        }
    }
}

/// The one next thing to do: the weakest criterion's phase on another prompt.
fn next_action(score: &Score, facts: &Facts<'_>, library: &Library) -> AnyView {
    let Some(weakest) = score.card.weakest() else {
        return ().into_any();
    };
    let Some(criterion) = criterion(facts.published, weakest.criterion) else {
        return ().into_any();
    };
    let level = facts.attempt.terms.level;
    let Some(next) = next_prompt(&facts.attempt.prompt, level, &facts.candidates)
        .and_then(|candidate| library.prompt(&candidate.slug))
    else {
        return ().into_any();
    };
    let suited = if next.prompt.levels.contains(&level) {
        level
    } else {
        next.prompt.levels[0]
    };
    let link = format!(
        "/prompts/{}?level={}&minutes=45&way=guided&focus={}#start",
        next.prompt.slug,
        suited.slug(),
        criterion.phase.slug()
    );
    view! {
        <section class="next" aria-labelledby="next">
            <h2 id="next">"Next"</h2>
            <p>
                {if score.card.is_even() {
                    format!("You rated every criterion alike. Take one of them alone, such as {}, at another prompt: ", criterion.title)
                } else {
                    format!("{} was the weakest here. Work on it alone, at another prompt: ", criterion.title)
                }}
                <b>{criterion.phase.title()}</b>{format!(" in {}.", next.prompt.title)}
            </p>
            <p class="actions"><a class="btn go" href=link>{format!("Practise {} on {}", criterion.phase.in_a_sentence(), next.prompt.title)}</a></p>
            {variants_left(facts)}
        </section>
    }
    .into_any()
}

/// The variants of this prompt that the person has not taken: a repeat that is no recital.
fn variants_left(facts: &Facts<'_>) -> AnyView {
    let prompt = &facts.published.prompt;
    let links: Vec<_> = prompt
        .variants
        .iter()
        .filter(|variant| !facts.variants_taken.contains(&variant.id))
        .map(|variant| {
            let link = format!(
                "/prompts/{}?level={}&variant={}#start",
                prompt.slug,
                facts.attempt.terms.level.slug(),
                variant.id
            );
            view! { <li><a href=link>{variant.title.clone()}</a></li> }
        })
        .collect();
    if links.is_empty() {
        return ().into_any();
    }
    view! {
        <p>"Or take this prompt again with other numbers or another constraint:"</p>
        <ul>{links}</ul>
    }
    .into_any()
}

/// What the attempt's variant changed, and what that does to the reference, which is that of the prompt as it stands.
fn variant_view(facts: &Facts<'_>) -> AnyView {
    let Some(found) = facts.published.variant(facts.attempt.variant.as_deref()) else {
        return ().into_any();
    };
    view! {
        <section aria-labelledby="variant">
            <h2 id="variant">{format!("The variant: {}", found.variant.title)}</h2>
            <div class="prose" inner_html=found.changes.to_owned()></div>
            <h3>"What it changes in the reference"</h3>
            <div class="prose" inner_html=found.answer.to_owned()></div>
        </section>
    }
    .into_any()
}

fn verdict(rating: Rating, bar: Rating) -> (&'static str, String) {
    let steps = bar.digit() - rating.digit();
    match steps {
        0 => ("pass", "✓ meets it".to_owned()),
        steps if steps < 0 => ("pass", "✓ above it".to_owned()),
        1 => ("undecided", "~ one step below".to_owned()),
        steps => ("fail", format!("✕ {steps} steps below")),
    }
}

fn criteria_view(score: &Score, facts: &Facts<'_>, library: &Library) -> AnyView {
    let terms = library.glossary.on_a_page();
    let bar = facts.attempt.terms.level.bar();
    let texts: Vec<(SectionName, String)> = facts
        .sections
        .iter()
        .map(|section| (section.name.clone(), section.body.clone()))
        .collect();
    let rows = score
        .card
        .entries
        .iter()
        .map(|entry| criterion_row(entry, bar, &texts, facts.published, &terms))
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

fn criterion_row(
    entry: &Entry,
    bar: Rating,
    texts: &[(SectionName, String)],
    published: &PublishedPrompt,
    terms: &OnAPage<'_>,
) -> impl IntoView + use<> {
    let (class, words) = verdict(entry.rating, bar);
    let found = criterion(published, entry.criterion);
    let next = entry.rating.next().and_then(|next| {
        let anchor = found?.anchor(next);
        Some(view! { <p><b>{format!("{}: ", next.title())}</b><span inner_html=terms.html(&anchor.text)></span></p> })
    });
    let top = entry
        .rating
        .next()
        .is_none()
        .then(|| view! { <p>"The highest level of this rubric."</p> });
    let pitfall = found.and_then(|criterion| {
        let usual = criterion.pitfalls.iter().find(|pitfall| pitfall.rating == entry.rating);
        usual.map(|pitfall| view! { <p class="pitfall"><b>"Usual pitfall: "</b><span inner_html=terms.html(&pitfall.text)></span></p> })
    });
    let quoted = quoted_from(&entry.evidence, texts)
        .map(|name| format!(" Quoted from {}.", section_title(name, Some(published))));
    let evidence = (!entry.evidence.is_empty()).then(|| {
        view! { <blockquote class="evidence">{entry.evidence.clone()}<span class="eyebrow">{quoted}</span></blockquote> }
    });
    view! {
        <tr>
            <th scope="row">{criterion_title(published, entry.criterion)}{evidence}</th>
            <td data-label="Your rating">{entry.rating.title()}</td>
            <td data-label="Against your aim" class=class>{words}</td>
            <td data-label="Next level">{next}{top}{pitfall}</td>
        </tr>
    }
}

/// Later scores of the same attempt, beside the first.
fn again_view(facts: &Facts<'_>) -> AnyView {
    let [first, later @ ..] = facts.scores.as_slice() else {
        return ().into_any();
    };
    if later.is_empty() {
        return ().into_any();
    }
    let heads = later
        .iter()
        .map(|score| view! { <th scope="col">{format!("Score {}, {}", score.number, words(score.scored_at, &facts.zone))}</th> })
        .collect_view();
    let rows = first
        .card
        .entries
        .iter()
        .map(|entry| {
            let cells = later
                .iter()
                .map(|score| view! { <td>{score.card.rating(entry.criterion).map_or("–", Rating::title)}</td> })
                .collect_view();
            view! { <tr><th scope="row">{criterion_title(facts.published, entry.criterion)}</th><td>{entry.rating.title()}</td>{cells}</tr> }
        })
        .collect_view();
    view! {
        <section aria-labelledby="again">
            <h2 id="again">"Scored again, with the reference known"</h2>
            <div class="scroll" tabindex="0">
                <table><thead><tr><th scope="col">"Criterion"</th><th scope="col">{format!("Score 1, {}", words(first.scored_at, &facts.zone))}</th>{heads}</tr></thead><tbody>{rows}</tbody></table>
            </div>
        </section>
    }
    .into_any()
}

fn estimates_view(facts: &Facts<'_>) -> AnyView {
    let variant = facts.attempt.variant.as_deref();
    let estimates = facts.published.estimates_for(variant);
    // What a number is good for may be true of the prompt as it stands alone.
    let feeds = |estimate: &Estimate| {
        let as_it_stands = &facts.published.prompt.estimates.estimates;
        as_it_stands
            .iter()
            .any(|other| other.id == estimate.id && other.value == estimate.value)
            .then(|| estimate.feeds.clone())
    };
    let changed = |estimate: &Estimate| {
        let as_it_stands = &facts.published.prompt.estimates.estimates;
        as_it_stands
            .iter()
            .find(|other| other.id == estimate.id)
            .filter(|other| other.value != estimate.value)
            .map(|_| {
                format!(
                    "With this variant: {}. The working is that of the prompt as it stands.",
                    estimate.value.display_in(&estimate.unit)
                )
            })
    };
    let text = facts
        .sections
        .iter()
        .find(|section| section.name == SectionName::Worksheet)
        .map_or("", |section| section.body.as_str());
    let (sheet, _) = Sheet::parse(text);
    let givens: Vec<_> = estimates
        .givens
        .iter()
        .map(|given| (given.id.clone(), given.value.quantity))
        .collect();
    let wanted: Vec<_> = estimates
        .estimates
        .iter()
        .map(|estimate| (estimate.id.clone(), estimate.unit.clone()))
        .collect();
    let evaluated = evaluate(&sheet, &givens, &wanted);
    let mut full = 0;
    let rows: Vec<_> = estimates
        .estimates
        .iter()
        .zip(&facts.published.workings)
        .map(|(estimate, working)| {
            let outcome = evaluated.iter().find(|row| row.id == estimate.id).map(|row| &row.outcome);
            let (yours, class, words) = match outcome {
                None | Some(Outcome::Empty) => ("–".to_owned(), "fail", "✕ not estimated".to_owned()),
                Some(Outcome::Error { .. }) => ("does not read".to_owned(), "fail", "✕ no value".to_owned()),
                Some(Outcome::Value { quantity, shown, .. }) => {
                    let near = deviation(quantity.value(), estimate.low.quantity.value(), estimate.high.quantity.value());
                    let (class, sign) = match near.grade() {
                        Grade::Full => ("pass", "✓ full"),
                        Grade::Partial => ("undecided", "~ partial"),
                        Grade::Off => ("fail", "✕ off"),
                    };
                    if near.grade() == Grade::Full {
                        full += 1;
                    }
                    (shown.clone(), class, format!("{sign}, {}", near.words()))
                }
            };
            view! {
                <tr>
                    <th scope="row">{estimate.label.clone()}{feeds(estimate).map(|words| view! { <p class="small">{words}</p> })}</th>
                    <td class="mono" data-label="Yours">{yours}</td>
                    <td data-label="Grade" class=class>{words}</td>
                    <td class="mono" data-label="Reference">{format!("{} to {}", estimate.low.text, estimate.high.text)}</td>
                    <td data-label="Working"><code>{estimate.expression.clone()}</code>{changed(estimate).map(|words| view! { <p class="small">{words}</p> })}<div inner_html=working.clone()></div></td>
                </tr>
            }
        })
        .collect();
    view! {
        <section aria-labelledby="estimates">
            <h2 id="estimates">"Your estimates"</h2>
            <p class="quiet">{format!(
                "{full} of {} in full. Graded by ratio: within a factor of 2 of the reference range counts in full, within 10 in part. \
                 The limits are ours: what matters is the order of magnitude.",
                estimates.estimates.len()
            )}</p>
            <table class="stacks">
                <thead><tr><th scope="col">"Quantity"</th><th scope="col">"Yours"</th><th scope="col">"Grade"</th><th scope="col">"Reference"</th><th scope="col">"Working"</th></tr></thead>
                <tbody>{rows}</tbody>
            </table>
        </section>
    }
    .into_any()
}

fn minutes_view(facts: &Facts<'_>) -> AnyView {
    let terms = &facts.attempt.terms;
    let rows = Phase::ALL
        .map(|phase| {
            let (spent, target) = (facts.spent[phase.index()], terms.target(phase));
            let over = spent - i64::from(target) * MINUTE;
            let late = facts
                .overtime
                .iter()
                .filter_map(|name| SectionName::from_slug(name))
                .any(|name| name.phase() == Some(phase));
            let words = match (minutes(spent), over) {
                (0, _) => ("fail", "✕ not worked on".to_owned()),
                (_, over) if over > MINUTE => {
                    ("undecided", format!("~ {} min over", minutes(over)))
                }
                (_, over) if over < -MINUTE => ("quiet", format!("{} min under", minutes(-over))),
                _ => ("pass", "✓ on target".to_owned()),
            };
            view! {
                <tr>
                    <th scope="row">{phase.title()}</th>
                    <td class="n">{minutes(spent)}</td>
                    <td class="n">{target}</td>
                    <td class=words.0>{words.1}{late.then_some(", changed in overtime")}</td>
                </tr>
            }
        })
        .collect_view();
    let total: i64 = facts.spent.iter().sum();
    let length = terms.minutes.map_or_else(
        || "untimed".to_owned(),
        |minutes| format!("a round of {minutes} minutes"),
    );
    let overtime = match (facts.attempt.clock().ends_at(), facts.scores.first()) {
        (Some(ends_at), Some(score)) if score.scored_at > ends_at && !facts.overtime.is_empty() => {
            format!(
                " {} sections were changed in overtime.",
                facts.overtime.len()
            )
        }
        _ => String::new(),
    };
    let hints = match facts.hints.len() {
        0 => String::new(),
        1 => " One hint was asked for.".to_owned(),
        asked => format!(" {asked} hints were asked for."),
    };
    view! {
        <section aria-labelledby="minutes">
            <h2 id="minutes">"Minutes by phase"</h2>
            <p class="quiet">{format!("{} minutes of work in {length}.{overtime}{hints} Targets are ours, for {}.", minutes(total), terms.level.slug())}</p>
            <table class="minutes">
                <thead><tr><th scope="col">"Phase"</th><th scope="col" class="n">"Minutes"</th><th scope="col" class="n">"Target"</th><th scope="col">"Against it"</th></tr></thead>
                <tbody>{rows}</tbody>
            </table>
        </section>
    }
    .into_any()
}

fn reference_view(facts: &Facts<'_>) -> AnyView {
    let mine = |name: &SectionName, prefix: &str| -> AnyView {
        let body = facts
            .sections
            .iter()
            .find(|section| section.name == *name)
            .map_or("", |section| section.body.as_str());
        if body.trim().is_empty() {
            return view! { <p class="empty">"You wrote nothing here."</p> }.into_any();
        }
        let html = if *name == SectionName::Worksheet {
            format!(
                "<pre tabindex=\"0\">{}</pre>",
                crate::domain::markup::escape(body)
            )
        } else {
            render_or_explain(
                body,
                Place {
                    prefix,
                    top_heading: 4,
                    sources: &[],
                    terms: None,
                },
            )
        };
        view! { <div inner_html=html></div> }.into_any()
    };
    let sections = Phase::ALL
        .iter()
        .zip(&facts.published.reference)
        .map(|(phase, html)| {
            let name = SectionName::Phase(*phase);
            let numbers = (*phase == Phase::Estimates).then(|| mine(&SectionName::Worksheet, "numbers"));
            let id = format!("beside-{}", phase.slug());
            let label = id.clone();
            view! {
                <section class="beside" aria-labelledby=label>
                    <h3 id=id>{phase.title()}</h3>
                    <div class="pair">
                        <div class="prose yours"><h4 class="eyebrow">"Yours"</h4>{numbers}{mine(&name, &format!("mine-{}", phase.slug()))}</div>
                        <div class="prose theirs"><h4 class="eyebrow">"Reference"</h4><div inner_html=html.clone()></div></div>
                    </div>
                </section>
            }
        })
        .collect_view();
    let balls = facts
        .published
        .prompt
        .curveballs
        .iter()
        .zip(facts.published.questions.iter().zip(&facts.published.answers))
        .map(|(ball, (question, answer))| {
            let name = SectionName::Curveball(ball.id.clone());
            let id = format!("beside-ball-{}", ball.id);
            let label = id.clone();
            view! {
                <section class="beside" aria-labelledby=label>
                    <h3 id=id>{ball.title.clone()}<span class="tag">{format!("min {}, {}", facts.attempt.terms.curveball_minute(ball.minute), ball.level.slug())}</span></h3>
                    <div class="prose" inner_html=question.clone()></div>
                    <div class="pair">
                        <div class="prose yours"><h4 class="eyebrow">"Yours"</h4>{mine(&name, &format!("mine-{}", ball.id))}</div>
                        <div class="prose theirs"><h4 class="eyebrow">"Reference"</h4><div inner_html=answer.clone()></div></div>
                    </div>
                </section>
            }
        })
        .collect_view();
    view! {
        <section aria-labelledby="reference">
            <h2 id="reference">"The reference beside yours"</h2>
            <p class="quiet">"One good answer, not the only one. Where it differs from yours, ask what it gains and what it gives up."</p>
            {sections}
            <section class="beside" aria-labelledby="staff"><h3 id="staff">"What a staff answer adds"</h3><div class="prose" inner_html=facts.published.staff.clone()></div></section>
            <h3>"Curveballs"</h3>
            {balls}
        </section>
    }
    .into_any()
}
