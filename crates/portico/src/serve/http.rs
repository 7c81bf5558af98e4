//! A plain HTTP server for what is not the front door: the administration socket and the metrics.

use std::{convert::Infallible, io, time::Duration};

use axum::Router;
use hyper::{Request, body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, UnixListener},
};
use tower::ServiceExt;

use crate::lifecycle::Lifecycle;

/// How long a client may take to send the head of a request.
const HEAD: Duration = Duration::from_secs(10);

/// What connections come from.
pub(super) trait Accept: Send + 'static {
    type Connection: AsyncRead + AsyncWrite + Unpin + Send + 'static;
    fn accept(&self) -> impl Future<Output = io::Result<Self::Connection>> + Send;
}

impl Accept for TcpListener {
    type Connection = tokio::net::TcpStream;
    async fn accept(&self) -> io::Result<Self::Connection> {
        Self::accept(self).await.map(|(connection, _)| connection)
    }
}

impl Accept for UnixListener {
    type Connection = tokio::net::UnixStream;
    async fn accept(&self) -> io::Result<Self::Connection> {
        Self::accept(self).await.map(|(connection, _)| connection)
    }
}

/// Serves the router until the lifecycle ends.
pub(super) fn serve<L: Accept + Sync>(listener: L, router: Router, lifecycle: &Lifecycle) {
    let inner = lifecycle.clone();
    lifecycle.tasks.spawn(async move {
        loop {
            let accepted = tokio::select! {
                accepted = listener.accept() => accepted,
                () = inner.soft.cancelled() => return,
            };
            match accepted {
                Ok(connection) => {
                    inner.tasks.spawn(converse(connection, router.clone(), inner.clone()));
                }
                Err(error) => {
                    tracing::warn!(error = %error, "cannot accept a connection");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
            }
        }
    });
}

async fn converse<C>(connection: C, router: Router, lifecycle: Lifecycle)
where
    C: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let service = service_fn(move |request: Request<Incoming>| {
        let router = router.clone();
        async move { Ok::<_, Infallible>(answer(router, request).await) }
    });
    let mut server = http1::Builder::new();
    server.timer(TokioTimer::new()).header_read_timeout(HEAD);
    let mut conversation = std::pin::pin!(server.serve_connection(TokioIo::new(connection), service));
    let ended = tokio::select! {
        ended = conversation.as_mut() => ended,
        () = lifecycle.soft.cancelled() => {
            conversation.as_mut().graceful_shutdown();
            tokio::select! {
                ended = conversation => ended,
                () = lifecycle.hard.cancelled() => return,
            }
        }
    };
    if let Err(error) = ended {
        tracing::debug!(error = %error, "connection broke off");
    }
}

async fn answer(router: Router, request: Request<Incoming>) -> axum::response::Response {
    match router.oneshot(request.map(axum::body::Body::new)).await {
        Ok(response) => response,
        Err(never) => match never {},
    }
}
