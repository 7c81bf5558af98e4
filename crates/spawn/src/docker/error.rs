//! What Docker's failures mean.
//!
//! An answer with a status is the engine's word and final, except 503; no answer is worth another try.
//! Texts from the engine are cut and cleaned, because parts of them come from images and containers.

use std::{error::Error as _, io, path::Path};

use bollard::errors::Error;
use portico_core::ports::SpawnError;

/// Longest text taken over from the engine, in characters.
const LONGEST: usize = 400;

/// The HTTP status of an answer, if there was one.
pub(super) const fn status(error: &Error) -> Option<u16> {
    match error {
        Error::DockerResponseServerError { status_code, .. } => Some(*status_code),
        _ => None,
    }
}

pub(super) fn is_missing(error: &Error) -> bool {
    status(error) == Some(404)
}

/// A name is taken, or something is in use.
pub(super) fn is_conflict(error: &Error) -> bool {
    status(error) == Some(409)
}

/// What the engine said, in one line.
pub(super) fn message(error: &Error) -> String {
    match error {
        Error::DockerResponseServerError { status_code, message } if message.trim().is_empty() => {
            format!("status {status_code}, without a reason")
        }
        Error::DockerResponseServerError { message, .. } => clean(message),
        Error::DockerStreamError { error } => clean(error),
        Error::RequestTimeoutError => "it did not answer in time".to_owned(),
        other => clean(&chain(other)),
    }
}

/// The general case, where the caller has nothing special to say.
pub(super) fn translate(error: &Error) -> SpawnError {
    match error {
        Error::DockerResponseServerError { status_code: 503, .. } => SpawnError::Unreachable(message(error)),
        Error::DockerResponseServerError { .. }
        | Error::DockerStreamError { .. }
        | Error::DockerContainerWaitError { .. }
        | Error::JsonDataError { .. }
        | Error::JsonSerdeError { .. } => SpawnError::Refused(format!("Docker says: {}", message(error))),
        other => SpawnError::Unreachable(Trouble::of(other).to_string()),
    }
}

/// Why no conversation with the engine comes about.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Trouble {
    #[error("there is no socket at {0}")]
    NoSocket(String),
    #[error("Portico may not open the engine's socket")]
    Denied,
    #[error("nothing listens there")]
    Down,
    #[error("the TLS connection failed: {0}")]
    Tls(String),
    #[error("it did not answer in time")]
    Slow,
    #[error("it speaks version {0} of Docker's interface, and at least {min} is needed", min = super::link::OLDEST)]
    TooOld(String),
    #[error("{0}")]
    Other(String),
}

impl Trouble {
    pub(super) fn of(error: &Error) -> Self {
        match error {
            Error::SocketNotFoundError(path) => return Self::NoSocket(path.clone()),
            Error::RequestTimeoutError => return Self::Slow,
            Error::CertPathError { path }
            | Error::CertParseError { path }
            | Error::CertMultipleKeys { path, .. } => {
                return Self::Tls(format!("{} cannot be read as PEM", path.display()));
            }
            Error::NoNativeCertsError { .. } | Error::LoadNativeCertsErrors { .. } => {
                return Self::Tls(message(error));
            }
            _ => {}
        }
        // An I/O error is transparent: its own source would pass it over.
        let cause: Option<&(dyn std::error::Error + 'static)> = match error {
            Error::IOError { err } => Some(err),
            other => other.source(),
        };
        let causes: Vec<_> = std::iter::successors(cause, |cause| beneath(*cause)).collect();
        if let Some(tls) = causes.iter().find_map(|cause| cause.downcast_ref::<rustls::Error>()) {
            return Self::Tls(tls.to_string());
        }
        let kinds = causes.iter().filter_map(|cause| cause.downcast_ref::<io::Error>()).map(io::Error::kind);
        for kind in kinds {
            match kind {
                io::ErrorKind::NotFound => return Self::NoSocket("the configured path".to_owned()),
                io::ErrorKind::PermissionDenied => return Self::Denied,
                io::ErrorKind::ConnectionRefused => return Self::Down,
                io::ErrorKind::TimedOut => return Self::Slow,
                _ => {}
            }
        }
        Self::Other(message(error))
    }

    /// What an administrator can do.
    pub(super) fn advice(&self, socket: Option<&Path>) -> String {
        match self {
            Self::NoSocket(_) => "Install Docker (Debian: `apt install docker.io`) and start it, or correct \
                                  `host` in the engine's configuration."
                .to_owned(),
            Self::Denied => {
                let group = socket.and_then(group_of).unwrap_or_else(|| "docker".to_owned());
                format!(
                    "Let Portico's user into the socket's group and start Portico again: `usermod -aG {group} USER`. \
                     Whoever is in that group owns the machine."
                )
            }
            Self::Down => "Start the engine: `systemctl start docker`. If it does not stay up, see \
                           `journalctl -u docker`."
                .to_owned(),
            Self::Tls(_) => {
                "Check ca, cert and key of the engine's configuration: the authority must have signed the \
                             engine's certificate for this host name, and the engine must trust ours."
                    .to_owned()
            }
            Self::Slow => "See whether the engine's machine is overloaded; if it is only far away, raise \
                           `answer_seconds`."
                .to_owned(),
            Self::TooOld(_) => "Install a newer Docker.".to_owned(),
            Self::Other(_) => "See the engine's own log: `journalctl -u docker`.".to_owned(),
        }
    }
}

/// The error under this one. A TLS failure travels inside an I/O error, which hides it from `source`.
fn beneath<'a>(
    error: &'a (dyn std::error::Error + 'static),
) -> Option<&'a (dyn std::error::Error + 'static)> {
    match error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
        Some(hidden) => Some(hidden),
        None => error.source(),
    }
}

/// Name of the group that owns the socket.
fn group_of(socket: &Path) -> Option<String> {
    use std::os::unix::fs::MetadataExt;
    let gid = std::fs::metadata(socket).ok()?.gid().to_string();
    let groups = std::fs::read_to_string("/etc/group").ok()?;
    let name = |line: &str| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        (fields.nth(1)? == gid).then(|| name.to_owned())
    };
    groups.lines().find_map(name).or(Some(gid))
}

/// An error and its causes, each once.
fn chain(error: &Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        let said = inner.to_string();
        if !text.contains(&said) {
            text = format!("{text}: {said}");
        }
        cause = inner.source();
    }
    text
}

/// One line without control characters, not too long.
pub(super) fn clean(text: &str) -> String {
    let line: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let line = line.split_whitespace().collect::<Vec<_>>().join(" ");
    if line.chars().count() <= LONGEST {
        return line;
    }
    line.chars().take(LONGEST).chain("...".chars()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_of_the_engine_become_one_short_line() {
        assert_eq!(clean("a\n\u{1b}[31mb\r\n"), "a [31mb");
        assert!(clean(&"x".repeat(5000)).chars().count() <= LONGEST + 3);
    }

    #[test]
    fn an_answer_is_final_and_silence_is_not() {
        let answer = |status_code| Error::DockerResponseServerError { status_code, message: "no".to_owned() };
        assert!(!translate(&answer(500)).is_temporary());
        assert!(translate(&answer(503)).is_temporary());
        assert!(translate(&Error::RequestTimeoutError).is_temporary());
        let refused = io::Error::from(io::ErrorKind::ConnectionRefused);
        assert!(translate(&Error::IOError { err: refused }).is_temporary());
    }
}
