//! Users, as administrators see them.
//!
//! Rules that hold for every change: somebody who can administer is always left, and who is shut out
//! loses logins, tokens and open connections in the same moment; `work` hears it and stops the rest.

use portico_core::{
    LoginId, UserId,
    access::Permit,
    names::DisplayName,
    user::{Group, Role, Standing, User},
};
use portico_store::{Page, StoreError, Tx, revocation::Revoked};

use super::{
    audit::{self, Act},
    link::{self, NewLink},
    login,
    revocation::{self, Cut},
};
use crate::{auth::Actor, bus::Change, entropy, error::Error, state::Hub};

/// What may be changed of a user; what is absent stays.
#[derive(Debug, Clone, Default)]
pub struct Changes {
    pub name: Option<String>,
    pub role: Option<Role>,
}

/// Adds a user, with a link by which the person chooses a password.
///
/// # Errors
/// [`Error::Invalid`] for a bad name, [`Error::Conflict`] for one that is or was taken.
pub async fn create(
    hub: &Hub,
    actor: &Actor,
    _permit: &Permit,
    name: &str,
    role: Role,
) -> Result<(User, NewLink), Error> {
    let name = parse_name(name)?;
    let mut tx = hub.store.begin_write("user.create").await?;
    let user = insert(hub, &mut tx, name, role).await?;
    let link = link::for_user(hub, &mut tx, &user.id).await?;
    let act = Act::done("user.create", format!("user {}", user.id));
    audit::record(&mut tx, hub.now(), actor, act.with_detail(&user.name)).await?;
    tx.commit().await?;
    hub.bus.tell(Change::User(user.id.clone()));
    Ok((user, link))
}

fn parse_name(name: &str) -> Result<DisplayName, Error> {
    name.parse().map_err(|error| Error::field("name", error))
}

pub(super) async fn insert(hub: &Hub, tx: &mut Tx, name: DisplayName, role: Role) -> Result<User, Error> {
    let now = hub.now();
    let user = User {
        id: UserId::new(now, entropy::bytes()),
        slug: name.slug(),
        name,
        number: portico_store::user::next_number(tx).await?,
        role,
        standing: Standing::Active,
        created: now,
        last_seen: None,
    };
    portico_store::user::insert(tx, &user).await.map_err(name_taken)?;
    Ok(user)
}

fn name_taken(error: StoreError) -> Error {
    match error {
        StoreError::Duplicate { column, .. } if column == "name_key" => {
            Error::Conflict("somebody has this name, or one that looks like it".to_owned())
        }
        StoreError::Duplicate { .. } => {
            Error::Conflict("somebody had this name once; names are not given again".to_owned())
        }
        other => other.into(),
    }
}

/// Oldest first, those after `after`, whose name contains `text`.
///
/// # Errors
/// When the store fails.
pub async fn list(
    hub: &Hub,
    _permit: &Permit,
    text: &str,
    after: Option<&UserId>,
    limit: u32,
) -> Result<Page<User>, Error> {
    let mut tx = hub.store.begin_read("user.list").await?;
    Ok(portico_store::user::list(&mut tx, text, after, limit).await?)
}

/// One user with the groups.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn get(hub: &Hub, _permit: &Permit, id: &UserId) -> Result<(User, Vec<Group>), Error> {
    let mut tx = hub.store.begin_read("user.get").await?;
    let user = portico_store::user::by_id(&mut tx, id).await?.ok_or(Error::NotFound)?;
    let groups = portico_store::group::groups_of(&mut tx, id).await?;
    Ok((user, groups))
}

/// One user by a name in any spelling that counts as the same.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn by_name(hub: &Hub, _permit: &Permit, name: &str) -> Result<User, Error> {
    let name: DisplayName = name.parse().map_err(|_| Error::NotFound)?;
    let mut tx = hub.store.begin_read("user.by_name").await?;
    portico_store::user::by_name_key(&mut tx, &name.key()).await?.ok_or(Error::NotFound)
}

/// Changes name or role. The slug stays, so that workspaces and links do.
///
/// # Errors
/// [`Error::NotFound`]; [`Error::Conflict`] for a taken name or the last administrator.
pub async fn change(
    hub: &Hub,
    actor: &Actor,
    _permit: &Permit,
    id: &UserId,
    changes: &Changes,
) -> Result<User, Error> {
    let mut tx = hub.store.begin_write("user.change").await?;
    let mut user = lock(hub, &mut tx, id).await?;
    if let Some(name) = &changes.name {
        user.name = parse_name(name)?;
    }
    user.role = changes.role.unwrap_or(user.role);
    portico_store::user::update(&mut tx, &user).await.map_err(name_taken)?;
    check_administrators(&mut tx).await?;
    let detail = format!("{}, {}", user.name, role_text(user.role));
    let act = Act::done("user.change", format!("user {id}")).with_detail(detail);
    audit::record(&mut tx, hub.now(), actor, act).await?;
    tx.commit().await?;
    hub.bus.tell(Change::User(id.clone()));
    Ok(user)
}

const fn role_text(role: Role) -> &'static str {
    match role {
        Role::Member => "member",
        Role::Administrator => "administrator",
    }
}

/// Shuts a user out: no sign-in, logins and tokens dead, open connections cut. Twice is as good as once.
///
/// # Errors
/// [`Error::NotFound`]; [`Error::Conflict`] for the last administrator.
pub async fn disable(hub: &Hub, actor: &Actor, _permit: &Permit, id: &UserId) -> Result<User, Error> {
    let mut tx = hub.store.begin_write("user.disable").await?;
    let mut user = lock(hub, &mut tx, id).await?;
    if user.is_active() {
        user.standing = Standing::Disabled { since: hub.now() };
        portico_store::user::update(&mut tx, &user).await?;
    }
    check_administrators(&mut tx).await?;
    let ended = shut_out(hub, &mut tx, id).await?;
    audit::record(&mut tx, hub.now(), actor, Act::done("user.disable", format!("user {id}"))).await?;
    tx.commit().await?;
    ended.publish(hub);
    hub.bus.tell(Change::User(id.clone()));
    hub.bus.tell(Change::UserShutOut(id.clone()));
    Ok(user)
}

/// Lets a user in again, who signs in with the password from before.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn enable(hub: &Hub, actor: &Actor, _permit: &Permit, id: &UserId) -> Result<User, Error> {
    let mut tx = hub.store.begin_write("user.enable").await?;
    let mut user = lock(hub, &mut tx, id).await?;
    user.standing = Standing::Active;
    portico_store::user::update(&mut tx, &user).await?;
    audit::record(&mut tx, hub.now(), actor, Act::done("user.enable", format!("user {id}"))).await?;
    tx.commit().await?;
    hub.bus.tell(Change::User(id.clone()));
    Ok(user)
}

/// Deletes a user who has no workloads any more. The name, slug and number are never given again.
///
/// # Errors
/// [`Error::NotFound`]; [`Error::Conflict`] for the last administrator, or while there are workloads.
pub async fn delete(hub: &Hub, actor: &Actor, _permit: &Permit, id: &UserId) -> Result<(), Error> {
    let mut tx = hub.store.begin_write("user.delete").await?;
    let user = lock(hub, &mut tx, id).await?;
    let ended = shut_out(hub, &mut tx, id).await?;
    portico_store::user::delete(&mut tx, id).await.map_err(|error| match error {
        StoreError::Reference { .. } => Error::Conflict(
            "this user still has sessions; disable the user, delete the sessions, then delete the user"
                .to_owned(),
        ),
        other => other.into(),
    })?;
    check_administrators(&mut tx).await?;
    let act = Act::done("user.delete", format!("user {id}")).with_detail(&user.name);
    audit::record(&mut tx, hub.now(), actor, act).await?;
    tx.commit().await?;
    ended.publish(hub);
    hub.bus.tell(Change::User(id.clone()));
    hub.bus.tell(Change::UserShutOut(id.clone()));
    Ok(())
}

/// Reads a user after making other changes of users wait, so that two administrators who remove each
/// other at the same moment do so one after the other, also where a database has several writers.
async fn lock(hub: &Hub, tx: &mut Tx, id: &UserId) -> Result<User, Error> {
    let moment = portico_core::Secret::new(hub.now().to_string());
    portico_store::setting::set(tx, "user.changed", &moment).await?;
    portico_store::user::by_id(tx, id).await?.ok_or(Error::NotFound)
}

async fn check_administrators(tx: &mut Tx) -> Result<(), Error> {
    if portico_store::user::count_active_administrators(tx).await? > 0 {
        return Ok(());
    }
    let text = "this is the last administrator who can sign in; make somebody else one first";
    Err(Error::Conflict(text.to_owned()))
}

/// What ended with a user's logins, to be told after the commit.
#[must_use = "publish it after the commit"]
pub(super) struct Ended {
    logins: Vec<LoginId>,
    cut: Cut,
}

impl Ended {
    pub(super) fn publish(self, hub: &Hub) {
        self.cut.publish(hub);
        login::tell_ended(hub, self.logins);
    }
}

/// Ends all logins of a user and voids the passes made by them.
pub(super) async fn end_logins(hub: &Hub, tx: &mut Tx, id: &UserId) -> Result<Ended, Error> {
    let logins = portico_store::login::delete_all_of(tx, id).await?;
    let cut = revocation::add(hub, tx, logins.iter().cloned().map(Revoked::Login)).await?;
    Ok(Ended { logins, cut })
}

async fn shut_out(hub: &Hub, tx: &mut Tx, id: &UserId) -> Result<Ended, Error> {
    let logins = portico_store::login::delete_all_of(tx, id).await?;
    portico_store::token::delete_all_of(tx, id).await?;
    portico_store::one_time_link::delete_all_of(tx, id).await?;
    let whose = logins.iter().cloned().map(Revoked::Login).chain([Revoked::User(id.clone())]);
    let cut = revocation::add(hub, tx, whose).await?;
    Ok(Ended { logins, cut })
}
