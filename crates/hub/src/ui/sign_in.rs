//! Sign in, sign out.

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
    auth::{Client, Next, SignedIn, Visitor, cookie},
    error::Error,
    http::extract::{Form, Query},
    router::{Audience, Pages},
    service,
    state::Hub,
};

pub(super) fn routes() -> Pages {
    Pages::new().get("/sign-in", Audience::Anyone, show).post("/sign-in", Audience::Anyone, sign_in).post(
        "/sign-out",
        Audience::SignedIn,
        sign_out,
    )
}

#[derive(Template)]
#[template(path = "sign_in.html")]
struct SignInPage {
    frame: Frame,
    next: String,
    name: String,
    problem: Option<String>,
}

#[derive(Deserialize)]
struct Asked {
    next: Option<String>,
}

#[derive(Deserialize)]
struct Typed {
    #[serde(default)]
    name: String,
    #[serde(default)]
    password: Secret,
    next: Option<String>,
}

async fn show(
    State(hub): State<Hub>,
    visitor: Visitor,
    Query(asked): Query<Asked>,
) -> Result<Response, Error> {
    let next = Next::of(asked.next.as_deref());
    if visitor.0.is_some() {
        return Ok(Redirect::to(next.as_str()).into_response());
    }
    page(&hub, &next, String::new(), None)
}

async fn sign_in(
    State(hub): State<Hub>,
    visitor: Visitor,
    client: Client,
    Form(typed): Form<Typed>,
) -> Result<Response, Error> {
    let next = Next::of(typed.next.as_deref());
    let before = visitor.0.map(|who| who.actor);
    match service::sign_in::sign_in(&hub, &client, before.as_ref(), &typed.name, &typed.password).await {
        Ok(new) => {
            let cookie = [(header::SET_COOKIE, new.cookie(&hub))];
            Ok((cookie, Redirect::to(next.as_str())).into_response())
        }
        Err(error @ (Error::WrongCredentials | Error::Throttled(_))) => {
            let mut response = page(&hub, &next, typed.name, Some(tell(&error)))?;
            *response.status_mut() = error.status();
            Ok(response)
        }
        Err(error) => Err(error),
    }
}

fn tell(error: &Error) -> String {
    match error {
        Error::WrongCredentials => {
            "The name or the password is wrong. Look at the keyboard's layout and Caps Lock, and try again."
                .to_owned()
        }
        Error::Throttled(seconds) => {
            format!(
                "Too many attempts. Try again in {seconds} seconds, or ask an administrator for a one-time link."
            )
        }
        other => other.to_string(),
    }
}

fn page(hub: &Hub, next: &Next, name: String, problem: Option<String>) -> Result<Response, Error> {
    let frame = Frame::anonymous(&hub.config.title);
    render(&SignInPage { frame, next: next.as_str().to_owned(), name, problem })
}

async fn sign_out(State(hub): State<Hub>, who: SignedIn) -> Result<Response, Error> {
    let permit = who.actor.may_manage_account()?;
    if let Some(login) = who.actor.login() {
        service::login::end(&hub, &who.actor, &permit, login).await?;
    }
    let cookie = [(header::SET_COOKIE, cookie::clear(&hub.config))];
    Ok((StatusCode::SEE_OTHER, cookie, [(header::LOCATION, "/sign-in")]).into_response())
}
