//! A running terminal server, and a page that is connected to it.

use std::{
    path::PathBuf,
    process::{ExitStatus, Stdio},
    time::Duration,
};

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::UnixStream,
    process::{Child, Command},
    time::{sleep, timeout},
};
use tokio_tungstenite::{
    WebSocketStream, client_async,
    tungstenite::{Message, protocol::CloseFrame},
};

/// Longest wait for anything.
const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) struct Server {
    child: Child,
    directory: TempDir,
}

impl Server {
    pub(crate) async fn start() -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        let child = Command::new(env!("CARGO_BIN_EXE_portico-consoles"))
            .args(["internal", "terminal", "--socket"])
            .arg(directory.path().join("main"))
            .current_dir(directory.path())
            .env("HOME", directory.path())
            .env("SHELL", "/bin/bash")
            .env("HISTFILE", "/dev/null")
            .stdin(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .expect("started");
        let server = Self { child, directory };
        let connected = async {
            while UnixStream::connect(server.socket()).await.is_err() {
                sleep(Duration::from_millis(5)).await;
            }
        };
        timeout(PATIENCE, connected).await.expect("it listens");
        server
    }

    fn socket(&self) -> PathBuf {
        self.directory.path().join("main")
    }

    /// A GET over a connection of its own: the whole answer.
    pub(crate) async fn get(&self, path: &str) -> String {
        let mut stream = UnixStream::connect(self.socket()).await.expect("connected");
        let request = format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.expect("asked");
        let mut answer = Vec::new();
        timeout(PATIENCE, stream.read_to_end(&mut answer)).await.expect("in time").expect("answered");
        String::from_utf8_lossy(&answer).into_owned()
    }

    /// Opens the page in a window of this size.
    pub(crate) async fn open(&self, cols: i64, rows: i64) -> Page {
        let mut page = self.connect().await;
        page.say(&json!({"type": "resize", "cols": cols, "rows": rows})).await;
        page
    }

    pub(crate) async fn connect(&self) -> Page {
        let stream = UnixStream::connect(self.socket()).await.expect("connected");
        let (socket, _) = client_async("ws://x/any/prefix/ws", stream).await.expect("upgraded");
        Page { socket, seen: String::new(), messages: Vec::new(), closed: None }
    }

    pub(crate) async fn wait(mut self) -> ExitStatus {
        timeout(PATIENCE, self.child.wait()).await.expect("it ends").expect("waited")
    }

    pub(crate) fn terminate(&self) {
        let pid = self.child.id().expect("running").to_string();
        assert!(std::process::Command::new("kill").arg(pid).status().expect("run").success());
    }
}

pub(crate) struct Page {
    socket: WebSocketStream<UnixStream>,
    /// All terminal bytes so far.
    pub(crate) seen: String,
    /// All control messages so far.
    pub(crate) messages: Vec<Value>,
    pub(crate) closed: Option<u16>,
}

impl Page {
    pub(crate) async fn say(&mut self, message: &Value) {
        self.send(Message::text(message.to_string())).await;
    }

    pub(crate) async fn send(&mut self, message: Message) {
        self.socket.send(message).await.expect("sent");
    }

    pub(crate) async fn type_in(&mut self, text: &str) {
        self.send(Message::binary(text.as_bytes().to_vec())).await;
    }

    /// Reads on until the terminal has shown this.
    pub(crate) async fn shows(&mut self, text: &str) {
        let mut looked = 0;
        // Only what is new is searched: a test may print a lot.
        while !self.tail(looked).contains(text) {
            looked = self.seen.len().saturating_sub(text.len());
            assert!(self.step().await, "closed with {:?} after {:?}", self.closed, self.end());
        }
    }

    fn tail(&self, mut from: usize) -> &str {
        while !self.seen.is_char_boundary(from) {
            from -= 1;
        }
        &self.seen[from..]
    }

    fn end(&self) -> &str {
        self.tail(self.seen.len().saturating_sub(500))
    }

    /// Reads on until a control message of this type.
    pub(crate) async fn message(&mut self, kind: &str) -> Value {
        loop {
            if let Some(message) = self.messages.iter().find(|message| message["type"] == kind) {
                return message.clone();
            }
            assert!(self.step().await, "closed with {:?} after {:?}", self.closed, self.messages);
        }
    }

    /// Reads on until the server closes, and gives the code.
    pub(crate) async fn close_code(&mut self) -> Option<u16> {
        while self.step().await {}
        self.closed
    }

    /// Reads one frame; `false` at the end.
    async fn step(&mut self) -> bool {
        let next = timeout(PATIENCE, self.socket.next()).await;
        let frame = next.unwrap_or_else(|_| panic!("silent after {:?} {:?}", self.messages, self.end()));
        match frame {
            Some(Ok(Message::Binary(bytes))) => self.seen.push_str(&String::from_utf8_lossy(&bytes)),
            Some(Ok(Message::Text(text))) => {
                self.messages.push(serde_json::from_str(&text).expect("a message"));
            }
            Some(Ok(Message::Close(frame))) => {
                self.closed = frame.map(|CloseFrame { code, .. }| code.into());
                return false;
            }
            Some(Ok(_)) => {}
            Some(Err(_)) | None => return false,
        }
        true
    }
}
