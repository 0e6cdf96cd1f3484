//! The list of calculators, and each of them.

use axum::extract::{Path, Query, RawQuery, State};
use axum::response::{IntoResponse, Redirect, Response};
use http::{HeaderMap, StatusCode};
use leptos::prelude::*;

use crate::domain::calculator::{self, Inputs};
use crate::error::AppError;
use crate::server::document::{Head, Kind, own_page, public_page, settled};
use crate::server::extract::Theme;
use crate::server::function::context;
use crate::server::state::AppState;
use crate::ui::calculation::{fields, results, words};

use super::api::{Calculation, FOR_ATTEMPT};
use super::island::LiveCalculator;

/// `GET /calculators`
pub async fn list(State(state): State<AppState>, theme: Theme, headers: HeaderMap) -> Response {
    let head = Head {
        title: "Calculators".to_owned(),
        description: "Capacity calculators that show their working: traffic, storage, pools, caches, queues, replicas, latency, availability, retries and cost."
            .to_owned(),
        path: "/calculators".to_owned(),
        kind: Kind::Reading,
        current: "/calculators",
        ..Head::default()
    };
    public_page(&state, theme, &headers, &head, || {
        let rows = calculator::all()
            .iter()
            .map(|calculator| {
                view! {
                    <dt><a href=format!("/calculators/{}", calculator.slug)>{calculator.title}</a></dt>
                    <dd>{calculator.summary}</dd>
                }
            })
            .collect_view();
        view! {
            <main id="main" class="page narrow">
                <h1>"Calculators"</h1>
                <p class="lead">"One for each number that a design round asks for. Each shows the formula with your numbers put in, where its defaults come from, and what fails first at ten times the load."</p>
                <dl class="terms">
                    {rows}
                    <dt><a href="/reference/numbers">"Numbers to know"</a></dt>
                    <dd>"Latency, throughput, limits and prices, as ranges with their sources and dates."</dd>
                </dl>
                <p class="small quiet">"The same at the command line: "<code>"headroom calc traffic dau=20M actions=10"</code>"."</p>
            </main>
        }
        .into_any()
    })
}

/// `GET /calculators/{name}`
pub async fn page(
    State(state): State<AppState>,
    theme: Theme,
    Path(name): Path<String>,
    RawQuery(raw): RawQuery,
    query: Result<Query<Vec<(String, String)>>, axum::extract::rejection::QueryRejection>,
) -> Response {
    if name == "numbers" {
        return Redirect::permanent("/reference/numbers").into_response();
    }
    let Some(calculator) = calculator::find(&name) else {
        return AppError::NotFound.into_response();
    };
    let mut pairs = query.map(|Query(pairs)| pairs).unwrap_or_default();
    let attempt = pairs
        .iter()
        .position(|(key, _)| key == FOR_ATTEMPT)
        .map(|at| pairs.remove(at).1)
        .filter(|id| uuid::Uuid::parse_str(id).is_ok());
    let inputs = Inputs::from_query(calculator, pairs);
    let path = format!("/calculators/{}", calculator.slug);
    let head = Head {
        title: format!("{} · Calculators", calculator.title),
        description: calculator.summary.to_owned(),
        path: path.clone(),
        settled: settled(raw.as_deref()),
        kind: Kind::Islands,
        current: "/calculators",
    };
    let worked = inputs.work();
    let status = if worked.is_ok() {
        StatusCode::OK
    } else {
        StatusCode::UNPROCESSABLE_ENTITY
    };
    own_page(&state, theme, &head, status, || {
        let back = attempt.as_ref().map(|attempt| {
            view! {
                <p class="notice">
                    "The result can go to your worksheet, each number as a row with its formula. "
                    <a href=format!("/attempts/{attempt}/worksheet")>"Back to the worksheet"</a>
                </p>
            }
        });
        view! {
            <main id="main" class="page wide">
                <p class="eyebrow"><a href="/calculators">"Calculators"</a></p>
                <h1>{calculator.title}</h1>
                <p class="lead">{calculator.summary}</p>
                {back}
                <LiveCalculator
                    name=calculator.slug.to_owned()
                    path=path
                    attempt=attempt
                    fields=fields(&inputs, "in").to_html()
                    results=with_terms(&state, &results(calculator, &worked).to_html())
                />
            </main>
        }
        .into_any()
    })
}

/// The server function's side.
pub fn calculate(name: &str, inputs: &[(String, String)]) -> Result<Calculation, AppError> {
    let calculator = calculator::find(name).ok_or(AppError::NotFound)?;
    let (state, _) = context()?;
    let inputs = Inputs::from_query(calculator, inputs.iter().cloned());
    Ok(Calculation {
        results: with_terms(&state, &results(calculator, &inputs.work()).to_html()),
        faults: inputs.of_each(|field| field.reading.as_ref().err().map(words)),
        notes: inputs.of_each(|field| field.note.clone()),
    })
}

fn with_terms(state: &AppState, html: &str) -> String {
    state.library().glossary.on_a_page().link_html(html)
}
