//! The changes of the schema, in order, and how far a database has got.
//!
//! A file in `migrations/` is never edited once landed: its checksum is kept in the database. The text
//! is portable. The one type that is not SQL is `keytext`: a text that sorts by bytes. To PostgreSQL
//! it is a domain made beforehand; SQLite takes any name that ends in TEXT and sorts by bytes anyway.

use crate::{digest::hex_of, error::StoreError};

/// One change of the schema.
#[derive(Debug)]
pub(crate) struct Step {
    /// Date and time of its making as a number: `yyyymmddhhmmss`.
    pub(crate) version: i64,
    pub(crate) name: &'static str,
    pub(crate) sql: &'static str,
}

/// A change that a database had.
#[derive(Debug, Clone)]
pub(crate) struct Applied {
    pub(crate) version: i64,
    pub(crate) checksum: String,
}

pub(crate) const STEPS: &[Step] = &[
    Step {
        version: 20_261_120_234_500,
        name: "nouns",
        sql: include_str!("../migrations/20261120234500_nouns.sql"),
    },
    Step {
        version: 20_261_121_004_500,
        name: "used_slug",
        sql: include_str!("../migrations/20261121004500_used_slug.sql"),
    },
];

pub(crate) const TABLE: &str = "CREATE TABLE IF NOT EXISTS migration (
    version BIGINT NOT NULL PRIMARY KEY, name TEXT NOT NULL, checksum TEXT NOT NULL)";
pub(crate) const APPLIED: &str = "SELECT version, checksum FROM migration ORDER BY version";
pub(crate) const RECORD: &str = "INSERT INTO migration (version, name, checksum) VALUES ($1, $2, $3)";

pub(crate) const STATEMENTS: &[&str] = &[APPLIED, RECORD];

pub(crate) fn checksum(sql: &str) -> String {
    hex_of(sql.as_bytes())
}

/// Which of `steps` are still to be done.
///
/// # Errors
/// When the database went further than this binary knows, or another way.
pub(crate) fn pending<'a>(
    steps: &'a [Step],
    place: &str,
    applied: &[Applied],
) -> Result<&'a [Step], StoreError> {
    let known = steps.last().map_or(0, |step| step.version);
    if let Some(last) = applied.last().filter(|last| last.version > known) {
        return Err(StoreError::Newer { place: place.to_owned(), found: last.version, known });
    }
    for (position, had) in applied.iter().enumerate() {
        let same = steps
            .get(position)
            .is_some_and(|step| step.version == had.version && checksum(step.sql) == had.checksum);
        if !same {
            return Err(StoreError::ForeignMigration { version: had.version });
        }
    }
    Ok(steps.get(applied.len()..).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeSet, fs, path::Path};

    use super::*;

    #[test]
    fn every_file_is_a_step_and_versions_grow() {
        let listed: Vec<_> = STEPS.iter().map(|step| format!("{}_{}.sql", step.version, step.name)).collect();
        let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations");
        let found: BTreeSet<_> = fs::read_dir(directory)
            .expect("the directory")
            .map(|entry| entry.expect("an entry").file_name().into_string().expect("a name"))
            .collect();
        assert_eq!(listed, found.into_iter().collect::<Vec<_>>());
    }

    #[test]
    fn a_database_from_the_future_or_from_elsewhere_is_refused() {
        let applied = |version, checksum: &str| Applied { version, checksum: checksum.to_owned() };
        let newer = pending(STEPS, "x", &[applied(99_991_231_000_000, "")]).expect_err("refused");
        assert!(matches!(newer, StoreError::Newer { found: 99_991_231_000_000, .. }));
        let foreign = pending(STEPS, "x", &[applied(STEPS[0].version, "other")]).expect_err("refused");
        assert!(matches!(foreign, StoreError::ForeignMigration { .. }));
        assert_eq!(pending(STEPS, "x", &[]).expect("all").len(), STEPS.len());
    }
}
