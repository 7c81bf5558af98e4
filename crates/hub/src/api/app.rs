//! REST: the catalogue, and its administration.

use axum::{Json as AxumJson, extract::State};
use http::StatusCode;
use portico_api::{
    app::{App, AppDefinition, AppDefinitions, Availability, NewDefinition, Source},
    page::Page,
};
use portico_core::{app::App as CoreApp, names::AppName};
use serde_json::Value;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    auth::SignedIn,
    catalogue::{Entry, Origin},
    error::Error,
    http::extract::{At, Json},
    live,
    service::{self, app::Offer},
    state::Hub,
};

pub(crate) fn routes() -> OpenApiRouter<Hub> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(get, put, delete)).routes(routes!(definitions))
}

/// The apps that I may launch.
#[utoipa::path(get, path = "/api/v1/apps", tag = "apps", operation_id = "list_apps",
    responses((status = 200, description = "By category and title", body = Page<App>)))]
async fn list(State(hub): State<Hub>, who: SignedIn) -> Result<AxumJson<Page<App>>, Error> {
    let offers = service::app::list(&hub, &who.actor).await?;
    Ok(AxumJson(Page { items: offers.into_iter().map(offered).collect(), next_cursor: None }))
}

/// One app that I may launch.
#[utoipa::path(get, path = "/api/v1/apps/{name}", tag = "apps", operation_id = "get_app",
    params(("name" = String, Path, description = "Name of an app")),
    responses((status = 200, description = "The app", body = App)))]
async fn get(State(hub): State<Hub>, who: SignedIn, At(name): At<AppName>) -> Result<AxumJson<App>, Error> {
    Ok(AxumJson(offered(service::app::get(&hub, &who.actor, &name).await?)))
}

/// Make an app, or replace one that was made on a page or here.
#[utoipa::path(put, path = "/api/v1/apps/{name}", tag = "apps", operation_id = "put_app",
    params(("name" = String, Path, description = "Name of the app")), request_body = NewDefinition,
    responses((status = 200, description = "Stored", body = AppDefinition),
        (status = 409, description = "A file defines the app, or somebody else changed it meanwhile")))]
async fn put(
    State(hub): State<Hub>,
    who: SignedIn,
    At(name): At<AppName>,
    Json(NewDefinition(mut definition)): Json<NewDefinition>,
) -> Result<AxumJson<AppDefinition>, Error> {
    who.actor.may_administer()?;
    definition.insert("name".to_owned(), Value::String(name.into()));
    let app: CoreApp =
        serde_json::from_value(Value::Object(definition)).map_err(|error| Error::field("body", error))?;
    let entry = service::app::put(&hub, &who.actor, app).await?;
    Ok(AxumJson(defined(&hub, entry)))
}

/// Delete an app that was made on a page or here, with its grants. What runs goes on.
#[utoipa::path(delete, path = "/api/v1/apps/{name}", tag = "apps", operation_id = "delete_app",
    params(("name" = String, Path, description = "Name of an app")),
    responses((status = 204, description = "Deleted"),
        (status = 409, description = "A file defines it, or it comes with Portico")))]
async fn delete(State(hub): State<Hub>, who: SignedIn, At(name): At<AppName>) -> Result<StatusCode, Error> {
    service::app::delete(&hub, &who.actor, &name).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// All definitions and where they come from, and what is wrong with files; for administrators.
#[utoipa::path(get, path = "/api/v1/app-definitions", tag = "apps", operation_id = "list_app_definitions",
    responses((status = 200, description = "By name", body = AppDefinitions)))]
async fn definitions(State(hub): State<Hub>, who: SignedIn) -> Result<AxumJson<AppDefinitions>, Error> {
    let mistakes = service::app::mistakes(&hub, &who.actor)?;
    let entries = hub.catalogue.now().entries.values().cloned().collect::<Vec<_>>();
    let items = entries.into_iter().map(|entry| defined(&hub, entry)).collect();
    let mistakes = mistakes.iter().map(crate::catalogue::FileMistake::tell).collect();
    Ok(AxumJson(AppDefinitions { items, mistakes }))
}

fn offered(offer: Offer) -> App {
    App::new(offer.entry.app, available(offer.availability))
}

fn defined(hub: &Hub, entry: Entry) -> AppDefinition {
    let availability = available(service::app::availability(hub, &entry.app));
    let source = match entry.origin {
        Origin::Example => Source::Example,
        Origin::File(path) => Source::File { path: path.display().to_string() },
        Origin::Stored { changed, .. } => Source::Stored { changed },
    };
    AppDefinition { definition: entry.app, source, availability }
}

fn available(availability: live::Availability) -> Availability {
    match availability {
        live::Availability::Unknown => Availability::Unknown,
        live::Availability::Available => Availability::Available,
        live::Availability::Unavailable { problem, hint } => Availability::Unavailable { problem, hint },
    }
}
