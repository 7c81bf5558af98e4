//! How routes come together: the API, the pages, and the layers that every request passes.

use axum::{
    Router,
    extract::DefaultBodyLimit,
    handler::Handler,
    middleware,
    routing::{MethodFilter, on},
};
use http::Method;
use utoipa::openapi::OpenApi;

use crate::{
    api,
    auth::{csrf, known},
    error::Error,
    http::{guard, headers, limits, present, refusals, request_id},
    state::Hub,
    ui,
};

/// Whom a page is for. A page states it where it is routed; a test tries every page as everybody.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Audience {
    Anyone,
    SignedIn,
    Administrator,
}

/// A page's route, for the test of refusals.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageRoute {
    pub method: Method,
    pub path: &'static str,
    pub audience: Audience,
}

/// Pages with their own list of routes.
#[derive(Default)]
pub struct Pages {
    router: Router<Hub>,
    list: Vec<PageRoute>,
}

impl Pages {
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A page, or a part of one. Changes nothing.
    #[must_use]
    pub fn get<H, T>(self, path: &'static str, audience: Audience, handler: H) -> Self
    where
        H: Handler<T, Hub>,
        T: 'static,
    {
        self.add(Method::GET, MethodFilter::GET, path, audience, handler)
    }

    /// What a form is sent to. Unless it is for anyone, the form carries the field `csrf`.
    #[must_use]
    pub fn post<H, T>(self, path: &'static str, audience: Audience, handler: H) -> Self
    where
        H: Handler<T, Hub>,
        T: 'static,
    {
        self.add(Method::POST, MethodFilter::POST, path, audience, handler)
    }

    /// Both sets of pages.
    #[must_use]
    pub fn merge(mut self, other: Self) -> Self {
        self.list.extend(other.list);
        Self { router: self.router.merge(other.router), list: self.list }
    }

    #[must_use]
    pub fn list(&self) -> &[PageRoute] {
        &self.list
    }

    fn add<H, T>(
        mut self,
        method: Method,
        filter: MethodFilter,
        path: &'static str,
        audience: Audience,
        handler: H,
    ) -> Self
    where
        H: Handler<T, Hub>,
        T: 'static,
    {
        let unsafe_method = !csrf::is_safe(&method);
        self.list.push(PageRoute { method, path, audience });
        let mut route = on(filter, handler);
        if unsafe_method && audience != Audience::Anyone {
            route = route.layer(middleware::from_fn(csrf::form_layer));
        }
        route = match audience {
            Audience::Anyone => route,
            Audience::SignedIn => route.layer(middleware::from_fn(guard::signed_in)),
            Audience::Administrator => route.layer(middleware::from_fn(guard::administrator)),
        };
        Self { router: self.router.route(path, route), list: self.list }
    }
}

/// The OpenAPI document.
#[must_use]
pub fn document() -> OpenApi {
    api::document()
}

impl Hub {
    /// The portal as a service: everything that is not a workload's origin.
    pub fn router(&self) -> Router {
        let (api, _document) = api::routes().split_for_parts();
        Router::new()
            .merge(api)
            .merge(ui::routes().router)
            .method_not_allowed_fallback(async || Error::MethodNotAllowed)
            .fallback(async || Error::NotFound)
            .layer(middleware::from_fn_with_state(self.clone(), refusals::layer))
            .layer(middleware::from_fn_with_state(self.clone(), known::layer))
            .layer(DefaultBodyLimit::max(limits::MAX_BODY))
            .layer(middleware::from_fn(limits::layer))
            .layer(middleware::from_fn_with_state(self.clone(), present::layer))
            .layer(middleware::from_fn(headers::layer))
            .layer(middleware::from_fn(request_id::layer))
            .with_state(self.clone())
    }
}
