//! The server's side of practising: what server functions and forms do.

use std::collections::BTreeMap;

use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use http::header::{CONTENT_DISPOSITION, CONTENT_TYPE, HeaderValue};
use serde::Serialize;

use crate::domain::archive::attempt_markdown;
use crate::domain::attempt::{
    SECTION_BYTES, SectionName, Terms, UnixMillis, Way, length_from_slug,
};
use crate::domain::criterion::CriterionId;
use crate::domain::level::{Level, Rating};
use crate::domain::phase::Phase;
use crate::domain::scorecard::{DraftEntry, Scorecard};
use crate::domain::worksheet::Sheet;
use crate::error::{AppError, Current};
use crate::practice::page;
use crate::practice::store::{self, AttemptPermit};
use crate::server::clock::new_id;
use crate::server::content_library::PublishedPrompt;
use crate::server::document::see_other;
use crate::server::extract::{Theme, Viewer};
use crate::server::form::{Fields, field, plain_text};
use crate::server::function::context;
use crate::server::markdown::{Place, render_or_explain};
use crate::server::session::sha256_hex;
use crate::server::state::AppState;
use crate::server::telemetry::metrics::SaveOutcome;
use crate::server::zip_archive::prompt_titles;
use crate::transact;

use super::{DueCurveball, Pulse, Saved, SectionText};

fn section_of(slug: &str) -> Result<SectionName, AppError> {
    SectionName::from_slug(slug).ok_or(AppError::NotFound)
}

/// What a section may be: its length, and that there is such a curveball.
pub fn check_section(
    published: Option<&PublishedPrompt>,
    section: &SectionName,
    body: &str,
    key: &str,
) -> Result<(), AppError> {
    if body.len() > SECTION_BYTES {
        let kilobytes = body.len().div_ceil(1024);
        return Err(AppError::invalid(
            "body",
            format!(
                "This section has {kilobytes} KB and a section holds 64 KB. Shorten it; what is here is kept until you do."
            ),
        ));
    }
    if key.is_empty() || key.len() > 128 || key.contains(char::is_control) {
        return Err(AppError::invalid(
            "key",
            "This save has no usable key. Reload the page and save again.",
        ));
    }
    if let (SectionName::Curveball(id), Some(published)) = (section, published)
        && !published
            .prompt
            .curveballs
            .iter()
            .any(|ball| ball.id == *id)
    {
        return Err(AppError::NotFound);
    }
    Ok(())
}

async fn save_as(
    state: &AppState,
    viewer: &Viewer,
    attempt: &str,
    save: &store::Save<'_>,
) -> Result<Current, AppError> {
    let now = state.clock.now();
    let library = state.library();
    let outcome = transact!(state.db, |conn| {
        let permit = store::permit(conn, viewer.owner(), attempt).await?;
        let published = library.prompt(&permit.attempt().prompt);
        check_section(published.map(AsRef::as_ref), save.name, save.body, save.key)?;
        let saved = store::save(conn, &permit, save, now).await?;
        if let Some(phase) = save.name.phase() {
            store::mark(conn, &permit, phase, now).await?;
        }
        Ok(saved)
    })
    .map_err(AppError::from);
    state.metrics.save(match &outcome {
        Ok(_) => SaveOutcome::Saved,
        Err(AppError::Conflict(_)) => SaveOutcome::Conflict,
        Err(AppError::Internal(_)) => SaveOutcome::Failed,
        Err(_) => SaveOutcome::Refused,
    });
    outcome
}

pub async fn save(
    attempt: &str,
    section: &str,
    body: &str,
    base: i64,
    key: &str,
) -> Result<Saved, AppError> {
    let (state, viewer) = context()?;
    let name = section_of(section)?;
    let body = plain_text(body);
    let save = store::Save {
        name: &name,
        body: &body,
        base,
        key,
    };
    let current = save_as(&state, &viewer, attempt, &save).await?;
    Ok(Saved {
        revision: current.revision,
        saved_at: current.saved_at,
    })
}

pub async fn pulse(
    attempt: &str,
    section: &str,
    known: &BTreeMap<String, i64>,
) -> Result<Pulse, AppError> {
    let (state, viewer) = context()?;
    let name = section_of(section)?;
    let now = state.clock.now();
    let (permit, presence, changed) = transact!(state.db, |conn| {
        let permit = store::permit(conn, viewer.owner(), attempt).await?;
        let phase = name.phase().unwrap_or(permit.attempt().phase);
        let presence = store::mark(conn, &permit, phase, now).await?;
        let changed = store::sections_since(conn, &permit, known).await?;
        Ok((permit, presence, changed))
    })?;
    let library = state.library();
    let published = library.prompt(&permit.attempt().prompt);
    let (curveballs, next_curveball_at) = curveballs(&permit, published.map(AsRef::as_ref), now);
    Ok(Pulse {
        now,
        spent: presence.spent,
        curveballs,
        next_curveball_at,
        changed: changed
            .into_iter()
            .map(|section| SectionText {
                name: section.name.slug(),
                body: section.body,
                revision: section.revision,
                saved_at: section.saved_at,
                unsaved: None,
            })
            .collect(),
        closed: permit.attempt().is_closed(),
    })
}

/// The curveballs that have arrived by now, and when the next one does.
pub fn curveballs(
    permit: &AttemptPermit,
    published: Option<&PublishedPrompt>,
    now: UnixMillis,
) -> (Vec<DueCurveball>, Option<UnixMillis>) {
    let attempt = permit.attempt();
    let Some(published) = published else {
        return (Vec::new(), None);
    };
    let mut due = Vec::new();
    let mut next: Option<UnixMillis> = None;
    for (ball, question) in published.prompt.curveballs.iter().zip(&published.questions) {
        if !attempt.terms.receives(ball.level) {
            continue;
        }
        let arrives_at = attempt.started_at + attempt.terms.curveball_after(ball.minute);
        if arrives_at <= now {
            due.push(DueCurveball {
                id: ball.id.clone(),
                title: ball.title.clone(),
                question: question.clone(),
            });
        } else {
            next = Some(next.map_or(arrives_at, |other| other.min(arrives_at)));
        }
    }
    (due, next)
}

pub async fn render_preview(markdown: &str) -> Result<String, AppError> {
    let (_, viewer) = context()?;
    viewer.owner().ok_or(AppError::NotFound)?;
    let text = plain_text(markdown);
    if text.len() > SECTION_BYTES {
        return Err(AppError::invalid("markdown", "A section holds 64 KB."));
    }
    let render = move || {
        // It stands right below the section's name, a heading of level 1.
        let place = Place {
            top_heading: 2,
            ..Place::section("preview")
        };
        render_or_explain(&text, place)
    };
    tokio::task::spawn_blocking(render)
        .await
        .map_err(AppError::internal)
}

/// `POST /prompts/{slug}/attempts`
pub async fn start(
    State(state): State<AppState>,
    viewer: Viewer,
    Path(slug): Path<String>,
    axum::Form(fields): axum::Form<Fields>,
) -> Result<Response, AppError> {
    let library = state.library();
    let published = library.prompt(&slug).ok_or(AppError::NotFound)?;
    let way = Way::from_slug(field(&fields, "way"));
    let level = Level::from_slug(field(&fields, "level"))
        .filter(|level| published.prompt.levels.contains(level));
    let minutes = length_from_slug(field(&fields, "minutes"));
    let (Some(way), Some(level), Some(minutes)) = (way, level, minutes) else {
        return Err(AppError::invalid(
            "terms",
            "Choose a way, one of this prompt's levels and a length, then start. Go back to the prompt to choose.",
        ));
    };
    let phase = Phase::from_slug(field(&fields, "focus")).unwrap_or(Phase::Requirements);
    let variant = match field(&fields, "variant") {
        "" => None,
        id if published.prompt.variant(id).is_some() => Some(id),
        _ => {
            return Err(AppError::invalid(
                "variant",
                "This prompt has no such variant any more. Go back to the prompt and choose again.",
            ));
        }
    };
    let owner = viewer.owner_or_guest(&state).await?;
    let now = state.clock.now();
    let id = new_id(now);
    let terms = Terms {
        way,
        level,
        minutes,
    };
    let most = viewer.attempts_kept();
    let start = store::Start {
        id: &id,
        prompt: &slug,
        variant,
        terms,
        phase,
    };
    transact!(state.db, |conn| store::start_attempt(
        conn, &owner, most, start, now
    )
    .await)?;
    Ok(see_other(&format!("/attempts/{id}/{}", phase.slug())))
}

/// The worksheet as its form sends it: a name (`asked` by the prompt, or a `row` of the candidate's own), then its `text`.
pub fn sheet_from_fields(fields: &Fields) -> String {
    let mut rows = Vec::new();
    let mut named: Option<(&str, bool)> = None;
    for (field, value) in fields {
        match (field.as_str(), named) {
            ("row" | "asked", _) => named = Some((value.trim(), field == "asked")),
            ("text", Some((row, asked))) => {
                let value = value.replace(['\r', '\n'], " ");
                let value = value.trim();
                if !value.is_empty() || !(asked || row.is_empty()) {
                    rows.push(format!("{row}: {value}"));
                }
                named = None;
            }
            _ => {}
        }
    }
    rows.join("\n")
}

/// `POST /attempts/{id}/{section}`: a save without JavaScript.
pub async fn save_form(
    State(state): State<AppState>,
    viewer: Viewer,
    theme: Theme,
    Path((id, section)): Path<(String, String)>,
    axum::Form(fields): axum::Form<Fields>,
) -> Result<Response, AppError> {
    let name = section_of(&section)?;
    let body = match name {
        SectionName::Worksheet => plain_text(&sheet_from_fields(&fields)),
        _ => plain_text(field(&fields, "body")),
    };
    let base: i64 = field(&fields, "base").parse().unwrap_or(0);
    // The same form sent again is the same save; the form gone back to and changed is another.
    let key = match field(&fields, "key") {
        "" => String::new(),
        key => format!("{key}-{}", &sha256_hex(&body)[..16]),
    };
    let save = store::Save {
        name: &name,
        body: &body,
        base,
        key: &key,
    };
    let saved = match save_as(&state, &viewer, &id, &save).await {
        Ok(_) if name == SectionName::Worksheet => check_sheet(&body),
        Ok(_) => Ok(()),
        Err(error) => Err(error),
    };
    match saved {
        Ok(()) => {
            let next = field(&fields, "then");
            let target = section_of(next).unwrap_or_else(|_| name.clone()).slug();
            Ok(see_other(&format!(
                "/attempts/{id}/{target}?saved={}",
                name.slug()
            )))
        }
        Err(error @ (AppError::Conflict(_) | AppError::Invalid(_))) => {
            page::workspace_again(&state, &viewer, theme, &id, &name, &body, base, error).await
        }
        Err(error) => Ok(page::not_saved(&state, theme, &body, &error)),
    }
}

/// A row that does not read is kept as it is and named.
fn check_sheet(body: &str) -> Result<(), AppError> {
    let (_, diagnostics) = Sheet::parse(body);
    match diagnostics.first() {
        None => Ok(()),
        Some(first) => Err(AppError::invalid(
            "worksheet",
            format!("Saved, but: {}", first.message),
        )),
    }
}

/// `POST /attempts/{id}/hints`: the next hint, which is recorded.
pub async fn ask_hint(
    State(state): State<AppState>,
    viewer: Viewer,
    Path(id): Path<String>,
    axum::Form(fields): axum::Form<Fields>,
) -> Result<Response, AppError> {
    let now = state.clock.now();
    let library = state.library();
    transact!(state.db, |conn| {
        let permit = store::permit(conn, viewer.owner(), &id).await?;
        let asked = store::hints(conn, &permit).await?.len();
        let there_is_one = library
            .prompt(&permit.attempt().prompt)
            .is_some_and(|published| asked < published.hints.len());
        if there_is_one && !permit.attempt().is_closed() {
            store::ask_hint(conn, &permit, i64::try_from(asked).unwrap_or(i64::MAX), now).await?;
        }
        Ok(())
    })?;
    let back = section_of(field(&fields, "back"))
        .map_or_else(|_| "requirements".to_owned(), |name| name.slug());
    Ok(see_other(&format!(
        "/attempts/{id}/{back}?panel=hints#hints"
    )))
}

/// `POST /attempts/{id}/{section}/restore`: an old revision becomes the newest one.
pub async fn restore(
    State(state): State<AppState>,
    viewer: Viewer,
    Path((id, section)): Path<(String, String)>,
    axum::Form(fields): axum::Form<Fields>,
) -> Result<Response, AppError> {
    let name = section_of(&section)?;
    let number: i64 = field(&fields, "revision")
        .parse()
        .map_err(|_| AppError::NotFound)?;
    let key = format!("{}{}", store::APART, field(&fields, "key"));
    let now = state.clock.now();
    transact!(state.db, |conn| {
        let permit = store::permit(conn, viewer.owner(), &id).await?;
        let old = store::revision(conn, &permit, &name, number).await?;
        let current = store::current(conn, &permit, &name).await?;
        check_section(None, &name, &old.body, &key)?;
        // Sent twice, or nothing to do.
        if current.body == old.body {
            return Ok(current);
        }
        store::save(
            conn,
            &permit,
            &store::Save {
                name: &name,
                body: &old.body,
                base: current.revision,
                key: &key,
            },
            now,
        )
        .await
    })?;
    Ok(see_other(&format!(
        "/attempts/{id}/{}?saved={}",
        name.slug(),
        name.slug()
    )))
}

/// `POST /attempts/{id}/score`: commits the scorecard, after which the reference is shown.
pub async fn commit_score(
    State(state): State<AppState>,
    viewer: Viewer,
    theme: Theme,
    Path(id): Path<String>,
    axum::Form(fields): axum::Form<Fields>,
) -> Result<Response, AppError> {
    let now = state.clock.now();
    let library = state.library();
    let mut reader = state.db.read().await?;
    let permit = store::permit(&mut reader.conn(), viewer.owner(), &id).await?;
    drop(reader);
    let published = library
        .prompt(&permit.attempt().prompt)
        .ok_or(AppError::NotFound)?;
    let criteria: Vec<CriterionId> = published
        .prompt
        .rubric
        .criteria
        .iter()
        .map(|criterion| criterion.id)
        .collect();
    let draft = draft_from_fields(&criteria, &fields);
    let card = match Scorecard::from_draft(&criteria, &draft) {
        Ok(card) => card,
        Err(faults) => {
            return page::score_again(&state, &permit, published, theme, &draft, &faults).await;
        }
    };
    let score = field(&fields, "score");
    if uuid::Uuid::parse_str(score).is_err() {
        return Err(AppError::invalid(
            "score",
            "This form has no usable key. Reload the page; your choices are kept there.",
        ));
    }
    let version = published.prompt.rubric.version;
    transact!(state.db, |conn| {
        let permit = store::permit(conn, viewer.owner(), &id).await?;
        store::commit_score(conn, &permit, score, version, &card, now).await
    })?;
    Ok(see_other(&format!("/attempts/{id}/result")))
}

fn draft_from_fields(
    criteria: &[CriterionId],
    fields: &Fields,
) -> BTreeMap<CriterionId, DraftEntry> {
    criteria
        .iter()
        .map(|criterion| {
            let slug = criterion.slug();
            let entry = DraftEntry {
                rating: Rating::from_slug(field(fields, &format!("rating.{slug}"))),
                evidence: plain_text(field(fields, &format!("evidence.{slug}"))),
            };
            (*criterion, entry)
        })
        .collect()
}

/// An attempt as it leaves Headroom. Instants are RFC 3339 in UTC.
#[derive(Serialize)]
struct Export {
    format: &'static str,
    id: String,
    prompt: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    variant: Option<String>,
    title: String,
    way: &'static str,
    level: &'static str,
    minutes: Option<u32>,
    started_at: String,
    sections: Vec<ExportedSection>,
    minutes_by_phase: Vec<PhaseMinutes>,
    hints_asked: usize,
    scores: Vec<ExportedScore>,
}

#[derive(Serialize)]
struct PhaseMinutes {
    phase: &'static str,
    minutes: f64,
}

#[derive(Serialize)]
struct ExportedSection {
    name: String,
    title: String,
    revision: i64,
    saved_at: String,
    /// Its present text was saved after the round's end.
    overtime: bool,
    body: String,
}

#[derive(Serialize)]
struct ExportedScore {
    number: i64,
    rubric_version: i64,
    scored_at: String,
    entries: Vec<crate::domain::scorecard::Entry>,
}

/// `GET /attempts/{id}/export/{format}`: the attempt as Markdown (`attempt.md`) or JSON (`attempt.json`).
pub async fn export(
    State(state): State<AppState>,
    viewer: Viewer,
    Path((id, format)): Path<(String, String)>,
) -> Result<Response, AppError> {
    let library = state.library();
    let mut reader = state.db.read().await?;
    let conn = &mut reader.conn();
    let permit = store::permit(conn, viewer.owner(), &id).await?;
    let attempt = permit.attempt();
    let published = library.prompt(&attempt.prompt);
    if format == "attempt.md" {
        let whole = store::archive::attempt(conn, &permit).await?;
        let titles = published.map(|published| prompt_titles(&published.prompt));
        let text = attempt_markdown(&whole, titles.as_ref());
        return download(
            &attempt.prompt,
            &format,
            "text/markdown; charset=utf-8",
            text,
        );
    }
    if format != "attempt.json" {
        return Err(AppError::NotFound);
    }
    let saved = store::sections(conn, &permit).await?;
    let spent = store::presence(conn, &permit).await?.spent;
    let title = published.map_or_else(
        || attempt.prompt.clone(),
        |published| published.prompt.title.clone(),
    );
    let ends_at = attempt.clock().ends_at();
    let export = Export {
        format: "headroom-attempt-1",
        id: attempt.id.clone(),
        prompt: attempt.prompt.clone(),
        variant: attempt.variant.clone(),
        title,
        way: attempt.terms.way.slug(),
        level: attempt.terms.level.slug(),
        minutes: attempt.terms.minutes,
        started_at: page::utc(attempt.started_at),
        sections: page::in_order(saved)
            .into_iter()
            .map(|section| ExportedSection {
                title: page::section_title(&section.name, published.map(AsRef::as_ref)),
                name: section.name.slug(),
                revision: section.revision,
                saved_at: page::utc(section.saved_at),
                overtime: ends_at.is_some_and(|ends_at| section.saved_at > ends_at),
                body: section.body,
            })
            .collect(),
        minutes_by_phase: Phase::ALL
            .into_iter()
            .map(|phase| PhaseMinutes {
                phase: phase.slug(),
                minutes: (spent[phase.index()] as f64 / 6_000.0).round() / 10.0,
            })
            .collect(),
        hints_asked: store::hints(conn, &permit).await?.len(),
        scores: store::scores(conn, &permit)
            .await?
            .into_iter()
            .map(|score| ExportedScore {
                number: score.number,
                rubric_version: score.rubric_version,
                scored_at: page::utc(score.scored_at),
                entries: score.card.entries,
            })
            .collect(),
    };
    let text = serde_json::to_string_pretty(&export).map_err(AppError::internal)?;
    download(&attempt.prompt, &format, "application/json", text)
}

fn download(
    prompt: &str,
    format: &str,
    kind: &'static str,
    text: String,
) -> Result<Response, AppError> {
    let mut response = text.into_response();
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    let name = format!("attachment; filename=\"{prompt}-{format}\"");
    headers.insert(
        CONTENT_DISPOSITION,
        HeaderValue::from_str(&name).map_err(AppError::internal)?,
    );
    Ok(response)
}
