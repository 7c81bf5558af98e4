//! The record of acts. It only grows: there is no way here to change or delete a line.

use jiff::{SignedDuration, Timestamp};
use portico_core::{
    AuditId, UserId,
    audit::{AuditEvent, Outcome, Via},
};

use crate::{
    error::{RowError, StoreError},
    page::{Page, beginning, fetch},
    row::Row,
    tx::Tx,
    value::params,
};

const INSERT: &str = "INSERT INTO audit
    (id, at, user_id, user_name, via, via_id, address, action, thing, outcome, detail)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)";

/// Lists by a condition that an index can lead by; the other filters are checked row by row.
macro_rules! list {
    ($lead:expr) => {
        concat!(
            "SELECT id, at, user_id, user_name, via, via_id, address, action, thing, outcome, detail
            FROM audit WHERE ",
            $lead,
            r" id < $1 AND id >= $2 AND at >= $3 AND at < $4
                AND (CAST($5 AS TEXT) IS NULL OR user_id = $5)
                AND (CAST($6 AS TEXT) IS NULL OR thing = $6)
                AND (CAST($7 AS TEXT) IS NULL OR action LIKE $7 ESCAPE '\')
                AND (CAST($8 AS TEXT) IS NULL OR outcome = $8)
            ORDER BY id DESC LIMIT $9"
        )
    };
}

const ALL: &str = list!("");
const OF_USER: &str = list!("user_id = $5 AND");
const OF_THING: &str = list!("thing = $6 AND");
const EXPORT: &str = "SELECT id, at, user_id, user_name, via, via_id, address, action, thing, outcome, detail
    FROM audit WHERE id > $1 ORDER BY id LIMIT $2";

pub(crate) const STATEMENTS: &[&str] = &[INSERT, ALL, OF_USER, OF_THING, EXPORT];

/// Which lines to list; what is empty does not filter.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    pub user: Option<UserId>,
    /// `workload.` finds all acts on workloads, `workload.launch` one kind of them.
    pub action: String,
    /// Kind and id exactly as recorded.
    pub thing: Option<String>,
    pub outcome: Option<Outcome>,
    /// First moment.
    pub from: Option<Timestamp>,
    /// First moment that is too late.
    pub until: Option<Timestamp>,
}

/// Records an act. Texts are cut to 200 characters, the detail to 4000, so that nobody can make a line
/// that is too long to be kept.
///
/// # Errors
/// [`StoreError::Duplicate`] when the id was used.
pub async fn append(tx: &mut Tx, event: &AuditEvent) -> Result<(), StoreError> {
    let (via, via_id) = match &event.via {
        Via::Login(id) => ("login", Some(id.as_str())),
        Via::Token(id) => ("token", Some(id.as_str())),
        Via::Console => ("console", None),
        Via::Anonymous => ("anonymous", None),
        Via::Portico => ("portico", None),
    };
    let params = params![
        event.id,
        event.at,
        event.user,
        cut(&event.user_name, 200),
        via,
        via_id,
        cut(&event.address, 200),
        cut(&event.action, 200),
        cut(&event.thing, 200),
        outcome_text(event.outcome),
        cut(&event.detail, 4000),
    ];
    tx.execute(INSERT, params).await.map(drop)
}

/// Newest first, those older than `before`.
///
/// # Errors
/// When the database fails.
pub async fn list(
    tx: &mut Tx,
    filter: &Filter,
    before: Option<&AuditId>,
    limit: u32,
) -> Result<Page<AuditEvent>, StoreError> {
    let statement = match (&filter.thing, &filter.user) {
        (Some(_), _) => OF_THING,
        (None, Some(_)) => OF_USER,
        (None, None) => ALL,
    };
    let (from, until) = bounds(filter);
    let params = params![
        before.map_or(until.as_str(), |before| before.as_str().min(until.as_str())),
        from,
        filter.from.unwrap_or(Timestamp::MIN),
        filter.until.unwrap_or(Timestamp::MAX),
        filter.user,
        filter.thing,
        beginning(&filter.action),
        filter.outcome.map(outcome_text),
        fetch(limit),
    ];
    Ok(Page::cut(tx.all(statement, params).await?, limit))
}

/// Oldest first, those after `after`: the way to read all of it, page by page.
///
/// # Errors
/// When the database fails.
pub async fn export(
    tx: &mut Tx,
    after: Option<&AuditId>,
    limit: u32,
) -> Result<Page<AuditEvent>, StoreError> {
    let after = after.map_or("", AuditId::as_str);
    Ok(Page::cut(tx.all(EXPORT, params![after, fetch(limit)]).await?, limit))
}

/// Ids begin with the moment of their making, which is within a day of the act's. They bound a range
/// of time by the primary key, so that an old range is found without reading all that came later.
fn bounds(filter: &Filter) -> (String, String) {
    let day = SignedDuration::from_hours(24);
    let id = |at: Timestamp| AuditId::new(at, [0; 10]).to_string();
    let from = filter.from.and_then(|from| from.checked_sub(day).ok());
    let until = filter.until.and_then(|until| until.checked_add(day).ok());
    let after_all = "z".to_owned();
    (from.map_or_else(String::new, id), until.filter(|at| at.as_millisecond() > 0).map_or(after_all, id))
}

fn cut(text: &str, max: usize) -> String {
    text.chars().take(max).map(|c| if c == '\0' { char::REPLACEMENT_CHARACTER } else { c }).collect()
}

const fn outcome_text(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Done => "done",
        Outcome::Refused => "refused",
        Outcome::Failed => "failed",
    }
}

impl TryFrom<Row> for AuditEvent {
    type Error = RowError;

    fn try_from(row: Row) -> Result<Self, RowError> {
        let row = row.of("audit");
        let via = match row.get::<String>("via")?.as_str() {
            "login" => Via::Login(row.get("via_id")?),
            "token" => Via::Token(row.get("via_id")?),
            "console" => Via::Console,
            "anonymous" => Via::Anonymous,
            "portico" => Via::Portico,
            other => return Err(row.failure("via", format!("{other:?} is no way to act"))),
        };
        let outcome = match row.get::<String>("outcome")?.as_str() {
            "done" => Outcome::Done,
            "refused" => Outcome::Refused,
            "failed" => Outcome::Failed,
            other => return Err(row.failure("outcome", format!("{other:?} is no outcome"))),
        };
        Ok(Self {
            id: row.get("id")?,
            at: row.get("at")?,
            user: row.get("user_id")?,
            user_name: row.get("user_name")?,
            via,
            address: row.get("address")?,
            action: row.get("action")?,
            thing: row.get("thing")?,
            outcome,
            detail: row.get("detail")?,
        })
    }
}
