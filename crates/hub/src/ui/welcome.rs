//! One-time links: the first administrator, invited people, forgotten passwords.

use askama::Template;
use axum::{
    extract::State,
    response::{IntoResponse, Redirect, Response},
};
use http::{StatusCode, header};
use portico_core::Secret;
use serde::Deserialize;

use super::frame::{Frame, render};
use crate::{
    auth::Client,
    error::{Error, Fields},
    http::extract::{Form, Query},
    router::{Audience, Pages},
    service::link::{self, Answer, Welcome},
    state::Hub,
};

pub(super) fn routes() -> Pages {
    Pages::new().get("/welcome", Audience::Anyone, show).post("/welcome", Audience::Anyone, follow)
}

#[derive(Template)]
#[template(path = "one_time_link.html")]
struct WelcomePage<'a> {
    frame: Frame,
    heading: String,
    lead: &'static str,
    action: &'static str,
    token: &'a str,
    /// Asked of the first administrator only.
    name: Option<String>,
    name_error: &'a str,
    password_error: &'a str,
    problem: Option<String>,
    button: &'static str,
}

#[derive(Deserialize)]
struct Asked {
    #[serde(default)]
    token: Secret,
}

#[derive(Deserialize)]
struct Typed {
    #[serde(default)]
    token: Secret,
    name: Option<String>,
    #[serde(default)]
    password: Secret,
}

async fn show(State(hub): State<Hub>, Query(asked): Query<Asked>) -> Result<Response, Error> {
    let welcome = link::look(&hub, &asked.token).await?;
    page(&hub, &welcome, &asked.token, String::new(), &Fields::default())
}

async fn follow(State(hub): State<Hub>, client: Client, Form(typed): Form<Typed>) -> Result<Response, Error> {
    let answer = Answer { name: typed.name.clone(), password: typed.password };
    match link::follow(&hub, &client, &typed.token, &answer).await {
        Ok(new) => Ok(([(header::SET_COOKIE, new.cookie(&hub))], Redirect::to("/")).into_response()),
        Err(Error::Invalid(fields)) => {
            let welcome = link::look(&hub, &typed.token).await?;
            let mut response = page(&hub, &welcome, &typed.token, typed.name.unwrap_or_default(), &fields)?;
            *response.status_mut() = StatusCode::UNPROCESSABLE_ENTITY;
            Ok(response)
        }
        Err(error) => Err(error),
    }
}

fn page(
    hub: &Hub,
    welcome: &Welcome,
    token: &Secret,
    typed: String,
    wrong: &Fields,
) -> Result<Response, Error> {
    let (heading, lead, name, button) = match welcome {
        Welcome::FirstAdministrator => (
            format!("Welcome to {}", hub.config.title),
            "Make the account of its first administrator. This link works once.",
            Some(typed),
            "Make the account",
        ),
        Welcome::ChoosePassword { name } => (
            format!("Welcome, {name}"),
            "Choose a password. This link works once.",
            None,
            "Set password and sign in",
        ),
    };
    let field = |name: &str| wrong.0.get(name).map_or("", String::as_str);
    render(&WelcomePage {
        frame: Frame::anonymous(&hub.config.title),
        heading,
        lead,
        action: "/welcome",
        token: token.expose(),
        name,
        name_error: field("name"),
        password_error: field("password"),
        problem: None,
        button,
    })
}
