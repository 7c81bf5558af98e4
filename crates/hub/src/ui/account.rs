//! My account: password, sign-ins, API tokens.

use askama::Template;
use axum::{
    extract::State,
    response::{IntoResponse, Redirect, Response},
};
use http::header;
use portico_core::{LoginId, Secret, TokenId};
use serde::Deserialize;

use super::{
    frame::{Done, Frame, Section, render},
    shown_once::ShownOnce,
    view::Moment,
};
use crate::{
    auth::{Client, SignedIn, cookie},
    error::Error,
    http::extract::{At, Form, Query},
    router::{Audience, Pages},
    service::{self, token::Wish},
    state::Hub,
};

pub(super) fn routes() -> Pages {
    Pages::new()
        .get("/account", Audience::SignedIn, show)
        .post("/account/password", Audience::SignedIn, change_password)
        .post("/account/logins/delete-all", Audience::SignedIn, end_all_logins)
        .post("/account/logins/{login}/delete", Audience::SignedIn, end_login)
        .post("/account/tokens", Audience::SignedIn, create_token)
        .post("/account/tokens/{token}/delete", Audience::SignedIn, delete_token)
}

#[derive(Template)]
#[template(path = "account.html")]
struct AccountPage {
    frame: Frame,
    logins: Vec<LoginView>,
    tokens: Vec<TokenView>,
    max_token_days: u32,
    current_error: String,
    password_error: String,
    problem: Option<String>,
}

struct LoginView {
    id: String,
    agent: String,
    address: String,
    last_used: Moment,
    expires: Moment,
    current: bool,
}

struct TokenView {
    id: String,
    name: String,
    last_used: Option<Moment>,
    expires: Moment,
}

#[derive(Deserialize)]
struct TypedPassword {
    #[serde(default)]
    current: Secret,
    #[serde(default)]
    password: Secret,
}

#[derive(Deserialize)]
struct TypedToken {
    #[serde(default)]
    name: String,
    #[serde(default)]
    days: String,
}

async fn show(State(hub): State<Hub>, who: SignedIn, Query(done): Query<Done>) -> Result<Response, Error> {
    page(&hub, &who, &done, None).await
}

async fn change_password(
    State(hub): State<Hub>,
    who: SignedIn,
    client: Client,
    Form(typed): Form<TypedPassword>,
) -> Result<Response, Error> {
    let permit = who.actor.may_manage_account()?;
    let changed = service::account::change_password(
        &hub,
        &who.actor,
        &permit,
        &client,
        &typed.current,
        &typed.password,
    );
    match changed.await {
        Ok(new) => {
            let cookie = new.map(|new| [(header::SET_COOKIE, new.cookie(&hub))]);
            let redirect = Redirect::to("/account?done=password");
            Ok(cookie.map_or_else(
                || redirect.clone().into_response(),
                |cookie| (cookie, redirect.clone()).into_response(),
            ))
        }
        Err(error) => refuse(&hub, &who, error).await,
    }
}

async fn end_login(State(hub): State<Hub>, who: SignedIn, At(id): At<LoginId>) -> Result<Response, Error> {
    let permit = who.actor.may_manage_account()?;
    service::login::end(&hub, &who.actor, &permit, &id).await?;
    let target = if who.actor.login() == Some(&id) { "/sign-in" } else { "/account?done=signed-out" };
    Ok(Redirect::to(target).into_response())
}

async fn end_all_logins(State(hub): State<Hub>, who: SignedIn) -> Result<Response, Error> {
    let permit = who.actor.may_manage_account()?;
    service::login::end_all(&hub, &who.actor, &permit).await?;
    let cookie = [(header::SET_COOKIE, cookie::clear(&hub.config))];
    Ok((cookie, Redirect::to("/sign-in")).into_response())
}

async fn create_token(
    State(hub): State<Hub>,
    who: SignedIn,
    Form(typed): Form<TypedToken>,
) -> Result<Response, Error> {
    let permit = who.actor.may_manage_account()?;
    let wish = Wish { name: typed.name, days: typed.days.parse().unwrap_or(0) };
    match service::token::create(&hub, &who.actor, &permit, &wish).await {
        Ok(new) => render(&ShownOnce {
            frame: Frame::of(&hub, &who, Section::Account),
            heading: format!("Token {}", new.token.name),
            text: "Copy it now: it is shown only this once. Whoever has it can do what you can do.",
            secret: new.text.expose().to_owned(),
            back: "/account".to_owned(),
        }),
        Err(error) => refuse(&hub, &who, error).await,
    }
}

async fn delete_token(State(hub): State<Hub>, who: SignedIn, At(id): At<TokenId>) -> Result<Response, Error> {
    let permit = who.actor.may_manage_account()?;
    service::token::delete(&hub, &who.actor, &permit, &id).await?;
    Ok(Redirect::to("/account?done=token-deleted").into_response())
}

/// Shows the page again with what was wrong.
async fn refuse(hub: &Hub, who: &SignedIn, error: Error) -> Result<Response, Error> {
    let status = error.status();
    if !matches!(error, Error::Invalid(_) | Error::Conflict(_) | Error::Throttled(_)) {
        return Err(error);
    }
    let mut response = page(hub, who, &Done::default(), Some(error)).await?;
    *response.status_mut() = status;
    Ok(response.into_response())
}

async fn page(hub: &Hub, who: &SignedIn, done: &Done, wrong: Option<Error>) -> Result<Response, Error> {
    let permit = who.actor.may_manage_account()?;
    let logins = service::login::list(hub, &permit).await?.into_iter().map(|login| LoginView {
        current: who.actor.login() == Some(&login.id),
        id: login.id.to_string(),
        agent: browser(&login.agent),
        address: login.address,
        last_used: login.last_used.into(),
        expires: login.expires.into(),
    });
    let tokens = service::token::list(hub, &permit).await?.into_iter().map(|token| TokenView {
        id: token.id.to_string(),
        name: token.name.to_string(),
        last_used: token.last_used.map(Moment::from),
        expires: token.expires.into(),
    });
    let (mut current_error, mut password_error, mut problem) = (String::new(), String::new(), None);
    match wrong {
        Some(Error::Invalid(mut fields)) => {
            current_error = fields.0.remove("current").unwrap_or_default();
            password_error = fields.0.remove("password").unwrap_or_default();
            problem = fields.0.into_values().next();
        }
        Some(error) => problem = Some(error.to_string()),
        None => {}
    }
    render(&AccountPage {
        frame: Frame::of(hub, who, Section::Account).after(done),
        logins: logins.collect(),
        tokens: tokens.collect(),
        max_token_days: hub.config.token.max_days,
        current_error,
        password_error,
        problem,
    })
}

/// What a browser says of itself, in two words where it is one of the common ones.
fn browser(agent: &str) -> String {
    let name = ["Firefox", "Edg", "OPR", "Chrome", "Safari", "curl", "portico"]
        .into_iter()
        .find(|n| agent.contains(n));
    let system =
        ["Android", "iPhone", "iPad", "Windows", "Mac OS", "Linux"].into_iter().find(|n| agent.contains(n));
    let name = match name {
        Some("Edg") => "Edge",
        Some("OPR") => "Opera",
        Some(other) => other,
        None if agent.is_empty() => return "unknown".to_owned(),
        None => return agent.chars().take(60).collect(),
    };
    system.map_or_else(|| name.to_owned(), |system| format!("{name} on {system}"))
}
