//! Links that let anybody who has one read an attempt, and the attempt as they see it.
//!
//! Must never name the person whose attempt it is, nor offer anything that changes it.

use axum::response::Response;
use http::StatusCode;
use http::header::{HeaderName, HeaderValue, REFERRER_POLICY};
use leptos::prelude::*;

use crate::domain::attempt::UnixMillis;
use crate::server::extract::Theme;
use crate::server::state::AppState;

use super::{FormState, Frame, instant, respond};

/// What the page of an attempt's links shows.
#[derive(Clone, Debug, Default)]
pub struct SharePage {
    pub attempt: String,
    /// The prompt's title.
    pub title: String,
    pub links: Vec<ShareLink>,
    /// The whole address of the link that was just made: shown this once.
    pub made: Option<String>,
}

/// A link to an attempt; what it carries is not kept.
#[derive(Clone, Debug, Default)]
pub struct ShareLink {
    pub id: String,
    pub created_at: UnixMillis,
    pub revoked_at: Option<UnixMillis>,
}

/// `GET /attempts/{id}/share`
pub fn share(
    state: &AppState,
    theme: Theme,
    page: &SharePage,
    zone: &str,
    form: &FormState,
    status: StatusCode,
) -> Response {
    let id = &page.attempt;
    let frame = Frame {
        title: "Share an attempt".to_owned(),
        path: format!("/attempts/{id}/share"),
        trail: vec![
            ("/attempts".to_owned(), "Your attempts".to_owned()),
            (format!("/attempts/{id}"), page.title.clone()),
        ],
        width: "narrow",
        ..Frame::default()
    };
    respond(state, theme, frame, form, status, || {
        let rows = page
            .links
            .iter()
            .enumerate()
            .map(|(place, link)| link_row(id, page.links.len() - place, link, zone))
            .collect_view();
        view! {
            <p>
                "Whoever has a link can read this attempt as it is at that moment: the texts, the numbers and your scores, without your \
                 name. They cannot change it. A link works until you revoke it."
            </p>
            {page.made.clone().map(|made| view! {
                <div class="notice" role="status">
                    <p><label for="made"><b>"The link is made. Copy it now: it is not shown again."</b></label></p>
                    <input id="made" class="mono" value=made readonly=true autofocus=true spellcheck="false"/>
                </div>
            })}
            <form method="post" action=format!("/attempts/{id}/shares")>
                <p class="actions"><button class=if page.made.is_some() { "btn" } else { "btn go" }>"Make a link"</button></p>
            </form>
            <section aria-labelledby="links">
                <h2 id="links">"Links"</h2>
                {if page.links.is_empty() {
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
        }
        .into_any()
    })
}

fn link_row(attempt: &str, number: usize, link: &ShareLink, zone: &str) -> impl IntoView {
    let (standing, action) = match link.revoked_at {
        Some(at) => (
            view! { <span class="quiet">"revoked "{instant(at, zone)}</span> }.into_any(),
            None,
        ),
        None => (
            view! { <span>"works"</span> }.into_any(),
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
            <td data-label="Made"><span>{instant(link.created_at, zone)}</span></td>
            <td data-label="State">{standing}</td>
            <td class="act">{action}</td>
        </tr>
    }
}

/// An attempt as whoever has a link reads it.
#[derive(Clone, Debug, Default)]
pub struct SharedAttempt {
    /// The prompt's title.
    pub title: String,
    /// The prompt's slug, where it is still published.
    pub prompt: Option<String>,
    /// `guided · senior · 60 min`
    pub terms: String,
    pub started_at: UnixMillis,
    /// In the order in which they are read.
    pub sections: Vec<SharedSection>,
    /// Of the first score, in the rubric's order; empty when there is none.
    pub scores: Vec<SharedScore>,
}

/// A section of a shared attempt.
#[derive(Clone, Debug, Default)]
pub struct SharedSection {
    pub title: String,
    /// Sanitized HTML; its headings start at level 3.
    pub html: String,
    /// Of a worksheet: (name, what was typed, what it comes to).
    pub numbers: Vec<(String, String, String)>,
}

/// How a criterion was rated.
#[derive(Clone, Debug, Default)]
pub struct SharedScore {
    pub criterion: String,
    pub rating: String,
    pub evidence: String,
}

/// `GET /shared/{token}`. The address is the permit, so it is told to nobody: no referrer, no index, no cache.
pub fn shared(state: &AppState, theme: Theme, token: &str, attempt: &SharedAttempt) -> Response {
    let frame = Frame {
        title: attempt.title.clone(),
        path: format!("/shared/{token}"),
        ..Frame::default()
    };
    let mut response = respond(
        state,
        theme,
        frame,
        &FormState::default(),
        StatusCode::OK,
        || shared_view(attempt),
    );
    let headers = response.headers_mut();
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert(
        HeaderName::from_static("x-robots-tag"),
        HeaderValue::from_static("noindex, nofollow"),
    );
    response
}

fn shared_view(attempt: &SharedAttempt) -> AnyView {
    let written = attempt
        .sections
        .iter()
        .filter(|section| !section.html.trim().is_empty() || !section.numbers.is_empty())
        .enumerate()
        .map(|(place, section)| {
            let id = format!("section-{place}");
            let label = id.clone();
            view! {
                <section aria-labelledby=label>
                    <h2 id=id>{section.title.clone()}</h2>
                    {(!section.numbers.is_empty()).then(|| numbers(&section.numbers))}
                    <div inner_html=section.html.clone()></div>
                </section>
            }
        })
        .collect::<Vec<_>>();
    let ratings = attempt
        .scores
        .iter()
        .map(|score| {
            let evidence = (!score.evidence.is_empty())
                .then(|| view! { <blockquote class="evidence">{score.evidence.clone()}</blockquote> });
            view! { <tr><th scope="row">{score.criterion.clone()}{evidence}</th><td>{score.rating.clone()}</td></tr> }
        })
        .collect_view();
    let prompt = attempt
        .prompt
        .as_ref()
        .map(|slug| view! { <p><a href=format!("/prompts/{slug}")>"The prompt"</a></p> });
    view! {
        <p class="quiet">"Shared with you to read: "{attempt.terms.clone()}", started "{instant(attempt.started_at, "UTC")}</p>
        <div class="two-columns">
            <article class="prose">
                {if written.is_empty() {
                    view! { <p class="empty">"Nothing is written in this attempt yet."</p> }.into_any()
                } else {
                    written.into_any()
                }}
            </article>
            <aside aria-label="Scores">
                {if attempt.scores.is_empty() {
                    view! { <p class="quiet">"Not scored yet."</p> }.into_any()
                } else {
                    view! {
                        <table>
                            <caption>"As its author rated it"</caption>
                            <thead class="hidden"><tr><th scope="col">"Criterion"</th><th scope="col">"Rating"</th></tr></thead>
                            <tbody>{ratings}</tbody>
                        </table>
                    }
                    .into_any()
                }}
                {prompt}
            </aside>
        </div>
    }
    .into_any()
}

fn numbers(rows: &[(String, String, String)]) -> AnyView {
    let rows = rows
        .iter()
        .map(|(name, typed, value)| {
            view! {
                <tr><th scope="row" class="mono">{name.clone()}</th><td class="mono" data-label="Typed"><span>{typed.clone()}</span></td><td class="n" data-label="Comes to"><span>{value.clone()}</span></td></tr>
            }
        })
        .collect_view();
    view! {
        <table class="stacks numbers-read">
            <thead><tr><th scope="col">"Name"</th><th scope="col">"Typed"</th><th scope="col" class="n">"Comes to"</th></tr></thead>
            <tbody>{rows}</tbody>
        </table>
    }
    .into_any()
}
