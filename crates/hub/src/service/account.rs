//! What people do with their own account.

use portico_core::{Secret, access::Permit};

use super::{
    audit::{self, Act},
    login::{self, NewLogin},
    sign_in, user,
};
use crate::{
    auth::{Actor, Client, password_rule},
    error::Error,
    state::Hub,
};

/// Changes the own password. All logins end; a browser that asked gets a new one.
///
/// # Errors
/// [`Error::Invalid`] for `current` or `password`, [`Error::Throttled`] when `current` was wrong too often.
pub async fn change_password(
    hub: &Hub,
    actor: &Actor,
    permit: &Permit,
    client: &Client,
    current: &Secret,
    password: &Secret,
) -> Result<Option<NewLogin>, Error> {
    let name = &actor.user().name;
    password_rule::check(password, name)?;
    sign_in::check(hub, client, name.as_str(), current).await.map_err(|error| match error {
        Error::WrongCredentials => Error::field("current", "this is not your present password"),
        other => other,
    })?;
    let hash = hub.passwords.hash(password).await?;
    let mut tx = hub.store.begin_write("account.password").await?;
    portico_store::user::set_password_hash(&mut tx, permit.user(), Some(&hash)).await?;
    let ended = user::end_logins(hub, &mut tx, permit.user()).await?;
    let new = match actor.login() {
        Some(_) => Some(login::make(hub, &mut tx, permit.user(), client).await?),
        None => None,
    };
    let act = Act::done("account.password", format!("user {}", permit.user()));
    audit::record(&mut tx, hub.now(), actor, act).await?;
    tx.commit().await?;
    ended.publish(hub);
    Ok(new)
}
