//! The page of an error.

use std::collections::BTreeMap;

use askama::Template;

use super::frame::Frame;

/// What the page shows.
#[derive(Debug, Clone)]
pub struct ErrorView<'a> {
    pub site: &'a str,
    pub status: u16,
    /// What happened and what to do.
    pub message: String,
    /// What is wrong with which field of the form.
    pub fields: BTreeMap<String, String>,
    pub request_id: &'a str,
}

#[derive(Template)]
#[template(path = "error.html")]
struct ErrorPage<'a> {
    frame: Frame,
    heading: &'static str,
    text: String,
    fields: &'a BTreeMap<String, String>,
    way_out: &'static str,
    way_out_label: &'static str,
    request_id: &'a str,
}

/// Writes it.
#[must_use]
pub fn page(view: &ErrorView<'_>) -> String {
    let (way_out, way_out_label) =
        if view.status == 401 { ("/sign-in", "Sign in") } else { ("/", "Go to the home page") };
    let page = ErrorPage {
        frame: Frame::anonymous(view.site),
        heading: heading(view.status),
        text: sentence(&view.message),
        fields: &view.fields,
        way_out,
        way_out_label,
        request_id: view.request_id,
    };
    page.render().unwrap_or_else(|_| view.message.clone())
}

fn heading(status: u16) -> &'static str {
    match status {
        400 | 422 => "That cannot be used",
        401 => "Sign in first",
        403 => "Not allowed",
        404 => "Nothing here",
        405 => "Not that way",
        409 => "Not now",
        410 => "Not valid any more",
        413 => "Too large",
        429 => "Too many attempts",
        503 => "Back in a moment",
        _ => "Something went wrong",
    }
}

/// A fragment as a sentence: capital and full stop.
fn sentence(fragment: &str) -> String {
    let mut letters = fragment.chars();
    let text: String = letters.next().into_iter().flat_map(char::to_uppercase).chain(letters).collect();
    if text.ends_with(['.', '!', '?']) { text } else { format!("{text}.") }
}
