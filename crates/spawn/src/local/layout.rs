//! Where the engine keeps what it keeps.
//!
//! ```text
//! <data>/workspaces/<owner>/<label>   the files of a workload; outlive its instances
//! <data>/local/run/<instance>/        one run: see the constants
//! <data>/local/locks/<instance>       held as long as the run lives
//! <data>/local/ports/<port>           held as long as the port is given away
//! <data>/s/<label>/<entry point>      a socket of a running app, in reach of the front door only
//! <data>/s/<label>/in/                where the app makes its sockets
//! ```
//! Socket paths must fit in 107 bytes; where `<data>` is too long for that, the sockets live in a
//! private directory below the system's temporary one instead.

use std::{
    fs::{DirBuilder, Permissions},
    io,
    os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt},
    path::{Path, PathBuf},
};

use portico_core::names::{InstanceName, Label};
use serde::{Deserialize, Serialize};

use super::record::Home;

/// Longest path that fits in a socket address with its final zero byte.
const LONGEST_SOCKET: usize = 107;
/// `/<label>/in/<entry point>` at its longest.
const SOCKET_TAIL: usize = 1 + 40 + 4 + 20;

/// The directories of an engine. Absolute.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Layout {
    pub(super) data: PathBuf,
    pub(super) workspaces: PathBuf,
    pub(super) run: PathBuf,
    pub(super) locks: PathBuf,
    pub(super) ports: PathBuf,
    pub(super) sockets: PathBuf,
}

impl Layout {
    /// Makes the directories, readable by the hub's user only.
    pub(super) fn create(data: &Path) -> io::Result<Self> {
        create_private(data)?;
        let data = data.canonicalize()?;
        let local = data.join("local");
        let layout = Self {
            workspaces: data.join("workspaces"),
            run: local.join("run"),
            locks: local.join("locks"),
            ports: local.join("ports"),
            sockets: socket_directory(&data),
            data,
        };
        create_private(&local)?;
        for directory in [&layout.workspaces, &layout.run, &layout.locks, &layout.ports, &layout.sockets] {
            create_private(directory)?;
        }
        let owner = layout.sockets.symlink_metadata()?;
        if !owner.is_dir() || owner.uid() != rustix::process::geteuid().as_raw() {
            return Err(io::Error::other(format!("{} belongs to somebody else", layout.sockets.display())));
        }
        layout.sweep();
        Ok(layout)
    }

    pub(super) fn home(&self, name: &InstanceName) -> Home {
        Home::new(self.run.join(name.as_str()))
    }

    pub(super) fn lock(&self, name: &InstanceName) -> PathBuf {
        self.locks.join(name.as_str())
    }

    pub(super) fn doors(&self, label: &Label) -> PathBuf {
        self.sockets.join(label.as_str())
    }

    /// Lets other users walk through to what is theirs, for workloads without a file system view of
    /// their own. They still cannot list any of these directories.
    pub(super) fn let_through(&self) -> io::Result<()> {
        for directory in [&self.data, &self.workspaces, &self.sockets] {
            std::fs::set_permissions(directory, Permissions::from_mode(0o711))?;
        }
        Ok(())
    }

    /// Removes directories that a hub left behind which died while it wrote a plan. Another hub's are
    /// safe: there is at most one per data directory.
    fn sweep(&self) {
        let Ok(entries) = self.run.read_dir() else { return };
        for entry in entries.flatten() {
            if entry.file_name().as_encoded_bytes().starts_with(b".") {
                // Tried again at the next start.
                let _ = std::fs::remove_dir_all(entry.path());
            }
        }
    }
}

/// Makes a directory and its parents, mode 0700; one that is there stays as it is.
pub(super) fn create_private(directory: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(directory)
}

fn socket_directory(data: &Path) -> PathBuf {
    let near = data.join("s");
    if near.as_os_str().len() + SOCKET_TAIL <= LONGEST_SOCKET {
        return near;
    }
    let digest = data.as_os_str().as_encoded_bytes().iter().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    });
    std::env::temp_dir().join(format!("portico-{digest:016x}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sockets_stay_near_unless_the_path_is_too_long() {
        assert_eq!(socket_directory(Path::new("/var/lib/portico")), Path::new("/var/lib/portico/s"));
        let long = PathBuf::from(format!("/{}", "d".repeat(90)));
        assert!(socket_directory(&long).as_os_str().len() + SOCKET_TAIL <= LONGEST_SOCKET);
    }
}
