//! What `portico internal VERB ...` does, for the tests of the consoles.

use std::{ffi::OsString, process::ExitCode};

fn main() -> ExitCode {
    let words: Vec<OsString> = std::env::args_os().skip(1).collect();
    match words.as_slice() {
        [internal, verb, arguments @ ..] if internal == "internal" => {
            portico_console::internal(&verb.to_string_lossy(), arguments).unwrap_or(ExitCode::FAILURE)
        }
        _ => ExitCode::FAILURE,
    }
}
