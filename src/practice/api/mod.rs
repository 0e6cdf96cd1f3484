//! What the workspace asks of the server: server functions for the island, form handlers for everybody.
//!
//! Each is short: leave, the domain's rules, the store. What crosses the wire is defined here.

#[cfg(feature = "ssr")]
pub mod calculators;
#[cfg(feature = "ssr")]
pub mod handlers;
#[cfg(feature = "ssr")]
pub mod share;

use std::collections::BTreeMap;

use leptos::prelude::*;
use serde::{Deserialize, Serialize};
use server_fn::codec::Json;

use crate::domain::attempt::{Terms, UnixMillis};
use crate::error::AppError;

/// Everything that the workspace starts with.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct WorkspaceData {
    pub attempt: String,
    pub prompt: String,
    pub title: String,
    pub terms: Terms,
    pub started_at: UnixMillis,
    /// The server's clock when this was put together.
    pub now: UnixMillis,
    /// Milliseconds by phase, in the usual order.
    pub spent: [i64; 8],
    /// The section that is open.
    pub current: String,
    /// In the order of the rail: the phases, with the worksheet before the estimates' notes, then the curveballs that
    /// have arrived.
    pub sections: Vec<SectionText>,
    pub curveballs: Vec<DueCurveball>,
    /// When the next curveball arrives; its text is not sent before.
    pub next_curveball_at: Option<UnixMillis>,
    /// Makes the keys of saves by plain forms, with the section's name.
    pub form_key: String,
    pub wanted: Vec<WantedEstimate>,
    pub givens: Vec<GivenQuantity>,
    pub calculators: Vec<CalculatorLink>,
}

/// A section as the server has it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SectionText {
    pub name: String,
    pub body: String,
    /// 0 when nothing was saved yet.
    pub revision: i64,
    pub saved_at: UnixMillis,
    /// What a form sent and the server did not take; it stands in the editor.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unsaved: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DueCurveball {
    pub id: String,
    pub title: String,
    /// The question as HTML.
    pub question: String,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct WantedEstimate {
    pub id: String,
    pub label: String,
    pub unit: String,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct GivenQuantity {
    pub id: String,
    pub label: String,
    pub value: String,
}

/// A calculator that can be opened beside the worksheet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CalculatorLink {
    pub slug: String,
    pub title: String,
}

/// A calculator with what comes of its inputs, ready to show.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Beside {
    pub title: String,
    /// HTML: its fields.
    pub form: String,
    /// HTML: the answers, or what stands in the way.
    pub results: String,
    /// The fault of each input and how it was taken, empty where there is none.
    pub faults: Vec<(String, String)>,
    pub notes: Vec<(String, String)>,
    /// The result as rows of a worksheet: name and text.
    pub rows: Vec<(String, String)>,
}

/// A save that was taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Saved {
    pub revision: i64,
    pub saved_at: UnixMillis,
}

/// What has happened since the island last asked.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Pulse {
    pub now: UnixMillis,
    pub spent: [i64; 8],
    pub curveballs: Vec<DueCurveball>,
    pub next_curveball_at: Option<UnixMillis>,
    /// Sections that hold something newer than what the island knows.
    pub changed: Vec<SectionText>,
    /// The attempt was scored and takes no more writing.
    pub closed: bool,
}

/// Saves a section that started from revision `base`. The same `key` again is the same save.
#[server(prefix = "/api", endpoint = "save_section", input = Json)]
pub async fn save_section(
    attempt: String,
    section: String,
    body: String,
    base: i64,
    key: String,
) -> Result<Saved, AppError> {
    crate::server::function::answer(handlers::save(&attempt, &section, &body, base, &key)).await
}

/// A sign of life from the workspace, and what it should know. `known` is the revision of each section.
#[server(prefix = "/api", endpoint = "pulse", input = Json)]
pub async fn take_pulse(
    attempt: String,
    section: String,
    known: BTreeMap<String, i64>,
) -> Result<Pulse, AppError> {
    crate::server::function::answer(handlers::pulse(&attempt, &section, &known)).await
}

/// Markdown as it will be shown.
#[server(prefix = "/api", endpoint = "preview", input = Json)]
pub async fn preview(markdown: String) -> Result<String, AppError> {
    crate::server::function::answer(handlers::render_preview(&markdown)).await
}

/// Works a calculator beside a worksheet whose rows have the names `taken`.
#[server(prefix = "/api", endpoint = "calculate_beside", input = Json)]
pub async fn calculate_beside(
    name: String,
    inputs: Vec<(String, String)>,
    taken: Vec<String>,
) -> Result<Beside, AppError> {
    crate::server::function::answer(async { calculators::beside(&name, &inputs, &taken) }).await
}
