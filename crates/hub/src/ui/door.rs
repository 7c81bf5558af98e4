//! Pages that the front door shows at a workload's own address. They stand alone: another origin gives
//! them neither login nor scripts, only the style sheet of the hub.

use askama::Template;
use portico_core::ports::Page;

/// One such page.
#[derive(Debug, Template)]
#[template(path = "door.html")]
pub(crate) struct DoorPage {
    status: u16,
    site: String,
    /// Origin of the hub.
    hub: String,
    heading: String,
    text: String,
    log: String,
    way_out: String,
    way_out_label: &'static str,
    retry_after: Option<u32>,
}

impl DoorPage {
    pub(crate) fn new(status: u16, site: &str, hub: String, heading: &str, text: &str) -> Self {
        Self {
            status,
            site: site.to_owned(),
            way_out: format!("{hub}/workloads"),
            hub,
            heading: heading.to_owned(),
            text: text.to_owned(),
            log: String::new(),
            way_out_label: "Go to my sessions",
            retry_after: None,
        }
    }

    pub(crate) fn with_way_out(mut self, path: &str, label: &'static str) -> Self {
        self.way_out = format!("{}{path}", self.hub);
        self.way_out_label = label;
        self
    }

    pub(crate) fn with_log(self, log: String) -> Self {
        Self { log, ..self }
    }

    pub(crate) fn again_after(self, seconds: u32) -> Self {
        Self { retry_after: Some(seconds), ..self }
    }

    pub(crate) fn render(&self) -> Page {
        let html = Template::render(self).unwrap_or_else(|_| self.heading.clone());
        Page { status: self.status, html, retry_after: self.retry_after }
    }
}
