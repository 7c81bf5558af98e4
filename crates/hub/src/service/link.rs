//! One-time links: for the first administrator, for invited people, and for forgotten passwords.
//!
//! A link shows a form; only sending the form uses it up. Who chooses a password by it is signed in.

use jiff::SignedDuration;
use portico_core::{
    Secret, Timestamp, UserId,
    access::Permit,
    names::DisplayName,
    user::{Role, User},
};
use portico_store::{
    SecretDigest, Tx,
    one_time_link::{self as kept, OneTimeLink, Purpose},
    throttle::{self, Subject},
};

use super::{
    audit::{self, Act, By},
    login::{self, NewLogin},
    user,
};
use crate::{
    auth::{Actor, Client, password_rule},
    entropy,
    error::Error,
    state::Hub,
};

const LIFE_HOURS: i64 = 24;
/// Characters of a link's secret.
const LENGTH: usize = 52;

/// A link that was just made. Whoever has it can act as the account it is for.
#[derive(Debug)]
pub struct NewLink {
    /// Complete address.
    pub url: Secret,
    pub expires: Timestamp,
}

/// What a valid link is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Welcome {
    /// The first administrator chooses name and password.
    FirstAdministrator,
    /// This user chooses a password.
    ChoosePassword { name: DisplayName },
}

/// What was typed into the form of a link.
#[derive(Debug, Clone)]
pub struct Answer {
    /// Wanted of the first administrator only.
    pub name: Option<String>,
    pub password: Secret,
}

/// Makes a link for the first administrator; `None` when there is an administrator. Older ones die.
///
/// # Errors
/// When the store fails.
pub async fn bootstrap(hub: &Hub) -> Result<Option<NewLink>, Error> {
    let mut tx = hub.store.begin_write("link.bootstrap").await?;
    if portico_store::user::count_active_administrators(&mut tx).await? > 0 {
        return Ok(None);
    }
    kept::delete_all(&mut tx, Purpose::Bootstrap).await?;
    let link = make(hub, &mut tx, Purpose::Bootstrap, None).await?;
    audit::record(&mut tx, hub.now(), By::portico(), Act::done("link.create", "first administrator")).await?;
    tx.commit().await?;
    Ok(Some(link))
}

/// Makes a link by which a user chooses a new password. Older ones of that user die.
///
/// # Errors
/// [`Error::NotFound`] when there is no such user.
pub async fn reset(hub: &Hub, actor: &Actor, _permit: &Permit, user: &UserId) -> Result<NewLink, Error> {
    let mut tx = hub.store.begin_write("link.reset").await?;
    portico_store::user::by_id(&mut tx, user).await?.ok_or(Error::NotFound)?;
    let link = for_user(hub, &mut tx, user).await?;
    audit::record(&mut tx, hub.now(), actor, Act::done("link.create", format!("user {user}"))).await?;
    tx.commit().await?;
    Ok(link)
}

pub(super) async fn for_user(hub: &Hub, tx: &mut Tx, user: &UserId) -> Result<NewLink, Error> {
    kept::delete_all_of(tx, user).await?;
    make(hub, tx, Purpose::PasswordReset, Some(user.clone())).await
}

async fn make(hub: &Hub, tx: &mut Tx, purpose: Purpose, user: Option<UserId>) -> Result<NewLink, Error> {
    let created = hub.now();
    let expires = created.checked_add(SignedDuration::from_hours(LIFE_HOURS)).map_err(Error::internal)?;
    let secret = Secret::new(entropy::secret_text());
    kept::insert(tx, &OneTimeLink { purpose, user, created, expires }, &SecretDigest::of(&secret)).await?;
    let url = format!("{}/welcome?token={}", hub.config.public_url, secret.expose());
    Ok(NewLink { url: Secret::new(url), expires })
}

/// What a link is for. Does not use it up.
///
/// # Errors
/// [`Error::Gone`] when it was used, is too old or never was one.
pub async fn look(hub: &Hub, secret: &Secret) -> Result<Welcome, Error> {
    let digest = digest(secret)?;
    let now = hub.now();
    let mut tx = hub.store.begin_read("link.look").await?;
    if kept::by_digest(&mut tx, &digest, Purpose::Bootstrap, now).await?.is_some() {
        return Ok(Welcome::FirstAdministrator);
    }
    let link = kept::by_digest(&mut tx, &digest, Purpose::PasswordReset, now).await?.ok_or_else(gone)?;
    let id = link.user.ok_or_else(gone)?;
    let user = portico_store::user::by_id(&mut tx, &id).await?.ok_or_else(gone)?;
    Ok(Welcome::ChoosePassword { name: user.name })
}

/// Uses a link up and signs in. A rule that the answer breaks leaves the link as it is.
///
/// # Errors
/// [`Error::Gone`] as [`look`]; [`Error::Invalid`] for `name` or `password`.
pub async fn follow(hub: &Hub, client: &Client, secret: &Secret, answer: &Answer) -> Result<NewLogin, Error> {
    let name = match look(hub, secret).await? {
        Welcome::ChoosePassword { name } => name,
        Welcome::FirstAdministrator => {
            let typed = answer.name.as_deref().unwrap_or_default();
            typed.parse().map_err(|error| Error::field("name", error))?
        }
    };
    password_rule::check(&answer.password, &name)?;
    let hash = hub.passwords.hash(&answer.password).await?;
    let digest = digest(secret)?;
    let mut tx = hub.store.begin_write("link.follow").await?;
    let (user, ended) = match kept::consume(&mut tx, &digest, Purpose::Bootstrap, hub.now()).await? {
        Some(_) => (first_administrator(hub, &mut tx, name).await?, None),
        None => {
            let link = kept::consume(&mut tx, &digest, Purpose::PasswordReset, hub.now()).await?;
            let id = link.and_then(|link| link.user).ok_or_else(gone)?;
            let user = portico_store::user::by_id(&mut tx, &id).await?.ok_or_else(gone)?;
            let ended = user::end_logins(hub, &mut tx, &user.id).await?;
            (user, Some(ended))
        }
    };
    if !user.is_active() {
        return Err(Error::Forbidden("this account is disabled; ask an administrator".to_owned()));
    }
    portico_store::user::set_password_hash(&mut tx, &user.id, Some(&hash)).await?;
    throttle::clear(&mut tx, Subject::Account(&user.name.key())).await?;
    let new = login::make(hub, &mut tx, &user.id, client).await?;
    let act = Act::done("link.follow", format!("user {}", user.id));
    audit::record(&mut tx, hub.now(), By::of_user(&user, client), act).await?;
    tx.commit().await?;
    if let Some(ended) = ended {
        ended.publish(hub);
    }
    Ok(new)
}

/// Links of other kinds die with the first administrator's, so that none is left behind.
async fn first_administrator(hub: &Hub, tx: &mut Tx, name: DisplayName) -> Result<User, Error> {
    if portico_store::user::count_active_administrators(tx).await? > 0 {
        return Err(gone());
    }
    kept::delete_all(tx, Purpose::Bootstrap).await?;
    user::insert(hub, tx, name, Role::Administrator).await
}

fn digest(secret: &Secret) -> Result<SecretDigest, Error> {
    let text = secret.expose();
    let well_formed = text.len() == LENGTH && text.bytes().all(|b| b.is_ascii_alphanumeric());
    if well_formed { Ok(SecretDigest::of(secret)) } else { Err(gone()) }
}

fn gone() -> Error {
    let text = "this link was used already or is too old; ask an administrator for a new one, or, for the \
                first administrator, start Portico again and use the link that it prints";
    Error::Gone(text.to_owned())
}
