//! The conversation with the engine: dialling, and what the engine says of itself.
//!
//! A [`Link`] is made at the first need and kept; each request dials anew, so that a restarted engine
//! needs no new link. Requests carry no version: the engine then speaks its newest, and everything
//! used here exists since [`OLDEST`].

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use bollard::{API_DEFAULT_VERSION, Docker, errors::Error, models::SystemInfo};
use portico_core::ports::SpawnError;

use super::{
    config::Config,
    error::{Trouble, translate},
};

/// Oldest version of Docker's interface that works: Docker 19.03.
pub(super) const OLDEST: &str = "1.40";

/// A dialled engine and what is known of it.
#[derive(Clone)]
pub(super) struct Link {
    pub(super) docker: Docker,
    pub(super) facts: Facts,
}

/// What does not change while an engine runs.
#[derive(Debug, Clone)]
pub(super) struct Facts {
    /// `20.10.24`.
    pub(super) version: String,
    /// Whether the engine has the small first process that reaps and forwards signals.
    pub(super) init: bool,
    pub(super) info: SystemInfo,
}

/// The link, if there is one yet.
pub(super) struct Dialler {
    config: Config,
    link: Mutex<Option<Link>>,
}

impl Dialler {
    pub(super) fn new(config: Config) -> Self {
        Self { config, link: Mutex::new(None) }
    }

    /// The link, made now if need be.
    pub(super) async fn link(&self) -> Result<Link, SpawnError> {
        let known = self.link.lock().unwrap_or_else(PoisonError::into_inner).clone();
        match known {
            Some(link) => Ok(link),
            None => self.dial().await.map_err(|trouble| match trouble {
                Trouble::TooOld(_) => SpawnError::Refused(trouble.to_string()),
                other => SpawnError::Unreachable(other.to_string()),
            }),
        }
    }

    /// Asks the engine who it is, and keeps the answer.
    pub(super) async fn dial(&self) -> Result<Link, Trouble> {
        let of = |error: Error| Trouble::of(&error);
        let docker = self.client().map_err(of)?;
        let version = docker.version().await.map_err(of)?;
        let spoken = version.api_version.unwrap_or_default();
        if number(&spoken) < number(OLDEST) {
            return Err(Trouble::TooOld(spoken));
        }
        let info = docker.info().await.map_err(of)?;
        let init = info.init_commit.as_ref().and_then(|commit| commit.id.as_deref()) != Some("N/A");
        let facts = Facts { version: version.version.unwrap_or_default(), init, info };
        let link = Link { docker, facts };
        *self.link.lock().unwrap_or_else(PoisonError::into_inner) = Some(link.clone());
        Ok(link)
    }

    fn client(&self) -> Result<Docker, Error> {
        let seconds = self.config.answer_seconds.into();
        match &self.config.tls {
            Some(tls) => {
                // A key that cannot be read would otherwise be left out without a word.
                for path in [&tls.cert, &tls.key] {
                    std::fs::File::open(path).map_err(|_| Error::CertPathError { path: path.clone() })?;
                }
                let host = &self.config.host;
                Docker::connect_with_ssl(host, &tls.key, &tls.cert, &tls.ca, seconds, API_DEFAULT_VERSION)
            }
            None => Docker::connect_with_unix(&self.config.host, seconds, API_DEFAULT_VERSION),
        }
    }
}

impl Link {
    /// The same engine with more patience, for a request that takes `longer` by its nature.
    pub(super) fn patient(&self, longer: Duration) -> Docker {
        let patience = self.docker.timeout() + longer;
        self.docker.clone().with_timeout(patience)
    }
}

/// Reads `1.41` as a pair that can be compared; anything else is older than all.
fn number(version: &str) -> Option<(u32, u32)> {
    let (major, minor) = version.split_once('.')?;
    Some((major.parse().ok()?, minor.parse().ok()?))
}

/// Makes a missing thing `None`.
pub(super) fn optional<T>(answer: Result<T, Error>) -> Result<Option<T>, SpawnError> {
    match answer {
        Ok(found) => Ok(Some(found)),
        Err(error) if super::error::is_missing(&error) => Ok(None),
        Err(error) => Err(translate(&error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_compared_by_number() {
        assert!(number("1.9") < number(OLDEST));
        assert!(number("1.41") > number(OLDEST));
        assert!(number("nonsense") < number(OLDEST));
    }
}
