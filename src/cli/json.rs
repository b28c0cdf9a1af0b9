//! The JSON of the verbs that report: what stands around a report, so that a program can tell what it reads.
//!
//! `docs/json.md` describes it and `docs/countersign.schema.json` checks it. Never a secret.

use std::io;

use serde::Serialize;

use super::error::Error;
use crate::status::{Phase, Status};

/// Fields may be added to a format; what one means, or that it is there, changes with a new one.
pub(super) const FORMAT: u32 = 1;

/// A report with its name.
#[derive(Serialize)]
struct Document<Report> {
    format: u32,
    report: &'static str,
    #[serde(flatten)]
    content: Report,
}

/// The report of `countersign status`.
#[derive(Serialize)]
struct StatusReport<'a> {
    state: Phase,
    #[serde(flatten)]
    status: &'a Status,
}

/// A report as one line of JSON.
pub(super) fn document(report: &'static str, content: impl Serialize) -> Result<String, Error> {
    line(Document { format: FORMAT, report, content })
}

/// The report of `countersign status` as one line of JSON.
pub(super) fn status(status: &Status) -> Result<String, Error> {
    document("status", StatusReport { state: status.phase(), status })
}

/// One line of JSON.
pub(super) fn line(content: impl Serialize) -> Result<String, Error> {
    serde_json::to_string(&content).map_err(|error| Error::System(io::Error::from(error)))
}
