//! The doors of a fake app: loopback listeners that say `ok`.

use std::{collections::BTreeMap, time::Duration};

use portico_core::{app::EntryPoint, names::EntryPointName, ports::SpawnError, route::Upstream};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    time::sleep,
};
use tokio_util::{sync::CancellationToken, sync::DropGuard, task::TaskTracker};

use super::Act;

const OK: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\nok";

/// A listener that lives until this is dropped.
pub(super) struct Listening {
    end: DropGuard,
    tasks: TaskTracker,
}

impl Listening {
    /// Ends the listener and returns when nothing answers any more.
    pub(super) async fn close(self) {
        drop(self.end);
        self.tasks.close();
        self.tasks.wait().await;
    }
}

/// Opens one listener per entry point.
pub(super) async fn open(
    entry_points: &BTreeMap<EntryPointName, EntryPoint>,
    act: &Act,
) -> Result<(BTreeMap<EntryPointName, Upstream>, Vec<Listening>), SpawnError> {
    let mut doors = BTreeMap::new();
    let mut listening = Vec::new();
    for name in entry_points.keys() {
        let refused = |error: std::io::Error| SpawnError::Refused(format!("no loopback port: {error}"));
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.map_err(refused)?;
        doors.insert(name.clone(), Upstream::Tcp(listener.local_addr().map_err(refused)?));
        let end = CancellationToken::new();
        let tasks = TaskTracker::new();
        listening.push(Listening { end: end.clone().drop_guard(), tasks: tasks.clone() });
        if act.exit.is_none() {
            let act = act.clone();
            tasks.spawn(async move {
                end.run_until_cancelled(serve(listener, act)).await;
            });
        }
    }
    Ok((doors, listening))
}

async fn serve(listener: TcpListener, act: Act) {
    sleep(Duration::from_millis(act.after_millis)).await;
    let tasks = TaskTracker::new();
    while let Ok((stream, _)) = listener.accept().await {
        if !act.never {
            tasks.spawn(answer(stream));
        }
    }
}

async fn answer(mut stream: TcpStream) {
    let mut request = [0; 4096];
    if stream.read(&mut request).await.is_ok_and(|count| count > 0) {
        // The visitor may be gone by now, which is no concern of a fake.
        let _ = stream.write_all(OK).await;
        let _ = stream.shutdown().await;
    }
}
