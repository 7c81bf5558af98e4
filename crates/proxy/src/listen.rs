//! Sockets from outside: binding, accepting, counting, and one connection's life.

use std::{
    collections::HashMap,
    convert::Infallible,
    io,
    net::{IpAddr, SocketAddr},
    pin::pin,
    sync::{Arc, Mutex},
    time::Duration,
};

use hyper::{server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use socket2::{Domain, Protocol, SockRef, Socket, TcpKeepalive, Type};
use thiserror::Error;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    time::{sleep, timeout},
};
use tokio_util::sync::CancellationToken;
use tracing::{debug, warn};

use crate::{
    admit::Checked,
    config::{Limits, seconds},
    dispatch,
    front::Door,
    guard::Guarded,
    live::lock,
    metrics::{Counted, Metrics, Reason},
    peer::is_trusted,
};

const BACKLOG: i32 = 4096;
/// Wait after an error of `accept` that more accepting would only repeat, such as too many open files.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
/// How long a connection too many is kept to hand over its answer.
const REFUSAL: Duration = Duration::from_secs(1);
/// Connections too many that get an answer at once; the others are closed without a word.
const REFUSALS: usize = 256;
/// Silence after which the system asks whether the other side is still there.
const KEEPALIVE: Duration = Duration::from_secs(60);

const FULL: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\nContent-Type: text/plain\r\nContent-Length: 47\r\n\
    Retry-After: 5\r\nConnection: close\r\n\r\nToo many connections. Try again in a few moments";

/// An address could not be listened on.
#[derive(Debug, Error)]
#[error("cannot listen on {address}")]
pub struct BindError {
    pub address: SocketAddr,
    pub source: io::Error,
}

/// Listens on all addresses.
///
/// # Errors
/// When one of them is taken or not ours; says which.
pub fn bind(addresses: &[SocketAddr]) -> Result<Vec<TcpListener>, BindError> {
    addresses
        .iter()
        .map(|address| bind_one(*address).map_err(|source| BindError { address: *address, source }))
        .collect()
}

fn bind_one(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    if address.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    TcpListener::from_std(socket.into())
}

/// A connection, as its requests see it.
#[derive(Debug)]
pub(crate) struct Connection {
    pub(crate) peer: SocketAddr,
    /// Our own end.
    pub(crate) local: SocketAddr,
    pub(crate) checked: Checked,
    /// Ends it and what goes through it.
    pub(crate) cut: CancellationToken,
}

/// How many connections there are, in all and per client.
#[derive(Debug)]
pub(crate) struct Census {
    most: usize,
    most_per_client: usize,
    open: prometheus_client::metrics::gauge::Gauge,
    counts: Mutex<Counts>,
}

#[derive(Debug, Default)]
struct Counts {
    all: usize,
    refusals: usize,
    clients: HashMap<IpAddr, usize>,
}

/// A connection's place in the census.
#[derive(Debug)]
pub(crate) struct Slot {
    census: Arc<Census>,
    /// Missing for trusted proxies, whose connections are many people's.
    client: Option<IpAddr>,
    _counted: Counted,
}

impl Census {
    pub(crate) fn new(limits: &Limits, metrics: &Metrics) -> Self {
        Self {
            most: limits.connections,
            most_per_client: limits.connections_per_client,
            open: metrics.connections.clone(),
            counts: Mutex::default(),
        }
    }

    fn enter(self: &Arc<Self>, client: Option<IpAddr>) -> Option<Slot> {
        let mut counts = lock(&self.counts);
        if counts.all >= self.most {
            return None;
        }
        if let Some(client) = client {
            let count = counts.clients.entry(client).or_default();
            if *count >= self.most_per_client {
                return None;
            }
            *count += 1;
        }
        counts.all += 1;
        Some(Slot { census: Arc::clone(self), client, _counted: Counted::new(&self.open) })
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        let mut counts = lock(&self.census.counts);
        counts.all = counts.all.saturating_sub(1);
        let Some(client) = self.client else { return };
        if let Some(count) = counts.clients.get_mut(&client) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                counts.clients.remove(&client);
            }
        }
    }
}

/// Accepts connections until `soft` or `hard`. No error ends it: the listener outlives what caused it.
pub(crate) async fn accept(
    door: Arc<Door>,
    listener: TcpListener,
    soft: CancellationToken,
    hard: CancellationToken,
) {
    loop {
        let accepted = tokio::select! {
            () = soft.cancelled() => return,
            () = hard.cancelled() => return,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, peer)) => admit(&door, stream, peer, &soft, &hard),
            Err(error) if concerns_one(&error) => {
                debug!(%error, "a connection broke off before it was accepted")
            }
            Err(error) => {
                warn!(%error, "connections cannot be accepted for the moment");
                sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

/// Whether an error of `accept` is about that connection only.
fn concerns_one(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset, Interrupted};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset | Interrupted)
}

fn admit(
    door: &Arc<Door>,
    stream: TcpStream,
    peer: SocketAddr,
    soft: &CancellationToken,
    hard: &CancellationToken,
) {
    let address = peer.ip().to_canonical();
    let client = (!is_trusted(address, &door.trusted)).then_some(address);
    if let Some(slot) = door.census.enter(client) {
        door.clients.spawn(attend(Arc::clone(door), stream, peer, slot, soft.clone(), hard.child_token()));
        return;
    }
    door.metrics.refused(Reason::Connections);
    let mut counts = lock(&door.census.counts);
    if counts.refusals < REFUSALS {
        counts.refusals += 1;
        door.clients.spawn(turn_away(stream, Arc::clone(&door.census)));
    }
}

/// Answers 503 before anything was read.
async fn turn_away(mut stream: TcpStream, census: Arc<Census>) {
    let answer = async {
        stream.write_all(FULL).await?;
        stream.shutdown().await?;
        // Closing with unread bytes would reset the connection and take the answer away again.
        let mut rest = [0_u8; 1024];
        while stream.read(&mut rest).await? > 0 {}
        Ok::<(), io::Error>(())
    };
    // Whether the answer arrived is the client's concern; it is refused either way.
    let _ = timeout(REFUSAL, answer).await;
    let mut counts = lock(&census.counts);
    counts.refusals = counts.refusals.saturating_sub(1);
}

/// One connection, from its first byte to its last or to its upgrade.
async fn attend(
    door: Arc<Door>,
    stream: TcpStream,
    peer: SocketAddr,
    slot: Slot,
    soft: CancellationToken,
    cut: CancellationToken,
) {
    if let Err(error) = prepare(&stream) {
        debug!(%error, "a connection broke off at once");
        return;
    }
    let Ok(local) = stream.local_addr() else { return };
    let connection = Arc::new(Connection { peer, local, checked: Checked::default(), cut: cut.clone() });
    let limits = &door.limits;
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new())
        .header_read_timeout(seconds(limits.header_seconds))
        .max_buf_size(limits.header_bytes)
        .max_header_size(limits.header_bytes)
        .max_headers(limits.header_count);
    let service = service_fn(|request| {
        let (door, connection) = (Arc::clone(&door), Arc::clone(&connection));
        async move { Ok::<_, Infallible>(dispatch::answer(&door, &connection, request).await) }
    });
    let io = TokioIo::new(Guarded::new(stream, slot));
    let mut served = pin!(http.serve_connection(io, service).with_upgrades());
    let mut draining = false;
    loop {
        tokio::select! {
            result = served.as_mut() => {
                if let Err(error) = result {
                    debug!(%error, %peer, "a connection ended early");
                }
                return;
            }
            () = cut.cancelled() => return,
            () = soft.cancelled(), if !draining => {
                draining = true;
                served.as_mut().graceful_shutdown();
            }
        }
    }
}

fn prepare(stream: &TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let keepalive = TcpKeepalive::new().with_time(KEEPALIVE).with_interval(KEEPALIVE / 4);
    SockRef::from(stream).set_tcp_keepalive(&keepalive)
}
