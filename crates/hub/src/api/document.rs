//! What all endpoints have in common, added to the document: title, security, and the answers that
//! the layers in front of every handler can give.

use std::collections::BTreeMap;

use portico_api::problem::Problem;
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{
        Components, ContentBuilder, OpenApi, Ref, RefOr, Response, ResponseBuilder, SecurityRequirement,
        path::{Operation, PathItem},
        security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme},
    },
};

const SCHEMA: &str = "#/components/schemas/Problem";

pub(super) fn complete(document: &mut OpenApi) {
    "Portico".clone_into(&mut document.info.title);
    env!("CARGO_PKG_VERSION").clone_into(&mut document.info.version);
    let components = document.components.get_or_insert_with(Components::new);
    components.schemas.insert(Problem::name().into_owned(), Problem::schema());
    for (name, scheme) in schemes() {
        components.security_schemes.insert(name.to_owned(), RefOr::T(scheme));
    }
    document.security = Some(vec![
        SecurityRequirement::new("token", Vec::<String>::new()),
        SecurityRequirement::new("login", Vec::<String>::new()).add("csrf", Vec::<String>::new()),
    ]);
    for item in document.paths.paths.values_mut() {
        for operation in operations(item) {
            complete_operation(operation);
        }
    }
}

/// A token for programs; for our own pages the cookie, with a token against forged requests when
/// something is changed.
fn schemes() -> BTreeMap<&'static str, SecurityScheme> {
    let bearer = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).bearer_format("ptk_...").build();
    let cookie = ApiKey::Cookie(ApiKeyValue::new("__Host-portico"));
    let header = ApiKey::Header(ApiKeyValue::new("x-portico-csrf"));
    BTreeMap::from([
        ("token", SecurityScheme::Http(bearer)),
        ("login", SecurityScheme::ApiKey(cookie)),
        ("csrf", SecurityScheme::ApiKey(header)),
    ])
}

fn operations(item: &mut PathItem) -> impl Iterator<Item = &mut Operation> {
    let PathItem { get, put, post, delete, patch, head, .. } = item;
    [get, put, post, delete, patch, head].into_iter().flatten()
}

fn complete_operation(operation: &mut Operation) {
    let is_open = operation.security.is_some();
    let has_body = operation.request_body.is_some();
    let common: &[(&str, &str, bool)] = &[
        ("400", "The request cannot be understood", true),
        ("401", "Nobody is known by this token or cookie", true),
        ("403", "A rule forbids it, or the request does not come from our own pages", true),
        ("404", "It does not exist, or is not yours to use", !is_open),
        ("408", "The request took too long", true),
        ("413", "The request is too large", has_body),
        ("415", "Another content type is expected", has_body),
        ("422", "Some of the values cannot be used", has_body),
        ("500", "A defect; the request id helps to find it in the log", true),
        ("503", "The database or an engine does not answer now", true),
    ];
    for (status, description, applies) in common {
        if *applies {
            let response = RefOr::T(problem(description));
            operation.responses.responses.entry((*status).to_owned()).or_insert(response);
        }
    }
    for (status, response) in &mut operation.responses.responses {
        if let RefOr::T(response) = response
            && status.starts_with(['4', '5'])
            && response.content.is_empty()
        {
            *response = problem(&response.description);
        }
    }
}

fn problem(description: &str) -> Response {
    let content = ContentBuilder::new().schema(Some(RefOr::Ref(Ref::new(SCHEMA)))).build();
    ResponseBuilder::new().description(description).content("application/problem+json", content).build()
}
