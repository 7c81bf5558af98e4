//! The directory of definitions, looked at again and again; and the examples that come with Portico.
//!
//! Looking is by time and size of each file, so that a quiet directory costs a few system calls. A
//! file that became wrong keeps what it last said rightly.

use std::{
    borrow::Cow,
    collections::BTreeMap,
    ffi::OsStr,
    fs, io,
    path::{Path, PathBuf},
    time::SystemTime,
};

use portico_core::app::App;
use rust_embed::Embed;

use super::parse::{MAX_BYTES, Mistake, parse};

/// Most files of a directory that are read.
const MOST: usize = 2000;

/// The files as they were last read.
#[derive(Debug, Default)]
pub struct Files {
    known: BTreeMap<PathBuf, Known>,
    /// Why the directory itself cannot be read.
    trouble: Option<(PathBuf, String)>,
}

#[derive(Debug)]
struct Known {
    stamp: (Option<SystemTime>, u64),
    good: Option<App>,
    mistake: Option<Mistake>,
}

#[derive(Embed)]
#[folder = "catalogue"]
struct Examples;

/// The examples, by name.
#[must_use]
pub fn examples() -> Vec<App> {
    let read = |file: Cow<'static, str>| {
        let stem = file.strip_suffix(".toml")?;
        let data = Examples::get(&file)?.data;
        parse(stem, std::str::from_utf8(&data).ok()?).ok()
    };
    Examples::iter().filter_map(read).collect()
}

impl Files {
    /// Looks at every `*.toml` of the directory whose time or size is new.
    pub fn scan(&mut self, directory: &Path) {
        let present = match list(directory) {
            Ok(present) => present,
            Err(error) => {
                self.trouble = Some((directory.to_owned(), format!("the directory cannot be read: {error}")));
                return;
            }
        };
        self.trouble = None;
        self.known.retain(|path, _| present.contains_key(path));
        for (path, stamp) in present {
            let same = self.known.get(&path).is_some_and(|known| known.stamp == stamp);
            if !same {
                let good = self.known.remove(&path).and_then(|known| known.good);
                self.known.insert(path.clone(), read(&path, stamp, good));
            }
        }
    }

    /// Definitions in the order of file names, with the file each is from.
    pub(super) fn apps(&self) -> impl Iterator<Item = (&PathBuf, &App)> {
        self.known.iter().filter_map(|(path, known)| Some((path, known.good.as_ref()?)))
    }

    /// What is wrong, with the file it is in.
    pub(super) fn mistakes(&self) -> impl Iterator<Item = (&PathBuf, Mistake)> {
        let whole = |(_, problem): &(PathBuf, String)| Mistake { problem: problem.clone(), position: None };
        let trouble = self.trouble.iter().map(move |trouble| (&trouble.0, whole(trouble)));
        let files = self.known.iter().filter_map(|(path, known)| Some((path, known.mistake.clone()?)));
        trouble.chain(files)
    }
}

type Stamp = (Option<SystemTime>, u64);

fn list(directory: &Path) -> io::Result<BTreeMap<PathBuf, Stamp>> {
    let mut present = BTreeMap::new();
    for entry in fs::read_dir(directory)?.take(MOST) {
        let path = entry?.path();
        let named = path.extension() == Some(OsStr::new("toml"))
            && !path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."));
        // Follows links, since a site may keep its definitions elsewhere.
        if let Some(about) = fs::metadata(&path).ok().filter(|about| named && about.is_file()) {
            present.insert(path, (about.modified().ok(), about.len()));
        }
    }
    Ok(present)
}

/// Reads a file; what it last said rightly stays when it is wrong now.
fn read(path: &Path, stamp: Stamp, good: Option<App>) -> Known {
    match definition(path, stamp.1) {
        Ok(app) => Known { stamp, good: Some(app), mistake: None },
        Err(mistake) => Known { stamp, good, mistake: Some(mistake) },
    }
}

fn definition(path: &Path, length: u64) -> Result<App, Mistake> {
    let plain = |problem: String| Mistake { problem, position: None };
    let stem = path
        .file_stem()
        .and_then(OsStr::to_str)
        .ok_or_else(|| plain("the file name is no text".to_owned()))?;
    if usize::try_from(length).is_ok_and(|length| length > MAX_BYTES) {
        return Err(plain("the file is larger than 256 kB".to_owned()));
    }
    let text = fs::read(path).map_err(|error| plain(format!("it cannot be read: {error}")))?;
    let text = String::from_utf8(text).map_err(|_| plain("it is not UTF-8 text".to_owned()))?;
    parse(stem, &text)
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str =
        "title = \"One\"\nengine = \"local\"\n[run]\ncommand = [\"true\"]\n[entry.main]\nlisten = \"unix\"\n";

    #[test]
    fn every_example_is_right() {
        let names: Vec<_> = examples().into_iter().map(|app| app.name.to_string()).collect();
        assert_eq!(names, ["desktop-docker", "files", "notebook-docker", "notebook", "terminal"]);
    }

    #[test]
    fn a_broken_file_keeps_what_it_last_said_rightly() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("one.toml");
        let mut files = Files::default();
        fs::write(&path, GOOD).expect("written");
        files.scan(directory.path());
        assert_eq!((files.apps().count(), files.mistakes().count()), (1, 0));

        fs::write(&path, "title = broken").expect("written");
        files.scan(directory.path());
        assert_eq!(files.apps().next().expect("an app").1.title, "One");
        assert!(files.mistakes().next().expect("a mistake").1.tell("one.toml").starts_with("one.toml:1:9: "));

        fs::remove_file(&path).expect("removed");
        files.scan(directory.path());
        assert_eq!((files.apps().count(), files.mistakes().count()), (0, 0));
    }
}
