//! Signing in from the command line, and where the token is kept.

use std::{
    collections::BTreeMap,
    fs,
    io::{IsTerminal, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail};
use clap::Args;
use portico_api::{
    account::Me,
    token::{CreatedToken, TokenRequest},
};
use portico_core::Secret;
use reqwest::Method;
use serde::{Deserialize, Serialize};

use super::{Common, client::Client};
use crate::output;

/// How long a token made by `portico login` lives.
const TOKEN_DAYS: i64 = 90;

#[derive(Debug, Args)]
pub(crate) struct Login {
    /// Address of the Portico, for example https://portico.example.org.
    url: String,
    /// Name to sign in with; asked for when left out.
    #[arg(short, long)]
    user: Option<String>,
    /// Read a token from standard input instead of asking for a password.
    #[arg(long)]
    token_stdin: bool,
}

/// The tokens of the servers that were signed in to, in a file that only its owner can read.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Credentials {
    #[serde(default)]
    latest: Option<String>,
    #[serde(default)]
    servers: BTreeMap<String, Secret>,
}

impl Login {
    pub(crate) async fn run(self, _common: &Common) -> Result<()> {
        let server = self.url.trim_end_matches('/').to_owned();
        let token = if self.token_stdin { read_token()? } else { self.ask(&server).await? };
        let me: Me = Client::remote(&server, token.clone())?.get("api/v1/me").await?;
        let mut credentials = Credentials::load()?;
        credentials.latest = Some(server.clone());
        credentials.servers.insert(server.clone(), token);
        credentials.save()?;
        output::note(format!("Signed in to {server} as {}.", output::clean(&me.user.name)));
        Ok(())
    }

    async fn ask(&self, server: &str) -> Result<Secret> {
        let user = match &self.user {
            Some(user) => user.clone(),
            None => prompt("Name: ")?,
        };
        let password = Secret::new(prompt_hidden("Password: ")?);
        let client = Client::anonymous(server)?;
        let host = rustix::system::uname().nodename().to_string_lossy().into_owned();
        let name = format!("portico on {host}");
        let request = TokenRequest { user, password, name, days: TOKEN_DAYS };
        let created: CreatedToken = client.post("api/v1/token-requests", &request).await?;
        Ok(created.text)
    }
}

/// Ends the token of the last sign-in and forgets it.
pub(crate) async fn logout(_common: &Common) -> Result<()> {
    let mut credentials = Credentials::load()?;
    let Some(server) = credentials.latest.take() else {
        bail!("not signed in anywhere");
    };
    if let Some(token) = credentials.servers.remove(&server) {
        let ended = Client::remote(&server, token)?.act(Method::DELETE, "api/v1/tokens/current").await;
        if let Err(error) = ended {
            output::note(format!("The token could not be ended on the server: {error}"));
        }
    }
    credentials.latest = credentials.servers.keys().next().cloned();
    credentials.save()?;
    output::note(format!("Signed out of {server}."));
    Ok(())
}

impl Credentials {
    fn path() -> Result<PathBuf> {
        let base = std::env::var_os("XDG_CONFIG_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
        let home = || std::env::var_os("HOME").map(|home| Path::new(&home).join(".config"));
        let base = base.or_else(home).context("neither XDG_CONFIG_HOME nor HOME is set")?;
        Ok(base.join("portico/credentials.json"))
    }

    /// The stored tokens; none when nothing is stored.
    pub(crate) fn load() -> Result<Self> {
        let path = Self::path()?;
        match fs::read(&path) {
            Ok(text) => serde_json::from_slice(&text)
                .with_context(|| format!("{} is damaged; delete it and sign in again", path.display())),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Self::default()),
            Err(error) => Err(error).with_context(|| format!("cannot read {}", path.display())),
        }
    }

    fn save(&self) -> Result<()> {
        let path = Self::path()?;
        let directory = path.parent().context("no directory for credentials")?;
        let write = || -> std::io::Result<()> {
            fs::DirBuilder::new().recursive(true).mode(0o700).create(directory)?;
            let draft = path.with_extension("new");
            let mut file =
                fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&draft)?;
            file.write_all(&serde_json::to_vec_pretty(self)?)?;
            file.sync_all()?;
            fs::rename(&draft, &path)
        };
        write().with_context(|| format!("cannot write {}", path.display()))
    }

    /// The token of a server.
    pub(crate) fn token_of(&self, server: &str) -> Result<Secret> {
        let server = server.trim_end_matches('/');
        self.servers.get(server).cloned().with_context(|| {
            format!("not signed in to {server}: use `portico login {server}` or set PORTICO_TOKEN")
        })
    }

    /// The server signed in to last, with its token.
    pub(crate) fn latest(&self) -> Option<(&str, &Secret)> {
        let server = self.latest.as_deref()?;
        Some((server, self.servers.get(server)?))
    }
}

fn read_token() -> Result<Secret> {
    let mut line = String::new();
    std::io::stdin().read_line(&mut line).context("cannot read the token from standard input")?;
    match line.trim() {
        "" => bail!("no token on standard input"),
        token => Ok(Secret::new(token)),
    }
}

/// Asks a question on the terminal.
pub(crate) fn prompt(question: &str) -> Result<String> {
    ask(question, || {
        let mut answer = String::new();
        std::io::stdin().read_line(&mut answer)?;
        Ok(answer)
    })
}

/// Asks without showing what is typed. Reads a plain line when standard input is no terminal.
pub(crate) fn prompt_hidden(question: &str) -> Result<String> {
    ask(question, || {
        let stdin = std::io::stdin();
        if !stdin.is_terminal() {
            let mut answer = String::new();
            stdin.read_line(&mut answer)?;
            return Ok(answer);
        }
        let before = rustix::termios::tcgetattr(&stdin)?;
        let mut silent = before.clone();
        silent.local_modes.remove(rustix::termios::LocalModes::ECHO);
        rustix::termios::tcsetattr(&stdin, rustix::termios::OptionalActions::Flush, &silent)?;
        let mut answer = String::new();
        let read = stdin.read_line(&mut answer);
        rustix::termios::tcsetattr(&stdin, rustix::termios::OptionalActions::Flush, &before)?;
        output::note("");
        read.map(|_| answer)
    })
}

fn ask(question: &str, read: impl FnOnce() -> std::io::Result<String>) -> Result<String> {
    if output::is_interactive() {
        let mut err = std::io::stderr().lock();
        err.write_all(question.as_bytes()).and_then(|()| err.flush()).context("cannot ask")?;
    }
    let answer = read().context("cannot read the answer")?;
    match answer.trim_end_matches(['\r', '\n']) {
        "" => bail!("no answer to {:?}", question.trim()),
        answer => Ok(answer.to_owned()),
    }
}
