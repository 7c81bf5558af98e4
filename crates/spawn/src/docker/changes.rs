//! Hints that something changed, from the engine's events.

use std::{collections::HashMap, time::Duration};

use bollard::{errors::Error, models::EventMessage, query_parameters::EventsOptions};
use futures_util::{StreamExt, stream, stream::BoxStream};
use jiff::Timestamp;
use tokio::time::{sleep, timeout};

use super::{Engine, labels};

const SHORTEST: Duration = Duration::from_millis(200);
const LONGEST: Duration = Duration::from_secs(10);
/// After that long a silence the conversation begins anew: it may have died unnoticed.
const SILENCE: Duration = Duration::from_secs(300);

/// What happens to a container that a look would show.
const EVENTS: [&str; 8] = ["create", "start", "die", "oom", "pause", "unpause", "rename", "destroy"];

struct Listener {
    engine: Engine,
    events: Option<BoxStream<'static, Result<EventMessage, Error>>>,
    pause: Duration,
}

/// Yields at each event, and whenever events may have been missed. Never ends.
pub(super) fn listen(engine: Engine) -> BoxStream<'static, ()> {
    let listener = Listener { engine, events: None, pause: SHORTEST };
    stream::unfold(listener, |mut listener| async move {
        listener.next().await;
        Some(((), listener))
    })
    .boxed()
}

impl Listener {
    async fn next(&mut self) {
        loop {
            if let Some(events) = &mut self.events {
                match timeout(SILENCE, events.next()).await {
                    Ok(Some(Ok(_))) => {
                        self.pause = SHORTEST;
                        return;
                    }
                    Ok(Some(Err(error))) => {
                        tracing::debug!(error = %error, "the engine's events broke off");
                        self.events = None;
                    }
                    Ok(None) | Err(_) => self.events = None,
                }
                sleep(self.pause).await;
                self.pause = (self.pause * 2).min(LONGEST);
            }
            // From this moment on, by the engine's own clock, so that nothing falls between the look that
            // the caller takes now and the conversation, which begins later.
            if let Ok(link) = self.engine.link().await
                && let Ok(info) = link.docker.info().await
            {
                let now = info.system_time.and_then(|time| time.parse::<Timestamp>().ok());
                let since = now.map(|now| now.as_second().to_string());
                self.events = Some(link.docker.events(Some(self.options(since))).boxed());
                return;
            }
            sleep(self.pause).await;
            self.pause = (self.pause * 2).min(LONGEST);
        }
    }

    fn options(&self, since: Option<String>) -> EventsOptions {
        let mut filters: HashMap<_, _> = labels::filter([(labels::REALM, self.engine.realm().as_str())]);
        filters.insert("type".to_owned(), vec!["container".to_owned()]);
        filters.insert("event".to_owned(), EVENTS.map(str::to_owned).to_vec());
        EventsOptions { since, filters: Some(filters), ..EventsOptions::default() }
    }
}
