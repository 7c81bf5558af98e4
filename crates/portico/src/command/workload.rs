//! Commands on sessions: launch, list, logs, open, stop, restart, delete.

use std::{collections::BTreeMap, process::ExitCode, time::Duration};

use anyhow::{Context, Result, bail};
use clap::Args;
use futures_util::StreamExt;
use indicatif::{ProgressBar, ProgressStyle};
use portico_api::{
    page::Page,
    workload::{NewWorkload, Phase, Workload},
};
use reqwest::Method;

use super::{
    Common,
    client::{Client, segment},
};
use crate::output::{self, Style, Table};

/// How often a start is asked about.
const LOOK: Duration = Duration::from_millis(300);

#[derive(Debug, Args)]
pub(crate) struct Run {
    /// Name of the app, as `portico app list` shows it.
    app: String,
    /// Answer to a parameter of the app; may be given several times.
    #[arg(short, long = "param", value_name = "NAME=VALUE", value_parser = answer)]
    params: Vec<(String, String)>,
    /// One of the sizes that the app offers.
    #[arg(long)]
    size: Option<String>,
    /// What to call the session.
    #[arg(long)]
    title: Option<String>,
    /// Do not wait until the app answers.
    #[arg(short, long)]
    detach: bool,
}

fn answer(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("expected NAME=VALUE")?;
    Ok((name.to_owned(), value.to_owned()))
}

impl Run {
    pub(crate) async fn run(self, common: &Common) -> Result<()> {
        let client = common.target.client().await?;
        let order = NewWorkload {
            app: self.app,
            parameters: self.params.into_iter().collect::<BTreeMap<_, _>>(),
            size: self.size,
            title: self.title,
        };
        let mut workload: Workload = client.post("api/v1/workloads", &order).await?;
        if !self.detach {
            workload = until_settled(&client, workload).await?;
        }
        match common.style() {
            Style::Json => output::json(&workload)?,
            Style::Human if workload.phase == Phase::Ready => output::line(&workload.open_url),
            Style::Human if self.detach => output::line(workload.id.to_string()),
            Style::Human => {}
        }
        client.close().await?;
        if workload.phase == Phase::Failed {
            bail!("{}: {}\n{}", workload.title, workload.reason, workload.advice.unwrap_or_default());
        }
        Ok(())
    }
}

/// Shows the progress of a start until it is ready or has ended.
async fn until_settled(client: &Client, mut workload: Workload) -> Result<Workload> {
    let bar = ProgressBar::new_spinner().with_style(
        ProgressStyle::with_template("{spinner} {wide_msg} {elapsed}").context("cannot show progress")?,
    );
    bar.enable_steady_tick(Duration::from_millis(120));
    while !matches!(workload.phase, Phase::Ready | Phase::Stopped | Phase::Failed) {
        bar.set_message(format!("{}: {}", output::clean(&workload.title), output::clean(&workload.reason)));
        tokio::time::sleep(LOOK).await;
        workload = client.get(&path(&workload.id.to_string())).await?;
    }
    bar.finish_and_clear();
    Ok(workload)
}

#[derive(Debug, Args)]
pub(crate) struct Ps {
    /// Show ended sessions too.
    #[arg(short, long)]
    all: bool,
    /// Show the sessions of everybody; for administrators.
    #[arg(long)]
    everybody: bool,
    /// Print only identifiers.
    #[arg(short, long)]
    quiet: bool,
}

impl Ps {
    pub(crate) async fn run(self, common: &Common) -> Result<()> {
        let client = common.target.client().await?;
        let everybody = self.everybody || client.is_console();
        let workloads = list(&client, self.all, everybody).await?;
        client.close().await?;
        if self.quiet {
            workloads.iter().for_each(|workload| output::line(workload.id.to_string()));
            return Ok(());
        }
        if common.style() == Style::Json {
            return output::json(&workloads);
        }
        if workloads.is_empty() {
            output::note(
                "No sessions. Launch one with `portico run APP`; `portico app list` shows what there is.",
            );
            return Ok(());
        }
        let mut table = Table::new(&["ID", "APP", "TITLE", "OWNER", "ENGINE", "STATE", "SINCE"]);
        for workload in workloads {
            let since = workload.changed.strftime("%Y-%m-%d %H:%M:%S").to_string();
            table.row([
                workload.id.to_string(),
                workload.app,
                workload.title,
                workload.owner.name.unwrap_or(workload.owner.slug),
                workload.engine,
                word(workload.phase).to_owned(),
                since,
            ]);
        }
        table.print();
        Ok(())
    }
}

async fn list(client: &Client, ended: bool, everybody: bool) -> Result<Vec<Workload>> {
    let mut workloads = Vec::new();
    let mut cursor = String::new();
    loop {
        let of = if everybody { "all" } else { "me" };
        let phase = if ended { "" } else { "&phase=requested,queued,starting,ready,stopping" };
        let path = format!("api/v1/workloads?limit=200&of={of}{phase}{cursor}");
        let page: Page<Workload> = client.get(&path).await?;
        workloads.extend(page.items);
        match page.next_cursor {
            Some(next) => cursor = format!("&cursor={}", segment(&next)),
            None => return Ok(workloads),
        }
    }
}

/// Finds the one session that a person means: by id, label, a unique beginning of either, or title.
async fn find(client: &Client, name: &str) -> Result<Workload> {
    if name.len() == 26 {
        return client.get(&path(name)).await;
    }
    let all = list(client, true, client.is_console()).await?;
    let exact = |w: &Workload| w.label == name || (w.title == name && !w.phase.is_ended());
    let begins = |w: &Workload| w.id.to_string().starts_with(name) || w.label.starts_with(name);
    let mut found: Vec<Workload> = all.iter().filter(|w| exact(w)).cloned().collect();
    if found.is_empty() {
        found = all.into_iter().filter(begins).collect();
    }
    match found.len() {
        1 => Ok(found.remove(0)),
        0 => bail!("there is no session {name:?}; `portico ps -a` lists them"),
        several => bail!("{several} sessions match {name:?}; give more of the identifier"),
    }
}

fn word(phase: Phase) -> &'static str {
    match phase {
        Phase::Requested => "requested",
        Phase::Queued => "queued",
        Phase::Starting => "starting",
        Phase::Ready => "ready",
        Phase::Stopping => "stopping",
        Phase::Stopped => "stopped",
        Phase::Failed => "failed",
    }
}

fn path(id: &str) -> String {
    format!("api/v1/workloads/{}", segment(id))
}

#[derive(Debug, Args)]
pub(crate) struct Logs {
    /// Identifier, beginning of it, or title of the session.
    session: String,
    /// Print on as the log grows, until the session ends.
    #[arg(short, long)]
    follow: bool,
    /// Print only the last lines.
    #[arg(long, value_name = "LINES")]
    tail: Option<u32>,
}

impl Logs {
    pub(crate) async fn run(self, common: &Common) -> Result<()> {
        let client = common.target.client().await?;
        let workload = find(&client, &self.session).await?;
        let tail = self.tail.map(|lines| format!("&tail={lines}")).unwrap_or_default();
        let path = format!("{}/logs?follow={}{tail}", path(&workload.id.to_string()), self.follow);
        let mut chunks = client.stream(&path).await?.bytes_stream();
        while let Some(chunk) = chunks.next().await {
            output::bytes(&chunk.context("the log broke off")?);
        }
        client.close().await
    }
}

#[derive(Debug, Args)]
pub(crate) struct Open {
    /// Identifier, beginning of it, or title of the session.
    session: String,
    /// Only print the address.
    #[arg(long)]
    print: bool,
}

impl Open {
    pub(crate) async fn run(self, common: &Common) -> Result<()> {
        let client = common.target.client().await?;
        let workload = find(&client, &self.session).await?;
        client.close().await?;
        if workload.phase != Phase::Ready {
            bail!("{} is {}: {}", workload.title, word(workload.phase), workload.reason);
        }
        match common.style() {
            Style::Json => output::json(&serde_json::json!({ "open_url": workload.open_url }))?,
            Style::Human => output::line(&workload.open_url),
        }
        let has_screen =
            std::env::var_os("DISPLAY").is_some() || std::env::var_os("WAYLAND_DISPLAY").is_some();
        if !self.print && common.style() == Style::Human && has_screen {
            // The address was printed; a missing browser is no failure.
            let _ = tokio::process::Command::new("xdg-open").arg(&workload.open_url).status().await;
        }
        Ok(())
    }
}

#[derive(Debug, Args)]
pub(crate) struct Named {
    /// Identifiers, beginnings of them, or titles.
    #[arg(required = true)]
    sessions: Vec<String>,
}

/// Deletes ended sessions; with --force running ones too.
#[derive(Debug, Args)]
pub(crate) struct Rm {
    #[command(flatten)]
    named: Named,
    /// Delete them even while they run; they are stopped first.
    #[arg(short, long)]
    force: bool,
}

impl Named {
    pub(crate) async fn stop(self, common: &Common) -> Result<ExitCode> {
        self.each(common, Method::POST, "/stop").await
    }

    pub(crate) async fn restart(self, common: &Common) -> Result<ExitCode> {
        self.each(common, Method::POST, "/restart").await
    }

    /// Does the same to each; goes on after a failure, and says so at the end by the exit code.
    async fn each(self, common: &Common, method: Method, verb: &str) -> Result<ExitCode> {
        let client = common.target.client().await?;
        let mut code = ExitCode::SUCCESS;
        for name in &self.sessions {
            match one(&client, name, method.clone(), verb).await {
                Ok(id) => output::line(id),
                Err(error) => {
                    output::failure(&error);
                    code = ExitCode::FAILURE;
                }
            }
        }
        client.close().await?;
        Ok(code)
    }
}

async fn one(client: &Client, name: &str, method: Method, verb: &str) -> Result<String> {
    let workload = find(client, name).await?;
    let id = workload.id.to_string();
    client.act(method, &format!("{}{verb}", path(&id))).await?;
    Ok(id)
}

impl Rm {
    pub(crate) async fn run(self, common: &Common) -> Result<ExitCode> {
        if !self.force {
            let client = common.target.client().await?;
            for name in &self.named.sessions {
                let workload = find(&client, name).await?;
                if !workload.phase.is_ended() {
                    let state = word(workload.phase);
                    bail!("{} is {state}: stop it first, or delete it anyway with --force", workload.title);
                }
            }
            client.close().await?;
        }
        self.named.each(common, Method::DELETE, "").await
    }
}
