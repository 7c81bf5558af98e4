//! The step between the terminal server and the shell: a process that makes its standard input its
//! controlling terminal and then becomes the shell.
//!
//! It exists because that has to happen after the fork and before the exec, where only a program of
//! its own may do something without `unsafe`.

use std::{ffi::OsString, io, os::unix::process::CommandExt, process::Command};

/// Becomes the command, in a session of its own on the terminal that is its standard input. Returns
/// only when that failed.
pub(crate) fn exec(command: &[OsString]) -> io::Error {
    let [program, arguments @ ..] = command else { return io::Error::other("no command") };
    let prepared =
        rustix::process::setsid().and_then(|_| rustix::process::ioctl_tiocsctty(rustix::stdio::stdin()));
    match prepared {
        Ok(()) => Command::new(program).args(arguments).exec(),
        Err(error) => error.into(),
    }
}
