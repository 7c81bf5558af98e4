//! Groups and their members.

use askama::Template;
use axum::{
    extract::State,
    response::{IntoResponse, Redirect, Response},
};
use portico_core::{GroupId, UserId};
use serde::Deserialize;

use super::confirm::Confirm;
use crate::{
    auth::SignedIn,
    error::Error,
    http::extract::{At, Form, Query},
    router::{Audience, Pages},
    service::{group, user},
    state::Hub,
    ui::frame::{Done, Frame, Section, Tab, render},
};

pub(super) fn routes() -> Pages {
    Pages::new()
        .get("/admin/groups", Audience::Administrator, list)
        .post("/admin/groups", Audience::Administrator, create)
        .post("/admin/groups/{group}/members", Audience::Administrator, add_member)
        .post("/admin/groups/{group}/members/{user}/delete", Audience::Administrator, remove_member)
        .get("/admin/groups/{group}/delete", Audience::Administrator, confirm_delete)
        .post("/admin/groups/{group}/delete", Audience::Administrator, delete)
}

#[derive(Template)]
#[template(path = "admin/groups.html")]
struct GroupsPage {
    frame: Frame,
    tab: Tab,
    groups: Vec<GroupView>,
    problem: Option<String>,
}

struct GroupView {
    id: String,
    name: String,
    members: Vec<MemberView>,
}

impl GroupView {
    fn path(&self, verb: &str) -> String {
        format!("/admin/groups/{}{verb}", self.id)
    }
}

struct MemberView {
    name: String,
    remove_path: String,
}

#[derive(Deserialize)]
struct TypedGroup {
    #[serde(default)]
    name: String,
}

#[derive(Deserialize)]
struct TypedMember {
    #[serde(default)]
    user: String,
}

async fn list(State(hub): State<Hub>, who: SignedIn, Query(done): Query<Done>) -> Result<Response, Error> {
    page(&hub, &who, &done, None).await
}

async fn page(hub: &Hub, who: &SignedIn, done: &Done, problem: Option<String>) -> Result<Response, Error> {
    let permit = who.actor.may_administer()?;
    let mut groups = Vec::new();
    for found in group::list(hub, &permit).await? {
        let (found, members) = group::get(hub, &permit, &found.id).await?;
        let members = members.into_iter().map(|member| MemberView {
            remove_path: format!("/admin/groups/{}/members/{}/delete", found.id, member.id),
            name: member.name.to_string(),
        });
        let members = members.collect();
        groups.push(GroupView { id: found.id.to_string(), name: found.name.to_string(), members });
    }
    let frame = Frame::of(hub, who, Section::Administration).after(done);
    render(&GroupsPage { frame, tab: Tab::Groups, groups, problem })
}

async fn create(
    State(hub): State<Hub>,
    who: SignedIn,
    Form(typed): Form<TypedGroup>,
) -> Result<Response, Error> {
    let permit = who.actor.may_administer()?;
    let made = group::create(&hub, &who.actor, &permit, &typed.name).await;
    settle(&hub, &who, made.map(|_| "added")).await
}

async fn add_member(
    State(hub): State<Hub>,
    who: SignedIn,
    At(id): At<GroupId>,
    Form(typed): Form<TypedMember>,
) -> Result<Response, Error> {
    let permit = who.actor.may_administer()?;
    let found = user::by_name(&hub, &permit, &typed.user).await;
    let added = match found {
        Ok(user) => group::add_member(&hub, &who.actor, &permit, &id, &user.id).await,
        Err(Error::NotFound) => Err(Error::Conflict(format!("there is no user {:?}", typed.user))),
        Err(error) => Err(error),
    };
    settle(&hub, &who, added.map(|()| "added")).await
}

async fn remove_member(
    State(hub): State<Hub>,
    who: SignedIn,
    At((id, user)): At<(GroupId, UserId)>,
) -> Result<Response, Error> {
    let permit = who.actor.may_administer()?;
    let removed = group::remove_member(&hub, &who.actor, &permit, &id, &user).await;
    settle(&hub, &who, removed.map(|()| "removed")).await
}

async fn confirm_delete(
    State(hub): State<Hub>,
    who: SignedIn,
    At(id): At<GroupId>,
) -> Result<Response, Error> {
    let permit = who.actor.may_administer()?;
    let (found, _) = group::get(&hub, &permit, &id).await?;
    render(&Confirm {
        frame: Frame::of(&hub, &who, Section::Administration),
        tab: Tab::Groups,
        heading: format!("Delete the group {}?", found.name),
        lead: "Its members stay. This deletes for good:",
        losses: vec!["the group", "every grant that was made to it"],
        action: format!("/admin/groups/{id}/delete"),
        button: "Delete for good",
        back: "/admin/groups".to_owned(),
    })
}

async fn delete(State(hub): State<Hub>, who: SignedIn, At(id): At<GroupId>) -> Result<Response, Error> {
    let permit = who.actor.may_administer()?;
    let deleted = group::delete(&hub, &who.actor, &permit, &id).await;
    settle(&hub, &who, deleted.map(|()| "deleted")).await
}

async fn settle(hub: &Hub, who: &SignedIn, outcome: Result<&'static str, Error>) -> Result<Response, Error> {
    match outcome {
        Ok(done) => Ok(Redirect::to(&format!("/admin/groups?done={done}")).into_response()),
        Err(error @ (Error::Invalid(_) | Error::Conflict(_))) => {
            let status = error.status();
            let mut response = page(hub, who, &Done::default(), Some(error.in_words())).await?;
            *response.status_mut() = status;
            Ok(response)
        }
        Err(error) => Err(error),
    }
}
