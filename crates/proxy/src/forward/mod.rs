//! An admitted request's way to its workload and back.

mod headers;
mod link;
mod pool;
mod tunnel;

use std::{
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicI64, AtomicUsize, Ordering},
    },
    time::Duration,
};

use http::{Method, Request, Response, StatusCode, Uri, Version, request::Parts};
use hyper::{
    body::{Body, Incoming},
    client::conn::http1::SendRequest,
};
use jiff::Timestamp;
use portico_core::{
    pass::Pass,
    route::{Route, Upstream},
};
use tokio::time::timeout;
use tracing::warn;

use crate::{
    address::Entrance,
    body::{Answer, Download, Progress, Upload},
    config::seconds,
    front::Door,
    listen::Connection,
    live::Stay,
    peer::{Peer, RequestId},
    refuse::Refused,
    visit::Visit,
};

pub(crate) use headers::strip_claims;
pub(crate) use pool::{Backend, Backends, Lease};

/// A request on its way.
pub(crate) struct Call<'a> {
    pub(crate) door: &'a Arc<Door>,
    pub(crate) connection: &'a Connection,
    pub(crate) entrance: &'a Entrance,
    pub(crate) peer: Peer,
    pub(crate) id: &'a RequestId,
}

/// An exchange that did not take place.
enum Failure {
    /// The connection had been closed already; nothing of this request was written.
    Unsent(Box<Request<Upload>>),
    Broken(hyper::Error),
    Slow,
}

impl Call<'_> {
    /// Enters the visit into the register, if there is room and nothing was revoked meanwhile.
    pub(crate) fn visit(
        &self,
        pass: Pass,
        route: Arc<Route>,
        upstream: Upstream,
        now: Timestamp,
    ) -> Result<Stay, Refused> {
        let backend = self.door.backends.of(&route.workload);
        let visit = Arc::new(Visit {
            pass,
            route,
            entry: self.entrance.entry.clone(),
            upstream,
            reports: Arc::clone(&self.door.reports),
            counters: (&self.door.metrics).into(),
            bytes: AtomicUsize::new(0),
            looked: AtomicI64::new(0),
            _place: backend.enter().ok_or(Refused::TOO_MUCH)?,
            backend,
        });
        let stay = self.door.live.enter(Arc::clone(&visit), self.connection.cut.clone());
        // What was published between the admission and the entry did not find it in the register.
        if visit.holds(&self.door.published.borrow(), now) { Ok(stay) } else { Err(Refused::NO_PASS) }
    }

    /// Forwards and answers. Dropping the future drops the connection to the workload.
    pub(crate) async fn forward(
        &self,
        mut parts: Parts,
        body: Incoming,
        stay: Stay,
    ) -> Result<Response<Answer>, Refused> {
        let now = Timestamp::now();
        stay.visit().arrived(now);
        let on_client = parts.extensions.remove::<hyper::upgrade::OnUpgrade>();
        let protocol = headers::upgrade(&parts, body.is_end_stream())?;
        headers::prepare(&mut parts, self, stay.visit());
        let progress = Progress::default();
        let mut request =
            Request::from_parts(parts, Upload::new(body, Arc::clone(stay.visit()), Arc::clone(&progress)));
        match (protocol, on_client) {
            (Some(protocol), Some(on_client)) => {
                headers::ask_upgrade(request.headers_mut(), protocol);
                self.upgrade(request, on_client, stay).await
            }
            _ => self.exchange(request, stay, &progress).await,
        }
    }

    /// One request and its answer, over a connection kept from before where there is one.
    async fn exchange(
        &self,
        request: Request<Upload>,
        stay: Stay,
        progress: &Progress,
    ) -> Result<Response<Answer>, Refused> {
        let visit = Arc::clone(stay.visit());
        let backend = &visit.backend;
        let limit = seconds(self.door.limits.answer_seconds);
        let mut request = request;
        if let Some(mut sender) = backend.take(&visit.upstream) {
            let again = repeatable(&request);
            match send(&mut sender, request, limit, progress).await {
                Ok(response) => return self.answer(response, stay, backend.lease(&visit.upstream, sender)),
                Err(Failure::Unsent(unsent)) => request = *unsent,
                Err(failure) => match (failure, again) {
                    (Failure::Broken(error), Some(again)) if is_stale(&error) => request = again,
                    (failure, _) => return Err(self.failed(&visit, &failure)),
                },
            }
        }
        let mut sender = backend.dial(&visit.upstream).await.map_err(|error| error.refused(&visit))?;
        match send(&mut sender, request, limit, progress).await {
            Ok(response) => self.answer(response, stay, backend.lease(&visit.upstream, sender)),
            Err(failure) => Err(self.failed(&visit, &failure)),
        }
    }

    /// The handshake of an upgrade, over a connection of its own; on success a tunnel.
    async fn upgrade(
        &self,
        request: Request<Upload>,
        on_client: hyper::upgrade::OnUpgrade,
        stay: Stay,
    ) -> Result<Response<Answer>, Refused> {
        let visit = Arc::clone(stay.visit());
        let backend = &visit.backend;
        let limit = seconds(self.door.limits.upgrade_seconds);
        let mut sender = backend.dial(&visit.upstream).await.map_err(|error| error.refused(&visit))?;
        let mut response = match send(&mut sender, request, limit, &Progress::default()).await {
            Ok(response) => response,
            Err(failure) => return Err(self.failed(&visit, &failure)),
        };
        if response.status() != StatusCode::SWITCHING_PROTOCOLS {
            return self.answer(response, stay, backend.lease(&visit.upstream, sender));
        }
        let on_upstream = hyper::upgrade::on(&mut response);
        headers::finish_upgrade(response.headers_mut(), self.entrance);
        let cut = self.connection.cut.clone();
        let half_open = seconds(self.door.limits.half_open_seconds);
        let tunnels = self.door.metrics.tunnels.clone();
        self.door.clients.spawn(tunnel::run(on_client, on_upstream, stay, cut, half_open, tunnels));
        Ok(response.map(|_| Answer::Text(bytes::Bytes::new())))
    }

    fn answer(
        &self,
        response: Response<Incoming>,
        stay: Stay,
        lease: Lease,
    ) -> Result<Response<Answer>, Refused> {
        if response.status().is_informational() {
            warn!(workload.id = %stay.visit().route.workload, "the app switched protocols without being asked");
            return Err(Refused::BAD_UPSTREAM);
        }
        let mut response = response;
        headers::settle_length(&mut response);
        headers::finish(response.headers_mut(), self.entrance);
        *response.version_mut() = Version::HTTP_11;
        stay.visit().sent(0);
        Ok(response.map(|incoming| Answer::App(Box::new(Download::new(incoming, stay, Some(lease))))))
    }

    fn failed(&self, visit: &Visit, failure: &Failure) -> Refused {
        let workload = &visit.route.workload;
        match failure {
            Failure::Slow => {
                warn!(workload.id = %workload, request.id = %self.id, "the app did not begin its answer in time");
                Refused::SLOW_UPSTREAM
            }
            Failure::Broken(error) if is_about_client(error) => Refused::BAD_REQUEST,
            Failure::Broken(error) => {
                warn!(workload.id = %workload, request.id = %self.id, %error, "the app broke off");
                Refused::BAD_UPSTREAM
            }
            Failure::Unsent(_) => Refused::BAD_UPSTREAM,
        }
    }
}

/// Sends a request and waits for the head of its answer, as long as the upload makes progress.
async fn send(
    sender: &mut SendRequest<Upload>,
    request: Request<Upload>,
    limit: Duration,
    progress: &Progress,
) -> Result<Response<Incoming>, Failure> {
    let mut answer = pin!(sender.try_send_request(request));
    let mut before = 0;
    loop {
        match timeout(limit, answer.as_mut()).await {
            Ok(Ok(response)) => return Ok(response),
            Ok(Err(mut error)) => {
                return Err(match error.take_message() {
                    Some(unsent) => Failure::Unsent(Box::new(unsent)),
                    None => Failure::Broken(error.into_error()),
                });
            }
            Err(_) => {
                let now = progress.load(Ordering::Relaxed);
                if now == before {
                    return Err(Failure::Slow);
                }
                before = now;
            }
        }
    }
}

/// A copy of a request that may be sent twice: without a body, and of a method that changes nothing
/// more the second time.
fn repeatable(request: &Request<Upload>) -> Option<Request<Upload>> {
    let idempotent = matches!(
        *request.method(),
        Method::GET | Method::HEAD | Method::OPTIONS | Method::PUT | Method::DELETE
    );
    if !idempotent || !request.body().is_none() {
        return None;
    }
    let mut copy = Request::new(Upload::none());
    *copy.method_mut() = request.method().clone();
    *copy.uri_mut() = request.uri().clone();
    *copy.headers_mut() = request.headers().clone();
    Some(copy)
}

/// Whether the workload had closed the connection before it answered anything.
fn is_stale(error: &hyper::Error) -> bool {
    error.is_incomplete_message() || error.is_closed() || error.is_canceled() || is_reset(error)
}

fn is_reset(error: &hyper::Error) -> bool {
    use std::io::ErrorKind::{BrokenPipe, ConnectionReset};
    std::error::Error::source(error)
        .and_then(|source| source.downcast_ref::<std::io::Error>())
        .is_some_and(|error| matches!(error.kind(), BrokenPipe | ConnectionReset))
}

/// Whether it was the browser's part that failed: its upload broke off or was malformed.
fn is_about_client(error: &hyper::Error) -> bool {
    error.is_user()
}

/// The path and query alone, as a request line to a workload bears it.
fn origin_form(uri: &Uri) -> Uri {
    uri.path_and_query().map_or_else(|| Uri::from_static("/"), |path| Uri::from(path.clone()))
}
