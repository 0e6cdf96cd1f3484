//! What handlers take from a request: the theme, and whose session it is.

use axum::extract::FromRequestParts;
use http::HeaderMap;
use http::header::COOKIE;
use http::request::Parts;
use tower_sessions::Session;

use crate::error::AppError;
use crate::transact;

use super::clock::new_id;
use super::session::{OWNER, TOUCH_EVERY, TOUCHED_AT};
use super::state::AppState;
use super::store;

/// Light, dark, or what the system says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Theme {
    #[default]
    Auto,
    Light,
    Dark,
}

impl Theme {
    pub const ALL: [Self; 3] = [Self::Auto, Self::Light, Self::Dark];

    pub fn slug(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }

    pub fn title(self) -> &'static str {
        match self {
            Self::Auto => "Auto",
            Self::Light => "Light",
            Self::Dark => "Dark",
        }
    }

    pub fn from_slug(slug: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|theme| theme.slug() == slug)
    }

    pub fn of(headers: &HeaderMap) -> Self {
        headers
            .get_all(COOKIE)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(|cookies| cookies.split(';'))
            .find_map(|cookie| {
                cookie
                    .trim()
                    .strip_prefix("theme=")
                    .and_then(Self::from_slug)
            })
            .unwrap_or_default()
    }
}

impl<S: Sync> FromRequestParts<S> for Theme {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        Ok(Self::of(&parts.headers))
    }
}

/// The owner of everything that this session made. `None` when the session has made nothing yet.
#[derive(Clone, Debug)]
pub struct Viewer {
    session: Session,
    owner: Option<String>,
}

impl Viewer {
    pub fn owner(&self) -> Option<&str> {
        self.owner.as_deref()
    }

    /// The owner, made now if the session has none: a guest exists from the first thing they keep.
    pub async fn owner_or_guest(&self, state: &AppState) -> Result<String, AppError> {
        if let Some(owner) = &self.owner {
            return Ok(owner.clone());
        }
        let now = state.clock.now();
        let owner = new_id(now);
        transact!(state.db, |conn| store::insert_owner(conn, &owner, now)
            .await)?;
        self.session
            .insert(OWNER, &owner)
            .await
            .map_err(AppError::internal)?;
        self.session
            .insert(TOUCHED_AT, now)
            .await
            .map_err(AppError::internal)?;
        Ok(owner)
    }
}

impl FromRequestParts<AppState> for Viewer {
    type Rejection = AppError;

    async fn from_request_parts(
        parts: &mut Parts,
        state: &AppState,
    ) -> Result<Self, Self::Rejection> {
        let session = Session::from_request_parts(parts, state)
            .await
            .map_err(|(_, message)| AppError::internal(message))?;
        let owner = session
            .get::<String>(OWNER)
            .await
            .map_err(AppError::internal)?;
        if owner.is_some() {
            let now = state.clock.now();
            let touched_at = session
                .get::<i64>(TOUCHED_AT)
                .await
                .map_err(AppError::internal)?
                .unwrap_or(0);
            if now - touched_at > TOUCH_EVERY {
                session
                    .insert(TOUCHED_AT, now)
                    .await
                    .map_err(AppError::internal)?;
            }
        }
        Ok(Self { session, owner })
    }
}
