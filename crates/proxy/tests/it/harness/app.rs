//! Workloads: an HTTP server that says what it was asked, and sockets for tests that script theirs.

use std::{
    convert::Infallible,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use bytes::Bytes;
use futures_util::{StreamExt, stream};
use http::{HeaderValue, Request, Response, StatusCode};
use http_body_util::{BodyExt, Empty, Full, StreamBody, combinators::UnsyncBoxBody};
use hyper::{
    body::{Frame, Incoming},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::TokioIo;
use portico_core::route::Upstream;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream, UnixListener},
};
use tokio_util::task::{AbortOnDropHandle, TaskTracker};

type Body = UnsyncBoxBody<Bytes, Infallible>;

/// A running app. Dropping it closes its listener and connections.
pub(crate) struct App {
    pub(crate) upstream: Upstream,
    /// Connections accepted so far.
    pub(crate) connections: Arc<AtomicUsize>,
    /// Connections open now.
    pub(crate) open: Arc<AtomicUsize>,
    _task: AbortOnDropHandle<()>,
}

impl App {
    pub(crate) async fn tcp() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("loopback");
        let upstream = Upstream::Tcp(listener.local_addr().expect("bound"));
        let (connections, open) = <(Arc<AtomicUsize>, Arc<AtomicUsize>)>::default();
        let counters = (Arc::clone(&connections), Arc::clone(&open));
        let task = async move {
            let mut tasks = tokio::task::JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                stream.set_nodelay(true).expect("a socket");
                tasks.spawn(serve(stream, counters.clone()));
            }
        };
        Self { upstream, connections, open, _task: AbortOnDropHandle::new(TaskTracker::new().spawn(task)) }
    }

    pub(crate) fn unix(path: &Path) -> Self {
        let listener = UnixListener::bind(path).expect("a socket");
        let (connections, open) = <(Arc<AtomicUsize>, Arc<AtomicUsize>)>::default();
        let counters = (Arc::clone(&connections), Arc::clone(&open));
        let task = async move {
            let mut tasks = tokio::task::JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                tasks.spawn(serve(stream, counters.clone()));
            }
        };
        let upstream = Upstream::Unix(path.to_owned());
        Self { upstream, connections, open, _task: AbortOnDropHandle::new(TaskTracker::new().spawn(task)) }
    }

    pub(crate) fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }

    pub(crate) fn open(&self) -> usize {
        self.open.load(Ordering::SeqCst)
    }
}

/// A workload each connection of which is handed to `script`.
pub(crate) async fn raw_app<F>(script: impl Fn(TcpStream) -> F + Send + 'static) -> App
where
    F: Future<Output = ()> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("loopback");
    let upstream = Upstream::Tcp(listener.local_addr().expect("bound"));
    let (connections, open) = <(Arc<AtomicUsize>, Arc<AtomicUsize>)>::default();
    let counters = (Arc::clone(&connections), Arc::clone(&open));
    let task = async move {
        let mut tasks = tokio::task::JoinSet::new();
        while let Ok((stream, _)) = listener.accept().await {
            let counted = Counted::new(&counters);
            let work = script(stream);
            tasks.spawn(async move {
                work.await;
                drop(counted);
            });
        }
    };
    App { upstream, connections, open, _task: AbortOnDropHandle::new(TaskTracker::new().spawn(task)) }
}

struct Counted(Arc<AtomicUsize>);

impl Counted {
    fn new((connections, open): &(Arc<AtomicUsize>, Arc<AtomicUsize>)) -> Self {
        connections.fetch_add(1, Ordering::SeqCst);
        open.fetch_add(1, Ordering::SeqCst);
        Self(Arc::clone(open))
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

async fn serve(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    counters: (Arc<AtomicUsize>, Arc<AtomicUsize>),
) {
    let _counted = Counted::new(&counters);
    let service = service_fn(|request| async move { Ok::<_, Infallible>(answer(request).await) });
    // A connection that breaks off is what some tests are about.
    let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
}

async fn answer(request: Request<Incoming>) -> Response<Body> {
    let path = request.uri().path().to_owned();
    let count = path.rsplit('/').next().and_then(|text| text.parse::<u64>().ok()).unwrap_or_default();
    match path.split('/').nth(1).unwrap_or_default() {
        "bytes" => Response::new(zeros(count)),
        "events" => events(),
        "count" => received(request).await,
        "early" => status(413),
        "status" => status(u16::try_from(count).expect("a status")),
        "headers" => hostile_headers(),
        "trailers" => trailers(),
        "slow" => std::future::pending().await,
        _ => echo(request).await,
    }
}

async fn echo(request: Request<Incoming>) -> Response<Body> {
    let (parts, body) = request.into_parts();
    let mut text = format!("{} {}\n", parts.method, parts.uri);
    for (name, value) in &parts.headers {
        text.push_str(&format!("{name}: {}\n", String::from_utf8_lossy(value.as_bytes())));
    }
    let body = body.collect().await.map(|body| body.to_bytes()).unwrap_or_default();
    text.push_str(&format!("\n{}", String::from_utf8_lossy(&body)));
    Response::new(Full::new(Bytes::from(text)).boxed_unsync())
}

async fn received(request: Request<Incoming>) -> Response<Body> {
    let mut body = request.into_body();
    let mut count = 0;
    while let Some(Ok(frame)) = body.frame().await {
        count += frame.into_data().map(|data| data.len()).unwrap_or_default();
    }
    Response::new(Full::new(Bytes::from(count.to_string())).boxed_unsync())
}

/// So many bytes, of unknown length to the client.
fn zeros(count: u64) -> Body {
    const PIECE: u64 = 64 * 1024;
    let piece = Bytes::from(vec![0; 64 * 1024]);
    let pieces = stream::iter(0..count.div_ceil(PIECE)).map(move |number| {
        let left = usize::try_from((count - number * PIECE).min(PIECE)).expect("small");
        Ok(Frame::data(piece.slice(..left)))
    });
    StreamBody::new(pieces).boxed_unsync()
}

/// An event at once, and then silence.
fn events() -> Response<Body> {
    let first = stream::once(async { Ok(Frame::data(Bytes::from_static(b"data: 1\n\n"))) });
    let mut response = Response::new(StreamBody::new(first.chain(stream::pending())).boxed_unsync());
    response.headers_mut().insert("content-type", HeaderValue::from_static("text/event-stream"));
    response
}

fn status(code: u16) -> Response<Body> {
    let mut response = Response::new(Empty::new().boxed_unsync());
    *response.status_mut() = StatusCode::from_u16(code).expect("a status");
    response
}

fn hostile_headers() -> Response<Body> {
    let mut response = Response::new(Empty::new().boxed_unsync());
    for (name, value) in [
        ("set-cookie", "a=b; Domain=localhost; Path=/"),
        ("set-cookie", "__Host-portico-pass=forged; Path=/; Secure"),
        ("set-cookie", "portico-login=forged"),
        ("strict-transport-security", "max-age=1; includeSubDomains"),
        ("alt-svc", "h3=\":444\""),
        ("clear-site-data", "\"cookies\""),
        ("keep-alive", "timeout=5"),
        ("connection", "x-internal"),
        ("x-internal", "1"),
        ("access-control-allow-origin", "https://example.org"),
        ("service-worker-allowed", "/"),
    ] {
        response.headers_mut().append(name, HeaderValue::from_static(value));
    }
    response
}

fn trailers() -> Response<Body> {
    let trailers = [("x-checksum".parse().expect("a name"), HeaderValue::from_static("1"))];
    let frames =
        [Ok(Frame::data(Bytes::from_static(b"whole"))), Ok(Frame::trailers(trailers.into_iter().collect()))];
    let mut response = Response::new(StreamBody::new(stream::iter(frames)).boxed_unsync());
    response.headers_mut().insert("trailer", HeaderValue::from_static("x-checksum"));
    response
}
