//! What a search gives, and how the island asks for it. Must never know what there is to be found.

use leptos::prelude::*;
use serde::{Deserialize, Serialize};
use server_fn::codec::Json;

use crate::error::AppError;

/// The most characters of a query that are taken.
pub const QUERY_LENGTH: usize = 200;

/// The most hits of the library that are shown.
pub const MOST_HITS: usize = 30;

/// Something that fits, ready to show.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hit {
    /// Such as `Prompt` or `Term`.
    pub kind: String,
    /// HTML: the title with `<mark>` around what was found.
    pub title: String,
    /// HTML likewise.
    pub excerpt: String,
    pub path: String,
}

/// What a search came to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Results {
    pub query: String,
    /// The best first.
    pub hits: Vec<Hit>,
    /// The query as it was taken, where a word of it was not known.
    pub taken_as: Option<String>,
    /// The person's own attempts that fit.
    pub own: Vec<Hit>,
}

/// Searches while somebody types.
#[server(prefix = "/api", endpoint = "search", input = Json)]
pub async fn search(query: String) -> Result<Results, AppError> {
    crate::server::function::answer(super::page::search(&query)).await
}
