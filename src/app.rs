//! The one route table, and what every request goes through.

use std::time::Duration;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{MethodRouter, get, post};
use http::header::{ACCEPT, CACHE_CONTROL, CONTENT_TYPE, HeaderValue, SET_COOKIE};
use http::{Method, StatusCode};
use serde::Deserialize;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::timeout::RequestBodyTimeoutLayer;

use crate::error::AppError;
use crate::server::document::{error_page, faults_page};
use crate::server::extract::Theme;
use crate::server::state::AppState;
use crate::server::{assets, readiness, security, session, telemetry};
use crate::{practice, prompts};

/// The largest request body. A section of 64 KB is up to three times as long in a form, and one that is too long must
/// still arrive, so that it can be given back.
const LARGEST_BODY: usize = 4 * 1024 * 1024;

/// The longest silence within a body that is being sent.
const BODY_LIMIT: Duration = Duration::from_secs(30);

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
            get(|| async { Redirect::temporary(&assets::url("favicon.svg")) }),
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
        // Outside of the limit, whose own error axum must recognize to answer 413.
        .layer(RequestBodyTimeoutLayer::new(BODY_LIMIT))
        .layer(from_fn(security::refuse_forgery))
        .layer(CatchPanicLayer::custom(
            |_: Box<dyn std::any::Any + Send>| {
                AppError::internal("a handler panicked").into_response()
            },
        ))
        .layer(from_fn_with_state(state.clone(), outermost))
        .layer(from_fn_with_state(state.clone(), telemetry::observe))
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
        && path != "/readyz"
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
    let faults = readiness::faults(&state).await;
    let no_store = [(CACHE_CONTROL, "no-store")];
    if faults.is_empty() {
        (no_store, "ready").into_response()
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, no_store, faults.join("\n")).into_response()
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
