//! Engines: how each is, and what separates workloads on it.

use askama::Template;
use axum::{extract::State, response::Response};
use portico_core::ports::{Condition, Isolation};

use crate::{
    auth::SignedIn,
    error::Error,
    router::{Audience, Pages},
    service::engine::{self, EngineState},
    state::Hub,
    ui::{
        frame::{Frame, Section, Tab, render},
        view::{Moment, capital},
    },
};

pub(super) fn routes() -> Pages {
    Pages::new().get("/admin/engines", Audience::Administrator, show)
}

#[derive(Template)]
#[template(path = "admin/engines.html")]
struct EnginesPage {
    frame: Frame,
    tab: Tab,
    engines: Vec<EngineView>,
}

struct EngineView {
    name: String,
    kind: &'static str,
    condition: &'static str,
    /// The state whose colour and shape fit.
    state: &'static str,
    problem: Option<String>,
    advice: String,
    version: String,
    running: String,
    checked: Moment,
    isolation: Vec<Isolation>,
}

impl From<EngineState> for EngineView {
    fn from(engine: EngineState) -> Self {
        let (condition, state, problem, advice) = match engine.health.condition {
            Condition::Working => ("working", "ready", None, String::new()),
            Condition::Limited { problem, advice } => ("limited", "starting", Some(problem), advice),
            Condition::Unreachable { problem, advice } => ("unreachable", "failed", Some(problem), advice),
        };
        let running = match engine.capacity {
            Some(most) => format!("{} of at most {most} sessions", engine.workloads),
            None if engine.workloads == 1 => "1 session".to_owned(),
            None => format!("{} sessions", engine.workloads),
        };
        Self {
            name: engine.name.to_string(),
            kind: engine.kind,
            condition,
            state,
            problem: problem.map(|problem| format!("{}.", capital(&problem))),
            advice,
            version: engine.health.version,
            running,
            checked: engine.health.checked.into(),
            isolation: engine.health.isolation,
        }
    }
}

async fn show(State(hub): State<Hub>, who: SignedIn) -> Result<Response, Error> {
    let permit = who.actor.may_administer()?;
    let engines = engine::list(&hub, &permit).await?;
    render(&EnginesPage {
        frame: Frame::of(&hub, &who, Section::Administration),
        tab: Tab::Engines,
        engines: engines.into_iter().map(EngineView::from).collect(),
    })
}
