//! Launching: checks, the run directory, the shim.

use std::{
    collections::BTreeMap,
    fs::OpenOptions,
    io,
    os::unix::fs::OpenOptionsExt,
    path::PathBuf,
    process::Stdio,
    time::{Duration, Instant},
};

use portico_core::{
    app::{EntryPoint, Listen, Mount, Network, Program},
    failpoint,
    launch::LaunchPlan,
    names::EntryPointName,
    ports::{Instance, InstanceStatus, Progress, SpawnError, Step},
};
use tokio::{process::Command, time::sleep};

use super::{
    Local, program,
    record::{Home, Identity, Job, is_held},
    unreadable,
};

/// Longest wait for a shim to start its app.
const START: Duration = Duration::from_secs(20);
/// How long a shim may take to get its lock before another one is started.
const LATE: Duration = Duration::from_secs(5);

impl Local {
    pub(super) async fn launch_run(
        &self,
        plan: &LaunchPlan,
        progress: &dyn Progress,
    ) -> Result<Instance, SpawnError> {
        progress.step(Step::Preparing);
        let home = self.layout.home(&plan.instance);
        if self.find(&plan.instance)?.is_none() {
            self.check_program(&plan.spec.program)?;
            let spec = &plan.spec;
            let bubblewrap = self.check_access(&spec.entry_points, &spec.mounts, spec.network).await?;
            progress.step(Step::Creating);
            failpoint::hit("local.before-mkdir");
            self.make_run(&home, plan, bubblewrap).map_err(|error| unreadable(&error))?;
            failpoint::hit("local.after-plan");
        }
        let instance = self.await_start(&home, plan).await?;
        progress.step(Step::Starting);
        Ok(instance)
    }

    fn make_run(&self, home: &Home, plan: &LaunchPlan, bubblewrap: Option<PathBuf>) -> io::Result<()> {
        let identity = Identity {
            name: plan.instance.clone(),
            workload: plan.workload.clone(),
            label: plan.label.clone(),
        };
        let job = Job {
            plan: plan.clone(),
            config: self.config.clone(),
            layout: self.layout.clone(),
            bubblewrap,
            user: self.host.user(&self.config, plan.owner.number),
            executable: self.executable.clone(),
            path: self.search_path(),
        };
        home.create(&identity, &job)
    }

    /// Starts a shim unless one is there, and waits until it has started the app.
    async fn await_start(&self, home: &Home, plan: &LaunchPlan) -> Result<Instance, SpawnError> {
        let lock = self.layout.lock(&plan.instance);
        let begun = Instant::now();
        let mut next_shim = begun;
        while begun.elapsed() < START {
            let instance = self.find(&plan.instance)?.ok_or(SpawnError::NoInstance)?;
            match instance.status {
                InstanceStatus::Running => return Ok(instance),
                InstanceStatus::Ended(_) => return self.ended_or_refused(home, instance),
                InstanceStatus::Created => {}
            }
            if Instant::now() >= next_shim && !is_held(&lock).map_err(|error| unreadable(&error))? {
                self.start_shim(home).map_err(|error| unreadable(&error))?;
                failpoint::hit("local.after-shim");
                next_shim = Instant::now() + LATE;
            }
            sleep(Duration::from_millis(3)).await;
        }
        Err(SpawnError::Unreachable(format!("it was not started within {} seconds", START.as_secs())))
    }

    fn ended_or_refused(&self, home: &Home, instance: Instance) -> Result<Instance, SpawnError> {
        let ended = home.ended().map_err(|error| unreadable(&error))?;
        match ended.and_then(|ended| ended.problem) {
            Some(problem) => Err(SpawnError::Refused(problem)),
            None => Ok(instance),
        }
    }

    /// Starts the shim as a child that nobody waits for: when it ends before the hub, the runtime
    /// takes note of it; when the hub ends first, init does.
    fn start_shim(&self, home: &Home) -> io::Result<()> {
        let errors = OpenOptions::new().create(true).append(true).mode(0o600).open(home.file("shim.log"))?;
        Command::new(&self.executable)
            .args(["internal", "shim", "--dir"])
            .arg(&home.directory)
            .env_clear()
            .current_dir("/")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(errors)
            .spawn()
            .map(drop)
    }

    pub(super) fn check_program(&self, program: &Program) -> Result<(), SpawnError> {
        let Program::Command(run) = program else {
            return Err(SpawnError::Refused(
                "this engine runs programs of its host, not container images".to_owned(),
            ));
        };
        let first = run.command.first().map_or("", String::as_str);
        if first == "{portico}" || program::find(first, &self.search_path()).is_some() {
            return Ok(());
        }
        Err(SpawnError::ProgramMissing(first.to_owned()))
    }

    /// Checks what depends on the isolation that works here; returns the bubblewrap to use.
    pub(super) async fn check_access(
        &self,
        entry_points: &BTreeMap<EntryPointName, EntryPoint>,
        mounts: &[Mount],
        network: Network,
    ) -> Result<Option<PathBuf>, SpawnError> {
        let refused = |text: &str| Err(SpawnError::Refused(text.to_owned()));
        let bubblewrap = self.host.bubblewrap().await?;
        if network == Network::None {
            let tcp = |entry: &EntryPoint| matches!(entry.listen, Listen::Tcp { .. });
            if entry_points.values().any(tcp) {
                return refused(
                    "an app without network cannot be reached by TCP on this engine: let it listen on a unix socket, or allow it the network",
                );
            }
        }
        if bubblewrap.is_none() && (network == Network::None || !mounts.is_empty()) {
            return refused("mounts and a closed network need bubblewrap on this engine: install it");
        }
        Ok(bubblewrap)
    }

    fn search_path(&self) -> String {
        self.config.path.clone().or_else(|| std::env::var("PATH").ok()).unwrap_or_default()
    }
}
