//! The files of one run, which are all that is known about it.
//!
//! A run directory appears whole, by a rename, so that whoever sees it can read its identity and plan.
//! Every other file appears whole as well. What may hold secrets is readable by the hub's user only and
//! is deleted when the run ends.

use std::{
    collections::BTreeMap,
    fs::{self, File, OpenOptions},
    io::{self, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    sync::atomic::{AtomicU32, Ordering},
};

use jiff::Timestamp;
use portico_core::{
    WorkloadId,
    launch::LaunchPlan,
    names::{EntryPointName, InstanceName, Label},
    ports::{Instance, InstanceStatus},
    route::Upstream,
    workload::Exit,
};
use rustix::fs::FlockOperation;
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use super::{config::Config, layout::Layout, limits::Group};

/// A run directory.
#[derive(Debug, Clone)]
pub(super) struct Home {
    pub(super) directory: PathBuf,
}

/// Whose run it is; never changes.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Identity {
    pub(super) name: InstanceName,
    pub(super) workload: WorkloadId,
    pub(super) label: Label,
}

/// Everything the shim must know: the plan, and the engine's settings at that moment.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Job {
    pub(super) plan: LaunchPlan,
    pub(super) config: Config,
    pub(super) layout: Layout,
    /// Path of bubblewrap, when it is to be used.
    pub(super) bubblewrap: Option<PathBuf>,
    /// Uid and gid of the app, when it is not the hub's own.
    pub(super) user: Option<u32>,
    pub(super) executable: PathBuf,
    /// Directories in which the program is looked up.
    pub(super) path: String,
}

/// Written right before the app is started, and therefore proof that it may have been.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Started {
    /// Process id of the shim.
    pub(super) shim: i32,
    pub(super) doors: BTreeMap<EntryPointName, Upstream>,
    pub(super) mounts: Vec<String>,
    pub(super) group: Group,
}

/// Written when nothing of the run is left.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Ended {
    pub(super) exit: Exit,
    pub(super) at: Timestamp,
    /// Why the app could not even be started.
    pub(super) problem: Option<String>,
}

/// A wish to end, which outlives the hub that had it.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(super) struct StopWish {
    pub(super) grace_millis: u64,
}

impl Home {
    pub(super) const fn new(directory: PathBuf) -> Self {
        Self { directory }
    }

    pub(super) fn identity(&self) -> io::Result<Option<Identity>> {
        read(&self.file("instance.json"))
    }

    pub(super) fn job(&self) -> io::Result<Option<Job>> {
        read(&self.file("plan.json"))
    }

    pub(super) fn started(&self) -> io::Result<Option<Started>> {
        read(&self.file("started.json"))
    }

    pub(super) fn ended(&self) -> io::Result<Option<Ended>> {
        read(&self.file("exit.json"))
    }

    pub(super) fn stop_wish(&self) -> io::Result<Option<StopWish>> {
        read(&self.file("stop.json"))
    }

    pub(super) fn write_started(&self, started: &Started) -> io::Result<()> {
        write(&self.file("started.json"), started)
    }

    /// Notes the end and forgets the plan, which may hold secrets.
    pub(super) fn write_ended(&self, ended: &Ended) -> io::Result<()> {
        write(&self.file("exit.json"), ended)?;
        fs::remove_file(self.file("plan.json"))
    }

    pub(super) fn write_stop_wish(&self, wish: StopWish) -> io::Result<()> {
        write(&self.file("stop.json"), &wish)
    }

    pub(super) fn file(&self, name: &str) -> PathBuf {
        self.directory.join(name)
    }

    /// Makes the run directory with a plan in it. A directory that is there stays as it is.
    pub(super) fn create(&self, identity: &Identity, job: &Job) -> io::Result<()> {
        static DRAFTS: AtomicU32 = AtomicU32::new(0);
        let number = DRAFTS.fetch_add(1, Ordering::Relaxed);
        let draft = format!(".{}.{}.{number}", identity.name, std::process::id());
        let draft = Self::new(self.directory.with_file_name(draft));
        super::layout::create_private(&draft.directory)?;
        portico_core::failpoint::hit("local.after-mkdir");
        write(&draft.file("instance.json"), identity)?;
        write(&draft.file("plan.json"), job)?;
        match fs::rename(&draft.directory, &self.directory) {
            // A concurrent launch of the same plan was faster.
            Err(_) if self.directory.exists() => fs::remove_dir_all(&draft.directory),
            other => other,
        }
    }

    /// What the files and the lock say, or `None` when there is no such run.
    pub(super) fn instance(&self, lock: &Path) -> io::Result<Option<Instance>> {
        let Some(identity) = self.identity()? else { return Ok(None) };
        // The lock is looked at first: an end is written before the lock is given back.
        let alive = is_held(lock)?;
        let (started, ended) = (self.started()?, self.ended()?);
        let status = match (&ended, &started, alive) {
            (Some(ended), _, _) => InstanceStatus::Ended(ended.exit),
            (None, Some(_), true) => InstanceStatus::Running,
            (None, Some(_), false) => InstanceStatus::Ended(Exit::Unknown),
            (None, None, _) => InstanceStatus::Created,
        };
        let (native, doors, mounts) = match started {
            Some(started) => (format!("process {}", started.shim), started.doors, started.mounts),
            None => (String::new(), BTreeMap::new(), Vec::new()),
        };
        Ok(Some(Instance {
            name: identity.name,
            workload: identity.workload,
            label: identity.label,
            native,
            status,
            doors,
            mounts,
        }))
    }
}

/// A lock that ends with the process that holds it, however that ends.
#[derive(Debug)]
pub(super) struct Lock {
    _file: File,
}

impl Lock {
    /// Takes the lock, or tells by `None` that somebody holds it.
    pub(super) fn take(path: &Path) -> io::Result<Option<Self>> {
        loop {
            let file = OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(path)?;
            match rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive) {
                Ok(()) => {}
                Err(rustix::io::Errno::WOULDBLOCK) => return Ok(None),
                Err(error) => return Err(error.into()),
            }
            // Somebody may have deleted the file between the two calls: then this is not the lock.
            if is_same_file(&file, path)? {
                return Ok(Some(Self { _file: file }));
            }
        }
    }
}

fn is_same_file(file: &File, path: &Path) -> io::Result<bool> {
    use std::os::unix::fs::MetadataExt;
    let ours = file.metadata()?;
    match fs::metadata(path) {
        Ok(there) => Ok((ours.dev(), ours.ino()) == (there.dev(), there.ino())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

/// Whether somebody holds this lock.
pub(super) fn is_held(path: &Path) -> io::Result<bool> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(error),
    };
    match rustix::fs::flock(&file, FlockOperation::NonBlockingLockShared) {
        Ok(()) => Ok(false),
        Err(rustix::io::Errno::WOULDBLOCK) => Ok(true),
        Err(error) => Err(error.into()),
    }
}

fn read<T: DeserializeOwned>(path: &Path) -> io::Result<Option<T>> {
    match fs::read(path) {
        Ok(text) => serde_json::from_slice(&text).map(Some).map_err(|error| {
            io::Error::new(io::ErrorKind::InvalidData, format!("{}: {error}", path.display()))
        }),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

fn write<T: Serialize>(path: &Path, value: &T) -> io::Result<()> {
    let draft = path.with_extension(format!("{}.draft", std::process::id()));
    let text = serde_json::to_vec(value)?;
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&draft)?;
    file.write_all(&text)?;
    fs::rename(&draft, path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_is_held_until_its_holder_is_gone() {
        let place = tempfile::tempdir().expect("a directory");
        let path = place.path().join("lock");
        assert!(!is_held(&path).expect("looked"));
        let lock = Lock::take(&path).expect("taken").expect("free");
        assert!(is_held(&path).expect("looked"));
        assert!(Lock::take(&path).expect("tried").is_none());
        drop(lock);
        assert!(!is_held(&path).expect("looked"));
    }

    #[test]
    fn a_looker_does_not_stand_in_the_way() {
        let place = tempfile::tempdir().expect("a directory");
        let path = place.path().join("lock");
        drop(Lock::take(&path).expect("taken"));
        assert!(!is_held(&path).expect("looked"));
        assert!(Lock::take(&path).expect("tried").is_some());
    }
}
