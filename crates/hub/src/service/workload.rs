//! Workloads after their launch: seeing them, and asking for their end, restart or deletion.

use std::{
    collections::{HashMap, HashSet},
    time::Duration,
};

use portico_core::{
    Timestamp, UserId, WorkloadId,
    access::{Action, Permit, Principal, Thing},
    audit::Via,
    failpoint,
    workload::{Afterwards, Event, State, StopCause, Workload},
};
use portico_store::{Page, StoreError, Tx, workload::Filter};
use tokio::time::timeout;

use crate::{
    auth::Actor,
    error::Error,
    service::{
        audit::{self, Act},
        log,
    },
    state::Hub,
    task::reconcile,
};

/// How often a write that met another one is tried again.
const TRIES: u32 = 5;
/// How long an engine may take to delete a workspace.
const DISCARD: Duration = Duration::from_secs(20);
/// Longest title, in characters.
const MAX_TITLE: usize = 80;

/// A workload and the right that was proven to it.
#[derive(Debug, Clone)]
pub struct Found {
    pub workload: Workload,
    pub permit: Permit,
}

/// Writes the next state of a row with its event, in the caller's transaction.
///
/// # Errors
/// [`StoreError::Conflict`] when the row changed since it was read.
pub(crate) async fn transition(
    tx: &mut Tx,
    row: &Workload,
    next: State,
    now: Timestamp,
    actor: &str,
) -> Result<Workload, StoreError> {
    let mut written = row.clone().with_state(next, now);
    written.version = portico_store::workload::update(tx, &written).await?;
    let reason = written.state.reason();
    portico_store::event::append(tx, &written.id, now, actor, written.phase(), &reason).await?;
    Ok(written)
}

/// Finds a workload for an action.
///
/// # Errors
/// [`Error::NotFound`] when it does not exist or is not for this actor.
pub async fn find(hub: &Hub, actor: &Actor, id: &WorkloadId, action: Action) -> Result<Found, Error> {
    let mut tx = hub.store.begin_read("workload.find").await?;
    let row = portico_store::workload::by_id(&mut tx, id).await?;
    let workload = row.ok_or(Error::NotFound)?;
    let permit = actor.may(action, Thing::Workload { owner: &workload.owner.user })?;
    Ok(Found { workload, permit })
}

/// Own workloads, or those that the filter names when an administrator asks; newest first.
///
/// # Errors
/// [`Error::NotFound`] when somebody else's are asked for without the right to them.
pub async fn list(
    hub: &Hub,
    actor: &Actor,
    filter: &Filter,
    before: Option<&WorkloadId>,
    limit: u32,
) -> Result<Page<Workload>, Error> {
    if filter.owner.as_ref() != Some(&actor.user().id) {
        actor.may_administer()?;
    }
    let mut tx = hub.store.begin_read("workload.list").await?;
    Ok(portico_store::workload::list(&mut tx, filter, before, limit).await?)
}

/// The history, from after a number.
///
/// # Errors
/// When the store fails.
pub async fn events(hub: &Hub, found: &Found, after: i64, limit: u32) -> Result<Page<Event>, Error> {
    let mut tx = hub.store.begin_read("workload.events").await?;
    Ok(portico_store::event::list(&mut tx, &found.workload.id, after, limit).await?)
}

/// Asks for the end of a workload. One that has ended already is left as it is.
///
/// # Errors
/// [`Error::NotFound`] when it is not for this actor to stop.
pub async fn stop(hub: &Hub, actor: &Actor, id: &WorkloadId) -> Result<Workload, Error> {
    let found = find(hub, actor, id, Action::Stop).await?;
    if found.workload.phase().is_ended() {
        return Ok(found.workload);
    }
    change(
        hub,
        actor,
        id,
        Wish { action: "workload.stop", permit: Action::Stop, then: Some(Afterwards::Rest) },
    )
    .await
}

/// Asks for it to run anew under the same address: an ended one now, a live one after its end.
///
/// # Errors
/// [`Error::NotFound`] when it is not for this actor, [`Error::Conflict`] when its app or the quota do not
/// allow another run.
pub async fn restart(hub: &Hub, actor: &Actor, id: &WorkloadId) -> Result<Workload, Error> {
    let wish = Wish { action: "workload.restart", permit: Action::Manage, then: Some(Afterwards::Restart) };
    change(hub, actor, id, wish).await
}

/// Deletes a workload with its log and workspace; a live one after its end. `None` when it is gone.
///
/// # Errors
/// [`Error::NotFound`] when it is not for this actor, [`Error::Unavailable`] when the engine that has the
/// workspace does not answer.
pub async fn delete(hub: &Hub, actor: &Actor, id: &WorkloadId) -> Result<Option<Workload>, Error> {
    let found = find(hub, actor, id, Action::Manage).await?;
    if !found.workload.phase().is_ended() {
        let wish = Wish { action: "workload.delete", permit: Action::Manage, then: Some(Afterwards::Delete) };
        match change(hub, actor, id, wish).await {
            // It ended in this very moment.
            Err(Error::Conflict(_)) => {}
            other => return other.map(Some),
        }
    }
    let Found { workload, .. } = find(hub, actor, id, Action::Manage).await?;
    discard(hub, &workload).await?;
    let mut tx = hub.store.begin_write("workload.delete").await?;
    audit::record(&mut tx, hub.now(), actor, Act::done("workload.delete", thing(id))).await?;
    portico_store::workload::delete(&mut tx, id, hub.now()).await?;
    tx.commit().await?;
    erased(hub, &workload);
    Ok(None)
}

/// Deletes what an ended workload left at its engine and here, before its row goes.
pub(crate) async fn discard(hub: &Hub, workload: &Workload) -> Result<(), Error> {
    let unavailable = |source| Error::Unavailable { what: "the engine that has its workspace", source };
    if let Some(engine) = hub.engines.get(&workload.engine) {
        let name = workload.instance(&hub.config.realm);
        let work = async {
            engine.stop(&name, Duration::ZERO).await?;
            engine.remove(&name).await?;
            engine.discard_workspace(&workload.label).await
        };
        let done = timeout(DISCARD, work).await.map_err(|late| unavailable(late.into()))?;
        done.map_err(|error| unavailable(error.into()))?;
    }
    log::forget(hub, &workload.id).await;
    Ok(())
}

/// Nothing is left of it: tells everybody.
pub(crate) fn erased(hub: &Hub, workload: &Workload) {
    hub.live.steps.forget(&workload.id);
    hub.live.usage.forget(&workload.id);
    hub.metrics.work.erased(workload);
    hub.tell_workload_gone(workload);
}

/// Gives it another title.
///
/// # Errors
/// [`Error::Invalid`] for a title that cannot be used.
pub async fn rename(hub: &Hub, actor: &Actor, id: &WorkloadId, title: &str) -> Result<Workload, Error> {
    let title = title_of(title)?;
    for _ in 0..TRIES {
        let Found { mut workload, .. } = find(hub, actor, id, Action::Manage).await?;
        let mut tx = hub.store.begin_write("workload.rename").await?;
        workload.title.clone_from(&title);
        match portico_store::workload::update(&mut tx, &workload).await {
            Ok(version) => workload.version = version,
            Err(StoreError::Conflict { .. }) => continue,
            Err(error) => return Err(error.into()),
        }
        audit::record(&mut tx, hub.now(), actor, Act::done("workload.rename", thing(id))).await?;
        tx.commit().await?;
        hub.tell_workload(&workload);
        return Ok(workload);
    }
    Err(busy())
}

/// A title as a person may give it.
///
/// # Errors
/// [`Error::Invalid`].
pub(crate) fn title_of(title: &str) -> Result<String, Error> {
    let title: portico_core::names::DisplayName =
        title.parse().map_err(|problem| Error::field("title", problem))?;
    if title.as_str().chars().count() > MAX_TITLE {
        return Err(Error::field("title", format!("at most {MAX_TITLE} characters")));
    }
    Ok(title.as_str().to_owned())
}

struct Wish {
    action: &'static str,
    permit: Action,
    then: Option<Afterwards>,
}

/// Writes what somebody wishes, with event and audit, and wakes who fulfils it.
async fn change(hub: &Hub, actor: &Actor, id: &WorkloadId, wish: Wish) -> Result<Workload, Error> {
    for _ in 0..TRIES {
        let Found { workload, .. } = find(hub, actor, id, wish.permit).await?;
        let then = wish.then.unwrap_or(Afterwards::Rest);
        let now = hub.now();
        let mut tx = hub.store.begin_write("workload.change").await?;
        let next = if workload.phase().is_ended() && then == Afterwards::Restart {
            super::launch::admit_again(hub, &mut tx, &workload).await?;
            workload.state.clone().restart()
        } else {
            workload.state.clone().stop(now, StopCause::Asked, then)
        };
        let next = next.map_err(|refused| Error::Conflict(refused.to_string()))?;
        let name = actor.user().name.to_string();
        let written = match transition(&mut tx, &workload, next, now, &name).await {
            Ok(written) => written,
            Err(StoreError::Conflict { .. }) => continue,
            Err(error) => return Err(error.into()),
        };
        audit::record(&mut tx, now, actor, Act::done(wish.action, thing(id)).with_detail(&written.title))
            .await?;
        tx.commit().await?;
        failpoint::hit("stop.after-row");
        if written.generation != workload.generation {
            log::forget(hub, id).await;
        }
        hub.metrics.work.transition(&workload, &written);
        hub.tell_workload(&written);
        crate::task::publish::now(hub).await;
        reconcile::attend(hub, id);
        return Ok(written);
    }
    Err(busy())
}

/// How the audit names a workload.
pub(crate) fn thing(id: &WorkloadId) -> String {
    format!("workload {id}")
}

fn busy() -> Error {
    Error::Conflict("it changes too quickly just now; try again".to_owned())
}

/// The actor as the account is now; for streams, which outlive the request that began them. Nobody when the
/// account, login or token ended meanwhile.
///
/// # Errors
/// [`Error::NotSignedIn`].
pub(crate) async fn present(hub: &Hub, actor: &Actor) -> Result<Actor, Error> {
    let mut tx = hub.store.begin_read("workload.present").await?;
    let now = hub.now();
    let id = &actor.user().id;
    let alive = match &actor.principal.via {
        Via::Login(login) => {
            let lifetime = hub.config.login.lifetime();
            let logins = portico_store::login::list_of(&mut tx, id).await?;
            logins.iter().any(|known| known.id == *login && known.is_alive(now, lifetime))
        }
        Via::Token(token) => {
            let tokens = portico_store::token::list_of(&mut tx, id).await?;
            tokens.iter().any(|known| known.id == *token && known.is_alive(now))
        }
        Via::Console | Via::Anonymous | Via::Portico => true,
    };
    if !alive {
        return Err(Error::NotSignedIn);
    }
    super::app::present(&mut tx, actor).await
}

/// What the owner is called; `None` when the account is no more.
///
/// # Errors
/// When the store fails.
pub(crate) async fn owner_name(hub: &Hub, owner: &UserId) -> Result<Option<String>, Error> {
    let mut tx = hub.store.begin_read("workload.owner").await?;
    let user = portico_store::user::by_id(&mut tx, owner).await?;
    Ok(user.map(|user| user.name.into()))
}

/// What the owners of these are called.
///
/// # Errors
/// When the store fails.
pub(crate) async fn owner_names(hub: &Hub, rows: &[Workload]) -> Result<HashMap<UserId, String>, Error> {
    let owners: HashSet<_> = rows.iter().map(|row| &row.owner.user).collect();
    let mut tx = hub.store.begin_read("workload.owners").await?;
    let mut names = HashMap::new();
    for owner in owners {
        if let Some(user) = portico_store::user::by_id(&mut tx, owner).await? {
            names.insert(owner.clone(), user.name.into());
        }
    }
    Ok(names)
}

/// The owner, for what Portico shows the owner without a login at hand.
///
/// # Errors
/// [`Error::NotFound`] when there is no such user any more.
pub(crate) async fn owner_as_principal(hub: &Hub, row: &Workload) -> Result<Principal, Error> {
    let mut tx = hub.store.begin_read("workload.owner").await?;
    let user = portico_store::user::by_id(&mut tx, &row.owner.user).await?.ok_or(Error::NotFound)?;
    Ok(Principal { user, groups: Vec::new(), via: Via::Portico })
}
