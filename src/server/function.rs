//! Server functions: how a request reaches one, what it works with, and the status of what it answers.
//!
//! Must never know which server functions there are.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use leptos::prelude::*;
use leptos_axum::ResponseOptions;

use crate::error::AppError;

use super::extract::Viewer;
use super::state::AppState;

/// `POST /api/{function}`: hands the request to the server function of that name.
pub async fn serve(State(state): State<AppState>, viewer: Viewer, request: Request) -> Response {
    let reached = Reached::default();
    let provide = {
        let reached = reached.clone();
        move || {
            provide_context(state.clone());
            provide_context(viewer.clone());
            provide_context(reached.clone());
        }
    };
    let mut response = leptos_axum::handle_server_fns_with_context(provide, request)
        .await
        .into_response();
    // Arguments that do not read are the sender's fault, for which leptos answers 500.
    if response.status().is_server_error() && !reached.0.load(Ordering::Relaxed) {
        *response.status_mut() = StatusCode::BAD_REQUEST;
    }
    response
}

/// Whether a server function was reached with arguments that read.
#[derive(Clone, Default)]
struct Reached(Arc<AtomicBool>);

/// Gives a failed server function the status that belongs to its error.
pub async fn answer<T>(work: impl Future<Output = Result<T, AppError>>) -> Result<T, AppError> {
    if let Some(reached) = use_context::<Reached>() {
        reached.0.store(true, Ordering::Relaxed);
    }
    let outcome = work.await;
    if let (Err(error), Some(response)) = (&outcome, use_context::<ResponseOptions>()) {
        response.set_status(error.status());
    }
    outcome
}

/// What a server function works with.
pub fn context() -> Result<(AppState, Viewer), AppError> {
    use_context::<AppState>()
        .zip(use_context::<Viewer>())
        .ok_or_else(|| AppError::internal("a server function ran without its context"))
}
