//! One file of `apps.d`: TOML to a checked [`App`], with the place of a mistake.

use std::fmt;

use portico_core::{
    app::{App, InvalidApp},
    names::AppName,
};
use serde::Deserialize;
use thiserror::Error;
use toml::{
    Spanned,
    de::{DeTable, DeValue, Deserializer},
};

/// Largest definition that is read, in bytes.
pub const MAX_BYTES: usize = 256 * 1024;

/// Why a definition is not used, and where the mistake is.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{problem}")]
pub struct Mistake {
    pub problem: String,
    pub position: Option<Position>,
}

/// A place in a text, both counted from 1; the column in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Position {
    pub line: usize,
    pub column: usize,
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.line, self.column)
    }
}

impl Mistake {
    fn at(text: &str, offset: Option<usize>, problem: impl ToString) -> Self {
        Self { problem: problem.to_string(), position: offset.map(|offset| Position::of(text, offset)) }
    }

    fn from_toml(text: &str, error: &toml::de::Error) -> Self {
        Self::at(text, error.span().map(|span| span.start), error.message())
    }

    /// `file:line:column: what is wrong`, as far as the place is known.
    #[must_use]
    pub fn tell(&self, file: &str) -> String {
        match self.position {
            Some(position) => format!("{file}:{position}: {}", self.problem),
            None => format!("{file}: {}", self.problem),
        }
    }
}

impl Position {
    fn of(text: &str, offset: usize) -> Self {
        let mut offset = offset.min(text.len());
        while !text.is_char_boundary(offset) {
            offset -= 1;
        }
        let before = &text[..offset];
        let line = before.matches('\n').count() + 1;
        let start = before.rfind('\n').map_or(0, |newline| newline + 1);
        Self { line, column: before[start..].chars().count() + 1 }
    }
}

/// Reads a definition. Its name is `stem` unless it says another.
///
/// # Errors
/// The first mistake.
pub fn parse(stem: &str, text: &str) -> Result<App, Mistake> {
    if text.len() > MAX_BYTES {
        return Err(Mistake::at(text, None, "the file is larger than 256 kB"));
    }
    let mut table = DeTable::parse(text).map_err(|error| Mistake::from_toml(text, &error))?;
    if !table.get_ref().contains_key("name") {
        let name: AppName = stem.parse().map_err(|problem| {
            Mistake::at(text, None, format!("the file name {stem:?} is no app name: {problem}"))
        })?;
        let value = DeValue::String(String::from(name).into());
        table.get_mut().insert(Spanned::new(0..0, "name".into()), Spanned::new(0..0, value));
    }
    let places = Places::of(&table);
    let app =
        App::deserialize(Deserializer::from(table)).map_err(|error| Mistake::from_toml(text, &error))?;
    app.check().map_err(|problem| Mistake::at(text, places.of_problem(&problem), &problem))?;
    Ok(app)
}

/// Where the top-level keys stand.
struct Places(Vec<(String, usize)>);

impl Places {
    fn of(table: &Spanned<DeTable<'_>>) -> Self {
        Self(table.get_ref().iter().map(|(key, _)| (key.get_ref().to_string(), key.span().start)).collect())
    }

    fn of_problem(&self, problem: &InvalidApp) -> Option<usize> {
        let key = match problem {
            InvalidApp::Title => "title",
            InvalidApp::Description => "description",
            InvalidApp::Icon => "icon",
            InvalidApp::EmptyCommand | InvalidApp::Image(_) | InvalidApp::User(_) => "run",
            InvalidApp::NoMainEntryPoint | InvalidApp::PortOfImage(_) | InvalidApp::Path(_) => "entry",
            InvalidApp::MountTarget(_) | InvalidApp::MountSource(_) => "mount",
            InvalidApp::DuplicateSize(_) => "size",
            InvalidApp::DuplicateParameter(_) | InvalidApp::Parameter { .. } => "parameter",
            InvalidApp::Variable(_) => "env",
            InvalidApp::Deadline => "ready",
        };
        self.0.iter().find(|(name, _)| name == key).map(|(_, offset)| *offset)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = r#"
title = "Hello"
engine = "local"
[run]
command = ["python3", "-m", "http.server", "{port}"]
[entry.main]
listen = "tcp"
"#;

    fn mistake(text: &str) -> String {
        parse("hello", text).expect_err("a mistake").tell("hello.toml")
    }

    #[test]
    fn the_file_name_names_the_app() {
        assert_eq!(parse("hello", GOOD).expect("an app").name.as_str(), "hello");
        let named = format!("name = \"other\"\n{GOOD}");
        assert_eq!(parse("hello", &named).expect("an app").name.as_str(), "other");
        assert!(parse("Hello World", GOOD).is_err());
    }

    #[test]
    fn a_mistake_is_told_with_its_place() {
        assert_eq!(
            mistake("title = \"x\"\nengine = local\n"),
            "hello.toml:2:10: string values must be quoted, expected literal string"
        );
        assert!(
            mistake(&GOOD.replace("title", "titel")).starts_with("hello.toml:2:1: unknown field `titel`")
        );
        assert!(mistake(&GOOD.replace("\"local\"", "3")).starts_with("hello.toml:3:10: invalid type"));
        assert!(
            mistake(&GOOD.replace("command", "comand")).starts_with("hello.toml:5:1: unknown field `comand`")
        );
        assert_eq!(
            mistake(&GOOD.replace("entry.main", "entry.other")),
            "hello.toml:6:2: there is no entry point named \"main\""
        );
    }

    #[test]
    fn whom_it_admits_can_be_written() {
        let text = format!("grant = [\"everyone\", \"group:Staff\"]\n{GOOD}");
        assert_eq!(parse("hello", &text).expect("an app").grants.len(), 2);
        let told = mistake(&format!(
            "grant = [\"all\"]
{GOOD}"
        ));
        assert!(told.starts_with("hello.toml:1:") && told.contains("expected \"everyone\""), "{told}");
    }
}
