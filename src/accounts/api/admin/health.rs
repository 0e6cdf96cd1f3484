//! How the service is.

use axum::extract::State;
use axum::response::Response;
use http::StatusCode;

use crate::accounts::page::{FormState, admin as page};
use crate::accounts::store::administration as rows;
use crate::error::AppError;
use crate::mail::store as outbox_rows;
use crate::server::database::migration_names;
use crate::server::extract::Theme;
use crate::server::readiness;
use crate::server::state::AppState;

use super::Administrator;

/// `GET /admin/health`
pub async fn health(
    State(state): State<AppState>,
    admin: Administrator,
    theme: Theme,
) -> Result<Response, AppError> {
    let mut reader = state.db.read().await?;
    let conn = &mut reader.conn();
    let counts = rows::counts(conn, &admin.permit).await?;
    let mail_oldest_at = outbox_rows::oldest_waiting(conn).await?;
    let (engine, database_bytes) = crate::server::store::engine(conn).await?;
    drop(reader);
    let known = migration_names();
    let lacking = state
        .db
        .lacking_migrations()
        .await
        .map_err(AppError::internal)?;
    let pools = state.db.pools();
    let in_use: u32 = pools.iter().map(|pool| pool.in_use).sum();
    let idle: u32 = pools.iter().map(|pool| pool.idle).sum();
    let count = |of: usize| i64::try_from(of).unwrap_or(i64::MAX);
    let health = page::Health {
        now: state.clock.now(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        revision: option_env!("HEADROOM_REVISION").map(ToOwned::to_owned),
        started_at: state.started_at,
        schema_version: count(known.len().saturating_sub(lacking.len())),
        schema_known: count(known.len()),
        engine,
        database_bytes,
        pool_in_use: in_use.into(),
        pool_idle: idle.into(),
        pool_most: state.db.most_connections().into(),
        accounts: counts.accounts,
        guests: counts.guests,
        attempts: counts.attempts,
        sessions: counts.sessions,
        mail_on: state.settings.mail,
        mail_waiting: counts.mail_waiting,
        mail_failed: counts.mail_failed,
        mail_oldest_at,
        disk_free: state
            .db
            .folder()
            .and_then(|folder| readiness::free(&folder)),
    };
    let form = FormState::default();
    Ok(page::health(
        &state,
        theme,
        &health,
        &admin.zone,
        &form,
        StatusCode::OK,
    ))
}
