//! What a site says about its Docker engine. Checked once by [`Config::check`]; nothing here dials.

use std::{
    collections::BTreeSet,
    net::{IpAddr, Ipv4Addr},
    path::{Path, PathBuf},
    time::Duration,
};

use portico_core::app::{Image, Mount, MountMode};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::subnet::Pool;

/// One Docker engine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// `unix:///path/to/docker.sock`, or `tcp://host:port`, which needs `tls`.
    pub host: String,
    /// Client certificate for a `tcp://` host. An engine that anybody may talk to is refused, because
    /// whoever talks to an engine owns its machine.
    pub tls: Option<Tls>,
    /// Private IPv4 range from which each workload gets a network of 16 addresses. Docker's own pools
    /// hold only some thirty networks. Ranges that other Docker networks use are left out.
    pub subnet_pool: Pool,
    /// How the front door reaches an app. Without it: `bridge` for a unix socket; a `tcp://` host needs
    /// an address.
    pub reach: Option<Reach>,
    /// Whether apps may run as user or group 0.
    pub allow_root: bool,
    /// Directories of the engine's host below which apps may mount. Empty: no mounts at all.
    pub mount_roots: BTreeSet<PathBuf>,
    /// When an image is fetched from its registry.
    pub pull: Pull,
    /// Seconds after which an unanswered request to the engine counts as failed.
    pub answer_seconds: u32,
    /// Seconds that fetching an image may take.
    pub pull_seconds: u32,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            host: "unix:///var/run/docker.sock".to_owned(),
            tls: None,
            subnet_pool: Pool::default(),
            reach: None,
            allow_root: false,
            mount_roots: BTreeSet::new(),
            pull: Pull::Missing,
            answer_seconds: 30,
            pull_seconds: 1800,
        }
    }
}

/// PEM files. The system's own authorities are trusted beside `ca`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tls {
    /// Authority that signed the engine's certificate.
    pub ca: PathBuf,
    /// Certificate by which the engine knows Portico.
    pub cert: PathBuf,
    /// Its private key.
    pub key: PathBuf,
}

/// How the front door reaches an app.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reach {
    /// At the container's own address, on the network that it shares with nobody.
    Bridge,
    /// At a port that the engine publishes on this one loopback or private address.
    Publish(IpAddr),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Pull {
    /// When the engine does not have it.
    Missing,
    Never,
    /// At each launch, so that a moved tag is seen.
    Always,
}

/// What is wrong with a configuration; the text says what to change.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum InvalidConfig {
    #[error("host {0:?}: expected unix:///path/to/docker.sock or tcp://host:port")]
    Host(String),
    #[error(
        "host {0}: an engine reached over the network needs tls = {{ ca = \"..\", cert = \"..\", key = \"..\" }}"
    )]
    NoTls(String),
    #[error("tls is for a tcp:// host; a unix socket has none")]
    TlsOnSocket,
    #[error(
        "host {0}: its containers' addresses are not reachable from here; say reach = {{ publish = \"ADDRESS\" }}"
    )]
    NoReach(String),
    #[error("reach: {0} is neither a loopback nor a private address; apps must not be open to the world")]
    OpenReach(IpAddr),
    #[error("mount root {0:?} must be an absolute path and not /")]
    MountRoot(PathBuf),
    #[error("answer_seconds and pull_seconds must be at least 1")]
    Deadline,
}

impl Config {
    /// # Errors
    /// The first rule that is broken.
    pub fn check(&self) -> Result<(), InvalidConfig> {
        let host = || self.host.clone();
        match (self.socket(), self.host.strip_prefix("tcp://"), &self.tls) {
            (Some(path), _, _) if !path.is_absolute() => return Err(InvalidConfig::Host(host())),
            (Some(_), _, Some(_)) => return Err(InvalidConfig::TlsOnSocket),
            (Some(_), _, None) => {}
            (None, Some(address), tls) => {
                let port = address.rsplit_once(':').and_then(|(_, port)| port.parse::<u16>().ok());
                if port.is_none() || address.contains('/') {
                    return Err(InvalidConfig::Host(host()));
                }
                if tls.is_none() {
                    return Err(InvalidConfig::NoTls(host()));
                }
                if !matches!(self.reach, Some(Reach::Publish(_))) {
                    return Err(InvalidConfig::NoReach(host()));
                }
            }
            (None, None, _) => return Err(InvalidConfig::Host(host())),
        }
        if let Some(Reach::Publish(address)) = self.reach
            && !is_private(address)
        {
            return Err(InvalidConfig::OpenReach(address));
        }
        if let Some(root) =
            self.mount_roots.iter().find(|root| !root.is_absolute() || root.parent().is_none())
        {
            return Err(InvalidConfig::MountRoot(root.clone()));
        }
        if self.answer_seconds == 0 || self.pull_seconds == 0 {
            return Err(InvalidConfig::Deadline);
        }
        Ok(())
    }

    /// The path of the unix socket, if it is one.
    #[must_use]
    pub fn socket(&self) -> Option<&Path> {
        self.host.strip_prefix("unix://").map(Path::new)
    }

    pub(super) fn reach(&self) -> Reach {
        self.reach.unwrap_or(Reach::Bridge)
    }

    pub(super) fn pulling(&self) -> Duration {
        Duration::from_secs(self.pull_seconds.into())
    }

    /// Whether the site allows this user; the text of a refusal is for people.
    pub(super) fn allows_user(&self, image: &Image) -> Result<(), String> {
        let ids: Option<(u32, u32)> =
            image.user.split_once(':').and_then(|(uid, gid)| Some((uid.parse().ok()?, gid.parse().ok()?)));
        match ids {
            None => Err(format!("the user {:?} is not of the form uid:gid with numbers", image.user)),
            Some((uid, gid)) if (uid == 0 || gid == 0) && !self.allow_root => {
                Err("the app asks to run as root, which this engine does not allow".to_owned())
            }
            Some(_) => Ok(()),
        }
    }

    /// Whether the site allows this mount, by its path as it is written.
    pub(super) fn allows_mount(&self, mount: &Mount) -> Result<(), String> {
        const RESERVED: [&str; 6] = ["/proc", "/sys", "/dev", "/tmp", "/run", "/etc"];
        let (source, target) = (Path::new(&mount.source), Path::new(&mount.target));
        let plain = |path: &Path| {
            path.is_absolute() && path.components().all(|part| part != std::path::Component::ParentDir)
        };
        if !plain(source) || !plain(target) {
            return Err(format!("{} at {} is not a plain absolute path", mount.source, mount.target));
        }
        if target.parent().is_none()
            || target == Path::new(super::WORKSPACE)
            || RESERVED.iter().any(|reserved| target.starts_with(reserved))
        {
            return Err(format!("nothing can be mounted at {}", mount.target));
        }
        if !self.allows_source(source) {
            return Err(format!(
                "{} is not below a directory that this engine allows to mount",
                mount.source
            ));
        }
        Ok(())
    }

    pub(super) fn allows_source(&self, source: &Path) -> bool {
        self.mount_roots.iter().any(|root| source.starts_with(root))
    }
}

/// `read-only` or `read-write`.
pub(super) const fn words(mode: MountMode) -> &'static str {
    match mode {
        MountMode::ReadOnly => "read-only",
        MountMode::ReadWrite => "read-write",
    }
}

fn is_private(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => v4.is_loopback() || v4.is_private() || is_shared(v4),
        IpAddr::V6(v6) => v6.is_loopback() || v6.is_unique_local(),
    }
}

/// 100.64.0.0/10, which private overlay networks use (RFC 6598).
fn is_shared(address: Ipv4Addr) -> bool {
    let [first, second, ..] = address.octets();
    first == 100 && (64..128).contains(&second)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tls() -> Option<Tls> {
        let file = || PathBuf::from("/x.pem");
        Some(Tls { ca: file(), cert: file(), key: file() })
    }

    #[test]
    fn the_default_is_valid() {
        assert_eq!(Config::default().check(), Ok(()));
    }

    #[test]
    fn an_engine_open_to_anybody_is_refused() {
        let config = Config { host: "tcp://10.0.0.1:2375".to_owned(), ..Config::default() };
        assert!(matches!(config.check(), Err(InvalidConfig::NoTls(_))));
        let config = Config { tls: tls(), ..config };
        assert!(matches!(config.check(), Err(InvalidConfig::NoReach(_))));
    }

    #[test]
    fn ports_are_published_on_private_addresses_only() {
        for (address, fine) in
            [("127.0.0.1", true), ("10.1.2.3", true), ("0.0.0.0", false), ("8.8.8.8", false), ("::", false)]
        {
            let reach = Some(Reach::Publish(address.parse().expect("an address")));
            assert_eq!(Config { reach, ..Config::default() }.check().is_ok(), fine, "{address}");
        }
    }

    #[test]
    fn mounts_stay_below_their_roots() {
        let config = Config { mount_roots: ["/data".into()].into(), ..Config::default() };
        let mount = |source: &str, target: &str| Mount {
            source: source.to_owned(),
            target: target.to_owned(),
            mode: MountMode::ReadOnly,
        };
        assert_eq!(config.allows_mount(&mount("/data/a", "/mnt/a")), Ok(()));
        for (source, target) in [
            ("/datax", "/mnt/a"),
            ("/data/../etc", "/mnt/a"),
            ("/etc", "/mnt/a"),
            ("/data/a", "/workspace"),
            ("/data/a", "/proc/self"),
            ("/data/a", "/"),
        ] {
            assert!(config.allows_mount(&mount(source, target)).is_err(), "{source} at {target}");
        }
    }
}
