//! Who may run which app.

use std::{fmt, str::FromStr};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::{
    ids::{GrantId, GroupId, UserId},
    names::{AppName, DisplayName},
    user::{Group, User},
};

/// Whom a grant is for.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "kind", content = "id", rename_all = "lowercase")]
pub enum Subject {
    Everyone,
    Group(GroupId),
    User(UserId),
}

/// The right of a subject to see and run an app.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grant {
    pub id: GrantId,
    pub app: AppName,
    pub subject: Subject,
    pub created: Timestamp,
}

impl Subject {
    /// Whether this subject includes the user, a member of `groups`.
    #[must_use]
    pub fn includes(&self, user: &UserId, groups: &[GroupId]) -> bool {
        match self {
            Self::Everyone => true,
            Self::Group(group) => groups.contains(group),
            Self::User(id) => id == user,
        }
    }
}

/// Whom a catalogue file admits, by name, since a file knows no ids: `everyone`, `group:Staff`,
/// `user:alice`. Names are compared by [`DisplayName::key`], and a name that nobody has admits nobody.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Audience {
    Everyone,
    Group(DisplayName),
    User(DisplayName),
}

/// A text that names no audience.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("expected \"everyone\", \"group:<name>\" or \"user:<name>\"")]
pub struct InvalidAudience;

impl Audience {
    /// The subject this stands for as far as `user`, a member of `groups`, is concerned.
    #[must_use]
    pub fn subject_for(&self, user: &User, groups: &[Group]) -> Option<Subject> {
        match self {
            Self::Everyone => Some(Subject::Everyone),
            Self::User(name) => (name.key() == user.name.key()).then(|| Subject::User(user.id.clone())),
            Self::Group(name) => {
                let key = name.key();
                let group = groups.iter().find(|group| group.name.key() == key)?;
                Some(Subject::Group(group.id.clone()))
            }
        }
    }
}

impl fmt::Display for Audience {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Everyone => f.write_str("everyone"),
            Self::Group(name) => write!(f, "group:{name}"),
            Self::User(name) => write!(f, "user:{name}"),
        }
    }
}

impl FromStr for Audience {
    type Err = InvalidAudience;

    fn from_str(text: &str) -> Result<Self, InvalidAudience> {
        let named = |name: &str| name.parse::<DisplayName>().map_err(|_| InvalidAudience);
        match text.split_once(':') {
            None if text == "everyone" => Ok(Self::Everyone),
            Some(("group", name)) => named(name).map(Self::Group),
            Some(("user", name)) => named(name).map(Self::User),
            _ => Err(InvalidAudience),
        }
    }
}

impl TryFrom<String> for Audience {
    type Error = InvalidAudience;
    fn try_from(text: String) -> Result<Self, InvalidAudience> {
        text.parse()
    }
}

impl From<Audience> for String {
    fn from(audience: Audience) -> String {
        audience.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_audience_survives_its_text_form() {
        for text in ["everyone", "group:Staff 1", "user:o'neill"] {
            assert_eq!(text.parse::<Audience>().map(|audience| audience.to_string()), Ok(text.to_owned()));
        }
        for text in ["", "all", "group:", "Everyone", "everyone:", "team:x"] {
            assert_eq!(text.parse::<Audience>(), Err(InvalidAudience), "{text}");
        }
    }
}
