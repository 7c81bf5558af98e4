//! Plans as the hub would make them.

use std::{
    collections::BTreeMap,
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use jiff::Timestamp;
use portico_core::{
    UserId, WorkloadId,
    app::{App, Check, EntryPoint, Listen, Network, Program, Readiness},
    launch::{LaunchPlan, LaunchSpec, Owner},
    names::{InstanceName, Label, Realm},
    quota::Limits,
};

/// Grace of a polite stop in tests: longer than any polite app needs.
pub(crate) fn grace() -> Duration {
    Duration::from_secs(20)
}

/// An HTTP door named `main`.
pub(crate) fn serve_entry(listen: Listen) -> EntryPoint {
    EntryPoint { title: "App".to_owned(), listen, path: "/".to_owned() }
}

/// A plan of a realm, for a program that listens so.
pub(crate) fn plan(realm: &Realm, program: Program, listen: Listen) -> LaunchPlan {
    static COUNT: AtomicU64 = AtomicU64::new(1);
    let mut entropy = [7; 13];
    let unique = Timestamp::now().as_nanosecond() as u64 ^ (u64::from(std::process::id()) << 40);
    entropy[..8].copy_from_slice(&unique.to_be_bytes());
    entropy[8..12].copy_from_slice(&(COUNT.fetch_add(1, Ordering::Relaxed) as u32).to_be_bytes());
    let label = Label::random(entropy);
    let id: [u8; 10] = entropy[..10].try_into().expect("ten of thirteen");
    LaunchPlan {
        instance: InstanceName::new(realm, &label, 0),
        workload: WorkloadId::new(Timestamp::now(), id),
        label,
        owner: Owner {
            user: UserId::new(Timestamp::now(), id),
            slug: "alice".parse().expect("a slug"),
            number: 7,
        },
        spec: LaunchSpec {
            program,
            env: BTreeMap::new(),
            parameters: BTreeMap::new(),
            entry_points: BTreeMap::from([("main".parse().expect("a name"), serve_entry(listen))]),
            ready: Readiness { check: Check::Http("/".to_owned()), deadline_seconds: 30 },
            mounts: Vec::new(),
            network: Network::Outbound,
            limits: Limits { cpu_millis: 1000, memory_mib: 64, pids: 64 },
            grace_seconds: 10,
        },
    }
}

/// The catalogue entry that such a plan could come from.
pub(crate) fn app(plan: &LaunchPlan) -> App {
    App {
        name: "test".parse().expect("a name"),
        title: "Test".to_owned(),
        description: String::new(),
        icon: "globe".to_owned(),
        category: String::new(),
        engine: "test".parse().expect("a name"),
        program: plan.spec.program.clone(),
        env: BTreeMap::new(),
        parameters: Vec::new(),
        sizes: Vec::new(),
        entry_points: plan.spec.entry_points.clone(),
        ready: plan.spec.ready.clone(),
        mounts: plan.spec.mounts.clone(),
        network: plan.spec.network,
        grace_seconds: plan.spec.grace_seconds,
        requires: None,
        grants: Vec::new(),
    }
}
