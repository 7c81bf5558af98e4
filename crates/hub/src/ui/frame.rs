//! What every page has around its own content: name of the site, who I am, where I am.

use askama::Template;
use axum::response::{Html, IntoResponse, Response};
use serde::Deserialize;

use crate::{auth::SignedIn, error::Error, state::Hub};

/// The frame of a page.
#[derive(Debug, Clone)]
pub(crate) struct Frame {
    pub(crate) site: String,
    pub(crate) visitor: Option<Who>,
    /// Proof that a form comes from a page of this login; empty for visitors without one.
    pub(crate) csrf: String,
    pub(crate) section: Section,
    /// What was just done, in a sentence.
    pub(crate) notice: Option<&'static str>,
}

/// What was just done, as the address says after a form.
#[derive(Debug, Clone, Default, Deserialize)]
pub(crate) struct Done {
    pub(crate) done: Option<String>,
}

/// The person the page is for.
#[derive(Debug, Clone)]
pub(crate) struct Who {
    pub(crate) name: String,
    pub(crate) administrator: bool,
}

impl Who {
    /// First letter of the name, for the round mark beside it.
    pub(crate) fn initial(&self) -> String {
        self.name.chars().take(1).collect()
    }
}

/// Entries of the main menu.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Section {
    Home,
    Workloads,
    Administration,
    Account,
    Elsewhere,
}

/// Entries of the menu of administrators.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tab {
    Workloads,
    Users,
    Groups,
    Apps,
    Engines,
    Audit,
}

impl Tab {
    /// Whether this is the entry of that name.
    pub(crate) fn is(self, name: &str) -> bool {
        let here = match self {
            Self::Workloads => "workloads",
            Self::Users => "users",
            Self::Groups => "groups",
            Self::Apps => "apps",
            Self::Engines => "engines",
            Self::Audit => "audit",
        };
        here == name
    }
}

impl Frame {
    /// For somebody who is not signed in.
    pub(crate) fn anonymous(site: &str) -> Self {
        Self {
            site: site.to_owned(),
            visitor: None,
            csrf: String::new(),
            section: Section::Elsewhere,
            notice: None,
        }
    }

    /// For a signed-in person.
    pub(crate) fn of(hub: &Hub, who: &SignedIn, section: Section) -> Self {
        let user = who.actor.user();
        let csrf = who.csrf.as_ref().map(|token| token.expose().to_owned()).unwrap_or_default();
        let who = Who { name: user.name.to_string(), administrator: user.is_administrator() };
        Self { site: hub.config.title.clone(), visitor: Some(who), csrf, section, notice: None }
    }

    /// With the sentence for an act that the address names (`?done=stopped`). Only known words have one,
    /// so that no link can put words into our mouth.
    pub(crate) fn after(mut self, done: &Done) -> Self {
        self.notice = done.done.as_deref().and_then(sentence);
        self
    }

    /// Whether the page belongs to this entry of the main menu.
    pub(crate) fn is_at(&self, place: &str) -> bool {
        let here = match self.section {
            Section::Home => "home",
            Section::Workloads => "workloads",
            Section::Administration => "administration",
            Section::Account => "account",
            Section::Elsewhere => "",
        };
        here == place
    }

    pub(crate) fn is_administrator(&self) -> bool {
        self.visitor.as_ref().is_some_and(|who| who.administrator)
    }
}

fn sentence(done: &str) -> Option<&'static str> {
    Some(match done {
        "stopped" => "It is being stopped. Its workspace and log stay.",
        "restarted" => "It is being started again.",
        "deleted" => "Deleted.",
        "renamed" | "saved" => "Saved.",
        "password" => "Password changed. Your other sign-ins have ended.",
        "signed-out" => "That sign-in has ended.",
        "token-deleted" => "The token is dead from now on.",
        "disabled" => "Disabled. Sign-ins and tokens are dead, sessions are being stopped.",
        "enabled" => "Enabled.",
        "added" => "Added.",
        "removed" => "Removed.",
        "granted" => "Granted. It shows up in their catalogue at once.",
        "revoked" => "Revoked. It is gone from their catalogue.",
        _ => return None,
    })
}

/// Renders a page.
///
/// # Errors
/// Only when a template is broken, which is a defect.
pub(crate) fn render(page: &impl Template) -> Result<Response, Error> {
    Ok(Html(page.render().map_err(Error::internal)?).into_response())
}
