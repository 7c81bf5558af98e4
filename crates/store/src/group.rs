//! Groups and who belongs to them.

use portico_core::{
    GroupId, UserId,
    names::Slug,
    user::{Group, User},
};

use crate::{
    error::{RowError, StoreError},
    row::Row,
    tx::Tx,
    value::params,
};

const INSERT: &str = r#"INSERT INTO "group" (id, name, name_key, slug, created) VALUES ($1, $2, $3, $4, $5)"#;
const LIST: &str = r#"SELECT id, name, slug, created FROM "group" ORDER BY name_key"#;
const BY_ID: &str = r#"SELECT id, name, slug, created FROM "group" WHERE id = $1"#;
const BY_SLUG: &str = r#"SELECT id, name, slug, created FROM "group" WHERE slug = $1"#;
const DELETE: &str = r#"DELETE FROM "group" WHERE id = $1"#;
const ADD_MEMBER: &str =
    "INSERT INTO membership (group_id, user_id) VALUES ($1, $2) ON CONFLICT (group_id, user_id) DO NOTHING";
const REMOVE_MEMBER: &str = "DELETE FROM membership WHERE group_id = $1 AND user_id = $2";
const MEMBERS: &str = r#"SELECT u.id, u.name, u.slug, u.number, u.role, u.disabled_since, u.created, u.last_seen
    FROM membership m JOIN "user" u ON u.id = m.user_id WHERE m.group_id = $1 ORDER BY u.id"#;
const GROUPS_OF: &str = r#"SELECT g.id, g.name, g.slug, g.created
    FROM membership m JOIN "group" g ON g.id = m.group_id WHERE m.user_id = $1 ORDER BY g.name_key"#;

pub(crate) const STATEMENTS: &[&str] =
    &[INSERT, LIST, BY_ID, BY_SLUG, DELETE, ADD_MEMBER, REMOVE_MEMBER, MEMBERS, GROUPS_OF];

/// # Errors
/// [`StoreError::Duplicate`] on column `name_key` or `slug`.
pub async fn insert(tx: &mut Tx, group: &Group) -> Result<(), StoreError> {
    let params = params![group.id, group.name, group.name.key(), group.slug, group.created];
    tx.execute(INSERT, params).await.map(drop)
}

/// All groups by name.
///
/// # Errors
/// When the database fails.
pub async fn list(tx: &mut Tx) -> Result<Vec<Group>, StoreError> {
    tx.all(LIST, params![]).await
}

/// # Errors
/// When the database fails.
pub async fn by_id(tx: &mut Tx, id: &GroupId) -> Result<Option<Group>, StoreError> {
    tx.first(BY_ID, params![id]).await
}

/// # Errors
/// When the database fails.
pub async fn by_slug(tx: &mut Tx, slug: &Slug) -> Result<Option<Group>, StoreError> {
    tx.first(BY_SLUG, params![slug]).await
}

/// Deletes a group with its memberships and grants.
///
/// # Errors
/// When the database fails.
pub async fn delete(tx: &mut Tx, id: &GroupId) -> Result<bool, StoreError> {
    Ok(tx.execute(DELETE, params![id]).await? > 0)
}

/// Tells whether the user is new in the group.
///
/// # Errors
/// [`StoreError::Reference`] when there is no such group or user.
pub async fn add_member(tx: &mut Tx, group: &GroupId, user: &UserId) -> Result<bool, StoreError> {
    Ok(tx.execute(ADD_MEMBER, params![group, user]).await? > 0)
}

/// Tells whether the user was in the group.
///
/// # Errors
/// When the database fails.
pub async fn remove_member(tx: &mut Tx, group: &GroupId, user: &UserId) -> Result<bool, StoreError> {
    Ok(tx.execute(REMOVE_MEMBER, params![group, user]).await? > 0)
}

/// Oldest account first.
///
/// # Errors
/// When the database fails.
pub async fn members(tx: &mut Tx, group: &GroupId) -> Result<Vec<User>, StoreError> {
    tx.all(MEMBERS, params![group]).await
}

/// By name.
///
/// # Errors
/// When the database fails.
pub async fn groups_of(tx: &mut Tx, user: &UserId) -> Result<Vec<Group>, StoreError> {
    tx.all(GROUPS_OF, params![user]).await
}

impl TryFrom<Row> for Group {
    type Error = RowError;

    fn try_from(row: Row) -> Result<Self, RowError> {
        let row = row.of("group");
        Ok(Self {
            id: row.get("id")?,
            name: row.get("name")?,
            slug: row.get("slug")?,
            created: row.get("created")?,
        })
    }
}
