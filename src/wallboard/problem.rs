//! A problem of a definition, with its place for the author.

use serde::Serialize;
use utoipa::ToSchema;

use crate::wallboard::formula::protocol::Fault;

/// A problem of a definition
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema, thiserror::Error)]
#[error("{}{message}", .field.map(|field| format!("{field}: ")).unwrap_or_default())]
pub struct Problem {
    /// The metric's unique name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metric: Option<String>,
    /// The field of its definition.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub field: Option<&'static str>,
    /// Line in a formula, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<u32>,
    /// Column in that line, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub column: Option<u32>,
    /// The problem, as a sentence
    pub message: String,
}

impl Problem {
    pub fn of(field: &'static str, message: impl Into<String>) -> Self {
        Self { metric: None, field: Some(field), line: None, column: None, message: message.into() }
    }

    pub fn whole(message: impl Into<String>) -> Self {
        Self { metric: None, field: None, line: None, column: None, message: message.into() }
    }

    pub fn of_formula(fault: Fault) -> Self {
        let Fault { message, line, column } = fault;
        Self { metric: None, field: Some("formula"), line, column, message }
    }

    #[must_use]
    pub fn in_metric(self, name: &str) -> Self {
        Self { metric: Some(name.to_owned()), ..self }
    }
}
