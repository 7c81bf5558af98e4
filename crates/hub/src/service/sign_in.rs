//! Signing in with name and password, at a speed that guessing cannot use.

use jiff::SignedDuration;
use portico_core::{Secret, Timestamp, names::DisplayName, user::User};
use portico_store::{
    Tx,
    revocation::Revoked,
    throttle::{self as kept, Subject},
};

use super::{
    audit::{self, Act, By},
    login::{self, NewLogin},
    revocation,
};
use crate::{
    auth::{
        Actor, Client,
        password::{MAX_LENGTH, Verdict},
        throttle::{self, Attempts, Policy},
    },
    bus::Change,
    error::Error,
    state::Hub,
};

/// Longest name that is looked up, in bytes.
const MAX_NAME: usize = 1024;

/// Signs a browser in. `before` is who it is signed in as until now; that login ends.
///
/// # Errors
/// [`Error::WrongCredentials`] whatever is wrong, [`Error::Throttled`] when it was tried too often.
pub async fn sign_in(
    hub: &Hub,
    client: &Client,
    before: Option<&Actor>,
    name: &str,
    password: &Secret,
) -> Result<NewLogin, Error> {
    let user = check(hub, client, name, password).await?;
    let mut tx = hub.store.begin_write("login.create").await?;
    let user = portico_store::user::by_id(&mut tx, &user.id).await?;
    let user = user.filter(User::is_active).ok_or(Error::WrongCredentials)?;
    let old = before.and_then(Actor::login).cloned();
    if let Some(old) = &old {
        portico_store::login::delete(&mut tx, old).await?;
    }
    let cut = revocation::add(hub, &mut tx, old.clone().map(Revoked::Login)).await?;
    let new = login::make(hub, &mut tx, &user.id, client).await?;
    let by = By::of_user(&user, client);
    audit::record(&mut tx, hub.now(), by, Act::done("login.create", format!("login {}", new.login.id)))
        .await?;
    tx.commit().await?;
    cut.publish(hub);
    if let Some(old) = old {
        hub.bus.tell(Change::LoginEnded(old));
    }
    Ok(new)
}

/// Finds out whether name and password belong together, and keeps the count of failures.
pub(super) async fn check(hub: &Hub, client: &Client, name: &str, password: &Secret) -> Result<User, Error> {
    let too_long = name.len() > MAX_NAME || password.expose().len() > MAX_LENGTH;
    let parsed = name.parse::<DisplayName>().ok().filter(|_| !too_long);
    let Some(parsed) = parsed else {
        // No account has such a name, so nothing is learnt from a refusal at once.
        return Err(Error::WrongCredentials);
    };
    let key = parsed.key();
    let (user, hash) = admit(hub, client, &key).await?;
    let kept_hash = hash.as_ref().map(Secret::expose);
    let verdict = hub.passwords.verify(password, kept_hash).await?;
    match (verdict, user.filter(User::is_active)) {
        (Verdict::Wrong, _) | (_, None) => {
            note_failure(hub, client, &parsed).await?;
            Err(Error::WrongCredentials)
        }
        (verdict, Some(user)) => {
            pardon(hub, &key, &user, password, verdict).await?;
            Ok(user)
        }
    }
}

/// Refuses what comes too fast; counts the attempt for the account before it is checked.
async fn admit(hub: &Hub, client: &Client, key: &str) -> Result<(Option<User>, Option<Secret>), Error> {
    let now = hub.now();
    let address = client.throttle_key();
    let mut tx = hub.store.begin_write("login.admit").await?;
    let by_account = delay(&mut tx, Subject::Account(key), throttle::ACCOUNT, now).await?;
    let by_address = delay(&mut tx, Subject::Address(&address), throttle::ADDRESS, now).await?;
    if let Some(seconds) = by_account.max(by_address) {
        return Err(Error::Throttled(seconds));
    }
    kept::record(&mut tx, Subject::Account(key), now).await?;
    let user = portico_store::user::by_name_key(&mut tx, key).await?;
    let hash = match &user {
        Some(user) => portico_store::user::password_hash(&mut tx, &user.id).await?,
        None => None,
    };
    tx.commit().await?;
    Ok((user, hash))
}

async fn delay(
    tx: &mut Tx,
    subject: Subject<'_>,
    policy: Policy,
    now: Timestamp,
) -> Result<Option<u32>, Error> {
    let memory = SignedDuration::from_secs(throttle::MEMORY_SECONDS);
    let since = now.checked_sub(memory).unwrap_or(Timestamp::MIN);
    let failures = kept::since(tx, subject, since).await?;
    let attempts = failures.last.map(|last| Attempts { failures: failures.count, last });
    Ok(policy.delay(attempts, now))
}

async fn note_failure(hub: &Hub, client: &Client, name: &DisplayName) -> Result<(), Error> {
    let mut tx = hub.store.begin_write("login.refuse").await?;
    kept::record(&mut tx, Subject::Address(&client.throttle_key()), hub.now()).await?;
    let by = By::stranger(name.as_str(), client);
    audit::record(&mut tx, hub.now(), by, Act::refused("login.create", "account")).await?;
    Ok(tx.commit().await?)
}

/// Forgets the account's failures, and keeps the password at today's cost.
async fn pardon(hub: &Hub, key: &str, user: &User, password: &Secret, verdict: Verdict) -> Result<(), Error> {
    let again = match verdict {
        Verdict::RightButOutdated => Some(hub.passwords.hash(password).await?),
        Verdict::Right | Verdict::Wrong => None,
    };
    let mut tx = hub.store.begin_write("login.pardon").await?;
    kept::clear(&mut tx, Subject::Account(key)).await?;
    if let Some(hash) = again {
        portico_store::user::set_password_hash(&mut tx, &user.id, Some(&hash)).await?;
    }
    Ok(tx.commit().await?)
}
