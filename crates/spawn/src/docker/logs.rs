//! The log of a container as a stream that outlives the conversation with the engine.
//!
//! Lines are asked for with the engine's time stamps, which are taken off again; when a followed log
//! breaks off while its container lives (the engine was restarted, say), it goes on after the last
//! stamp that was seen. How many lines had just that stamp is counted, so that none is lost or doubled.

use std::time::{Duration, Instant};

use bollard::{container::LogOutput, errors::Error, query_parameters::LogsOptions};
use bytes::Bytes;
use futures_util::{StreamExt, stream, stream::BoxStream};
use jiff::Timestamp;
use portico_core::{
    names::InstanceName,
    ports::{Follow, InstanceStatus, LogStream, SpawnError},
};
use tokio::time::sleep;

use super::{
    Engine,
    error::{is_missing, translate},
};

/// How long a follower waits for an engine that does not answer.
const PATIENCE: Duration = Duration::from_secs(120);
/// Pause before another attempt.
const PAUSE: Duration = Duration::from_millis(500);

/// A log from the beginning. Dropping it ends the conversation.
pub(super) fn read(engine: Engine, name: InstanceName, follow: Follow) -> LogStream {
    let reader = Reader { engine, name, follow, stream: None, place: Place::default(), lost: None };
    stream::unfold(Some(reader), |reader| async move { reader?.next().await }).boxed()
}

struct Reader {
    engine: Engine,
    name: InstanceName,
    follow: Follow,
    stream: Option<BoxStream<'static, Result<LogOutput, Error>>>,
    place: Place,
    /// Since when the engine has not answered.
    lost: Option<Instant>,
}

type Chunk = Result<Bytes, SpawnError>;

impl Reader {
    /// The next chunk, and who reads on.
    async fn next(mut self) -> Option<(Chunk, Option<Self>)> {
        loop {
            let problem = match self.receive().await {
                Some(Ok(output)) => {
                    self.lost = None;
                    match self.place.pass(output.into_bytes()) {
                        Some(line) => return Some((Ok(line), Some(self))),
                        None => continue,
                    }
                }
                Some(Err(problem)) => problem,
                None if self.follow == Follow::No => return None,
                None => match self.engine.status(&self.name).await {
                    Ok(Some(InstanceStatus::Running)) => {
                        SpawnError::Unreachable("its log broke off".to_owned())
                    }
                    Ok(_) if self.lost.is_none() => return None,
                    // It ended while nobody answered: what it said until then is still to be read.
                    Ok(_) => {
                        self.follow = Follow::No;
                        continue;
                    }
                    Err(problem) => problem,
                },
            };
            let lost = *self.lost.get_or_insert_with(Instant::now);
            if self.follow == Follow::No || !problem.is_temporary() || lost.elapsed() > PATIENCE {
                return Some((Err(problem), None));
            }
            sleep(PAUSE).await;
        }
    }

    /// The next output of the present conversation; begins one if there is none.
    async fn receive(&mut self) -> Option<Result<LogOutput, SpawnError>> {
        let stream = match &mut self.stream {
            Some(stream) => stream,
            none => match self.engine.link().await {
                Ok(link) => {
                    let options = self.place.options(self.follow);
                    none.insert(link.docker.logs(self.name.as_str(), Some(options)).boxed())
                }
                Err(problem) => return Some(Err(problem)),
            },
        };
        let output = stream.next().await;
        if !matches!(output, Some(Ok(_))) {
            self.stream = None;
        }
        match output? {
            Ok(output) => Some(Ok(output)),
            // Removed meanwhile: its log is over.
            Err(error) if is_missing(&error) => None,
            Err(error) => Some(Err(translate(&error))),
        }
    }
}

/// How far a log was read.
#[derive(Debug, Default)]
struct Place {
    /// The last stamp seen; the engine writes all with nine decimals, in UTC, so that they sort as text.
    stamp: String,
    /// How many lines of that stamp were passed on.
    passed: usize,
    /// How many lines of that stamp have come again since the conversation began anew.
    repeated: usize,
}

impl Place {
    fn options(&mut self, follow: Follow) -> LogsOptions {
        self.repeated = 0;
        let since = self.stamp.parse::<Timestamp>().map(Timestamp::as_second).unwrap_or_default();
        LogsOptions {
            follow: follow == Follow::Yes,
            stdout: true,
            stderr: true,
            timestamps: true,
            since: i32::try_from(since).unwrap_or_default(),
            tail: "all".to_owned(),
            ..LogsOptions::default()
        }
    }

    /// Takes the stamp off a line; `None` for a line that was passed on before.
    fn pass(&mut self, mut line: Bytes) -> Option<Bytes> {
        let Some(blank) = line.iter().position(|byte| *byte == b' ') else {
            return Some(line);
        };
        let stamp = line.split_to(blank + 1);
        let stamp = String::from_utf8_lossy(&stamp[..blank]).into_owned();
        if stamp > self.stamp {
            self.stamp = stamp;
            self.passed = 1;
            self.repeated = 1;
            return Some(line);
        }
        if stamp < self.stamp {
            // Both output streams are stamped on their own and may be a moment apart.
            return (self.repeated > 0).then_some(line);
        }
        self.repeated += 1;
        if self.repeated <= self.passed {
            return None;
        }
        self.passed = self.repeated;
        Some(line)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pass(place: &mut Place, line: &'static str) -> Option<Bytes> {
        place.pass(Bytes::from_static(line.as_bytes()))
    }

    #[test]
    fn a_log_goes_on_where_it_broke_off() {
        let mut place = Place::default();
        let lines = ["2026-01-01T00:00:00.000000001Z a\n", "2026-01-01T00:00:00.000000002Z b\n"];
        let again = "2026-01-01T00:00:00.000000002Z c\n";
        for line in [lines[0], lines[1], again] {
            assert!(pass(&mut place, line).is_some());
        }
        let options = place.options(Follow::Yes);
        assert_eq!(options.since, 1_767_225_600);
        for line in [lines[0], lines[1], again] {
            assert_eq!(pass(&mut place, line), None, "{line}");
        }
        assert_eq!(pass(&mut place, "2026-01-01T00:00:00.000000002Z d\n"), Some(Bytes::from_static(b"d\n")));
        assert_eq!(pass(&mut place, "2026-01-01T00:00:00.000000009Z \n"), Some(Bytes::from_static(b"\n")));
    }
}
