//! The audit trail: written with the change it tells of, read by administrators.

use std::fmt::Display;

use portico_core::{
    AuditId, Timestamp, UserId,
    access::Permit,
    audit::{AuditEvent, Outcome, Via},
    user::User,
};
use portico_store::{Page, Tx, audit::Filter};

use crate::{
    auth::{Actor, Client},
    entropy,
    error::Error,
    state::Hub,
};

/// Longest text of one field, in characters.
const MAX_TEXT: usize = 200;

/// By whom something was done.
#[derive(Debug, Clone)]
pub struct By {
    user: Option<UserId>,
    name: String,
    via: Via,
    address: String,
}

impl By {
    /// Somebody who is not known, by what was typed as a name.
    #[must_use]
    pub fn stranger(typed: &str, client: &Client) -> Self {
        Self { user: None, name: typed.to_owned(), via: Via::Anonymous, address: client.address_text() }
    }

    /// Somebody who just proved who it is, before there is a login or token.
    #[must_use]
    pub fn of_user(user: &User, client: &Client) -> Self {
        Self {
            user: Some(user.id.clone()),
            name: user.name.to_string(),
            via: Via::Anonymous,
            address: client.address_text(),
        }
    }

    /// Reconcilers and deadlines.
    #[must_use]
    pub fn portico() -> Self {
        Self { user: None, name: "portico".to_owned(), via: Via::Portico, address: String::new() }
    }
}

impl From<&Actor> for By {
    fn from(actor: &Actor) -> Self {
        let user = actor.user();
        let known = actor.principal.via != Via::Console;
        Self {
            user: known.then(|| user.id.clone()),
            name: user.name.to_string(),
            via: actor.principal.via.clone(),
            address: actor.address.map(|address| address.to_string()).unwrap_or_default(),
        }
    }
}

/// What was done, and how it went.
#[derive(Debug, Clone)]
pub struct Act {
    /// `noun.verb`.
    pub action: &'static str,
    /// Kind and id or name.
    pub thing: String,
    pub outcome: Outcome,
    pub detail: String,
}

impl Act {
    /// Something that was done.
    #[must_use]
    pub fn done(action: &'static str, thing: impl Display) -> Self {
        Self { action, thing: thing.to_string(), outcome: Outcome::Done, detail: String::new() }
    }

    /// Something that was not allowed.
    #[must_use]
    pub fn refused(action: &'static str, thing: impl Display) -> Self {
        Self { outcome: Outcome::Refused, ..Self::done(action, thing) }
    }

    #[must_use]
    pub fn with_detail(self, detail: impl Display) -> Self {
        Self { detail: detail.to_string(), ..self }
    }
}

/// Writes one line in the transaction of the change.
///
/// # Errors
/// When the store fails; the change must then not be made.
pub async fn record(tx: &mut Tx, now: Timestamp, by: impl Into<By>, act: Act) -> Result<(), Error> {
    let by = by.into();
    let event = AuditEvent {
        id: AuditId::new(now, entropy::bytes()),
        at: now,
        user: by.user,
        user_name: clean(&by.name),
        via: by.via,
        address: by.address,
        action: act.action.to_owned(),
        thing: clean(&act.thing),
        outcome: act.outcome,
        detail: clean(&act.detail),
    };
    portico_store::audit::append(tx, &event).await?;
    tracing::info!(
        audit.action = act.action,
        audit.thing = %event.thing,
        audit.outcome = ?event.outcome,
        user.name = %event.user_name,
        "act recorded"
    );
    Ok(())
}

/// Writes one line of its own, for an act that changed nothing.
///
/// # Errors
/// When the store fails.
pub async fn record_alone(hub: &Hub, by: impl Into<By>, act: Act) -> Result<(), Error> {
    let mut tx = hub.store.begin_write("audit.record").await?;
    record(&mut tx, hub.now(), by, act).await?;
    Ok(tx.commit().await?)
}

/// Newest first, those before `before`.
///
/// # Errors
/// When the store fails.
pub async fn list(
    hub: &Hub,
    _permit: &Permit,
    filter: &Filter,
    before: Option<&AuditId>,
    limit: u32,
) -> Result<Page<AuditEvent>, Error> {
    let mut tx = hub.store.begin_read("audit.list").await?;
    Ok(portico_store::audit::list(&mut tx, filter, before, limit).await?)
}

/// Cuts, and replaces what could forge another line or hide a part of this one.
fn clean(text: &str) -> String {
    let is_hidden = |c: char| {
        c.is_control()
            || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
    };
    let mut cleaned: String =
        text.chars().take(MAX_TEXT).map(|c| if is_hidden(c) { '\u{fffd}' } else { c }).collect();
    if text.chars().nth(MAX_TEXT).is_some() {
        cleaned.push('…');
    }
    cleaned
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_stays_one_short_line() {
        assert_eq!(clean("a\r\nb\u{202e}c\0"), "a\u{fffd}\u{fffd}b\u{fffd}c\u{fffd}");
        assert_eq!(clean(&"x".repeat(10_000)).chars().count(), MAX_TEXT + 1);
        assert_eq!(clean("José O'Neill"), "José O'Neill");
    }
}
