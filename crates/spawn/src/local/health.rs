//! What this host can do to keep workloads apart, found out once by trying.

use std::{
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use jiff::Timestamp;
use portico_core::ports::{Condition, Health, Isolation as Fact, SpawnError};
use tokio::{process::Command, sync::OnceCell, time::timeout};

use super::{
    config::{Config, Isolation},
    limits::Hierarchies,
    program,
};

/// Longest wait for an answer of bubblewrap.
const TRIAL: Duration = Duration::from_secs(10);

/// The host and what is known about it.
pub(super) struct Host {
    wished: Isolation,
    is_root: bool,
    limits: Hierarchies,
    bubblewrap: OnceCell<Bubblewrap>,
}

/// What a trial of bubblewrap gave.
#[derive(Debug, Clone)]
enum Bubblewrap {
    Works { path: PathBuf, version: String },
    Missing,
    Broken { problem: String },
}

impl Host {
    pub(super) fn new(wished: Isolation) -> Self {
        Self {
            wished,
            is_root: rustix::process::geteuid().is_root(),
            limits: Hierarchies::find(Path::new("/proc/self")),
            bubblewrap: OnceCell::new(),
        }
    }

    /// The user id for an owner, when it is not the hub's own.
    pub(super) fn user(&self, config: &Config, number: u32) -> Option<u32> {
        self.is_root.then(|| config.uid_base.saturating_add(number))
    }

    /// The bubblewrap to use, if one is to be used.
    pub(super) async fn bubblewrap(&self) -> Result<Option<PathBuf>, SpawnError> {
        match (self.wished, self.trial().await) {
            (Isolation::None, _) | (Isolation::Auto, Bubblewrap::Missing | Bubblewrap::Broken { .. }) => {
                Ok(None)
            }
            (_, Bubblewrap::Works { path, .. }) => Ok(Some(path.clone())),
            (Isolation::Bubblewrap, Bubblewrap::Missing) => {
                Err(SpawnError::Refused("bubblewrap is demanded, but not installed".to_owned()))
            }
            (Isolation::Bubblewrap, Bubblewrap::Broken { problem }) => {
                Err(SpawnError::Refused(format!("bubblewrap is demanded, but does not work here: {problem}")))
            }
        }
    }

    async fn trial(&self) -> &Bubblewrap {
        self.bubblewrap.get_or_init(|| try_bubblewrap(self.is_root)).await
    }

    pub(super) async fn health(&self, config: &Config) -> Health {
        let trial = self.trial().await;
        let used = matches!(
            (self.wished, trial),
            (Isolation::Auto | Isolation::Bubblewrap, Bubblewrap::Works { .. })
        );
        let kernel = rustix::system::uname();
        let version = match trial {
            Bubblewrap::Works { version, .. } => version.as_str(),
            Bubblewrap::Missing => "no bubblewrap",
            Bubblewrap::Broken { .. } => "bubblewrap that does not work",
        };
        Health {
            condition: self.condition(trial),
            version: format!(
                "{} {}, {version}",
                kernel.sysname().to_string_lossy(),
                kernel.release().to_string_lossy()
            ),
            isolation: self.facts(config, used),
            checked: Timestamp::now(),
        }
    }

    fn condition(&self, trial: &Bubblewrap) -> Condition {
        let limited = |problem: &str, advice: &str| Condition::Limited {
            problem: problem.to_owned(),
            advice: advice.to_owned(),
        };
        match (self.wished, trial) {
            (Isolation::None, _) => limited(
                "workloads see the files and processes of this host, as the configuration says",
                "Set isolation = \"auto\" on this engine.",
            ),
            (_, Bubblewrap::Missing) => limited(
                "bubblewrap is not installed, so workloads see the files and processes of this host",
                "Install it: apt install bubblewrap.",
            ),
            (_, Bubblewrap::Broken { problem }) => limited(
                &format!("bubblewrap does not work here: {problem}"),
                "Allow unprivileged user namespaces for it, or run Portico as root.",
            ),
            (_, Bubblewrap::Works { .. }) if self.limits.limited() != [true; 3] => limited(
                "not all limits can be set, because no control groups were delegated to Portico",
                "Start it by the systemd unit with Delegate=yes, or as root.",
            ),
            (_, Bubblewrap::Works { .. }) => Condition::Working,
        }
    }

    fn facts(&self, config: &Config, boxed: bool) -> Vec<Fact> {
        let [memory, pids, cpu] = self.limits.limited();
        let group = self.limits.version();
        let by_box =
            |what: &str, how: &str, missing: &str| fact(what, boxed, if boxed { how } else { missing });
        let by_group = |what: &str, holds: bool, missing: &str| {
            if holds { fact(what, true, &format!("by {group}")) } else { fact(what, false, missing) }
        };
        let identity = if self.is_root {
            format!("each owner has a user id of their own, from {} on", config.uid_base)
        } else {
            "all workloads run as the user of Portico, because Portico does not run as root".to_owned()
        };
        vec![
            by_box(
                "own file system view",
                "a mount namespace with the workspace, what was mounted for it, and the system's programs",
                "needs bubblewrap: all files that its user id may read can be seen",
            ),
            by_box(
                "own process view",
                "a process namespace",
                "needs bubblewrap: other processes can be seen",
            ),
            fact("own user id", self.is_root, &identity),
            fact("no way to more rights", true, "no-new-privileges is set and all capabilities are dropped"),
            by_group("memory limit", memory, "only a bound per process"),
            by_group("processor limit", cpu, "needs control groups"),
            match (pids, self.is_root, boxed) {
                (true, ..) => fact("process limit", true, &format!("by {group}")),
                (false, true, _) => fact("process limit", false, "only a bound per owner"),
                (false, false, true) => {
                    fact("process limit", true, "by a user namespace, with Linux 5.14 or later")
                }
                (false, false, false) => fact("process limit", false, "needs control groups"),
            },
            fact(
                "own network",
                false,
                if boxed {
                    "only for apps with network = \"none\"; all others share the host's network and can reach its loopback ports, those of other apps included"
                } else {
                    "needs bubblewrap, and then only for apps with network = \"none\""
                },
            ),
            by_box(
                "sockets in reach of the front door only",
                "each in a directory that only its app and Portico can enter",
                "protected by directory permissions only",
            ),
        ]
    }
}

fn fact(what: &str, holds: bool, how: &str) -> Fact {
    Fact { what: what.to_owned(), holds, how: how.to_owned() }
}

/// Runs bubblewrap with the namespaces that workloads get.
async fn try_bubblewrap(is_root: bool) -> Bubblewrap {
    let path = std::env::var("PATH").unwrap_or_default();
    let Some(path) = program::find("bwrap", &format!("{path}:/usr/bin")) else { return Bubblewrap::Missing };
    let mut words = vec!["--unshare-pid", "--unshare-ipc", "--unshare-uts", "--unshare-net"];
    if !is_root {
        words.push("--unshare-user");
    }
    words.extend(["--ro-bind", "/", "/", "--proc", "/proc", "--dev", "/dev", "--", "/bin/true"]);
    if let Err(problem) = output(&path, &words).await {
        return Bubblewrap::Broken { problem };
    }
    match output(&path, &["--version"]).await {
        Ok(version) => Bubblewrap::Works { path, version: version.trim().to_owned() },
        Err(problem) => Bubblewrap::Broken { problem },
    }
}

/// What a program says, or its complaint.
async fn output(program: &Path, words: &[&str]) -> Result<String, String> {
    let run = Command::new(program).args(words).stdin(Stdio::null()).kill_on_drop(true).output();
    match timeout(TRIAL, run).await {
        Ok(Ok(output)) if output.status.success() => Ok(String::from_utf8_lossy(&output.stdout).into_owned()),
        Ok(Ok(output)) => Err(String::from_utf8_lossy(&output.stderr).trim().to_owned()),
        Ok(Err(error)) => Err(error.to_string()),
        Err(_) => Err("it does not end".to_owned()),
    }
}
