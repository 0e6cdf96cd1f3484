//! The one route table, and what every request goes through.

use std::convert::Infallible;
use std::time::Duration;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{MethodRouter, get, post};
use http::header::{ACCEPT, CACHE_CONTROL, CONTENT_TYPE, HeaderValue, RETRY_AFTER, SET_COOKIE};
use http::{Method, StatusCode, Uri};
use serde::Deserialize;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::limit::RequestBodyLimitLayer;
use tower_http::timeout::RequestBodyTimeoutLayer;

use crate::error::AppError;
use crate::server::client_address::{PeerAddr, client_address};
use crate::server::document::{error_page, faults_page, local_path};
use crate::server::extract::{ClientAddress, Theme};
use crate::server::state::AppState;
use crate::server::{assets, function, readiness, security, session, telemetry};
use crate::{accounts, calculators, exercises, practice, prompts, reference, search};

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
    /// For who has its address, which is a secret.
    Link,
    /// For everybody; the session says what was begun.
    Session,
    /// Works on what the session's owner has, a guest or an account.
    Owner,
    /// For who is signed in, on their own account.
    Account,
    /// For administrators with a second factor.
    Administrator,
}

pub struct Route {
    pub method: Method,
    pub path: &'static str,
    pub access: Access,
    /// The largest body that it takes, in bytes.
    largest: usize,
    handler: MethodRouter<AppState>,
}

fn get_route(path: &'static str, access: Access, handler: MethodRouter<AppState>) -> Route {
    Route {
        method: Method::GET,
        path,
        access,
        largest: LARGEST_BODY,
        handler,
    }
}

fn post_route(path: &'static str, access: Access, handler: MethodRouter<AppState>) -> Route {
    Route {
        method: Method::POST,
        ..get_route(path, access, handler)
    }
}

/// Every address of the server.
pub fn routes() -> Vec<Route> {
    let mut routes = practice_routes();
    routes.extend(library_routes());
    routes.extend(exercise_routes());
    routes.extend(account_routes());
    routes.extend(administration_routes());
    routes.extend(service_routes());
    routes
}

fn practice_routes() -> Vec<Route> {
    use Access::{Link, Owner, Public};
    use practice::api::{calculators, handlers as api, share};
    use practice::page;
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
        get_route("/attempts/{id}/share", Owner, get(share::share)),
        post_route("/attempts/{id}/shares", Owner, post(share::create)),
        post_route(
            "/attempts/{id}/shares/{link}/revoke",
            Owner,
            post(share::revoke),
        ),
        post_route(
            "/attempts/{id}/calculators/{name}",
            Owner,
            post(calculators::insert),
        ),
        get_route("/shared/{token}", Link, get(share::shared)),
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
        post_route("/api/{*function}", Owner, post(function::serve)),
    ]
}

fn library_routes() -> Vec<Route> {
    use Access::{Account, Public, Session};
    use reference::page;
    vec![
        get_route("/reference", Public, get(page::index)),
        get_route("/reference/glossary", Public, get(page::glossary)),
        get_route("/reference/glossary/{term}", Public, get(page::term)),
        get_route("/reference/roadmap", Session, get(page::own_page)),
        get_route("/reference/reading", Session, get(page::own_page)),
        get_route("/reference/{page}", Public, get(page::page)),
        post_route("/reference/ticks", Account, post(reference::api::tick)),
        get_route("/calculators", Public, get(calculators::page::list)),
        get_route("/calculators/{name}", Public, get(calculators::page::page)),
        get_route("/search", Session, get(search::page::page)),
    ]
}

fn exercise_routes() -> Vec<Route> {
    use Access::{Owner, Public};
    use exercises::{api, page};
    vec![
        get_route("/exercises", Public, get(page::list)),
        get_route("/exercises/debugging/{slug}", Public, get(page::debugging)),
        post_route(
            "/exercises/debugging/{slug}/work",
            Owner,
            post(api::start_debugging),
        ),
        get_route(
            "/exercises/code-review/{slug}",
            Public,
            get(page::code_review),
        ),
        post_route(
            "/exercises/code-review/{slug}/work",
            Owner,
            post(api::start_code_review),
        ),
        get_route("/exercises/work/{id}", Owner, get(page::work)),
        post_route("/exercises/work/{id}/step", Owner, post(api::answer_step)),
        post_route("/exercises/work/{id}/comments", Owner, post(api::comment)),
        post_route("/exercises/work/{id}/finish", Owner, post(api::finish)),
        get_route("/exercises/work/{id}/score", Owner, get(page::score)),
        post_route("/exercises/work/{id}/score", Owner, post(api::commit_score)),
        get_route("/exercises/work/{id}/result", Owner, get(page::result)),
        post_route("/exercises/work/{id}/meant", Owner, post(api::say_meant)),
    ]
}

fn account_routes() -> Vec<Route> {
    use Access::{Account, Link, Session};
    use accounts::api::{data, entry, profile, second_factor, sessions};
    vec![
        get_route("/sign-up", Session, get(entry::sign_up_page)),
        post_route("/sign-up", Session, post(entry::sign_up)),
        get_route("/sign-in", Session, get(entry::sign_in_page)),
        post_route("/sign-in", Session, post(entry::sign_in)),
        get_route(
            "/sign-in/second-factor",
            Session,
            get(entry::second_factor_page),
        ),
        post_route(
            "/sign-in/second-factor",
            Session,
            post(entry::second_factor),
        ),
        post_route("/sign-out", Session, post(entry::sign_out)),
        get_route(
            "/forgot-password",
            Session,
            get(entry::forgot_password_page),
        ),
        post_route("/forgot-password", Session, post(entry::forgot_password)),
        get_route(
            "/reset-password/{token}",
            Link,
            get(entry::reset_password_page),
        ),
        post_route("/reset-password/{token}", Link, post(entry::reset_password)),
        get_route("/verify-email/{token}", Link, get(entry::verify_email_page)),
        post_route("/verify-email/{token}", Link, post(entry::verify_email)),
        get_route("/account", Account, get(profile::account)),
        post_route("/account/profile", Account, post(profile::save_profile)),
        post_route("/account/password", Account, post(profile::change_password)),
        post_route("/account/email", Account, post(profile::change_email)),
        post_route("/account/verify", Account, post(profile::verify_again)),
        get_route("/account/sessions", Account, get(sessions::sessions)),
        post_route("/account/sessions/end", Account, post(sessions::end)),
        post_route(
            "/account/sessions/end-others",
            Account,
            post(sessions::end_others),
        ),
        post_route(
            "/account/sessions/end-all",
            Account,
            post(sessions::end_all),
        ),
        get_route(
            "/account/second-factor",
            Account,
            get(second_factor::second_factor),
        ),
        post_route(
            "/account/second-factor/start",
            Account,
            post(second_factor::start),
        ),
        post_route(
            "/account/second-factor/confirm",
            Account,
            post(second_factor::confirm),
        ),
        post_route(
            "/account/second-factor/codes",
            Account,
            post(second_factor::renew_codes),
        ),
        post_route(
            "/account/second-factor/off",
            Account,
            post(second_factor::turn_off),
        ),
        get_route("/account/data", Account, get(data::data)),
        get_route("/account/export", Account, get(data::export)),
        Route {
            largest: data::LARGEST_UPLOAD,
            ..post_route("/account/import", Account, post(data::import))
        },
        post_route("/account/delete", Account, post(data::delete)),
    ]
}

fn administration_routes() -> Vec<Route> {
    use Access::Administrator;
    use accounts::api::admin;
    vec![
        get_route("/admin", Administrator, get(admin::accounts)),
        get_route("/admin/accounts/{id}", Administrator, get(admin::account)),
        post_route(
            "/admin/accounts/{id}/grant",
            Administrator,
            post(admin::grant),
        ),
        post_route(
            "/admin/accounts/{id}/revoke",
            Administrator,
            post(admin::revoke),
        ),
        post_route(
            "/admin/accounts/{id}/disable",
            Administrator,
            post(admin::disable),
        ),
        post_route(
            "/admin/accounts/{id}/enable",
            Administrator,
            post(admin::enable),
        ),
        post_route(
            "/admin/accounts/{id}/end-sessions",
            Administrator,
            post(admin::end_sessions),
        ),
        post_route(
            "/admin/accounts/{id}/reset-link",
            Administrator,
            post(admin::reset_link),
        ),
        get_route("/admin/audit", Administrator, get(admin::audit)),
        get_route(
            "/admin/audit/export/{format}",
            Administrator,
            get(admin::export_audit),
        ),
        get_route("/admin/outbox", Administrator, get(admin::outbox)),
        post_route(
            "/admin/outbox/{id}/retry",
            Administrator,
            post(admin::retry_mail),
        ),
        get_route("/admin/health", Administrator, get(admin::health)),
    ]
}

fn service_routes() -> Vec<Route> {
    use Access::Public;
    vec![
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
    let mut own = Router::new();
    for route in routes() {
        let handler = route
            .handler
            .layer::<_, Infallible>(DefaultBodyLimit::max(route.largest))
            .layer(RequestBodyLimitLayer::new(route.largest));
        if route.access == Access::Public {
            public = public.route(route.path, handler);
        } else {
            own = own.route(route.path, handler);
        }
    }
    public
        .merge(own.layer(from_fn(private)).layer(sessions))
        .fallback(elsewhere)
        // Outside of the limit, whose own error axum must recognize to answer 413.
        .layer(RequestBodyTimeoutLayer::new(BODY_LIMIT))
        .layer(from_fn_with_state(state.clone(), security::refuse_forgery))
        .layer(CatchPanicLayer::custom(
            |_: Box<dyn std::any::Any + Send>| {
                AppError::internal("a handler panicked").into_response()
            },
        ))
        .layer(from_fn_with_state(state.clone(), outermost))
        .layer(from_fn_with_state(state.clone(), telemetry::observe))
        .with_state(state)
}

/// What is at no address of ours: with a slash at its end it may be one without.
async fn elsewhere(method: Method, uri: Uri) -> Response {
    let path = uri.path();
    let shorter = path.trim_end_matches('/');
    let reads = method == Method::GET || method == Method::HEAD;
    if !reads || shorter.len() == path.len() || local_path(shorter) != shorter {
        return AppError::NotFound.into_response();
    }
    let query = uri.query().map(|query| format!("?{query}"));
    Redirect::permanent(&format!("{shorter}{}", query.unwrap_or_default())).into_response()
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
async fn outermost(State(state): State<AppState>, mut request: Request, next: Next) -> Response {
    if let Some(PeerAddr(peer)) = request.extensions().get().copied() {
        let trusted = &state.settings.trusted_proxies;
        let address = client_address(peer.ip(), request.headers(), trusted);
        request.extensions_mut().insert(ClientAddress(address));
    }
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
        let before = std::mem::take(response.headers_mut());
        response = error_page(&state, theme, status, error.as_ref());
        for name in [SET_COOKIE, RETRY_AFTER] {
            for value in before.get_all(&name) {
                response.headers_mut().append(&name, value.clone());
            }
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
    let mut response = Redirect::to(&local_path(&form.back)).into_response();
    theme.remember(&mut response, state.settings.https());
    response
}
