//! Who may run which app.

use portico_core::{
    GrantId, GroupId, UserId,
    grant::{Grant, Subject},
    names::AppName,
};

use crate::{
    error::{RowError, StoreError},
    row::Row,
    tx::Tx,
    value::params,
};

const INSERT: &str = r#"INSERT INTO "grant" (id, app, subject, group_id, user_id, created)
    VALUES ($1, $2, $3, $4, $5, $6)"#;
const BY_ID: &str = r#"SELECT id, app, group_id, user_id, created FROM "grant" WHERE id = $1"#;
const LIST: &str = r#"SELECT id, app, group_id, user_id, created FROM "grant" ORDER BY app, subject"#;
const LIST_OF_APP: &str = r#"SELECT id, app, group_id, user_id, created FROM "grant"
    WHERE app = $1 ORDER BY subject"#;
const DELETE: &str = r#"DELETE FROM "grant" WHERE id = $1"#;
const DELETE_ALL_OF: &str = r#"DELETE FROM "grant" WHERE app = $1"#;
const APPS_FOR: &str = r#"
    SELECT app FROM "grant" WHERE subject = 'everyone'
    UNION SELECT app FROM "grant" WHERE user_id = $1
    UNION SELECT g.app FROM membership m JOIN "grant" g ON g.group_id = m.group_id WHERE m.user_id = $1
    ORDER BY app"#;

pub(crate) const STATEMENTS: &[&str] = &[INSERT, BY_ID, LIST, LIST_OF_APP, DELETE, DELETE_ALL_OF, APPS_FOR];

/// # Errors
/// [`StoreError::Duplicate`] when the subject has the app already, [`StoreError::Reference`] when
/// there is no such group or user.
pub async fn insert(tx: &mut Tx, grant: &Grant) -> Result<(), StoreError> {
    let (subject, group, user) = match &grant.subject {
        Subject::Everyone => ("everyone".to_owned(), None, None),
        Subject::Group(id) => (format!("group {id}"), Some(id), None),
        Subject::User(id) => (format!("user {id}"), None, Some(id)),
    };
    let params = params![grant.id, grant.app, subject, group, user, grant.created];
    tx.execute(INSERT, params).await.map(drop)
}

/// # Errors
/// When the database fails.
pub async fn by_id(tx: &mut Tx, id: &GrantId) -> Result<Option<Grant>, StoreError> {
    tx.first(BY_ID, params![id]).await
}

/// All grants, by app.
///
/// # Errors
/// When the database fails.
pub async fn list(tx: &mut Tx) -> Result<Vec<Grant>, StoreError> {
    tx.all(LIST, params![]).await
}

/// # Errors
/// When the database fails.
pub async fn list_of_app(tx: &mut Tx, app: &AppName) -> Result<Vec<Grant>, StoreError> {
    tx.all(LIST_OF_APP, params![app]).await
}

/// What [`portico_core::access::Thing::App`] wants to know.
///
/// # Errors
/// When the database fails.
pub async fn subjects_of_app(tx: &mut Tx, app: &AppName) -> Result<Vec<Subject>, StoreError> {
    Ok(list_of_app(tx, app).await?.into_iter().map(|grant| grant.subject).collect())
}

/// Names of the apps that this user has by any grant, also through groups.
///
/// # Errors
/// When the database fails.
pub async fn apps_for(tx: &mut Tx, user: &UserId) -> Result<Vec<AppName>, StoreError> {
    let rows = tx.rows(APPS_FOR, params![user]).await?;
    Ok(rows.into_iter().map(|row| row.of("grant").get("app")).collect::<Result<_, _>>()?)
}

/// # Errors
/// When the database fails.
pub async fn delete(tx: &mut Tx, id: &GrantId) -> Result<bool, StoreError> {
    Ok(tx.execute(DELETE, params![id]).await? > 0)
}

/// Deletes all grants of an app.
///
/// # Errors
/// When the database fails.
pub async fn delete_all_of(tx: &mut Tx, app: &AppName) -> Result<u64, StoreError> {
    tx.execute(DELETE_ALL_OF, params![app]).await
}

impl TryFrom<Row> for Grant {
    type Error = RowError;

    fn try_from(row: Row) -> Result<Self, RowError> {
        let row = row.of("grant");
        let group: Option<GroupId> = row.get("group_id")?;
        let user: Option<UserId> = row.get("user_id")?;
        let subject = match (group, user) {
            (Some(group), _) => Subject::Group(group),
            (None, Some(user)) => Subject::User(user),
            (None, None) => Subject::Everyone,
        };
        Ok(Self { id: row.get("id")?, app: row.get("app")?, subject, created: row.get("created")? })
    }
}
