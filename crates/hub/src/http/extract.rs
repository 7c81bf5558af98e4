//! Reading paths, queries, forms and JSON, so that every misfit becomes one of our errors.

use std::collections::BTreeMap;

use axum::{
    Form as AxumForm, Json as AxumJson,
    extract::{
        FromRequest, FromRequestParts, Path, Query as AxumQuery, Request,
        rejection::{FormRejection, JsonRejection},
    },
};
use http::request::Parts;
use serde::de::DeserializeOwned;

use crate::error::{Error, Fields};

/// Parameters of the path. What cannot be an id of ours is not found.
#[derive(Debug)]
pub struct At<T>(pub T);

/// The query.
#[derive(Debug)]
pub struct Query<T>(pub T);

/// A form of a page.
#[derive(Debug)]
pub struct Form<T>(pub T);

/// A JSON body.
#[derive(Debug)]
pub struct Json<T>(pub T);

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for At<T> {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Error> {
        let Path(at) = Path::from_request_parts(parts, state).await.map_err(|_| Error::NotFound)?;
        Ok(Self(at))
    }
}

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Query<T> {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Error> {
        match AxumQuery::from_request_parts(parts, state).await {
            Ok(AxumQuery(query)) => Ok(Self(query)),
            Err(rejection) => Err(Error::BadRequest(rejection.body_text())),
        }
    }
}

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Form<T> {
    type Rejection = Error;

    async fn from_request(request: Request, state: &S) -> Result<Self, Error> {
        match AxumForm::from_request(request, state).await {
            Ok(AxumForm(form)) => Ok(Self(form)),
            Err(FormRejection::InvalidFormContentType(_)) => {
                Err(Error::MediaType("application/x-www-form-urlencoded"))
            }
            Err(FormRejection::BytesRejection(_)) => Err(Error::TooLarge),
            Err(rejection) => Err(Error::BadRequest(rejection.body_text())),
        }
    }
}

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Json<T> {
    type Rejection = Error;

    async fn from_request(request: Request, state: &S) -> Result<Self, Error> {
        match AxumJson::from_request(request, state).await {
            Ok(AxumJson(body)) => Ok(Self(body)),
            Err(JsonRejection::JsonDataError(error)) => {
                let text = error.body_text();
                let text = text.rsplit_once("target type: ").map_or(text.as_str(), |(_, rest)| rest);
                Err(Error::Invalid(Fields(BTreeMap::from([("body".to_owned(), text.to_owned())]))))
            }
            Err(JsonRejection::MissingJsonContentType(_)) => Err(Error::MediaType("application/json")),
            Err(JsonRejection::BytesRejection(_)) => Err(Error::TooLarge),
            Err(rejection) => Err(Error::BadRequest(rejection.body_text())),
        }
    }
}
