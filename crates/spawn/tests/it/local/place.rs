//! A data directory with a local engine over it.

use std::{path::Path, sync::Arc};

use async_trait::async_trait;
use portico_core::{
    app::{Command, Listen, Program},
    launch::LaunchPlan,
    names::Realm,
    ports::{Instance, Spawner},
};
use portico_spawn::local::{Config, Local};
use tempfile::TempDir;

use crate::conformance::{Deed, Fixture, launch, plan, text};

const APP: &str = include_str!("../app.py");

pub(crate) struct Place {
    directory: TempDir,
    config: Config,
}

impl Place {
    pub(crate) fn new() -> Self {
        Self::with(Config::default())
    }

    pub(crate) fn with(config: Config) -> Self {
        let executable = Some(env!("CARGO_BIN_EXE_portico-stages").into());
        let directory = tempfile::Builder::new().prefix("portico-test-").tempdir().expect("a directory");
        Self { directory, config: Config { executable, ..config } }
    }

    #[expect(clippy::print_stderr, reason = "a skipped test says why")]
    pub(crate) async fn for_conformance() -> Option<Self> {
        let place = Self::new();
        if Path::new("/usr/bin/bwrap").exists() && Path::new("/usr/bin/python3").exists() {
            return Some(place);
        }
        assert!(std::env::var_os("CI").is_none(), "bubblewrap and python3 must be installed");
        eprintln!("skipped: needs the packages bubblewrap and python3");
        None
    }

    pub(crate) fn data(&self) -> &Path {
        self.directory.path()
    }

    pub(crate) fn config(&self) -> &Config {
        &self.config
    }

    pub(crate) fn local(&self) -> Local {
        Local::open(self.config.clone(), self.data()).expect("opened")
    }

    /// A plan for a command of any words.
    pub(crate) fn command(&self, words: &[&str]) -> LaunchPlan {
        let realm: Realm = "test".parse().expect("a realm");
        let command = words.iter().map(|word| (*word).to_owned()).collect();
        plan(&realm, Program::Command(Command { command }), Listen::Unix)
    }

    pub(crate) fn shell(&self, script: &str) -> LaunchPlan {
        self.command(&["/bin/sh", "-c", script])
    }

    /// Runs a script to its end and gives what it said.
    pub(crate) async fn output(&self, script: &str) -> String {
        self.output_of(&self.shell(script)).await
    }

    pub(crate) async fn output_of(&self, plan: &LaunchPlan) -> String {
        let engine = self.local();
        launch(&engine, plan).await;
        text(engine.logs(&plan.instance, portico_core::ports::Follow::Yes).await.expect("a log")).await
    }

    /// Waits until the log holds a text.
    pub(crate) async fn says(&self, engine: &Local, instance: &Instance, wanted: &str) {
        use futures_util::StreamExt;
        let mut log = engine.logs(&instance.name, portico_core::ports::Follow::Yes).await.expect("a log");
        let mut said = String::new();
        while !said.contains(wanted) {
            let chunk = log.next().await.unwrap_or_else(|| panic!("it ended saying only {said:?}"));
            said.push_str(&String::from_utf8_lossy(&chunk.expect("a chunk")));
        }
    }
}

#[async_trait]
impl Fixture for Place {
    async fn engine(&self) -> Arc<dyn Spawner> {
        Arc::new(self.local())
    }

    fn plan(&self, deed: Deed) -> LaunchPlan {
        let mut words = vec!["/usr/bin/python3".to_owned(), "-c".to_owned(), APP.to_owned()];
        match deed {
            Deed::Serve => {}
            Deed::Print(lines) => words.extend(lines.iter().map(|line| format!("print={line}"))),
            Deed::Exit(code) => words.push(format!("exit={code}")),
            Deed::Allocate => words.push("allocate".to_owned()),
            Deed::Deaf => words.push("deaf".to_owned()),
        }
        let mut plan = self.command(&[]);
        plan.spec.program = Program::Command(Command { command: words });
        plan
    }

    fn missing(&self) -> LaunchPlan {
        self.command(&["no-such-program"])
    }

    async fn clean(&self) {
        let engine = self.local();
        for instance in engine.list().await.expect("listed") {
            engine.stop(&instance.name, std::time::Duration::ZERO).await.expect("stopped");
            engine.remove(&instance.name).await.expect("removed");
        }
        let left = std::fs::read_dir(self.data().join("s")).expect("readable").count();
        assert_eq!(left, 0, "sockets are left");
    }
}
