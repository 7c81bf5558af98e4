//! REST: the audit log, for administrators.

use axum::{
    Json as AxumJson,
    body::Body,
    extract::State,
    response::{IntoResponse, Response},
};
use http::header;
use portico_api::{
    audit::{AuditEvent, AuditFilter, ExportQuery, Format},
    page::{Page, PageQuery},
};
use portico_store::audit::Filter;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::paging;
use crate::{
    auth::SignedIn,
    error::Error,
    http::extract::Query,
    service::{self, audit_export},
    state::Hub,
};

pub(crate) fn routes() -> OpenApiRouter<Hub> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(export))
}

/// Lines of the audit log.
#[utoipa::path(get, path = "/api/v1/audit", tag = "audit", operation_id = "list_audit",
    params(AuditFilter, PageQuery),
    responses((status = 200, description = "Newest first", body = Page<AuditEvent>)))]
async fn list(
    State(hub): State<Hub>,
    who: SignedIn,
    Query(filter): Query<AuditFilter>,
    Query(page): Query<PageQuery>,
) -> Result<AxumJson<Page<AuditEvent>>, Error> {
    let permit = who.actor.may_administer()?;
    let (before, limit) = paging::read(&page)?;
    let events = service::audit::list(&hub, &permit, &read(filter)?, before.as_ref(), limit).await?;
    Ok(AxumJson(paging::write(events, |event| event.id.to_string())))
}

/// All lines that match, newest first, as a file.
#[utoipa::path(get, path = "/api/v1/audit/export", tag = "audit", operation_id = "export_audit",
    params(AuditFilter, ExportQuery),
    responses((status = 200, description = "The lines",
        content((String = "application/jsonl"), (String = "text/csv")))))]
async fn export(
    State(hub): State<Hub>,
    who: SignedIn,
    Query(filter): Query<AuditFilter>,
    Query(ExportQuery { format }): Query<ExportQuery>,
) -> Result<Response, Error> {
    let permit = who.actor.may_administer()?;
    let lines = audit_export::lines(&hub, permit, read(filter)?, format);
    let (kind, name) = match format {
        Format::Jsonl => ("application/jsonl", "attachment; filename=\"audit.jsonl\""),
        Format::Csv => ("text/csv; charset=utf-8", "attachment; filename=\"audit.csv\""),
    };
    let headers = [(header::CONTENT_TYPE, kind), (header::CONTENT_DISPOSITION, name)];
    Ok((headers, Body::from_stream(lines)).into_response())
}

/// From the wire to the store.
pub(crate) fn read(filter: AuditFilter) -> Result<Filter, Error> {
    let user = filter.user.filter(|id| !id.is_empty()).map(|id| id.parse());
    Ok(Filter {
        user: user.transpose().map_err(|error| Error::BadRequest(format!("user: {error}")))?,
        action: filter.action.unwrap_or_default(),
        thing: filter.thing.filter(|thing| !thing.is_empty()),
        outcome: filter.outcome.map(Into::into),
        from: filter.from,
        until: filter.until,
    })
}
