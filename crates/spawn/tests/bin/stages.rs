//! What `portico internal VERB ...` does, for the tests of the local engine.

use std::{ffi::OsString, process::ExitCode};

fn main() -> ExitCode {
    let words: Vec<OsString> = std::env::args_os().skip(1).collect();
    match words.as_slice() {
        [internal, verb, arguments @ ..] if internal == "internal" => {
            let verb = verb.to_string_lossy();
            portico_spawn::local::internal(&verb, arguments).unwrap_or(ExitCode::FAILURE)
        }
        _ => ExitCode::FAILURE,
    }
}
