//! The client side of the REST API, over the network or over the administration socket.

use std::{path::Path, time::Duration};

use anyhow::{Context, Result, anyhow};
use portico_core::Secret;
use reqwest::{Method, RequestBuilder, Response, Url};
use serde::{Serialize, de::DeserializeOwned};

use crate::{
    config::Config,
    serve::console::{Console, SOCKET},
};

/// Deadline for getting a connection, and for an answer to begin.
const PATIENCE: Duration = Duration::from_secs(30);

/// Speaks to one Portico.
#[derive(Debug)]
pub(crate) struct Client {
    http: reqwest::Client,
    base: Url,
    token: Option<Secret>,
    /// A hub that runs inside this process for the time of the command.
    console: Option<Console>,
}

/// A problem as the API tells it (RFC 9457).
#[derive(Debug, serde::Deserialize)]
struct Problem {
    title: String,
    #[serde(default)]
    detail: String,
    #[serde(default)]
    errors: std::collections::BTreeMap<String, String>,
}

impl Client {
    /// For a Portico on the network.
    pub(crate) fn remote(server: &str, token: Secret) -> Result<Self> {
        let mut client = Self::anonymous(server)?;
        client.token = Some(token);
        Ok(client)
    }

    /// For a Portico on the network, before signing in.
    pub(crate) fn anonymous(server: &str) -> Result<Self> {
        let mut base = Url::parse(server)
            .with_context(|| format!("{server:?} is not an address such as https://portico.example.org"))?;
        if !matches!(base.scheme(), "http" | "https") || base.host_str().is_none() {
            return Err(anyhow!("{server:?} is not an address such as https://portico.example.org"));
        }
        base.set_path("/");
        let http = builder().build().context("cannot set up HTTPS")?;
        Ok(Self { http, base, token: None, console: None })
    }

    /// For the Portico of this configuration, on this machine. Starts its hub inside this process when
    /// it does not run.
    pub(crate) async fn console(config: Config) -> Result<Self> {
        let socket = config.data_dir.join(SOCKET);
        if tokio::net::UnixStream::connect(&socket).await.is_ok() {
            return Self::through(&socket, None);
        }
        let console = Console::start(config).await?;
        Self::through(&socket, Some(console))
    }

    fn through(socket: &Path, console: Option<Console>) -> Result<Self> {
        let http = builder().unix_socket(socket).build().context("cannot set up the client")?;
        let base = Url::parse("http://console/").context("cannot set up the client")?;
        Ok(Self { http, base, token: None, console })
    }

    /// Ends a hub that was started for this command.
    pub(crate) async fn close(self) -> Result<()> {
        match self.console {
            Some(console) => console.end().await,
            None => Ok(()),
        }
    }

    /// Whether it speaks through the administration socket.
    pub(crate) fn is_console(&self) -> bool {
        self.base.host_str() == Some("console")
    }

    pub(crate) async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T> {
        self.json(self.request(Method::GET, path)?).await
    }

    pub(crate) async fn post<B: Serialize + Sync, T: DeserializeOwned>(
        &self,
        path: &str,
        body: &B,
    ) -> Result<T> {
        self.json(self.request(Method::POST, path)?.json(body)).await
    }

    pub(crate) async fn put<B: Serialize + Sync, T: DeserializeOwned>(
        &self,
        path: &str,
        body: &B,
    ) -> Result<T> {
        self.json(self.request(Method::PUT, path)?.json(body)).await
    }

    pub(crate) async fn patch<B: Serialize + Sync, T: DeserializeOwned>(
        &self,
        path: &str,
        body: &B,
    ) -> Result<T> {
        self.json(self.request(Method::PATCH, path)?.json(body)).await
    }

    /// Sends a request without a body whose answer does not matter.
    pub(crate) async fn act(&self, method: Method, path: &str) -> Result<()> {
        self.send(self.request(method, path)?.timeout(PATIENCE)).await.map(|_| ())
    }

    /// A request whose answer is read as it comes: logs and events.
    pub(crate) async fn stream(&self, path: &str) -> Result<Response> {
        self.send(self.request(Method::GET, path)?).await
    }

    /// A request to this path below the server's address, with the token.
    pub(crate) fn request(&self, method: Method, path: &str) -> Result<RequestBuilder> {
        let url = self.base.join(path).with_context(|| format!("{path:?} is not a path"))?;
        let request = self.http.request(method, url);
        Ok(match &self.token {
            Some(token) => request.bearer_auth(token.expose()),
            None => request,
        })
    }

    async fn json<T: DeserializeOwned>(&self, request: RequestBuilder) -> Result<T> {
        let response = self.send(request.timeout(PATIENCE)).await?;
        response.json().await.context("the server's answer is not what this version of the command expects")
    }

    /// Sends a request and turns a problem into an error that can be read.
    pub(crate) async fn send(&self, request: RequestBuilder) -> Result<Response> {
        let response = request.send().await.map_err(|error| self.unreachable(error))?;
        let status = response.status();
        if status.is_success() {
            return Ok(response);
        }
        let problem: Option<Problem> = response.json().await.ok();
        Err(match problem {
            Some(problem) => anyhow!(problem.sentence()),
            None if status.is_redirection() => {
                anyhow!("{} redirects: give the address it leads to", self.base)
            }
            None => anyhow!("{} answered {status}; is it a Portico?", self.base),
        })
    }

    fn unreachable(&self, error: reqwest::Error) -> anyhow::Error {
        let advice = if self.is_console() {
            "the Portico of this data directory does not answer".to_owned()
        } else if error.is_timeout() {
            format!("{} did not answer in time", self.base)
        } else {
            format!("cannot reach {}: check the address and the network", self.base)
        };
        anyhow::Error::new(error.without_url()).context(advice)
    }
}

fn builder() -> reqwest::ClientBuilder {
    reqwest::Client::builder()
        .user_agent(concat!("portico/", env!("CARGO_PKG_VERSION")))
        .redirect(reqwest::redirect::Policy::none())
        .connect_timeout(PATIENCE)
}

impl Problem {
    fn sentence(self) -> String {
        let mut text = if self.detail.is_empty() { self.title } else { self.detail };
        for (field, problem) in self.errors {
            text.push_str(&format!("\n  {field}: {problem}"));
        }
        text
    }
}

/// Escapes one segment of a path.
pub(crate) fn segment(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                char::from(byte).to_string()
            }
            other => format!("%{other:02X}"),
        })
        .collect()
}
