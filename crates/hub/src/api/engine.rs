//! REST: engines, for administrators.

use axum::{Json as AxumJson, extract::State};
use portico_api::{engine::Engine, page::Page};
use portico_core::names::EngineName;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    auth::SignedIn,
    error::Error,
    http::extract::At,
    service::{
        self,
        engine::{EngineState, Freshness},
    },
    state::Hub,
};

pub(crate) fn routes() -> OpenApiRouter<Hub> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(get))
}

/// All engines, as they were when they were last asked.
#[utoipa::path(get, path = "/api/v1/engines", tag = "engines", operation_id = "list_engines",
    responses((status = 200, description = "By name", body = Page<Engine>)))]
async fn list(State(hub): State<Hub>, who: SignedIn) -> Result<AxumJson<Page<Engine>>, Error> {
    let permit = who.actor.may_administer()?;
    let engines = service::engine::list(&hub, &permit).await?;
    Ok(AxumJson(Page { items: engines.into_iter().map(shown).collect(), next_cursor: None }))
}

/// One engine, asked now.
#[utoipa::path(get, path = "/api/v1/engines/{name}", tag = "engines", operation_id = "get_engine",
    params(("name" = String, Path, description = "Name of an engine")),
    responses((status = 200, description = "The engine", body = Engine)))]
async fn get(
    State(hub): State<Hub>,
    who: SignedIn,
    At(name): At<EngineName>,
) -> Result<AxumJson<Engine>, Error> {
    let permit = who.actor.may_administer()?;
    Ok(AxumJson(shown(service::engine::get(&hub, &permit, &name, Freshness::Now).await?)))
}

fn shown(engine: EngineState) -> Engine {
    let EngineState { name, kind, health, workloads, capacity } = engine;
    Engine {
        name: name.into(),
        kind: kind.to_owned(),
        version: health.version,
        condition: health.condition.into(),
        isolation: health.isolation.into_iter().map(Into::into).collect(),
        checked: health.checked,
        workloads,
        capacity,
    }
}
