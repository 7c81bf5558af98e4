//! People: accounts, their passwords and their numbers.

use jiff::Timestamp;
use portico_core::{
    Secret, UserId,
    names::{DisplayName, Slug},
    user::{Role, Standing, User},
};

use crate::{
    error::{RowError, StoreError},
    page::{Page, containing, fetch, searchable},
    row::Row,
    tx::Tx,
    value::params,
};

const NEXT_NUMBER: &str = "INSERT INTO counter (name, value) VALUES ('user', 1)
    ON CONFLICT (name) DO UPDATE SET value = counter.value + 1 RETURNING value";
const INSERT: &str = r#"INSERT INTO "user"
    (id, name, name_key, slug, number, role, disabled_since, created, last_seen, search)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)"#;
const USE_SLUG: &str = "INSERT INTO used_slug (slug) VALUES ($1)";
const BY_ID: &str = r#"SELECT id, name, slug, number, role, disabled_since, created, last_seen
    FROM "user" WHERE id = $1"#;
const BY_NAME_KEY: &str = r#"SELECT id, name, slug, number, role, disabled_since, created, last_seen
    FROM "user" WHERE name_key = $1"#;
const BY_SLUG: &str = r#"SELECT id, name, slug, number, role, disabled_since, created, last_seen
    FROM "user" WHERE slug = $1"#;
const LIST: &str = r#"SELECT id, name, slug, number, role, disabled_since, created, last_seen
    FROM "user" WHERE id > $1 AND (CAST($2 AS TEXT) IS NULL OR search LIKE $2 ESCAPE '\')
    ORDER BY id LIMIT $3"#;
const COUNT: &str = r#"SELECT COUNT(*) AS count FROM "user""#;
const COUNT_ACTIVE_ADMINISTRATORS: &str = r#"SELECT COUNT(*) AS count FROM "user"
    WHERE role = 'administrator' AND disabled_since IS NULL"#;
const UPDATE: &str = r#"UPDATE "user"
    SET name = $2, name_key = $3, role = $4, disabled_since = $5, search = $6 WHERE id = $1"#;
const SET_PASSWORD: &str = r#"UPDATE "user" SET password = $2 WHERE id = $1"#;
const PASSWORD: &str = r#"SELECT id, password FROM "user" WHERE id = $1"#;
const SET_LAST_SEEN: &str = r#"UPDATE "user" SET last_seen = $2 WHERE id = $1"#;
const LOCK: &str = r#"UPDATE "user" SET locks = locks + 1 WHERE id = $1"#;
const DELETE: &str = r#"DELETE FROM "user" WHERE id = $1"#;

pub(crate) const STATEMENTS: &[&str] = &[
    NEXT_NUMBER,
    INSERT,
    USE_SLUG,
    BY_ID,
    BY_NAME_KEY,
    BY_SLUG,
    LIST,
    COUNT,
    COUNT_ACTIVE_ADMINISTRATORS,
    UPDATE,
    SET_PASSWORD,
    PASSWORD,
    SET_LAST_SEEN,
    LOCK,
    DELETE,
];

/// Takes the next number, which was never given before. One that is not used is lost, on rollback it
/// is given again.
///
/// # Errors
/// When the database fails.
pub async fn next_number(tx: &mut Tx) -> Result<u32, StoreError> {
    let row = tx.rows(NEXT_NUMBER, params![]).await?.into_iter().next();
    let row = row.ok_or(StoreError::Missing { what: "counter" })?.of("counter");
    Ok(row.get("value")?)
}

/// # Errors
/// [`StoreError::Duplicate`] on column `name_key` when somebody has the name or a look-alike, or on
/// `slug` when somebody has it or had it once.
pub async fn insert(tx: &mut Tx, user: &User) -> Result<(), StoreError> {
    let params = params![
        user.id,
        user.name,
        user.name.key(),
        user.slug,
        user.number,
        role_text(user.role),
        disabled_since(&user.standing),
        user.created,
        user.last_seen,
        search_text(&user.name, &user.slug),
    ];
    tx.execute(INSERT, params).await?;
    tx.execute(USE_SLUG, params![user.slug]).await.map(drop)
}

/// # Errors
/// When the database fails.
pub async fn by_id(tx: &mut Tx, id: &UserId) -> Result<Option<User>, StoreError> {
    tx.first(BY_ID, params![id]).await
}

/// By [`DisplayName::key`].
///
/// # Errors
/// When the database fails.
pub async fn by_name_key(tx: &mut Tx, key: &str) -> Result<Option<User>, StoreError> {
    tx.first(BY_NAME_KEY, params![key]).await
}

/// # Errors
/// When the database fails.
pub async fn by_slug(tx: &mut Tx, slug: &Slug) -> Result<Option<User>, StoreError> {
    tx.first(BY_SLUG, params![slug]).await
}

/// Oldest first, those after `after`, whose name or slug contains `text`.
///
/// # Errors
/// When the database fails.
pub async fn list(
    tx: &mut Tx,
    text: &str,
    after: Option<&UserId>,
    limit: u32,
) -> Result<Page<User>, StoreError> {
    let after = after.map_or("", UserId::as_str);
    let users = tx.all(LIST, params![after, containing(text), fetch(limit)]).await?;
    Ok(Page::cut(users, limit))
}

/// # Errors
/// When the database fails.
pub async fn count(tx: &mut Tx) -> Result<u64, StoreError> {
    count_by(tx, COUNT).await
}

/// How many could still administer.
///
/// # Errors
/// When the database fails.
pub async fn count_active_administrators(tx: &mut Tx) -> Result<u64, StoreError> {
    count_by(tx, COUNT_ACTIVE_ADMINISTRATORS).await
}

async fn count_by(tx: &mut Tx, sql: &'static str) -> Result<u64, StoreError> {
    let row = tx.rows(sql, params![]).await?.into_iter().next();
    Ok(row.ok_or(StoreError::Missing { what: "count" })?.of("user").get("count")?)
}

/// Writes name, role and standing; slug and number never change.
///
/// # Errors
/// [`StoreError::Missing`], or [`StoreError::Duplicate`] on column `name_key`.
pub async fn update(tx: &mut Tx, user: &User) -> Result<(), StoreError> {
    let params = params![
        user.id,
        user.name,
        user.name.key(),
        role_text(user.role),
        disabled_since(&user.standing),
        search_text(&user.name, &user.slug),
    ];
    one(tx.execute(UPDATE, params).await?)
}

/// Keeps the hash of a password in its PHC form, or none: then no password lets in.
///
/// # Errors
/// [`StoreError::Missing`].
pub async fn set_password_hash(tx: &mut Tx, id: &UserId, hash: Option<&Secret>) -> Result<(), StoreError> {
    one(tx.execute(SET_PASSWORD, params![id, hash.map(Secret::expose)]).await?)
}

/// # Errors
/// When the database fails.
pub async fn password_hash(tx: &mut Tx, id: &UserId) -> Result<Option<Secret>, StoreError> {
    let Some(row) = tx.rows(PASSWORD, params![id]).await?.into_iter().next() else { return Ok(None) };
    let hash: Option<String> = row.of("user").get("password")?;
    Ok(hash.map(Secret::new))
}

/// # Errors
/// [`StoreError::Missing`].
pub async fn set_last_seen(tx: &mut Tx, id: &UserId, at: Timestamp) -> Result<(), StoreError> {
    one(tx.execute(SET_LAST_SEEN, params![id, at]).await?)
}

/// Makes other transactions that lock the same user wait for the end of this one. Whoever compares
/// [`crate::workload::held_by`] with a quota locks first.
///
/// # Errors
/// [`StoreError::Missing`].
pub async fn lock(tx: &mut Tx, id: &UserId) -> Result<(), StoreError> {
    one(tx.execute(LOCK, params![id]).await?)
}

/// Deletes an account with its logins, tokens, memberships and grants.
///
/// # Errors
/// [`StoreError::Reference`] as long as it owns workloads.
pub async fn delete(tx: &mut Tx, id: &UserId) -> Result<bool, StoreError> {
    Ok(tx.execute(DELETE, params![id]).await? > 0)
}

fn one(changed: u64) -> Result<(), StoreError> {
    if changed == 0 { Err(StoreError::Missing { what: "user" }) } else { Ok(()) }
}

fn search_text(name: &DisplayName, slug: &Slug) -> String {
    searchable(&[name.as_str(), slug.as_str()])
}

const fn role_text(role: Role) -> &'static str {
    match role {
        Role::Member => "member",
        Role::Administrator => "administrator",
    }
}

const fn disabled_since(standing: &Standing) -> Option<Timestamp> {
    match standing {
        Standing::Active => None,
        Standing::Disabled { since } => Some(*since),
    }
}

impl TryFrom<Row> for User {
    type Error = RowError;

    fn try_from(row: Row) -> Result<Self, RowError> {
        let row = row.of("user");
        let role = match row.get::<String>("role")?.as_str() {
            "member" => Role::Member,
            "administrator" => Role::Administrator,
            other => return Err(row.failure("role", format!("{other:?} is no role"))),
        };
        let disabled: Option<Timestamp> = row.get("disabled_since")?;
        Ok(Self {
            id: row.get("id")?,
            name: row.get("name")?,
            slug: row.get("slug")?,
            number: row.get("number")?,
            role,
            standing: disabled.map_or(Standing::Active, |since| Standing::Disabled { since }),
            created: row.get("created")?,
            last_seen: row.get("last_seen")?,
        })
    }
}
