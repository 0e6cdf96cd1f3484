//! The index of the shelf, and a page of it: its data, where it has any, between its lead and its text.

use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use http::HeaderMap;
use leptos::prelude::*;

use crate::error::AppError;
use crate::server::content_library::{Library, PublishedPage};
use crate::server::document::{Head, Kind, public_page};
use crate::server::extract::Theme;
use crate::server::state::AppState;
use crate::ui::sources::Sources;

/// `GET /reference`
pub async fn index(State(state): State<AppState>, theme: Theme, headers: HeaderMap) -> Response {
    let library = state.library();
    let head = Head {
        title: "Reference".to_owned(),
        description: "Levels, interview loops, pay, the scorecard, the roadmap and the reading list of backend engineering, each figure with its source and date."
            .to_owned(),
        path: "/reference".to_owned(),
        kind: Kind::Reading,
        current: "/reference",
        ..Head::default()
    };
    public_page(&state, theme, &headers, &head, || index_view(&library))
}

fn index_view(library: &Library) -> AnyView {
    let rows = library
        .pages
        .iter()
        .map(|published| {
            let page = &published.page;
            view! {
                <dt><a href=format!("/reference/{}", page.slug)>{page.title.clone()}</a></dt>
                <dd>{page.summary.clone()}</dd>
            }
        })
        .collect_view();
    view! {
        <main id="main" class="page narrow">
            <h1>"Reference"</h1>
            <p class="lead">"What the sources say about levels, loops, pay and the way there, set so that it can be compared. Each figure carries its source and date; where sources disagree, both stand."</p>
            <dl class="terms">
                {rows}
                <dt><a href="/reference/glossary">"Glossary"</a></dt>
                <dd>{format!("{} terms, each with a definition, why it is asked, and a test question.", library.glossary.terms.len())}</dd>
            </dl>
        </main>
    }
    .into_any()
}

/// `GET /reference/{slug}`
pub async fn page(
    State(state): State<AppState>,
    theme: Theme,
    headers: HeaderMap,
    Path(slug): Path<String>,
) -> Response {
    let library = state.library();
    let Some(published) = library.page(&slug) else {
        return AppError::NotFound.into_response();
    };
    let head = head_of(published);
    public_page(&state, theme, &headers, &head, || {
        page_view(published, ().into_any())
    })
}

fn head_of(published: &PublishedPage) -> Head {
    Head {
        title: published.page.title.clone(),
        description: published.page.summary.clone(),
        path: format!("/reference/{}", published.page.slug),
        kind: Kind::Reading,
        current: "/reference",
        ..Head::default()
    }
}

fn page_view(published: &PublishedPage, data: AnyView) -> AnyView {
    let page = &published.page;
    view! {
        <main id="main" class="page reference">
            <header>
                <p class="eyebrow"><a href="/reference">"Reference"</a></p>
                <h1>{page.title.clone()}</h1>
                <p class="lead">{page.summary.clone()}</p>
            </header>
            {data}
            <article class="prose" inner_html=published.html.clone()></article>
            <section aria-labelledby="sources" class="sources">
                <h2 id="sources">"Sources"</h2>
                <Sources sources=published.sources.clone()/>
            </section>
        </main>
    }
    .into_any()
}
