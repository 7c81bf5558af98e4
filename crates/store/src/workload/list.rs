//! Lists of workloads by filters.
//!
//! Any filters may be combined. There is one statement per condition that an index can lead by; the
//! most selective one given is chosen, and each statement checks all the others row by row.

use portico_core::{
    UserId, WorkloadId,
    names::{AppName, EngineName},
    workload::{Phase, Workload},
};

use super::select;
use crate::{
    error::StoreError,
    page::{Page, containing, fetch},
    tx::Tx,
    value::params,
};

/// Which workloads to list; what is empty does not filter.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    pub owner: Option<UserId>,
    /// In any of these.
    pub phases: Vec<Phase>,
    pub app: Option<AppName>,
    pub engine: Option<EngineName>,
    /// Contained in title, app, owner's slug or label, in upper or lower case.
    pub text: String,
}

/// The page is found first in the narrow table, and only its rows are joined with what is large.
macro_rules! list {
    ($lead:expr) => {
        select!(concat!(
            "WHERE w.id IN (SELECT id FROM workload WHERE ",
            $lead,
            r" id < $1
                AND (CAST($2 AS TEXT) IS NULL OR owner_id = $2)
                AND (CAST($3 AS TEXT) IS NULL OR $3 LIKE '%,' || phase || ',%')
                AND (CAST($4 AS TEXT) IS NULL OR app = $4)
                AND (CAST($5 AS TEXT) IS NULL OR engine = $5)
                AND (CAST($6 AS TEXT) IS NULL OR search LIKE $6 ESCAPE '\')
                AND (CAST($7 AS TEXT) IS NULL OR phase = $7)
                ORDER BY id DESC LIMIT $8) ORDER BY w.id DESC"
        ))
    };
}

pub(super) const ALL: &str = list!("");
pub(super) const OF_OWNER: &str = list!("owner_id = $2 AND");
pub(super) const LIVE: &str = list!("ended IS NULL AND");
pub(super) const LIVE_OF_OWNER: &str = list!("owner_id = $2 AND ended IS NULL AND");
pub(super) const OF_APP: &str = list!("app = $4 AND");
pub(super) const ON_ENGINE: &str = list!("engine = $5 AND");
pub(super) const IN_PHASE: &str = list!("phase = $7 AND");

/// Reads nothing but one index until it has found the page.
pub(super) const BY_TEXT: &str = select!(
    r"WHERE w.id IN (SELECT id FROM workload WHERE id < $1 AND search LIKE $2 ESCAPE '\'
        ORDER BY id DESC LIMIT $3) ORDER BY w.id DESC"
);

/// Sorts after every id: ids begin with a digit up to 7.
const AFTER_ALL: &str = "z";

/// Newest first, those older than `before`.
///
/// # Errors
/// When the database fails.
pub async fn list(
    tx: &mut Tx,
    filter: &Filter,
    before: Option<&WorkloadId>,
    limit: u32,
) -> Result<Page<Workload>, StoreError> {
    let before = before.map_or(AFTER_ALL, WorkloadId::as_str);
    let text = containing(&filter.text);
    let anything = Filter { text: filter.text.clone(), ..Filter::default() };
    if text.is_some() && *filter == anything {
        return Ok(Page::cut(tx.all(BY_TEXT, params![before, text, fetch(limit)]).await?, limit));
    }
    let phases: String = filter.phases.iter().map(|phase| format!(",{phase}")).collect();
    let phase = if let [phase] = filter.phases.as_slice() { Some(phase.as_str()) } else { None };
    let params = params![
        before,
        filter.owner,
        (!phases.is_empty()).then(|| format!("{phases},")),
        filter.app,
        filter.engine,
        text,
        phase,
        fetch(limit),
    ];
    Ok(Page::cut(tx.all(statement(filter), params).await?, limit))
}

fn statement(filter: &Filter) -> &'static str {
    let live = !filter.phases.is_empty() && filter.phases.iter().all(|phase| !phase.is_ended());
    match (&filter.owner, &filter.app, &filter.engine) {
        (Some(_), _, _) if live => LIVE_OF_OWNER,
        (Some(_), _, _) => OF_OWNER,
        _ if live => LIVE,
        (_, Some(_), _) => OF_APP,
        (_, _, Some(_)) => ON_ENGINE,
        _ if filter.phases.len() == 1 => IN_PHASE,
        _ => ALL,
    }
}
