//! The glossary and a term of it.

use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use http::HeaderMap;
use leptos::prelude::*;

use crate::domain::content::Term;
use crate::error::AppError;
use crate::server::content_library::Library;
use crate::server::document::{Head, Kind, public_page};
use crate::server::extract::Theme;
use crate::server::glossary::address;
use crate::server::markdown::{Place, render_or_explain};
use crate::server::state::AppState;
use crate::ui::sources::Sources;

/// `GET /reference/glossary`
pub async fn glossary(State(state): State<AppState>, theme: Theme, headers: HeaderMap) -> Response {
    let library = state.library();
    let head = Head {
        title: "Glossary".to_owned(),
        description:
            "The terms of system design: what each means, why an interviewer asks, and a question to test yourself."
                .to_owned(),
        path: "/reference/glossary".to_owned(),
        kind: Kind::Reading,
        current: "/reference",
        ..Head::default()
    };
    public_page(&state, theme, &headers, &head, || {
        list_view(&library.glossary.terms)
    })
}

fn initial(term: &Term) -> char {
    term.term
        .chars()
        .next()
        .map_or('#', |first| first.to_ascii_uppercase())
}

fn list_view(terms: &[Term]) -> AnyView {
    let mut letters: Vec<char> = terms.iter().map(initial).collect();
    letters.dedup();
    let jumps = letters
        .iter()
        .map(|letter| view! { <a href=format!("#letter-{letter}")>{letter.to_string()}</a>" " })
        .collect_view();
    let groups = letters
        .iter()
        .map(|letter| {
            let id = format!("letter-{letter}");
            let label = id.clone();
            let entries = terms
                .iter()
                .filter(|term| initial(term) == *letter)
                .map(|term| {
                    view! {
                        <dt id=term.id.clone()><a href=address(&term.id)>{term.term.clone()}</a></dt>
                        <dd inner_html=inline(&term.definition)></dd>
                    }
                })
                .collect_view();
            view! {
                <section aria-labelledby=label>
                    <h2 id=id>{letter.to_string()}</h2>
                    <dl class="terms">{entries}</dl>
                </section>
            }
        })
        .collect_view();
    view! {
        <main id="main" class="page narrow">
            <p class="eyebrow"><a href="/reference">"Reference"</a></p>
            <h1>"Glossary"</h1>
            <p class="lead">{format!("{} terms that design rounds are held in. Each has a definition, why it is asked, and a question to test yourself.", terms.len())}</p>
            <nav class="letters" aria-label="By letter">{jumps}</nav>
            {terms.is_empty().then(|| view! { <p class="empty">"No terms are published yet."</p> })}
            {groups}
        </main>
    }
    .into_any()
}

/// `GET /reference/glossary/{id}`
pub async fn term(
    State(state): State<AppState>,
    theme: Theme,
    headers: HeaderMap,
    Path(id): Path<String>,
) -> Response {
    let library = state.library();
    let Some(term) = library.glossary.term(&id) else {
        return AppError::NotFound.into_response();
    };
    let head = Head {
        title: format!("{} · Glossary", term.term),
        description: term.definition.replace('`', ""),
        path: address(&term.id),
        kind: Kind::Reading,
        current: "/reference",
        ..Head::default()
    };
    public_page(&state, theme, &headers, &head, || term_view(term, &library))
}

fn term_view(term: &Term, library: &Library) -> AnyView {
    let see: Vec<_> = term
        .see
        .iter()
        .filter_map(|id| library.glossary.term(id))
        .map(|other| {
            view! { <li><a href=address(&other.id)>{other.term.clone()}</a></li> }
        })
        .collect();
    let also = (!term.also.is_empty())
        .then(|| view! { <p class="quiet">{format!("Also: {}", term.also.join(", "))}</p> });
    let uses: Vec<_> = library
        .uses_of(&term.id)
        .map(|(title, path)| view! { <li><a href=path>{title}</a></li> })
        .collect();
    let sources = library.sources_of(&term.sources);
    view! {
        <main id="main" class="page narrow prose">
            <p class="eyebrow"><a href="/reference">"Reference"</a>" / "<a href="/reference/glossary">"Glossary"</a></p>
            <h1>{term.term.clone()}</h1>
            <p class="lead" inner_html=inline(&term.definition)></p>
            {also}
            <h2>"Why an interviewer asks"</h2>
            <p inner_html=inline(&term.why)></p>
            <h2>"Test yourself"</h2>
            <p inner_html=inline(&term.question)></p>
            <details class="fold"><summary>"Answer"</summary><p inner_html=inline(&term.answer)></p></details>
            {(!see.is_empty()).then(|| view! { <h2>"See also"</h2><ul>{see}</ul> })}
            {(!uses.is_empty()).then(|| view! { <h2>"Where it is used"</h2><ul>{uses}</ul> })}
            {(!sources.is_empty()).then(|| view! { <h2>"Sources"</h2><Sources sources=sources/> })}
        </main>
    }
    .into_any()
}

/// A plain text in which only `code` is marked up, as HTML without a paragraph around it.
fn inline(text: &str) -> String {
    let html = render_or_explain(text, Place::section("term"));
    let html = html.trim();
    html.strip_prefix("<p>")
        .and_then(|html| html.strip_suffix("</p>"))
        .unwrap_or(html)
        .to_owned()
}
