//! Opening a workload: a ticket for one click, and its exchange for a pass.

use jiff::SignedDuration;
use portico_core::{
    LoginId, Timestamp, WorkloadId,
    access::{Action, Permit, Principal, Thing, decide},
    audit::Via,
    names::{EntryPointName, Label},
    pass::{Pass, Ticket},
    ports::{SignedPass, Void},
    workload::Workload,
};
use portico_store::ticket::Spent;

use crate::{auth::Actor, entropy, error::Error, state::Hub};

/// How long a ticket may be on its way.
const TICKET: SignedDuration = SignedDuration::from_secs(60);

/// Finds the workload behind a label for somebody who wants to enter it.
///
/// # Errors
/// [`Error::Gone`] for the owner of one that was deleted, [`Error::NotFound`] for everything that is not
/// theirs to enter.
pub async fn find(hub: &Hub, actor: &Actor, label: &Label) -> Result<(Workload, Permit), Error> {
    let mut tx = hub.store.begin_read("open.find").await?;
    if let Some(workload) = portico_store::workload::by_label(&mut tx, label).await? {
        let permit = actor.may(Action::Open, Thing::Workload { owner: &workload.owner.user })?;
        return Ok((workload, permit));
    }
    let gone = portico_store::gone::by_label(&mut tx, label).await?.ok_or(Error::NotFound)?;
    actor.may(Action::Open, Thing::Workload { owner: &gone.owner })?;
    Err(Error::Gone(format!(
        "\u{201c}{}\u{201d} was deleted; launch the app anew from the catalogue",
        gone.title
    )))
}

/// The address that lets this login in once, and goes on to `next`, a path at the workload's origin; the
/// entry point's own path when absent.
///
/// # Errors
/// [`Error::NotFound`] when the permit is not one to open, or there is no such entry point.
pub async fn ticket(
    hub: &Hub,
    permit: &Permit,
    workload: &Workload,
    login: &LoginId,
    entry: &EntryPointName,
    next: Option<&str>,
) -> Result<String, Error> {
    if permit.action() != Action::Open || *permit.user() != workload.owner.user {
        return Err(Error::NotFound);
    }
    let door = workload.spec.entry_points.get(entry).ok_or(Error::NotFound)?;
    let now = hub.now();
    let hours = i64::from(hub.config.workload.pass_hours.max(1));
    let after = |duration| now.checked_add(duration).unwrap_or(Timestamp::MAX);
    let pass = Pass {
        workload: workload.id.clone(),
        user: permit.user().clone(),
        login: login.clone(),
        issued: now,
        expires: after(SignedDuration::from_hours(hours)),
    };
    let nonce = data_encoding::HEXLOWER.encode(&entropy::bytes::<16>());
    let ticket = Ticket { nonce, valid_until: after(TICKET), pass }.sign(&hub.keys.pass);
    let base = hub.origins.base_path(&workload.label, entry);
    let own = format!("{}{}", base.trim_end_matches('/'), door.path);
    let next = next.filter(|next| is_path(next)).map_or(own, str::to_owned);
    Ok(hub.origins.ticket_url(&workload.label, entry, &ticket, &next))
}

/// A path at the same origin, and nothing that a browser takes for another one.
fn is_path(text: &str) -> bool {
    text.len() <= 4096
        && text.starts_with('/')
        && !text.starts_with("//")
        && !text.contains('\\')
        && text.bytes().all(|byte| byte.is_ascii_graphic())
}

/// Exchanges a ticket at the origin of `label`. Who lost the right since the click gets nothing.
///
/// # Errors
/// [`Void`], whatever the reason.
pub async fn redeem(hub: &Hub, ticket: &str, label: &Label) -> Result<SignedPass, Void> {
    let now = hub.now();
    let Ticket { nonce, valid_until, mut pass } =
        Ticket::verify(ticket, &hub.keys.pass, now).map_err(|_| Void)?;
    let checked = async {
        let mut tx = hub.store.begin_write("open.redeem").await?;
        if portico_store::ticket::spend(&mut tx, &nonce, valid_until).await? == Spent::Before {
            return Ok::<_, Error>(None);
        }
        let user = portico_store::user::by_id(&mut tx, &pass.user).await?;
        let workload = portico_store::workload::by_id(&mut tx, &pass.workload).await?;
        let logins = portico_store::login::list_of(&mut tx, &pass.user).await?;
        tx.commit().await?;
        let lifetime = hub.config.login.lifetime();
        let login = logins.into_iter().find(|login| login.id == pass.login && login.is_alive(now, lifetime));
        Ok(user.zip(workload).zip(login))
    };
    let found = checked.await.map_err(|error| {
        tracing::warn!(error = &error as &dyn std::error::Error, "a ticket could not be redeemed");
        Void
    })?;
    let ((user, workload), login) = found.ok_or(Void)?;
    let who = Principal { user, groups: Vec::new(), via: Via::Login(login.id) };
    let thing = Thing::Workload { owner: &workload.owner.user };
    if workload.label != *label || decide(&who, Action::Open, thing).is_err() {
        return Err(Void);
    }
    // What was revoked between the click and now stays so; from here on revocations cover the pass.
    pass.issued = now;
    pass.expires = pass.expires.min(login.expires);
    Ok(SignedPass { text: pass.sign(&hub.keys.pass), pass })
}

/// The workload of a pass, for the page that explains why it cannot be entered.
pub(crate) async fn of_pass(hub: &Hub, id: &WorkloadId) -> Result<Option<Workload>, Error> {
    let mut tx = hub.store.begin_read("open.explain").await?;
    Ok(portico_store::workload::by_id(&mut tx, id).await?)
}
