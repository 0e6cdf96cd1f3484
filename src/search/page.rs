//! The search page, and what there is to be found.

use std::sync::Arc;

use axum::extract::{Query, RawQuery, State};
use axum::response::Response;
use http::StatusCode;
use leptos::prelude::*;

use crate::domain::attempt::SectionName;
use crate::domain::calculator::{self, Calculator};
use crate::domain::content::Term;
use crate::domain::exercise;
use crate::domain::markup::escape;
use crate::error::AppError;
use crate::practice::store as attempts;
use crate::server::content_library::{Library, PublishedPage, PublishedPrompt};
use crate::server::document::{Head, Kind, own_page, settled};
use crate::server::extract::{Theme, Viewer};
use crate::server::function::context;
use crate::server::glossary::address;
use crate::server::search::{Document, Found, Index, MARK_CLOSE, MARK_OPEN};
use crate::server::state::AppState;

use super::api::{Hit, MOST_HITS, QUERY_LENGTH, Results};
use super::island::SearchBox;

/// The most results of a person's own attempts.
const MOST_OWN: u32 = 10;
/// The attempts that are looked into, the latest of those that could fit.
const ATTEMPTS_READ: usize = 20;

/// `GET /search?q=`
pub async fn page(
    State(state): State<AppState>,
    viewer: Viewer,
    theme: Theme,
    RawQuery(raw): RawQuery,
    query: Result<Query<Vec<(String, String)>>, axum::extract::rejection::QueryRejection>,
) -> Result<Response, AppError> {
    let pairs = query.map(|Query(pairs)| pairs).unwrap_or_default();
    let query = pairs.into_iter().find(|(key, _)| key == "q");
    let query = query.map(|(_, query)| query).unwrap_or_default();
    let results = results(&state, &viewer, &query).await?;
    let title = if results.query.is_empty() {
        "Search".to_owned()
    } else {
        format!("{} · Search", results.query)
    };
    let head = Head {
        title,
        description: "Search the library and your own attempts.".to_owned(),
        path: "/search".to_owned(),
        settled: settled(raw.as_deref()),
        kind: Kind::Islands,
        current: "/search",
    };
    Ok(own_page(&state, theme, &head, StatusCode::OK, || {
        view! {
            <main id="main" class="page narrow">
                <h1>"Search"</h1>
                <SearchBox first=results/>
            </main>
        }
        .into_any()
    }))
}

/// The server function's side.
pub async fn search(query: &str) -> Result<Results, AppError> {
    let (state, viewer) = context()?;
    results(&state, &viewer, query).await
}

async fn results(state: &AppState, viewer: &Viewer, query: &str) -> Result<Results, AppError> {
    let query: String = query
        .chars()
        .filter(|character| !character.is_control())
        .take(QUERY_LENGTH)
        .collect();
    let outcome = index(state).await?.search(&query, MOST_HITS as u32).await?;
    let own = match viewer.owner() {
        Some(owner) => own_hits(state, owner, &query).await?,
        None => Vec::new(),
    };
    Ok(Results {
        query,
        hits: outcome.found.into_iter().map(hit).collect(),
        taken_as: outcome.taken_as,
        own,
    })
}

/// The index over what is published at present.
pub async fn index(state: &AppState) -> Result<Arc<Index>, AppError> {
    Ok(state.search_index(documents).await?)
}

/// The owner's attempts that fit, by their prompt's title or by what is written in them.
async fn own_hits(state: &AppState, owner: &str, query: &str) -> Result<Vec<Hit>, AppError> {
    let words: Vec<String> = query
        .split(|character: char| !character.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_lowercase)
        .take(6)
        .collect();
    if words.is_empty() {
        return Ok(Vec::new());
    }
    let library = state.library();
    let mut reader = state.db.read().await?;
    let conn = &mut reader.conn();
    let mut fitting = attempts::holding(conn, owner, &words).await?;
    let mut documents = Vec::new();
    for attempt in attempts::attempts(conn, owner).await? {
        let title = library.prompt(&attempt.prompt).map_or_else(
            || attempt.prompt.replace('-', " "),
            |published| published.prompt.title.clone(),
        );
        let lower = title.to_lowercase();
        let texts = fitting.remove(&attempt.id).unwrap_or_default();
        if texts.is_empty() && !words.iter().any(|word| lower.contains(word)) {
            continue;
        }
        let body: Vec<String> = texts
            .into_iter()
            .map(|(name, body)| match SectionName::from_slug(&name) {
                Some(SectionName::Phase(phase)) => {
                    format!("{}. {}", phase.title(), around(&body, &words))
                }
                _ => around(&body, &words).to_owned(),
            })
            .collect();
        documents.push(Document {
            kind: format!(
                "{} · {}",
                attempt.terms.way.slug(),
                attempt.terms.level.slug()
            ),
            title,
            also: String::new(),
            // What marks a hit is for the index alone to write.
            body: body.join("\n").replace([MARK_OPEN, MARK_CLOSE], " "),
            path: format!("/attempts/{}", attempt.id),
        });
        if documents.len() == ATTEMPTS_READ {
            break;
        }
    }
    drop(reader);
    if documents.is_empty() {
        return Ok(Vec::new());
    }
    let outcome = Index::new(&documents)
        .await?
        .search(query, MOST_OWN)
        .await?;
    Ok(outcome.found.into_iter().map(hit).collect())
}

/// The part of a text that holds the first of the words: a short-lived index is made of it.
fn around<'a>(text: &'a str, words: &[String]) -> &'a str {
    const BEFORE: usize = 1_000;
    const BYTES: usize = 8_000;
    let lower = text.to_ascii_lowercase();
    let first = words
        .iter()
        .filter_map(|word| lower.find(word.as_str()))
        .min();
    let start = text.floor_char_boundary(first.unwrap_or(0).saturating_sub(BEFORE));
    let end = text.floor_char_boundary((start + BYTES).min(text.len()));
    &text[start..end]
}

fn hit(found: Found) -> Hit {
    Hit {
        kind: found.kind,
        title: marked(&found.title),
        excerpt: marked(&found.excerpt),
        path: found.path,
    }
}

/// HTML of a text with marks around what was found.
fn marked(text: &str) -> String {
    escape(text)
        .replace(MARK_OPEN, "<mark>")
        .replace(MARK_CLOSE, "</mark>")
}

/// Everything that is published and may be read before an attempt is scored: no reference and no anchor is among it.
fn documents(library: &Library) -> Vec<Document> {
    let mut documents = vec![Document {
        kind: "Reference".to_owned(),
        title: "Glossary".to_owned(),
        path: "/reference/glossary".to_owned(),
        ..Document::default()
    }];
    documents.extend(library.prompts.iter().map(|published| of_prompt(published)));
    documents.extend(library.glossary.terms.iter().map(of_term));
    for published in &library.pages {
        documents.extend(of_page(published));
    }
    if let Some(shelf) = &library.shelf {
        documents.extend(shelf.said().into_iter().map(|said| Document {
            kind: "Reference".to_owned(),
            title: said.title,
            body: said.text,
            path: format!("/reference/{}", said.page),
            ..Document::default()
        }));
    }
    documents.extend(calculator::all().iter().map(of_calculator));
    let of_exercise =
        |kind: exercise::Kind, title: &str, summary: &str, text: &str, path: String| Document {
            kind: "Exercise".to_owned(),
            title: title.to_owned(),
            also: match kind {
                exercise::Kind::Debugging => "production debugging exercise, incident, outage",
                exercise::Kind::CodeReview => "code review exercise, diff, pull request",
            }
            .to_owned(),
            body: format!("{summary} {}", plain(text)),
            path,
        };
    documents.extend(library.exercises.incidents.iter().map(|published| {
        let incident = &published.incident;
        let path = format!("/exercises/debugging/{}", incident.slug);
        of_exercise(
            exercise::Kind::Debugging,
            &incident.front.title,
            &incident.front.summary,
            &published.situation,
            path,
        )
    }));
    documents.extend(library.exercises.code_reviews.iter().map(|published| {
        let review = &published.review;
        let path = format!("/exercises/code-review/{}", review.slug);
        of_exercise(
            exercise::Kind::CodeReview,
            &review.front.title,
            &review.front.summary,
            &published.context,
            path,
        )
    }));
    documents
}

fn of_calculator(calculator: &Calculator) -> Document {
    let texts = [calculator.summary, calculator.assumption];
    let inputs = calculator.inputs.iter();
    let texts = texts
        .into_iter()
        .chain(inputs.flat_map(|input| [input.label, input.id]))
        .chain(calculator.outputs.iter().map(|output| output.label));
    Document {
        kind: "Calculator".to_owned(),
        title: calculator.title.to_owned(),
        also: format!(
            "{} calculator, {}",
            calculator.slug.replace('-', " "),
            calculator.also
        ),
        body: texts
            .map(|text| text.trim_end_matches(['.', '?']))
            .collect::<Vec<_>>()
            .join(". "),
        path: format!("/calculators/{}", calculator.slug),
    }
}

fn of_prompt(published: &PublishedPrompt) -> Document {
    let prompt = &published.prompt;
    let texts = [
        &published.situation,
        &published.functional,
        &published.quality,
        &published.out_of_scope,
    ];
    Document {
        kind: "Prompt".to_owned(),
        title: prompt.title.clone(),
        also: format!(
            "design {} {}",
            prompt.slug.replace('-', " "),
            prompt.topics.join(" ")
        ),
        body: format!(
            "{} {}",
            prompt.summary,
            texts.map(|html| plain(html)).join(" ")
        ),
        path: format!("/prompts/{}", prompt.slug),
    }
}

fn of_term(term: &Term) -> Document {
    Document {
        kind: "Term".to_owned(),
        title: term.term.clone(),
        also: term.also.join(", "),
        body: [&term.definition, &term.why, &term.question]
            .map(|text| text.replace('`', ""))
            .join(" "),
        path: address(&term.id),
    }
}

/// The page, and each of its sections at its own address.
fn of_page(published: &PublishedPage) -> Vec<Document> {
    let page = &published.page;
    let path = format!("/reference/{}", page.slug);
    let mut parts = published.html.split("<h2 id=\"");
    let lead = parts.next().unwrap_or_default();
    let mut documents = vec![Document {
        kind: "Reference".to_owned(),
        title: page.title.clone(),
        also: page.slug.replace('-', " "),
        body: format!("{} {}", page.summary, plain(lead)),
        path: path.clone(),
    }];
    documents.extend(parts.filter_map(|part| {
        let (id, rest) = part.split_once("\">")?;
        let (heading, body) = rest.split_once("</h2>")?;
        Some(Document {
            kind: "Reference".to_owned(),
            title: format!("{}: {}", page.title, plain(heading)),
            also: String::new(),
            body: plain(body),
            path: format!("{path}#{id}"),
        })
    }));
    documents
}

/// The text of our own rendered HTML, without its citations.
fn plain(html: &str) -> String {
    let mut parts = html.split("<sup class=\"cite\">");
    let mut html = parts.next().unwrap_or_default().to_owned();
    html.extend(parts.filter_map(|part| Some(part.split_once("</sup>")?.1)));
    let mut text = String::with_capacity(html.len());
    let mut in_tag = false;
    for character in html.chars() {
        match character {
            '<' => {
                in_tag = true;
                text.push(' ');
            }
            '>' if in_tag => in_tag = false,
            character if !in_tag => text.push(character),
            _ => {}
        }
    }
    let text = [
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&quot;", "\""),
        ("&#39;", "'"),
        ("&nbsp;", " "),
        ("&amp;", "&"),
    ]
    .into_iter()
    .fold(text, |text, (entity, character)| {
        text.replace(entity, character)
    });
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
