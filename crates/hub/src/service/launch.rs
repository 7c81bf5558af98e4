//! Launching: from a person's answers to a row that the reconciler brings to life.
//!
//! Right, answers, size and quota are checked and the row is written with its event and audit in one
//! transaction, under a lock of the account, so that the sum of what somebody holds never exceeds the
//! quota. Nothing is started here.

use std::collections::BTreeMap;

use portico_core::{
    Timestamp, WorkloadId,
    access::{Action, Permit, Thing},
    app::App,
    failpoint,
    launch::{LaunchSpec, Owner, Place},
    names::{AppName, Label},
    param,
    quota::Limits,
    workload::{Phase, State, Workload},
};
use portico_store::{Tx, idempotency};
use sha2::{Digest, Sha256};

use super::{
    app,
    audit::{self, Act},
    workload::{thing, title_of},
};
use crate::{
    auth::Actor,
    entropy,
    error::{Error, Fields},
    live::Availability,
    state::Hub,
};

/// Longest idempotency key, in bytes.
const MAX_KEY: usize = 200;

/// What somebody wants to launch.
#[derive(Debug, Clone)]
pub struct Order {
    pub app: AppName,
    /// Answers by the names of parameters; what is missing takes its default.
    pub parameters: BTreeMap<String, String>,
    /// Name of a size; the first one when absent.
    pub size: Option<String>,
    /// Another title than the app's.
    pub title: Option<String>,
    /// The same key with the same order gives the same workload, however often it is sent.
    pub idempotency_key: Option<String>,
}

/// What came of an order.
#[derive(Debug, Clone)]
pub enum Launched {
    New(Workload),
    /// The key was used before.
    Before(Workload),
}

impl Launched {
    #[must_use]
    pub fn into_workload(self) -> Workload {
        match self {
            Self::New(workload) | Self::Before(workload) => workload,
        }
    }
}

/// Accepts an order, or says what stands in its way.
///
/// # Errors
/// [`Error::NotFound`] for an app that is not for this actor, [`Error::Invalid`] with every field that does
/// not fit, [`Error::Conflict`] when a quota or a missing part of the engine forbids it.
pub async fn launch(hub: &Hub, actor: &Actor, order: Order) -> Result<Launched, Error> {
    let launched = accept(hub, actor, order).await;
    if launched.is_err() {
        hub.metrics.work.refused();
    }
    launched
}

async fn accept(hub: &Hub, actor: &Actor, order: Order) -> Result<Launched, Error> {
    let (entry, permit) = app::find_for(hub, actor, &order.app).await?;
    let app = &entry.app;
    let digest = order.digest();
    if order.idempotency_key.as_ref().is_some_and(|key| key.is_empty() || key.len() > MAX_KEY) {
        return Err(Error::BadRequest(format!("an idempotency key has 1 to {MAX_KEY} bytes")));
    }
    let (parameters, limits, title) = check(app, &order)?;
    if let Availability::Unavailable { problem, hint } = app::availability_now(hub, app).await {
        return Err(Error::Conflict(format!("{} cannot be launched: {problem}. {hint}", app.title)));
    }
    let now = hub.now();
    let workload = draft(hub, actor, app, parameters, limits, title, now);
    let mut tx = hub.store.begin_write("launch").await?;
    // From here on nobody else adds to what this account holds.
    portico_store::user::lock(&mut tx, &actor.user().id).await?;
    if let Some(key) = &order.idempotency_key {
        match claim(&mut tx, permit.user(), key, &digest, now).await? {
            None => {}
            Some(before) => {
                drop(tx);
                let found = super::workload::find(hub, actor, &before, Action::View).await;
                let gone = |_| Error::Gone("what this key launched was deleted".to_owned());
                return Ok(Launched::Before(found.map_err(gone)?.workload));
            }
        }
    }
    still_granted(&mut tx, actor, &entry.app).await?;
    admit(hub, &mut tx, &workload).await?;
    write(&mut tx, actor, &permit, &workload, now).await?;
    if let Some(key) = &order.idempotency_key {
        let answer = idempotency::Answer { status: 201, body: workload.id.to_string() };
        idempotency::finish(&mut tx, permit.user(), key, &answer).await?;
    }
    failpoint::hit("launch.before-insert");
    tx.commit().await?;
    failpoint::hit("launch.after-insert");
    hub.metrics.work.accepted();
    hub.tell_workload(&workload);
    hub.live.workers.wake();
    Ok(Launched::New(workload))
}

/// A user who was disabled, or lost the grant, between the check and the lock is refused.
async fn still_granted(tx: &mut Tx, actor: &Actor, app: &App) -> Result<(), Error> {
    let present = app::present(tx, actor).await?;
    let grants = app::subjects(tx, &present, app).await?;
    present.may(Action::Launch, Thing::App { grants: &grants })?;
    Ok(())
}

type Checked = (BTreeMap<portico_core::names::ParamName, String>, Limits, String);

/// Checks every field, and tells all that do not fit at once.
fn check(app: &App, order: &Order) -> Result<Checked, Error> {
    let mut fields = BTreeMap::new();
    let parameters = param::accept_all(&app.parameters, &order.parameters).unwrap_or_else(|refused| {
        fields.extend(refused.into_iter().map(|(name, why)| (format!("parameters.{name}"), why.to_string())));
        BTreeMap::new()
    });
    let size = order.size.as_deref().filter(|size| !size.is_empty());
    let limits = app.limits(size).unwrap_or_else(|| {
        let names: Vec<_> = app.sizes.iter().map(|size| size.name.as_str()).collect();
        let offered = if names.is_empty() {
            "this app has only one size".to_owned()
        } else {
            format!("choose one of: {}", names.join(", "))
        };
        fields.insert("size".to_owned(), offered);
        Limits::default()
    });
    let typed = order.title.as_deref().filter(|title| !title.trim().is_empty());
    let title = typed.map_or_else(|| Ok(app.title.clone()), title_of);
    let title = title.unwrap_or_else(|error| {
        if let Error::Invalid(Fields(wrong)) = error {
            fields.extend(wrong);
        }
        String::new()
    });
    if fields.is_empty() { Ok((parameters, limits, title)) } else { Err(Error::Invalid(Fields(fields))) }
}

fn draft(
    hub: &Hub,
    actor: &Actor,
    app: &App,
    parameters: BTreeMap<portico_core::names::ParamName, String>,
    limits: Limits,
    title: String,
    now: Timestamp,
) -> Workload {
    let user = actor.user();
    let label = Label::random(entropy::bytes());
    let main = "main".parse().expect("a safe name");
    let (origin, base_path) = (hub.origins.origin(&label, &main), hub.origins.base_path(&label, &main));
    let place = Place { label: &label, owner: &user.slug, origin: &origin, base_path: &base_path };
    let spec = LaunchSpec::new(app, parameters, limits, &place);
    Workload {
        id: WorkloadId::new(now, entropy::bytes()),
        label,
        owner: Owner { user: user.id.clone(), slug: user.slug.clone(), number: user.number },
        app: app.name.clone(),
        title,
        icon: app.icon.clone(),
        engine: app.engine.clone(),
        spec,
        state: State::Requested,
        generation: 0,
        created: now,
        changed: now,
        version: 1,
    }
}

async fn claim(
    tx: &mut Tx,
    user: &portico_core::UserId,
    key: &str,
    digest: &str,
    now: Timestamp,
) -> Result<Option<WorkloadId>, Error> {
    match idempotency::claim(tx, user, key, digest, now).await? {
        idempotency::Claim::New => Ok(None),
        idempotency::Claim::Same(answer) => answer.body.parse().map(Some).map_err(Error::internal),
        idempotency::Claim::Mismatch => {
            Err(Error::field("idempotency-key", "this key was used for another order"))
        }
        idempotency::Claim::InProgress => {
            Err(Error::Conflict("the first request with this key is not finished; try again".to_owned()))
        }
    }
}

/// Whether the account may hold this too. The account must be locked.
async fn admit(hub: &Hub, tx: &mut Tx, workload: &Workload) -> Result<(), Error> {
    let held = portico_store::workload::held_by(tx, &workload.owner.user).await?;
    let quota = hub.config.workload.quota;
    quota.admit(held, workload.spec.limits).map_err(|exceeded| Error::Conflict(exceeded.to_string()))
}

/// Whether an ended workload may run again.
pub(crate) async fn admit_again(hub: &Hub, tx: &mut Tx, workload: &Workload) -> Result<(), Error> {
    portico_store::user::lock(tx, &workload.owner.user).await?;
    let owner = portico_store::user::by_id(tx, &workload.owner.user).await?.ok_or(Error::NotFound)?;
    if !owner.is_active() {
        return Err(Error::Conflict("its owner is disabled".to_owned()));
    }
    if !hub.engines.contains_key(&workload.engine) {
        return Err(Error::Conflict(format!("the engine {} is not configured any more", workload.engine)));
    }
    admit(hub, tx, workload).await
}

async fn write(
    tx: &mut Tx,
    actor: &Actor,
    _permit: &Permit,
    workload: &Workload,
    now: Timestamp,
) -> Result<(), Error> {
    portico_store::workload::insert(tx, workload).await?;
    let reason = workload.state.reason();
    let name = actor.user().name.to_string();
    portico_store::event::append(tx, &workload.id, now, &name, Phase::Requested, &reason).await?;
    let act = Act::done("workload.launch", thing(&workload.id)).with_detail(&workload.app);
    audit::record(tx, now, actor, act).await
}

impl Order {
    /// What makes two orders the same.
    fn digest(&self) -> String {
        let parts = (&self.app, &self.parameters, &self.size, &self.title);
        let text = serde_json::to_vec(&parts).expect("texts serialise");
        data_encoding::HEXLOWER.encode(&Sha256::digest(text))
    }
}
