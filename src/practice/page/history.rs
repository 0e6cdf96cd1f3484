//! The kept revisions of a section, one of them opened, and the way back to it.

use axum::extract::{Path, Query, State};
use axum::response::Response;
use http::StatusCode;
use leptos::prelude::*;
use serde::Deserialize;

use crate::domain::attempt::SectionName;
use crate::error::AppError;
use crate::practice::store;
use crate::server::clock::new_id;
use crate::server::clock::words;
use crate::server::document::{Head, Kind, own_page};
use crate::server::extract::{Theme, Viewer};
use crate::server::markdown::{Place, render_or_explain};
use crate::server::state::AppState;

use super::{attempt_title, section_title};

#[derive(Debug, Default, Deserialize)]
pub struct HistoryQuery {
    revision: Option<i64>,
}

/// `GET /attempts/{id}/{section}/history`
pub async fn history(
    State(state): State<AppState>,
    viewer: Viewer,
    theme: Theme,
    Path((id, section)): Path<(String, String)>,
    query: Result<Query<HistoryQuery>, axum::extract::rejection::QueryRejection>,
) -> Result<Response, AppError> {
    let name = SectionName::from_slug(&section).ok_or(AppError::NotFound)?;
    let mut reader = state.db.read().await?;
    let conn = &mut reader.conn();
    let permit = store::permit(conn, viewer.owner(), &id).await?;
    let lines = store::revisions(conn, &permit, &name).await?;
    let wanted = query
        .ok()
        .and_then(|Query(query)| query.revision)
        .or_else(|| lines.first().map(|line| line.revision));
    let opened = match wanted {
        Some(revision) => Some(store::revision(conn, &permit, &name, revision).await?),
        None => None,
    };
    drop(reader);
    let (library, zone) = (state.library(), viewer.zone());
    let attempt = permit.attempt();
    let published = library.prompt(&attempt.prompt).map(AsRef::as_ref);
    let title = section_title(&name, published);
    let latest = lines.first().map(|line| line.revision);
    let closed = attempt.is_closed();
    let key = new_id(state.clock.now());
    let (path, name) = (format!("/attempts/{id}/{section}"), name);
    let back = format!(
        "/attempts/{id}/{}",
        name.phase()
            .map_or_else(|| name.slug(), |phase| phase.slug().to_owned())
    );
    let head = Head {
        title: format!("History of {title}"),
        description: "Earlier versions of a section.".to_owned(),
        path: format!("{path}/history"),
        kind: Kind::Own,
        current: "/attempts",
        ..Head::default()
    };
    let prompt = attempt_title(published, attempt);
    Ok(own_page(&state, theme, &head, StatusCode::OK, || {
        let rows = lines
            .iter()
            .map(|line| {
                let current = opened.as_ref().is_some_and(|opened| opened.revision == line.revision);
                view! {
                    <tr>
                        <th scope="row" class="num">
                            <a href=format!("{path}/history?revision={}", line.revision) aria-current=current.then_some("true")>
                                {format!("Revision {}", line.revision)}
                            </a>
                        </th>
                        <td>{words(line.saved_at, &zone)}</td>
                        <td class="n">{format!("{} characters", line.length)}</td>
                    </tr>
                }
            })
            .collect_view();
        view! {
            <main id="main" class="page wide">
                <p class="eyebrow"><a href=back.clone()>{prompt}</a>" / "{title.clone()}</p>
                <h1>{format!("History of {title}")}</h1>
                <p class="quiet">"Saves within a minute of each other are kept as one."</p>
                {if lines.is_empty() {
                    view! { <p class="empty">"Nothing was saved in this section yet. "<a href=back>"Write something first"</a>"."</p> }.into_any()
                } else {
                    view! {
                        <div class="history">
                            <table><thead class="hidden"><tr><th>"Revision"</th><th>"Saved"</th><th>"Length"</th></tr></thead><tbody>{rows}</tbody></table>
                            {opened.map(|opened| {
                                let html = if name == SectionName::Worksheet {
                                    format!("<pre tabindex=\"0\">{}</pre>", crate::domain::markup::escape(&opened.body))
                                } else {
                                    render_or_explain(&opened.body, Place::section("old"))
                                };
                                let old = latest != Some(opened.revision);
                                view! {
                                    <article aria-labelledby="opened">
                                        <h2 id="opened">{format!("Revision {}, {}", opened.revision, words(opened.saved_at, &zone))}</h2>
                                        {(old && !closed).then(|| view! {
                                            <form method="post" action=format!("{path}/restore")>
                                                <input type="hidden" name="revision" value=opened.revision/>
                                                <input type="hidden" name="key" value=key/>
                                                <button class="btn">"Restore this revision"</button>
                                                <span class="quiet small">" It becomes the newest; the present one stays in this list."</span>
                                            </form>
                                        })}
                                        {(!old).then(|| view! { <p class="quiet">"This is the present text."</p> })}
                                        <div class="prose" inner_html=html></div>
                                    </article>
                                }
                            })}
                        </div>
                    }
                    .into_any()
                }}
            </main>
        }
        .into_any()
    }))
}
