//! A calculator beside the worksheet: what comes of its inputs, and its rows put into the worksheet.

use std::collections::HashSet;

use axum::extract::{Path, State};
use axum::response::Response;
use leptos::prelude::RenderHtml as _;

use crate::domain::attempt::SectionName;
use crate::domain::calculator::{self, Inputs, Row};
use crate::domain::worksheet::{Sheet, append};
use crate::error::AppError;
use crate::practice::store;
use crate::server::content_library::PublishedPrompt;
use crate::server::document::see_other;
use crate::server::extract::Viewer;
use crate::server::form::Fields;
use crate::server::function::context;
use crate::server::state::AppState;
use crate::transact;
use crate::ui::calculation::{fields, results, words};

use super::{Beside, CalculatorLink};

/// The most names that a worksheet's rows, givens and wanted estimates have together.
const MOST_TAKEN: usize = 200;

/// Every calculator, to choose from.
pub fn links() -> Vec<CalculatorLink> {
    calculator::all()
        .iter()
        .map(|calculator| CalculatorLink {
            slug: calculator.slug.to_owned(),
            title: calculator.title.to_owned(),
        })
        .collect()
}

/// The server function's side. `taken` are the names that the worksheet's rows have.
pub fn beside(
    name: &str,
    inputs: &[(String, String)],
    taken: &[String],
) -> Result<Beside, AppError> {
    let calculator = calculator::find(name).ok_or(AppError::NotFound)?;
    let (state, _) = context()?;
    if taken.len() > MOST_TAKEN {
        return Err(AppError::invalid(
            "taken",
            "The worksheet has more rows than it can hold. Take some out, then calculate again.",
        ));
    }
    let taken: HashSet<&str> = taken.iter().map(String::as_str).collect();
    let inputs = Inputs::from_query(calculator, inputs.iter().cloned());
    let worked = inputs.work();
    Ok(Beside {
        title: calculator.title.to_owned(),
        form: fields(&inputs, "calc").to_html(),
        results: state
            .library()
            .glossary
            .on_a_page()
            .link_html(&results(calculator, &worked).to_html()),
        faults: inputs.of_each(|field| field.reading.as_ref().err().map(words)),
        notes: inputs.of_each(|field| field.note.clone()),
        rows: worked
            .map(|worked| {
                worked
                    .rows(|id| taken.contains(id))
                    .into_iter()
                    .map(|row| (row.id, row.text))
                    .collect()
            })
            .unwrap_or_default(),
    })
}

/// The names that a new row must not have: those of the worksheet's rows, of what is given and of what is asked for.
fn taken(sheet: &Sheet, published: Option<&PublishedPrompt>, variant: Option<&str>) -> Vec<String> {
    let mut taken: Vec<String> = sheet.rows().map(|(id, _)| id.to_owned()).collect();
    if let Some(published) = published {
        let estimates = published.estimates_for(variant);
        taken.extend(estimates.givens.iter().map(|given| given.id.clone()));
        taken.extend(estimates.estimates.iter().map(|one| one.id.clone()));
    }
    taken
}

fn rows(inputs: &Inputs, taken: &[String]) -> Result<Vec<Row>, AppError> {
    let worked = inputs.work().map_err(|faults| {
        let first = faults.first().map(words).unwrap_or_default();
        AppError::invalid(
            "inputs",
            format!("Nothing was inserted. {first} Go back and mend it."),
        )
    })?;
    Ok(worked.rows(|id| taken.iter().any(|other| other == id)))
}

/// `POST /attempts/{id}/calculators/{name}`: the calculator's numbers become rows at the end of the worksheet.
pub async fn insert(
    State(state): State<AppState>,
    viewer: Viewer,
    Path((id, name)): Path<(String, String)>,
    axum::Form(typed): axum::Form<Fields>,
) -> Result<Response, AppError> {
    let calculator = calculator::find(&name).ok_or(AppError::NotFound)?;
    // The form sends what the page was asked with; what is no input of this calculator is not for it.
    let known = typed
        .into_iter()
        .filter(|(key, _)| calculator.input(key).is_some());
    let inputs = Inputs::from_query(calculator, known);
    let now = state.clock.now();
    let library = state.library();
    let section = SectionName::Worksheet;
    transact!(state.db, |conn| {
        let permit = store::permit(conn, viewer.owner(), &id).await?;
        let attempt = permit.attempt();
        let current = store::current(conn, &permit, &section).await?;
        let (sheet, _) = Sheet::parse(&current.body);
        let published = library.prompt(&attempt.prompt).map(AsRef::as_ref);
        let taken = taken(&sheet, published, attempt.variant.as_deref());
        let rows = rows(&inputs, &taken)?;
        let rows = rows.iter().map(|row| (row.id.as_str(), row.text.as_str()));
        let body = append(&current.body, rows)
            .map_err(|full| AppError::invalid("inputs", full.to_string()))?;
        super::handlers::check_section(published, &section, &body, "insert")?;
        let save = store::Save {
            name: &section,
            body: &body,
            base: current.revision,
            // Each insertion is one of its own: a second press adds a second time, under other names.
            key: &crate::server::clock::new_id(now),
        };
        store::save(conn, &permit, &save, now).await
    })?;
    Ok(see_other(&format!(
        "/attempts/{id}/worksheet?saved=worksheet"
    )))
}
