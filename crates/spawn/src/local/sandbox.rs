//! What a workload sees of the host, as arguments of bubblewrap.
//!
//! The view is made from nothing: the system's programs and libraries, a few files of `/etc`, the
//! workspace, the socket directory, and what the engine's configuration and the app list. There is no
//! home, no `/var`, no `/run` of the host, no other process, and no data of Portico in it. Values that
//! may be secret are never arguments: they reach the app through [`super::enter`].

use std::{
    collections::BTreeSet,
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
};

use portico_core::app::{Mount, MountMode, Network};

/// Paths inside.
pub(super) const WORKSPACE: &str = "/workspace";
pub(super) const SOCKETS: &str = "/run/portico/sockets";
pub(super) const EXECUTABLE: &str = "/run/portico/portico";

/// Places inside that a configured mount may not cover.
const RESERVED: [&str; 12] = [
    "/proc",
    "/dev",
    "/usr",
    "/bin",
    "/sbin",
    "/lib",
    "/lib32",
    "/lib64",
    "/libx32",
    "/etc",
    "/run/portico",
    "/sys",
];

/// Files and directories of `/etc` that hold no secrets and without which programs misbehave.
const ETC: [&str; 24] = [
    "alternatives",
    "bash.bashrc",
    "ca-certificates",
    "ca-certificates.conf",
    "debian_version",
    "fonts",
    "gai.conf",
    "host.conf",
    "inputrc",
    "java-17-openjdk",
    "ld.so.cache",
    "ld.so.conf",
    "ld.so.conf.d",
    "localtime",
    "magic",
    "mime.types",
    "nsswitch.conf",
    "os-release",
    "profile",
    "protocols",
    "resolv.conf",
    "services",
    "ssl/certs",
    "terminfo",
];

/// Everything that the view depends on.
#[derive(Debug)]
pub(super) struct View<'a> {
    /// Directory with the made-up `passwd`, `group`, `hosts` and `hostname`.
    pub(super) etc: &'a Path,
    pub(super) workspace: &'a Path,
    /// Where the app makes its sockets.
    pub(super) sockets: &'a Path,
    pub(super) executable: &'a Path,
    /// Read-only trees at their own place.
    pub(super) trees: &'a [PathBuf],
    pub(super) mounts: &'a [Mount],
    pub(super) network: Network,
    /// Most that each temporary file system holds.
    pub(super) scratch_bytes: u64,
    /// Whether bubblewrap runs as root and its child gives that up, instead of a user namespace.
    pub(super) as_root: bool,
}

/// The arguments, without the command.
pub(super) fn arguments(view: &View<'_>) -> Vec<OsString> {
    let mut list = Arguments::default();
    list.words(["--unshare-pid", "--unshare-ipc", "--unshare-uts", "--unshare-cgroup-try"]);
    if view.as_root {
        // The child changes to the user's id and thereby gives up the little that it is left.
        list.words(["--cap-drop", "ALL", "--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID"]);
        list.words(["--cap-add", "CAP_SETPCAP"]);
    } else {
        list.word("--unshare-user");
    }
    if view.network == Network::None {
        list.word("--unshare-net");
    }
    list.words(["--hostname", "portico", "--die-with-parent"]);
    system(&mut list);
    for name in ["passwd", "group", "hosts", "hostname"] {
        list.bind("--ro-bind", &view.etc.join(name), &Path::new("/etc").join(name));
    }
    list.words(["--proc", "/proc", "--dev", "/dev"]);
    let scratch = view.scratch_bytes.to_string();
    for place in ["/tmp", "/dev/shm"] {
        list.words(["--perms", "1777", "--size", &scratch, "--tmpfs", place]);
    }
    list.words(["--dir", "/var", "--symlink", "/tmp", "/var/tmp"]);
    for tree in view.trees {
        match linked_file(tree) {
            // Stays a link, because programs find their installation by following it.
            Some(target) => list.bind("--symlink", &target, tree),
            None => list.bind("--ro-bind-try", tree, tree),
        }
    }
    list.bind("--bind", view.workspace, Path::new(WORKSPACE));
    list.bind("--bind", view.sockets, Path::new(SOCKETS));
    list.bind("--ro-bind", view.executable, Path::new(EXECUTABLE));
    for mount in view.mounts {
        let how = match mount.mode {
            MountMode::ReadOnly => "--ro-bind",
            MountMode::ReadWrite => "--bind",
        };
        list.bind(how, Path::new(&mount.source), Path::new(&mount.target));
    }
    list.words(["--remount-ro", "/", "--chdir", "/"]);
    list.words
}

/// The view in words, for people.
pub(super) fn describe(view: &View<'_>) -> Vec<String> {
    let mut lines = vec![format!("workspace at {WORKSPACE}, read-write")];
    for mount in view.mounts {
        let mode = match mount.mode {
            MountMode::ReadOnly => "read-only",
            MountMode::ReadWrite => "read-write",
        };
        lines.push(format!("{} at {}, {mode}", mount.source, mount.target));
    }
    lines.extend(view.trees.iter().map(|tree| format!("{0} at {0}, read-only", tree.display())));
    lines.push("programs and libraries of the host, read-only".to_owned());
    lines
}

/// Why a mount cannot be made, as a sentence fragment.
pub(super) fn refuse_mount(mount: &Mount, workspace: &Path, data: &Path) -> Option<String> {
    let target = Path::new(&mount.target);
    if RESERVED.iter().any(|place| target.starts_with(place)) || target == Path::new(WORKSPACE) {
        return Some(format!("nothing can be mounted at {}", mount.target));
    }
    let Ok(source) = Path::new(&mount.source).canonicalize() else {
        return Some(format!("the mount source {} was not found", mount.source));
    };
    if data.starts_with(&source) || source.starts_with(data) {
        return Some(format!("the mount source {} holds data of Portico", mount.source));
    }
    // The mount point is made with the hub's rights: a link in the workspace must not lead it astray.
    let inside = target.strip_prefix(WORKSPACE).ok()?;
    let mut place = workspace.to_owned();
    for part in inside.components() {
        place.push(part);
        if fs::symlink_metadata(&place).is_ok_and(|data| data.is_symlink()) {
            return Some(format!(
                "{} is a link in the workspace, so nothing can be mounted there",
                mount.target
            ));
        }
    }
    None
}

/// Programs, libraries and the harmless part of `/etc`.
fn system(list: &mut Arguments) {
    list.words(["--ro-bind", "/usr", "/usr"]);
    for name in ["bin", "sbin", "lib", "lib32", "lib64", "libx32"] {
        let place = Path::new("/").join(name);
        match fs::read_link(&place) {
            Ok(target) => list.bind("--symlink", &target, &place),
            Err(_) if place.is_dir() => list.bind("--ro-bind", &place, &place),
            Err(_) => {}
        }
    }
    for name in ETC {
        let place = Path::new("/etc").join(name);
        list.bind("--ro-bind-try", &place, &place);
    }
}

/// The file that a link to a file leads to in the end.
fn linked_file(path: &Path) -> Option<PathBuf> {
    let is_link = fs::symlink_metadata(path).ok()?.is_symlink();
    path.canonicalize().ok().filter(|target| is_link && target.is_file())
}

#[derive(Default)]
struct Arguments {
    words: Vec<OsString>,
    /// Directories made so far.
    made: BTreeSet<PathBuf>,
}

impl Arguments {
    fn word(&mut self, word: &str) {
        self.words.push(word.into());
    }

    fn words<'a>(&mut self, words: impl IntoIterator<Item = &'a str>) {
        self.words.extend(words.into_iter().map(OsString::from));
    }

    fn bind(&mut self, how: &str, source: &Path, target: &Path) {
        self.parents(target);
        self.words.extend([how.into(), source.into(), target.into()]);
    }

    /// Makes the directories above a target, since those that bubblewrap makes by itself can be
    /// entered by nobody else. The workspace is not touched.
    fn parents(&mut self, target: &Path) {
        let above: Vec<_> = target.ancestors().skip(1).filter(|above| above.parent().is_some()).collect();
        for directory in above.into_iter().rev() {
            if !directory.starts_with(WORKSPACE) && self.made.insert(directory.to_owned()) {
                self.words.extend(["--dir".into(), directory.into()]);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn view(mounts: &[Mount]) -> Vec<String> {
        let view = View {
            etc: Path::new("/data/local/run/x/etc"),
            workspace: Path::new("/data/workspaces/alice/w1"),
            sockets: Path::new("/data/s/w1/in"),
            executable: Path::new("/opt/portico/bin/portico"),
            trees: &[PathBuf::from("/opt/venv")],
            mounts,
            network: Network::None,
            scratch_bytes: 1 << 20,
            as_root: true,
        };
        arguments(&view).into_iter().map(|word| word.into_string().expect("text")).collect()
    }

    #[test]
    fn only_what_is_listed_is_bound_read_write() {
        let mounts = [Mount {
            source: "/srv/set".to_owned(),
            target: "/data/set".to_owned(),
            mode: MountMode::ReadWrite,
        }];
        let words = view(&mounts);
        let writable: Vec<_> = words
            .windows(3)
            .filter(|three| three[0] == "--bind")
            .map(|three| (three[1].as_str(), three[2].as_str()))
            .collect();
        let expected =
            [("/data/workspaces/alice/w1", WORKSPACE), ("/data/s/w1/in", SOCKETS), ("/srv/set", "/data/set")];
        assert_eq!(writable, expected);
    }

    #[test]
    fn no_network_is_its_own_namespace() {
        assert!(view(&[]).contains(&"--unshare-net".to_owned()));
    }

    #[test]
    fn a_linked_program_stays_a_link() {
        let place = tempfile::tempdir().expect("a directory");
        let (file, link) = (place.path().join("file"), place.path().join("link"));
        fs::write(&file, "").expect("written");
        std::os::unix::fs::symlink("file", &link).expect("linked");
        assert_eq!(linked_file(&link), file.canonicalize().ok());
        assert_eq!(linked_file(&file), None);
        assert_eq!(linked_file(place.path()), None);
    }

    #[test]
    fn mounts_that_would_break_the_view_are_refused() {
        let place = tempfile::tempdir().expect("a directory");
        let (workspace, data) = (place.path().join("ws"), place.path().join("data"));
        fs::create_dir_all(&workspace).expect("made");
        fs::create_dir_all(data.join("x")).expect("made");
        std::os::unix::fs::symlink("/etc", workspace.join("link")).expect("linked");
        let data = data.canonicalize().expect("there");
        let refused = |source: &str, target: &str| {
            let mount =
                Mount { source: source.to_owned(), target: target.to_owned(), mode: MountMode::ReadOnly };
            refuse_mount(&mount, &workspace, &data).is_some()
        };
        assert!(refused("/usr/share", "/proc/x") && refused("/usr/share", "/etc/ssl"));
        assert!(refused("/usr/share", "/workspace") && refused("/usr/share", "/workspace/link/x"));
        assert!(refused("/no/such/source", "/mnt"));
        let inner = data.join("x");
        assert!(refused(inner.to_str().expect("text"), "/mnt"));
        assert!(!refused("/usr/share", "/mnt") && !refused("/usr/share", "/workspace/share"));
    }
}
