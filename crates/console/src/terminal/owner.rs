//! The task that owns the shell.
//!
//! Output goes to the scrollback and to every page. A page that does not take its output in time is
//! cut off and may come back for a replay: the shell waits for the slowest page a moment, never longer.

use std::{io, time::Duration};

use bytes::Bytes;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::unix::pipe,
    sync::{mpsc, oneshot},
    time::timeout,
};
use tokio_util::task::TaskTracker;

use crate::{
    protocol::Size,
    scrollback::Scrollback,
    shell::{Lines, Shell},
};

/// Read from the shell at once.
const CHUNK: usize = 16 * 1024;
/// Chunks that may wait for one page: 1 MiB at most.
const WAITING: usize = 64;
/// How long the shell waits for a page whose line is full.
const PATIENCE: Duration = Duration::from_secs(1);
/// How long output is still awaited after the shell has ended; something else may hold the terminal.
const LAST_WORDS: Duration = Duration::from_millis(200);

/// What is sent to a page.
#[derive(Debug, Clone)]
pub(super) enum Output {
    Bytes(Bytes),
    Exit(Option<i32>),
}

/// What a page gets when it attaches.
pub(super) struct Attached {
    pub(super) size: Size,
    pub(super) replay: Vec<u8>,
    pub(super) output: mpsc::Receiver<Output>,
}

enum Request {
    Attach { size: Option<Size>, reply: oneshot::Sender<Attached> },
    Resize { size: Size, done: oneshot::Sender<()> },
}

/// Where pages ask.
#[derive(Clone)]
pub(super) struct Desk {
    requests: mpsc::Sender<Request>,
    input: mpsc::Sender<Bytes>,
}

impl Desk {
    /// Attaches a page, which may say its size at once. `None` when the terminal is gone.
    pub(super) async fn attach(&self, size: Option<Size>) -> Option<Attached> {
        let (reply, answer) = oneshot::channel();
        self.requests.send(Request::Attach { size, reply }).await.ok()?;
        answer.await.ok()
    }

    /// The latest size wins, whichever page it comes from. Returns when it holds, so that what is typed
    /// afterwards finds it.
    pub(super) async fn resize(&self, size: Size) {
        let (done, held) = oneshot::channel();
        // A terminal that is gone needs no size.
        if self.requests.send(Request::Resize { size, done }).await.is_ok() {
            let _ = held.await;
        }
    }

    /// Types. Waits while the shell does not read.
    pub(super) async fn write(&self, bytes: Bytes) {
        let _ = self.input.send(bytes).await;
    }
}

pub(super) struct Owner {
    shell: Shell,
    output: pipe::Receiver,
    requests: mpsc::Receiver<Request>,
    pages: Vec<mpsc::Sender<Output>>,
    scrollback: Scrollback,
    size: Size,
    /// The exit code, once it has ended.
    ended: Option<Option<i32>>,
}

impl Owner {
    pub(super) fn start(tasks: &TaskTracker) -> io::Result<(Self, Desk)> {
        let size = Size::default();
        let (shell, Lines { output, input }) = Shell::start(size)?;
        let (requests_in, requests) = mpsc::channel(64);
        let (input_in, typed) = mpsc::channel(64);
        tasks.spawn(type_in(typed, input));
        let owner = Self {
            shell,
            output,
            requests,
            pages: Vec::new(),
            scrollback: Scrollback::default(),
            size,
            ended: None,
        };
        Ok((owner, Desk { requests: requests_in, input: input_in }))
    }

    /// Serves the pages until the shell has ended; gives its exit code. May be dropped and called again.
    pub(super) async fn run(&mut self) -> Option<i32> {
        let mut chunk = vec![0; CHUNK];
        let mut silent = false;
        let code = loop {
            tokio::select! {
                read = self.output.read(&mut chunk), if !silent => match read {
                    Ok(count) if count > 0 => self.publish(&chunk[..count]).await,
                    // Nobody holds the other end: the shell is ending.
                    _ => silent = true,
                },
                Some(request) = self.requests.recv() => self.answer(request),
                code = self.shell.ended() => break code.unwrap_or(None),
            }
        };
        let last_words = async {
            while let Ok(count @ 1..) = self.output.read(&mut chunk).await {
                self.publish(&chunk[..count]).await;
            }
        };
        // What a background process still says after that is nobody's.
        let _ = timeout(LAST_WORDS, last_words).await;
        self.ended = Some(code);
        for page in std::mem::take(&mut self.pages) {
            let _ = page.try_send(Output::Exit(code));
        }
        code
    }

    /// Tells pages that come now what happened. Never ends.
    pub(super) async fn say_farewell(&mut self) {
        while let Some(request) = self.requests.recv().await {
            self.answer(request);
        }
        std::future::pending::<()>().await;
    }

    pub(super) fn hang_up(&self) {
        self.shell.hang_up();
    }

    async fn publish(&mut self, output: &[u8]) {
        self.scrollback.push(output);
        let bytes = Bytes::copy_from_slice(output);
        let mut kept = Vec::with_capacity(self.pages.len());
        for page in self.pages.drain(..) {
            // Dropping the sender is what tells the page that it was cut off, or it has left itself.
            if let Ok(Ok(())) = timeout(PATIENCE, page.send(Output::Bytes(bytes.clone()))).await {
                kept.push(page);
            }
        }
        self.pages = kept;
    }

    fn answer(&mut self, request: Request) {
        match request {
            Request::Resize { size, done } => {
                self.resize(size);
                // The page may have left.
                let _ = done.send(());
            }
            Request::Attach { size, reply } => {
                if let Some(size) = size {
                    self.resize(size);
                }
                let (page, output) = mpsc::channel(WAITING);
                let attached = Attached { size: self.size, replay: self.scrollback.replay(), output };
                if reply.send(attached).is_ok() {
                    match self.ended {
                        Some(code) => drop(page.try_send(Output::Exit(code))),
                        None => self.pages.push(page),
                    }
                }
            }
        }
    }

    fn resize(&mut self, size: Size) {
        // A shell that has just ended has no size.
        if self.shell.resize(size).is_ok() {
            self.size = size;
        }
    }
}

/// Types what pages send, at the pace at which it is read.
async fn type_in(mut typed: mpsc::Receiver<Bytes>, mut input: pipe::Sender) {
    while let Some(bytes) = typed.recv().await {
        if input.write_all(&bytes).await.is_err() {
            return;
        }
    }
}
