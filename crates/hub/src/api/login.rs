//! REST: own logins.

use axum::{Json as AxumJson, extract::State};
use http::StatusCode;
use portico_api::{login::Login, page::Page};
use portico_core::LoginId;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{auth::SignedIn, error::Error, http::extract::At, service, state::Hub};

pub(crate) fn routes() -> OpenApiRouter<Hub> {
    OpenApiRouter::new().routes(routes!(list, end_all)).routes(routes!(end))
}

/// Browsers that are signed in as me.
#[utoipa::path(get, path = "/api/v1/logins", tag = "account", operation_id = "list_logins",
    responses((status = 200, description = "Newest first", body = Page<Login>)))]
async fn list(State(hub): State<Hub>, who: SignedIn) -> Result<AxumJson<Page<Login>>, Error> {
    let permit = who.actor.may_manage_account()?;
    let logins = service::login::list(&hub, &permit).await?;
    let current = who.actor.login();
    let items = logins.into_iter().map(|login| Login::of(login, current)).collect();
    Ok(AxumJson(Page { items, next_cursor: None }))
}

/// Sign out everywhere.
#[utoipa::path(delete, path = "/api/v1/logins", tag = "account", operation_id = "end_logins",
    responses((status = 204, description = "All ended, with their open connections")))]
async fn end_all(State(hub): State<Hub>, who: SignedIn) -> Result<StatusCode, Error> {
    let permit = who.actor.may_manage_account()?;
    service::login::end_all(&hub, &who.actor, &permit).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Sign one browser out.
#[utoipa::path(delete, path = "/api/v1/logins/{id}", tag = "account", operation_id = "end_login",
    params(("id" = String, Path, description = "Id of a login")),
    responses((status = 204, description = "Ended, with its open connections")))]
async fn end(State(hub): State<Hub>, who: SignedIn, At(id): At<LoginId>) -> Result<StatusCode, Error> {
    let permit = who.actor.may_manage_account()?;
    service::login::end(&hub, &who.actor, &permit, &id).await?;
    Ok(StatusCode::NO_CONTENT)
}
