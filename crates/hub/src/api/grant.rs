//! REST: grants, for administrators.

use axum::{Json as AxumJson, extract::State};
use http::StatusCode;
use portico_api::{
    app::{Grant, NewGrant},
    page::Page,
};
use portico_core::{GrantId, names::AppName};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    auth::SignedIn,
    error::Error,
    http::extract::{At, Json},
    service,
    state::Hub,
};

pub(crate) fn routes() -> OpenApiRouter<Hub> {
    OpenApiRouter::new().routes(routes!(list, create)).routes(routes!(delete))
}

/// Who was given an app, besides whom its definition names.
#[utoipa::path(get, path = "/api/v1/apps/{name}/grants", tag = "apps", operation_id = "list_grants",
    params(("name" = String, Path, description = "Name of an app")),
    responses((status = 200, description = "All grants", body = Page<Grant>)))]
async fn list(
    State(hub): State<Hub>,
    who: SignedIn,
    At(name): At<AppName>,
) -> Result<AxumJson<Page<Grant>>, Error> {
    let permit = who.actor.may_administer()?;
    let grants = service::grant::list(&hub, &permit, &name).await?;
    Ok(AxumJson(Page { items: grants.into_iter().map(Into::into).collect(), next_cursor: None }))
}

/// Give an app to everyone, a group or a user, at once.
#[utoipa::path(post, path = "/api/v1/apps/{name}/grants", tag = "apps", operation_id = "create_grant",
    params(("name" = String, Path, description = "Name of an app")), request_body = NewGrant,
    responses((status = 201, description = "Given", body = Grant),
        (status = 409, description = "It was given before")))]
async fn create(
    State(hub): State<Hub>,
    who: SignedIn,
    At(name): At<AppName>,
    Json(wish): Json<NewGrant>,
) -> Result<(StatusCode, AxumJson<Grant>), Error> {
    let permit = who.actor.may_administer()?;
    let grant = service::grant::create(&hub, &who.actor, &permit, &name, wish.subject.into()).await?;
    Ok((StatusCode::CREATED, AxumJson(grant.into())))
}

/// Take a grant back, at once. What runs already goes on.
#[utoipa::path(delete, path = "/api/v1/apps/{name}/grants/{id}", tag = "apps", operation_id = "delete_grant",
    params(("name" = String, Path, description = "Name of an app"), ("id" = String, Path, description = "Id of a grant")),
    responses((status = 204, description = "Taken back")))]
async fn delete(
    State(hub): State<Hub>,
    who: SignedIn,
    At((name, id)): At<(AppName, GrantId)>,
) -> Result<StatusCode, Error> {
    let permit = who.actor.may_administer()?;
    service::grant::delete(&hub, &who.actor, &permit, &name, &id).await?;
    Ok(StatusCode::NO_CONTENT)
}
