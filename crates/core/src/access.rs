//! Who may do what: the one function that decides, and the [`Permit`] it gives.
//!
//! Effects on workloads, apps and users take a permit, which only [`decide`] can make. A refusal does
//! not say whether the thing exists.

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::{
    audit::Via,
    grant::Subject,
    ids::{GroupId, UserId},
    user::User,
};

/// Somebody who was identified, and by what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Principal {
    pub user: User,
    pub groups: Vec<GroupId>,
    pub via: Via,
}

/// What somebody wants to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Action {
    /// See an app in the catalogue and launch it.
    Launch,
    /// See a workload's state, events, logs and usage.
    View,
    /// Enter a workload.
    Open,
    /// Stop a workload.
    Stop,
    /// Restart or delete a workload.
    Manage,
    /// Change own password, logins and tokens.
    ManageAccount,
    /// See and change users, groups, apps, grants, engines and the audit log.
    Administer,
}

/// What it is to be done to.
#[derive(Debug, Clone, Copy)]
pub enum Thing<'a> {
    /// An app, by the subjects of its grants.
    App {
        grants: &'a [Subject],
    },
    Workload {
        owner: &'a UserId,
    },
    Account {
        of: &'a UserId,
    },
    /// The installation as a whole.
    Site,
}

/// Proof that [`decide`] allowed an action. Cannot be made elsewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Permit {
    user: UserId,
    action: Action,
}

impl Permit {
    /// Who was allowed.
    #[must_use]
    pub const fn user(&self) -> &UserId {
        &self.user
    }

    /// What was allowed.
    #[must_use]
    pub const fn action(&self) -> Action {
        self.action
    }
}

/// The answer to who may not. Looks the same for things that do not exist.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("not found, or not yours to use")]
pub struct Refused;

/// Decides whether `who` may do `action` to `thing`.
///
/// # Errors
/// [`Refused`], whatever the reason.
pub fn decide(who: &Principal, action: Action, thing: Thing<'_>) -> Result<Permit, Refused> {
    let user = &who.user;
    let allowed = user.is_active()
        && match (action, thing) {
            (Action::Launch, Thing::App { grants }) => {
                user.is_administrator()
                    || grants.iter().any(|subject| subject.includes(&user.id, &who.groups))
            }
            (Action::View | Action::Stop | Action::Manage, Thing::Workload { owner }) => {
                *owner == user.id || user.is_administrator()
            }
            (Action::Open, Thing::Workload { owner }) => *owner == user.id,
            (Action::ManageAccount, Thing::Account { of }) => *of == user.id,
            (Action::Administer, Thing::Site) => user.is_administrator(),
            _ => false,
        };
    if allowed { Ok(Permit { user: user.id.clone(), action }) } else { Err(Refused) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::user::{Role, Standing};
    use jiff::Timestamp;

    fn principal(number: u8, role: Role, standing: Standing) -> Principal {
        let at = Timestamp::UNIX_EPOCH;
        let name: crate::names::DisplayName = format!("user{number}").parse().expect("a name");
        let slug = name.slug();
        let id = UserId::new(at, [number; 10]);
        let user =
            User { id, name, slug, number: u32::from(number), role, standing, created: at, last_seen: None };
        Principal { user, groups: Vec::new(), via: Via::Console }
    }

    #[test]
    fn only_the_owner_enters_a_workload() {
        let alice = principal(1, Role::Member, Standing::Active);
        let root = principal(2, Role::Administrator, Standing::Active);
        let thing = Thing::Workload { owner: &alice.user.id };
        assert!(decide(&alice, Action::Open, thing).is_ok());
        assert_eq!(decide(&root, Action::Open, thing), Err(Refused));
        assert!(decide(&root, Action::Stop, thing).is_ok());
    }

    #[test]
    fn a_stranger_and_a_disabled_owner_are_refused_everything() {
        let alice = principal(1, Role::Member, Standing::Active);
        let mallory = principal(3, Role::Member, Standing::Active);
        let disabled = principal(1, Role::Administrator, Standing::Disabled { since: Timestamp::UNIX_EPOCH });
        let thing = Thing::Workload { owner: &alice.user.id };
        for action in
            [Action::View, Action::Open, Action::Stop, Action::Manage, Action::Administer, Action::Launch]
        {
            assert_eq!(decide(&mallory, action, thing), Err(Refused));
            assert_eq!(decide(&disabled, action, thing), Err(Refused));
        }
        assert_eq!(decide(&mallory, Action::Administer, Thing::Site), Err(Refused));
    }

    #[test]
    fn an_app_without_a_grant_is_not_there() {
        let alice = principal(1, Role::Member, Standing::Active);
        assert!(decide(&alice, Action::Launch, Thing::App { grants: &[] }).is_err());
        assert!(decide(&alice, Action::Launch, Thing::App { grants: &[Subject::Everyone] }).is_ok());
    }
}
