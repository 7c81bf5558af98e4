//! `portico config`: check a file, print a documented one.

use std::path::PathBuf;

use anyhow::Result;
use clap::Subcommand;
use serde_json::json;

use super::Common;
use crate::{
    config,
    output::{self, Style},
};

#[derive(Debug, Subcommand)]
pub(crate) enum Config {
    /// Check a configuration file and show the line and column of a mistake.
    Check {
        /// File to check.
        file: PathBuf,
    },
    /// Print a configuration file in which every option is explained.
    Example,
}

impl Config {
    pub(crate) fn run(self, common: &Common) -> Result<()> {
        match self {
            Self::Check { file } => {
                config::Config::read(&file)?;
                match common.style() {
                    Style::Human => output::line(format!("{}: no mistakes", file.display())),
                    Style::Json => output::json(&json!({ "file": file, "valid": true }))?,
                }
            }
            Self::Example => output::write_out(config::DOCUMENTED),
        }
        Ok(())
    }
}
