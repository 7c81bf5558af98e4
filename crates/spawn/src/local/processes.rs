//! Processes of the host as `/proc` shows them: who descends from whom, and what they use.
//!
//! A process may end between two looks; whatever cannot be read any more is left out.

use std::{collections::HashMap, fs};

use jiff::Timestamp;
use portico_core::ports::Usage;
use rustix::process::{Pid, Signal};

/// Every process below this one, itself not included.
pub(super) fn descendants(of: i32) -> Vec<i32> {
    let mut children: HashMap<i32, Vec<i32>> = HashMap::new();
    for entry in fs::read_dir("/proc").into_iter().flatten().flatten() {
        let pid = entry.file_name().to_str().and_then(|name| name.parse::<i32>().ok());
        if let Some((pid, stat)) = pid.and_then(|pid| Some((pid, Stat::read(pid)?))) {
            children.entry(stat.parent).or_default().push(pid);
        }
    }
    let (mut found, mut open) = (Vec::new(), vec![of]);
    while let Some(parent) = open.pop() {
        let below = children.remove(&parent).unwrap_or_default();
        open.extend(&below);
        found.extend(below);
    }
    found
}

/// The app below a bubblewrap: the second process of its process namespace.
pub(super) fn app_below(bubblewrap: i32) -> Option<i32> {
    descendants(bubblewrap).into_iter().find(|pid| {
        let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("NSpid:"));
        line.and_then(|numbers| numbers.split_whitespace().nth(1)) == Some("2")
    })
}

/// Asks the group that this process leads to end, or the process alone when it leads none yet. Tells
/// whether anybody was there to hear it.
pub(super) fn terminate_group(leader: i32) -> bool {
    let Some(leader) = Pid::from_raw(leader) else { return false };
    rustix::process::kill_process_group(leader, Signal::TERM).is_ok()
        || rustix::process::kill_process(leader, Signal::TERM).is_ok()
}

/// Ends a process by force. One that is gone already is no problem.
pub(super) fn kill(pid: i32) {
    if let Some(pid) = Pid::from_raw(pid) {
        let _ = rustix::process::kill_process(pid, Signal::KILL);
    }
}

/// What these processes use together.
pub(super) fn usage(pids: &[i32]) -> Usage {
    let page = u64::try_from(rustix::param::page_size()).unwrap_or(4096);
    let tick = 1_000_000 / rustix::param::clock_ticks_per_second().max(1);
    let mut sum = Usage { at: Timestamp::now(), cpu_micros: 0, memory_bytes: 0, pids: 0 };
    for stat in pids.iter().filter_map(|pid| Stat::read(*pid)) {
        sum.cpu_micros += stat.ticks * tick;
        sum.memory_bytes += stat.pages * page;
        sum.pids += stat.threads;
    }
    sum
}

/// The part of `/proc/PID/stat` that is used here; see proc(5).
struct Stat {
    parent: i32,
    ticks: u64,
    threads: u32,
    pages: u64,
}

impl Stat {
    fn read(pid: i32) -> Option<Self> {
        Self::parse(&fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)
    }

    fn parse(text: &str) -> Option<Self> {
        // The name of the program stands in parentheses and may hold anything, parentheses included.
        let fields: Vec<_> = text.get(text.rfind(')')? + 1..)?.split_whitespace().collect();
        let number = |index: usize| fields.get(index)?.parse::<u64>().ok();
        Some(Self {
            parent: fields.get(1)?.parse().ok()?,
            ticks: number(11)? + number(12)?,
            threads: u32::try_from(number(17)?).ok()?,
            pages: number(21)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hostile_program_name_does_not_shift_the_fields() {
        let rest = "S 7 1 1 0 -1 4194560 1 2 3 4 50 60 0 0 20 0 3 0 100 9999 42 0";
        let stat = Stat::parse(&format!("12 (a) R 99 (b)) {rest}")).expect("parsed");
        assert_eq!((stat.parent, stat.ticks, stat.threads, stat.pages), (7, 110, 3, 42));
        assert!(Stat::parse("12 (a").is_none());
    }

    #[test]
    fn a_child_is_a_descendant() {
        let mut child = std::process::Command::new("cat")
            .stdin(std::process::Stdio::piped())
            .stdout(std::process::Stdio::null())
            .spawn()
            .expect("started");
        let pid = i32::try_from(child.id()).expect("a process id");
        let own = i32::try_from(std::process::id()).expect("a process id");
        assert!(descendants(own).contains(&pid));
        child.kill().expect("killed");
        child.wait().expect("ended");
    }
}
