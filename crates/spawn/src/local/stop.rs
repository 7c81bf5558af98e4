//! Ending and forgetting runs.

use std::{
    fs, io,
    path::Path,
    time::{Duration, Instant},
};

use jiff::Timestamp;
use portico_core::{
    failpoint,
    names::{InstanceName, Label},
    ports::{Instance, InstanceStatus, SpawnError},
    workload::Exit,
};
use rustix::process::{Pid, PidfdFlags, Signal};
use tokio::time::sleep;

use super::{
    Local,
    limits::Group,
    processes,
    record::{Ended, Home, Lock, Started, StopWish, is_held},
    unreadable,
};

/// How much longer than the grace a shim may take before it is ended itself.
const MARGIN: Duration = Duration::from_secs(15);
/// Longest wait for a shim to leave after it has noted the end.
const FAREWELL: Duration = Duration::from_secs(5);

impl Local {
    pub(super) async fn stop_run(&self, name: &InstanceName, grace: Duration) -> Result<(), SpawnError> {
        failpoint::hit("local.before-stop");
        let (home, lock) = (self.layout.home(name), self.layout.lock(name));
        let broken = |error: io::Error| unreadable(&error);
        let grace_millis = u64::try_from(grace.as_millis()).unwrap_or(u64::MAX);
        let begun = Instant::now();
        let mut wished = false;
        loop {
            match self.find(name)?.map(|instance| instance.status) {
                None => return Ok(()),
                Some(InstanceStatus::Ended(_)) => return self.end_leftovers(&home, &lock).map_err(broken),
                Some(InstanceStatus::Created) if bury_unborn(&home, &lock).map_err(broken)? => return Ok(()),
                Some(InstanceStatus::Created | InstanceStatus::Running) => {}
            }
            if !wished {
                home.write_stop_wish(StopWish { grace_millis }).map_err(broken)?;
            }
            // A shim that has not yet told its number looks for the wish itself.
            if let Some(started) = home.started().map_err(broken)? {
                if begun.elapsed() > grace.saturating_add(MARGIN) {
                    signal_shim(&started, &lock, Signal::KILL);
                    started.group.processes().into_iter().for_each(processes::kill);
                } else if !wished {
                    signal_shim(&started, &lock, Signal::TERM);
                    failpoint::hit("local.after-term");
                    wished = true;
                }
            }
            sleep(Duration::from_millis(10)).await;
        }
    }

    pub(super) async fn remove_run(&self, name: &InstanceName) -> Result<(), SpawnError> {
        let broken = |error: io::Error| unreadable(&error);
        let (home, lock) = (self.layout.home(name), self.layout.lock(name));
        let still_runs = || SpawnError::Refused("it still runs: stop it first".to_owned());
        match self.find(name)? {
            Some(Instance { status: InstanceStatus::Running, .. }) => return Err(still_runs()),
            Some(_) => self.end_leftovers(&home, &lock).map_err(broken)?,
            None => {}
        }
        // A shim that was on its way finds no plan under the lock, and leaves.
        let Some(held) = take_soon(&lock).await.map_err(broken)? else { return Err(still_runs()) };
        if let Some(started) = home.started().map_err(broken)? {
            clear(&started.group).await.map_err(broken)?;
        }
        failpoint::hit("local.before-remove");
        delete(home.directory.clone()).await?;
        fs::remove_file(&lock).or_else(ignore_missing).map_err(broken)?;
        drop(held);
        Ok(())
    }

    /// Ends what a killed shim could not, and notes the end that it could not note.
    fn end_leftovers(&self, home: &Home, lock: &Path) -> io::Result<()> {
        if home.ended()?.is_some() {
            return Ok(());
        }
        let Some(_held) = Lock::take(lock)? else { return Ok(()) };
        if let Some(started) = home.started()? {
            started.group.processes().into_iter().for_each(processes::kill);
        }
        if let Some(identity) = home.identity()? {
            fs::remove_dir_all(self.layout.doors(&identity.label)).or_else(ignore_missing)?;
        }
        home.write_ended(&Ended { exit: Exit::Unknown, at: Timestamp::now(), problem: None })
    }

    pub(super) async fn discard(&self, label: &Label) -> Result<(), SpawnError> {
        let broken = |error: io::Error| unreadable(&error);
        for entry in self.layout.run.read_dir().map_err(broken)?.flatten() {
            let home = Home::new(entry.path());
            let Some(identity) = home.identity().map_err(broken)? else { continue };
            if identity.label == *label && is_held(&self.layout.lock(&identity.name)).map_err(broken)? {
                return Err(SpawnError::Refused("its workload still runs: stop it first".to_owned()));
            }
        }
        for owner in self.layout.workspaces.read_dir().map_err(broken)?.flatten() {
            delete(owner.path().join(label.as_str())).await?;
        }
        Ok(())
    }
}

/// Ends what is left in the groups of an ended run and takes them away, once the kernel lets go of them.
async fn clear(group: &Group) -> io::Result<()> {
    let begun = Instant::now();
    while let Err(error) = group.remove() {
        if begun.elapsed() > FAREWELL {
            return Err(error);
        }
        group.processes().into_iter().for_each(processes::kill);
        sleep(Duration::from_millis(5)).await;
    }
    Ok(())
}

/// Takes the lock of a run that has ended: its shim gives it back right after it has noted the end.
async fn take_soon(lock: &Path) -> io::Result<Option<Lock>> {
    let begun = Instant::now();
    loop {
        let taken = Lock::take(lock)?;
        if taken.is_some() || begun.elapsed() > FAREWELL {
            return Ok(taken);
        }
        sleep(Duration::from_millis(5)).await;
    }
}

/// Deletes a tree, which may be large. Links in it are not followed.
async fn delete(tree: std::path::PathBuf) -> Result<(), SpawnError> {
    let deleted = tokio::task::spawn_blocking(move || fs::remove_dir_all(tree).or_else(ignore_missing));
    deleted.await.map_err(io::Error::other).and_then(|result| result).map_err(|error| unreadable(&error))
}

fn ignore_missing(error: io::Error) -> io::Result<()> {
    if error.kind() == io::ErrorKind::NotFound { Ok(()) } else { Err(error) }
}

/// Notes the end of a run whose shim never came. Tells `false` when one is there after all.
fn bury_unborn(home: &Home, lock: &Path) -> io::Result<bool> {
    let Some(_held) = Lock::take(lock)? else { return Ok(false) };
    if home.started()?.is_some() || home.ended()?.is_some() {
        return Ok(false);
    }
    home.write_ended(&Ended { exit: Exit::Signal(15), at: Timestamp::now(), problem: None })?;
    Ok(true)
}

/// Sends a signal to the shim, and to nobody who has its number by chance: as long as its lock is held
/// it lives, so a handle that was opened before the lock is seen held is a handle to the shim.
fn signal_shim(started: &Started, lock: &Path, signal: Signal) {
    let Some(pid) = Pid::from_raw(started.shim) else { return };
    let Ok(handle) = rustix::process::pidfd_open(pid, PidfdFlags::empty()) else { return };
    if is_held(lock).unwrap_or(false) {
        // It may end at this moment, which is what is wished.
        let _ = rustix::process::pidfd_send_signal(handle, signal);
    }
}
