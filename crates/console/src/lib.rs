//! What a person sees of a workload that is no web page of its own: so far, the terminal.
//!
//! A console runs inside of its workload, as the app: `portico internal terminal --socket PATH`. It is
//! reached through the front door like every other app and knows nothing of users and rights.

mod page;
mod protocol;
mod scrollback;
mod shell;
pub mod terminal;
mod tty;

use std::{
    ffi::OsString,
    io::{self, Write},
    process::ExitCode,
};

/// Runs one of the consoles or their helpers: `terminal --socket PATH`, `terminal --port NUMBER` and
/// `exec-tty COMMAND...`. `None` when the verb is not one of them. The binary calls this for
/// `portico internal VERB ...`.
#[must_use]
pub fn internal(verb: &str, arguments: &[OsString]) -> Option<ExitCode> {
    let result = match (verb, arguments) {
        ("terminal", [option, place]) => terminal::Listen::parse(option, place).and_then(terminal::main),
        ("exec-tty", command) => Err(tty::exec(command)),
        _ => return None,
    };
    Some(result.unwrap_or_else(|error| {
        // Standard error is the log of the workload, or the terminal itself.
        let _ = writeln!(io::stderr(), "portico: {error}");
        ExitCode::from(127)
    }))
}
