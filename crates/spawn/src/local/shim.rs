//! The process that watches over one run, so that the hub need not.
//!
//! It leaves the hub's session, takes the lock of the run, starts the app, keeps its log, ends it when
//! told so, sees to it that nothing is left, and notes how it ended. It holds no connection to the hub:
//! both know each other only by the files of the run, so that either may die at any moment. When the
//! shim is killed, bubblewrap takes the app along.

use std::{
    io::{self, Write},
    path::Path,
    process::{Child, ExitCode, Stdio},
    time::Duration,
};

use jiff::Timestamp;
use portico_core::workload::Exit;
use rustix::process::{WaitOptions, WaitStatus};
use tokio::{
    signal::unix::{Signal, SignalKind, signal},
    sync::oneshot,
    time::{Instant, sleep, sleep_until, timeout},
};

use super::{
    doors::Doors,
    journal::Journal,
    processes,
    record::{Ended, Home, Job, Lock},
    setup::{self, Prepared},
};

/// Pause between two looks for a socket that is not there yet, and for one that may be made again.
const SOCKET_PAUSE: Duration = Duration::from_millis(10);
const SOCKET_CHECK: Duration = Duration::from_secs(1);
/// Pause before a signal is sent again that found nobody.
const SIGNAL_PAUSE: Duration = Duration::from_millis(50);
/// Longest wait for what was killed to be gone.
const BURIAL: Duration = Duration::from_secs(10);

/// Watches over the run in this directory until it has ended.
#[must_use]
pub(super) fn main(directory: &Path) -> ExitCode {
    match watch_over(directory) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Standard error is a file in the run directory.
            let _ = writeln!(io::stderr(), "{error}");
            ExitCode::FAILURE
        }
    }
}

fn watch_over(directory: &Path) -> io::Result<()> {
    // Fails only when it leads its own session already.
    let _ = rustix::process::setsid();
    rustix::process::umask(rustix::fs::Mode::RWXG | rustix::fs::Mode::RWXO);
    let home = Home::new(directory.to_owned());
    let Some(job) = home.job()? else { return Ok(()) };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let Some(_lock) = take_lock(&job).await? else { return Ok(()) };
        if home.started()?.is_some() || home.ended()?.is_some() {
            return Ok(());
        }
        let ended = match run(&home, &job).await {
            Ok(exit) => Ended { exit, at: Timestamp::now(), problem: None },
            Err(error) => {
                Ended { exit: Exit::Unknown, at: Timestamp::now(), problem: Some(error.to_string()) }
            }
        };
        // The sockets of a run that ended lead nowhere; the next run makes the directory anew.
        let _ = std::fs::remove_dir_all(job.layout.doors(&job.plan.label));
        home.write_ended(&ended)
    })
}

/// Takes the lock of the run. Somebody who only looks holds it for a moment too, so one refusal is not
/// believed.
async fn take_lock(job: &Job) -> io::Result<Option<Lock>> {
    for _ in 0..20 {
        if let Some(lock) = Lock::take(&job.layout.lock(&job.plan.instance))? {
            return Ok(Some(lock));
        }
        sleep(Duration::from_millis(5)).await;
    }
    Ok(None)
}

async fn run(home: &Home, job: &Job) -> io::Result<Exit> {
    // Whatever loses its parent becomes our child, so that it can be found and ended.
    rustix::process::set_child_subreaper(Some(rustix::process::getpid()))?;
    let mut journal = Journal::open(&home.directory, u64::from(job.config.log_mib) << 20)?;
    let prepared = match setup::prepare(home, job) {
        Ok(prepared) => prepared,
        Err(error) => {
            journal.write(format!("portico: {error}\n").as_bytes())?;
            return Err(error);
        }
    };
    let Prepared { mut command, entry, doors, started } = prepared;
    // Both are heard before anyone can know that this run has begun.
    let mut signals =
        Signals { ends: signal(SignalKind::child())?, wishes: signal(SignalKind::terminate())? };
    let (reader, writer) = io::pipe()?;
    let (logged, log_ended) = oneshot::channel();
    std::thread::Builder::new().name("log".to_owned()).spawn(move || {
        journal.copy(reader);
        // Nobody waits for it any more when this fails.
        let _ = logged.send(());
    })?;
    home.write_started(&started)?;
    let mut child = command.stdin(Stdio::piped()).stdout(writer.try_clone()?).stderr(writer).spawn()?;
    drop(command);
    tell(&mut child, &serde_json::to_vec(&entry)?);
    drop(entry);
    let mut app =
        App { leader: i32::try_from(child.id()).unwrap_or_default(), boxed: job.bubblewrap.is_some() };
    let (status, forced) = attend(home, job, &mut app, &doors, &mut signals).await?;
    let out_of_memory = started.group.out_of_memory_kills() > 0;
    bury(&started.group).await;
    let _ = timeout(BURIAL, log_ended).await;
    Ok(match exit_of(status, app.boxed) {
        Exit::Signal(9) if out_of_memory && !forced => Exit::OutOfMemory,
        exit => exit,
    })
}

/// Hands the app's description to `enter`. A child that died already is seen by its status.
fn tell(child: &mut Child, entry: &[u8]) {
    if let Some(mut stdin) = child.stdin.take() {
        let _ = stdin.write_all(entry);
    }
}

/// What was started: bubblewrap around the app, or the app itself.
struct App {
    leader: i32,
    boxed: bool,
}

impl App {
    /// Asks the app to end. Tells whether it heard.
    fn terminate(&self) -> bool {
        let app = if self.boxed { processes::app_below(self.leader) } else { Some(self.leader) };
        app.is_some_and(processes::terminate_group)
    }
}

/// What the kernel tells the shim.
struct Signals {
    /// A child has ended.
    ends: Signal,
    /// Somebody wishes the app to end.
    wishes: Signal,
}

/// Waits for the end, by itself or as wished. Tells whether force was needed.
async fn attend(
    home: &Home,
    job: &Job,
    app: &mut App,
    doors: &Doors,
    signals: &mut Signals,
) -> io::Result<(WaitStatus, bool)> {
    let mut stopping: Option<Stopping> = None;
    let mut linked = false;
    if home.stop_wish()?.is_some() {
        stopping = Some(Stopping::begin(home, job)?);
    }
    loop {
        if let Some(stopping) = &mut stopping {
            stopping.ask(app);
        }
        let (pause, deadline) = stopping.as_ref().map_or_else(
            || (if linked { SOCKET_CHECK } else { SOCKET_PAUSE }, None),
            |stopping| (SIGNAL_PAUSE, Some(stopping.deadline)),
        );
        tokio::select! {
            _ = signals.ends.recv() => {
                if let Some(status) = reap(app.leader) {
                    return Ok((status, stopping.is_some_and(|stopping| stopping.forced)));
                }
            }
            _ = signals.wishes.recv(), if stopping.is_none() => stopping = Some(Stopping::begin(home, job)?),
            () = sleep_until(deadline.unwrap_or_else(Instant::now)), if deadline.is_some() => {
                if let Some(stopping) = &mut stopping {
                    stopping.force(app);
                }
            }
            () = sleep(pause) => linked = doors.link(),
        }
    }
}

/// A stop under way.
struct Stopping {
    deadline: Instant,
    heard: bool,
    forced: bool,
}

impl Stopping {
    fn begin(home: &Home, job: &Job) -> io::Result<Self> {
        let grace = match home.stop_wish()? {
            Some(wish) => Duration::from_millis(wish.grace_millis),
            // The host itself is going down.
            None => Duration::from_secs(u64::from(job.plan.spec.grace_seconds)),
        };
        Ok(Self { deadline: Instant::now() + grace, heard: false, forced: false })
    }

    fn ask(&mut self, app: &App) {
        self.heard = self.heard || app.terminate();
    }

    fn force(&mut self, app: &App) {
        self.forced = true;
        self.deadline = Instant::now() + SIGNAL_PAUSE;
        for pid in processes::descendants(app.leader) {
            processes::kill(pid);
        }
        processes::kill(app.leader);
    }
}

/// Takes note of every child that ended; tells how the given one did.
fn reap(leader: i32) -> Option<WaitStatus> {
    let mut found = None;
    while let Ok(Some((pid, status))) = rustix::process::wait(WaitOptions::NOHANG) {
        if pid.as_raw_nonzero().get() == leader {
            found = Some(status);
        }
    }
    found
}

/// Ends whatever the app left behind, until nothing is left.
async fn bury(group: &super::limits::Group) {
    let own = rustix::process::getpid().as_raw_nonzero().get();
    let end = async {
        loop {
            let mut left = group.processes();
            left.extend(processes::descendants(own));
            if left.is_empty() && group.remove().is_ok() {
                return;
            }
            left.into_iter().for_each(processes::kill);
            sleep(Duration::from_millis(5)).await;
            let _ = reap(0);
        }
    };
    if timeout(BURIAL, end).await.is_err() {
        let _ = writeln!(io::stderr(), "something of the run could not be ended");
    }
}

/// Bubblewrap tells a signal by 128 and its number, as shells do.
fn exit_of(status: WaitStatus, boxed: bool) -> Exit {
    match (status.exit_status(), status.terminating_signal()) {
        (Some(code @ 129..=192), _) if boxed => Exit::Signal(code - 128),
        (Some(code), _) => Exit::Code(code),
        (None, Some(signal)) => Exit::Signal(signal),
        (None, None) => Exit::Unknown,
    }
}
