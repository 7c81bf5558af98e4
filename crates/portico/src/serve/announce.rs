//! What a starting Portico tells the person who started it.

use anyhow::Result;
use portico_hub::{Hub, service::link};

use crate::{config::Config, output};

/// How much to say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Greeting {
    /// A person at a terminal tries it out.
    Demo,
    /// A service manager started it; its log says the same.
    Service,
}

/// Prints the address and, while there is no administrator, the one-time link that makes the first one.
pub(crate) async fn greet(config: &Config, hub: &Hub, greeting: Greeting) -> Result<()> {
    let link = link::bootstrap(hub).await?;
    let address = config.front.public_url.to_string();
    tracing::info!(address, "ready");
    if greeting == Greeting::Demo {
        output::line(format!("\n  Portico is ready at {address}"));
        match link {
            Some(link) => {
                output::line("\n  Open this link once to become its administrator (valid for 24 hours):");
                output::line(format!("  {}\n", link.url.expose()));
            }
            None => output::line("  Sign in with the account you made.\n"),
        }
        output::line(format!("  Data: {}", config.data_dir.display()));
        output::line("  Stop with Ctrl+C; running sessions go on and are found again.\n");
    } else if let Some(link) = link {
        // Not through the log, which is kept: whoever started the service reads this once.
        output::note(format!("Open this link once to become the first administrator: {}", link.url.expose()));
    }
    Ok(())
}
