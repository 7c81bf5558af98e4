//! An engine without a place: instances are entries of a map, for tests of what is built on engines.
//!
//! The words of a plan's command (or image command) say how the app behaves, see [`Act`]; tests end,
//! break and lose instances through the methods of [`Fake`]. Doors are real loopback sockets that
//! answer every request with `200 ok`, so that readiness and forwarding can be tried on them. Nothing
//! is isolated and nothing survives the process.

mod act;
mod answer;

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::{StreamExt, stream};
use jiff::Timestamp;
use portico_core::{
    app::App,
    launch::LaunchPlan,
    names::{InstanceName, Label},
    ports::{
        Condition, Follow, Health, Instance, InstanceStatus, Isolation, LogStream, Progress, SpawnError,
        Spawner, Step, Usage,
    },
    workload::Exit,
};
use tokio::sync::watch;

pub use act::Act;

/// A method of the engine, for [`Fake::fail_next`] and [`Fake::calls`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    Check,
    Launch,
    List,
    Inspect,
    Stop,
    Remove,
    DiscardWorkspace,
    Logs,
    Usage,
}

/// The in-memory engine. Clones share the instances, as two hubs share a real engine.
#[derive(Clone)]
pub struct Fake {
    inner: Arc<Inner>,
}

struct Inner {
    state: Mutex<State>,
    /// Counts changes; what [`Spawner::changes`] and log followers wait on.
    changed: watch::Sender<u64>,
}

#[derive(Default)]
struct State {
    instances: BTreeMap<InstanceName, Entry>,
    workspaces: Vec<Label>,
    failures: VecDeque<(Method, SpawnError)>,
    calls: Vec<Method>,
    condition: Option<Condition>,
}

struct Entry {
    instance: Instance,
    act: Act,
    log: Vec<u8>,
    /// Ends the listeners when dropped.
    doors: Vec<answer::Listening>,
}

impl Default for Fake {
    fn default() -> Self {
        Self { inner: Arc::new(Inner { state: Mutex::default(), changed: watch::Sender::new(0) }) }
    }
}

impl Fake {
    /// The next call of this method fails so. Several failures of one method happen in order.
    pub fn fail_next(&self, method: Method, error: SpawnError) {
        self.with(|state| state.failures.push_back((method, error)));
    }

    /// The condition that `health` tells from now on.
    pub fn set_condition(&self, condition: Condition) {
        self.with(|state| state.condition = Some(condition));
    }

    /// Ends an instance as if its app had ended by itself.
    pub fn end(&self, name: &InstanceName, exit: Exit) {
        drop(self.finish(name, exit));
    }

    /// Ends an instance; its listeners live until what is returned is dropped.
    fn finish(&self, name: &InstanceName, exit: Exit) -> Vec<answer::Listening> {
        self.with(|state| {
            let Some(entry) = state.instances.get_mut(name) else { return Vec::new() };
            entry.instance.status = InstanceStatus::Ended(exit);
            std::mem::take(&mut entry.doors)
        })
    }

    /// Loses an instance without a trace.
    pub fn vanish(&self, name: &InstanceName) {
        self.with(|state| state.instances.remove(name));
    }

    /// Adds a line to the log of an instance.
    pub fn say(&self, name: &InstanceName, line: &str) {
        self.with(|state| {
            if let Some(entry) = state.instances.get_mut(name) {
                entry.log.extend_from_slice(line.as_bytes());
                entry.log.push(b'\n');
            }
        });
    }

    /// Every call so far, in order.
    #[must_use]
    pub fn calls(&self) -> Vec<Method> {
        self.lock().calls.clone()
    }

    /// Labels that have a workspace.
    #[must_use]
    pub fn workspaces(&self) -> Vec<Label> {
        self.lock().workspaces.clone()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.inner.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes the state and tells those who wait.
    fn with<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        let value = change(&mut self.lock());
        self.inner.changed.send_modify(|count| *count += 1);
        value
    }

    /// Notes the call, and fails if it was told to.
    fn enter(&self, method: Method) -> Result<(), SpawnError> {
        let mut state = self.lock();
        state.calls.push(method);
        let planned = state.failures.iter().position(|(failing, _)| *failing == method);
        match planned.and_then(|index| state.failures.remove(index)) {
            Some((_, error)) => Err(error),
            None => Ok(()),
        }
    }

    fn find<T>(&self, name: &InstanceName, look: impl FnOnce(&Entry) -> T) -> Option<T> {
        self.lock().instances.get(name).map(look)
    }
}

#[async_trait]
impl Spawner for Fake {
    fn kind(&self) -> &'static str {
        "fake"
    }

    async fn health(&self) -> Health {
        Health {
            condition: self.lock().condition.clone().unwrap_or(Condition::Working),
            version: "fake".to_owned(),
            isolation: vec![Isolation {
                what: "any isolation".to_owned(),
                holds: false,
                how: "an engine for tests".to_owned(),
            }],
            checked: Timestamp::now(),
        }
    }

    async fn check(&self, app: &App) -> Result<(), SpawnError> {
        self.enter(Method::Check)?;
        Act::of(&app.program).map(|_| ())
    }

    async fn launch(&self, plan: &LaunchPlan, progress: &dyn Progress) -> Result<Instance, SpawnError> {
        progress.step(Step::Preparing);
        self.enter(Method::Launch)?;
        if let Some(found) = self.find(&plan.instance, |entry| entry.instance.clone()) {
            return Ok(found);
        }
        progress.step(Step::Creating);
        let act = Act::of(&plan.spec.program)?;
        tokio::time::sleep(Duration::from_millis(act.slow_millis)).await;
        let (doors, listening) = answer::open(&plan.spec.entry_points, &act).await?;
        let instance = Instance {
            name: plan.instance.clone(),
            workload: plan.workload.clone(),
            label: plan.label.clone(),
            native: format!("fake:{}", plan.instance),
            status: act.exit.map_or(InstanceStatus::Running, InstanceStatus::Ended),
            doors,
            mounts: vec!["workspace at /workspace, read-write".to_owned()],
        };
        progress.step(Step::Starting);
        let log = act.print.iter().flat_map(|line| format!("{line}\n").into_bytes()).collect();
        let entry = Entry { instance: instance.clone(), act, log, doors: listening };
        Ok(self.with(|state| {
            if !state.workspaces.contains(&plan.label) {
                state.workspaces.push(plan.label.clone());
            }
            // Two launches at once: the first one made it.
            state.instances.entry(plan.instance.clone()).or_insert(entry).instance.clone()
        }))
    }

    async fn list(&self) -> Result<Vec<Instance>, SpawnError> {
        self.enter(Method::List)?;
        Ok(self.lock().instances.values().map(|entry| entry.instance.clone()).collect())
    }

    async fn inspect(&self, name: &InstanceName) -> Result<Option<Instance>, SpawnError> {
        self.enter(Method::Inspect)?;
        Ok(self.find(name, |entry| entry.instance.clone()))
    }

    async fn stop(&self, name: &InstanceName, grace: Duration) -> Result<(), SpawnError> {
        self.enter(Method::Stop)?;
        let deaf = self.find(name, |entry| entry.act.deaf).unwrap_or(false);
        if deaf {
            tokio::time::sleep(grace).await;
        }
        let running =
            self.find(name, |entry| entry.instance.status == InstanceStatus::Running).unwrap_or(false);
        if running {
            for listening in self.finish(name, Exit::Signal(if deaf { 9 } else { 15 })) {
                listening.close().await;
            }
        }
        Ok(())
    }

    async fn remove(&self, name: &InstanceName) -> Result<(), SpawnError> {
        self.enter(Method::Remove)?;
        if self.find(name, |entry| entry.instance.status == InstanceStatus::Running).unwrap_or(false) {
            return Err(SpawnError::Refused("it still runs: stop it first".to_owned()));
        }
        self.with(|state| state.instances.remove(name));
        Ok(())
    }

    async fn discard_workspace(&self, label: &Label) -> Result<(), SpawnError> {
        self.enter(Method::DiscardWorkspace)?;
        self.with(|state| state.workspaces.retain(|kept| kept != label));
        Ok(())
    }

    async fn logs(&self, name: &InstanceName, follow: Follow) -> Result<LogStream, SpawnError> {
        self.enter(Method::Logs)?;
        if self.find(name, |_| ()).is_none() {
            return Err(SpawnError::NoInstance);
        }
        let start = (self.clone(), name.clone(), 0_usize, self.inner.changed.subscribe());
        let lines = stream::unfold(start, move |(fake, name, read, mut changed)| async move {
            loop {
                changed.mark_unchanged();
                let (fresh, ended) = fake.find(&name, |entry| {
                    let fresh = Bytes::copy_from_slice(entry.log.get(read..).unwrap_or_default());
                    (fresh, entry.instance.status != InstanceStatus::Running)
                })?;
                if !fresh.is_empty() {
                    let read = read + fresh.len();
                    return Some((Ok(fresh), (fake, name, read, changed)));
                }
                if ended || follow == Follow::No || changed.changed().await.is_err() {
                    return None;
                }
            }
        });
        Ok(lines.boxed())
    }

    async fn usage(&self, name: &InstanceName) -> Result<Usage, SpawnError> {
        self.enter(Method::Usage)?;
        match self.find(name, |entry| entry.instance.status) {
            Some(InstanceStatus::Running) => {
                Ok(Usage { at: Timestamp::now(), cpu_micros: 1000, memory_bytes: 1 << 20, pids: 1 })
            }
            _ => Err(SpawnError::NoInstance),
        }
    }

    fn changes(&self) -> stream::BoxStream<'static, ()> {
        // The engine is part of the stream, so that the sender lives as long as it is read.
        let start = (self.clone(), self.inner.changed.subscribe());
        stream::unfold(start, |(fake, mut changed)| async move {
            changed.changed().await.ok()?;
            Some(((), (fake, changed)))
        })
        .boxed()
    }
}
