//! The workspace as the server renders it: whole and usable without a script.

use axum::extract::{Path, Query, State};
use axum::response::Response;
use http::StatusCode;
use leptos::prelude::*;
use serde::Deserialize;

use crate::domain::attempt::{SectionName, Way};
use crate::domain::content::Estimates;
use crate::domain::phase::Phase;
use crate::error::{AppError, Current};
use crate::practice::api::calculators;
use crate::practice::api::handlers::curveballs;
use crate::practice::api::{GivenQuantity, SectionText, WantedEstimate, WorkspaceData};
use crate::practice::island::workspace::Workspace;
use crate::practice::store::{self, APART, Attempt, AttemptPermit};
use crate::server::clock::new_id;
use crate::server::content_library::PublishedPrompt;
use crate::server::document::{Head, Kind, own_page, see_other};
use crate::server::extract::{Theme, Viewer};
use crate::server::glossary::OnAPage;
use crate::server::state::AppState;
use crate::ui::sources::Sources;
use crate::ui::text_area::TextArea;

use super::{attempt_title, section_title, seen};

/// `GET /attempts/{id}`: to where the person was, or to the result.
pub async fn resume(
    State(state): State<AppState>,
    viewer: Viewer,
    Path(id): Path<String>,
) -> Result<Response, AppError> {
    let mut reader = state.db.read().await?;
    let permit = store::permit(&mut reader.conn(), viewer.owner(), &id).await?;
    let attempt = permit.attempt();
    let page = if attempt.is_closed() {
        "result"
    } else {
        attempt.phase.slug()
    };
    Ok(see_other(&format!("/attempts/{id}/{page}")))
}

/// What a form that led here has just done.
#[derive(Debug, Default, Deserialize)]
pub struct CameFrom {
    /// The section that was saved.
    #[serde(default)]
    saved: String,
    /// The side panel to open.
    #[serde(default)]
    panel: String,
}

/// `GET /attempts/{id}/{section}`
pub async fn workspace(
    State(state): State<AppState>,
    viewer: Viewer,
    theme: Theme,
    Path((id, section)): Path<(String, String)>,
    query: Result<Query<CameFrom>, axum::extract::rejection::QueryRejection>,
) -> Result<Response, AppError> {
    let name = SectionName::from_slug(&section).ok_or(AppError::NotFound)?;
    let query = query.map(|Query(query)| query).unwrap_or_default();
    let permit = seen(&state, &viewer, &id, name.phase()).await?;
    if permit.attempt().is_closed() {
        return Ok(see_other(&format!("/attempts/{id}/result")));
    }
    render(&state, theme, &permit, &name, &query, None).await
}

/// A save by form that was not taken: the page again, with what was typed and what to do about it.
struct Unsaved<'a> {
    name: &'a SectionName,
    body: &'a str,
    base: i64,
    error: AppError,
}

#[expect(
    clippy::too_many_arguments,
    reason = "what a form sent, and why it was not taken"
)]
pub async fn workspace_again(
    state: &AppState,
    viewer: &Viewer,
    theme: Theme,
    id: &str,
    name: &SectionName,
    body: &str,
    base: i64,
    error: AppError,
) -> Result<Response, AppError> {
    let permit = seen(state, viewer, id, name.phase()).await?;
    if let AppError::Conflict(current) = &error {
        return Ok(both_versions(state, theme, &permit, name, body, current));
    }
    render(
        state,
        theme,
        &permit,
        name,
        &CameFrom::default(),
        Some(Unsaved {
            name,
            body,
            base,
            error,
        }),
    )
    .await
}

async fn render(
    state: &AppState,
    theme: Theme,
    permit: &AttemptPermit,
    open: &SectionName,
    came: &CameFrom,
    unsaved: Option<Unsaved<'_>>,
) -> Result<Response, AppError> {
    let library = state.library();
    let attempt = permit.attempt();
    let published = library.prompt(&attempt.prompt);
    let data = data(state, permit, published.map(AsRef::as_ref), open).await?;
    let known = |name: &SectionName| {
        data.sections
            .iter()
            .any(|section| section.name == name.slug())
    };
    if !known(open) {
        return Err(AppError::NotFound);
    }
    let title = section_title(open, published.map(AsRef::as_ref));
    let head = Head {
        title: format!(
            "{title} · {}",
            attempt_title(published.map(AsRef::as_ref), attempt)
        ),
        description: "A timed attempt at a system design prompt.".to_owned(),
        path: format!("/attempts/{}/{}", attempt.id, open.slug()),
        kind: Kind::Tool,
        current: "/attempts",
        ..Head::default()
    };
    let mut data = data;
    let mut notice = SectionName::from_slug(&came.saved).map(|name| {
        format!(
            "{} saved.",
            section_title(&name, published.map(AsRef::as_ref))
        )
    });
    let mut status = StatusCode::OK;
    if let Some(unsaved) = unsaved {
        status = unsaved.error.status();
        notice = Some(unsaved.error.to_string());
        let slug = unsaved.name.slug();
        for section in &mut data.sections {
            // A worksheet with a fault in a row is saved nevertheless.
            if section.name == slug && section.body != unsaved.body {
                section.unsaved = Some(unsaved.body.to_owned());
                section.revision = unsaved.base;
            }
        }
    }
    let mut reader = state.db.read().await?;
    let asked = store::hints(&mut reader.conn(), permit).await?.len();
    drop(reader);
    let data = serde_json::to_string(&data).map_err(AppError::internal)?;
    let published = published.cloned();
    let (permit, open, hints_first) = (permit.clone(), open.slug(), came.panel == "hints");
    Ok(own_page(state, theme, &head, status, move || {
        let panel = published.map(|published| {
            // A panel is looked at by itself: what the prompt links, it links again.
            let terms = library.glossary.on_a_page();
            side_panel(
                &published,
                permit.attempt(),
                asked,
                open,
                hints_first,
                &terms,
            )
        });
        let failed = status != StatusCode::OK;
        view! {
            {notice.map(|text| view! {
                <p class=if failed { "notice over fault" } else { "notice over without-script" } role="status">{text}</p>
            })}
            <Workspace data=data>
                {panel}
            </Workspace>
        }
        .into_any()
    }))
}

async fn data(
    state: &AppState,
    permit: &AttemptPermit,
    published: Option<&PublishedPrompt>,
    open: &SectionName,
) -> Result<WorkspaceData, AppError> {
    let now = state.clock.now();
    let attempt = permit.attempt();
    let mut reader = state.db.read().await?;
    let conn = &mut reader.conn();
    let saved = store::sections(conn, permit).await?;
    let spent = store::presence(conn, permit).await?.spent;
    let (due, next_curveball_at) = curveballs(permit, published, now);
    let names = Phase::ALL
        .into_iter()
        .flat_map(|phase| {
            let numbers = (phase == Phase::Estimates).then_some(SectionName::Worksheet);
            numbers.into_iter().chain([SectionName::Phase(phase)])
        })
        .chain(
            due.iter()
                .map(|ball| SectionName::Curveball(ball.id.clone())),
        );
    let sections = names
        .map(|name| {
            let found = saved.iter().find(|section| section.name == name);
            SectionText {
                name: name.slug(),
                body: found
                    .map(|section| section.body.clone())
                    .unwrap_or_default(),
                revision: found.map_or(0, |section| section.revision),
                saved_at: found.map_or(0, |section| section.saved_at),
                unsaved: None,
            }
        })
        .collect();
    let estimates = published.map(|published| published.estimates_for(attempt.variant.as_deref()));
    Ok(WorkspaceData {
        attempt: attempt.id.clone(),
        prompt: attempt.prompt.clone(),
        title: attempt_title(published, attempt),
        terms: attempt.terms,
        started_at: attempt.started_at,
        now,
        spent,
        current: open.slug(),
        sections,
        curveballs: due,
        next_curveball_at,
        form_key: new_id(now),
        wanted: estimates.map(wanted).unwrap_or_default(),
        givens: estimates.map(givens).unwrap_or_default(),
        calculators: calculators::links(),
    })
}

fn wanted(estimates: &Estimates) -> Vec<WantedEstimate> {
    estimates
        .estimates
        .iter()
        .map(|estimate| WantedEstimate {
            id: estimate.id.clone(),
            label: estimate.label.clone(),
            unit: estimate.unit.label().to_owned(),
        })
        .collect()
}

fn givens(estimates: &Estimates) -> Vec<GivenQuantity> {
    estimates
        .givens
        .iter()
        .map(|given| GivenQuantity {
            id: given.id.clone(),
            label: given.label.clone(),
            value: given.value.text.clone(),
        })
        .collect()
}

/// What stands beside the text: the prompt, what is looked for, the hints.
fn side_panel(
    published: &PublishedPrompt,
    attempt: &Attempt,
    asked: usize,
    open: String,
    hints_first: bool,
    terms: &OnAPage<'_>,
) -> AnyView {
    let guided = attempt.terms.way == Way::Guided;
    view! {
        <div class="tabs" role="group" aria-label="Side panel">
            <label><input type="radio" name="panel" id="panel-prompt" checked=!hints_first/>"Prompt"</label>
            {guided.then(|| view! { <label><input type="radio" name="panel" id="panel-looked-for"/>"Looked for"</label> })}
            <label><input type="radio" name="panel" id="panel-hints" checked=hints_first/>"Hints"</label>
        </div>
        <div class="panel" data-panel="prompt">{prompt_panel(published, attempt)}</div>
        {guided.then(|| looked_for_panel(published, attempt, terms))}
        <div class="panel" data-panel="hints" id="hints">{hints_panel(published, attempt, asked, open)}</div>
        // In a tab of its own: the round goes on here.
        <form class="search-form" role="search" action="/search" target="_blank" aria-label="Search the library">
            <input type="search" name="q" placeholder="Search the library" aria-label="Search the library" maxlength="200" enterkeyhint="search"/>
        </form>
    }
    .into_any()
}

/// The anchors of the level aimed at, those of the open phase shown.
fn looked_for_panel(
    published: &PublishedPrompt,
    attempt: &Attempt,
    terms: &OnAPage<'_>,
) -> AnyView {
    let level = attempt.terms.level;
    let criteria = published
        .prompt
        .rubric
        .criteria
        .iter()
        .map(|criterion| {
            view! {
                <section data-phase=criterion.phase.slug()>
                    <h3>{criterion.title.clone()}<span class="eyebrow">{criterion.phase.title()}</span></h3>
                    <p class="why" inner_html=terms.html(&criterion.anchor(level.bar()).text)></p>
                </section>
            }
        })
        .collect_view();
    // A phase without a criterion of its own says so, rather than nothing.
    let others = Phase::ALL
        .into_iter()
        .filter(|phase| published.prompt.rubric.criteria.iter().all(|criterion| criterion.phase != *phase))
        .map(|phase| {
            view! {
                <section data-phase=phase.slug()>
                    <h3>{phase.title()}</h3>
                    <p class="why">"No criterion of this rubric is tied to this phase alone; it counts through the others."</p>
                </section>
            }
        })
        .collect_view();
    view! {
        <div class="panel" data-panel="looked-for">
            <h2>{format!("Looked for at {}", level.title())}</h2>
            <p class="quiet small">"What belongs to the open phase comes first."</p>
            <div class="looked-for">{criteria}{others}</div>
        </div>
    }
    .into_any()
}

/// Guided: all hints, closed. Interview: those that were asked for, and the button for the next.
fn hints_panel(
    published: &PublishedPrompt,
    attempt: &Attempt,
    asked: usize,
    open: String,
) -> AnyView {
    let guided = attempt.terms.way == Way::Guided;
    let all = published.hints.len();
    let shown = if guided { all } else { asked };
    let hints = published
        .prompt
        .hints
        .iter()
        .zip(&published.hints)
        .take(shown)
        .map(|(hint, html)| {
            view! {
                <details class="fold" open=!guided>
                    <summary><span class="when">{hint.phase.title()}</span>{hint.title.clone()}</summary>
                    <div inner_html=html.clone()></div>
                </details>
            }
        })
        .collect_view();
    let left = all.saturating_sub(shown);
    let ask = (!guided).then(|| {
        view! {
            <form method="post" action=format!("/attempts/{}/hints", attempt.id)>
                <input type="hidden" name="back" id="back" value=open/>
                <button class="btn" disabled=left == 0>
                    {if left == 0 { "All hints are shown".to_owned() } else { format!("Ask for a hint ({left} left)") }}
                </button>
            </form>
        }
    });
    view! {
        <h2>"Hints"</h2>
        {(!guided).then(|| view! { <p class="quiet small">"Each one that you ask for is recorded and shown with your result."</p> })}
        {hints}
        {ask}
    }
    .into_any()
}

/// The prompt beside the text. In an interview its hints and curveballs are left out: they come by other ways.
fn prompt_panel(published: &PublishedPrompt, attempt: &Attempt) -> impl IntoView {
    let terms = attempt.terms;
    let guided = terms.way == Way::Guided;
    let prompt = &published.prompt;
    let variant = published.variant(attempt.variant.as_deref());
    let rows = variant
        .map_or(&prompt.scale, |variant| &variant.variant.scale)
        .iter()
        .map(|row| view! { <tr><th scope="row">{row.label.clone()}</th><td class="n">{row.value.clone()}</td></tr> })
        .collect_view();
    let part = |title: &'static str, html: &str| {
        let html = html.to_owned();
        view! { <h3>{title}</h3><div inner_html=html></div> }
    };
    let balls = guided.then(|| {
        prompt
            .curveballs
            .iter()
            .zip(&published.questions)
            .map(|(ball, html)| {
                view! {
                    <details class="fold">
                        <summary><span class="num when">{format!("min {}", terms.curveball_minute(ball.minute))}</span>{ball.title.clone()}</summary>
                        <div inner_html=html.clone()></div>
                    </details>
                }
            })
            .collect_view()
    });
    view! {
        <h2>{prompt.title.clone()}</h2>
        <p class="quiet">{prompt.summary.clone()}</p>
        {variant.map(|variant| view! {
            <section class="variant" aria-label="What is different">
                <h3>{format!("Variant: {}", variant.variant.title)}</h3>
                <div inner_html=variant.changes.to_owned()></div>
            </section>
        })}
        <table class="facts"><caption>"The scale"</caption><tbody>{rows}</tbody></table>
        {part("The situation", &published.situation)}
        {part("What it must do", &published.functional)}
        {part("How well it must do it", &published.quality)}
        {part("Out of scope", &published.out_of_scope)}
        {balls.map(|balls| view! { <h3>"Curveballs"</h3>{balls} })}
        <details class="fold"><summary>"Sources"</summary><Sources sources=published.sources.clone()/></details>
    }
}

/// Without JavaScript: a save that failed for a reason that no form can mend. The text comes back to be copied.
pub fn not_saved(state: &AppState, theme: Theme, body: &str, error: &AppError) -> Response {
    let head = Head {
        title: "Not saved".to_owned(),
        description: "A text that could not be saved.".to_owned(),
        path: "/attempts".to_owned(),
        kind: Kind::Own,
        current: "/attempts",
        ..Head::default()
    };
    let signed_out = *error == AppError::NotFound;
    let reason = if signed_out {
        "This browser was signed out, or its session ended, so it cannot open this attempt now."
            .to_owned()
    } else {
        error.to_string()
    };
    let text = body.to_owned();
    own_page(state, theme, &head, error.status(), || {
        view! {
            <main id="main" class="page account">
                <h1>"Your text was not saved"</h1>
                <p class="lead">{reason}</p>
                <p>"It stands below as you sent it. Copy it before you leave this page."</p>
                <TextArea id="kept" name="body" text=text label="Your text" rows=20 read_only=true/>
                <p class="actions links">
                    {signed_out.then(|| view! { <a class="btn" href="/sign-in?next=/attempts">"Sign in"</a> })}
                    <a href="/attempts">"Your attempts"</a>
                </p>
            </main>
        }
        .into_any()
    })
}

/// Without JavaScript: a save that started from an older text. Both are shown; what is sent next is what counts.
fn both_versions(
    state: &AppState,
    theme: Theme,
    permit: &AttemptPermit,
    name: &SectionName,
    body: &str,
    current: &Current,
) -> Response {
    let library = state.library();
    let attempt = permit.attempt();
    let published = library.prompt(&attempt.prompt);
    let title = section_title(name, published.map(AsRef::as_ref));
    let path = format!("/attempts/{}/{}", attempt.id, name.slug());
    let back = format!(
        "/attempts/{}/{}",
        attempt.id,
        name.phase()
            .map_or_else(|| name.slug(), |phase| phase.slug().to_owned())
    );
    let head = Head {
        title: format!("Two versions of {title}"),
        description: "A section that was changed in two places.".to_owned(),
        path: path.clone(),
        kind: Kind::Own,
        current: "/attempts",
        ..Head::default()
    };
    let key = format!("{APART}{}", new_id(state.clock.now()));
    let (theirs, mine, revision) = (current.body.clone(), body.to_owned(), current.revision);
    let worksheet = *name == SectionName::Worksheet;
    let rows = crate::practice::island::worksheet::rows_of(body);
    own_page(state, theme, &head, StatusCode::CONFLICT, || {
        view! {
            <main id="main" class="page wide">
                <h1>{format!("Two versions of {title}")}</h1>
                <p class="lead">
                    "This section was changed elsewhere after you opened it. Nothing is lost: the other version is saved, yours is \
                     below. Change yours until it is right and save it, or leave it and keep the other."
                </p>
                <form class="pair" method="post" action=path>
                    <input type="hidden" name="base" value=revision/>
                    <input type="hidden" name="key" value=key/>
                    <div>
                        <h2>"Yours, not saved yet"</h2>
                        {if worksheet {
                            rows.into_iter()
                                .map(|(name, value)| view! {
                                    <p class="row">
                                        <input class="mono" name="row" value=name aria-label="Name"/>
                                        <input class="mono" name="text" value=value aria-label="Value"/>
                                    </p>
                                })
                                .collect_view()
                                .into_any()
                        } else {
                            view! { <TextArea id="mine" name="body" text=mine label="Your version" rows=20/> }.into_any()
                        }}
                        <p class="actions"><button class="btn go">"Save this version"</button><a class="btn" href=back>"Keep the other"</a></p>
                    </div>
                    <div>
                        <h2>{format!("Saved elsewhere, revision {revision}")}</h2>
                        <TextArea id="theirs" name="theirs" text=theirs label="The other version" rows=20 read_only=true/>
                    </div>
                </form>
            </main>
        }
        .into_any()
    })
}
