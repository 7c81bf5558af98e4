//! The page that shows a secret, once, in answer to the form that made it.

use askama::Template;

use super::frame::Frame;

#[derive(Template)]
#[template(path = "shown_once.html")]
pub(super) struct ShownOnce {
    pub(super) frame: Frame,
    pub(super) heading: String,
    pub(super) text: &'static str,
    pub(super) secret: String,
    pub(super) back: String,
}
