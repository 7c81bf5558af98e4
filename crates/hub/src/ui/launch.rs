//! The launch form of an app, made from its typed parameters.

use std::collections::BTreeMap;

use askama::Template;
use axum::{
    extract::State,
    response::{IntoResponse, Redirect, Response},
};
use http::StatusCode;
use portico_core::{
    app::App,
    names::AppName,
    param::{Parameter, ParameterKind, Presence},
};

use super::{
    frame::{Frame, Section, render},
    view::{AppView, size},
};
use crate::{
    auth::SignedIn,
    entropy,
    error::{Error, Fields},
    http::extract::{At, Form},
    router::{Audience, Pages},
    service::{
        app::{self, Offer},
        launch::{self, Order},
    },
    state::Hub,
};

pub(super) fn routes() -> Pages {
    Pages::new().get("/apps/{app}", Audience::SignedIn, show).post(
        "/apps/{app}/launch",
        Audience::SignedIn,
        launch,
    )
}

#[derive(Template)]
#[template(path = "launch.html")]
struct LaunchPage {
    frame: Frame,
    app: AppView,
    fields: Vec<FieldView>,
    sizes: Vec<SizeView>,
    session_title: String,
    title_error: Option<String>,
    idempotency_key: String,
    problem: Option<String>,
}

struct FieldView {
    name: String,
    title: String,
    hint: String,
    value: String,
    error: Option<String>,
    control: Control,
}

impl FieldView {
    fn described_by(&self) -> String {
        let hint = if self.hint.is_empty() { String::new() } else { format!("p-{}-hint ", self.name) };
        let error = self.error.as_ref().map(|_| format!("p-{}-error", self.name)).unwrap_or_default();
        hint + &error
    }
}

enum Control {
    Text { max_length: usize, required: bool },
    Number { min: i64, max: i64 },
    Choice { options: Vec<OptionView> },
    Boolean { checked: bool },
    Resolution,
}

struct OptionView {
    value: String,
    title: String,
    selected: bool,
}

struct SizeView {
    name: String,
    title: String,
    text: String,
    selected: bool,
}

/// What was typed, and what is wrong with it.
#[derive(Default)]
struct Draft {
    answers: BTreeMap<String, String>,
    size: String,
    title: Option<String>,
    key: Option<String>,
    wrong: Fields,
    problem: Option<String>,
}

async fn show(State(hub): State<Hub>, who: SignedIn, At(name): At<AppName>) -> Result<Response, Error> {
    let offer = app::get(&hub, &who.actor, &name).await?;
    page(&hub, &who, &offer, Draft::default())
}

async fn launch(
    State(hub): State<Hub>,
    who: SignedIn,
    At(name): At<AppName>,
    Form(pairs): Form<Vec<(String, String)>>,
) -> Result<Response, Error> {
    let offer = app::get(&hub, &who.actor, &name).await?;
    let mut draft = Draft::read(pairs);
    let order = Order {
        app: name,
        parameters: draft.answers.clone(),
        size: Some(draft.size.clone()).filter(|size| !size.is_empty()),
        title: draft.title.clone(),
        idempotency_key: draft.key.clone().filter(|key| !key.is_empty()),
    };
    let error = match launch::launch(&hub, &who.actor, order).await {
        Ok(launched) => {
            let id = launched.into_workload().id;
            return Ok(Redirect::to(&format!("/workloads/{id}")).into_response());
        }
        Err(error) => error,
    };
    let status = error.status();
    match error {
        Error::Invalid(fields) => draft.wrong = fields,
        Error::Conflict(problem) => draft.problem = Some(problem),
        other => return Err(other),
    }
    let mut response = page(&hub, &who, &offer, draft)?;
    *response.status_mut() = if status == StatusCode::CONFLICT { StatusCode::CONFLICT } else { status };
    Ok(response)
}

impl Draft {
    /// Reads the form. A checked box is sent before the hidden field that stands for an unchecked one,
    /// so the first value of a name counts.
    fn read(pairs: Vec<(String, String)>) -> Self {
        let mut draft = Self::default();
        for (name, value) in pairs {
            match (name.strip_prefix("p."), name.as_str()) {
                (Some(parameter), _) => drop(draft.answers.entry(parameter.to_owned()).or_insert(value)),
                (None, "size") => draft.size = value,
                (None, "title") => draft.title = Some(value),
                (None, "idempotency_key") => draft.key = Some(value),
                _ => {}
            }
        }
        draft
    }
}

fn page(hub: &Hub, who: &SignedIn, offer: &Offer, mut draft: Draft) -> Result<Response, Error> {
    let app = &offer.entry.app;
    let fields = app.parameters.iter().map(|parameter| field(parameter, &mut draft)).collect();
    let size_error = draft.wrong.0.remove("size");
    let title_error = draft.wrong.0.remove("title");
    let rest: Vec<_> =
        draft.wrong.0.into_iter().map(|(name, problem)| format!("{name}: {problem}")).collect();
    let rest = Some(rest.join("; ")).filter(|rest| !rest.is_empty());
    let fresh = || data_encoding::HEXLOWER.encode(&entropy::bytes::<16>());
    render(&LaunchPage {
        frame: Frame::of(hub, who, Section::Home),
        app: AppView::new(offer),
        fields,
        sizes: sizes(app, &draft.size),
        session_title: draft.title.unwrap_or_else(|| app.title.clone()),
        title_error,
        idempotency_key: draft.key.unwrap_or_else(fresh),
        problem: draft.problem.or(size_error).or(rest),
    })
}

fn sizes(app: &App, chosen: &str) -> Vec<SizeView> {
    let is_chosen = |index: usize, name: &str| if chosen.is_empty() { index == 0 } else { name == chosen };
    let view = |(index, offered): (usize, &portico_core::app::Size)| SizeView {
        name: offered.name.clone(),
        title: if offered.title.is_empty() { offered.name.clone() } else { offered.title.clone() },
        text: size(offered.limits),
        selected: is_chosen(index, &offered.name),
    };
    app.sizes.iter().enumerate().map(view).collect()
}

fn field(parameter: &Parameter, draft: &mut Draft) -> FieldView {
    let name = parameter.name.to_string();
    let value = draft.answers.get(&name).cloned().unwrap_or_else(|| parameter.default_answer());
    let control = match &parameter.kind {
        ParameterKind::Text { max_length, presence, .. } => {
            Control::Text { max_length: *max_length, required: *presence == Presence::Required }
        }
        ParameterKind::Number { min, max, .. } => Control::Number { min: *min, max: *max },
        ParameterKind::Boolean { .. } => Control::Boolean { checked: value == "true" },
        ParameterKind::Resolution { .. } => Control::Resolution,
        ParameterKind::Choice { options, .. } => {
            let option = |choice: &portico_core::param::Choice| OptionView {
                title: if choice.title.is_empty() { choice.value.clone() } else { choice.title.clone() },
                selected: choice.value == value,
                value: choice.value.clone(),
            };
            Control::Choice { options: options.iter().map(option).collect() }
        }
    };
    FieldView {
        error: draft.wrong.0.remove(&format!("parameters.{name}")),
        title: parameter.title.clone(),
        hint: parameter.hint.clone(),
        value,
        control,
        name,
    }
}
