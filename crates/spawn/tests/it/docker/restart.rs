//! The engine itself stops and starts again.

use std::{process::Stdio, time::Duration};

use futures_util::StreamExt;
use portico_core::{
    ports::{Condition, Follow, InstanceStatus, Spawner},
    workload::Exit,
};
use tokio::{process::Command, time::timeout};

use super::{BUSYBOX, Site, site};
use crate::conformance::{Deed, Fixture, answers, launch, status, text};

/// A second engine of a test's own; it ends with the test run at the latest.
pub(crate) struct Daemon {
    directory: tempfile::TempDir,
    options: Vec<String>,
}

impl Daemon {
    pub(crate) async fn begin(options: Vec<String>) -> Self {
        let directory = tempfile::Builder::new().prefix("portico-").tempdir_in("/run").expect("a directory");
        let daemon = Self { directory, options };
        daemon.start().await;
        daemon
    }

    async fn start(&self) {
        let mut words = vec!["start", self.path(), "--isolated"];
        words.extend(self.options.iter().map(String::as_str));
        script(&words).await;
    }

    pub(crate) async fn stop(&self) {
        script(&["stop", self.path()]).await;
    }

    fn path(&self) -> &str {
        self.directory.path().to_str().expect("plain")
    }

    pub(crate) fn host(&self) -> String {
        format!("unix://{}/docker.sock", self.path())
    }
}

async fn script(words: &[&str]) {
    let path = std::env::var("PORTICO_TEST_ENGINE").expect("set beside PORTICO_TEST_DOCKER");
    let status = Command::new(path).args(words).stdout(Stdio::null()).status().await.expect("run");
    assert!(status.success(), "{words:?}");
}

/// A further engine that holds the image of the tests, and a site on it.
async fn daemon(first: &Site, options: &[&str]) -> (Daemon, Site) {
    let daemon = Daemon::begin(options.iter().map(|option| (*option).to_owned()).collect()).await;
    copy_image(first, &daemon).await;
    let site = Site::at(daemon.host());
    (daemon, site)
}

pub(crate) async fn copy_image(from: &Site, to: &Daemon) {
    let archive = to.directory.path().join("image.tar");
    let docker = async |host: &str, words: &[&str]| {
        let mut command = Command::new("docker");
        command.arg("-H").arg(host).args(words).arg(&archive).stdout(Stdio::null());
        assert!(command.status().await.expect("run").success(), "{words:?}");
    };
    docker(&from.config.host, &["save", BUSYBOX, "-o"]).await;
    docker(&to.host(), &["load", "-i"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_engine_that_restarts_ends_what_ran_and_is_found_again() {
    let Some(first) = site().await else { return };
    let (daemon, site) = daemon(&first, &[]).await;
    let (engine, plan) = (site.docker_engine(), site.plan(Deed::Serve));
    let instance = launch(&engine, &plan).await;
    answers(&engine, &plan, &instance).await;
    let mut changes = engine.changes();
    changes.next().await;
    let log = engine.logs(&plan.instance, Follow::Yes).await.expect("a log");

    let restarted = async {
        daemon.stop().await;
        assert!(matches!(engine.health().await.condition, Condition::Unreachable { .. }));
        assert!(engine.inspect(&plan.instance).await.expect_err("down").is_temporary());
        daemon.start().await;
    };
    let (hint, ()) = tokio::join!(timeout(Duration::from_secs(60), changes.next()), restarted);
    hint.expect("announced");
    timeout(Duration::from_secs(60), changes.next()).await.expect("and that it is back");
    assert!(!matches!(engine.health().await.condition, Condition::Unreachable { .. }));
    let ended = status(&engine, &plan.instance).await;
    assert!(matches!(ended, InstanceStatus::Ended(Exit::Code(_) | Exit::Signal(_))), "{ended:?}");
    let log = timeout(Duration::from_secs(60), text(log)).await.expect("it ends");
    assert_eq!(log, "started\n");
    site.clean().await;
    daemon.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_survives_a_restart_of_the_engine_is_followed_on() {
    let Some(first) = site().await else { return };
    let (daemon, site) = daemon(&first, &["--live-restore"]).await;
    let engine = site.docker_engine();
    let plan = site.script("n=0; while [ $n -lt 1000 ]; do echo line $n; n=$((n+1)); usleep 10000; [ -e /workspace/end ] && exit 4; done");
    let before = launch(&engine, &plan).await;
    let log = engine.logs(&plan.instance, Follow::Yes).await.expect("a log");
    daemon.stop().await;
    daemon.start().await;
    let found = engine.inspect(&plan.instance).await.expect("asked").expect("there");
    assert_eq!(found, before, "it ran on");
    let log = timeout(Duration::from_secs(60), text(log)).await.expect("it ends");
    let lines: Vec<_> = log.lines().collect();
    let expected: Vec<_> = (0..1000).map(|number| format!("line {number}")).collect();
    assert_eq!(lines, expected, "none lost, none twice");
    site.clean().await;
    daemon.stop().await;
}
