//! Memory, processor and process limits by control groups, version 2 where they were delegated to the
//! hub, else version 1 where the hub may write them.
//!
//! A [`Group`] is the set of directories that one run lives in. It is a plain value that is stored, so
//! that a later hub reads the use of a run which an earlier one started. Where there is no group the
//! limits of [`super::enter`] stand in, which bound single processes only.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use jiff::Timestamp;
use portico_core::{names::InstanceName, ports::Usage, quota::Limits};
use rustix::fs::Access;
use serde::{Deserialize, Serialize};

/// The control groups of one run.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Group {
    /// The one directory of version 2.
    pub(super) unified: Option<PathBuf>,
    /// The directories of version 1, one per controller.
    pub(super) memory: Option<PathBuf>,
    pub(super) pids: Option<PathBuf>,
    pub(super) cpu: Option<PathBuf>,
    pub(super) account: Option<PathBuf>,
}

/// Where groups can be made here.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Hierarchies {
    parents: Group,
}

const PARENT: &str = "portico";

impl Hierarchies {
    /// Looks at this process's own groups. `proc_self` is `/proc/self`.
    pub(super) fn find(proc_self: &Path) -> Self {
        let membership = fs::read_to_string(proc_self.join("cgroup")).unwrap_or_default();
        let mounts = fs::read_to_string(proc_self.join("mounts")).unwrap_or_default();
        let mut parents = Group::default();
        for line in mounts.lines() {
            let mut fields = line.split(' ').skip(1);
            let (Some(point), Some(kind), Some(options)) = (fields.next(), fields.next(), fields.next())
            else {
                continue;
            };
            let has = |name: &str| options.split(',').any(|option| option == name);
            match kind {
                "cgroup2" => parents.unified = delegated(Path::new(point), own_path(&membership, "")),
                "cgroup" => {
                    for (name, slot) in [
                        ("memory", &mut parents.memory),
                        ("pids", &mut parents.pids),
                        ("cpu", &mut parents.cpu),
                        ("cpuacct", &mut parents.account),
                    ] {
                        if has(name) {
                            *slot = writable(Path::new(point), own_path(&membership, name));
                        }
                    }
                }
                _ => {}
            }
        }
        if parents.unified.is_some() {
            parents = Group { unified: parents.unified, ..Group::default() };
        }
        Self { parents }
    }

    /// Makes the groups of a run and sets its limits.
    pub(super) fn create(&self, name: &InstanceName, limits: &Limits) -> io::Result<Group> {
        let under = |parent: &Option<PathBuf>| parent.as_ref().map(|parent| parent.join(name.as_str()));
        let group = Group {
            unified: under(&self.parents.unified),
            memory: under(&self.parents.memory),
            pids: under(&self.parents.pids),
            cpu: under(&self.parents.cpu),
            account: under(&self.parents.account),
        };
        for directory in group.directories() {
            fs::create_dir_all(directory)?;
        }
        group.limit(limits)?;
        Ok(group)
    }

    /// For the engine's page: which of memory, processes and processor are limited as a whole.
    pub(super) const fn limited(&self) -> [bool; 3] {
        let all = self.parents.unified.is_some();
        [
            all || self.parents.memory.is_some(),
            all || self.parents.pids.is_some(),
            all || self.parents.cpu.is_some(),
        ]
    }

    pub(super) const fn version(&self) -> &'static str {
        if self.parents.unified.is_some() { "cgroup version 2" } else { "cgroup version 1" }
    }
}

impl Group {
    /// Every directory once.
    pub(super) fn directories(&self) -> Vec<&PathBuf> {
        let mut all: Vec<_> = [&self.unified, &self.memory, &self.pids, &self.cpu, &self.account]
            .into_iter()
            .flatten()
            .collect();
        all.dedup();
        all
    }

    pub(super) const fn bounds_memory(&self) -> bool {
        self.unified.is_some() || self.memory.is_some()
    }

    pub(super) const fn bounds_processes(&self) -> bool {
        self.unified.is_some() || self.pids.is_some()
    }

    fn limit(&self, limits: &Limits) -> io::Result<()> {
        let (memory, pids) = (limits.memory_bytes().to_string(), limits.pids.to_string());
        let period = 100_000_u64;
        let quota = (u64::from(limits.cpu_millis) * period / 1000).max(1000);
        if let Some(unified) = &self.unified {
            fs::write(unified.join("memory.max"), &memory)?;
            fs::write(unified.join("pids.max"), &pids)?;
            fs::write(unified.join("cpu.max"), format!("{quota} {period}"))?;
            // Not every kernel accounts for swap.
            let _ = fs::write(unified.join("memory.swap.max"), "0");
        }
        if let Some(directory) = &self.memory {
            fs::write(directory.join("memory.limit_in_bytes"), &memory)?;
            let _ = fs::write(directory.join("memory.memsw.limit_in_bytes"), &memory);
        }
        if let Some(directory) = &self.pids {
            fs::write(directory.join("pids.max"), &pids)?;
        }
        if let Some(directory) = &self.cpu {
            fs::write(directory.join("cpu.cfs_period_us"), period.to_string())?;
            fs::write(directory.join("cpu.cfs_quota_us"), quota.to_string())?;
        }
        Ok(())
    }

    /// Everything that runs in it, whoever its parent is.
    pub(super) fn processes(&self) -> Vec<i32> {
        let Some(directory) = self.directories().into_iter().next() else { return Vec::new() };
        let text = fs::read_to_string(directory.join("cgroup.procs")).unwrap_or_default();
        text.lines().filter_map(|line| line.parse().ok()).collect()
    }

    /// How often the kernel ended a process in it for want of memory.
    pub(super) fn out_of_memory_kills(&self) -> u64 {
        let file = match (&self.unified, &self.memory) {
            (Some(unified), _) => unified.join("memory.events"),
            (None, Some(memory)) => memory.join("memory.oom_control"),
            (None, None) => return 0,
        };
        field(&file, "oom_kill").unwrap_or(0)
    }

    /// What the run uses now, as far as the groups know it.
    pub(super) fn usage(&self) -> Option<Usage> {
        let (cpu_micros, memory_bytes) = if let Some(unified) = &self.unified {
            let cpu = field(&unified.join("cpu.stat"), "usage_usec")?;
            let cache = field(&unified.join("memory.stat"), "inactive_file").unwrap_or(0);
            (cpu, number(&unified.join("memory.current"))?.saturating_sub(cache))
        } else {
            let memory = self.memory.as_ref()?;
            let nanos = number(&self.account.as_ref()?.join("cpuacct.usage"))?;
            let cache = field(&memory.join("memory.stat"), "total_inactive_file").unwrap_or(0);
            (nanos / 1000, number(&memory.join("memory.usage_in_bytes"))?.saturating_sub(cache))
        };
        let counted = self.unified.as_ref().or(self.pids.as_ref());
        let pids = counted.and_then(|directory| number(&directory.join("pids.current")));
        let pids = u32::try_from(pids.unwrap_or(0)).unwrap_or(u32::MAX);
        Some(Usage { at: Timestamp::now(), cpu_micros, memory_bytes, pids })
    }

    /// Takes the directories away; they must be empty of processes. What is busy stays and is tried
    /// again by the caller.
    pub(super) fn remove(&self) -> io::Result<()> {
        for directory in self.directories() {
            match fs::remove_dir(directory) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
        Ok(())
    }
}

/// This process's path in the hierarchy of a controller; the unified one has the empty name.
fn own_path<'a>(membership: &'a str, controller: &str) -> &'a str {
    membership
        .lines()
        .filter_map(|line| {
            let mut fields = line.splitn(3, ':').skip(1);
            Some((fields.next()?, fields.next()?))
        })
        .find(|(names, _)| names.split(',').any(|name| name == controller))
        .map_or("/", |(_, path)| path)
}

/// The directory for our groups below one of these, if one can be made there: the own group, which
/// keeps the bounds that were set for the hub, else the root.
fn writable(point: &Path, own: &str) -> Option<PathBuf> {
    [own.trim_start_matches('/'), ""].into_iter().find_map(|path| {
        let directory = point.join(path).join(PARENT);
        fs::create_dir_all(&directory).ok()?;
        // It may be there because another user's hub made it.
        rustix::fs::access(&directory, Access::WRITE_OK | Access::EXEC_OK).is_ok().then_some(directory)
    })
}

/// The directory for our groups in the unified hierarchy, if it was delegated to us with all
/// controllers. A group with controllers may hold no processes, so ours move to a leaf beside it.
fn delegated(point: &Path, own: &str) -> Option<PathBuf> {
    // A hub that was restarted may find itself in the leaf already.
    let own = own.trim_start_matches('/');
    let own = own.strip_suffix("/portico-hub").unwrap_or(own);
    let base = point.join(own);
    let offered = fs::read_to_string(base.join("cgroup.controllers")).ok()?;
    let has = |name: &str| offered.split_whitespace().any(|offer| offer == name);
    if !(has("memory") && has("pids") && has("cpu")) {
        return None;
    }
    let (leaf, parent) = (base.join("portico-hub"), base.join(PARENT));
    fs::create_dir_all(&leaf).ok()?;
    fs::create_dir_all(&parent).ok()?;
    let ours = fs::read_to_string(base.join("cgroup.procs")).ok()?;
    for process in ours.lines() {
        fs::write(leaf.join("cgroup.procs"), process).ok()?;
    }
    for directory in [&base, &parent] {
        fs::write(directory.join("cgroup.subtree_control"), "+memory +pids +cpu").ok()?;
    }
    Some(parent)
}

fn number(file: &Path) -> Option<u64> {
    fs::read_to_string(file).ok()?.trim().parse().ok()
}

/// A value of a file of lines like `name value`.
fn field(file: &Path, name: &str) -> Option<u64> {
    let text = fs::read_to_string(file).ok()?;
    text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' ')?.trim().parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_own_path_is_found_by_controller() {
        let membership = "4:cpu,cpuacct:/a\n3:memory:/b\n0::/c\n";
        assert_eq!(own_path(membership, "cpuacct"), "/a");
        assert_eq!(own_path(membership, "memory"), "/b");
        assert_eq!(own_path(membership, ""), "/c");
        assert_eq!(own_path(membership, "pids"), "/");
    }

    #[test]
    fn a_delegated_unified_group_is_used_whole() {
        let place = tempfile::tempdir().expect("a directory");
        let (proc_self, point) = (place.path().join("self"), place.path().join("cgroup"));
        fs::create_dir_all(point.join("hub.service")).expect("made");
        fs::create_dir_all(&proc_self).expect("made");
        fs::write(proc_self.join("cgroup"), "0::/hub.service\n").expect("written");
        let mounts = format!("cgroup2 {} cgroup2 rw 0 0\n", point.display());
        fs::write(proc_self.join("mounts"), mounts).expect("written");
        fs::write(point.join("hub.service/cgroup.controllers"), "cpu memory pids\n").expect("written");
        fs::write(point.join("hub.service/cgroup.procs"), "12\n").expect("written");
        let found = Hierarchies::find(&proc_self);
        assert_eq!(found.limited(), [true; 3]);
        let name = "portico-a-b-0".parse().expect("a name");
        let limits = Limits { cpu_millis: 500, memory_mib: 2, pids: 9 };
        let group = found.create(&name, &limits).expect("made");
        let directory = group.unified.as_ref().expect("unified");
        assert!(directory.ends_with("hub.service/portico/portico-a-b-0"));
        assert_eq!(fs::read_to_string(directory.join("cpu.max")).expect("set"), "50000 100000");
        assert_eq!(fs::read_to_string(directory.join("memory.max")).expect("set"), "2097152");
    }

    #[test]
    fn without_controllers_nothing_is_promised() {
        let place = tempfile::tempdir().expect("a directory");
        assert_eq!(Hierarchies::find(place.path()).limited(), [false; 3]);
    }
}
