//! A shell on a pseudo-terminal.

use std::{
    env, fs, io,
    os::{fd::OwnedFd, unix::process::ExitStatusExt},
    path::Path,
    process::{ExitStatus, Stdio},
};

use rustix::{
    fs::OFlags,
    process::{Pid, Signal},
    pty::OpenptFlags,
    termios::Winsize,
};
use tokio::{
    net::unix::pipe,
    process::{Child, Command},
};

use crate::protocol::Size;

/// A running shell and the far end of its terminal.
pub(crate) struct Shell {
    child: Child,
    terminal: OwnedFd,
}

/// The two directions of a terminal.
pub(crate) struct Lines {
    pub(crate) output: pipe::Receiver,
    pub(crate) input: pipe::Sender,
}

impl Shell {
    /// Starts the shell of the environment, in the present directory.
    pub(crate) fn start(size: Size) -> io::Result<(Self, Lines)> {
        let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC;
        let terminal = rustix::pty::openpt(flags)?;
        rustix::pty::grantpt(&terminal)?;
        rustix::pty::unlockpt(&terminal)?;
        let name = rustix::pty::ptsname(&terminal, Vec::new())?;
        let near = rustix::fs::open(
            name.as_c_str(),
            OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC,
            rustix::fs::Mode::empty(),
        )?;
        rustix::fs::fcntl_setfl(&terminal, OFlags::RDWR | OFlags::NONBLOCK)?;
        set_size(&terminal, size)?;
        let lines = Lines {
            output: pipe::Receiver::from_owned_fd_unchecked(terminal.try_clone()?)?,
            input: pipe::Sender::from_owned_fd_unchecked(terminal.try_clone()?)?,
        };
        let child = command(near)?.spawn()?;
        Ok((Self { child, terminal }, lines))
    }

    pub(crate) fn resize(&self, size: Size) -> io::Result<()> {
        set_size(&self.terminal, size)
    }

    /// Waits for its end: the exit code, or 128 and the signal.
    pub(crate) async fn ended(&mut self) -> io::Result<Option<i32>> {
        let status: ExitStatus = self.child.wait().await?;
        Ok(status.code().or_else(|| status.signal().map(|signal| 128 + signal)))
    }

    /// Tells it, as a terminal does, that nobody is there any more.
    pub(crate) fn hang_up(&self) {
        let pid = self.child.id().and_then(|pid| Pid::from_raw(i32::try_from(pid).ok()?));
        if let Some(pid) = pid {
            // It leads its own session and group; gone already is as good.
            let _ = rustix::process::kill_process_group(pid, Signal::HUP);
        }
    }
}

fn set_size(terminal: &OwnedFd, size: Size) -> io::Result<()> {
    let size = Winsize { ws_col: size.cols, ws_row: size.rows, ws_xpixel: 0, ws_ypixel: 0 };
    Ok(rustix::termios::tcsetwinsize(terminal, size)?)
}

/// The helper that takes the terminal and becomes a login shell.
fn command(near: OwnedFd) -> io::Result<Command> {
    let shell = choose();
    let mut command = Command::new(env::current_exe()?);
    command.args(["internal", "exec-tty"]).arg(&shell).arg("-l");
    command
        .stdin(Stdio::from(near.try_clone()?))
        .stdout(Stdio::from(near.try_clone()?))
        .stderr(Stdio::from(near))
        .env("TERM", "xterm-256color")
        .env("COLORTERM", "truecolor")
        .env("SHELL", &shell)
        .kill_on_drop(true);
    for (name, default) in [("LANG", "C.UTF-8"), ("PS1", "\\u:\\w\\$ ")] {
        if env::var_os(name).is_none() && (name != "PS1" || shell.ends_with("bash")) {
            command.env(name, default);
        }
    }
    // These say how the workload is reached, which is no concern of what runs in the shell.
    for name in ["PORTICO_SOCKET", "PORTICO_SOCKET_MAIN", "PORTICO_PORT", "PORTICO_PORT_MAIN"] {
        command.env_remove(name);
    }
    Ok(command)
}

fn choose() -> String {
    let wished = env::var("SHELL").ok();
    let candidates = wished.iter().map(String::as_str).chain(["/bin/bash", "/bin/sh"]);
    let there = |shell: &&str| {
        shell.starts_with('/') && fs::metadata(Path::new(shell)).is_ok_and(|file| file.is_file())
    };
    candidates.into_iter().find(there).unwrap_or("/bin/sh").to_owned()
}
