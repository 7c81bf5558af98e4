//! Groups, and who belongs to them. A change takes effect with the next request of its members.

use portico_core::{
    GroupId, UserId,
    access::Permit,
    names::DisplayName,
    user::{Group, User},
};
use portico_store::StoreError;

use super::audit::{self, Act};
use crate::{auth::Actor, bus::Change, entropy, error::Error, state::Hub};

/// Makes an empty group.
///
/// # Errors
/// [`Error::Invalid`] for a bad name, [`Error::Conflict`] for a taken one.
pub async fn create(hub: &Hub, actor: &Actor, _permit: &Permit, name: &str) -> Result<Group, Error> {
    let name: DisplayName = name.parse().map_err(|error| Error::field("name", error))?;
    let now = hub.now();
    let group = Group { id: GroupId::new(now, entropy::bytes()), slug: name.slug(), name, created: now };
    let mut tx = hub.store.begin_write("group.create").await?;
    portico_store::group::insert(&mut tx, &group).await.map_err(|error| match error {
        StoreError::Duplicate { .. } => {
            Error::Conflict("there is or was a group of this name, or of one that looks like it".to_owned())
        }
        other => other.into(),
    })?;
    let act = Act::done("group.create", format!("group {}", group.id)).with_detail(&group.name);
    audit::record(&mut tx, now, actor, act).await?;
    tx.commit().await?;
    hub.bus.tell(Change::Group(group.id.clone()));
    Ok(group)
}

/// All groups by name.
///
/// # Errors
/// When the store fails.
pub async fn list(hub: &Hub, _permit: &Permit) -> Result<Vec<Group>, Error> {
    let mut tx = hub.store.begin_read("group.list").await?;
    Ok(portico_store::group::list(&mut tx).await?)
}

/// One group with its members.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn get(hub: &Hub, _permit: &Permit, id: &GroupId) -> Result<(Group, Vec<User>), Error> {
    let mut tx = hub.store.begin_read("group.get").await?;
    let group = portico_store::group::by_id(&mut tx, id).await?.ok_or(Error::NotFound)?;
    let members = portico_store::group::members(&mut tx, id).await?;
    Ok((group, members))
}

/// Deletes a group with its memberships and grants.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn delete(hub: &Hub, actor: &Actor, _permit: &Permit, id: &GroupId) -> Result<(), Error> {
    let mut tx = hub.store.begin_write("group.delete").await?;
    let group = portico_store::group::by_id(&mut tx, id).await?.ok_or(Error::NotFound)?;
    portico_store::group::delete(&mut tx, id).await?;
    let act = Act::done("group.delete", format!("group {id}")).with_detail(&group.name);
    audit::record(&mut tx, hub.now(), actor, act).await?;
    tx.commit().await?;
    hub.bus.tell(Change::Group(id.clone()));
    hub.bus.tell(Change::Catalogue);
    Ok(())
}

/// Takes a user into a group; twice is as good as once.
///
/// # Errors
/// [`Error::NotFound`] when either is missing.
pub async fn add_member(
    hub: &Hub,
    actor: &Actor,
    _permit: &Permit,
    id: &GroupId,
    user: &UserId,
) -> Result<(), Error> {
    let mut tx = hub.store.begin_write("group.add_member").await?;
    portico_store::group::by_id(&mut tx, id).await?.ok_or(Error::NotFound)?;
    portico_store::user::by_id(&mut tx, user).await?.ok_or(Error::NotFound)?;
    portico_store::group::add_member(&mut tx, id, user).await?;
    let act = Act::done("group.add-member", format!("group {id}"));
    audit::record(&mut tx, hub.now(), actor, act.with_detail(format!("user {user}"))).await?;
    tx.commit().await?;
    tell_membership(hub, id, user);
    Ok(())
}

/// Takes a user out of a group.
///
/// # Errors
/// [`Error::NotFound`] when the user is not in it.
pub async fn remove_member(
    hub: &Hub,
    actor: &Actor,
    _permit: &Permit,
    id: &GroupId,
    user: &UserId,
) -> Result<(), Error> {
    let mut tx = hub.store.begin_write("group.remove_member").await?;
    if !portico_store::group::remove_member(&mut tx, id, user).await? {
        return Err(Error::NotFound);
    }
    let act = Act::done("group.remove-member", format!("group {id}"));
    audit::record(&mut tx, hub.now(), actor, act.with_detail(format!("user {user}"))).await?;
    tx.commit().await?;
    tell_membership(hub, id, user);
    Ok(())
}

fn tell_membership(hub: &Hub, id: &GroupId, user: &UserId) {
    hub.bus.tell(Change::Group(id.clone()));
    hub.bus.tell(Change::User(user.clone()));
    hub.bus.tell(Change::Catalogue);
}
