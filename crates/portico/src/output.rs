//! What the commands print: the only place that writes to standard output and standard error.
//!
//! Tables and sentences for people, one JSON value for `--json`. Texts that come from outside are
//! cleaned of control characters, so that no name can steer a terminal.

use std::{
    fmt::Write as _,
    io::{IsTerminal, Write as _},
};

use serde::Serialize;

/// How results are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Style {
    Human,
    Json,
}

/// Writes one line to standard output. A closed pipe ends the process quietly, as for any filter.
pub(crate) fn line(text: impl AsRef<str>) {
    write_out(&format!("{}\n", text.as_ref()));
}

/// Writes bytes as they are, for logs and exports.
pub(crate) fn write_out(text: &str) {
    bytes(text.as_bytes());
}

/// Writes raw bytes to standard output.
pub(crate) fn bytes(bytes: &[u8]) {
    let mut out = std::io::stdout().lock();
    if out.write_all(bytes).and_then(|()| out.flush()).is_err() {
        std::process::exit(0);
    }
}

/// Writes a remark to standard error: progress and advice that no pipe should carry.
pub(crate) fn note(text: impl AsRef<str>) {
    let mut err = std::io::stderr().lock();
    // A lost remark is no reason to fail.
    let _ = writeln!(err, "{}", text.as_ref());
}

/// Tells why a command failed, the causes behind it included.
pub(crate) fn failure(error: &anyhow::Error) {
    let mut text = format!("portico: {}", clean(&error.to_string()));
    for cause in error.chain().skip(1) {
        let _ = write!(text, ": {}", clean(&cause.to_string()));
    }
    note(text);
}

/// Prints a value as JSON.
pub(crate) fn json<T: Serialize>(value: &T) -> anyhow::Result<()> {
    line(serde_json::to_string_pretty(value)?);
    Ok(())
}

/// Whether a person sits in front of standard error.
pub(crate) fn is_interactive() -> bool {
    std::io::stderr().is_terminal()
}

/// The text without control characters; line breaks inside a cell become blanks.
pub(crate) fn clean(text: &str) -> String {
    text.chars().map(|c| if c == '\n' || c == '\t' { ' ' } else { c }).filter(|c| !c.is_control()).collect()
}

/// A table with aligned columns, as docker prints it.
#[derive(Debug)]
pub(crate) struct Table {
    head: Vec<&'static str>,
    rows: Vec<Vec<String>>,
}

impl Table {
    pub(crate) fn new(head: &[&'static str]) -> Self {
        Self { head: head.to_vec(), rows: Vec::new() }
    }

    pub(crate) fn row<const N: usize>(&mut self, cells: [String; N]) {
        self.rows.push(cells.iter().map(|cell| clean(cell)).collect());
    }

    pub(crate) fn print(&self) {
        write_out(&self.render());
    }

    fn render(&self) -> String {
        let mut widths: Vec<usize> = self.head.iter().map(|title| title.chars().count()).collect();
        for row in &self.rows {
            for (width, cell) in widths.iter_mut().zip(row) {
                *width = (*width).max(cell.chars().count());
            }
        }
        let head: Vec<String> = self.head.iter().map(|title| (*title).to_owned()).collect();
        let mut text = String::new();
        for row in std::iter::once(&head).chain(&self.rows) {
            let mut line = String::new();
            for (cell, width) in row.iter().zip(&widths) {
                let _ = write!(line, "{cell:width$}   ");
            }
            let _ = writeln!(text, "{}", line.trim_end());
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_aligned() {
        let mut table = Table::new(&["NAME", "STATE"]);
        table.row(["terminal".to_owned(), "ready".to_owned()]);
        assert_eq!(table.render(), "NAME       STATE\nterminal   ready\n");
    }

    #[test]
    fn a_name_cannot_steer_the_terminal() {
        assert_eq!(clean("a\u{1b}[31mb\nc"), "a[31mb c");
    }
}
