//! REST: users, for administrators.

use axum::{Json as AxumJson, extract::State};
use http::StatusCode;
use portico_api::{
    page::{Page, PageQuery},
    user::{CreatedUser, Link, NewUser, User, UserChanges, UserFilter, UserWithGroups},
};
use portico_core::UserId;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::paging;
use crate::{
    auth::SignedIn,
    error::Error,
    http::extract::{At, Json, Query},
    service::{self, link::NewLink, user::Changes},
    state::Hub,
};

pub(crate) fn routes() -> OpenApiRouter<Hub> {
    OpenApiRouter::new()
        .routes(routes!(list, create))
        .routes(routes!(get, change, delete))
        .routes(routes!(disable))
        .routes(routes!(enable))
        .routes(routes!(link))
}

/// All users.
#[utoipa::path(get, path = "/api/v1/users", tag = "users", operation_id = "list_users",
    params(UserFilter, PageQuery),
    responses((status = 200, description = "Oldest first", body = Page<User>)))]
async fn list(
    State(hub): State<Hub>,
    who: SignedIn,
    Query(filter): Query<UserFilter>,
    Query(page): Query<PageQuery>,
) -> Result<AxumJson<Page<User>>, Error> {
    let permit = who.actor.may_administer()?;
    let (after, limit) = paging::read(&page)?;
    let text = filter.q.unwrap_or_default();
    let users = service::user::list(&hub, &permit, &text, after.as_ref(), limit).await?;
    Ok(AxumJson(paging::write(users, |user| user.id.to_string())))
}

/// Add a user. The answer holds a link by which the person chooses a password.
#[utoipa::path(post, path = "/api/v1/users", tag = "users", operation_id = "create_user",
    request_body = NewUser,
    responses((status = 201, description = "Added", body = CreatedUser),
        (status = 409, description = "The name is or was taken")))]
async fn create(
    State(hub): State<Hub>,
    who: SignedIn,
    Json(wish): Json<NewUser>,
) -> Result<(StatusCode, AxumJson<CreatedUser>), Error> {
    let permit = who.actor.may_administer()?;
    let (user, new) = service::user::create(&hub, &who.actor, &permit, &wish.name, wish.role.into()).await?;
    Ok((StatusCode::CREATED, AxumJson(CreatedUser { user: user.into(), link: shown(new) })))
}

/// One user.
#[utoipa::path(get, path = "/api/v1/users/{id}", tag = "users", operation_id = "get_user",
    params(("id" = String, Path, description = "Id of a user")),
    responses((status = 200, description = "The user", body = UserWithGroups)))]
async fn get(
    State(hub): State<Hub>,
    who: SignedIn,
    At(id): At<UserId>,
) -> Result<AxumJson<UserWithGroups>, Error> {
    let permit = who.actor.may_administer()?;
    let (user, groups) = service::user::get(&hub, &permit, &id).await?;
    let groups = groups.into_iter().map(|group| group.id).collect();
    Ok(AxumJson(UserWithGroups { user: user.into(), groups }))
}

/// Change name or role.
#[utoipa::path(patch, path = "/api/v1/users/{id}", tag = "users", operation_id = "change_user",
    params(("id" = String, Path, description = "Id of a user")), request_body = UserChanges,
    responses((status = 200, description = "Changed", body = User),
        (status = 409, description = "The name is taken, or it is the last administrator")))]
async fn change(
    State(hub): State<Hub>,
    who: SignedIn,
    At(id): At<UserId>,
    Json(wish): Json<UserChanges>,
) -> Result<AxumJson<User>, Error> {
    let permit = who.actor.may_administer()?;
    let changes = Changes { name: wish.name, role: wish.role.map(Into::into) };
    let user = service::user::change(&hub, &who.actor, &permit, &id, &changes).await?;
    Ok(AxumJson(user.into()))
}

/// Delete a user who has no workloads any more. The name is not given again.
#[utoipa::path(delete, path = "/api/v1/users/{id}", tag = "users", operation_id = "delete_user",
    params(("id" = String, Path, description = "Id of a user")),
    responses((status = 204, description = "Deleted"),
        (status = 409, description = "There are workloads, or it is the last administrator")))]
async fn delete(State(hub): State<Hub>, who: SignedIn, At(id): At<UserId>) -> Result<StatusCode, Error> {
    let permit = who.actor.may_administer()?;
    service::user::delete(&hub, &who.actor, &permit, &id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Shut a user out: sign-ins and tokens end, workloads are stopped.
#[utoipa::path(post, path = "/api/v1/users/{id}/disable", tag = "users", operation_id = "disable_user",
    params(("id" = String, Path, description = "Id of a user")),
    responses((status = 200, description = "Disabled", body = User),
        (status = 409, description = "It is the last administrator")))]
async fn disable(State(hub): State<Hub>, who: SignedIn, At(id): At<UserId>) -> Result<AxumJson<User>, Error> {
    let permit = who.actor.may_administer()?;
    Ok(AxumJson(service::user::disable(&hub, &who.actor, &permit, &id).await?.into()))
}

/// Let a user in again.
#[utoipa::path(post, path = "/api/v1/users/{id}/enable", tag = "users", operation_id = "enable_user",
    params(("id" = String, Path, description = "Id of a user")),
    responses((status = 200, description = "Enabled", body = User)))]
async fn enable(State(hub): State<Hub>, who: SignedIn, At(id): At<UserId>) -> Result<AxumJson<User>, Error> {
    let permit = who.actor.may_administer()?;
    Ok(AxumJson(service::user::enable(&hub, &who.actor, &permit, &id).await?.into()))
}

/// Make a link by which the user chooses a new password, once.
#[utoipa::path(post, path = "/api/v1/users/{id}/links", tag = "users", operation_id = "create_link",
    params(("id" = String, Path, description = "Id of a user")),
    responses((status = 201, description = "Made; older ones are void", body = Link)))]
async fn link(
    State(hub): State<Hub>,
    who: SignedIn,
    At(id): At<UserId>,
) -> Result<(StatusCode, AxumJson<Link>), Error> {
    let permit = who.actor.may_administer()?;
    let new = service::link::reset(&hub, &who.actor, &permit, &id).await?;
    Ok((StatusCode::CREATED, AxumJson(shown(new))))
}

fn shown(new: NewLink) -> Link {
    Link { url: new.url, expires: new.expires }
}
