//! Workloads: what runs, ran or will run.
//!
//! The launch specification stands in a table of its own, since it is large and never changes; what
//! lists filter by are columns of their own. Every write names the version that was read.

mod list;

use jiff::Timestamp;
use portico_core::{
    UserId, WorkloadId,
    launch::Owner,
    names::Label,
    quota::Held,
    workload::{Phase, State, Workload},
};

pub use self::list::{Filter, list};
use crate::{
    error::{RowError, StoreError},
    page::{fetch, searchable},
    row::Row,
    tx::Tx,
    value::params,
};

/// Selects whole workloads; a condition follows.
macro_rules! select {
    ($rest:expr) => {
        concat!(
            "SELECT w.id, w.label, w.owner_id, w.owner_slug, w.owner_number, w.app, w.title, s.icon,
                w.engine, s.spec, w.state, w.generation, w.created, w.changed, w.version
            FROM workload w JOIN workload_spec s ON s.workload_id = w.id ",
            $rest
        )
    };
}
use select;

const INSERT: &str = "INSERT INTO workload
    (id, label, owner_id, owner_slug, owner_number, app, title, engine, phase, state, generation,
     cpu_millis, memory_mib, created, changed, ended, version, events, search)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, 0, $18)";
const INSERT_SPEC: &str = "INSERT INTO workload_spec (workload_id, icon, spec) VALUES ($1, $2, $3)";
const UPDATE: &str = "UPDATE workload
    SET title = $3, phase = $4, state = $5, generation = $6, changed = $7, ended = $8, search = $9,
        version = version + 1
    WHERE id = $1 AND version = $2";
const BY_ID: &str = select!("WHERE w.id = $1");
const BY_LABEL: &str = select!("WHERE w.label = $1");
const LIVE: &str = select!("WHERE w.ended IS NULL ORDER BY w.id");
const ENDED_BEFORE: &str = select!("WHERE w.ended < $1 ORDER BY w.ended, w.id LIMIT $2");
const HELD_BY: &str = "SELECT COUNT(*) AS workloads,
        CAST(COALESCE(SUM(cpu_millis), 0) AS BIGINT) AS cpu_millis,
        CAST(COALESCE(SUM(memory_mib), 0) AS BIGINT) AS memory_mib
    FROM workload WHERE owner_id = $1 AND ended IS NULL";
const COUNTS: &str = "SELECT phase, COUNT(*) AS count FROM workload GROUP BY phase ORDER BY phase";
const BURY: &str = "INSERT INTO gone (label, workload_id, owner_id, title, at)
    SELECT label, id, owner_id, title, CAST($2 AS BIGINT) FROM workload WHERE id = $1
    ON CONFLICT (label) DO NOTHING";
const DELETE: &str = "DELETE FROM workload WHERE id = $1";

pub(crate) const STATEMENTS: &[&str] = &[
    INSERT,
    INSERT_SPEC,
    UPDATE,
    BY_ID,
    BY_LABEL,
    LIVE,
    ENDED_BEFORE,
    HELD_BY,
    COUNTS,
    BURY,
    DELETE,
    list::ALL,
    list::OF_OWNER,
    list::LIVE,
    list::LIVE_OF_OWNER,
    list::OF_APP,
    list::ON_ENGINE,
    list::IN_PHASE,
    list::BY_TEXT,
];

/// # Errors
/// [`StoreError::Duplicate`] on column `label`, [`StoreError::Reference`] when the owner is no more.
pub async fn insert(tx: &mut Tx, workload: &Workload) -> Result<(), StoreError> {
    let params = params![
        workload.id,
        workload.label,
        workload.owner.user,
        workload.owner.slug,
        workload.owner.number,
        workload.app,
        workload.title,
        workload.engine,
        workload.phase().as_str(),
        json(&workload.state),
        workload.generation,
        workload.spec.limits.cpu_millis,
        workload.spec.limits.memory_mib,
        workload.created,
        workload.changed,
        ended(&workload.state),
        workload.version,
        search_text(workload),
    ];
    tx.execute(INSERT, params).await?;
    let params = params![workload.id, workload.icon, json(&workload.spec)];
    tx.execute(INSERT_SPEC, params).await.map(drop)
}

/// Writes title, state, generation and moment of a workload that is still at `workload.version`, and
/// returns the new version. Owner, app, engine and specification never change.
///
/// # Errors
/// [`StoreError::Conflict`] when somebody else wrote it meanwhile, or it was deleted.
pub async fn update(tx: &mut Tx, workload: &Workload) -> Result<i64, StoreError> {
    let params = params![
        workload.id,
        workload.version,
        workload.title,
        workload.phase().as_str(),
        json(&workload.state),
        workload.generation,
        workload.changed,
        ended(&workload.state),
        search_text(workload),
    ];
    match tx.execute(UPDATE, params).await? {
        0 => Err(StoreError::Conflict { what: "workload" }),
        _ => Ok(workload.version + 1),
    }
}

/// # Errors
/// When the database fails.
pub async fn by_id(tx: &mut Tx, id: &WorkloadId) -> Result<Option<Workload>, StoreError> {
    tx.first(BY_ID, params![id]).await
}

/// # Errors
/// When the database fails.
pub async fn by_label(tx: &mut Tx, label: &Label) -> Result<Option<Workload>, StoreError> {
    tx.first(BY_LABEL, params![label]).await
}

/// All that have not ended, those that are stopping included, oldest first.
///
/// # Errors
/// When the database fails.
pub async fn live(tx: &mut Tx) -> Result<Vec<Workload>, StoreError> {
    tx.all(LIVE, params![]).await
}

/// At most `limit` that ended before `cutoff`, longest ended first.
///
/// # Errors
/// When the database fails.
pub async fn ended_before(tx: &mut Tx, cutoff: Timestamp, limit: u32) -> Result<Vec<Workload>, StoreError> {
    tx.all(ENDED_BEFORE, params![cutoff, fetch(limit) - 1]).await
}

/// What a user holds now. Only a transaction that called [`crate::user::lock`] before may conclude
/// from it that something fits a quota.
///
/// # Errors
/// When the database fails.
pub async fn held_by(tx: &mut Tx, owner: &UserId) -> Result<Held, StoreError> {
    let row = tx.rows(HELD_BY, params![owner]).await?.into_iter().next();
    let row = row.ok_or(StoreError::Missing { what: "sum" })?.of("workload");
    Ok(Held {
        workloads: row.get("workloads")?,
        cpu_millis: row.get("cpu_millis")?,
        memory_mib: row.get("memory_mib")?,
    })
}

/// How many are in which phase; phases without any are left out.
///
/// # Errors
/// When the database fails.
pub async fn counts(tx: &mut Tx) -> Result<Vec<(Phase, u64)>, StoreError> {
    let rows = tx.rows(COUNTS, params![]).await?;
    let read = |row: Row| {
        let row = row.of("workload");
        Ok::<_, RowError>((row.get("phase")?, row.get("count")?))
    };
    Ok(rows.into_iter().map(read).collect::<Result<_, _>>()?)
}

/// Deletes a workload with its events, and leaves a [`crate::gone::Gone`].
///
/// # Errors
/// When the database fails.
pub async fn delete(tx: &mut Tx, id: &WorkloadId, now: Timestamp) -> Result<bool, StoreError> {
    tx.execute(BURY, params![id, now]).await?;
    Ok(tx.execute(DELETE, params![id]).await? > 0)
}

fn json<T: serde::Serialize>(part: &T) -> String {
    serde_json::to_string(part).expect("states and specifications have only text keys")
}

const fn ended(state: &State) -> Option<Timestamp> {
    match state {
        State::Stopped { at, .. } | State::Failed { at, .. } => Some(*at),
        _ => None,
    }
}

fn search_text(workload: &Workload) -> String {
    searchable(&[
        &workload.title,
        workload.app.as_str(),
        workload.owner.slug.as_str(),
        workload.label.as_str(),
    ])
}

impl TryFrom<Row> for Workload {
    type Error = RowError;

    fn try_from(row: Row) -> Result<Self, RowError> {
        let row = row.of("workload");
        Ok(Self {
            id: row.get("id")?,
            label: row.get("label")?,
            owner: Owner {
                user: row.get("owner_id")?,
                slug: row.get("owner_slug")?,
                number: row.get("owner_number")?,
            },
            app: row.get("app")?,
            title: row.get("title")?,
            icon: row.get("icon")?,
            engine: row.get("engine")?,
            spec: row.json("spec")?,
            state: row.json("state")?,
            generation: row.get("generation")?,
            created: row.get("created")?,
            changed: row.get("changed")?,
            version: row.get("version")?,
        })
    }
}
