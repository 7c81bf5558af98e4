//! REST: the own account.

use axum::{
    Json as AxumJson,
    extract::State,
    response::{AppendHeaders, IntoResponse, Response},
};
use http::{StatusCode, header};
use portico_api::account::{Me, NewPassword};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    auth::{Client, SignedIn},
    error::Error,
    http::extract::Json,
    service,
    state::Hub,
};

pub(crate) fn routes() -> OpenApiRouter<Hub> {
    OpenApiRouter::new().routes(routes!(me)).routes(routes!(change_password))
}

/// Who am I?
#[utoipa::path(get, path = "/api/v1/me", tag = "account", operation_id = "me",
    responses((status = 200, description = "The user who asks", body = Me)))]
async fn me(State(hub): State<Hub>, who: SignedIn) -> Result<AxumJson<Me>, Error> {
    let permit = who.actor.may_manage_account()?;
    let (user, groups) = service::user::get(&hub, &permit, &who.actor.user().id).await?;
    Ok(AxumJson(Me { user: user.into(), groups: groups.into_iter().map(Into::into).collect() }))
}

/// Change the password. All sign-ins end; a browser that asks gets a new cookie. Tokens live on.
#[utoipa::path(put, path = "/api/v1/me/password", tag = "account", operation_id = "change_password",
    request_body = NewPassword,
    responses((status = 204, description = "Changed"), (status = 429, description = "Tried too often")))]
async fn change_password(
    State(hub): State<Hub>,
    who: SignedIn,
    client: Client,
    Json(wish): Json<NewPassword>,
) -> Result<Response, Error> {
    let permit = who.actor.may_manage_account()?;
    let (current, password) = (&wish.current, &wish.password);
    let new =
        service::account::change_password(&hub, &who.actor, &permit, &client, current, password).await?;
    let cookie = new.map(|new| (header::SET_COOKIE, new.cookie(&hub)));
    Ok((StatusCode::NO_CONTENT, AppendHeaders(cookie)).into_response())
}
