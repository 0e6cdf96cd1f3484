//! The links to an attempt, and the attempt as who has one reads it.

use axum::response::Response;
use http::StatusCode;
use jiff::tz::TimeZone;
use leptos::prelude::*;

use crate::domain::attempt::SectionName;
use crate::domain::worksheet::{Outcome, Sheet, evaluate};
use crate::error::AppError;
use crate::practice::store::share::{ShareLink, SharedPermit};
use crate::practice::store::{Attempt, AttemptPermit, Score, Section};
use crate::server::clock::words;
use crate::server::content_library::PublishedPrompt;
use crate::server::document::{Head, Kind, own_page};
use crate::server::extract::Theme;
use crate::server::markdown::{Place, render_or_explain};
use crate::server::security::keep_secret;
use crate::server::state::AppState;

use super::{attempt_title, in_order, section_title, terms_words};

/// `GET /attempts/{id}/share`. `made` is the whole address of a link that was just made.
pub fn share(
    state: &AppState,
    theme: Theme,
    permit: &AttemptPermit,
    links: &[ShareLink],
    made: Option<&str>,
    revoked: bool,
    zone: &TimeZone,
) -> Response {
    let attempt = permit.attempt();
    let id = &attempt.id;
    let library = state.library();
    let title = attempt_title(library.prompt(&attempt.prompt).map(AsRef::as_ref), attempt);
    let head = Head {
        title: "Share an attempt".to_owned(),
        description: "Links to read an attempt.".to_owned(),
        path: format!("/attempts/{id}/share"),
        kind: Kind::Own,
        current: "/attempts",
        ..Head::default()
    };
    own_page(state, theme, &head, StatusCode::OK, || {
        let rows = links
            .iter()
            .enumerate()
            .map(|(place, link)| link_row(id, links.len() - place, link, zone))
            .collect_view();
        view! {
            <main id="main" class="page account">
                <p class="eyebrow"><a href="/attempts">"Your attempts"</a>" / "<a href=format!("/attempts/{id}")>{title}</a>" / Share"</p>
                <h1>"Share an attempt"</h1>
                {revoked.then(|| view! { <p class="notice" role="status">"The link is revoked: it leads nowhere now."</p> })}
                <p>
                    "Whoever has a link can read this attempt as it is at that moment: the texts, the numbers and your ratings, without your \
                     name. They cannot change it. A link works until you revoke it."
                </p>
                {made.map(|made| view! {
                    <div class="notice" role="status">
                        <p><label for="made"><b>"The link is made. Copy it now: it is not shown again."</b></label></p>
                        <input id="made" class="mono" value=made.to_owned() readonly=true autofocus=true spellcheck="false"/>
                    </div>
                })}
                <form method="post" action=format!("/attempts/{id}/shares")>
                    <p class="actions"><button class=if made.is_some() { "btn" } else { "btn go" }>"Make a link"</button></p>
                </form>
                <section aria-labelledby="links">
                    <h2 id="links">"Links"</h2>
                    {if links.is_empty() {
                        view! { <p class="empty">"The links that you make are listed here, to revoke them. There is none yet."</p> }.into_any()
                    } else {
                        view! {
                            <table class="stacks">
                                <thead><tr>
                                    <th scope="col">"Link"</th><th scope="col">"Made"</th><th scope="col">"State"</th>
                                    <th scope="col"><span class="hidden">"Action"</span></th>
                                </tr></thead>
                                <tbody>{rows}</tbody>
                            </table>
                        }
                        .into_any()
                    }}
                </section>
            </main>
        }
        .into_any()
    })
}

fn link_row(attempt: &str, number: usize, link: &ShareLink, zone: &TimeZone) -> impl IntoView {
    let (standing, action) = match link.revoked_at {
        Some(at) => (format!("revoked {}", words(at, zone)), None),
        None => (
            "works".to_owned(),
            Some(view! {
                <form method="post" action=format!("/attempts/{attempt}/shares/{}/revoke", link.id)>
                    <button class="btn" aria-label=format!("Revoke link {number}")>"Revoke"</button>
                </form>
            }),
        ),
    };
    view! {
        <tr>
            <th scope="row">{format!("Link {number}")}</th>
            <td data-label="Made">{words(link.created_at, zone)}</td>
            <td data-label="State">{standing}</td>
            <td class="act">{action}</td>
        </tr>
    }
}

/// `GET /shared/{token}`. Nothing of the page names the person.
pub async fn shared(
    state: &AppState,
    theme: Theme,
    secret: &str,
    permit: &SharedPermit,
    sections: Vec<Section>,
    scores: &[Score],
) -> Result<Response, AppError> {
    let attempt = permit.attempt();
    let library = state.library();
    let published = library.prompt(&attempt.prompt).map(AsRef::as_ref);
    let written: Vec<Section> = in_order(sections)
        .into_iter()
        .filter(|section| !section.body.trim().is_empty())
        .collect();
    // What others wrote is rendered off the threads that serve.
    let (written, rendered) = tokio::task::spawn_blocking(move || {
        let rendered: Vec<String> = written
            .iter()
            .map(|section| match section.name {
                SectionName::Worksheet => String::new(),
                _ => render_or_explain(&section.body, Place::section("shared")),
            })
            .collect();
        (written, rendered)
    })
    .await
    .map_err(AppError::internal)?;
    let title = attempt_title(published, attempt);
    let head = Head {
        title: format!("{title}, an attempt"),
        description: "An attempt that was shared to be read.".to_owned(),
        path: format!("/shared/{secret}"),
        kind: Kind::Own,
        ..Head::default()
    };
    let mut response = own_page(state, theme, &head, StatusCode::OK, || {
        let prompt = published.map(|published| view! { " · "<a href=format!("/prompts/{}", published.prompt.slug)>"the prompt"</a> });
        let texts = written
            .iter()
            .zip(rendered)
            .map(|(section, html)| {
                let id = format!("section-{}", section.name.slug());
                let label = id.clone();
                let body = match section.name {
                    SectionName::Worksheet => numbers(&section.body, published, attempt),
                    _ => view! { <div inner_html=html></div> }.into_any(),
                };
                view! {
                    <section aria-labelledby=label>
                        <h2 id=id>{section_title(&section.name, published)}</h2>
                        {body}
                    </section>
                }
            })
            .collect_view();
        view! {
            <main id="main" class="page account shared">
                <p class="eyebrow">"Shared to read"</p>
                <h1>{title}</h1>
                <p class="quiet">{format!("{}, started {}", terms_words(&attempt.terms), words(attempt.started_at, &TimeZone::UTC))}{prompt}</p>
                {ratings(scores)}
                <article class="prose">
                    {if written.is_empty() {
                        view! { <p class="empty">"Nothing is written in this attempt yet."</p> }.into_any()
                    } else {
                        texts.into_any()
                    }}
                </article>
            </main>
        }
        .into_any()
    });
    keep_secret(response.headers_mut());
    Ok(response)
}

/// The first score: the later ones know the reference.
fn ratings(scores: &[Score]) -> Option<AnyView> {
    let score = scores.first()?;
    let rows = score
        .card
        .entries
        .iter()
        .map(|entry| {
            let evidence = (!entry.evidence.trim().is_empty())
                .then(|| view! { <p class="small">{entry.evidence.clone()}</p> });
            view! { <tr><th scope="row">{entry.criterion.title()}{evidence}</th><td>{entry.rating.title()}</td></tr> }
        })
        .collect_view();
    Some(
        view! {
            <details class="fold">
                <summary>"How its author rated it"</summary>
                <table>
                    <thead><tr><th scope="col">"Criterion, with the evidence"</th><th scope="col">"Rating"</th></tr></thead>
                    <tbody>{rows}</tbody>
                </table>
            </details>
        }
        .into_any(),
    )
}

/// The rows of a worksheet with what they come to.
fn numbers(body: &str, published: Option<&PublishedPrompt>, attempt: &Attempt) -> AnyView {
    let (sheet, _) = Sheet::parse(body);
    let estimates = published.map(|published| published.estimates_for(attempt.variant.as_deref()));
    let givens: Vec<_> = estimates
        .iter()
        .flat_map(|estimates| &estimates.givens)
        .map(|given| (given.id.clone(), given.value.quantity))
        .collect();
    let wanted: Vec<_> = estimates
        .iter()
        .flat_map(|estimates| &estimates.estimates)
        .map(|estimate| (estimate.id.clone(), estimate.unit.clone()))
        .collect();
    let rows = evaluate(&sheet, &givens, &wanted)
        .into_iter()
        .map(|row| {
            let value = match row.outcome {
                Outcome::Value { shown, .. } => shown,
                Outcome::Empty => "–".to_owned(),
                Outcome::Error { .. } => "does not read".to_owned(),
            };
            view! {
                <tr><th scope="row" class="mono">{row.id}</th><td class="mono">{row.text}</td><td class="n">{value}</td></tr>
            }
        })
        .collect_view();
    view! {
        <div class="scroll" tabindex="0">
            <table>
                <thead><tr><th scope="col">"Name"</th><th scope="col">"Typed"</th><th scope="col" class="n">"Comes to"</th></tr></thead>
                <tbody>{rows}</tbody>
            </table>
        </div>
    }
    .into_any()
}
