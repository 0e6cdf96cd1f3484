//! The document shell and the one route table.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{MethodRouter, get, post};
use http::header::{
    ACCEPT, CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderValue, LOCATION, SET_COOKIE,
};
use http::{HeaderMap, Method, StatusCode};
use hydration_context::SsrSharedContext;
use leptos::hydration::HydrationScripts;
use leptos::nonce::{provide_nonce, use_nonce};
use leptos::prelude::*;
use serde::Deserialize;
use tower_http::catch_panic::CatchPanicLayer;

use crate::error::AppError;
use crate::server::extract::Theme;
use crate::server::state::{AppState, leptos_options};
use crate::server::{assets, security, session};
use crate::{practice, prompts};

/// The largest request body. A section of 64 KB is up to three times as long in a form, and one that is too long must
/// still arrive, so that it can be given back.
const LARGEST_BODY: usize = 4 * 1024 * 1024;

/// Who may reach a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// The same for everybody: no session is read.
    Public,
    /// Works on what the session's owner has.
    Owner,
}

pub struct Route {
    pub method: Method,
    pub path: &'static str,
    pub access: Access,
    handler: MethodRouter<AppState>,
}

/// Every address of the server.
pub fn routes() -> Vec<Route> {
    use Access::{Owner, Public};
    use practice::api::handlers as api;
    use practice::page;
    let get_route = |path, access, handler| Route {
        method: Method::GET,
        path,
        access,
        handler,
    };
    let post_route = |path, access, handler| Route {
        method: Method::POST,
        path,
        access,
        handler,
    };
    vec![
        get_route("/", Public, get(prompts::page::home)),
        get_route("/prompts", Public, get(prompts::page::list)),
        get_route("/prompts/{slug}", Public, get(prompts::page::prompt)),
        post_route("/prompts/{slug}/attempts", Owner, post(api::start)),
        get_route("/attempts", Owner, get(page::attempts)),
        get_route("/attempts/{id}", Owner, get(page::resume)),
        get_route("/attempts/{id}/score", Owner, get(page::score)),
        post_route("/attempts/{id}/score", Owner, post(api::commit_score)),
        get_route("/attempts/{id}/result", Owner, get(page::result)),
        get_route("/attempts/{id}/export/{format}", Owner, get(api::export)),
        post_route("/attempts/{id}/hints", Owner, post(api::ask_hint)),
        get_route("/attempts/{id}/{section}", Owner, get(page::workspace)),
        post_route("/attempts/{id}/{section}", Owner, post(api::save_form)),
        get_route(
            "/attempts/{id}/{section}/history",
            Owner,
            get(page::history),
        ),
        post_route(
            "/attempts/{id}/{section}/restore",
            Owner,
            post(api::restore),
        ),
        post_route("/api/{*function}", Owner, post(api::server_function)),
        post_route("/theme", Public, post(set_theme)),
        get_route("/assets/{*file}", Public, get(assets::asset)),
        get_route(
            "/favicon.ico",
            Public,
            get(|| async { Redirect::permanent(&assets::url("favicon.svg")) }),
        ),
        get_route("/healthz", Public, get(|| async { "ok" })),
        get_route("/readyz", Public, get(ready)),
        get_route("/dev/version", Public, get(dev_version)),
    ]
}

/// The whole server as a service, without a socket.
pub fn router(state: AppState) -> Router {
    let sessions = session::layer(
        state.db.clone(),
        state.clock.clone(),
        state.settings.https(),
    );
    let mut public = Router::new();
    let mut owner = Router::new();
    for route in routes() {
        match route.access {
            Access::Public => public = public.route(route.path, route.handler),
            Access::Owner => owner = owner.route(route.path, route.handler),
        }
    }
    public
        .merge(owner.layer(from_fn(private)).layer(sessions))
        .fallback(|| async { AppError::NotFound })
        .layer(DefaultBodyLimit::max(LARGEST_BODY))
        .layer(tower_http::limit::RequestBodyLimitLayer::new(LARGEST_BODY))
        .layer(from_fn(security::refuse_forgery))
        .layer(CatchPanicLayer::custom(
            |_: Box<dyn std::any::Any + Send>| {
                AppError::internal("a handler panicked").into_response()
            },
        ))
        .layer(from_fn_with_state(state.clone(), outermost))
        .with_state(state)
}

/// Nothing of a person is kept by a cache on the way.
async fn private(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    response
        .headers_mut()
        .entry(CACHE_CONTROL)
        .or_insert(HeaderValue::from_static("private, no-store"));
    response
}

/// Sets the headers of every response, and gives a person a page where something failed.
async fn outermost(State(state): State<AppState>, request: Request, next: Next) -> Response {
    let theme = Theme::of(request.headers());
    let path = request.uri().path().to_owned();
    let wants_page = !path.starts_with("/api/")
        && !path.starts_with("/assets/")
        && request.headers().get(ACCEPT).is_some_and(|accept| {
            accept
                .as_bytes()
                .windows(9)
                .any(|part| part == b"text/html")
        });
    if state.settings.dev && !path.starts_with("/assets/") && !path.starts_with("/dev/") {
        state.refresh_library();
        let library = state.library();
        if wants_page && !library.diagnostics.is_empty() {
            let mut response = faults_page(&state, theme, &library.diagnostics);
            security::set_headers(response.headers_mut(), state.settings.https());
            return response;
        }
    }
    let mut response = next.run(request).await;
    let status = response.status();
    let failed = status.is_client_error() || status.is_server_error();
    let is_page = response
        .headers()
        .get(CONTENT_TYPE)
        .is_some_and(|kind| kind.as_bytes().starts_with(b"text/html"));
    if wants_page && failed && !is_page {
        let error = response.extensions().get::<AppError>().cloned();
        let keep = response.headers().get(SET_COOKIE).cloned();
        response = error_page(&state, theme, status, error.as_ref());
        if let Some(cookie) = keep {
            response.headers_mut().insert(SET_COOKIE, cookie);
        }
    }
    security::set_headers(response.headers_mut(), state.settings.https());
    response
}

async fn ready(State(state): State<AppState>) -> Response {
    let answer = async {
        let mut reader = state.db.read().await?;
        crate::server::store::ping(&mut reader.conn()).await
    };
    match answer.await {
        Ok(()) => "ready".into_response(),
        Err(error) => {
            tracing::error!(%error, "not ready");
            (
                StatusCode::SERVICE_UNAVAILABLE,
                "the database does not answer",
            )
                .into_response()
        }
    }
}

/// Under `dev`: what the reloading script compares. It names the process too, so that a restart shows.
async fn dev_version(State(state): State<AppState>) -> Response {
    if !state.settings.dev {
        return AppError::NotFound.into_response();
    }
    state.refresh_library();
    (
        [(CACHE_CONTROL, "no-store")],
        format!("{}-{}", state.version(), std::process::id()),
    )
        .into_response()
}

#[derive(Deserialize)]
struct ThemeForm {
    theme: String,
    #[serde(default)]
    back: String,
}

async fn set_theme(
    State(state): State<AppState>,
    axum::Form(form): axum::Form<ThemeForm>,
) -> Response {
    let Some(theme) = Theme::from_slug(&form.theme) else {
        return AppError::invalid("theme", "The theme is auto, light or dark.").into_response();
    };
    let secure = if state.settings.https() {
        "; Secure"
    } else {
        ""
    };
    let cookie = format!(
        "theme={}; Path=/; Max-Age=31536000; SameSite=Lax; HttpOnly{secure}",
        theme.slug()
    );
    let mut response = Redirect::to(&local_path(&form.back)).into_response();
    if let Ok(value) = HeaderValue::from_str(&cookie) {
        response.headers_mut().insert(SET_COOKIE, value);
    }
    response
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

/// What stands in the head of a page.
#[derive(Clone, Debug, Default)]
pub struct Head {
    pub title: String,
    pub description: String,
    /// The page's own path, with its query where that makes another page.
    pub path: String,
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
    /// Holds islands.
    Islands,
    /// Holds islands and fills the window, as a tool does.
    Tool,
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
        let scripted = matches!(head.kind, Kind::Islands | Kind::Tool);
        if scripted || state.settings.dev {
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
}

/// A page that is the same for everybody: cached with its entity tag, compressed once.
pub fn public_page(
    state: &AppState,
    theme: Theme,
    headers: &HeaderMap,
    head: &Head,
    body: impl FnOnce() -> AnyView,
) -> Response {
    if state.settings.dev {
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
    let islands = matches!(head.kind, Kind::Islands | Kind::Tool);
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
                {islands.then(|| view! { <HydrationScripts options=leptos_options() islands=true/> })}
                {state.settings.dev.then(|| view! { <script nonce=nonce src=assets::url("reload.js") defer></script> })}
            </head>
            <body class=if tool { "tool" } else { "" }>
                <a class="skip" href="#main">"Skip to the content"</a>
                {(!tool).then(|| view! { <Bar current=head.current/> })}
                {body}
                {(!tool).then(|| view! { <Foot theme=theme back=head.path.clone()/> })}
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
                {item("/attempts", "Your attempts")}
            </nav>
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

fn error_page(
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
             reload the page and try again; what you typed there is still in the form."
                .to_owned(),
        ),
        (Some(AppError::Internal(id)), _) => (
            "Something failed on our side",
            format!("What was saved before is safe. Go back and try again; if it goes on, tell who runs this server the number {id}."),
        ),
        (Some(error), _) => ("This could not be done", error.to_string()),
        (None, StatusCode::PAYLOAD_TOO_LARGE) => (
            "This is too much at once",
            "More than 4 MB arrived in one request and nothing of it was taken. Go back: your text is still in the form. \
             A section holds 64 KB."
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
        current: "",
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
fn faults_page(
    state: &AppState,
    theme: Theme,
    faults: &[crate::domain::content::Diagnostic],
) -> Response {
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

/// A redirect after a form, to a page that is then fetched by GET.
pub fn see_other(path: &str) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::SEE_OTHER;
    if let Ok(location) = HeaderValue::from_str(path) {
        response.headers_mut().insert(LOCATION, location);
    }
    response
}
