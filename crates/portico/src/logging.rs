//! Where log lines go and how they look.

use serde::{Deserialize, Serialize};
use tracing_subscriber::{EnvFilter, fmt, layer::SubscriberExt, util::SubscriberInitExt};

/// `[log]` of the configuration.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Config {
    /// `text` for people, `json` for collectors.
    pub(crate) format: Format,
    /// Directives such as `info` or `info,portico_proxy=debug`; `PORTICO_LOG` overrides it.
    pub(crate) filter: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Format {
    Text,
    Json,
}

impl Default for Config {
    fn default() -> Self {
        Self { format: Format::Text, filter: "info".to_owned() }
    }
}

/// Sends log lines to standard error from now on.
pub(crate) fn start(config: &Config) -> anyhow::Result<()> {
    let directives = std::env::var("PORTICO_LOG").unwrap_or_else(|_| config.filter.clone());
    let filter = EnvFilter::try_new(&directives)
        .map_err(|error| anyhow::anyhow!("log filter {directives:?} is not valid: {error}"))?;
    let registry = tracing_subscriber::registry().with(filter);
    let lines = fmt::layer().with_writer(std::io::stderr);
    match config.format {
        Format::Text => {
            let colours = std::io::IsTerminal::is_terminal(&std::io::stderr());
            registry.with(lines.with_ansi(colours).with_target(false)).init();
        }
        Format::Json => registry.with(lines.json().flatten_event(true)).init(),
    }
    Ok(())
}
