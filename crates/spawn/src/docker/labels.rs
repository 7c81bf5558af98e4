//! How the engine's objects carry our facts: names and labels.
//!
//! Anybody with access to the engine can write labels, so what is read here is outside input: an
//! object whose labels do not make sense is not ours.

use std::collections::{BTreeMap, HashMap};

use portico_core::{
    WorkloadId,
    app::Listen,
    launch::LaunchPlan,
    names::{EntryPointName, InstanceName, Label, Realm},
};

pub(super) const REALM: &str = "portico.realm";
pub(super) const INSTANCE: &str = "portico.instance";
const WORKLOAD: &str = "portico.workload";
pub(super) const LABEL: &str = "portico.label";
const GENERATION: &str = "portico.generation";
const OWNER: &str = "portico.owner";
const DOORS: &str = "portico.doors";
/// On a container that only prepares a workspace and never runs: the label of the workload.
pub(super) const PREPARES: &str = "portico.prepares";

/// What the labels of an instance say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Identity {
    pub(super) name: InstanceName,
    pub(super) workload: WorkloadId,
    pub(super) label: Label,
    /// Ports inside.
    pub(super) doors: BTreeMap<EntryPointName, u16>,
}

/// The labels of everything that belongs to one run.
pub(super) fn of_instance(realm: &Realm, plan: &LaunchPlan) -> HashMap<String, String> {
    let generation = plan.instance.as_str().rsplit('-').next().unwrap_or_default();
    let doors: Vec<_> = ports(plan).map(|(name, port)| format!("{name}:{port}")).collect();
    strings([
        (REALM, realm.as_str()),
        (INSTANCE, plan.instance.as_str()),
        (WORKLOAD, plan.workload.as_str()),
        (LABEL, plan.label.as_str()),
        (GENERATION, generation),
        (OWNER, plan.owner.slug.as_str()),
        (DOORS, &doors.join(",")),
    ])
}

/// The labels of a workspace.
pub(super) fn of_workspace(realm: &Realm, label: &Label) -> HashMap<String, String> {
    strings([(REALM, realm.as_str()), (LABEL, label.as_str())])
}

/// The labels of a container that prepares a workspace.
pub(super) fn of_preparation(realm: &Realm, label: &Label) -> HashMap<String, String> {
    strings([(REALM, realm.as_str()), (PREPARES, label.as_str())])
}

/// Name of the volume that is a workload's workspace.
pub(super) fn volume(realm: &Realm, label: &Label) -> String {
    format!("portico-{realm}-{label}")
}

/// The entry points with their ports; an image has no others.
pub(super) fn ports(plan: &LaunchPlan) -> impl Iterator<Item = (&EntryPointName, u16)> {
    plan.spec.entry_points.iter().filter_map(|(name, entry)| match entry.listen {
        Listen::Tcp { port: Some(port) } => Some((name, port)),
        Listen::Tcp { port: None } | Listen::Unix => None,
    })
}

/// Whether these labels are of this realm.
pub(super) fn belongs(labels: &HashMap<String, String>, realm: &Realm) -> bool {
    labels.get(REALM).is_some_and(|found| found == realm.as_str())
}

/// Reads the labels of an instance of this realm.
pub(super) fn read(labels: &HashMap<String, String>, realm: &Realm) -> Option<Identity> {
    if !belongs(labels, realm) {
        return None;
    }
    Some(Identity {
        name: labels.get(INSTANCE)?.parse().ok()?,
        workload: labels.get(WORKLOAD)?.parse().ok()?,
        label: labels.get(LABEL)?.parse().ok()?,
        doors: read_doors(labels.get(DOORS)?)?,
    })
}

fn read_doors(text: &str) -> Option<BTreeMap<EntryPointName, u16>> {
    text.split(',')
        .filter(|part| !part.is_empty())
        .map(|part| {
            let (name, port) = part.split_once(':')?;
            Some((name.parse().ok()?, port.parse().ok()?))
        })
        .collect()
}

/// A filter for the engine's lists and events.
pub(super) fn filter<const N: usize>(labels: [(&str, &str); N]) -> HashMap<String, Vec<String>> {
    let wanted = labels.map(|(name, value)| format!("{name}={value}"));
    HashMap::from([("label".to_owned(), wanted.to_vec())])
}

fn strings<const N: usize>(pairs: [(&str, &str); N]) -> HashMap<String, String> {
    pairs.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn realm() -> Realm {
        "demo".parse().expect("a realm")
    }

    fn labels() -> HashMap<String, String> {
        strings([
            (REALM, "demo"),
            (INSTANCE, "portico-demo-wabc-0"),
            (WORKLOAD, "01hzzzzzzzzzzzzzzzzzzzzzzz"),
            (LABEL, "wabc"),
            (DOORS, "main:8888,files:81"),
        ])
    }

    #[test]
    fn what_was_written_is_read() {
        let identity = read(&labels(), &realm()).expect("ours");
        assert_eq!(identity.label.as_str(), "wabc");
        assert_eq!(identity.doors.values().copied().collect::<Vec<_>>(), [81, 8888]);
    }

    #[test]
    fn hostile_labels_are_not_ours() {
        let long = "x".repeat(100_000);
        for hostile in ["", "../../etc", "portico-\u{202e}", "main:99999", "\0", "a:b:c", &long] {
            for name in [REALM, INSTANCE, WORKLOAD, LABEL, DOORS] {
                let mut labels = labels();
                labels.insert(name.to_owned(), hostile.to_owned());
                let doorless = name == DOORS && hostile.is_empty();
                assert_eq!(read(&labels, &realm()).is_some(), doorless, "{name}={hostile:.20}");
            }
        }
        assert_eq!(read(&HashMap::new(), &realm()), None);
    }
}
