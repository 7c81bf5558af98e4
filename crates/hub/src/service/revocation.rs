//! Shutting out: what a front door must know at once, live connections included.
//!
//! A revocation is written in the transaction of its cause and published after the commit; a hub that
//! dies in between finds it in the store when it starts again.

use std::{collections::HashMap, hash::Hash, sync::Arc};

use jiff::SignedDuration;
use portico_core::{Timestamp, route::Revocations};
use portico_store::{
    Tx,
    revocation::{Revocation, Revoked},
};

use crate::{error::Error, state::Hub};

/// Revocations that are written but not yet published.
#[must_use = "publish it after the commit"]
#[derive(Debug)]
pub struct Cut(Vec<Revocation>);

/// Writes revocations, to be published after the commit.
///
/// # Errors
/// When the store fails.
pub async fn add(hub: &Hub, tx: &mut Tx, whose: impl IntoIterator<Item = Revoked>) -> Result<Cut, Error> {
    let now = hub.now();
    let lifetime = SignedDuration::from_secs(hub.config.login.lifetime().absolute_seconds);
    let until = now.checked_add(lifetime).unwrap_or(Timestamp::MAX);
    let mut cut = Vec::new();
    for whose in whose {
        let revocation = Revocation { whose, at: now, until };
        portico_store::revocation::add(tx, &revocation).await?;
        cut.push(revocation);
    }
    Ok(Cut(cut))
}

impl Cut {
    /// Tells the front door.
    pub fn publish(self, hub: &Hub) {
        hub.published.send_modify(|published| {
            let mut revocations = Revocations::clone(&published.revocations);
            apply(&mut revocations, self.0);
            published.revocations = Arc::new(revocations);
        });
    }
}

/// Publishes what the store knows; forgets what does not matter any more.
///
/// # Errors
/// When the store fails.
pub async fn reload(hub: &Hub) -> Result<(), Error> {
    let asked = hub.now();
    let mut tx = hub.store.begin_read("revocation.reload").await?;
    let known = portico_store::revocation::list(&mut tx, asked).await?;
    // What was published after the read began may be missing in what was read.
    let recent = asked.checked_sub(SignedDuration::from_secs(120)).unwrap_or(asked);
    hub.published.send_modify(|published| {
        let mut revocations = Revocations::clone(&published.revocations);
        revocations.logins.retain(|_, at| *at >= recent);
        revocations.users.retain(|_, at| *at >= recent);
        revocations.workloads.retain(|_, at| *at >= recent);
        apply(&mut revocations, known);
        published.revocations = Arc::new(revocations);
    });
    Ok(())
}

fn apply(revocations: &mut Revocations, known: Vec<Revocation>) {
    for Revocation { whose, at, .. } in known {
        match whose {
            Revoked::Login(id) => latest(&mut revocations.logins, id, at),
            Revoked::User(id) => latest(&mut revocations.users, id, at),
            Revoked::Workload(id) => latest(&mut revocations.workloads, id, at),
        }
    }
}

fn latest<Id: Eq + Hash>(moments: &mut HashMap<Id, Timestamp>, id: Id, at: Timestamp) {
    let moment = moments.entry(id).or_insert(at);
    *moment = at.max(*moment);
}
