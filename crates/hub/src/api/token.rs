//! REST: own API tokens.

use axum::{Json as AxumJson, extract::State};
use http::StatusCode;
use portico_api::{
    page::Page,
    token::{CreatedToken, NewToken, Token, TokenRequest},
};
use portico_core::TokenId;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    auth::{Client, SignedIn},
    error::Error,
    http::extract::{At, Json},
    service::{self, token::Wish},
    state::Hub,
};

pub(crate) fn routes() -> OpenApiRouter<Hub> {
    OpenApiRouter::new().routes(routes!(list, create)).routes(routes!(delete)).routes(routes!(request))
}

/// My tokens.
#[utoipa::path(get, path = "/api/v1/tokens", tag = "account", operation_id = "list_tokens",
    responses((status = 200, description = "Newest first", body = Page<Token>)))]
async fn list(State(hub): State<Hub>, who: SignedIn) -> Result<AxumJson<Page<Token>>, Error> {
    let permit = who.actor.may_manage_account()?;
    let tokens = service::token::list(&hub, &permit).await?;
    Ok(AxumJson(Page { items: tokens.into_iter().map(Into::into).collect(), next_cursor: None }))
}

/// Make a token.
#[utoipa::path(post, path = "/api/v1/tokens", tag = "account", operation_id = "create_token",
    request_body = NewToken,
    responses((status = 201, description = "Made; its text is not shown again", body = CreatedToken),
        (status = 409, description = "There are too many")))]
async fn create(
    State(hub): State<Hub>,
    who: SignedIn,
    Json(wish): Json<NewToken>,
) -> Result<(StatusCode, AxumJson<CreatedToken>), Error> {
    let permit = who.actor.may_manage_account()?;
    let wish = Wish { name: wish.name, days: wish.days };
    let new = service::token::create(&hub, &who.actor, &permit, &wish).await?;
    Ok((StatusCode::CREATED, AxumJson(CreatedToken { token: new.token.into(), text: new.text })))
}

/// Delete a token. The next request with it is refused.
#[utoipa::path(delete, path = "/api/v1/tokens/{id}", tag = "account", operation_id = "delete_token",
    params(("id" = String, Path, description = "Id of a token")),
    responses((status = 204, description = "Deleted")))]
async fn delete(State(hub): State<Hub>, who: SignedIn, At(id): At<TokenId>) -> Result<StatusCode, Error> {
    let permit = who.actor.may_manage_account()?;
    service::token::delete(&hub, &who.actor, &permit, &id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Make a token with name and password, as the command line does to sign in.
#[utoipa::path(post, path = "/api/v1/token-requests", tag = "account", operation_id = "request_token",
    security(()), request_body = TokenRequest,
    responses((status = 201, description = "Made; its text is not shown again", body = CreatedToken),
        (status = 401, description = "Name or password is wrong"),
        (status = 409, description = "There are too many"),
        (status = 429, description = "Tried too often")))]
async fn request(
    State(hub): State<Hub>,
    client: Client,
    Json(asked): Json<TokenRequest>,
) -> Result<(StatusCode, AxumJson<CreatedToken>), Error> {
    let wish = Wish { name: asked.name, days: asked.days };
    let new = service::token::request(&hub, &client, &asked.user, &asked.password, &wish).await?;
    Ok((StatusCode::CREATED, AxumJson(CreatedToken { token: new.token.into(), text: new.text })))
}
