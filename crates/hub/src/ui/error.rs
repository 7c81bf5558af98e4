//! The page of an error.

use std::collections::BTreeMap;

/// What the page shows.
#[derive(Debug, Clone)]
pub struct ErrorView<'a> {
    pub status: u16,
    pub title: &'a str,
    /// What happened and what to do.
    pub message: String,
    /// What is wrong with which field of the form.
    pub fields: BTreeMap<String, String>,
    pub request_id: &'a str,
}

/// Writes it.
#[must_use]
pub fn page(view: &ErrorView<'_>) -> String {
    let ErrorView { status, title, message, request_id, .. } = view;
    let message = message.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>{title}</title>\
         <h1>{status} {title}</h1><p>{message}</p><p>Request {request_id}</p></html>"
    )
}
