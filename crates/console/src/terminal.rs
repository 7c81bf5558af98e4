//! The terminal server: one shell, any number of pages that show it.
//!
//! One task owns the shell, the scrollback and the list of pages, see [`owner`]; each page's socket has
//! a task of its own, see [`page_socket`]. The shell outlives all of them. When it ends, pages are told, and
//! after a short while the server ends too, with the shell's exit code, and with it the workload.

mod owner;
mod page_socket;

use std::{
    ffi::OsStr,
    fs, io,
    net::Ipv4Addr,
    path::{Path, PathBuf},
    process::ExitCode,
    time::Duration,
};

use axum::{
    Router,
    extract::{Request, State, WebSocketUpgrade},
    http::{Method, StatusCode},
    response::{IntoResponse, Redirect, Response},
};
use tokio::{
    net::{TcpListener, UnixListener},
    signal::unix::{SignalKind, signal},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{page, protocol::LONGEST_INPUT};
use owner::{Desk, Owner};

/// How long pages can still ask what happened after the shell has ended.
const FAREWELL: Duration = Duration::from_secs(2);
/// How long the shell may take to end when the workload is stopped.
const HANG_UP: Duration = Duration::from_secs(3);

/// Where to listen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Listen {
    Socket(PathBuf),
    /// A loopback port.
    Port(u16),
}

impl Listen {
    /// Reads `--socket PATH` or `--port NUMBER`.
    ///
    /// # Errors
    /// When it is neither.
    pub fn parse(option: &OsStr, place: &OsStr) -> io::Result<Self> {
        let port = place.to_str().and_then(|text| text.parse().ok());
        match (option.to_str(), port) {
            (Some("--socket"), _) => Ok(Self::Socket(place.into())),
            (Some("--port"), Some(port)) => Ok(Self::Port(port)),
            _ => Err(io::Error::other("expected --socket PATH or --port NUMBER")),
        }
    }
}

/// Serves until the shell has ended.
///
/// # Errors
/// When it cannot listen, or the shell cannot be started.
pub fn main(listen: Listen) -> io::Result<ExitCode> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let code = runtime.block_on(serve(listen))?;
    runtime.shutdown_background();
    Ok(ExitCode::from(u8::try_from(code).unwrap_or(255)))
}

async fn serve(listen: Listen) -> io::Result<i32> {
    let tasks = TaskTracker::new();
    let end = CancellationToken::new();
    let mut wishes = signal(SignalKind::terminate())?;
    let (mut owner, desk) = Owner::start(&tasks)?;
    let router = Router::new().fallback(route).with_state(Server { desk, tasks: tasks.clone() });
    let finished = end.clone().cancelled_owned();
    match listen {
        Listen::Socket(path) => {
            let server = axum::serve(open_socket(&path)?, router).with_graceful_shutdown(finished);
            tasks.spawn(server.into_future());
        }
        Listen::Port(port) => {
            let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
            let server = axum::serve(listener, router).with_graceful_shutdown(finished);
            tasks.spawn(server.into_future());
        }
    }
    let code = tokio::select! {
        code = owner.run() => code,
        _ = wishes.recv() => {
            owner.hang_up();
            // The workload is being stopped: what the shell does not end by itself is ended for it.
            tokio::time::timeout(HANG_UP, owner.run()).await.unwrap_or(Some(129))
        }
    };
    tokio::select! {
        () = owner.say_farewell() => {}
        () = tokio::time::sleep(FAREWELL) => {}
    }
    end.cancel();
    Ok(code.unwrap_or(1))
}

/// A socket whose path may still hold the one of an earlier run.
fn open_socket(path: &Path) -> io::Result<UnixListener> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => UnixListener::bind(path),
    }
}

#[derive(Clone)]
struct Server {
    desk: Desk,
    tasks: TaskTracker,
}

/// Answers by the last part of the path, because the server may live under any prefix.
async fn route(State(server): State<Server>, request: Request) -> Response {
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        return StatusCode::METHOD_NOT_ALLOWED.into_response();
    }
    let path = request.uri().path().to_owned();
    match path.rsplit('/').next().unwrap_or_default() {
        "" => page::show(),
        "terminal.html" => Redirect::to("./").into_response(),
        "health" => "ok".into_response(),
        "ws" => upgrade(server, request).await,
        name => page::part(name),
    }
}

async fn upgrade(server: Server, request: Request) -> Response {
    use axum::extract::FromRequest;
    match WebSocketUpgrade::from_request(request, &()).await {
        Ok(upgrade) => {
            upgrade.max_message_size(LONGEST_INPUT).max_frame_size(LONGEST_INPUT).on_upgrade(move |socket| {
                server.tasks.clone().track_future(page_socket::attend(socket, server.desk))
            })
        }
        Err(refusal) => refusal.into_response(),
    }
}
