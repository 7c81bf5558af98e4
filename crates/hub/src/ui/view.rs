//! How domain values look on a page.

use portico_core::{
    Timestamp,
    names::{EntryPointName, Label},
    quota::Limits,
    workload::{Phase, State, Workload},
};

use crate::{live::Availability, service::app::Offer};

/// A moment: exact for machines, readable without JavaScript; the browser makes it relative.
#[derive(Debug, Clone)]
pub(crate) struct Moment {
    pub(crate) iso: String,
    pub(crate) text: String,
}

impl From<Timestamp> for Moment {
    fn from(at: Timestamp) -> Self {
        Self {
            iso: at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
            text: at.strftime("%Y-%m-%d %H:%M UTC").to_string(),
        }
    }
}

/// An app's icon: the name of a built-in one, or a picture.
#[derive(Debug, Clone)]
pub(crate) struct Icon(pub(crate) String);

impl Icon {
    /// Whether it is a picture of its own.
    pub(crate) fn is_drawn(&self) -> bool {
        self.0.starts_with("data:image/")
    }

    pub(crate) fn source(&self) -> &str {
        &self.0
    }
}

/// A workload in a list, and at the head of its own page.
#[derive(Debug, Clone)]
pub(crate) struct WorkloadView {
    pub(crate) id: String,
    pub(crate) title: String,
    pub(crate) app: String,
    pub(crate) icon: Icon,
    pub(crate) engine: String,
    pub(crate) owner: String,
    pub(crate) phase: Phase,
    pub(crate) reason: String,
    /// What to do after a failure.
    pub(crate) advice: Option<String>,
    pub(crate) created: Moment,
    pub(crate) changed: Moment,
    pub(crate) open_path: String,
}

impl WorkloadView {
    pub(crate) fn new(workload: &Workload, owner: String) -> Self {
        let advice = match &workload.state {
            State::Failed { failure, .. } => Some(failure.advice()),
            _ => None,
        };
        Self {
            id: workload.id.to_string(),
            title: workload.title.clone(),
            app: workload.app.to_string(),
            icon: Icon(workload.icon.clone()),
            engine: workload.engine.to_string(),
            owner,
            phase: workload.phase(),
            reason: workload.state.reason(),
            advice,
            created: workload.created.into(),
            changed: workload.changed.into(),
            open_path: open_path(&workload.label, None),
        }
    }

    pub(crate) fn path(&self, verb: &str) -> String {
        format!("/workloads/{}{verb}", self.id)
    }

    pub(crate) fn is_ready(&self) -> bool {
        self.phase == Phase::Ready
    }

    pub(crate) fn is_ended(&self) -> bool {
        self.phase.is_ended()
    }

    pub(crate) fn is_stopping(&self) -> bool {
        self.phase == Phase::Stopping
    }

    /// On its way to ready.
    pub(crate) fn is_coming(&self) -> bool {
        matches!(self.phase, Phase::Requested | Phase::Queued | Phase::Starting)
    }
}

/// An app in the catalogue.
#[derive(Debug, Clone)]
pub(crate) struct AppView {
    pub(crate) name: String,
    pub(crate) title: String,
    pub(crate) description: String,
    pub(crate) category: String,
    pub(crate) icon: Icon,
    pub(crate) engine: String,
    /// Why it cannot be launched now, and what to do.
    pub(crate) problem: Option<String>,
}

impl AppView {
    pub(crate) fn new(offer: &Offer) -> Self {
        let app = &offer.entry.app;
        let problem = match &offer.availability {
            Availability::Unavailable { problem, hint } => Some(format!("{}. {hint}", capital(problem))),
            Availability::Unknown | Availability::Available => None,
        };
        Self {
            name: app.name.to_string(),
            title: app.title.clone(),
            description: app.description.clone(),
            category: app.category.clone(),
            icon: Icon(app.icon.clone()),
            engine: app.engine.to_string(),
            problem,
        }
    }
}

/// With a capital letter first.
pub(crate) fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().into_iter().flat_map(char::to_uppercase).chain(letters).collect()
}

/// The hub's path that leads into a workload, by one of its doors.
pub(crate) fn open_path(label: &Label, door: Option<&EntryPointName>) -> String {
    match door.filter(|door| door.as_str() != "main") {
        Some(door) => format!("/open/{label}?entry={door}"),
        None => format!("/open/{label}"),
    }
}

/// A text as part of a query.
pub(crate) fn query_text(text: &str) -> String {
    percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string()
}

/// Limits in words: `1 core, 1 GiB of memory, 512 processes`.
pub(crate) fn size(limits: Limits) -> String {
    let cores = f64::from(limits.cpu_millis) / 1000.0;
    let unit = if limits.cpu_millis == 1000 { "core" } else { "cores" };
    format!("{cores} {unit}, {} of memory, {} processes", memory(limits.memory_mib), limits.pids)
}

/// Mebibytes in words.
pub(crate) fn memory(mib: u32) -> String {
    if mib >= 1024 { format!("{} GiB", f64::from(mib * 10 / 1024) / 10.0) } else { format!("{mib} MiB") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_size_reads_well() {
        let limits = Limits { cpu_millis: 1500, memory_mib: 1536, pids: 64 };
        assert_eq!(size(limits), "1.5 cores, 1.5 GiB of memory, 64 processes");
        assert_eq!(size(Limits::default()), "1 core, 1 GiB of memory, 512 processes");
    }
}
