//! API tokens: shown once, kept as a digest, never without an end.

use jiff::SignedDuration;
use portico_core::{
    GroupId, Secret, TokenId, UserId, access::Permit, audit::Via, login::Token, names::DisplayName,
    user::User,
};
use portico_store::{SecretDigest, Tx};

use super::{
    audit::{self, Act, By},
    login::group_ids,
    sign_in,
};
use crate::{
    auth::{Actor, Client},
    bus::Change,
    entropy,
    error::Error,
    state::Hub,
};

/// What every token begins with, so that scanners of leaked secrets know one.
const PREFIX: &str = "ptk_";
/// Characters behind the prefix: 256 bits.
const LENGTH: usize = 52;
/// Seconds between two notes of the last use.
const TOUCH_SECONDS: i64 = 60;
/// Most tokens of one user.
const MAX_TOKENS: usize = 100;

/// A token that was just made, and its text, which is not shown again.
#[derive(Debug)]
pub struct NewToken {
    pub token: Token,
    pub text: Secret,
}

/// What is wanted of a new token.
#[derive(Debug, Clone)]
pub struct Wish {
    pub name: String,
    /// Days until it expires, from 1 to the configured most.
    pub days: i64,
}

/// Makes a token for the person who asks.
///
/// # Errors
/// [`Error::Invalid`] for a bad name or life; [`Error::Conflict`] when there are too many.
pub async fn create(hub: &Hub, actor: &Actor, permit: &Permit, wish: &Wish) -> Result<NewToken, Error> {
    let mut tx = hub.store.begin_write("token.create").await?;
    let new = make(hub, &mut tx, permit.user(), wish).await?;
    let act = Act::done("token.create", format!("token {}", new.token.id));
    audit::record(&mut tx, hub.now(), actor, act).await?;
    tx.commit().await?;
    Ok(new)
}

/// Makes a token for whoever knows name and password, as the command line does.
///
/// # Errors
/// As [`create`] and [`sign_in::sign_in`].
pub async fn request(
    hub: &Hub,
    client: &Client,
    name: &str,
    password: &Secret,
    wish: &Wish,
) -> Result<NewToken, Error> {
    // What is wrong with the wish is told before an attempt is spent.
    check(hub, wish)?;
    let user = sign_in::check(hub, client, name, password).await?;
    let mut tx = hub.store.begin_write("token.request").await?;
    let new = make(hub, &mut tx, &user.id, wish).await?;
    let act = Act::done("token.create", format!("token {}", new.token.id));
    audit::record(&mut tx, hub.now(), By::of_user(&user, client), act).await?;
    tx.commit().await?;
    Ok(new)
}

fn check(hub: &Hub, wish: &Wish) -> Result<(DisplayName, SignedDuration), Error> {
    let name = wish.name.parse().map_err(|error| Error::field("name", error))?;
    let most = i64::from(hub.config.token.max_days);
    if !(1..=most).contains(&wish.days) {
        return Err(Error::field("days", format!("a token lives from 1 to {most} days")));
    }
    Ok((name, SignedDuration::from_hours(wish.days * 24)))
}

async fn make(hub: &Hub, tx: &mut Tx, user: &UserId, wish: &Wish) -> Result<NewToken, Error> {
    let (name, life) = check(hub, wish)?;
    let now = hub.now();
    let held = portico_store::token::list_of(tx, user).await?;
    if held.iter().filter(|token| token.is_alive(now)).count() >= MAX_TOKENS {
        let text = format!("there are {MAX_TOKENS} tokens already; delete some that are not used");
        return Err(Error::Conflict(text));
    }
    let text = Secret::new(format!("{PREFIX}{}", entropy::secret_text()));
    let token = Token {
        id: TokenId::new(now, entropy::bytes()),
        user: user.clone(),
        name,
        created: now,
        expires: now.checked_add(life).map_err(Error::internal)?,
        last_used: None,
    };
    portico_store::token::insert(tx, &token, &SecretDigest::of(&text)).await?;
    Ok(NewToken { token, text })
}

/// Who sent this token, if it is alive and its user active.
pub(crate) async fn find(hub: &Hub, text: &Secret) -> Result<Option<(Token, User, Vec<GroupId>)>, Error> {
    if !is_well_formed(text.expose()) {
        return Ok(None);
    }
    let now = hub.now();
    let mut tx = hub.store.begin_read("token.find").await?;
    let token = portico_store::token::by_digest(&mut tx, &SecretDigest::of(text)).await?;
    let Some(token) = token.filter(|token| token.is_alive(now)) else { return Ok(None) };
    let user = portico_store::user::by_id(&mut tx, &token.user).await?;
    let Some(user) = user.filter(User::is_active) else { return Ok(None) };
    let groups = group_ids(portico_store::group::groups_of(&mut tx, &user.id).await?);
    drop(tx);
    let unnoted = token.last_used.is_none_or(|at| now.as_second() - at.as_second() >= TOUCH_SECONDS);
    if unnoted {
        note_use(hub, &token).await;
    }
    Ok(Some((token, user, groups)))
}

fn is_well_formed(text: &str) -> bool {
    text.strip_prefix(PREFIX).is_some_and(|rest| {
        rest.len() == LENGTH && rest.bytes().all(|b| b.is_ascii_lowercase() || matches!(b, b'2'..=b'7'))
    })
}

/// A store that cannot be written must not keep programs from reading.
async fn note_use(hub: &Hub, token: &Token) {
    let noted = async {
        let mut tx = hub.store.begin_write("token.touch").await?;
        portico_store::token::touch(&mut tx, &token.id, hub.now()).await?;
        portico_store::user::set_last_seen(&mut tx, &token.user, hub.now()).await?;
        tx.commit().await
    };
    if let Err(error) = noted.await {
        tracing::warn!(error = %error, "the use of a token could not be noted");
    }
}

/// Own tokens that are alive, newest first.
///
/// # Errors
/// When the store fails.
pub async fn list(hub: &Hub, permit: &Permit) -> Result<Vec<Token>, Error> {
    let mut tx = hub.store.begin_read("token.list").await?;
    let tokens = portico_store::token::list_of(&mut tx, permit.user()).await?;
    Ok(tokens.into_iter().filter(|token| token.is_alive(hub.now())).collect())
}

/// Deletes an own token; the next request with it is refused.
///
/// # Errors
/// [`Error::NotFound`] when there is none of that id, or when it is somebody else's.
pub async fn delete(hub: &Hub, actor: &Actor, permit: &Permit, id: &TokenId) -> Result<(), Error> {
    let mut tx = hub.store.begin_write("token.delete").await?;
    if !portico_store::token::delete(&mut tx, id, permit.user()).await? {
        return Err(Error::NotFound);
    }
    audit::record(&mut tx, hub.now(), actor, Act::done("token.delete", format!("token {id}"))).await?;
    tx.commit().await?;
    hub.bus.tell(Change::TokenEnded(id.clone()));
    Ok(())
}

/// The token by which somebody is known.
#[must_use]
pub const fn of(actor: &Actor) -> Option<&TokenId> {
    if let Via::Token(id) = &actor.principal.via { Some(id) } else { None }
}
