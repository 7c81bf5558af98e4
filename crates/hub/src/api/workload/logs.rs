//! The log of a workload: as text, or as events for pages.

use axum::{
    body::Body,
    extract::State,
    response::{IntoResponse, Response, sse::Event},
};
use bytes::Bytes;
use futures_util::{Stream, StreamExt, stream};
use http::{HeaderMap, HeaderValue, header};
use portico_api::workload::LogQuery;
use portico_core::{WorkloadId, access::Action, ports::Follow};
use serde_json::json;

use crate::{
    api::sse,
    auth::SignedIn,
    error::Error,
    http::extract::{At, Query},
    service,
    state::Hub,
};

/// Longest line that is sent as one event, in bytes.
const MAX_LINE: usize = 64 * 1024;

/// Its log: live while it runs, what was kept of the last run after the end.
///
/// A client that accepts `text/event-stream` gets `log` events with `{"line": ...}`, and `end`.
#[utoipa::path(get, path = "/api/v1/workloads/{id}/logs", tag = "workloads", operation_id = "read_log",
    params(("id" = String, Path, description = "Id of a workload"), LogQuery),
    responses((status = 200, description = "The log",
        content((String = "text/plain"), (String = "text/event-stream")))))]
pub(super) async fn logs(
    State(hub): State<Hub>,
    who: SignedIn,
    At(id): At<WorkloadId>,
    headers: HeaderMap,
    Query(query): Query<LogQuery>,
) -> Result<Response, Error> {
    let found = service::workload::find(&hub, &who.actor, &id, Action::View).await?;
    let (permit, row) = (&found.permit, &found.workload);
    if let Some(lines) = query.tail {
        if !(1..=10_000).contains(&lines) || query.follow {
            return Err(Error::BadRequest(
                "tail: expected 1 to 10000, and not together with follow".to_owned(),
            ));
        }
        let lines = usize::try_from(lines).map_err(Error::internal)?;
        return Ok(text(Body::from(service::log::tail(&hub, permit, row, lines).await?)));
    }
    let follow = if query.follow { Follow::Yes } else { Follow::No };
    let chunks = service::log::read(&hub, permit, row, follow).await?;
    let chunks =
        chunks.take_while(|chunk| std::future::ready(chunk.is_ok())).filter_map(async |chunk| chunk.ok());
    let chunks = sse::while_allowed(&hub, &who.actor, id, Box::pin(chunks));
    let wants_events = headers
        .get(header::ACCEPT)
        .and_then(|accept| accept.to_str().ok())
        .is_some_and(|accept| accept.contains("text/event-stream"));
    if wants_events {
        let line = |line: String| sse::event("log", None, &json!({ "line": line }));
        let events = lines(Box::pin(chunks)).map(line).chain(stream::iter([end()]));
        return Ok(sse::answer(&hub, events));
    }
    Ok(text(Body::from_stream(chunks.map(Ok::<Bytes, std::convert::Infallible>))))
}

fn end() -> Event {
    sse::event("end", None, &json!({}))
}

fn text(body: Body) -> Response {
    let plain = HeaderValue::from_static("text/plain; charset=utf-8");
    // A log is never a page, whatever a browser makes of its first bytes.
    let calm = HeaderValue::from_static("nosniff");
    ([(header::CONTENT_TYPE, plain), (header::X_CONTENT_TYPE_OPTIONS, calm)], body).into_response()
}

/// Cuts chunks into lines; a line that never ends is cut too.
pub(super) fn lines<S: Stream<Item = Bytes> + Send + Unpin + 'static>(
    chunks: S,
) -> impl Stream<Item = String> + Send + 'static {
    let start = (chunks, Vec::new(), false);
    let batches = stream::unfold(start, async |(mut chunks, mut rest, over): (S, Vec<u8>, bool)| {
        if over {
            return None;
        }
        let Some(chunk) = chunks.next().await else {
            let last = if rest.is_empty() { Vec::new() } else { vec![told(&rest)] };
            return Some((last, (chunks, Vec::new(), true)));
        };
        let mut complete = Vec::new();
        for piece in chunk.split_inclusive(|byte| *byte == b'\n') {
            rest.extend_from_slice(piece);
            if rest.ends_with(b"\n") || rest.len() >= MAX_LINE {
                complete.push(told(&rest));
                rest.clear();
            }
        }
        Some((complete, (chunks, rest, false)))
    });
    batches.flat_map(stream::iter)
}

fn told(line: &[u8]) -> String {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    String::from_utf8_lossy(line.strip_suffix(b"\r").unwrap_or(line)).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn chunks_become_lines() {
        let chunks = stream::iter(["a\nb", "c\r\n", "", "d"].map(Bytes::from));
        let told: Vec<_> = lines(chunks).collect().await;
        assert_eq!(told, ["a", "bc", "d"]);
    }
}
