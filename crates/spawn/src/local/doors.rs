//! How an app is reached: a loopback port of its own, or a unix socket.
//!
//! A port is reserved by a lock for as long as the run lives, so that no two runs are given the same.
//! A socket is made by the app in a directory of its own; what the front door connects to is a hard
//! link to it in a directory that the app cannot touch. An app that puts a symbolic link in its place,
//! to have the front door open some socket of the host, gains nothing: only sockets are linked.

use std::{
    collections::BTreeMap,
    fs, io,
    net::{Ipv4Addr, SocketAddr, TcpListener},
    os::unix::fs::{FileTypeExt, MetadataExt},
    path::{Path, PathBuf},
};

use portico_core::{
    app::{EntryPoint, Listen},
    names::EntryPointName,
    route::Upstream,
};
use rustix::fs::AtFlags;

use super::record::Lock;

/// The doors of a run and what must be kept while it lives.
#[derive(Debug, Default)]
pub(super) struct Doors {
    pub(super) upstreams: BTreeMap<EntryPointName, Upstream>,
    /// What the placeholders `{port}`, `{socket}`, `{port.NAME}` and `{socket.NAME}` stand for.
    pub(super) values: BTreeMap<String, String>,
    sockets: Vec<Socket>,
    _ports: Vec<Lock>,
}

#[derive(Debug)]
struct Socket {
    /// Where the app makes it.
    made: PathBuf,
    /// Where the front door finds it.
    link: PathBuf,
}

/// Where doors can be made.
#[derive(Debug)]
pub(super) struct Site<'a> {
    /// Directory of the links, the hub's own.
    pub(super) links: &'a Path,
    /// Directory of the sockets on the host, and as the app sees it.
    pub(super) sockets: &'a Path,
    pub(super) seen_sockets: &'a Path,
    /// Directory of the locks of ports.
    pub(super) locks: &'a Path,
    /// First and last port.
    pub(super) ports: (u16, u16),
}

impl Doors {
    /// Decides about all entry points.
    pub(super) fn plan(
        entry_points: &BTreeMap<EntryPointName, EntryPoint>,
        site: &Site<'_>,
    ) -> io::Result<Self> {
        let mut doors = Self::default();
        for (name, entry) in entry_points {
            let upstream = match entry.listen {
                Listen::Unix => {
                    let link = site.links.join(name.as_str());
                    doors.name("socket", name, &site.seen_sockets.join(name.as_str()).to_string_lossy());
                    doors.sockets.push(Socket { made: site.sockets.join(name.as_str()), link: link.clone() });
                    Upstream::Unix(link)
                }
                Listen::Tcp { port } => {
                    let (port, lock) = reserve(site, port)?;
                    doors._ports.push(lock);
                    doors.name("port", name, &port.to_string());
                    Upstream::Tcp(SocketAddr::from((Ipv4Addr::LOCALHOST, port)))
                }
            };
            doors.upstreams.insert(name.clone(), upstream);
        }
        Ok(doors)
    }

    fn name(&mut self, kind: &str, entry: &EntryPointName, value: &str) {
        if entry.as_str() == "main" {
            self.values.insert(kind.to_owned(), value.to_owned());
        }
        self.values.insert(format!("{kind}.{entry}"), value.to_owned());
    }

    /// Links the sockets that are there now. Tells whether every socket has its link.
    pub(super) fn link(&self) -> bool {
        let missing = self.sockets.iter().filter(|socket| !socket.link().unwrap_or(false)).count();
        missing == 0
    }
}

impl Socket {
    /// Whether the link leads to the app's present socket, after making it so where possible.
    fn link(&self) -> io::Result<bool> {
        let made = match fs::symlink_metadata(&self.made) {
            Ok(data) if data.file_type().is_socket() => data,
            Ok(_) => return Ok(false),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
            Err(error) => return Err(error),
        };
        if fs::symlink_metadata(&self.link).is_ok_and(|link| link.ino() == made.ino()) {
            return Ok(true);
        }
        let draft = self.link.with_extension("draft");
        remove_if_there(&draft)?;
        // Without AT_SYMLINK_FOLLOW: should the app have swapped it meanwhile, the link itself is
        // linked, and refused by the next look.
        rustix::fs::linkat(rustix::fs::CWD, &self.made, rustix::fs::CWD, &draft, AtFlags::empty())?;
        if !fs::symlink_metadata(&draft)?.file_type().is_socket() {
            remove_if_there(&draft)?;
            return Ok(false);
        }
        fs::rename(&draft, &self.link)?;
        Ok(true)
    }
}

fn remove_if_there(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// A loopback port that no other run has and nobody listens on. A port that the app insists on is
/// given if it is free.
fn reserve(site: &Site<'_>, wanted: Option<u16>) -> io::Result<(u16, Lock)> {
    let (first, last) = wanted.map_or(site.ports, |port| (port, port));
    let count = u32::from(last.saturating_sub(first)) + 1;
    // Begin somewhere else each time: a port that was just given back may still be in use by browsers'
    // old connections, and two starters at once get in each other's way less.
    let start = std::process::id().wrapping_mul(7919) % count;
    for step in 0..count {
        let port = first + u16::try_from((start + step) % count).expect("below the number of ports");
        let Some(lock) = Lock::take(&site.locks.join(port.to_string()))? else { continue };
        if TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
            return Ok((port, lock));
        }
    }
    Err(io::Error::other(match wanted {
        Some(port) => format!("port {port} is taken on this host"),
        None => format!("all ports from {first} to {last} are taken on this host"),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::net::{UnixListener, UnixStream};

    #[test]
    fn only_a_socket_becomes_a_door() {
        let place = tempfile::tempdir().expect("a directory");
        let socket = Socket { made: place.path().join("made"), link: place.path().join("link") };
        assert!(!socket.link().expect("looked"));
        std::os::unix::fs::symlink("/run/docker.sock", &socket.made).expect("linked");
        assert!(!socket.link().expect("looked"));
        assert!(!socket.link.exists());
        fs::remove_file(&socket.made).expect("removed");
        let _listener = UnixListener::bind(&socket.made).expect("bound");
        assert!(socket.link().expect("looked"));
        UnixStream::connect(&socket.link).expect("reached by the link");
    }

    #[test]
    fn a_socket_that_was_made_again_is_linked_again() {
        let place = tempfile::tempdir().expect("a directory");
        let socket = Socket { made: place.path().join("made"), link: place.path().join("link") };
        let old = UnixListener::bind(&socket.made).expect("bound");
        assert!(socket.link().expect("looked"));
        fs::remove_file(&socket.made).expect("removed");
        let _new = UnixListener::bind(&socket.made).expect("bound");
        drop(old);
        assert!(socket.link().expect("looked"));
        UnixStream::connect(&socket.link).expect("reached by the link");
    }

    #[test]
    fn no_port_is_given_twice() {
        let place = tempfile::tempdir().expect("a directory");
        let path = place.path();
        let site =
            Site { links: path, sockets: path, seen_sockets: path, locks: path, ports: (24_500, 24_599) };
        let one = reserve(&site, None).expect("a port");
        let other = reserve(&site, None).expect("a port");
        assert_ne!(one.0, other.0);
        assert!(reserve(&site, Some(one.0)).is_err());
    }
}
