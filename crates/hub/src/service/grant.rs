//! Grants: who may see and launch which app, beyond what its definition says.

use portico_core::{
    GrantId,
    access::Permit,
    grant::{Grant, Subject},
    names::AppName,
};
use portico_store::StoreError;

use super::audit::{self, Act};
use crate::{auth::Actor, bus::Change, entropy, error::Error, state::Hub};

/// The grants of an app.
///
/// # Errors
/// [`Error::NotFound`] when there is no such app.
pub async fn list(hub: &Hub, _permit: &Permit, app: &AppName) -> Result<Vec<Grant>, Error> {
    known(hub, app)?;
    let mut tx = hub.store.begin_read("grant.list").await?;
    Ok(portico_store::grant::list_of_app(&mut tx, app).await?)
}

/// Gives an app to a subject, at once.
///
/// # Errors
/// [`Error::NotFound`] for an unknown app, [`Error::Invalid`] for an unknown subject, [`Error::Conflict`]
/// when the subject has it already.
pub async fn create(
    hub: &Hub,
    actor: &Actor,
    _permit: &Permit,
    app: &AppName,
    subject: Subject,
) -> Result<Grant, Error> {
    known(hub, app)?;
    let now = hub.now();
    let grant = Grant { id: GrantId::new(now, entropy::bytes()), app: app.clone(), subject, created: now };
    let mut tx = hub.store.begin_write("grant.create").await?;
    portico_store::grant::insert(&mut tx, &grant).await.map_err(|error| match error {
        StoreError::Duplicate { .. } => Error::Conflict("it has this app already".to_owned()),
        StoreError::Reference { .. } => Error::field("subject", "there is no such group or user"),
        other => other.into(),
    })?;
    let act = Act::done("grant.create", format!("app {app}")).with_detail(tell(&grant.subject));
    audit::record(&mut tx, now, actor, act).await?;
    tx.commit().await?;
    hub.bus.tell(Change::Catalogue);
    Ok(grant)
}

/// Takes a grant back, at once. What runs already goes on.
///
/// # Errors
/// [`Error::NotFound`] when there is no such grant of this app.
pub async fn delete(
    hub: &Hub,
    actor: &Actor,
    _permit: &Permit,
    app: &AppName,
    id: &GrantId,
) -> Result<(), Error> {
    let mut tx = hub.store.begin_write("grant.delete").await?;
    let grant = portico_store::grant::by_id(&mut tx, id).await?.filter(|grant| grant.app == *app);
    let grant = grant.ok_or(Error::NotFound)?;
    portico_store::grant::delete(&mut tx, id).await?;
    let act = Act::done("grant.delete", format!("app {app}")).with_detail(tell(&grant.subject));
    audit::record(&mut tx, hub.now(), actor, act).await?;
    tx.commit().await?;
    hub.bus.tell(Change::Catalogue);
    Ok(())
}

fn known(hub: &Hub, app: &AppName) -> Result<(), Error> {
    if hub.catalogue.now().entries.contains_key(app) { Ok(()) } else { Err(Error::NotFound) }
}

fn tell(subject: &Subject) -> String {
    match subject {
        Subject::Everyone => "everyone".to_owned(),
        Subject::Group(id) => format!("group {id}"),
        Subject::User(id) => format!("user {id}"),
    }
}
