//! Catalogue entries: what can be launched, and how.
//!
//! An [`App`] is parsed from `apps.d/<name>.toml`, a page or the API, always into the same type, and
//! checked once by [`App::check`]. Texts in `program`, `env` and mounts may hold the placeholders
//! that [`crate::launch`] expands.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::{
    grant::Audience,
    names::{AppName, EngineName, EntryPointName},
    param::{InvalidParameter, Parameter},
    quota::Limits,
};

/// A catalogue entry.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct App {
    pub name: AppName,
    pub title: String,
    #[serde(default)]
    pub description: String,
    /// Name of a built-in icon (`terminal`, `notebook`, `desktop`, `globe`, ...) or a `data:image/` URL.
    #[serde(default = "default_icon")]
    pub icon: String,
    /// Heading under which the catalogue lists it.
    #[serde(default)]
    pub category: String,
    pub engine: EngineName,
    #[serde(rename = "run")]
    pub program: Program,
    #[serde(default)]
    pub env: BTreeMap<String, String>,
    #[serde(default, rename = "parameter")]
    pub parameters: Vec<Parameter>,
    /// Offered sizes; the first is the default. Empty means one size, `Limits::default()`.
    #[serde(default, rename = "size")]
    pub sizes: Vec<Size>,
    /// Doors of the workload. The one named `main` is what *Open* opens.
    #[serde(rename = "entry")]
    pub entry_points: BTreeMap<EntryPointName, EntryPoint>,
    #[serde(default)]
    pub ready: Readiness,
    #[serde(default, rename = "mount")]
    pub mounts: Vec<Mount>,
    #[serde(default)]
    pub network: Network,
    /// Seconds between the polite and the forced end.
    #[serde(default = "default_grace")]
    pub grace_seconds: u32,
    /// What must be there before it can run; shown instead of the launch button when it is missing.
    #[serde(default)]
    pub requires: Option<Requirement>,
    /// Whom the definition itself lets see and launch it, besides the grants given later.
    #[serde(default, rename = "grant")]
    pub grants: Vec<Audience>,
}

fn default_icon() -> String {
    "globe".to_owned()
}

const fn default_grace() -> u32 {
    10
}

/// What runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged, try_from = "ProgramText")]
pub enum Program {
    Image(Image),
    Command(Command),
}

/// A program as it is written: with `image` it is an image, without it a command.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ProgramText {
    image: Option<String>,
    #[serde(default)]
    command: Vec<String>,
    user: Option<String>,
    root: Option<RootFilesystem>,
}

impl TryFrom<ProgramText> for Program {
    type Error = &'static str;

    fn try_from(text: ProgramText) -> Result<Self, Self::Error> {
        let ProgramText { image, command, user, root } = text;
        match image {
            Some(image) => {
                let user = user.unwrap_or_else(default_user);
                Ok(Self::Image(Image { image, command, user, root: root.unwrap_or_default() }))
            }
            None if user.is_some() || root.is_some() => {
                Err("user and root belong to an image: name one, or remove them")
            }
            None => Ok(Self::Command(Command { command })),
        }
    }
}

/// A program of the host, for the local engine. Runs in its workspace directory.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Command {
    /// Program and arguments; no shell is involved.
    pub command: Vec<String>,
}

/// A container image, for engines that run containers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Image {
    /// Image reference, for example `portico/jupyter:latest`.
    pub image: String,
    /// Replaces the image's own command.
    #[serde(default)]
    pub command: Vec<String>,
    /// Numeric `uid:gid` to run as. Never root unless the engine's configuration allows it.
    #[serde(default = "default_user")]
    pub user: String,
    /// Whether the container's root file system can be written.
    #[serde(default)]
    pub root: RootFilesystem,
}

fn default_user() -> String {
    "1000:1000".to_owned()
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RootFilesystem {
    #[default]
    ReadOnly,
    Writable,
}

/// A named door of a workload.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "EntryPointText", into = "EntryPointText")]
pub struct EntryPoint {
    pub title: String,
    pub listen: Listen,
    /// Path that *Open* goes to, for example `/lab`.
    pub path: String,
}

fn root_path() -> String {
    "/".to_owned()
}

/// Where the app listens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Listen {
    /// A unix socket whose path the engine gives as `{socket}` and `PORTICO_SOCKET`.
    Unix,
    /// A TCP port. Without a number the engine picks one and gives it as `{port}` and `PORTICO_PORT`.
    Tcp { port: Option<u16> },
}

/// An entry point as it is written: `listen = "unix"`, or `listen = "tcp"` with an optional `port`.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct EntryPointText {
    #[serde(default)]
    title: String,
    listen: Transport,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    port: Option<u16>,
    #[serde(default = "root_path")]
    path: String,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Transport {
    Unix,
    Tcp,
}

impl TryFrom<EntryPointText> for EntryPoint {
    type Error = &'static str;

    fn try_from(text: EntryPointText) -> Result<Self, Self::Error> {
        let listen = match (text.listen, text.port) {
            (Transport::Unix, Some(_)) => {
                return Err("a unix socket has no port: remove it, or say listen = \"tcp\"");
            }
            (Transport::Unix, None) => Listen::Unix,
            (Transport::Tcp, Some(0)) => return Err("port 0 is not a port: leave it out to have one picked"),
            (Transport::Tcp, port) => Listen::Tcp { port },
        };
        Ok(Self { title: text.title, listen, path: text.path })
    }
}

impl From<EntryPoint> for EntryPointText {
    fn from(entry: EntryPoint) -> Self {
        let (listen, port) = match entry.listen {
            Listen::Unix => (Transport::Unix, None),
            Listen::Tcp { port } => (Transport::Tcp, port),
        };
        Self { title: entry.title, listen, port, path: entry.path }
    }
}

/// When a workload counts as ready.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Readiness {
    #[serde(default)]
    pub check: Check,
    #[serde(default = "default_deadline")]
    pub deadline_seconds: u32,
}

const fn default_deadline() -> u32 {
    120
}

impl Default for Readiness {
    fn default() -> Self {
        Self { check: Check::default(), deadline_seconds: default_deadline() }
    }
}

/// How readiness is seen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Check {
    /// A GET of this path on `main` answers with a status below 500 that is not 404.
    Http(String),
    /// `main` accepts a connection.
    Tcp,
    /// A line of the log contains this text.
    Log(String),
}

impl Default for Check {
    fn default() -> Self {
        Self::Http(root_path())
    }
}

/// An offered size: a name and, beside it, the fields of [`Limits`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Size {
    pub name: String,
    #[serde(default)]
    pub title: String,
    #[serde(flatten)]
    pub limits: Limits,
}

/// One thing that the workload sees of the world outside.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mount {
    /// Absolute path on the engine's host.
    pub source: String,
    /// Absolute path inside.
    pub target: String,
    #[serde(default)]
    pub mode: MountMode,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MountMode {
    #[default]
    ReadOnly,
    ReadWrite,
}

/// What a workload can reach by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Network {
    /// The outside, but no other workload.
    #[default]
    Outbound,
    /// Nothing.
    None,
}

/// A program that must be found on the engine's host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Requirement {
    /// Program looked up on `PATH`.
    pub program: String,
    /// What to do when it is not there, in a sentence.
    pub hint: String,
}

/// Why an app definition is refused; the text says what to change.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum InvalidApp {
    #[error("the title is empty or longer than 80 characters")]
    Title,
    #[error("the description is longer than 2000 characters")]
    Description,
    #[error("the icon is neither the name of a built-in icon nor a data:image/ URL of at most 64 kB")]
    Icon,
    #[error("the command is empty")]
    EmptyCommand,
    #[error("the image reference {0:?} is not valid")]
    Image(String),
    #[error("the user {0:?} is not of the form uid:gid with numbers")]
    User(String),
    #[error("there is no entry point named \"main\"")]
    NoMainEntryPoint,
    #[error("entry point {0}: an image needs a fixed tcp port")]
    PortOfImage(EntryPointName),
    #[error("the path {0:?} must start with / and hold no blanks")]
    Path(String),
    #[error("mount target {0:?} must be an absolute path without . and .. parts, used once")]
    MountTarget(String),
    #[error("mount source {0:?} must be an absolute path without . and .. parts, and not /")]
    MountSource(String),
    #[error("size {0:?} is there twice")]
    DuplicateSize(String),
    #[error("parameter {0} is there twice")]
    DuplicateParameter(String),
    #[error("parameter {name}: {problem}")]
    Parameter { name: String, problem: InvalidParameter },
    #[error("environment variable name {0:?} is not valid")]
    Variable(String),
    #[error("the ready deadline must be 1 to 86400 seconds and the grace at most 3600")]
    Deadline,
}

impl App {
    /// Checks what the types alone do not say. Called once, where a definition enters.
    ///
    /// # Errors
    /// The first rule that is broken.
    pub fn check(&self) -> Result<(), InvalidApp> {
        self.check_texts()?;
        self.check_program()?;
        self.check_entry_points()?;
        self.check_mounts()?;
        self.check_parameters()
    }

    fn check_texts(&self) -> Result<(), InvalidApp> {
        let title = self.title.chars().count();
        if self.title.trim().is_empty() || title > 80 {
            return Err(InvalidApp::Title);
        }
        if self.description.chars().count() > 2000 {
            return Err(InvalidApp::Description);
        }
        let named = self.icon.parse::<AppName>().is_ok();
        let drawn = self.icon.starts_with("data:image/") && self.icon.len() <= 64 * 1024;
        if !named && !drawn {
            return Err(InvalidApp::Icon);
        }
        if !(1..=86_400).contains(&self.ready.deadline_seconds) || self.grace_seconds > 3600 {
            return Err(InvalidApp::Deadline);
        }
        match self.env.keys().find(|name| !is_variable(name)) {
            Some(name) => Err(InvalidApp::Variable(name.clone())),
            None => Ok(()),
        }
    }

    fn check_program(&self) -> Result<(), InvalidApp> {
        match &self.program {
            Program::Command(Command { command }) => {
                if command.first().is_none_or(|program| program.trim().is_empty()) {
                    return Err(InvalidApp::EmptyCommand);
                }
            }
            Program::Image(Image { image, user, .. }) => {
                let allowed = |c: char| c.is_ascii_alphanumeric() || "._-/:@".contains(c);
                if image.is_empty() || image.len() > 255 || !image.chars().all(allowed) {
                    return Err(InvalidApp::Image(image.clone()));
                }
                let numeric = |part: &str| part.parse::<u32>().is_ok();
                if !user.split_once(':').is_some_and(|(uid, gid)| numeric(uid) && numeric(gid)) {
                    return Err(InvalidApp::User(user.clone()));
                }
            }
        }
        Ok(())
    }

    fn check_entry_points(&self) -> Result<(), InvalidApp> {
        if !self.entry_points.keys().any(|name| name.as_str() == "main") {
            return Err(InvalidApp::NoMainEntryPoint);
        }
        for (name, entry) in &self.entry_points {
            let fixed = matches!(entry.listen, Listen::Tcp { port: Some(_) });
            if matches!(self.program, Program::Image(_)) && !fixed {
                return Err(InvalidApp::PortOfImage(name.clone()));
            }
            check_path(&entry.path)?;
        }
        match &self.ready.check {
            Check::Http(path) => check_path(path),
            Check::Tcp | Check::Log(_) => Ok(()),
        }
    }

    fn check_mounts(&self) -> Result<(), InvalidApp> {
        let mut targets = BTreeSet::new();
        for mount in &self.mounts {
            if !is_clean_path(&mount.target) || mount.target == "/" || !targets.insert(&mount.target) {
                return Err(InvalidApp::MountTarget(mount.target.clone()));
            }
            if !is_clean_path(&mount.source) || mount.source == "/" {
                return Err(InvalidApp::MountSource(mount.source.clone()));
            }
        }
        Ok(())
    }

    fn check_parameters(&self) -> Result<(), InvalidApp> {
        let mut sizes = BTreeSet::new();
        for size in &self.sizes {
            if !sizes.insert(&size.name) {
                return Err(InvalidApp::DuplicateSize(size.name.clone()));
            }
        }
        let mut names = BTreeSet::new();
        for parameter in &self.parameters {
            let name = parameter.name.to_string();
            if !names.insert(&parameter.name) {
                return Err(InvalidApp::DuplicateParameter(name));
            }
            parameter.check().map_err(|problem| InvalidApp::Parameter { name, problem })?;
        }
        Ok(())
    }

    /// The limits of the size of this name, or of the default size when none is named.
    #[must_use]
    pub fn limits(&self, size: Option<&str>) -> Option<Limits> {
        match (size, self.sizes.first()) {
            (None, None) => Some(Limits::default()),
            (None, Some(first)) => Some(first.limits),
            (Some(name), _) => self.sizes.iter().find(|size| size.name == name).map(|size| size.limits),
        }
    }
}

fn check_path(path: &str) -> Result<(), InvalidApp> {
    let clean =
        path.starts_with('/') && !path.starts_with("//") && path.bytes().all(|b| b.is_ascii_graphic());
    if clean { Ok(()) } else { Err(InvalidApp::Path(path.to_owned())) }
}

fn is_clean_path(path: &str) -> bool {
    path.starts_with('/')
        && !path.contains('\0')
        && path.len() <= 1024
        && path
            .split('/')
            .skip(1)
            .all(|part| part != "." && part != ".." && (!part.is_empty() || path == "/"))
}

fn is_variable(name: &str) -> bool {
    !name.is_empty()
        && !name.starts_with(|c: char| c.is_ascii_digit())
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}
