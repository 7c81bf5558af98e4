//! `portico app`: the catalogue, and who may launch what.

use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use clap::Subcommand;
use portico_api::{
    app::{App as Offer, AppDefinition, Availability, Grant, NewGrant, Subject},
    group::Group,
    page::Page,
    user::User,
};
use portico_core::names::AppName;
use portico_hub::catalogue::parse::parse;
use reqwest::Method;

use super::{
    Common,
    client::{Client, segment},
};
use crate::output::{self, Style, Table};

#[derive(Debug, Subcommand)]
pub(crate) enum App {
    /// List the apps that I may launch.
    #[command(visible_alias = "ls")]
    List,
    /// Show an app with its parameters and sizes, as JSON.
    Show { app: String },
    /// Check an app definition, and show line and column of a mistake.
    Check {
        /// TOML file.
        file: PathBuf,
    },
    /// Add an app, or change one that was added before.
    Add {
        /// TOML file; its name is the app's short name, unless the file says another.
        file: PathBuf,
    },
    /// Delete an app that was added here or on a page, with its grants.
    #[command(visible_alias = "rm")]
    Delete { app: String },
    /// List who may launch an app.
    Grants { app: String },
    /// Let somebody launch an app: everyone, group:NAME or user:NAME.
    Grant { app: String, whom: String },
    /// Take a grant back.
    Revoke { app: String, whom: String },
}

impl App {
    pub(crate) async fn run(self, common: &Common) -> Result<()> {
        if let Self::Check { file } = &self {
            read(file)?;
            output::line(format!("{}: no mistakes", file.display()));
            return Ok(());
        }
        let client = common.target.client().await?;
        self.ask(&client, common.style()).await?;
        client.close().await
    }

    async fn ask(self, client: &Client, style: Style) -> Result<()> {
        match self {
            Self::List => list(client, style).await,
            Self::Show { app } => output::json(&client.get::<Offer>(&path(&app, "")).await?),
            Self::Check { .. } => Ok(()),
            Self::Add { file } => {
                let app = read(&file)?;
                let path = path(app.name.as_str(), "");
                let _: AppDefinition = client.put(&path, &app).await?;
                output::line(app.name.to_string());
                Ok(())
            }
            Self::Delete { app } => {
                client.act(Method::DELETE, &path(&app, "")).await?;
                output::line(app);
                Ok(())
            }
            Self::Grants { app } => grants(client, &app, style).await,
            Self::Grant { app, whom } => {
                let subject = subject(client, &whom).await?;
                let _: Grant = client.post(&path(&app, "/grants"), &NewGrant { subject }).await?;
                output::line(whom);
                Ok(())
            }
            Self::Revoke { app, whom } => {
                let wanted = subject(client, &whom).await?;
                let given: Page<Grant> = client.get(&path(&app, "/grants")).await?;
                let Some(grant) = given.items.into_iter().find(|grant| grant.subject == wanted) else {
                    bail!("{app} is not granted to {whom}; a grant by its own definition is changed there");
                };
                client.act(Method::DELETE, &path(&app, &format!("/grants/{}", grant.id))).await?;
                output::line(whom);
                Ok(())
            }
        }
    }
}

fn path(app: &str, rest: &str) -> String {
    format!("api/v1/apps/{}{rest}", segment(app))
}

/// Parses a definition as the server will, so that a mistake is shown at its place in the file.
fn read(file: &std::path::Path) -> Result<portico_core::app::App> {
    let text = std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
    let stem = file.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
    let name: AppName =
        stem.parse().with_context(|| format!("{stem:?} cannot be the short name of an app"))?;
    match parse(name.as_str(), &text) {
        Ok(app) => Ok(app),
        Err(mistake) => bail!("{}", mistake.tell(&file.display().to_string())),
    }
}

async fn list(client: &Client, style: Style) -> Result<()> {
    let page: Page<Offer> = client.get("api/v1/apps").await?;
    if style == Style::Json {
        return output::json(&page.items);
    }
    if page.items.is_empty() {
        output::note("No app is granted to you.");
        return Ok(());
    }
    let mut table = Table::new(&["NAME", "TITLE", "ENGINE", "STATE"]);
    for app in page.items {
        let state = match app.availability {
            Availability::Unavailable { problem, .. } => problem,
            Availability::Available | Availability::Unknown => "can be launched".to_owned(),
        };
        table.row([app.name, app.title, app.engine, state]);
    }
    table.print();
    Ok(())
}

async fn grants(client: &Client, app: &str, style: Style) -> Result<()> {
    let given: Page<Grant> = client.get(&path(app, "/grants")).await?;
    if style == Style::Json {
        return output::json(&given.items);
    }
    let mut table = Table::new(&["GRANTED TO", "SINCE"]);
    for grant in given.items {
        let whom = match grant.subject {
            Subject::Everyone => "everyone".to_owned(),
            Subject::Group(id) => {
                format!("group:{}", client.get::<Group>(&format!("api/v1/groups/{id}")).await?.name)
            }
            Subject::User(id) => {
                format!("user:{}", client.get::<User>(&format!("api/v1/users/{id}")).await?.name)
            }
        };
        table.row([whom, grant.created.to_string()]);
    }
    table.print();
    Ok(())
}

/// Whom a text such as `group:Beamline 7` means.
async fn subject(client: &Client, whom: &str) -> Result<Subject> {
    match whom.split_once(':') {
        None if whom == "everyone" => Ok(Subject::Everyone),
        Some(("group", name)) => {
            let groups: Page<Group> = client.get("api/v1/groups?limit=200").await?;
            match groups.items.into_iter().find(|group| group.name == name || group.slug == name) {
                Some(group) => Ok(Subject::Group(group.id)),
                None => bail!("there is no group {name:?}"),
            }
        }
        Some(("user", name)) => Ok(Subject::User(super::user::find(client, name).await?.id)),
        _ => bail!("expected everyone, group:NAME or user:NAME, not {whom:?}"),
    }
}
