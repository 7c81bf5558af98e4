//! The catalogue as somebody may see it, and its administration.

use std::time::Duration;

use portico_core::{
    access::{Action, Permit, Thing},
    app::App,
    grant::Subject,
    names::AppName,
    ports::SpawnError,
};
use portico_store::{StoreError, Tx};
use tokio::time::timeout;

use super::audit::{self, Act};
use crate::{
    auth::Actor,
    catalogue::{self, Entry, FileMistake, Origin},
    error::Error,
    live::Availability,
    state::Hub,
};

/// How long an engine may take to say whether an app could run.
const CHECK: Duration = Duration::from_secs(5);

/// An entry as somebody sees it.
#[derive(Debug, Clone)]
pub struct Offer {
    pub entry: Entry,
    pub availability: Availability,
}

/// The actor as the store knows the account now, with its present groups.
pub(crate) async fn present(tx: &mut Tx, actor: &Actor) -> Result<Actor, Error> {
    let mut present = actor.clone();
    let id = &actor.user().id;
    present.principal.user = portico_store::user::by_id(tx, id).await?.ok_or(Error::NotFound)?;
    let groups = portico_store::group::groups_of(tx, id).await?;
    present.principal.groups = groups.into_iter().map(|group| group.id).collect();
    Ok(present)
}

/// The subjects of an app's grants as far as they concern this actor: from its definition, and given.
pub(crate) async fn subjects(tx: &mut Tx, actor: &Actor, app: &App) -> Result<Vec<Subject>, StoreError> {
    let mut subjects = portico_store::grant::subjects_of_app(tx, &app.name).await?;
    if !app.grants.is_empty() {
        let groups = portico_store::group::groups_of(tx, &actor.user().id).await?;
        subjects.extend(app.grants.iter().filter_map(|audience| audience.subject_for(actor.user(), &groups)));
    }
    Ok(subjects)
}

/// An app that this actor may launch.
///
/// # Errors
/// [`Error::NotFound`] when there is none, or not for this actor.
pub async fn find_for(hub: &Hub, actor: &Actor, name: &AppName) -> Result<(Entry, Permit), Error> {
    let entry = hub.catalogue.now().entries.get(name).cloned().ok_or(Error::NotFound)?;
    let mut tx = hub.store.begin_read("app.find").await?;
    let actor = present(&mut tx, actor).await?;
    let grants = subjects(&mut tx, &actor, &entry.app).await?;
    let permit = actor.may(Action::Launch, Thing::App { grants: &grants })?;
    Ok((entry, permit))
}

/// One app as this actor sees it.
///
/// # Errors
/// [`Error::NotFound`] when there is none, or not for this actor.
pub async fn get(hub: &Hub, actor: &Actor, name: &AppName) -> Result<Offer, Error> {
    let (entry, _) = find_for(hub, actor, name).await?;
    Ok(offer(hub, entry))
}

/// All apps that this actor may launch, by category and title.
///
/// # Errors
/// When the store fails.
pub async fn list(hub: &Hub, actor: &Actor) -> Result<Vec<Offer>, Error> {
    let snapshot = hub.catalogue.now();
    let mut tx = hub.store.begin_read("app.list").await?;
    let granted = portico_store::grant::apps_for(&mut tx, &actor.user().id).await?;
    let groups = portico_store::group::groups_of(&mut tx, &actor.user().id).await?;
    drop(tx);
    let mut offers = Vec::new();
    for entry in snapshot.entries.values() {
        let mut subjects: Vec<Subject> = entry
            .app
            .grants
            .iter()
            .filter_map(|audience| audience.subject_for(actor.user(), &groups))
            .collect();
        if granted.contains(&entry.app.name) {
            // The store found a grant that includes this user.
            subjects.push(Subject::User(actor.user().id.clone()));
        }
        if actor.may(Action::Launch, Thing::App { grants: &subjects }).is_ok() {
            offers.push(offer(hub, entry.clone()));
        }
    }
    offers.sort_by(|one, other| {
        let key = |offer: &Offer| (offer.entry.app.category.clone(), offer.entry.app.title.clone());
        key(one).cmp(&key(other))
    });
    Ok(offers)
}

/// What is wrong with files of the catalogue.
///
/// # Errors
/// [`Error::NotFound`] for who does not administer.
pub fn mistakes(hub: &Hub, actor: &Actor) -> Result<Vec<FileMistake>, Error> {
    actor.may_administer()?;
    Ok(hub.catalogue.now().mistakes.clone())
}

fn offer(hub: &Hub, entry: Entry) -> Offer {
    let availability = availability(hub, &entry.app);
    Offer { entry, availability }
}

/// Whether an app could be launched, as last seen.
pub(crate) fn availability(hub: &Hub, app: &App) -> Availability {
    if hub.engines.contains_key(&app.engine) {
        hub.live.engines.availability(&app.name)
    } else {
        no_engine(app)
    }
}

fn no_engine(app: &App) -> Availability {
    Availability::Unavailable {
        problem: format!("the engine {} is not configured", app.engine),
        hint: "Ask an administrator to configure it, or to give the app another engine.".to_owned(),
    }
}

/// Availability for a launch: what is said to be missing is looked for once more.
pub(crate) async fn availability_now(hub: &Hub, app: &App) -> Availability {
    match availability(hub, app) {
        Availability::Unavailable { .. } => look(hub, app).await,
        fine => fine,
    }
}

/// Asks the engine whether the app could run, and remembers the answer.
pub(crate) async fn look(hub: &Hub, app: &App) -> Availability {
    let Some(engine) = hub.engines.get(&app.engine) else { return no_engine(app) };
    let answer = timeout(CHECK, engine.check(app)).await;
    let problem = match answer {
        Ok(Ok(())) => None,
        Ok(Err(error)) => Some(error),
        Err(_) => Some(SpawnError::Unreachable("no answer in time".to_owned())),
    };
    let availability = problem.map_or(Availability::Available, |error| unavailable(app, &error));
    if hub.live.engines.set_availability(&app.name, availability.clone()) {
        hub.bus.tell(crate::bus::Change::Catalogue);
    }
    availability
}

fn unavailable(app: &App, error: &SpawnError) -> Availability {
    let hint = match (error, &app.requires) {
        (SpawnError::ProgramMissing(_), Some(required)) => required.hint.clone(),
        (SpawnError::ProgramMissing(program), None) => format!("Ask an administrator to install {program}."),
        (SpawnError::ImageMissing(image), _) => {
            match image.strip_prefix("portico/").and_then(|name| name.strip_suffix(":latest")) {
                Some(name) => format!("An administrator can build it: `portico image build {name}`."),
                None => format!("An administrator can get it: `docker pull {image}`."),
            }
        }
        (SpawnError::Unreachable(_), _) => "The engine does not answer; try again in a moment.".to_owned(),
        (SpawnError::NoInstance | SpawnError::Refused(_), _) => {
            "Ask an administrator to correct the app.".to_owned()
        }
    };
    Availability::Unavailable { problem: error.to_string(), hint }
}

/// Makes an app, or replaces one that was made on a page or through the API.
///
/// # Errors
/// [`Error::Invalid`] for a definition that is not right, [`Error::Conflict`] for the name of a file's app.
pub async fn put(hub: &Hub, actor: &Actor, app: App) -> Result<Entry, Error> {
    actor.may_administer()?;
    app.check().map_err(|problem| Error::field("app", problem))?;
    let replaces = match hub.catalogue.now().entries.get(&app.name).map(|entry| entry.origin.clone()) {
        Some(Origin::File(file)) => {
            return Err(Error::Conflict(format!(
                "the app {} is defined in {}; change that file, or remove it first",
                app.name,
                file.display()
            )));
        }
        Some(Origin::Stored { version, .. }) => Some(version),
        Some(Origin::Example) | None => None,
    };
    let now = hub.now();
    let mut tx = hub.store.begin_write("app.put").await?;
    portico_store::app::put(&mut tx, &app, replaces, now).await.map_err(changed)?;
    audit::record(&mut tx, now, actor, Act::done("app.put", format!("app {}", app.name))).await?;
    tx.commit().await?;
    catalogue::reload(hub).await?;
    look(hub, &app).await;
    hub.catalogue.now().entries.get(&app.name).cloned().ok_or(Error::NotFound)
}

/// Deletes an app that was made on a page or through the API, with its grants. What runs goes on.
///
/// # Errors
/// [`Error::Conflict`] for an app from a file, [`Error::NotFound`] when there is none.
pub async fn delete(hub: &Hub, actor: &Actor, name: &AppName) -> Result<(), Error> {
    actor.may_administer()?;
    let entry = hub.catalogue.now().entries.get(name).cloned();
    let mut tx = hub.store.begin_write("app.delete").await?;
    if !portico_store::app::delete(&mut tx, name).await? {
        return Err(match entry.map(|entry| entry.origin) {
            Some(Origin::File(file)) => Error::Conflict(format!("the app is defined in {}; remove that file", file.display())),
            Some(_) => Error::Conflict("the app comes with Portico; switch the examples off in the configuration, or make your own app of this name".to_owned()),
            None => Error::NotFound,
        });
    }
    portico_store::grant::delete_all_of(&mut tx, name).await?;
    audit::record(&mut tx, hub.now(), actor, Act::done("app.delete", format!("app {name}"))).await?;
    tx.commit().await?;
    catalogue::reload(hub).await?;
    Ok(())
}

fn changed(error: StoreError) -> Error {
    match error {
        StoreError::Conflict { .. } | StoreError::Duplicate { .. } => {
            Error::Conflict("the app was changed by somebody else meanwhile; look at it again".to_owned())
        }
        other => other.into(),
    }
}
