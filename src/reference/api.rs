//! Ticking what was reached and read: a form for each item, which needs no script. Must never know how the list looks.

use axum::extract::State;
use axum::response::Response;

use crate::accounts::store::{permit, permit_to_change};
use crate::error::AppError;
use crate::server::document::see_other;
use crate::server::extract::Viewer;
use crate::server::form::{Fields, field};
use crate::server::state::AppState;
use crate::transact;

use super::page::Ticks;
use super::store;

/// What the viewer has ticked; `None` for who is not signed in.
pub async fn ticks_of(state: &AppState, viewer: &Viewer) -> Result<Option<Ticks>, AppError> {
    if viewer.account().is_none() {
        return Ok(None);
    }
    let mut reader = state.db.read().await?;
    let conn = &mut reader.conn();
    let permit = permit(conn, viewer.account()).await?;
    Ok(Some(Ticks {
        when: store::ticks(conn, &permit).await?,
        zone: viewer.zone(),
    }))
}

/// `POST /reference/ticks`: `item` is ticked when `on` is 1 and unticked when it is 0, however often it is sent.
pub async fn tick(
    State(state): State<AppState>,
    viewer: Viewer,
    axum::Form(fields): axum::Form<Fields>,
) -> Result<Response, AppError> {
    let library = state.library();
    let item = library
        .shelf
        .as_ref()
        .and_then(|shelf| shelf.tick_item(field(&fields, "item")));
    if viewer.account().is_none() {
        // The form cannot be sent again for the person: they come back to where it stands.
        let page = item.map_or("roadmap", |item| item.page());
        return Ok(see_other(&format!("/sign-in?next=/reference/{page}")));
    }
    let Some(item) = item else {
        return Err(AppError::invalid(
            "item",
            "This is no longer on the list, so nothing was changed. Go back and reload the page.",
        ));
    };
    let on = match field(&fields, "on") {
        "1" => true,
        "0" => false,
        _ => {
            return Err(AppError::invalid(
                "on",
                "A tick is set or taken back. Go back, reload the page and try again.",
            ));
        }
    };
    let now = state.clock.now();
    transact!(state.db, |conn| {
        let permit = permit_to_change(conn, &viewer).await?;
        if on {
            store::tick(conn, &permit, &item, now).await
        } else {
            store::untick(conn, &permit, &item).await
        }
    })?;
    Ok(see_other(&format!(
        "/reference/{}#{}",
        item.page(),
        item.anchor()
    )))
}
