//! The home page, the list of prompts with its filter, and a prompt.

use std::sync::Arc;

use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse, Response};
use http::HeaderMap;
use leptos::prelude::*;
use serde::Deserialize;

use crate::domain::attempt::{LENGTHS, Terms, Way, length_slug};
use crate::domain::content::{Prompt, SourceRef};
use crate::domain::level::Level;
use crate::domain::phase::Phase;
use crate::error::AppError;
use crate::server::content_library::{Library, PublishedPrompt};
use crate::server::document::{Head, Kind, public_page};
use crate::server::extract::Theme;
use crate::server::state::AppState;
use crate::ui::sources::Sources;

/// `GET /`
pub async fn home(State(state): State<AppState>, theme: Theme, headers: HeaderMap) -> Response {
    let head = Head {
        title: String::new(),
        description: "Practise system design interviews: timed attempts at canonical prompts, scored against a rubric \
                      before the reference is shown. Free to host, no account needed."
            .to_owned(),
        path: "/".to_owned(),
        kind: Kind::Reading,
        current: "/",
        ..Head::default()
    };
    let library = state.library();
    let first = library
        .prompt("payments-processor")
        .or_else(|| library.prompts.first());
    let (first_path, first_title) = first.map_or_else(
        || ("/prompts".to_owned(), "Choose a prompt".to_owned()),
        |first| {
            (
                format!("/prompts/{}", first.prompt.slug),
                format!("Start with the {}", first.prompt.title.to_lowercase()),
            )
        },
    );
    public_page(&state, theme, &headers, &head, || {
        view! {
            <main id="main" class="page home">
                <section class="opening">
                    <h1>"Practise system design, and find out where you stand"</h1>
                    <p class="lead">
                        "Take a canonical prompt against the clock, score your own design with evidence, and only then see the \
                         reference, the gaps to the level you aim at, and the one thing to do next."
                    </p>
                    <p class="actions">
                        <a class="btn go" href=first_path>{first_title}</a>
                        <a class="btn" href="/prompts">"All prompts"</a>
                    </p>
                    <p class="quiet">"No account needed. Everything you type is kept, on this device and on the server."</p>
                </section>
                <section aria-labelledby="how">
                    <h2 id="how">"How an attempt goes"</h2>
                    <ol class="steps">
                        <li><h3>"Design"</h3><p>"Eight phases with target minutes for your level, from requirements to rollout. An estimate worksheet that knows units. Every revision kept."</p></li>
                        <li><h3>"Score"</h3><p>"Each criterion has an anchor at four levels. Choose the one that your text meets and quote what shows it, before you see any answer."</p></li>
                        <li><h3>"Compare"</h3><p>"The reference beside your own sections, your estimates beside the working, your minutes beside the targets, and the next step for each gap."</p></li>
                    </ol>
                </section>
                <section aria-labelledby="besides">
                    <h2 id="besides">"Besides"</h2>
                    <ol class="steps">
                        <li><h3><a href="/exercises">"Exercises"</a></h3><p>"Incidents that are revealed step by step, and changes with planted faults to find by line."</p></li>
                        <li><h3><a href="/calculators">"Calculators"</a></h3><p>"One for each number that a round asks for, with its working, and what fails first at ten times the load."</p></li>
                        <li><h3><a href="/reference">"Reference"</a></h3><p>"Levels, loops, pay, the scorecard and the reading list, each figure with its source; and a glossary to test yourself."</p></li>
                    </ol>
                </section>
                <section aria-labelledby="all">
                    <h2 id="all">"Prompts"</h2>
                    <PromptTable prompts=library.prompts.clone()/>
                </section>
            </main>
        }
        .into_any()
    })
}

#[derive(Debug, Default, Deserialize)]
pub struct FilterQuery {
    #[serde(default)]
    level: String,
    #[serde(default)]
    topic: String,
    #[serde(default)]
    minutes: String,
}

/// A filter that is understood; what is not is named to the person and left out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Filter {
    level: Option<Level>,
    topic: Option<String>,
    minutes: Option<u32>,
    unknown: Vec<String>,
}

impl Filter {
    fn read(query: &FilterQuery, topics: &[String]) -> Self {
        let mut filter = Self::default();
        let mut take = |given: &str, known: bool, what: &str| {
            if !given.is_empty() && !known {
                let given: String = given.chars().take(40).collect();
                filter
                    .unknown
                    .push(format!("There is no {what} “{given}”, so it is left out."));
            }
        };
        let level = Level::from_slug(&query.level);
        take(&query.level, level.is_some(), "level");
        let topic = topics.iter().find(|topic| **topic == query.topic).cloned();
        take(&query.topic, topic.is_some(), "topic");
        let minutes = query
            .minutes
            .parse()
            .ok()
            .filter(|minutes| LENGTHS.contains(&Some(*minutes)));
        take(&query.minutes, minutes.is_some(), "length");
        Self {
            level,
            topic,
            minutes,
            ..filter
        }
    }

    fn takes(&self, published: &PublishedPrompt) -> bool {
        let prompt = &published.prompt;
        self.level
            .is_none_or(|level| prompt.levels.contains(&level))
            && self
                .topic
                .as_ref()
                .is_none_or(|topic| prompt.topics.contains(topic))
            && self
                .minutes
                .is_none_or(|minutes| prompt.minutes.contains(&minutes))
    }

    /// The one address of this selection.
    fn path(&self) -> String {
        let parts: Vec<String> = [
            self.level.map(|level| format!("level={}", level.slug())),
            self.topic.as_ref().map(|topic| format!("topic={topic}")),
            self.minutes.map(|minutes| format!("minutes={minutes}")),
        ]
        .into_iter()
        .flatten()
        .collect();
        if parts.is_empty() {
            "/prompts".to_owned()
        } else {
            format!("/prompts?{}", parts.join("&"))
        }
    }
}

/// `GET /prompts`
pub async fn list(
    State(state): State<AppState>,
    theme: Theme,
    headers: HeaderMap,
    query: Result<Query<FilterQuery>, axum::extract::rejection::QueryRejection>,
) -> Response {
    let library = state.library();
    let mut topics: Vec<String> = library
        .prompts
        .iter()
        .flat_map(|published| published.prompt.topics.clone())
        .collect();
    topics.sort();
    topics.dedup();
    let filter = Filter::read(
        &query.map(|Query(query)| query).unwrap_or_default(),
        &topics,
    );
    let head = Head {
        title: "Prompts".to_owned(),
        description: "Canonical system design prompts with rubric, estimates and a worked reference, by level, topic and minutes."
            .to_owned(),
        path: filter.path(),
        kind: Kind::Reading,
        current: "/prompts",
        ..Head::default()
    };
    let body = || {
        let found: Vec<_> = library
            .prompts
            .iter()
            .filter(|published| filter.takes(published))
            .cloned()
            .collect();
        list_view(&library, &topics, &filter, found)
    };
    if filter.unknown.is_empty() {
        public_page(&state, theme, &headers, &head, body)
    } else {
        // Whatever a stranger writes into an address must not fill the cache.
        crate::server::document::own_page(&state, theme, &head, http::StatusCode::OK, body)
    }
}

fn list_view(
    library: &Library,
    topics: &[String],
    filter: &Filter,
    found: Vec<Arc<PublishedPrompt>>,
) -> AnyView {
    let count = match (found.len(), library.prompts.len()) {
        (shown, all) if shown == all => format!("{all} prompts"),
        (shown, all) => format!("{shown} of {all} prompts"),
    };
    let select = |name: &'static str,
                  label: &'static str,
                  any: &'static str,
                  options: Vec<(String, String, bool)>| {
        view! {
            <label>
                <span class="eyebrow">{label}</span>
                <select name=name>
                    <option value="">{any}</option>
                    {options
                        .into_iter()
                        .map(|(value, text, chosen)| view! { <option value=value selected=chosen>{text}</option> })
                        .collect_view()}
                </select>
            </label>
        }
    };
    let levels = Level::ALL
        .map(|level| {
            (
                level.slug().to_owned(),
                level.title().to_owned(),
                filter.level == Some(level),
            )
        })
        .to_vec();
    let topics = topics
        .iter()
        .map(|topic| {
            (
                topic.clone(),
                topic.replace('-', " "),
                filter.topic.as_ref() == Some(topic),
            )
        })
        .collect();
    let minutes = LENGTHS
        .into_iter()
        .flatten()
        .map(|minutes| {
            (
                minutes.to_string(),
                format!("{minutes} minutes"),
                filter.minutes == Some(minutes),
            )
        })
        .collect();
    view! {
        <main id="main" class="page">
            <h1>"Prompts"</h1>
            <p class="lead">"Know a small set of designs cold. Each comes with a rubric, numbers to estimate and a worked reference."</p>
            <form class="filter" method="get" action="/prompts" role="search" aria-label="Filter the prompts">
                {select("level", "Level", "Any level", levels)}
                {select("topic", "Topic", "Any topic", topics)}
                {select("minutes", "Length", "Any length", minutes)}
                <button class="btn">"Show"</button>
                {(*filter != Filter::default()).then(|| view! { <a href="/prompts">"Show all"</a> })}
            </form>
            {filter.unknown.iter().map(|text| view! { <p class="notice">{text.clone()}</p> }).collect_view()}
            <p class="quiet count">{count}</p>
            {if found.is_empty() {
                view! {
                    <p class="empty">
                        "No prompt fits all three. Leave one of them open, or "<a href="/prompts">"show all prompts"</a>"."
                    </p>
                }
                .into_any()
            } else {
                view! { <PromptTable prompts=found/> }.into_any()
            }}
            <section aria-labelledby="exercises">
                <h2 id="exercises">"Two other rounds"</h2>
                <p class="quiet">
                    <a href="/exercises">"Exercises"</a>" beside design: debugging an incident in production step by step, and reviewing a \
                     change with planted faults."
                </p>
            </section>
        </main>
    }
    .into_any()
}

#[component]
fn PromptTable(prompts: Vec<Arc<PublishedPrompt>>) -> impl IntoView {
    let rows = prompts
        .into_iter()
        .map(|published| {
            let prompt = &published.prompt;
            let levels = prompt
                .levels
                .iter()
                .map(|level| level.title())
                .collect::<Vec<_>>()
                .join(", ");
            let minutes = prompt
                .minutes
                .iter()
                .map(u32::to_string)
                .collect::<Vec<_>>()
                .join(", ");
            let topics = topic_words(prompt);
            view! {
                <tr>
                    <th scope="row">
                        <a href=format!("/prompts/{}", prompt.slug)>{prompt.title.clone()}</a>
                        <p>{prompt.summary.clone()}</p>
                    </th>
                    <td data-label="Levels">{levels}</td>
                    <td data-label="Minutes" class="num">{minutes}</td>
                    <td data-label="Topics">{topics}</td>
                </tr>
            }
        })
        .collect_view();
    view! {
        <table class="prompts stacks">
            <thead>
                <tr><th scope="col">"Prompt"</th><th scope="col">"Levels"</th><th scope="col">"Minutes"</th><th scope="col">"Topics"</th></tr>
            </thead>
            <tbody>{rows}</tbody>
        </table>
    }
}

/// What a link may settle in the start form beforehand.
#[derive(Debug, Default, Deserialize)]
pub struct StartQuery {
    #[serde(default)]
    level: String,
    #[serde(default)]
    minutes: String,
    #[serde(default)]
    way: String,
    #[serde(default)]
    focus: String,
    #[serde(default)]
    variant: String,
}

/// `GET /prompts/{slug}`
pub async fn prompt(
    State(state): State<AppState>,
    theme: Theme,
    headers: HeaderMap,
    Path(slug): Path<String>,
    query: Result<Query<StartQuery>, axum::extract::rejection::QueryRejection>,
) -> Response {
    let library = state.library();
    let Some(published) = library.prompt(&slug) else {
        return AppError::NotFound.into_response();
    };
    let query = query.map(|Query(query)| query).unwrap_or_default();
    let prompt = &published.prompt;
    let level =
        Level::from_slug(&query.level).unwrap_or(if prompt.levels.contains(&Level::Senior) {
            Level::Senior
        } else {
            prompt.levels[0]
        });
    let minutes = crate::domain::attempt::length_from_slug(&query.minutes).unwrap_or(Some(60));
    let way = Way::from_slug(&query.way).unwrap_or(Way::Guided);
    let focus = Phase::from_slug(&query.focus);
    let variant = prompt
        .variant(&query.variant)
        .map(|variant| variant.id.clone());
    let terms = Terms {
        way,
        level,
        minutes,
    };
    let mut settled: Vec<String> = Vec::new();
    if !query.level.is_empty()
        || !query.minutes.is_empty()
        || !query.way.is_empty()
        || focus.is_some()
        || variant.is_some()
    {
        settled.push(format!("level={}", level.slug()));
        settled.push(format!("minutes={}", length_slug(minutes)));
        settled.push(format!("way={}", way.slug()));
        settled.extend(focus.map(|phase| format!("focus={}", phase.slug())));
        settled.extend(variant.as_ref().map(|id| format!("variant={id}")));
    }
    let query = if settled.is_empty() {
        String::new()
    } else {
        format!("?{}", settled.join("&"))
    };
    let head = Head {
        title: prompt.title.clone(),
        description: prompt.summary.clone(),
        path: format!("/prompts/{slug}"),
        settled: query,
        kind: Kind::Reading,
        current: "/prompts",
    };
    public_page(&state, theme, &headers, &head, || {
        prompt_view(published, terms, focus, variant)
    })
}

fn topic_words(prompt: &Prompt) -> String {
    let words: Vec<_> = prompt
        .topics
        .iter()
        .map(|topic| topic.replace('-', " "))
        .collect();
    words.join(", ")
}

fn prompt_view(
    published: &PublishedPrompt,
    terms: Terms,
    focus: Option<Phase>,
    variant: Option<String>,
) -> AnyView {
    let prompt = &published.prompt;
    let section = |id: &'static str, title: &'static str, html: &str| {
        let html = html.to_owned();
        view! { <section aria-labelledby=id><h2 id=id>{title}</h2><div inner_html=html></div></section> }
    };
    let topics = topic_words(prompt);
    let curveballs = prompt
        .curveballs
        .iter()
        .zip(&published.questions)
        .map(|(ball, html)| {
            view! {
                <details class="fold">
                    <summary><span class="num when">{format!("min {} · {}", ball.minute, ball.level.slug())}</span>{ball.title.clone()}</summary>
                    <div inner_html=html.clone()></div>
                </details>
            }
        })
        .collect_view();
    view! {
        <main id="main" class="page two-columns">
            <article class="prose">
                <p class="eyebrow"><a href="/prompts">"Prompts"</a>{format!(" / {topics}")}</p>
                <h1>{prompt.title.clone()}</h1>
                <p class="lead">{prompt.summary.clone()}</p>
                <p class="jump"><a class="btn go" href="#start">"Start an attempt"</a></p>
                {section("situation", "The situation", &published.situation)}
                {section("functional", "What it must do", &published.functional)}
                {section("quality", "How well it must do it", &published.quality)}
                {section("scope", "Out of scope", &published.out_of_scope)}
                <section aria-labelledby="hints">
                    <h2 id="hints">"Hints"</h2>
                    <p class="quiet small">"One at a time, from gentle to strong. In an interview attempt they are shown only when asked for, and recorded."</p>
                    {hints(published, 0)}
                </section>
                <section aria-labelledby="curveballs">
                    <h2 id="curveballs">"Curveballs"</h2>
                    <p class="quiet small">"In an interview attempt these arrive by themselves at their minute. Leave them closed if you want to be surprised."</p>
                    {curveballs}
                </section>
                <section aria-labelledby="variants">
                    <h2 id="variants">"When you come back"</h2>
                    <p class="quiet small">"A variant changes the numbers or a constraint, so that a repeat is not a recital. Take the prompt as it stands first."</p>
                    {prompt
                        .variants
                        .iter()
                        .zip(&published.changes)
                        .map(|(variant, html)| view! {
                            <details class="fold">
                                <summary>{variant.title.clone()}</summary>
                                <div inner_html=html.clone()></div>
                            </details>
                        })
                        .collect_view()}
                </section>
                <section aria-labelledby="sources" class="sources">
                    <h2 id="sources">"Sources"</h2>
                    <Sources sources=published.sources.clone()/>
                </section>
            </article>
            <aside aria-label="Start and facts">
                <StartForm published=published terms=terms focus=focus variant=variant/>
                <Facts published=published/>
            </aside>
        </main>
    }
    .into_any()
}

/// Each hint holds the next one inside, so that they open one at a time without a script.
fn hints(published: &PublishedPrompt, number: usize) -> AnyView {
    let Some(hint) = published.prompt.hints.get(number) else {
        return ().into_any();
    };
    let html = published.hints.get(number).cloned().unwrap_or_default();
    let rest = hints(published, number + 1);
    view! {
        <details class="fold">
            <summary><span class="num when">{hint.phase.title()}</span>{hint.title.clone()}</summary>
            <div inner_html=html></div>
            {rest}
        </details>
    }
    .into_any()
}

#[component]
fn StartForm<'a>(
    published: &'a PublishedPrompt,
    terms: Terms,
    focus: Option<Phase>,
    variant: Option<String>,
) -> impl IntoView {
    let prompt = &published.prompt;
    let choice = |name: &'static str, value: String, text: String, chosen: bool| {
        view! { <label><input type="radio" name=name value=value checked=chosen/>{text}</label> }
    };
    let ways = Way::ALL.map(|way| {
        choice(
            "way",
            way.slug().to_owned(),
            way.title().to_owned(),
            terms.way == way,
        )
    });
    let levels = prompt
        .levels
        .iter()
        .map(|level| {
            choice(
                "level",
                level.slug().to_owned(),
                level.title().to_owned(),
                terms.level == *level,
            )
        })
        .collect_view();
    let lengths = LENGTHS.map(|length| {
        let text = length.map_or_else(|| "untimed".to_owned(), |minutes| minutes.to_string());
        choice(
            "minutes",
            length_slug(length),
            text,
            terms.minutes == length,
        )
    });
    view! {
        <form id="start" class="start" method="post" action=format!("/prompts/{}/attempts", prompt.slug)>
            <h2 class="hidden">"Start an attempt"</h2>
            <fieldset><legend>"Way"</legend><span class="seg">{ways.collect_view()}</span></fieldset>
            <p class="small quiet way-note">
                "Guided shows hints and what each phase looks for. Interview keeps a strict clock and throws curveballs."
            </p>
            <fieldset><legend>"Aim for"</legend><span class="seg">{levels}</span></fieldset>
            <fieldset><legend>"Minutes"</legend><span class="seg">{lengths.collect_view()}</span></fieldset>
            <label>
                <span class="eyebrow">"Variant"</span>
                <select name="variant">
                    <option value="">"As it stands"</option>
                    {prompt
                        .variants
                        .iter()
                        .map(|one| view! {
                            <option value=one.id.clone() selected=variant.as_deref() == Some(&one.id)>{one.title.clone()}</option>
                        })
                        .collect_view()}
                </select>
            </label>
            {focus.map(|phase| view! {
                <input type="hidden" name="focus" value=phase.slug()/>
                <p class="small">"Opens at "<b>{phase.title()}</b>", the phase to work on."</p>
            })}
            <button class="btn go">"Start the attempt"</button>
            <p class="small quiet">"No account needed. Everything you type is kept."</p>
        </form>
    }
}

fn cited(source: &SourceRef) -> AnyView {
    match source {
        SourceRef::Ours => view! { <span class="eyebrow">" ours"</span> }.into_any(),
        SourceRef::Cited(id) => {
            view! { <sup class="cite"><a href=format!("#source-{id}")>{id.clone()}</a></sup> }
                .into_any()
        }
    }
}

#[component]
fn Facts<'a>(published: &'a PublishedPrompt) -> impl IntoView {
    let prompt = &published.prompt;
    let rows = prompt
        .scale
        .iter()
        .map(|row| {
            let source = cited(&row.source);
            view! {
                <tr>
                    <th scope="row">{row.label.clone()}{source}{row.note.clone().map(|note| view! { <p>{note}</p> })}</th>
                    <td class="n">{row.value.clone()}</td>
                </tr>
            }
        })
        .collect_view();
    let criteria = prompt
        .rubric
        .criteria
        .iter()
        .map(|criterion| view! { <li>{criterion.title.clone()}</li> })
        .collect_view();
    let named = prompt
        .named
        .iter()
        .map(|named| {
            let note = named.note.as_ref().map(|note| format!(", {note}"));
            view! { <li>{named.level.title()}{note}{cited(&named.source)}</li> }
        })
        .collect_view();
    view! {
        <section class="judged" aria-labelledby="named">
            <h2 id="named" class="eyebrow">"Named for, by the sources"</h2>
            <ul>{named}</ul>
        </section>
        <table class="facts"><caption>"The scale"</caption><tbody>{rows}</tbody></table>
        <section class="judged" aria-labelledby="judged">
            <h2 id="judged" class="eyebrow">"Judged on"</h2>
            <ul>{criteria}</ul>
        </section>
    }
}
