//! The document around every page, and how a page becomes a response.
//!
//! Must never know which pages there are.

use std::sync::Arc;

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderValue, LOCATION};
use http::{HeaderMap, StatusCode};
use hydration_context::SsrSharedContext;
use leptos::hydration::HydrationScripts;
use leptos::nonce::{provide_nonce, use_nonce};
use leptos::prelude::*;

use crate::domain::content::Diagnostic;
use crate::error::AppError;

use super::extract::Theme;
use super::state::{AppState, leptos_options};
use super::{assets, security};

/// What stands in the head of a page.
#[derive(Clone, Debug, Default)]
pub struct Head {
    pub title: String,
    pub description: String,
    /// The page's canonical path, with its query where that makes another page.
    pub path: String,
    /// What of the query only settles a form: part of the address, not of the canonical link.
    pub settled: String,
    pub kind: Kind,
    /// Which item of the bar is the current one.
    pub current: &'static str,
}

/// What a page needs besides its HTML.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Kind {
    /// Runs no script.
    #[default]
    Reading,
    /// A person's own page without islands.
    Own,
    /// Holds islands that help on a page.
    Islands,
    /// Fills the window, as a tool does: the workspace.
    Tool,
}

impl Kind {
    /// The bundle that the page's islands are in.
    fn bundle(self) -> Option<&'static str> {
        match self {
            Self::Reading | Self::Own => None,
            Self::Islands => Some("pages"),
            Self::Tool => Some("workspace"),
        }
    }
}

/// Renders a page. The nonce of the policy, where the page has islands.
pub fn document(
    state: &AppState,
    theme: Theme,
    head: &Head,
    body: impl FnOnce() -> AnyView,
) -> (String, Option<String>) {
    let owner = Owner::new_root(Some(Arc::new(SsrSharedContext::new_islands())));
    let rendered = owner.with(|| {
        if head.kind.bundle().is_some() || state.settings.dev {
            provide_nonce();
        }
        // The body first: whatever it provides is there when the head is written.
        let body = body();
        let nonce = use_nonce().map(|nonce| nonce.to_string());
        let view = shell(state, theme, head, nonce.clone(), body);
        (format!("<!DOCTYPE html>{}", view.to_html()), nonce)
    });
    owner.unset_with_forced_cleanup();
    rendered
}

/// A page of a person's own, never cached.
pub fn own_page(
    state: &AppState,
    theme: Theme,
    head: &Head,
    status: StatusCode,
    body: impl FnOnce() -> AnyView,
) -> Response {
    let (html, nonce) = document(state, theme, head, body);
    let mut response = (status, [(CONTENT_TYPE, "text/html; charset=utf-8")], html).into_response();
    if let Some(policy) =
        nonce.and_then(|nonce| HeaderValue::from_str(&security::policy_with_nonce(&nonce)).ok())
    {
        response
            .headers_mut()
            .insert(CONTENT_SECURITY_POLICY, policy);
    }
    response
        .headers_mut()
        .insert(CACHE_CONTROL, HeaderValue::from_static("private, no-store"));
    response
}

/// A page that is the same for everybody: cached with its entity tag, compressed once.
pub fn public_page(
    state: &AppState,
    theme: Theme,
    headers: &HeaderMap,
    head: &Head,
    body: impl FnOnce() -> AnyView,
) -> Response {
    // Only what is the same for many is kept; a settled form is rendered for the one who follows its link.
    if state.settings.dev || !head.settled.is_empty() {
        return own_page(state, theme, head, StatusCode::OK, body);
    }
    let key = format!("{} {}", theme.slug(), head.path);
    let mut response = state.pages.respond(&state.version(), &key, headers, || {
        document(state, theme, head, body).0
    });
    // Links are fetched ahead, so that following one is quick.
    if let Ok(rules) =
        HeaderValue::from_str(&format!("\"{}\"", assets::url("speculation-rules.json")))
    {
        response.headers_mut().insert("speculation-rules", rules);
    }
    response
}

fn shell(
    state: &AppState,
    theme: Theme,
    head: &Head,
    nonce: Option<String>,
    body: AnyView,
) -> AnyView {
    let title = if head.title.is_empty() {
        "Headroom".to_owned()
    } else {
        format!("{} · Headroom", head.title)
    };
    let canonical = format!("{}{}", state.settings.public_url, head.path);
    let tool = head.kind == Kind::Tool;
    let private = head.kind != Kind::Reading;
    let picture = format!("{}{}", state.settings.public_url, assets::url("social.png"));
    view! {
        <html lang="en" data-theme=(theme != Theme::Auto).then(|| theme.slug())>
            <head>
                <meta charset="utf-8"/>
                <meta name="viewport" content="width=device-width, initial-scale=1, interactive-widget=resizes-content"/>
                <title>{title.clone()}</title>
                <meta name="description" content=head.description.clone()/>
                {private.then(|| view! { <meta name="robots" content="noindex"/> })}
                <link rel="canonical" href=canonical.clone()/>
                {[
                    ("og:type", "website".to_owned()),
                    ("og:site_name", "Headroom".to_owned()),
                    ("og:title", title),
                    ("og:description", head.description.clone()),
                    ("og:url", canonical),
                    ("og:image", picture),
                ]
                    .map(|(property, content)| leptos::html::meta().attr("property", property).content(content))
                    .collect_view()}
                <meta name="twitter:card" content="summary"/>
                <link rel="icon" href=assets::url("favicon.svg") type="image/svg+xml"/>
                <link rel="preload" href=assets::url("inter-latin-wght-normal.woff2") r#as="font" type="font/woff2" crossorigin="anonymous"/>
                <link rel="preload" href=assets::url("ibm-plex-mono-latin-400-normal.woff2") r#as="font" type="font/woff2" crossorigin="anonymous"/>
                <link rel="stylesheet" href=assets::url("headroom.css")/>
                {head.kind.bundle().map(|bundle| view! { <HydrationScripts options=leptos_options(bundle) islands=true/> })}
                {state.settings.dev.then(|| view! { <script nonce=nonce src=assets::url("reload.js") defer></script> })}
            </head>
            <body class=if tool { "tool" } else { "" }>
                <a class="skip" href="#main">"Skip to the content"</a>
                {(!tool).then(|| view! { <Bar current=head.current/> })}
                {body}
                {(!tool).then(|| view! { <Foot theme=theme back=format!("{}{}", head.path, head.settled)/> })}
            </body>
        </html>
    }
    .into_any()
}

/// The name and its sign: a box with room left at the top.
#[component]
pub fn Mark() -> impl IntoView {
    view! {
        <a class="mark" href="/">
            <svg width="16" height="18" viewBox="0 0 16 18" aria-hidden="true">
                <rect x=".75" y=".75" width="14.5" height="16.5" rx="1.5" fill="none" stroke="currentColor" stroke-width="1.5"/>
                <rect class="fill" x="3.5" y="7" width="9" height="8"/>
            </svg>
            "Headroom"
        </a>
    }
}

#[component]
fn Bar(current: &'static str) -> impl IntoView {
    let item = move |path: &'static str, text: &'static str| {
        view! { <a href=path aria-current=(path == current).then_some("page")>{text}</a> }
    };
    view! {
        <header class="bar">
            <Mark/>
            <nav aria-label="Main">
                {item("/prompts", "Practice")}
                {item("/calculators", "Calculators")}
                {item("/reference", "Reference")}
                {item("/attempts", "Your attempts")}
                // Shown to everybody: a public page is the same for who is signed in and who is not.
                {item("/account", "Account")}
            </nav>
            <form class="find" role="search" action="/search" aria-label="Search the library">
                <input type="search" name="q" placeholder="Search" aria-label="Search" maxlength="200" accesskey="k" enterkeyhint="search"/>
            </form>
        </header>
    }
}

#[component]
fn Foot(theme: Theme, back: String) -> impl IntoView {
    let button = move |choice: Theme| {
        view! {
            <button name="theme" value=choice.slug() aria-pressed=if choice == theme { "true" } else { "false" }>
                {choice.title()}
            </button>
        }
    };
    view! {
        <footer class="foot">
            <form class="theme" method="post" action="/theme" aria-label="Theme">
                <input type="hidden" name="back" value=back/>
                <span class="eyebrow">"Theme"</span>
                <span class="seg">{Theme::ALL.map(button).collect_view()}</span>
            </form>
        </footer>
    }
}

pub fn error_page(
    state: &AppState,
    theme: Theme,
    status: StatusCode,
    error: Option<&AppError>,
) -> Response {
    let (title, text) = match (error, status) {
        (Some(AppError::NotFound), _) | (None, StatusCode::NOT_FOUND) => (
            "There is nothing here",
            "The address may be mistyped, or it belongs to another browser's session: an attempt made without an account \
             can be opened only in the browser that made it."
                .to_owned(),
        ),
        (Some(AppError::Forbidden), _) => (
            "This request was refused",
            "It would have changed something, and your browser did not say that it came from a page of ours. Go back, \
             and copy what you typed if your browser still shows it; then reload that page and try again."
                .to_owned(),
        ),
        (Some(AppError::Internal(id)), _) => (
            "Something failed on our side",
            format!("What was saved before is safe. Go back and try again; if it goes on, tell who runs this server the number {id}."),
        ),
        (Some(error), _) => ("This could not be done", error.to_string()),
        (None, StatusCode::PAYLOAD_TOO_LARGE) => (
            "This is too much at once",
            "More arrived in one request than is taken here, and nothing of it was kept. Go back, shorten what you sent and try again. \
             A section holds 64 KB, an archive 32 MB."
                .to_owned(),
        ),
        (None, StatusCode::METHOD_NOT_ALLOWED) => {
            ("This address cannot be used that way", "Go back and use the page's own buttons and links.".to_owned())
        }
        (None, _) => ("This request could not be read", "Go back, reload the page and try again.".to_owned()),
    };
    let head = Head {
        title: title.to_owned(),
        description: title.to_owned(),
        path: "/".to_owned(),
        kind: Kind::Own,
        ..Head::default()
    };
    own_page(state, theme, &head, status, || {
        view! {
            <main id="main" class="page narrow prose">
                <p class="eyebrow">{status.as_u16()}</p>
                <h1>{title}</h1>
                <p>{text}</p>
                <p><a href="/prompts">"All prompts"</a>" · "<a href="/attempts">"Your attempts"</a></p>
            </main>
        }
        .into_any()
    })
}

/// Under `dev`: the faults of the content instead of the page.
pub fn faults_page(state: &AppState, theme: Theme, faults: &[Diagnostic]) -> Response {
    let head = Head {
        title: "Faults in the content".to_owned(),
        kind: Kind::Own,
        path: "/".to_owned(),
        ..Head::default()
    };
    let rows: Vec<_> = faults.iter().map(ToString::to_string).collect();
    own_page(
        state,
        theme,
        &head,
        StatusCode::INTERNAL_SERVER_ERROR,
        || {
            view! {
            <main id="main" class="page">
                <h1>{format!("{} {} in the content", rows.len(), if rows.len() == 1 { "fault" } else { "faults" })}</h1>
                <p class="lead">"Mend them and save: the page comes back by itself."</p>
                <ul class="faults">{rows.into_iter().map(|row| view! { <li><code>{row}</code></li> }).collect_view()}</ul>
            </main>
        }
        .into_any()
        },
    )
}

/// A path on this server and nowhere else; anything doubtful leads home.
pub fn local_path(path: &str) -> String {
    let plain = path.starts_with('/')
        && !path.starts_with("//")
        && !path.contains('\\')
        && path.chars().all(|character| character.is_ascii_graphic());
    if plain {
        path.to_owned()
    } else {
        "/".to_owned()
    }
}

/// The query of an address as [`Head::settled`], where it can be part of one as it stands.
pub fn settled(query: Option<&str>) -> String {
    query
        .map(|query| format!("?{query}"))
        .filter(|query| local_path(&format!("/{query}")).len() > 1)
        .unwrap_or_default()
}

/// A redirect after a form, to a page that is then fetched by GET.
pub fn see_other(path: &str) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::SEE_OTHER;
    if let Ok(location) = HeaderValue::from_str(path) {
        response.headers_mut().insert(LOCATION, location);
    }
    response
}
