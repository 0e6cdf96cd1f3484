//! How a failure becomes a response, and the one place where a cause is logged.

use axum::Json;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use http::header::RETRY_AFTER;

use crate::error::AppError;

use super::clock::random_bytes;
use super::database::StoreError;

impl AppError {
    pub fn status(&self) -> StatusCode {
        match self {
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::Forbidden => StatusCode::FORBIDDEN,
            Self::Conflict(_) => StatusCode::CONFLICT,
            Self::Invalid(_) => StatusCode::UNPROCESSABLE_ENTITY,
            Self::TooMany(_) => StatusCode::TOO_MANY_REQUESTS,
            Self::Internal(_) => StatusCode::INTERNAL_SERVER_ERROR,
            Self::Unreachable => StatusCode::BAD_GATEWAY,
        }
    }

    /// Logs the cause under a new id and keeps only the id.
    pub fn internal(cause: impl std::fmt::Display) -> Self {
        let id = u64::from_le_bytes(random_bytes());
        let id = format!("{id:016x}");
        tracing::error!(%id, %cause, "request failed");
        Self::Internal(id)
    }
}

impl From<StoreError> for AppError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::App(error) => error,
            StoreError::Database(cause) => Self::internal(cause),
        }
    }
}

/// The failure itself travels as an extension, so that the outermost layer can render it as a page for a person.
impl IntoResponse for AppError {
    fn into_response(self) -> Response {
        let mut response = (self.status(), Json(&self)).into_response();
        if let Self::TooMany(wait) = &self
            && wait.seconds > 0
        {
            response
                .headers_mut()
                .insert(RETRY_AFTER, wait.seconds.into());
        }
        response.extensions_mut().insert(self);
        response
    }
}
