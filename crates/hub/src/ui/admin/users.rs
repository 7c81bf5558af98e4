//! Users: list, add, change, disable, one-time link, delete.

use askama::Template;
use axum::{
    extract::State,
    response::{IntoResponse, Redirect, Response},
};
use portico_core::{
    UserId,
    user::{Role, Standing, User},
};
use serde::Deserialize;

use super::confirm::Confirm;
use crate::{
    auth::SignedIn,
    error::Error,
    http::extract::{At, Form, Query},
    router::{Audience, Pages},
    service::{link, link::NewLink, user, user::Changes},
    state::Hub,
    ui::{
        frame::{Done, Frame, Section, Tab, render},
        shown_once::ShownOnce,
        view::{Moment, query_text},
    },
};

const PAGE: u32 = 100;

pub(super) fn routes() -> Pages {
    Pages::new()
        .get("/admin/users", Audience::Administrator, list)
        .post("/admin/users", Audience::Administrator, create)
        .get("/admin/users/{user}", Audience::Administrator, show)
        .post("/admin/users/{user}/change", Audience::Administrator, change)
        .post("/admin/users/{user}/disable", Audience::Administrator, disable)
        .post("/admin/users/{user}/enable", Audience::Administrator, enable)
        .post("/admin/users/{user}/reset", Audience::Administrator, reset)
        .get("/admin/users/{user}/delete", Audience::Administrator, confirm_delete)
        .post("/admin/users/{user}/delete", Audience::Administrator, delete)
}

#[derive(Template)]
#[template(path = "admin/users.html")]
struct UsersPage {
    frame: Frame,
    tab: Tab,
    users: Vec<UserView>,
    q: String,
    next: Option<String>,
    name: String,
    problem: Option<String>,
}

#[derive(Template)]
#[template(path = "admin/user.html")]
struct UserPage {
    frame: Frame,
    tab: Tab,
    user: UserView,
    groups: String,
    problem: Option<String>,
}

impl UserPage {
    fn path(&self, verb: &str) -> String {
        format!("/admin/users/{}{verb}", self.user.id)
    }
}

struct UserView {
    id: String,
    name: String,
    slug: String,
    role: &'static str,
    standing: &'static str,
    is_active: bool,
    created: Moment,
    last_seen: Option<Moment>,
}

impl From<User> for UserView {
    fn from(user: User) -> Self {
        Self {
            role: if user.is_administrator() { "administrator" } else { "member" },
            standing: if matches!(user.standing, Standing::Active) { "active" } else { "disabled" },
            is_active: user.is_active(),
            id: user.id.to_string(),
            name: user.name.to_string(),
            slug: user.slug.to_string(),
            created: user.created.into(),
            last_seen: user.last_seen.map(Moment::from),
        }
    }
}

#[derive(Default, Deserialize)]
struct Asked {
    #[serde(default)]
    q: String,
    cursor: Option<UserId>,
    done: Option<String>,
}

#[derive(Deserialize)]
struct Typed {
    #[serde(default)]
    name: String,
    role: Role,
}

async fn list(State(hub): State<Hub>, who: SignedIn, Query(asked): Query<Asked>) -> Result<Response, Error> {
    users_page(&hub, &who, asked, String::new(), None).await
}

async fn create(State(hub): State<Hub>, who: SignedIn, Form(typed): Form<Typed>) -> Result<Response, Error> {
    let permit = who.actor.may_administer()?;
    match user::create(&hub, &who.actor, &permit, &typed.name, typed.role).await {
        Ok((user, link)) => show_link(&hub, &who, &user, &link),
        Err(error @ (Error::Invalid(_) | Error::Conflict(_))) => {
            let status = error.status();
            let mut response =
                users_page(&hub, &who, Asked::default(), typed.name, Some(error.in_words())).await?;
            *response.status_mut() = status;
            Ok(response)
        }
        Err(error) => Err(error),
    }
}

async fn users_page(
    hub: &Hub,
    who: &SignedIn,
    asked: Asked,
    name: String,
    problem: Option<String>,
) -> Result<Response, Error> {
    let permit = who.actor.may_administer()?;
    let page = user::list(hub, &permit, &asked.q, asked.cursor.as_ref(), PAGE).await?;
    let last = page.items.last().filter(|_| page.more);
    let next = last.map(|last| format!("/admin/users?q={}&cursor={}", query_text(&asked.q), last.id));
    render(&UsersPage {
        frame: Frame::of(hub, who, Section::Administration).after(&Done { done: asked.done }),
        tab: Tab::Users,
        users: page.items.into_iter().map(UserView::from).collect(),
        q: asked.q,
        next,
        name,
        problem,
    })
}

async fn show(
    State(hub): State<Hub>,
    who: SignedIn,
    At(id): At<UserId>,
    Query(done): Query<Done>,
) -> Result<Response, Error> {
    user_page(&hub, &who, &id, &done, None).await
}

async fn user_page(
    hub: &Hub,
    who: &SignedIn,
    id: &UserId,
    done: &Done,
    problem: Option<String>,
) -> Result<Response, Error> {
    let permit = who.actor.may_administer()?;
    let (user, groups) = user::get(hub, &permit, id).await?;
    let groups: Vec<_> = groups.iter().map(|group| group.name.to_string()).collect();
    render(&UserPage {
        frame: Frame::of(hub, who, Section::Administration).after(done),
        tab: Tab::Users,
        user: user.into(),
        groups: groups.join(", "),
        problem,
    })
}

async fn change(
    State(hub): State<Hub>,
    who: SignedIn,
    At(id): At<UserId>,
    Form(typed): Form<Typed>,
) -> Result<Response, Error> {
    let permit = who.actor.may_administer()?;
    let changes = Changes { name: Some(typed.name), role: Some(typed.role) };
    let changed = user::change(&hub, &who.actor, &permit, &id, &changes).await;
    settle(&hub, &who, &id, changed.map(|_| "saved")).await
}

async fn disable(State(hub): State<Hub>, who: SignedIn, At(id): At<UserId>) -> Result<Response, Error> {
    let permit = who.actor.may_administer()?;
    let changed = user::disable(&hub, &who.actor, &permit, &id).await;
    settle(&hub, &who, &id, changed.map(|_| "disabled")).await
}

async fn enable(State(hub): State<Hub>, who: SignedIn, At(id): At<UserId>) -> Result<Response, Error> {
    let permit = who.actor.may_administer()?;
    let changed = user::enable(&hub, &who.actor, &permit, &id).await;
    settle(&hub, &who, &id, changed.map(|_| "enabled")).await
}

/// Back to the user's page: with a word of success, or with what stands against it.
async fn settle(
    hub: &Hub,
    who: &SignedIn,
    id: &UserId,
    outcome: Result<&'static str, Error>,
) -> Result<Response, Error> {
    match outcome {
        Ok(done) => Ok(Redirect::to(&format!("/admin/users/{id}?done={done}")).into_response()),
        Err(error @ (Error::Invalid(_) | Error::Conflict(_))) => {
            let status = error.status();
            let mut response = user_page(hub, who, id, &Done::default(), Some(error.in_words())).await?;
            *response.status_mut() = status;
            Ok(response)
        }
        Err(error) => Err(error),
    }
}

async fn reset(State(hub): State<Hub>, who: SignedIn, At(id): At<UserId>) -> Result<Response, Error> {
    let permit = who.actor.may_administer()?;
    let (user, _) = user::get(&hub, &permit, &id).await?;
    let link = link::reset(&hub, &who.actor, &permit, &id).await?;
    show_link(&hub, &who, &user, &link)
}

fn show_link(hub: &Hub, who: &SignedIn, user: &User, link: &NewLink) -> Result<Response, Error> {
    render(&ShownOnce {
        frame: Frame::of(hub, who, Section::Administration),
        heading: format!("One-time link for {}", user.name),
        text: "Pass it on now: it is shown only this once, works once, and is valid for 24 hours.",
        secret: link.url.expose().to_owned(),
        back: format!("/admin/users/{}", user.id),
    })
}

async fn confirm_delete(
    State(hub): State<Hub>,
    who: SignedIn,
    At(id): At<UserId>,
) -> Result<Response, Error> {
    let permit = who.actor.may_administer()?;
    let (user, _) = user::get(&hub, &permit, &id).await?;
    render(&Confirm {
        frame: Frame::of(&hub, &who, Section::Administration),
        tab: Tab::Users,
        heading: format!("Delete {}?", user.name),
        lead: "Their sessions have to be deleted before. This ends their access at once and deletes for good:",
        losses: vec![
            "the account, whose short name is never given again",
            "its sign-ins, tokens and memberships",
        ],
        action: format!("/admin/users/{id}/delete"),
        button: "Delete for good",
        back: format!("/admin/users/{id}"),
    })
}

async fn delete(State(hub): State<Hub>, who: SignedIn, At(id): At<UserId>) -> Result<Response, Error> {
    let permit = who.actor.may_administer()?;
    match user::delete(&hub, &who.actor, &permit, &id).await {
        Ok(()) => Ok(Redirect::to("/admin/users?done=deleted").into_response()),
        Err(error) => settle(&hub, &who, &id, Err(error)).await,
    }
}
