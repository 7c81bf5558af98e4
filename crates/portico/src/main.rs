//! Portico: a self-hosted research gateway.
//!
//! This file only picks the command. What a command does stands under [`command`]; how the parts of a
//! running gateway are put together stands in [`serve`], which reads like a table of contents.

mod command;
mod config;
mod lifecycle;
mod logging;
mod output;
mod serve;

use std::process::ExitCode;

use clap::Parser;

use crate::command::Cli;

fn main() -> ExitCode {
    let cli = Cli::parse();
    // Fails only when there is one already, which is as good.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    match cli.run() {
        Ok(code) => code,
        Err(error) => {
            output::failure(&error);
            ExitCode::FAILURE
        }
    }
}
