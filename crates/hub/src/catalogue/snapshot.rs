//! One moment of the catalogue: which definition counts for which name.

use std::{collections::BTreeMap, path::PathBuf};

use portico_core::{Timestamp, app::App, names::AppName};
use portico_store::app::StoredApp;

use super::{files::Files, parse::Mistake};

/// All entries by name, and what is wrong with those that could not be read.
#[derive(Debug, Default, PartialEq)]
pub struct Snapshot {
    pub entries: BTreeMap<AppName, Entry>,
    pub mistakes: Vec<FileMistake>,
}

/// A definition and where it comes from.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    pub app: App,
    pub origin: Origin,
}

/// Where a definition comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// Comes with Portico.
    Example,
    File(PathBuf),
    /// Made on a page or through the API.
    Stored {
        version: i64,
        changed: Timestamp,
    },
}

/// What is wrong with a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileMistake {
    pub file: PathBuf,
    pub mistake: Mistake,
}

impl FileMistake {
    /// `file:line:column: what is wrong`.
    #[must_use]
    pub fn tell(&self) -> String {
        self.mistake.tell(&self.file.display().to_string())
    }
}

impl Snapshot {
    /// Of two definitions of one name a file counts before a stored one, and both before an example. Two
    /// files, or a file and a stored one, of one name are told as a mistake.
    pub(super) fn build(files: &Files, stored: Vec<StoredApp>, examples: impl Iterator<Item = App>) -> Self {
        let mut snapshot = Self::default();
        for (file, mistake) in files.mistakes() {
            snapshot.mistakes.push(FileMistake { file: file.clone(), mistake });
        }
        for (file, app) in files.apps() {
            snapshot.add(app.clone(), Origin::File(file.clone()));
        }
        for StoredApp { app, version, changed } in stored {
            snapshot.add(app, Origin::Stored { version, changed });
        }
        for app in examples {
            snapshot.entries.entry(app.name.clone()).or_insert(Entry { app, origin: Origin::Example });
        }
        snapshot
    }

    fn add(&mut self, app: App, origin: Origin) {
        let Some(Entry { origin: Origin::File(first), .. }) = self.entries.get(&app.name) else {
            self.entries.insert(app.name.clone(), Entry { app, origin });
            return;
        };
        let name = &app.name;
        let (file, problem) = match origin {
            Origin::File(file) => (
                file,
                format!("the app {name} is already defined in {}; this file is not used", first.display()),
            ),
            Origin::Stored { .. } | Origin::Example => (
                first.clone(),
                format!("the app {name} was also made on a page; this file counts, delete one of the two"),
            ),
        };
        self.mistakes.push(FileMistake { file, mistake: Mistake { problem, position: None } });
    }
}
