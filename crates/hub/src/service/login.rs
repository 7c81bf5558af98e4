//! Logins: signed-in browsers, from their first to their last request.

use jiff::SignedDuration;
use portico_core::{
    GroupId, LoginId, Secret, UserId,
    access::Permit,
    login::Login,
    user::{Group, User},
};
use portico_store::{SecretDigest, Tx, revocation::Revoked};

use super::{
    audit::{self, Act},
    revocation,
};
use crate::{
    auth::{Actor, Client, cookie},
    bus::Change,
    entropy,
    error::Error,
    state::Hub,
};

/// Seconds between two notes of the last use.
const TOUCH_SECONDS: i64 = 60;

/// A login that was just made, with what its browser has to keep.
#[derive(Debug)]
pub struct NewLogin {
    pub login: Login,
    secret: Secret,
}

impl NewLogin {
    /// The `Set-Cookie` that hands it to the browser.
    #[must_use]
    pub fn cookie(&self, hub: &Hub) -> http::HeaderValue {
        let seconds = self.login.expires.as_second() - self.login.created.as_second();
        cookie::set(&hub.config, &self.secret, seconds)
    }
}

/// Makes a login in the transaction that found out who it is for. Its secret is always new.
pub(super) async fn make(hub: &Hub, tx: &mut Tx, user: &UserId, client: &Client) -> Result<NewLogin, Error> {
    let now = hub.now();
    let lifetime = SignedDuration::from_secs(hub.config.login.lifetime().absolute_seconds);
    let expires = now.checked_add(lifetime).map_err(Error::internal)?;
    let secret = cookie::new_secret();
    let login = Login {
        id: LoginId::new(now, entropy::bytes()),
        user: user.clone(),
        created: now,
        last_used: now,
        expires,
        address: client.address_text(),
        agent: client.agent.clone(),
    };
    portico_store::login::insert(tx, &login, &SecretDigest::of(&secret)).await?;
    portico_store::user::set_last_seen(tx, user, now).await?;
    Ok(NewLogin { login, secret })
}

/// Who sent this cookie, if it is alive and its user active.
pub(crate) async fn find(hub: &Hub, secret: &Secret) -> Result<Option<(Login, User, Vec<GroupId>)>, Error> {
    let now = hub.now();
    let mut tx = hub.store.begin_read("login.find").await?;
    let login = portico_store::login::by_digest(&mut tx, &SecretDigest::of(secret)).await?;
    let Some(login) = login.filter(|login| login.is_alive(now, hub.config.login.lifetime())) else {
        return Ok(None);
    };
    let user = portico_store::user::by_id(&mut tx, &login.user).await?;
    let Some(user) = user.filter(User::is_active) else { return Ok(None) };
    let groups = group_ids(portico_store::group::groups_of(&mut tx, &user.id).await?);
    drop(tx);
    if now.as_second() - login.last_used.as_second() >= TOUCH_SECONDS {
        note_use(hub, &login).await;
    }
    Ok(Some((login, user, groups)))
}

pub(super) fn group_ids(groups: Vec<Group>) -> Vec<GroupId> {
    groups.into_iter().map(|group| group.id).collect()
}

/// A store that cannot be written must not keep people from reading.
async fn note_use(hub: &Hub, login: &Login) {
    let noted = async {
        let mut tx = hub.store.begin_write("login.touch").await?;
        portico_store::login::touch(&mut tx, &login.id, hub.now()).await?;
        portico_store::user::set_last_seen(&mut tx, &login.user, hub.now()).await?;
        tx.commit().await
    };
    if let Err(error) = noted.await {
        tracing::warn!(error = %error, "the use of a login could not be noted");
    }
}

/// Own logins, newest first.
///
/// # Errors
/// When the store fails.
pub async fn list(hub: &Hub, permit: &Permit) -> Result<Vec<Login>, Error> {
    let (now, lifetime) = (hub.now(), hub.config.login.lifetime());
    let mut tx = hub.store.begin_read("login.list").await?;
    let logins = portico_store::login::list_of(&mut tx, permit.user()).await?;
    Ok(logins.into_iter().filter(|login| login.is_alive(now, lifetime)).collect())
}

/// Ends one own login, for example the one that asks.
///
/// # Errors
/// [`Error::NotFound`] when there is none of that id, or when it is somebody else's.
pub async fn end(hub: &Hub, actor: &Actor, permit: &Permit, id: &LoginId) -> Result<(), Error> {
    let mut tx = hub.store.begin_write("login.end").await?;
    let own = portico_store::login::list_of(&mut tx, permit.user()).await?;
    if !own.iter().any(|login| login.id == *id) {
        return Err(Error::NotFound);
    }
    portico_store::login::delete(&mut tx, id).await?;
    let cut = revocation::add(hub, &mut tx, [Revoked::Login(id.clone())]).await?;
    audit::record(&mut tx, hub.now(), actor, Act::done("login.end", format!("login {id}"))).await?;
    tx.commit().await?;
    cut.publish(hub);
    hub.bus.tell(Change::LoginEnded(id.clone()));
    Ok(())
}

/// Ends all own logins, the asking one included.
///
/// # Errors
/// When the store fails.
pub async fn end_all(hub: &Hub, actor: &Actor, permit: &Permit) -> Result<(), Error> {
    let mut tx = hub.store.begin_write("login.end_all").await?;
    let ended = portico_store::login::delete_all_of(&mut tx, permit.user()).await?;
    let cut = revocation::add(hub, &mut tx, ended.iter().cloned().map(Revoked::Login)).await?;
    let act = Act::done("login.end-all", format!("user {}", permit.user()));
    audit::record(&mut tx, hub.now(), actor, act).await?;
    tx.commit().await?;
    cut.publish(hub);
    tell_ended(hub, ended);
    Ok(())
}

pub(super) fn tell_ended(hub: &Hub, ended: Vec<LoginId>) {
    for id in ended {
        hub.bus.tell(Change::LoginEnded(id));
    }
}
