//! REST: groups, for administrators.

use axum::{Json as AxumJson, extract::State};
use http::StatusCode;
use portico_api::{
    group::{Group, GroupWithMembers, NewGroup},
    page::Page,
};
use portico_core::{GroupId, UserId};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    auth::SignedIn,
    error::Error,
    http::extract::{At, Json},
    service,
    state::Hub,
};

pub(crate) fn routes() -> OpenApiRouter<Hub> {
    OpenApiRouter::new()
        .routes(routes!(list, create))
        .routes(routes!(get, delete))
        .routes(routes!(add_member, remove_member))
}

/// All groups.
#[utoipa::path(get, path = "/api/v1/groups", tag = "groups", operation_id = "list_groups",
    responses((status = 200, description = "By name", body = Page<Group>)))]
async fn list(State(hub): State<Hub>, who: SignedIn) -> Result<AxumJson<Page<Group>>, Error> {
    let permit = who.actor.may_administer()?;
    let groups = service::group::list(&hub, &permit).await?;
    Ok(AxumJson(Page { items: groups.into_iter().map(Into::into).collect(), next_cursor: None }))
}

/// Make a group.
#[utoipa::path(post, path = "/api/v1/groups", tag = "groups", operation_id = "create_group",
    request_body = NewGroup,
    responses((status = 201, description = "Made", body = Group),
        (status = 409, description = "The name is or was taken")))]
async fn create(
    State(hub): State<Hub>,
    who: SignedIn,
    Json(wish): Json<NewGroup>,
) -> Result<(StatusCode, AxumJson<Group>), Error> {
    let permit = who.actor.may_administer()?;
    let group = service::group::create(&hub, &who.actor, &permit, &wish.name).await?;
    Ok((StatusCode::CREATED, AxumJson(group.into())))
}

/// One group with its members.
#[utoipa::path(get, path = "/api/v1/groups/{id}", tag = "groups", operation_id = "get_group",
    params(("id" = String, Path, description = "Id of a group")),
    responses((status = 200, description = "The group", body = GroupWithMembers)))]
async fn get(
    State(hub): State<Hub>,
    who: SignedIn,
    At(id): At<GroupId>,
) -> Result<AxumJson<GroupWithMembers>, Error> {
    let permit = who.actor.may_administer()?;
    let (group, members) = service::group::get(&hub, &permit, &id).await?;
    let members = members.into_iter().map(Into::into).collect();
    Ok(AxumJson(GroupWithMembers { group: group.into(), members }))
}

/// Delete a group with its memberships and grants.
#[utoipa::path(delete, path = "/api/v1/groups/{id}", tag = "groups", operation_id = "delete_group",
    params(("id" = String, Path, description = "Id of a group")),
    responses((status = 204, description = "Deleted")))]
async fn delete(State(hub): State<Hub>, who: SignedIn, At(id): At<GroupId>) -> Result<StatusCode, Error> {
    let permit = who.actor.may_administer()?;
    service::group::delete(&hub, &who.actor, &permit, &id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Take a user into a group.
#[utoipa::path(put, path = "/api/v1/groups/{id}/members/{user}", tag = "groups", operation_id = "add_member",
    params(("id" = String, Path, description = "Id of a group"),
        ("user" = String, Path, description = "Id of a user")),
    responses((status = 204, description = "Is in the group")))]
async fn add_member(
    State(hub): State<Hub>,
    who: SignedIn,
    At((id, user)): At<(GroupId, UserId)>,
) -> Result<StatusCode, Error> {
    let permit = who.actor.may_administer()?;
    service::group::add_member(&hub, &who.actor, &permit, &id, &user).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Take a user out of a group.
#[utoipa::path(delete, path = "/api/v1/groups/{id}/members/{user}", tag = "groups",
    operation_id = "remove_member",
    params(("id" = String, Path, description = "Id of a group"),
        ("user" = String, Path, description = "Id of a user")),
    responses((status = 204, description = "Is not in the group any more")))]
async fn remove_member(
    State(hub): State<Hub>,
    who: SignedIn,
    At((id, user)): At<(GroupId, UserId)>,
) -> Result<StatusCode, Error> {
    let permit = who.actor.may_administer()?;
    service::group::remove_member(&hub, &who.actor, &permit, &id, &user).await?;
    Ok(StatusCode::NO_CONTENT)
}
