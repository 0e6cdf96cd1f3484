//! Administration: accounts, the audit log, the outbox, and how the service is.

mod account;
mod accounts;
mod audit;
mod health;
mod outbox;

pub use account::{account, disable, enable, end_sessions, grant, reset_link, revoke};
pub use accounts::accounts;
pub use audit::{audit, export_audit};
pub use health::health;
pub use outbox::{outbox, retry_mail};

use axum::extract::FromRequestParts;
use axum::response::{IntoResponse, Response};
use http::request::Parts;
use serde::Deserialize;

use crate::accounts::page::{Notice, admin as page};
use crate::accounts::store::{self, AdminPermit, Refusal, admin_permit};
use crate::error::AppError;
use crate::server::extract::{SignedIn, Theme, Viewer};
use crate::server::state::AppState;

const PAGE_LENGTH: i64 = 50;

/// An administrator whose session was opened with a second factor. Others are told that there is nothing here.
pub struct Administrator {
    viewer: Viewer,
    permit: AdminPermit,
    zone: String,
}

impl FromRequestParts<AppState> for Administrator {
    type Rejection = Response;

    async fn from_request_parts(
        parts: &mut Parts,
        state: &AppState,
    ) -> Result<Self, Self::Rejection> {
        let SignedIn(viewer) = SignedIn::from_request_parts(parts, state).await?;
        let outcome = async {
            let mut reader = state.db.read().await?;
            let conn = &mut reader.conn();
            let permit = admin_permit(conn, viewer.account(), viewer.with_second_factor()).await?;
            let own = store::permit(conn, viewer.account()).await?;
            Ok::<_, AppError>((permit, own.account().profile.time_zone.clone()))
        };
        match outcome.await {
            Ok((Ok(permit), zone)) => Ok(Self {
                viewer,
                permit,
                zone,
            }),
            Ok((Err(Refusal::WithoutSecondFactor), _)) => {
                let theme = Theme::of(&parts.headers);
                Err(page::without_second_factor(state, theme))
            }
            Ok((Err(Refusal::NotAnAdministrator), _)) => Err(AppError::NotFound.into_response()),
            Err(error) => Err(error.into_response()),
        }
    }
}

/// The query of a list: which page, and what narrows it.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct ListQuery {
    q: String,
    page: String,
    action: String,
    account: String,
    from: String,
    to: String,
    show: String,
    done: String,
}

impl ListQuery {
    /// From 1; what does not read is the first.
    fn page(&self) -> i64 {
        self.page.parse().unwrap_or(1).clamp(1, 1_000_000)
    }

    fn notice(&self) -> Option<Notice> {
        Notice::from_slug(&self.done)
    }
}

fn pages(found: i64) -> i64 {
    found.saturating_add(PAGE_LENGTH - 1) / PAGE_LENGTH
}
