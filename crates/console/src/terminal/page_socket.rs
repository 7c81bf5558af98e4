//! One page: its WebSocket, from the greeting to the close.

use std::time::Duration;

use axum::extract::ws::{CloseFrame, Message, WebSocket};
use bytes::Bytes;
use futures_util::{
    SinkExt, StreamExt,
    stream::{SplitSink, SplitStream},
};
use tokio::{sync::mpsc, time::timeout};

use super::owner::{Attached, Desk, Output};
use crate::protocol::{self, CUT_OFF, DONE, FromPage, MISUNDERSTOOD, Size, TOO_LONG, ToPage};

/// How long the first word of a page, its size, is awaited.
const FIRST_WORD: Duration = Duration::from_millis(500);
/// Longest wait for a page to take one frame.
const SEND: Duration = Duration::from_secs(20);
/// Largest frame of a replay.
const FRAME: usize = 64 * 1024;
/// A silent connection is asked this often whether it still lives.
const PING: Duration = Duration::from_secs(30);

type Sink = SplitSink<WebSocket, Message>;

/// Serves a page until it leaves, is cut off, or the shell ends.
pub(super) async fn attend(socket: WebSocket, desk: Desk) {
    let (mut sink, mut stream) = socket.split();
    let size = match timeout(FIRST_WORD, stream.next()).await {
        Ok(Some(Ok(first))) => match understand(first) {
            Ok(Said::Size(size)) => Some(size),
            Ok(Said::Typed(bytes)) => {
                desk.write(bytes).await;
                None
            }
            Ok(Said::Nothing) => None,
            Err(code) => return close(&mut sink, code).await,
        },
        Ok(_) => return,
        Err(_) => None,
    };
    let Some(Attached { size, replay, output }) = desk.attach(size).await else {
        return close(&mut sink, CUT_OFF).await;
    };
    if greet(&mut sink, size, &replay).await.is_none() {
        return;
    }
    let code = tokio::select! {
        code = show(&mut sink, output) => code,
        code = listen(&mut stream, &desk) => code,
    };
    if let Some(code) = code {
        close(&mut sink, code).await;
    }
}

async fn greet(sink: &mut Sink, size: Size, replay: &[u8]) -> Option<()> {
    let hello = ToPage::Hello { cols: size.cols, rows: size.rows, title: "Terminal" };
    send(sink, Message::text(hello.text())).await?;
    if !replay.is_empty() {
        send(sink, Message::text(ToPage::Replay { bytes: replay.len() }.text())).await?;
    }
    for frame in replay.chunks(FRAME) {
        send(sink, Message::binary(Bytes::copy_from_slice(frame))).await?;
    }
    Some(())
}

/// Sends what the shell says. Gives the code to close with, or `None` when nobody is there any more.
async fn show(sink: &mut Sink, mut output: mpsc::Receiver<Output>) -> Option<u16> {
    loop {
        let message = match timeout(PING, output.recv()).await {
            Err(_) => Message::Ping(Bytes::new()),
            // The owner let go of this page: it was too slow.
            Ok(None) => return Some(CUT_OFF),
            Ok(Some(Output::Bytes(bytes))) => Message::Binary(bytes),
            Ok(Some(Output::Exit(code))) => {
                send(sink, Message::text(ToPage::Exit { code }.text())).await?;
                return Some(DONE);
            }
        };
        send(sink, message).await?;
    }
}

/// Takes what the page says. Gives the code to close with, or `None` when it has left.
async fn listen(stream: &mut SplitStream<WebSocket>, desk: &Desk) -> Option<u16> {
    loop {
        match stream.next().await? {
            Ok(message) => match understand(message) {
                Ok(Said::Size(size)) => desk.resize(size).await,
                Ok(Said::Typed(bytes)) => desk.write(bytes).await,
                Ok(Said::Nothing) => {}
                Err(code) => return Some(code),
            },
            // Too long, or no WebSocket frame at all.
            Err(_) => return Some(TOO_LONG),
        }
    }
}

enum Said {
    Size(Size),
    Typed(Bytes),
    Nothing,
}

fn understand(message: Message) -> Result<Said, u16> {
    match message {
        Message::Binary(bytes) => Ok(Said::Typed(bytes)),
        Message::Text(text) => match protocol::read(&text)? {
            FromPage::Resize(size) => Ok(Said::Size(size)),
            FromPage::Unknown => Ok(Said::Nothing),
        },
        Message::Ping(_) | Message::Pong(_) => Ok(Said::Nothing),
        Message::Close(_) => Err(DONE),
    }
}

async fn send(sink: &mut Sink, message: Message) -> Option<()> {
    timeout(SEND, sink.send(message)).await.ok()?.ok()
}

async fn close(sink: &mut Sink, code: u16) {
    let reason = match code {
        MISUNDERSTOOD => "not understood",
        TOO_LONG => "too long",
        CUT_OFF => "too slow",
        _ => "",
    };
    let frame = CloseFrame { code, reason: reason.into() };
    // A page that has left needs no close.
    let _ = send(sink, Message::Close(Some(frame))).await;
}
