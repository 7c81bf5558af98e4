//! The page before an act that cannot be undone: it names what will be lost.

use askama::Template;

use crate::ui::frame::{Frame, Tab};

#[derive(Template)]
#[template(path = "admin/confirm.html")]
pub(super) struct Confirm {
    pub(super) frame: Frame,
    pub(super) tab: Tab,
    pub(super) heading: String,
    pub(super) lead: &'static str,
    pub(super) losses: Vec<&'static str>,
    pub(super) action: String,
    pub(super) button: &'static str,
    pub(super) back: String,
}
