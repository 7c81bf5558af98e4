//! `portico token`: API tokens of the account that is signed in.

use anyhow::{Result, bail};
use clap::Subcommand;
use portico_api::{
    page::Page,
    token::{CreatedToken, NewToken, Token as ApiToken},
};
use reqwest::Method;

use super::{Common, client::Client};
use crate::output::{self, Style, Table};

#[derive(Debug, Subcommand)]
pub(crate) enum Token {
    /// List my tokens.
    #[command(visible_alias = "ls")]
    List,
    /// Make a token and print it, once.
    Create {
        /// What it is for.
        name: String,
        /// How long it lives.
        #[arg(long, default_value_t = 30)]
        days: i64,
    },
    /// End a token.
    #[command(visible_alias = "rm")]
    Delete {
        /// Identifier or name.
        token: String,
    },
}

impl Token {
    pub(crate) async fn run(self, common: &Common) -> Result<()> {
        let client = common.target.client().await?;
        if client.is_console() {
            bail!(
                "tokens belong to a person: sign in with `portico login URL`, or make one on the page Account"
            );
        }
        match self {
            Self::List => show(&list(&client).await?, common.style())?,
            Self::Create { name, days } => {
                let created: CreatedToken = client.post("api/v1/tokens", &NewToken { name, days }).await?;
                match common.style() {
                    Style::Json => output::json(&created)?,
                    Style::Human => output::line(created.text.expose()),
                }
            }
            Self::Delete { token } => {
                let all = list(&client).await?;
                let Some(found) = all.iter().find(|t| t.id.as_str() == token || t.name == token) else {
                    bail!("there is no token {token:?}; `portico token list` shows them");
                };
                client.act(Method::DELETE, &format!("api/v1/tokens/{}", found.id)).await?;
                output::line(found.id.to_string());
            }
        }
        client.close().await
    }
}

async fn list(client: &Client) -> Result<Vec<ApiToken>> {
    let page: Page<ApiToken> = client.get("api/v1/tokens").await?;
    Ok(page.items)
}

fn show(tokens: &[ApiToken], style: Style) -> Result<()> {
    if style == Style::Json {
        return output::json(&tokens);
    }
    let mut table = Table::new(&["ID", "NAME", "LAST USED", "EXPIRES"]);
    for token in tokens {
        let used = token.last_used.map_or_else(|| "never".to_owned(), |at| at.to_string());
        table.row([token.id.to_string(), token.name.clone(), used, token.expires.to_string()]);
    }
    table.print();
    Ok(())
}
