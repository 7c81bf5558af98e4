//! The checks, one function each.

use std::{
    io,
    net::SocketAddr,
    path::Path,
    time::{Duration, SystemTime},
};

use jiff::Timestamp;
use portico_core::ports::{Condition, Spawner};
use tokio::net::{TcpListener, TcpStream};

use super::Finding;
use crate::{
    config::Config,
    serve::console::{Console, SOCKET},
};

/// Free space below which a warning is given, in bytes.
const LITTLE_SPACE: u64 = 1 << 30;

/// This version was not made before this moment; a clock that says otherwise is wrong.
const EARLIEST: &str = "2026-11-01T00:00:00Z";

/// A clock that is off voids passes, tickets and certificates.
pub(super) fn clock() -> Finding {
    let now = Timestamp::now();
    let earliest: Timestamp = EARLIEST.parse().expect("a moment");
    let limit = earliest.checked_add(Duration::from_secs(50 * 366 * 24 * 3600)).unwrap_or(Timestamp::MAX);
    if now < earliest || now > limit {
        return Finding::bad(
            "clock",
            format!("the clock says {now}, which cannot be"),
            "Set the clock, and keep it right with chrony or systemd-timesyncd.",
        );
    }
    Finding::good("clock", format!("{now}"))
}

/// The data directory must be ours alone, and writable.
pub(super) fn data_directory(directory: &Path) -> Finding {
    let shown = directory.display();
    let existing = directory.ancestors().find(|path| path.exists()).unwrap_or(directory);
    if rustix::fs::access(existing, rustix::fs::Access::WRITE_OK).is_err() {
        return Finding::bad(
            "data directory",
            format!("{} cannot be written", existing.display()),
            "Give it to the user that Portico runs as, or name another data_dir.",
        );
    }
    if let Ok(metadata) = directory.metadata() {
        let mode = std::os::unix::fs::PermissionsExt::mode(&metadata.permissions());
        if mode & 0o077 != 0 {
            return Finding::warning(
                "data directory",
                format!("others may enter {shown}"),
                format!("chmod 700 {shown}"),
            );
        }
        return newest_change(directory).map_or_else(
            || Finding::good("data directory", format!("{shown}")),
            |ahead| {
                Finding::warning(
                    "data directory",
                    format!("files in {shown} are {} s newer than the clock", ahead.as_secs()),
                    "The clock was set back, or is behind: check it.",
                )
            },
        );
    }
    Finding::good("data directory", format!("{shown} will be made"))
}

/// How far ahead of the clock the newest file is, when it is noticeably so.
fn newest_change(directory: &Path) -> Option<Duration> {
    let newest = std::fs::read_dir(directory)
        .ok()?
        .flatten()
        .filter_map(|entry| entry.metadata().ok()?.modified().ok())
        .max()?;
    newest.duration_since(SystemTime::now()).ok().filter(|ahead| *ahead > Duration::from_secs(60))
}

/// A database on a full disk refuses every change.
pub(super) fn disk(directory: &Path) -> Finding {
    let existing = directory.ancestors().find(|path| path.exists()).unwrap_or(directory);
    match rustix::fs::statvfs(existing) {
        Ok(space) => {
            let free = space.f_bavail.saturating_mul(space.f_frsize);
            let text = format!("{:.1} GiB free", free as f64 / f64::from(1 << 30));
            if free < LITTLE_SPACE {
                return Finding::warning(
                    "disk",
                    text,
                    "Make room: delete ended sessions, old backups, images.",
                );
            }
            Finding::good("disk", text)
        }
        Err(error) => Finding::bad("disk", format!("cannot be asked: {error}"), "Check the file system."),
    }
}

/// Whether the database opens, or a running Portico has it open.
pub(super) async fn database(config: &Config) -> Finding {
    if tokio::net::UnixStream::connect(config.data_dir.join(SOCKET)).await.is_ok() {
        return Finding::good("database", "in use by the Portico that runs here");
    }
    if !config.data_dir.exists() {
        return Finding::good("database", "will be made at the first start");
    }
    match Console::start(config.clone()).await {
        Ok(console) => match console.end().await {
            Ok(()) => Finding::good("database", "opens, and its schema is up to date"),
            Err(error) => Finding::warning("database", format!("{error:#}"), "Try again."),
        },
        Err(error) => Finding::bad(
            "database",
            format!("{error:#}"),
            "Check [store] in the configuration, and the server.",
        ),
    }
}

/// Whether the front door can listen there, or already does.
pub(super) async fn address(config: &Config, address: SocketAddr) -> Finding {
    let check = format!("address {address}");
    match TcpListener::bind(address).await {
        Ok(_) => Finding::good(&check, "free"),
        Err(error) if error.kind() == io::ErrorKind::AddrInUse => {
            let ours = tokio::net::UnixStream::connect(config.data_dir.join(SOCKET)).await.is_ok();
            if ours && TcpStream::connect(address).await.is_ok() {
                return Finding::good(&check, "Portico listens there");
            }
            Finding::bad(
                &check,
                "taken by another program",
                format!(
                    "Find it with `ss -ltnp sport = :{}`, or choose another address in [front].",
                    address.port()
                ),
            )
        }
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => Finding::bad(
            &check,
            "ports below 1024 are not allowed for this user",
            "Choose a port above 1023, put nginx in front, or grant CAP_NET_BIND_SERVICE.",
        ),
        Err(error) => Finding::bad(&check, error.to_string(), "Choose another address in [front]."),
    }
}

/// Where the front door listens.
pub(super) fn addresses(config: &Config) -> Vec<SocketAddr> {
    config.front.listen.clone()
}

/// Whether a label below the apps domain resolves.
pub(super) async fn names(config: &Config) -> Finding {
    let Some(host) = crate::serve::front::sample_host(config) else {
        return Finding::good("names", "path mode needs none");
    };
    if host.ends_with(".localhost") {
        return Finding::good("names", "*.localhost needs no DNS: browsers resolve it by themselves");
    }
    match tokio::net::lookup_host((host.as_str(), 0)).await {
        Ok(mut found) => match found.next() {
            Some(address) => Finding::good("names", format!("{host} is {}", address.ip())),
            None => Finding::bad("names", format!("{host} has no address"), wildcard_advice(&host)),
        },
        Err(error) => {
            Finding::bad("names", format!("{host} does not resolve: {error}"), wildcard_advice(&host))
        }
    }
}

fn wildcard_advice(host: &str) -> String {
    let domain = host.split_once('.').map_or(host, |(_, domain)| domain);
    format!(
        "Add a DNS record for *.{domain} that leads here, or set [front] mode = \"path\" after reading its cost."
    )
}

/// How an engine is.
pub(super) async fn engine(check: &str, engine: &dyn Spawner) -> Finding {
    let health = engine.health().await;
    let missing: Vec<_> =
        health.isolation.iter().filter(|fact| !fact.holds).map(|fact| fact.what.clone()).collect();
    match health.condition {
        Condition::Unreachable { problem, advice } => Finding::bad(check, problem, advice),
        Condition::Limited { problem, advice } => Finding::warning(check, problem, advice),
        Condition::Working if missing.is_empty() => Finding::good(check, health.version),
        Condition::Working => {
            Finding::good(check, format!("{}; without: {}", health.version, missing.join(", ")))
        }
    }
}
