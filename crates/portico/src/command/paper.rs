//! Version, shell completions and manual pages.

use std::path::PathBuf;

use anyhow::{Context, Result};
use clap::{Args, CommandFactory};
use serde_json::json;

use super::Cli;
use crate::output::{self, Style};

#[derive(Debug, Args)]
pub(crate) struct Completions {
    /// Shell to make the script for.
    shell: clap_complete::Shell,
}

impl Completions {
    pub(crate) fn run(self) {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut Cli::command(), "portico", &mut script);
        output::bytes(&script);
    }
}

#[derive(Debug, Args)]
pub(crate) struct Man {
    /// Write one page per command into this directory instead.
    #[arg(long, value_name = "DIR")]
    all: Option<PathBuf>,
}

impl Man {
    pub(crate) fn run(self) -> Result<()> {
        let command = Cli::command();
        if let Some(directory) = self.all {
            std::fs::create_dir_all(&directory)
                .and_then(|()| clap_mangen::generate_to(command, &directory))
                .with_context(|| format!("cannot write manual pages into {}", directory.display()))?;
            output::note(format!("Manual pages written into {}.", directory.display()));
            return Ok(());
        }
        let mut page = Vec::new();
        clap_mangen::Man::new(command).render(&mut page).context("cannot make the manual page")?;
        output::bytes(&page);
        Ok(())
    }
}

/// Prints the version.
pub(crate) fn version(style: Style) -> Result<()> {
    let version = env!("CARGO_PKG_VERSION");
    match style {
        Style::Human => output::line(format!("portico {version}")),
        Style::Json => output::json(&json!({ "name": "portico", "version": version }))?,
    }
    Ok(())
}
