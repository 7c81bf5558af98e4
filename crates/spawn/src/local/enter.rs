//! The two short-lived stages between the shim and the app. Both are this same binary.
//!
//! [`join`] runs outside: it puts itself into the control groups and becomes bubblewrap, so that
//! nothing of the run is ever outside of its limits. [`enter`] runs inside: it reads what to run from
//! its standard input, gives up every right, and becomes the app. Arguments and environment of the app
//! therefore never pass through a command line, nor through the environment of a privileged process.

use std::{
    collections::BTreeMap,
    ffi::OsString,
    fs, io,
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use rustix::{
    fs::Mode,
    process::{Resource, Rlimit},
    thread::{CapabilitySet, CapabilitySets, remove_capability_from_bounding_set, set_capabilities},
};
use serde::{Deserialize, Serialize};

/// Longest description of an app that is read.
const LONGEST: u64 = 4 << 20;

/// What [`enter`] becomes.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Entry {
    pub(super) command: Vec<String>,
    pub(super) env: BTreeMap<String, String>,
    pub(super) directory: PathBuf,
    /// Uid and gid to change to.
    pub(super) user: Option<u32>,
    /// Bytes of private memory of each process, where no control group bounds them.
    pub(super) memory_bytes: Option<u64>,
    /// Processes of the user, where no control group bounds them.
    pub(super) processes: Option<u64>,
}

/// Joins as many control groups as the first argument says and becomes the command that follows them.
/// Returns only when that failed. (No `--` between them: who parses command lines likes to eat it.)
pub(super) fn join(arguments: &[OsString]) -> io::Error {
    let count = arguments.first().and_then(|count| count.to_str()?.parse::<usize>().ok());
    let (Some(groups), Some(command)) = (
        count.and_then(|count| arguments.get(1..count.checked_add(1)?)),
        count.and_then(|count| arguments.get(count.checked_add(1)?..)),
    ) else {
        return io::Error::other("expected a number of groups, the groups and a command");
    };
    // The shim's own files are private; what bubblewrap makes is to be seen by the app.
    rustix::process::umask(Mode::WGRP | Mode::WOTH);
    for directory in groups {
        if let Err(error) = fs::write(Path::new(directory).join("cgroup.procs"), "0") {
            return error;
        }
    }
    match command {
        [program, rest @ ..] => Command::new(program).args(rest).exec(),
        [] => io::Error::other("no command"),
    }
}

/// Reads an [`Entry`] from standard input and becomes it. Returns only when that failed.
pub(super) fn enter() -> io::Error {
    match prepare() {
        Ok(mut command) => {
            let error = command.exec();
            io::Error::new(error.kind(), format!("{}: {error}", command.get_program().display()))
        }
        Err(error) => error,
    }
}

fn prepare() -> io::Result<Command> {
    let text = io::read_to_string(io::Read::take(io::stdin(), LONGEST))?;
    let entry: Entry = serde_json::from_str(&text)?;
    let (program, arguments) =
        entry.command.split_first().ok_or_else(|| io::Error::other("the command is empty"))?;
    // A session of its own, so that the app and its children can be told to end together.
    rustix::process::setsid()?;
    rustix::thread::set_no_new_privs(true)?;
    rustix::process::umask(Mode::WGRP | Mode::WOTH);
    bound(Resource::Core, Some(0))?;
    bound(Resource::Data, entry.memory_bytes)?;
    bound(Resource::Nproc, entry.processes)?;
    let mut command = Command::new(program);
    command.args(arguments).env_clear().envs(&entry.env).current_dir(&entry.directory).stdin(Stdio::null());
    if let Some(user) = entry.user {
        limit_capabilities()?;
        // Changing the uid away from root also drops the supplementary groups and the last capabilities.
        command.uid(user).gid(user);
    }
    Ok(command)
}

/// Leaves nothing that could be regained, and of what is held only the right to change the user id.
fn limit_capabilities() -> io::Result<()> {
    for number in 0..64 {
        // Numbers that the kernel does not know are refused.
        let _ = remove_capability_from_bounding_set(CapabilitySet::from_bits_retain(1 << number));
    }
    let needed = CapabilitySet::SETUID | CapabilitySet::SETGID;
    let sets = CapabilitySets { effective: needed, permitted: needed, inheritable: CapabilitySet::empty() };
    Ok(set_capabilities(None, sets)?)
}

fn bound(resource: Resource, most: Option<u64>) -> io::Result<()> {
    if most.is_some() {
        rustix::process::setrlimit(resource, Rlimit { current: most, maximum: most })?;
    }
    Ok(())
}
