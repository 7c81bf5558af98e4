//! Bodies as they stream through. Nothing is gathered; trailers are dropped on both ways.

use std::{
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    task::{Context, Poll, ready},
};

use bytes::{Buf, Bytes};
use http_body::{Body, Frame, SizeHint};
use http_body_util::combinators::UnsyncBoxBody;
use hyper::body::Incoming;
use thiserror::Error;

use crate::{forward::Lease, live::Stay, visit::Visit};

/// An error of any kind, at the border between hub and front door.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// Body of the hub's answers.
pub type HubBody = UnsyncBoxBody<Bytes, BoxError>;

/// The request's body is larger than the hub accepts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("the request body is larger than {0} bytes")]
pub struct TooLarge(pub u64);

/// Body of a request on its way to the hub; fails with [`TooLarge`] once it exceeds the limit.
#[derive(Debug)]
pub struct RequestBody {
    incoming: Incoming,
    /// Zero stands for no limit.
    limit: u64,
    received: u64,
}

impl RequestBody {
    pub(crate) fn new(incoming: Incoming, limit: u64) -> Self {
        Self { incoming, limit, received: 0 }
    }
}

impl Body for RequestBody {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let this = self.get_mut();
        let data = match ready!(poll_data(&mut this.incoming, cx)) {
            Some(Ok(data)) => data,
            Some(Err(error)) => return Poll::Ready(Some(Err(error.into()))),
            None => return Poll::Ready(None),
        };
        this.received = this.received.saturating_add(length(&data));
        if this.limit != 0 && this.received > this.limit {
            return Poll::Ready(Some(Err(TooLarge(this.limit).into())));
        }
        Poll::Ready(Some(Ok(Frame::data(data))))
    }

    fn is_end_stream(&self) -> bool {
        self.incoming.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.incoming.size_hint()
    }
}

/// Bytes of an upload so far, for the deadline of its answer.
pub(crate) type Progress = Arc<AtomicU64>;

/// Body of a request on its way to a workload.
#[derive(Debug)]
pub(crate) struct Upload(Option<Uploading>);

#[derive(Debug)]
struct Uploading {
    incoming: Incoming,
    visit: Arc<Visit>,
    progress: Progress,
}

impl Upload {
    pub(crate) const fn none() -> Self {
        Self(None)
    }

    pub(crate) fn new(incoming: Incoming, visit: Arc<Visit>, progress: Progress) -> Self {
        if incoming.is_end_stream() {
            Self(None)
        } else {
            Self(Some(Uploading { incoming, visit, progress }))
        }
    }

    pub(crate) const fn is_none(&self) -> bool {
        self.0.is_none()
    }
}

impl Body for Upload {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let Some(upload) = &mut self.get_mut().0 else { return Poll::Ready(None) };
        let data = ready!(poll_data(&mut upload.incoming, cx));
        if let Some(Ok(data)) = &data {
            upload.progress.fetch_add(length(data), Ordering::Relaxed);
            upload.visit.received(data.len());
        }
        Poll::Ready(data.map(|data| data.map(Frame::data)))
    }

    fn is_end_stream(&self) -> bool {
        self.0.as_ref().is_none_or(|upload| upload.incoming.is_end_stream())
    }

    fn size_hint(&self) -> SizeHint {
        self.0.as_ref().map_or_else(|| SizeHint::with_exact(0), |upload| upload.incoming.size_hint())
    }
}

/// Body of an answer.
#[derive(Debug)]
pub(crate) enum Answer {
    Text(Bytes),
    Hub(HubBody),
    App(Box<Download>),
}

/// Body of a workload's answer. Keeps the visit in the register of live connections until it ends, and
/// then gives the connection to the workload back.
#[derive(Debug)]
pub(crate) struct Download {
    incoming: Incoming,
    ended: bool,
    stay: Stay,
    lease: Option<Lease>,
}

impl Download {
    pub(crate) fn new(incoming: Incoming, stay: Stay, lease: Option<Lease>) -> Self {
        Self { incoming, ended: false, stay, lease }
    }
}

impl Drop for Download {
    fn drop(&mut self) {
        // A connection whose answer was not read to its end is of no further use.
        if (self.ended || self.incoming.is_end_stream())
            && let Some(lease) = self.lease.take()
        {
            lease.give_back();
        }
    }
}

impl Body for Answer {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        match self.get_mut() {
            Self::Text(text) if text.is_empty() => Poll::Ready(None),
            Self::Text(text) => Poll::Ready(Some(Ok(Frame::data(std::mem::take(text))))),
            Self::Hub(body) => Pin::new(body).poll_frame(cx),
            Self::App(download) => {
                let data = ready!(poll_data(&mut download.incoming, cx));
                match &data {
                    Some(Ok(data)) => download.stay.visit().sent(data.len()),
                    Some(Err(_)) => {}
                    None => download.ended = true,
                }
                Poll::Ready(data.map(|data| data.map(Frame::data).map_err(Into::into)))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Text(text) => text.is_empty(),
            Self::Hub(body) => body.is_end_stream(),
            Self::App(download) => download.incoming.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Text(text) => SizeHint::with_exact(length(text)),
            Self::Hub(body) => body.size_hint(),
            Self::App(download) => download.incoming.size_hint(),
        }
    }
}

/// The next data, trailers passed over.
fn poll_data(incoming: &mut Incoming, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, hyper::Error>>> {
    loop {
        match ready!(Pin::new(&mut *incoming).poll_frame(cx)) {
            Some(Ok(frame)) => {
                if let Ok(data) = frame.into_data() {
                    return Poll::Ready(Some(Ok(data)));
                }
            }
            Some(Err(error)) => return Poll::Ready(Some(Err(error))),
            None => return Poll::Ready(None),
        }
    }
}

fn length(data: &Bytes) -> u64 {
    u64::try_from(data.remaining()).unwrap_or(u64::MAX)
}
