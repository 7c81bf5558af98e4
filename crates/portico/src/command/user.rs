//! `portico user`: people.

use anyhow::{Result, bail};
use clap::{Subcommand, ValueEnum};
use portico_api::{
    page::Page,
    user::{CreatedUser, Link, NewUser, Role, User as Account, UserChanges},
};
use reqwest::Method;

use super::{
    Common,
    client::{Client, segment},
};
use crate::output::{self, Style, Table};

#[derive(Debug, Subcommand)]
pub(crate) enum User {
    /// List users.
    #[command(visible_alias = "ls")]
    List {
        /// Show only those whose name contains this.
        #[arg(default_value = "")]
        search: String,
    },
    /// Add a user and print a one-time link, by which the person chooses a password.
    Add {
        name: String,
        #[arg(long, value_enum, default_value = "member")]
        role: RoleName,
    },
    /// Change name or role.
    Change {
        /// Name of the user.
        user: String,
        #[arg(long)]
        name: Option<String>,
        #[arg(long, value_enum)]
        role: Option<RoleName>,
    },
    /// End all access at once; sessions are stopped.
    Disable { user: String },
    /// Allow access again.
    Enable { user: String },
    /// Print a one-time link by which the person chooses a new password.
    Reset { user: String },
    /// Delete the account, once its sessions are deleted.
    #[command(visible_alias = "rm")]
    Delete {
        user: String,
        /// Do not ask.
        #[arg(short, long)]
        yes: bool,
    },
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum RoleName {
    Member,
    Administrator,
}

impl From<RoleName> for Role {
    fn from(name: RoleName) -> Self {
        match name {
            RoleName::Member => Self::Member,
            RoleName::Administrator => Self::Administrator,
        }
    }
}

impl User {
    pub(crate) async fn run(self, common: &Common) -> Result<()> {
        let client = common.target.client().await?;
        match self {
            Self::List { search } => show(&list(&client, &search).await?, common.style())?,
            Self::Add { name, role } => {
                let created: CreatedUser =
                    client.post("api/v1/users", &NewUser { name, role: role.into() }).await?;
                print_link(&created.link, common.style())?;
            }
            Self::Change { user, name, role } => {
                let path = path(&find(&client, &user).await?, "");
                let changes = UserChanges { name, role: role.map(Role::from) };
                let changed: Account = client.patch(&path, &changes).await?;
                show(&[changed], common.style())?;
            }
            Self::Disable { user } => act(&client, &user, "/disable").await?,
            Self::Enable { user } => act(&client, &user, "/enable").await?,
            Self::Reset { user } => {
                let path = path(&find(&client, &user).await?, "/links");
                let link: Link = client.post(&path, &serde_json::json!({})).await?;
                print_link(&link, common.style())?;
            }
            Self::Delete { user, yes } => delete(&client, &user, yes).await?,
        }
        client.close().await
    }
}

async fn list(client: &Client, search: &str) -> Result<Vec<Account>> {
    let mut users = Vec::new();
    let mut cursor = String::new();
    loop {
        let path = format!("api/v1/users?limit=200&q={}{cursor}", segment(search));
        let page: Page<Account> = client.get(&path).await?;
        users.extend(page.items);
        match page.next_cursor {
            Some(next) => cursor = format!("&cursor={}", segment(&next)),
            None => return Ok(users),
        }
    }
}

/// The user that a person means, by name in any spelling, short name or id.
pub(super) async fn find(client: &Client, name: &str) -> Result<Account> {
    let users = list(client, "").await?;
    let same = |user: &&Account| {
        user.id.as_str() == name || user.slug == name || user.name.to_lowercase() == name.to_lowercase()
    };
    match users.iter().find(same) {
        Some(user) => Ok(user.clone()),
        None => bail!("there is no user {name:?}; `portico user list` shows them"),
    }
}

fn path(user: &Account, verb: &str) -> String {
    format!("api/v1/users/{}{verb}", user.id)
}

async fn act(client: &Client, name: &str, verb: &str) -> Result<()> {
    let user = find(client, name).await?;
    client.act(Method::POST, &path(&user, verb)).await?;
    output::line(output::clean(&user.name));
    Ok(())
}

async fn delete(client: &Client, name: &str, yes: bool) -> Result<()> {
    let user = find(client, name).await?;
    if !yes {
        let question = format!(
            "This deletes {} with sign-ins, tokens and memberships. Type the name to go on: ",
            output::clean(&user.name)
        );
        if super::account::prompt(&question)?.trim() != user.name {
            bail!("nothing was deleted");
        }
    }
    client.act(Method::DELETE, &path(&user, "")).await?;
    output::line(output::clean(&user.name));
    Ok(())
}

fn print_link(link: &Link, style: Style) -> Result<()> {
    match style {
        Style::Json => output::json(link),
        Style::Human => {
            output::line(link.url.expose());
            output::note(format!("The link works once, until {}.", link.expires));
            Ok(())
        }
    }
}

fn show(users: &[Account], style: Style) -> Result<()> {
    if style == Style::Json {
        return output::json(&users);
    }
    let mut table = Table::new(&["NAME", "SHORT NAME", "ROLE", "STATE", "LAST SEEN"]);
    for user in users {
        let role = if matches!(user.role, Role::Administrator) { "administrator" } else { "member" };
        let state = if user.disabled_since.is_some() { "disabled" } else { "active" };
        let seen = user.last_seen.map_or_else(|| "never".to_owned(), |at| at.to_string());
        table.row([user.name.clone(), user.slug.clone(), role.to_owned(), state.to_owned(), seen]);
    }
    table.print();
    Ok(())
}
