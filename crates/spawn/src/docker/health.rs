//! How the engine is, and what it keeps apart, in words for administrators.

use jiff::Timestamp;
use portico_core::ports::{Condition, Health, Isolation};

use super::{
    Engine,
    config::Reach,
    error::Trouble,
    link::{Facts, Link},
};

pub(super) async fn ask(engine: &Engine) -> Health {
    let dialled = engine.dial().await;
    let checked = Timestamp::now();
    match dialled {
        Ok(Link { facts, .. }) => Health {
            condition: condition(&facts),
            version: format!("Docker {}", facts.version),
            isolation: isolation(engine, Some(&facts)),
            checked,
        },
        Err(trouble) => Health {
            condition: unreachable(engine, &trouble),
            version: "Docker, version unknown".to_owned(),
            isolation: isolation(engine, None),
            checked,
        },
    }
}

fn unreachable(engine: &Engine, trouble: &Trouble) -> Condition {
    let config = engine.config();
    Condition::Unreachable {
        problem: format!("the Docker engine at {} cannot be used: {trouble}", config.host),
        advice: trouble.advice(config.socket()),
    }
}

fn condition(facts: &Facts) -> Condition {
    let lacks = |fact: Option<bool>| fact == Some(false);
    let info = &facts.info;
    let limited = |problem: &str, advice: &str| Condition::Limited {
        problem: problem.to_owned(),
        advice: advice.to_owned(),
    };
    if info.os_type.as_deref().is_some_and(|os| os != "linux") {
        return limited("it does not run Linux containers", "Use a Docker engine on Linux.");
    }
    if lacks(info.memory_limit) || lacks(info.pids_limit) || lacks(info.cpu_cfs_quota) {
        return limited(
            "it cannot limit memory, processors or processes, so that one workload can starve the others",
            "Enable the control groups memory, cpu and pids on the engine's host (for rootless Docker: delegate \
             them to its user).",
        );
    }
    if !has_option(facts, "seccomp") {
        return limited(
            "its containers may use every system call",
            "Start dockerd without `seccomp=unconfined`, on a kernel with seccomp.",
        );
    }
    Condition::Working
}

fn isolation(engine: &Engine, facts: Option<&Facts>) -> Vec<Isolation> {
    let fact = |what: &str, holds: bool, how: &str, otherwise: &str| Isolation {
        what: what.to_owned(),
        holds,
        how: if holds { how } else { otherwise }.to_owned(),
    };
    let mut all = vec![
        fact(
            "own file system view",
            true,
            "the image, read-only unless the app asks otherwise, and its workspace",
            "",
        ),
        fact(
            "no way to become root",
            !engine.config().allow_root,
            "a numeric user, no capabilities, no-new-privileges",
            "this site allows apps that run as root; they have no capabilities all the same",
        ),
        fact(
            "own network",
            true,
            "a bridge for each workload, shared with no other; the engine's host itself can be reached from it",
            "",
        ),
        fact(
            "no open ports",
            true,
            match engine.config().reach() {
                Reach::Bridge => "nothing is published; the front door dials the container's own address",
                Reach::Publish(_) => "published on one loopback or private address",
            },
            "",
        ),
    ];
    let Some(facts) = facts else { return all };
    let info = &facts.info;
    let limits =
        [info.memory_limit, info.cpu_cfs_quota, info.pids_limit].iter().all(|limit| *limit != Some(false));
    all.extend([
        fact(
            "memory, processor and process limits",
            limits,
            "control groups",
            "the engine's host lacks control groups for them",
        ),
        fact(
            "filtered system calls",
            has_option(facts, "seccomp"),
            "Docker's seccomp profile",
            "the engine was started without seccomp",
        ),
        fact(
            "mandatory access control",
            has_option(facts, "apparmor") || has_option(facts, "selinux"),
            "AppArmor or SELinux",
            "the engine's host has neither AppArmor nor SELinux",
        ),
        fact(
            "own user numbers",
            has_option(facts, "userns") || has_option(facts, "rootless"),
            "user numbers inside are others outside",
            "user numbers inside are those of the engine's host; see dockerd's `userns-remap`",
        ),
    ]);
    all
}

/// Whether the engine names this among its security options, which read `name=seccomp,profile=default`.
fn has_option(facts: &Facts, name: &str) -> bool {
    let options = facts.info.security_options.iter().flatten();
    options.flat_map(|option| option.split(',')).any(|part| part == format!("name={name}") || part == name)
}
