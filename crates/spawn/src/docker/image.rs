//! Making images: building one from a Dockerfile and its files, and importing a root file system.
//!
//! The engine's classic builder does the work, because every engine has it. Files are sent as one
//! archive made in memory, so a build is meant for small contexts. Dropping the future of a build or an
//! import ends it at the engine.

use std::{
    collections::{HashMap, VecDeque},
    fs, io,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    time::Duration,
};

use bollard::{
    body_full, body_try_stream,
    errors::Error,
    models::BuildInfo,
    query_parameters::{BuildImageOptions, CreateImageOptions},
};
use futures_util::TryStreamExt;
use portico_core::ports::SpawnError;
use thiserror::Error;
use tokio::io::AsyncRead;
use tokio_util::io::ReaderStream;

use super::{
    Engine,
    error::{clean, message, translate},
    pull,
};

/// How long a build may stay without a word.
const SILENCE: Duration = Duration::from_secs(3600);
/// Lines of output that a failure quotes.
const QUOTED: usize = 15;
/// Largest context, in bytes.
const LARGEST: usize = 256 << 20;
/// Where Debian keeps the machine's certificate authorities.
const AUTHORITIES: &str = "/etc/ssl/certs/ca-certificates.crt";

/// Why there is no image.
#[derive(Debug, Error)]
pub enum ImageError {
    #[error(transparent)]
    Engine(#[from] SpawnError),
    #[error("{path} cannot be read")]
    Read { path: PathBuf, source: io::Error },
    #[error("the files of the image are larger than {} MiB together", LARGEST >> 20)]
    TooLarge,
    /// The build began and failed; `output` holds its last lines.
    #[error("{reference} could not be built: {reason}\n{output}")]
    Failed { reference: String, reason: String, output: String },
}

/// What to build. The Dockerfile is the file of that name.
#[derive(Debug, Clone)]
pub struct Build {
    reference: String,
    arguments: HashMap<String, String>,
    labels: HashMap<String, String>,
    files: Vec<File>,
}

#[derive(Debug, Clone)]
struct File {
    path: String,
    mode: u32,
    content: Vec<u8>,
}

impl Build {
    /// A build without files yet, whose image gets this name and tag.
    #[must_use]
    pub fn new(reference: impl Into<String>) -> Self {
        let (arguments, labels) = (HashMap::new(), HashMap::new());
        Self { reference: reference.into(), arguments, labels, files: Vec::new() }
    }

    /// Adds a file. `path` is relative to the Dockerfile's directory.
    #[must_use]
    pub fn file(mut self, path: impl Into<String>, mode: u32, content: impl Into<Vec<u8>>) -> Self {
        self.files.push(File { path: path.into(), mode, content: content.into() });
        self
    }

    /// Adds all regular files below a directory. Links are not followed and left out.
    ///
    /// # Errors
    /// When something cannot be read, or it is too much.
    pub fn directory(mut self, root: &Path) -> Result<Self, ImageError> {
        let at = |path: &Path| {
            let path = path.to_owned();
            |source| ImageError::Read { path, source }
        };
        let mut size = self.files.iter().map(|file| file.content.len()).sum::<usize>();
        let mut open = vec![root.to_owned()];
        while let Some(directory) = open.pop() {
            for entry in fs::read_dir(&directory).map_err(at(&directory))? {
                let path = entry.map_err(at(&directory))?.path();
                let facts = fs::symlink_metadata(&path).map_err(at(&path))?;
                if facts.is_dir() {
                    open.push(path);
                } else if facts.is_file() {
                    size = size.saturating_add(usize::try_from(facts.len()).unwrap_or(usize::MAX));
                    if size > LARGEST {
                        return Err(ImageError::TooLarge);
                    }
                    let content = fs::read(&path).map_err(at(&path))?;
                    let name = path.strip_prefix(root).unwrap_or(&path).to_string_lossy().into_owned();
                    self = self.file(name, facts.permissions().mode() & 0o777, content);
                }
            }
        }
        Ok(self)
    }

    /// Adds the machine's certificate authorities as `ca.crt`, for sites that sign connections to package
    /// registries themselves: the file that `SSL_CERT_FILE` names, or Debian's. Without either, nothing.
    ///
    /// # Errors
    /// When the file is there and cannot be read.
    pub fn authorities(self) -> Result<Self, ImageError> {
        let path =
            std::env::var_os("SSL_CERT_FILE").map_or_else(|| PathBuf::from(AUTHORITIES), PathBuf::from);
        match fs::read(&path) {
            Ok(content) => Ok(self.file("ca.crt", 0o644, content)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(self),
            Err(source) => Err(ImageError::Read { path, source }),
        }
    }

    /// Sets an `ARG` of the Dockerfile.
    #[must_use]
    pub fn argument(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.arguments.insert(name.into(), value.into());
        self
    }

    /// Sets a label of the image.
    #[must_use]
    pub fn label(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.labels.insert(name.into(), value.into());
        self
    }

    fn archive(&self) -> io::Result<Vec<u8>> {
        let mut builder = tar::Builder::new(Vec::new());
        for file in &self.files {
            let mut header = tar::Header::new_gnu();
            header.set_mode(file.mode);
            header.set_size(file.content.len() as u64);
            builder.append_data(&mut header, &file.path, file.content.as_slice())?;
        }
        builder.into_inner()
    }
}

impl Engine {
    /// Builds an image and tells each line of the builder's output; the image's id.
    ///
    /// # Errors
    /// When the engine cannot be reached, or a step of the build fails.
    pub async fn build_image(
        &self,
        build: &Build,
        tell: &(dyn Fn(&str) + Send + Sync),
    ) -> Result<String, ImageError> {
        pull::check(&build.reference)?;
        let archive = build
            .archive()
            .map_err(|source| ImageError::Read { path: PathBuf::from(&build.reference), source })?;
        let options = BuildImageOptions {
            dockerfile: "Dockerfile".to_owned(),
            t: Some(build.reference.clone()),
            buildargs: Some(build.arguments.clone()),
            labels: Some(build.labels.clone()),
            rm: true,
            forcerm: true,
            ..BuildImageOptions::default()
        };
        let docker = self.link().await?.patient(SILENCE);
        let mut output = Output::new(tell);
        let mut id = None;
        let mut steps = std::pin::pin!(docker.build_image(options, None, Some(body_full(archive.into()))));
        loop {
            match steps.try_next().await {
                Ok(Some(info)) => {
                    output.hear(&info);
                    id = info.aux.and_then(|aux| aux.id).or(id);
                }
                Ok(None) => break,
                Err(error) => return Err(failure(&build.reference, &error, output.end())),
            }
        }
        let quoted = output.end();
        id.ok_or_else(|| ImageError::Failed {
            reference: build.reference.clone(),
            reason: "the builder ended without an image".to_owned(),
            output: quoted,
        })
    }

    /// Makes an image of one layer from an archive (tar, also compressed) of a root file system; its id.
    ///
    /// # Errors
    /// When the engine cannot be reached, or does not accept the archive.
    pub async fn import_image(
        &self,
        reference: &str,
        archive: impl AsyncRead + Send + 'static,
    ) -> Result<String, ImageError> {
        pull::check(reference)?;
        let (name, tag) = pull::split(reference);
        let options = CreateImageOptions {
            from_src: Some("-".to_owned()),
            repo: Some(name.to_owned()),
            tag: Some(tag.to_owned()),
            ..CreateImageOptions::default()
        };
        let docker = self.link().await?.patient(SILENCE);
        let body = body_try_stream(ReaderStream::with_capacity(archive, 64 << 10));
        let mut steps = std::pin::pin!(docker.create_image(Some(options), Some(body), None));
        let mut id = None;
        loop {
            match steps.try_next().await {
                Ok(Some(info)) => id = info.status.filter(|status| status.starts_with("sha256:")).or(id),
                Ok(None) => break,
                Err(error) => return Err(failure(reference, &error, String::new())),
            }
        }
        id.ok_or_else(|| ImageError::Failed {
            reference: reference.to_owned(),
            reason: "the engine ended without an image".to_owned(),
            output: String::new(),
        })
    }
}

fn failure(reference: &str, error: &Error, output: String) -> ImageError {
    match translate(error) {
        SpawnError::Refused(_) => {
            ImageError::Failed { reference: reference.to_owned(), reason: message(error), output }
        }
        unreachable => ImageError::Engine(unreachable),
    }
}

/// The builder's output, put together to lines; keeps the last ones.
struct Output<'a> {
    tell: &'a (dyn Fn(&str) + Send + Sync),
    partial: String,
    last: VecDeque<String>,
}

impl<'a> Output<'a> {
    fn new(tell: &'a (dyn Fn(&str) + Send + Sync)) -> Self {
        Self { tell, partial: String::new(), last: VecDeque::new() }
    }

    fn hear(&mut self, info: &BuildInfo) {
        if let Some(text) = &info.stream {
            self.partial.push_str(text);
            while let Some(end) = self.partial.find('\n') {
                let line: String = self.partial.drain(..=end).collect();
                self.line(&line);
            }
        }
        // The base image is fetched; the many steps of each layer's progress are left out.
        if let (Some(status), None) =
            (&info.status, info.progress_detail.as_ref().and_then(|detail| detail.total))
        {
            let line = info.id.as_ref().map_or_else(|| status.clone(), |id| format!("{id}: {status}"));
            self.line(&line);
        }
    }

    fn line(&mut self, line: &str) {
        let line = clean(line);
        if line.is_empty() {
            return;
        }
        (self.tell)(&line);
        if self.last.len() == QUOTED {
            self.last.pop_front();
        }
        self.last.push_back(line);
    }

    fn end(mut self) -> String {
        let rest = std::mem::take(&mut self.partial);
        self.line(&rest);
        self.last.make_contiguous().join("\n")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Mutex;

    #[test]
    fn output_comes_in_whole_lines() {
        let told = Mutex::new(Vec::new());
        let tell = |line: &str| told.lock().expect("not poisoned").push(line.to_owned());
        let mut output = Output::new(&tell);
        for part in ["Step 1", "/2 : FROM x\n ---> 1", "23\n\n", "end\u{1b}[0m"] {
            output.hear(&BuildInfo { stream: Some(part.to_owned()), ..BuildInfo::default() });
        }
        assert_eq!(output.end(), "Step 1/2 : FROM x\n---> 123\nend [0m");
        assert_eq!(told.into_inner().expect("not poisoned"), ["Step 1/2 : FROM x", "---> 123", "end [0m"]);
    }

    #[test]
    fn an_archive_cannot_reach_out_of_its_context() {
        assert!(Build::new("x").file("../etc/passwd", 0o644, "x").archive().is_err());
        assert!(Build::new("x").file("a/Dockerfile", 0o644, "x").archive().is_ok());
    }
}
