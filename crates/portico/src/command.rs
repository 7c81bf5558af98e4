//! The commands: what can be typed, and who carries it out.

mod account;
mod app;
mod client;
mod config;
mod doctor;
mod image;
mod internal;
mod paper;
mod serve;
mod store;
mod target;
mod token;
mod user;
mod workload;

use std::process::ExitCode;

use anyhow::Result;
use clap::{Args, Parser, Subcommand};

use crate::output::Style;
use target::Target;

/// A self-hosted research gateway: sign in, launch isolated apps, reach them through one front door.
#[derive(Debug, Parser)]
#[command(
    name = "portico",
    version,
    propagate_version = true,
    max_term_width = 100,
    disable_help_subcommand = true
)]
pub(crate) struct Cli {
    #[command(flatten)]
    common: Common,
    #[command(subcommand)]
    command: Command,
}

/// Options of every command.
#[derive(Debug, Clone, Args)]
pub(crate) struct Common {
    /// Print JSON instead of tables and sentences.
    #[arg(long, global = true)]
    json: bool,
    #[command(flatten)]
    target: Target,
}

impl Common {
    pub(crate) fn style(&self) -> Style {
        if self.json { Style::Json } else { Style::Human }
    }
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Start a complete Portico on this machine for trying it out; needs no configuration.
    Demo(serve::Demo),
    /// Start Portico with a configuration file.
    Serve(serve::Serve),
    /// Test engines, database, addresses, names, clock and disk, and say what to do.
    Doctor(doctor::Doctor),
    /// Check a configuration file, or print one with every option explained.
    #[command(subcommand)]
    Config(config::Config),
    /// Sign in to a Portico, so that the commands below reach it.
    Login(account::Login),
    /// Forget the sign-in made by `portico login` and end its token.
    Logout,
    /// Launch an app.
    Run(workload::Run),
    /// List sessions.
    #[command(visible_alias = "ls")]
    Ps(workload::Ps),
    /// Print the log of a session.
    Logs(workload::Logs),
    /// Print the address of a session, and open it in a browser where there is one.
    Open(workload::Open),
    /// Stop sessions; they can be restarted.
    Stop(workload::Named),
    /// Start stopped or failed sessions again.
    Restart(workload::Named),
    /// Delete sessions with their logs and workspaces.
    Rm(workload::Rm),
    /// Administer users.
    #[command(subcommand)]
    User(user::User),
    /// Administer the catalogue and who may run what.
    #[command(subcommand)]
    App(app::App),
    /// Administer API tokens.
    #[command(subcommand)]
    Token(token::Token),
    /// Build and import container images for the Docker engine.
    #[command(subcommand)]
    Image(image::Image),
    /// Write a checked copy of the database, also while Portico runs.
    Backup(store::Backup),
    /// Put a backup in the place of the database; the former one is kept aside.
    Restore(store::Restore),
    /// Print the version.
    Version,
    /// Print the completion script of a shell.
    Completions(paper::Completions),
    /// Print the manual page, or write one page per command into a directory.
    Man(paper::Man),
    /// Parts that Portico starts by itself.
    #[command(hide = true)]
    Internal(internal::Internal),
}

impl Cli {
    /// Carries the command out.
    pub(crate) fn run(self) -> Result<ExitCode> {
        let common = &self.common;
        match self.command {
            Command::Internal(part) => return part.run(),
            Command::Demo(demo) => demo.run(common)?,
            Command::Serve(serve) => serve.run(common)?,
            Command::Config(config) => config.run(common)?,
            Command::Version => paper::version(common.style())?,
            Command::Completions(completions) => completions.run(),
            Command::Man(man) => man.run()?,
            Command::Restore(restore) => restore.run(common)?,
            Command::Doctor(doctor) => return on_runtime(doctor.run(common)),
            other => return on_runtime(other.ask(common)),
        }
        Ok(ExitCode::SUCCESS)
    }
}

impl Command {
    /// Commands that talk to a running Portico.
    async fn ask(self, common: &Common) -> Result<ExitCode> {
        match self {
            Self::Login(login) => login.run(common).await?,
            Self::Logout => account::logout(common).await?,
            Self::Run(run) => run.run(common).await?,
            Self::Ps(ps) => ps.run(common).await?,
            Self::Logs(logs) => logs.run(common).await?,
            Self::Open(open) => open.run(common).await?,
            Self::Stop(named) => return named.stop(common).await,
            Self::Restart(named) => return named.restart(common).await,
            Self::Rm(rm) => return rm.run(common).await,
            Self::User(user) => user.run(common).await?,
            Self::App(app) => app.run(common).await?,
            Self::Token(token) => token.run(common).await?,
            Self::Image(image) => image.run(common).await?,
            Self::Backup(backup) => backup.run(common).await?,
            _ => unreachable!("handled without a runtime"),
        }
        Ok(ExitCode::SUCCESS)
    }
}

fn on_runtime<T>(work: impl Future<Output = Result<T>>) -> Result<T> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(work)
}
