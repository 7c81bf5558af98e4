//! The audit log: filter and export.

use askama::Template;
use axum::{extract::State, response::Response};
use portico_core::{
    AuditId,
    audit::{AuditEvent, Outcome},
};
use portico_store::audit::Filter;
use serde::Deserialize;

use crate::{
    auth::SignedIn,
    error::Error,
    http::extract::Query,
    router::{Audience, Pages},
    service::{audit, user},
    state::Hub,
    ui::{
        frame::{Frame, Section, Tab, render},
        view::{Moment, query_text},
    },
};

const PAGE: u32 = 100;

pub(super) fn routes() -> Pages {
    Pages::new().get("/admin/audit", Audience::Administrator, show)
}

#[derive(Template)]
#[template(path = "admin/audit.html")]
struct AuditPage {
    frame: Frame,
    tab: Tab,
    rows: Vec<Row>,
    filter: Asked,
    outcomes: [&'static str; 3],
    /// The filter as the export addresses take it.
    query: String,
    next: Option<String>,
    problem: Option<String>,
}

struct Row {
    at: Moment,
    user: String,
    action: String,
    thing: String,
    outcome: &'static str,
    from: String,
    detail: String,
}

#[derive(Default, Deserialize)]
struct Asked {
    #[serde(default)]
    user: String,
    #[serde(default)]
    action: String,
    #[serde(default)]
    outcome: String,
    cursor: Option<AuditId>,
}

async fn show(State(hub): State<Hub>, who: SignedIn, Query(asked): Query<Asked>) -> Result<Response, Error> {
    let permit = who.actor.may_administer()?;
    let mut filter = Filter { action: asked.action.trim().to_owned(), ..Filter::default() };
    filter.outcome = match asked.outcome.as_str() {
        "done" => Some(Outcome::Done),
        "refused" => Some(Outcome::Refused),
        "failed" => Some(Outcome::Failed),
        _ => None,
    };
    let mut problem = None;
    if !asked.user.trim().is_empty() {
        match user::by_name(&hub, &permit, &asked.user).await {
            Ok(found) => filter.user = Some(found.id),
            Err(Error::NotFound) => {
                problem = Some(format!("There is no user {:?}; acts of everybody are shown.", asked.user))
            }
            Err(error) => return Err(error),
        }
    }
    let page = audit::list(&hub, &permit, &filter, asked.cursor.as_ref(), PAGE).await?;
    let query = query(&asked, &filter);
    let last = page.items.last().filter(|_| page.more);
    let next = last.map(|last| format!("/admin/audit{}&cursor={}", here(&asked), last.id));
    render(&AuditPage {
        frame: Frame::of(&hub, &who, Section::Administration),
        tab: Tab::Audit,
        rows: page.items.into_iter().map(Row::from).collect(),
        filter: asked,
        outcomes: ["done", "refused", "failed"],
        query,
        next,
        problem,
    })
}

/// The same filter, for the next page.
fn here(asked: &Asked) -> String {
    let Asked { user, action, outcome, .. } = asked;
    format!("?user={}&action={}&outcome={}", query_text(user), query_text(action), query_text(outcome))
}

/// The filter in the words of the export.
fn query(asked: &Asked, filter: &Filter) -> String {
    let mut query = format!("action={}", query_text(&filter.action));
    if let Some(user) = &filter.user {
        query.push_str(&format!("&user={user}"));
    }
    if filter.outcome.is_some() {
        query.push_str(&format!("&outcome={}", asked.outcome));
    }
    query
}

impl From<AuditEvent> for Row {
    fn from(event: AuditEvent) -> Self {
        Self {
            at: event.at.into(),
            user: if event.user_name.is_empty() { "portico".to_owned() } else { event.user_name },
            action: event.action,
            thing: event.thing,
            outcome: match event.outcome {
                Outcome::Done => "done",
                Outcome::Refused => "refused",
                Outcome::Failed => "failed",
            },
            from: event.address,
            detail: event.detail,
        }
    }
}
