//! Sharing an attempt by a link, and reading what was shared.

use axum::extract::{Path, Query, State};
use axum::response::Response;
use serde::Deserialize;

use crate::accounts::store::audit::{Action, Entry, add};
use crate::error::AppError;
use crate::practice::page;
use crate::practice::store;
use crate::practice::store::share as links;
use crate::server::clock::{new_id, random_bytes};
use crate::server::document::see_other;
use crate::server::extract::{Theme, Viewer};
use crate::server::session::hex;
use crate::server::state::AppState;
use crate::transact;

#[derive(Deserialize)]
pub struct ShareQuery {
    #[serde(default)]
    done: String,
}

/// `GET /attempts/{id}/share`
pub async fn share(
    State(state): State<AppState>,
    viewer: Viewer,
    theme: Theme,
    Path(id): Path<String>,
    Query(query): Query<ShareQuery>,
) -> Result<Response, AppError> {
    let mut reader = state.db.read().await?;
    let conn = &mut reader.conn();
    let permit = store::permit(conn, viewer.owner(), &id).await?;
    let list = links::links(conn, &permit).await?;
    let revoked = query.done == "revoked";
    Ok(page::share(
        &state,
        theme,
        &permit,
        &list,
        None,
        revoked,
        &viewer.zone(),
    ))
}

/// `POST /attempts/{id}/shares`: the link is shown once.
pub async fn create(
    State(state): State<AppState>,
    viewer: Viewer,
    theme: Theme,
    Path(id): Path<String>,
) -> Result<Response, AppError> {
    let now = state.clock.now();
    let secret = hex(&random_bytes::<32>());
    let link = new_id(now);
    let (permit, list) = transact!(state.db, |conn| {
        let permit = store::permit(conn, viewer.owner(), &id).await?;
        links::create(conn, &permit, &link, &secret, now).await?;
        let entry = Entry {
            actor: viewer.account(),
            action: Action::Shared,
            subject: viewer.account(),
            detail: &id,
            address: &viewer.address.to_string(),
        };
        add(conn, &entry, now).await?;
        let list = links::links(conn, &permit).await?;
        Ok((permit, list))
    })?;
    let address = format!("{}/shared/{secret}", state.settings.public_url);
    let made = Some(address.as_str());
    Ok(page::share(
        &state,
        theme,
        &permit,
        &list,
        made,
        false,
        &viewer.zone(),
    ))
}

/// `POST /attempts/{id}/shares/{link}/revoke`
pub async fn revoke(
    State(state): State<AppState>,
    viewer: Viewer,
    Path((id, link)): Path<(String, String)>,
) -> Result<Response, AppError> {
    let now = state.clock.now();
    transact!(state.db, |conn| {
        let permit = store::permit(conn, viewer.owner(), &id).await?;
        links::revoke(conn, &permit, &link, now).await?;
        let entry = Entry {
            actor: viewer.account(),
            action: Action::ShareRevoked,
            subject: viewer.account(),
            detail: &id,
            address: &viewer.address.to_string(),
        };
        add(conn, &entry, now).await
    })?;
    Ok(see_other(&format!("/attempts/{id}/share?done=revoked")))
}

/// `GET /shared/{token}`: for anybody who has the link.
pub async fn shared(
    State(state): State<AppState>,
    theme: Theme,
    Path(secret): Path<String>,
) -> Result<Response, AppError> {
    let mut reader = state.db.read().await?;
    let conn = &mut reader.conn();
    let permit = links::open(conn, &secret).await?;
    let sections = links::sections(conn, &permit).await?;
    let scores = links::scores(conn, &permit).await?;
    drop(reader);
    page::shared(&state, theme, &secret, &permit, sections, &scores).await
}
