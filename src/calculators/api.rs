//! How the island asks for what comes of changed inputs. Must never know how a result is drawn.

use leptos::prelude::*;
use serde::{Deserialize, Serialize};
use server_fn::codec::Json;

use crate::error::AppError;

/// The key of an address under which the attempt stands that a result is for.
pub const FOR_ATTEMPT: &str = "for";

/// What comes of a calculator's inputs, ready to show.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Calculation {
    /// HTML: the answers, the working, the chart; or what stands in the way.
    pub results: String,
    /// The fault of each input, empty where there is none.
    pub faults: Vec<(String, String)>,
    /// How each input was taken, empty where it was taken as it stands.
    pub notes: Vec<(String, String)>,
}

/// Works a calculator. `inputs` is what was typed, by the inputs' ids.
#[server(prefix = "/api", endpoint = "calculate", input = Json)]
pub async fn calculate(
    name: String,
    inputs: Vec<(String, String)>,
) -> Result<Calculation, AppError> {
    crate::server::function::answer(async { super::page::calculate(&name, &inputs) }).await
}
