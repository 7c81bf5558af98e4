//! Catalogue entries and grants.

use jiff::Timestamp;
use portico_core::{GrantId, GroupId, UserId, app as core, grant, param};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use crate::workload::Limits;

/// An app as somebody who may launch it sees it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct App {
    pub name: String,
    pub title: String,
    pub description: String,
    /// Name of a built-in icon, or a `data:image/` URL.
    pub icon: String,
    /// Heading under which the catalogue lists it.
    pub category: String,
    pub engine: String,
    pub availability: Availability,
    /// Questions of the launch form. Each has `name`, `title`, `hint` and a `type`: `text`, `number`,
    /// `choice`, `boolean` or `resolution`, with the fields of that type.
    #[schema(value_type = Vec<Object>)]
    pub parameters: Vec<param::Parameter>,
    /// Offered sizes; the first is the default.
    pub sizes: Vec<Size>,
    /// Names and titles of its doors.
    pub entry_points: Vec<Door>,
}

/// Whether an app could be launched now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "state", rename_all = "lowercase")]
pub enum Availability {
    /// Not looked at yet; a launch finds out.
    Unknown,
    Available,
    Unavailable {
        /// What is missing.
        problem: String,
        /// What to do about it.
        hint: String,
    },
}

/// An offered size.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Size {
    pub name: String,
    pub title: String,
    pub limits: Limits,
}

/// A door of an app.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Door {
    pub name: String,
    pub title: String,
}

/// An app as administrators see it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct AppDefinition {
    /// The definition, with the fields of a catalogue file.
    #[schema(value_type = Object)]
    pub definition: core::App,
    pub source: Source,
    pub availability: Availability,
}

/// Where a definition comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum Source {
    /// Comes with Portico.
    Example,
    /// A file of the catalogue's directory; changed there only.
    File { path: String },
    /// Made on a page or through the API.
    Stored {
        #[schema(value_type = String, format = DateTime)]
        changed: Timestamp,
    },
}

/// All definitions, and what is wrong with files.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct AppDefinitions {
    pub items: Vec<AppDefinition>,
    /// `file:line:column: what is wrong`.
    pub mistakes: Vec<String>,
}

/// A definition to be stored: the fields of a catalogue file as JSON, without `name`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(transparent)]
#[schema(value_type = Object)]
pub struct NewDefinition(pub serde_json::Map<String, Value>);

/// A right to see and launch an app.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Grant {
    #[schema(value_type = String)]
    pub id: GrantId,
    pub app: String,
    pub subject: Subject,
    #[schema(value_type = String, format = DateTime)]
    pub created: Timestamp,
}

/// Whom a grant is for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "kind", content = "id", rename_all = "lowercase")]
pub enum Subject {
    Everyone,
    #[schema(value_type = String)]
    Group(GroupId),
    #[schema(value_type = String)]
    User(UserId),
}

/// A grant to be given.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewGrant {
    pub subject: Subject,
}

impl From<grant::Subject> for Subject {
    fn from(subject: grant::Subject) -> Self {
        match subject {
            grant::Subject::Everyone => Self::Everyone,
            grant::Subject::Group(id) => Self::Group(id),
            grant::Subject::User(id) => Self::User(id),
        }
    }
}

impl From<Subject> for grant::Subject {
    fn from(subject: Subject) -> Self {
        match subject {
            Subject::Everyone => Self::Everyone,
            Subject::Group(id) => Self::Group(id),
            Subject::User(id) => Self::User(id),
        }
    }
}

impl From<grant::Grant> for Grant {
    fn from(grant: grant::Grant) -> Self {
        let grant::Grant { id, app, subject, created } = grant;
        Self { id, app: app.into(), subject: subject.into(), created }
    }
}

impl App {
    #[must_use]
    pub fn new(app: core::App, availability: Availability) -> Self {
        let sizes = app.sizes.into_iter().map(|size| Size {
            title: if size.title.is_empty() { size.name.clone() } else { size.title },
            name: size.name,
            limits: size.limits.into(),
        });
        let door = |(name, entry): (portico_core::names::EntryPointName, core::EntryPoint)| Door {
            title: if entry.title.is_empty() { name.to_string() } else { entry.title },
            name: name.into(),
        };
        Self {
            name: app.name.into(),
            title: app.title,
            description: app.description,
            icon: app.icon,
            category: app.category,
            engine: app.engine.into(),
            availability,
            parameters: app.parameters,
            sizes: sizes.collect(),
            entry_points: app.entry_points.into_iter().map(door).collect(),
        }
    }
}
