//! What handlers take from a request: the theme, where it comes from, and whose session it is.

use std::net::{IpAddr, Ipv4Addr};

use axum::extract::FromRequestParts;
use axum::response::{IntoResponse, Response};
use http::header::{COOKIE, HeaderValue, SET_COOKIE, USER_AGENT};
use http::request::Parts;
use http::{HeaderMap, Method};
use jiff::tz::TimeZone;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use tower_sessions::Session;

use crate::domain::account::device_words;
use crate::domain::attempt::{ATTEMPTS_PER_ACCOUNT, ATTEMPTS_PER_GUEST, MINUTE, UnixMillis};
use crate::error::AppError;
use crate::transact;

use super::clock::new_id;
use super::document::see_other;
use super::session::{
    ACCOUNT, DEVICE, EPOCH, OWNER, PENDING, SECOND_FACTOR, SIGNED_IN_AT, TOUCH_EVERY, TOUCHED_AT,
    ZONE, id_hash,
};
use super::state::AppState;
use super::store;
use super::telemetry::record_account;
use super::throttle::{HOUR, Throttle, address_key};

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

impl Theme {
    /// Sets the cookie that every page is coloured by.
    pub fn remember(self, response: &mut Response, https: bool) {
        let secure = if https { "; Secure" } else { "" };
        let cookie = format!(
            "theme={}; Path=/; Max-Age=31536000; SameSite=Lax; HttpOnly{secure}",
            self.slug()
        );
        if let Ok(value) = HeaderValue::from_str(&cookie) {
            response.headers_mut().append(SET_COOKIE, value);
        }
    }
}

impl<S: Sync> FromRequestParts<S> for Theme {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        Ok(Self::of(&parts.headers))
    }
}

/// Where a request comes from, as far as trusted proxies tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClientAddress(pub IpAddr);

impl<S: Sync> FromRequestParts<S> for ClientAddress {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        // A request that came through no socket came from this machine.
        let here = Self(IpAddr::V4(Ipv4Addr::LOCALHOST));
        Ok(parts.extensions.get::<Self>().copied().unwrap_or(here))
    }
}

/// Whose session this is. Neither owner nor account while it has made nothing.
#[derive(Clone, Debug)]
pub struct Viewer {
    session: Session,
    owner: Option<String>,
    account: Option<String>,
    epoch: Option<i64>,
    with_second_factor: bool,
    pub address: IpAddr,
    /// Browser and system, in words.
    pub device: String,
    zone: Option<String>,
}

/// What a session of an account is opened with.
#[derive(Clone, Copy, Debug)]
pub struct Opening<'a> {
    pub account: &'a str,
    pub owner: &'a str,
    /// The account's count of endings when signing in began: whatever ended all sessions since ends this one.
    pub epoch: i64,
    pub with_second_factor: bool,
    /// A name of the time zone database.
    pub zone: &'a str,
    pub at: UnixMillis,
}

/// An account whose password was right a moment ago.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Pending {
    pub account: String,
    pub epoch: i64,
    pub at: UnixMillis,
}

/// How long the second factor may take after the password.
const PENDING_FOR: i64 = 10 * MINUTE;

impl Viewer {
    /// The owner of everything that this session made.
    pub fn owner(&self) -> Option<&str> {
        self.owner.as_deref()
    }

    /// The account that is signed in.
    pub fn account(&self) -> Option<&str> {
        self.account.as_deref()
    }

    /// The account's count of endings when this session was opened.
    pub fn epoch(&self) -> Option<i64> {
        self.epoch
    }

    /// Whether the session was opened with a second factor.
    pub fn with_second_factor(&self) -> bool {
        self.with_second_factor
    }

    /// What this session's row is keyed by.
    pub fn session_hash(&self) -> String {
        self.session
            .id()
            .map_or_else(String::new, |id| id_hash(&id))
    }

    /// The guest whose work this session holds; an account's work is nobody's to claim.
    pub fn guest(&self) -> Option<&str> {
        if self.account.is_none() {
            self.owner.as_deref()
        } else {
            None
        }
    }

    /// The most attempts that are kept for this owner.
    pub fn attempts_kept(&self) -> i64 {
        if self.account.is_some() {
            ATTEMPTS_PER_ACCOUNT
        } else {
            ATTEMPTS_PER_GUEST
        }
    }

    /// The owner, made now if the session has none: a guest exists from the first thing they keep.
    pub async fn owner_or_guest(&self, state: &AppState) -> Result<String, AppError> {
        if let Some(owner) = &self.owner {
            return Ok(owner.clone());
        }
        let now = state.clock.now();
        let owner = new_id(now);
        let throttle = Throttle::new(
            "guest",
            &[&address_key(self.address)],
            state.settings.allowances.guests_per_hour,
            HOUR,
        );
        transact!(state.db, |conn| {
            throttle.take(conn, now).await.map_err(|refused| {
                refused.explained("Many attempts were started from your network within the hour.")
            })?;
            store::insert_owner(conn, &owner, now).await
        })?;
        self.put(OWNER, &owner).await?;
        self.put(TOUCHED_AT, now).await?;
        Ok(owner)
    }

    /// Remembers, in a session of a new id, that the password was right.
    pub async fn await_second_factor(
        &self,
        account: &str,
        epoch: i64,
        now: UnixMillis,
    ) -> Result<(), AppError> {
        self.session.cycle_id().await.map_err(AppError::internal)?;
        let pending = Pending {
            account: account.to_owned(),
            epoch,
            at: now,
        };
        self.put(PENDING, pending).await
    }

    /// The account whose second factor is asked for.
    pub async fn pending(&self, now: UnixMillis) -> Result<Option<Pending>, AppError> {
        let pending: Option<Pending> = take_field(&self.session, PENDING).await?;
        Ok(pending.filter(|pending| (0..=PENDING_FOR).contains(&(now - pending.at))))
    }

    /// Opens the session of an account under a new id.
    pub async fn sign_in(&self, opening: &Opening<'_>) -> Result<(), AppError> {
        self.session.cycle_id().await.map_err(AppError::internal)?;
        self.session
            .remove_value(PENDING)
            .await
            .map_err(AppError::internal)?;
        self.put(ACCOUNT, opening.account).await?;
        self.put(OWNER, opening.owner).await?;
        self.put(EPOCH, opening.epoch).await?;
        self.put(SIGNED_IN_AT, opening.at).await?;
        self.put(TOUCHED_AT, opening.at).await?;
        self.put(SECOND_FACTOR, opening.with_second_factor).await?;
        self.put(ZONE, opening.zone).await?;
        self.put(DEVICE, &self.device).await
    }

    /// Where the person is, as far as they told; else UTC.
    pub fn zone(&self) -> TimeZone {
        self.zone
            .as_deref()
            .and_then(|name| TimeZone::get(name).ok())
            .unwrap_or(TimeZone::UTC)
    }

    /// The person told where they are.
    pub async fn set_zone(&self, name: &str) -> Result<(), AppError> {
        self.put(ZONE, name).await
    }

    /// Ends the session.
    pub async fn sign_out(&self) -> Result<(), AppError> {
        self.session.flush().await.map_err(AppError::internal)
    }

    async fn put(&self, field: &str, value: impl Serialize) -> Result<(), AppError> {
        self.session
            .insert(field, value)
            .await
            .map_err(AppError::internal)
    }
}

async fn take_field<T: DeserializeOwned>(
    session: &Session,
    field: &str,
) -> Result<Option<T>, AppError> {
    session.get(field).await.map_err(AppError::internal)
}

impl FromRequestParts<AppState> for Viewer {
    type Rejection = AppError;

    async fn from_request_parts(
        parts: &mut Parts,
        state: &AppState,
    ) -> Result<Self, Self::Rejection> {
        let Ok(ClientAddress(address)) = ClientAddress::from_request_parts(parts, state).await;
        let device = parts
            .headers
            .get(USER_AGENT)
            .and_then(|agent| agent.to_str().ok())
            .map_or_else(|| device_words(""), device_words);
        let session = Session::from_request_parts(parts, state)
            .await
            .map_err(|(_, message)| AppError::internal(message))?;
        let owner: Option<String> = take_field(&session, OWNER).await?;
        let account: Option<String> = take_field(&session, ACCOUNT).await?;
        if let Some(account) = &account {
            record_account(&parts.extensions, account);
        }
        let viewer = Self {
            epoch: take_field(&session, EPOCH).await?,
            with_second_factor: take_field(&session, SECOND_FACTOR).await?.unwrap_or(false),
            zone: take_field(&session, ZONE).await?,
            session,
            owner,
            account,
            address,
            device,
        };
        if viewer.owner.is_some() {
            let now = state.clock.now();
            let touched_at: i64 = take_field(&viewer.session, TOUCHED_AT).await?.unwrap_or(0);
            // A use that lies ahead was noted by a clock that was wrong.
            if !(-TOUCH_EVERY..=TOUCH_EVERY).contains(&now.saturating_sub(touched_at)) {
                viewer.put(TOUCHED_AT, now).await?;
            }
        }
        Ok(viewer)
    }
}

/// A viewer with an account. Everybody else is sent to sign in, and comes back afterwards.
#[derive(Clone, Debug)]
pub struct SignedIn(pub Viewer);

impl FromRequestParts<AppState> for SignedIn {
    type Rejection = Response;

    async fn from_request_parts(
        parts: &mut Parts,
        state: &AppState,
    ) -> Result<Self, Self::Rejection> {
        let viewer = Viewer::from_request_parts(parts, state)
            .await
            .map_err(IntoResponse::into_response)?;
        if viewer.account.is_some() {
            return Ok(Self(viewer));
        }
        // A form that was sent cannot be sent again for the person: they come back to where it stands.
        let next = match (&parts.method, parts.uri.path()) {
            (&Method::GET, path) => path,
            (_, path) if path.starts_with("/admin") => "/admin",
            _ => "/account",
        };
        Err(see_other(&format!("/sign-in?next={next}")))
    }
}
