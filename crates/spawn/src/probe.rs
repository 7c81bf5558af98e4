//! Readiness: does an app answer yet?
//!
//! [`wait`] asks again and again, quickly at first, so that the moment an app answers is seen within
//! 50 ms. It has no deadline of its own and may be dropped at any point: whoever waits for an app also
//! knows until when, and whether the app still lives.

use std::{io, path::Path, time::Duration};

use async_trait::async_trait;
use futures_util::StreamExt;
use portico_core::{
    app::Check,
    names::InstanceName,
    ports::{Follow, Probe, Spawner},
    route::Upstream,
};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::{TcpStream, UnixStream},
    time::{sleep, timeout},
};

/// How long a connection attempt may take.
const CONNECT: Duration = Duration::from_millis(500);
/// How long one answer may take. An app that is slow at first is asked again while it warms up.
const ANSWER: Duration = Duration::from_secs(5);
/// Pause between two tries.
const PAUSE: Duration = Duration::from_millis(20);
/// Pause between two tries once an app has taken long; still within the promise of 50 ms.
const LONG_PAUSE: Duration = Duration::from_millis(40);
/// Tries after which the pause grows.
const EAGER_TRIES: u32 = 500;
/// Longest status line that is read.
const STATUS_LINE: usize = 512;

/// What to look at.
#[derive(Debug, Clone, Copy)]
pub struct Target<'a> {
    pub check: &'a Check,
    /// Where `main` listens.
    pub main: &'a Upstream,
    pub instance: &'a InstanceName,
}

/// [`wait`] as a port of the hub.
#[derive(Debug, Clone, Copy, Default)]
pub struct Direct;

#[async_trait]
impl Probe for Direct {
    async fn wait(&self, engine: &dyn Spawner, check: &Check, main: &Upstream, instance: &InstanceName) {
        wait(engine, Target { check, main, instance }).await;
    }
}

/// Returns once the app counts as ready. Never returns for an app that never answers: put a deadline
/// around it.
pub async fn wait(engine: &dyn Spawner, target: Target<'_>) {
    let mut tries: u32 = 0;
    loop {
        let ready = match target.check {
            Check::Http(path) => answers_http(target.main, path).await,
            Check::Tcp => accepts(target.main).await,
            Check::Log(text) => says(engine, target.instance, text).await,
        };
        if ready {
            return;
        }
        tries = tries.saturating_add(1);
        sleep(if tries < EAGER_TRIES { PAUSE } else { LONG_PAUSE }).await;
    }
}

/// Whether a connection is accepted now.
pub async fn accepts(upstream: &Upstream) -> bool {
    connect(upstream).await.is_ok()
}

/// Whether a GET of `path` is answered now with a status below 500 that is not 404.
pub async fn answers_http(upstream: &Upstream, path: &str) -> bool {
    let Ok(mut stream) = connect(upstream).await else { return false };
    let status = timeout(ANSWER, ask(&mut stream, path)).await;
    matches!(status, Ok(Ok(Some(status))) if is_ready_status(status))
}

/// Whether an app that answers with this status counts as ready.
#[must_use]
pub const fn is_ready_status(status: u16) -> bool {
    status >= 200 && status < 500 && status != 404
}

/// Follows the log until a line contains the text, or the log ends.
async fn says(engine: &dyn Spawner, instance: &InstanceName, text: &str) -> bool {
    let Ok(mut log) = engine.logs(instance, Follow::Yes).await else { return false };
    let text = text.as_bytes();
    let mut line = Vec::new();
    while let Some(Ok(chunk)) = log.next().await {
        for piece in chunk.split_inclusive(|byte| *byte == b'\n') {
            line.extend_from_slice(piece);
            if contains(&line, text) {
                return true;
            }
            if line.ends_with(b"\n") {
                line.clear();
            } else if line.len() > 64 * 1024 {
                // An endless line: keep only as much of it as a match across chunks needs.
                let keep = line.len().saturating_sub(text.len());
                line.drain(..keep);
            }
        }
    }
    false
}

fn contains(line: &[u8], text: &[u8]) -> bool {
    text.is_empty() || line.windows(text.len()).any(|window| window == text)
}

trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}
impl<S: AsyncRead + AsyncWrite + Unpin + Send> Stream for S {}

async fn connect(upstream: &Upstream) -> io::Result<Box<dyn Stream>> {
    let attempt = async {
        Ok::<Box<dyn Stream>, io::Error>(match upstream {
            Upstream::Tcp(address) => Box::new(TcpStream::connect(address).await?),
            Upstream::Unix(path) => Box::new(UnixStream::connect(path.as_path() as &Path).await?),
        })
    };
    timeout(CONNECT, attempt).await.map_err(|_| io::Error::from(io::ErrorKind::TimedOut))?
}

/// Sends a request and reads the status, or `None` when the answer is no HTTP.
async fn ask(stream: &mut Box<dyn Stream>, path: &str) -> io::Result<Option<u16>> {
    let request = format!(
        "GET {path} HTTP/1.1\r\nhost: localhost\r\nuser-agent: portico-probe\r\naccept: */*\r\nconnection: close\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).await?;
    let mut head = Vec::with_capacity(STATUS_LINE);
    let mut chunk = [0; 128];
    loop {
        let count = stream.read(&mut chunk).await?;
        head.extend_from_slice(&chunk[..count]);
        if count == 0 || head.contains(&b'\n') || head.len() >= STATUS_LINE {
            return Ok(status_of(&head));
        }
    }
}

/// The status in a line like `HTTP/1.1 200 OK`.
fn status_of(head: &[u8]) -> Option<u16> {
    let line = head.strip_prefix(b"HTTP/1.")?;
    let code = line.get(2..5)?;
    std::str::from_utf8(code).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_is_read_from_the_first_line() {
        assert_eq!(status_of(b"HTTP/1.1 302 Found\r\n"), Some(302));
        assert_eq!(status_of(b"HTTP/1.0 200"), Some(200));
        assert_eq!(status_of(b"SSH-2.0-OpenSSH"), None);
        assert_eq!(status_of(b"HTTP/1.1 2"), None);
        assert_eq!(status_of("HTTP/1.1 \u{e9}\u{e9}\r\n".as_bytes()), None);
    }

    #[test]
    fn not_found_and_server_errors_are_not_ready() {
        assert!(is_ready_status(200) && is_ready_status(302) && is_ready_status(401));
        assert!(!is_ready_status(404) && !is_ready_status(503) && !is_ready_status(100));
    }

    #[test]
    fn an_empty_text_is_in_every_line() {
        assert!(contains(b"", b"") && contains(b"abc", b"bc") && !contains(b"ab", b"abc"));
    }
}
