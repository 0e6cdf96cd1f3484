//! The one error that crosses the wire, between the server and the islands.
//!
//! It carries what a person can act on, never a cause: causes are logged once, where they are handled, under the id
//! that [`AppError::Internal`] carries.

use serde::{Deserialize, Serialize};
use server_fn::codec::JsonEncoding;
use server_fn::error::{FromServerFnError, ServerFnErrorErr};

use crate::domain::attempt::UnixMillis;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "kebab-case")]
pub enum AppError {
    /// There is no such thing, or it is another person's: the two are not told apart.
    #[error("There is nothing at this address.")]
    NotFound,
    #[error("This request was refused.")]
    Forbidden,
    /// The text was changed since the revision that this save started from. The current one comes with it.
    #[error("This text was changed elsewhere since you started from it.")]
    Conflict(Box<Current>),
    /// Something that was sent cannot be taken as it is.
    #[error("{}", .0.iter().map(|fault| fault.message.as_str()).collect::<Vec<_>>().join(" "))]
    Invalid(Vec<FieldFault>),
    /// A limit is reached; the text says which and what to do.
    #[error("{}", .0.message)]
    TooMany(Wait),
    /// Our fault. The id stands in the log beside the cause.
    #[error("Something failed on our side. It is logged as {0}.")]
    Internal(String),
    /// The server could not be reached: made by the islands, never sent.
    #[error("The server cannot be reached.")]
    Unreachable,
}

/// A field that cannot be taken, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldFault {
    pub field: String,
    pub message: String,
}

/// A limit that is reached, and when it may be tried again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wait {
    pub message: String,
    /// 0 when waiting does not help.
    pub seconds: u32,
}

/// What a section holds now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Current {
    pub revision: i64,
    pub body: String,
    pub saved_at: UnixMillis,
}

impl AppError {
    pub fn too_many(message: impl Into<String>, seconds: u32) -> Self {
        Self::TooMany(Wait {
            message: message.into(),
            seconds,
        })
    }

    pub fn invalid(field: &str, message: impl Into<String>) -> Self {
        Self::Invalid(vec![FieldFault {
            field: field.to_owned(),
            message: message.into(),
        }])
    }
}

impl FromServerFnError for AppError {
    type Encoder = JsonEncoding;

    fn from_server_fn_error(value: ServerFnErrorErr) -> Self {
        match value {
            ServerFnErrorErr::Request(_)
            | ServerFnErrorErr::Response(_)
            | ServerFnErrorErr::Deserialization(_) => Self::Unreachable,
            ServerFnErrorErr::Args(message) | ServerFnErrorErr::MissingArg(message) => {
                Self::invalid("", message)
            }
            _ => Self::Internal("transport".to_owned()),
        }
    }
}
