//! The log of one run on disk: two files of bounded size, the older of which is dropped.
//!
//! An app that babbles can therefore fill neither the disk nor the memory of anyone; a reader sees the
//! newest part, from the beginning of a line.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read, Write},
    os::unix::fs::{MetadataExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

const NEW: &str = "log";
const OLD: &str = "log.old";

/// Writes the log of a run.
pub(super) struct Journal {
    directory: PathBuf,
    file: File,
    written: u64,
    /// Size at which the file is put aside.
    half: u64,
}

impl Journal {
    pub(super) fn open(directory: &Path, most_bytes: u64) -> io::Result<Self> {
        let file = create(directory)?;
        Ok(Self { directory: directory.to_owned(), file, written: 0, half: (most_bytes / 2).max(4096) })
    }

    /// Adds bytes.
    pub(super) fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        if self.written + bytes.len() as u64 > self.half && self.written > 0 {
            fs::rename(self.directory.join(NEW), self.directory.join(OLD))?;
            self.file = create(&self.directory)?;
            self.written = 0;
        }
        self.file.write_all(bytes)?;
        self.written += bytes.len() as u64;
        Ok(())
    }

    /// Copies everything that the app says. A disk that is full loses lines, never the app.
    pub(super) fn copy(mut self, mut from: impl Read) {
        let mut chunk = vec![0; 32 * 1024];
        loop {
            match from.read(&mut chunk) {
                Ok(0) => return,
                Ok(count) => {
                    // Nobody could be told: this is the place where problems would be written to.
                    let _ = self.write(&chunk[..count]);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => return,
            }
        }
    }
}

fn create(directory: &Path) -> io::Result<File> {
    OpenOptions::new().create(true).append(true).mode(0o600).open(directory.join(NEW))
}

/// Reads the log of a run, also while it is written and put aside.
pub(super) struct Reader {
    directory: PathBuf,
    file: Option<File>,
    /// Whether the older file was looked for.
    begun: bool,
}

impl Reader {
    pub(super) const fn new(directory: PathBuf) -> Self {
        Self { directory, file: None, begun: false }
    }

    /// The next bytes, at most `chunk.len()`; 0 at the present end.
    pub(super) fn read(&mut self, chunk: &mut [u8]) -> io::Result<usize> {
        if !self.begun {
            self.begun = true;
            self.file = open(&self.directory.join(OLD))?;
        }
        loop {
            if let Some(file) = &mut self.file {
                // Whether it is still the newest is asked before its end is believed.
                let newest = is_at(file, &self.directory.join(NEW))?;
                let count = file.read(chunk)?;
                if count > 0 || newest {
                    return Ok(count);
                }
            }
            self.file = open(&self.directory.join(NEW))?;
            if self.file.is_none() {
                return Ok(0);
            }
        }
    }
}

fn open(path: &Path) -> io::Result<Option<File>> {
    match File::open(path) {
        Ok(file) => Ok(Some(file)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

fn is_at(file: &File, path: &Path) -> io::Result<bool> {
    let ours = file.metadata()?;
    Ok(fs::metadata(path).is_ok_and(|there| (ours.dev(), ours.ino()) == (there.dev(), there.ino())))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(reader: &mut Reader) -> Vec<u8> {
        let (mut text, mut chunk) = (Vec::new(), [0; 1000]);
        loop {
            match reader.read(&mut chunk).expect("read") {
                0 => return text,
                count => text.extend_from_slice(&chunk[..count]),
            }
        }
    }

    #[test]
    fn a_log_is_bounded_and_keeps_its_newest_part() {
        let place = tempfile::tempdir().expect("a directory");
        let mut journal = Journal::open(place.path(), 10_000).expect("opened");
        for number in 0..10_000 {
            journal.write(format!("{number}\n").as_bytes()).expect("written");
        }
        let text = all(&mut Reader::new(place.path().to_owned()));
        assert!(text.len() <= 10_000 && text.ends_with(b"9998\n9999\n"), "{}", text.len());
    }

    #[test]
    fn a_reader_goes_on_where_the_writer_goes() {
        let place = tempfile::tempdir().expect("a directory");
        let mut journal = Journal::open(place.path(), 10_000).expect("opened");
        let mut reader = Reader::new(place.path().to_owned());
        let mut text = Vec::new();
        for _ in 0..20 {
            journal.write(&[b'x'; 999]).expect("written");
            text.extend(all(&mut reader));
        }
        assert_eq!(text.len(), 20 * 999);
    }

    #[test]
    fn a_log_that_is_not_there_is_empty() {
        let mut reader = Reader::new(PathBuf::from("/no/such/run"));
        assert!(all(&mut reader).is_empty());
    }
}
