//! A client that sends exactly the bytes it is told to.

use std::{net::SocketAddr, time::Duration};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

use super::SOON;

/// A raw connection.
pub(crate) struct Raw {
    pub(crate) stream: TcpStream,
    buffer: Vec<u8>,
}

/// An answer, read to its end.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub(crate) fn headers(&self, name: &str) -> Vec<&str> {
        let lines = self.head.lines().filter_map(|line| line.split_once(": "));
        lines.filter(|(this, _)| this.eq_ignore_ascii_case(name)).map(|(_, value)| value).collect()
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers(name).first().copied()
    }
}

impl Raw {
    pub(crate) async fn connect(address: SocketAddr) -> Self {
        Self { stream: TcpStream::connect(address).await.expect("a connection"), buffer: Vec::new() }
    }

    pub(crate) async fn write(&mut self, bytes: &[u8]) {
        // The other side may have refused already; its answer says so.
        let _ = self.stream.write_all(bytes).await;
    }

    /// The head of an answer with the empty line.
    pub(crate) async fn head(&mut self) -> String {
        loop {
            if let Some(at) = self.buffer.windows(4).position(|window| window == b"\r\n\r\n") {
                let rest = self.buffer.split_off(at + 4);
                let head = std::mem::replace(&mut self.buffer, rest);
                return String::from_utf8_lossy(&head).into_owned();
            }
            assert!(self.more().await > 0, "the connection ended within a head: {:?}", self.text());
        }
    }

    /// An answer to its end: by its length, its chunks, or the end of the connection.
    pub(crate) async fn answer_to(&mut self, method: &str) -> Answer {
        let head = self.head().await;
        let status = head.split(' ').nth(1).and_then(|code| code.parse().ok()).expect("a status");
        let mut answer = Answer { status, head, body: Vec::new() };
        let empty = method == "HEAD" || matches!(status, 100..200 | 204 | 304);
        if empty {
            return answer;
        }
        if let Some(length) = answer.header("content-length") {
            let length: usize = length.parse().expect("a length");
            self.fill(length).await;
            answer.body = self.buffer.drain(..length).collect();
        } else if answer.header("transfer-encoding").is_some() {
            answer.body = self.chunks().await;
        } else {
            answer.body = self.rest().await;
        }
        answer
    }

    pub(crate) async fn answer(&mut self) -> Answer {
        self.answer_to("GET").await
    }

    async fn chunks(&mut self) -> Vec<u8> {
        let mut body = Vec::new();
        loop {
            let line = self.line().await;
            let size = usize::from_str_radix(line.trim(), 16).expect("a chunk size");
            self.fill(size + 2).await;
            body.extend(self.buffer.drain(..size + 2).take(size));
            if size == 0 {
                return body;
            }
        }
    }

    /// A line with its end.
    pub(crate) async fn line(&mut self) -> String {
        loop {
            if let Some(at) = self.buffer.iter().position(|b| *b == b'\n') {
                let line: Vec<u8> = self.buffer.drain(..=at).collect();
                return String::from_utf8_lossy(&line).into_owned();
            }
            assert!(self.more().await > 0, "the connection ended within a line");
        }
    }

    /// So many bytes.
    pub(crate) async fn read(&mut self, count: usize) -> Vec<u8> {
        self.fill(count).await;
        self.buffer.drain(..count).collect()
    }

    /// Everything until the connection ends, in order or not.
    pub(crate) async fn rest(&mut self) -> Vec<u8> {
        while self.more().await > 0 {}
        std::mem::take(&mut self.buffer)
    }

    /// Whether the other side ends the connection within that time without sending more.
    pub(crate) async fn ends_within(&mut self, limit: Duration) -> bool {
        let mut byte = [0];
        matches!(timeout(limit, self.stream.read(&mut byte)).await, Ok(Ok(0) | Err(_)))
    }

    async fn fill(&mut self, count: usize) {
        while self.buffer.len() < count {
            assert!(self.more().await > 0, "the connection ended within a body: {:?}", self.text());
        }
    }

    async fn more(&mut self) -> usize {
        let mut piece = vec![0; 64 * 1024];
        let read = timeout(SOON, self.stream.read(&mut piece)).await.expect("an answer in time");
        let count = read.unwrap_or(0);
        self.buffer.extend_from_slice(&piece[..count]);
        count
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.buffer).into_owned()
    }
}
