//! The index of the shelf, and a page of it: its data, where it has any, between its lead and its text.

use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse, Response};
use http::HeaderMap;
use leptos::prelude::*;

use crate::domain::content::Source;
use crate::domain::content::shelf::Shelf;
use crate::error::AppError;
use crate::reference::api::ticks_of;
use crate::server::content_library::{Library, PublishedPage};
use crate::server::document::{Head, Kind, own_page as own, public_page};
use crate::server::extract::{Theme, Viewer};
use crate::server::form::Fields;
use crate::server::state::AppState;
use crate::ui::sources::Sources;

use super::{
    LevelsChoice, LoopsChoice, PayChoice, compensation, levels, loops, numbers, reading, roadmap,
    scorecard,
};

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

/// `GET /reference/{page}`
pub async fn page(
    State(state): State<AppState>,
    theme: Theme,
    headers: HeaderMap,
    Path(slug): Path<String>,
    query: Result<Query<Fields>, axum::extract::rejection::QueryRejection>,
) -> Response {
    let library = state.library();
    let Some(published) = library.page(&slug) else {
        return AppError::NotFound.into_response();
    };
    let fields = query.map(|Query(fields)| fields).unwrap_or_default();
    let shelf = library.shelf.as_ref();
    let (query, unknown) = shelf
        .map(|shelf| choice(shelf, &slug, &fields))
        .unwrap_or_default();
    let head = Head {
        settled: query,
        ..head_of(published)
    };
    let body = || {
        let sources = library.sources_of(&cited(&library, published));
        let data = shelf.map(|shelf| data_view(shelf, &slug, &sources, &fields));
        page_view(&library, published, data, sources)
    };
    if unknown {
        // Whatever a stranger writes into an address must not fill the cache.
        own(&state, theme, &head, http::StatusCode::OK, body)
    } else {
        public_page(&state, theme, &headers, &head, body)
    }
}

/// `GET /reference/roadmap` and `GET /reference/reading`: with what the person has ticked.
pub async fn own_page(
    State(state): State<AppState>,
    viewer: Viewer,
    theme: Theme,
    uri: http::Uri,
) -> Result<Response, AppError> {
    let library = state.library();
    let slug = uri.path().trim_start_matches("/reference/");
    let published = library.page(slug).ok_or(AppError::NotFound)?;
    let ticks = ticks_of(&state, &viewer).await?;
    let head = Head {
        kind: Kind::Own,
        ..head_of(published)
    };
    Ok(own(&state, theme, &head, http::StatusCode::OK, || {
        let sources = library.sources_of(&cited(&library, published));
        let data = library.shelf.as_ref().map(|shelf| {
            if slug == "roadmap" {
                roadmap(shelf, &sources, ticks.as_ref())
            } else {
                reading(shelf, &sources, ticks.as_ref())
            }
        });
        page_view(&library, published, data, sources)
    }))
}

/// What the address chooses of a page's data: its canonical query, and whether something was not understood.
fn choice(shelf: &Shelf, slug: &str, fields: &Fields) -> (String, bool) {
    match slug {
        "levels" => {
            let choice = LevelsChoice::read(fields);
            (choice.query(), !choice.unknown.is_empty())
        }
        "loops" => {
            let choice = LoopsChoice::read(&shelf.loops, fields);
            (choice.query(), !choice.unknown.is_empty())
        }
        "compensation" => {
            let choice = PayChoice::read(&shelf.compensation, fields);
            (choice.query(), !choice.unknown.is_empty())
        }
        _ => Default::default(),
    }
}

fn data_view(shelf: &Shelf, slug: &str, sources: &[Source], fields: &Fields) -> AnyView {
    match slug {
        "levels" => levels(&shelf.levels, sources, &LevelsChoice::read(fields)),
        "loops" => loops(
            &shelf.loops,
            sources,
            &LoopsChoice::read(&shelf.loops, fields),
        ),
        "compensation" => {
            let choice = PayChoice::read(&shelf.compensation, fields);
            compensation(&shelf.compensation, sources, &choice)
        }
        "scorecard" => scorecard(&shelf.scorecard, sources),
        "numbers" => numbers(&shelf.numbers, sources),
        _ => ().into_any(),
    }
}

/// The ids of the sources that a page's text and data cite, each once.
fn cited(library: &Library, published: &PublishedPage) -> Vec<String> {
    let mut ids = published.page.sources.clone();
    let of_data = library
        .shelf
        .as_ref()
        .map_or(&[][..], |shelf| shelf.cited(&published.page.slug));
    for id in of_data {
        if !ids.contains(id) {
            ids.push(id.clone());
        }
    }
    ids.sort();
    ids
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

fn page_view(
    library: &Library,
    published: &PublishedPage,
    data: Option<AnyView>,
    sources: Vec<Source>,
) -> AnyView {
    let page = &published.page;
    let data = data.map(|data| {
        let terms = library.glossary.on_a_page().beside(&published.html);
        let html = terms.link_html(&data.to_html());
        view! { <div inner_html=html></div> }
    });
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
                <Sources sources=sources/>
            </section>
        </main>
    }
    .into_any()
}
