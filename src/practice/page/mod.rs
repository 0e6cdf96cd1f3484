//! The pages of practising: the workspace, a section's history, scoring, the result, and a person's attempts.

mod attempts;
mod history;
mod result;
mod score;
mod share;
mod workspace;

pub use attempts::attempts;
pub use history::history;
pub use result::result;
pub use score::{score, score_again};
pub use share::{share, shared};
pub use workspace::{not_saved, resume, workspace, workspace_again};

use crate::domain::attempt::{SectionName, Terms, UnixMillis};
use crate::domain::phase::Phase;
use crate::error::AppError;
use crate::practice::store::{self, Attempt, AttemptPermit, Section};
use crate::server::content_library::PublishedPrompt;
use crate::server::database::StoreError;
use crate::server::extract::Viewer;
use crate::server::state::AppState;
use crate::transact;

/// The person is in this phase now; without one, where they were. On a full disk reading goes on, and the time does not
/// count.
async fn seen(
    state: &AppState,
    viewer: &Viewer,
    id: &str,
    phase: Option<Phase>,
) -> Result<AttemptPermit, AppError> {
    let now = state.clock.now();
    let marked = transact!(state.db, |conn| {
        let permit = store::permit(conn, viewer.owner(), id).await?;
        let phase = phase.unwrap_or(permit.attempt().phase);
        store::mark(conn, &permit, phase, now).await?;
        Ok(permit)
    });
    match marked {
        Err(StoreError::Database(cause)) => {
            tracing::warn!(%cause, "where a person is was not noted");
            let mut reader = state.db.read().await?;
            Ok(store::permit(&mut reader.conn(), viewer.owner(), id).await?)
        }
        marked => Ok(marked?),
    }
}

/// An instant as RFC 3339 in UTC.
pub fn utc(at: UnixMillis) -> String {
    jiff::Timestamp::from_millisecond(at).map_or_else(|_| "unknown".to_owned(), |at| at.to_string())
}

/// `guided · senior · 60 min`
pub fn terms_words(terms: &Terms) -> String {
    let length = terms
        .minutes
        .map_or_else(|| "untimed".to_owned(), |minutes| format!("{minutes} min"));
    format!("{} · {} · {length}", terms.way.slug(), terms.level.slug())
}

/// The title of a prompt, or its slug when it is no longer published.
pub fn prompt_title(published: Option<&PublishedPrompt>, slug: &str) -> String {
    published.map_or_else(
        || slug.replace('-', " "),
        |published| published.prompt.title.clone(),
    )
}

/// The title of an attempt's prompt, with its variant.
pub fn attempt_title(published: Option<&PublishedPrompt>, attempt: &Attempt) -> String {
    let title = prompt_title(published, &attempt.prompt);
    let Some(id) = attempt.variant.as_deref() else {
        return title;
    };
    let variant = published
        .and_then(|published| published.variant(Some(id)))
        .map_or_else(|| id.replace('-', " "), |found| found.variant.title.clone());
    format!("{title} · {variant}")
}

pub fn section_title(name: &SectionName, published: Option<&PublishedPrompt>) -> String {
    name.title(|id| {
        published?
            .prompt
            .curveballs
            .iter()
            .find(|ball| ball.id == id)
            .map(|ball| ball.title.as_str())
    })
}

/// Sections in the order in which they are read.
pub fn in_order(mut sections: Vec<Section>) -> Vec<Section> {
    sections.sort_by(|one, other| one.name.reading_order().cmp(&other.name.reading_order()));
    sections
}

/// Whole minutes, rounded.
pub fn minutes(millis: i64) -> i64 {
    (millis + 30_000) / 60_000
}
