//! `portico image`: container images for the Docker engine.

use std::{path::PathBuf, time::Duration};

use anyhow::{Context, Result, bail};
use clap::{Args, Subcommand};
use indicatif::{ProgressBar, ProgressStyle};
use portico_core::names::EngineName;
use portico_spawn::docker::{Engine as Docker, image::Build};
use rust_embed::RustEmbed;
use serde::Deserialize;
use serde_json::json;

use super::Common;
use crate::{
    config::{Config, Engine},
    output::{self, Style},
};

/// The example images, as they lie in `images/`.
#[derive(RustEmbed)]
#[folder = "../../images"]
struct Examples;

#[derive(Debug, Subcommand)]
pub(crate) enum Image {
    /// List the example images that this binary can build.
    #[command(visible_alias = "ls")]
    List,
    /// Show the build arguments of an example image.
    Show { name: String },
    /// Build an example image, or one from a directory with a Dockerfile.
    Build(BuildImage),
    /// Make an image from a root file system, for example one made by debootstrap.
    Import(Import),
}

#[derive(Debug, Args)]
pub(crate) struct BuildImage {
    /// Name of an example, or with --dir the reference of the new image.
    name: String,
    /// Directory with a Dockerfile, instead of an example.
    #[arg(long)]
    dir: Option<PathBuf>,
    /// Image to build upon, instead of the example's default.
    #[arg(long, value_name = "IMAGE")]
    base: Option<String>,
    /// Build argument; may be given several times.
    #[arg(long = "arg", value_name = "NAME=VALUE", value_parser = assignment)]
    args: Vec<(String, String)>,
    /// Engine to build with, where the configuration has several.
    #[arg(long)]
    engine: Option<EngineName>,
}

#[derive(Debug, Args)]
pub(crate) struct Import {
    /// Reference of the new image, for example site/base:bookworm.
    reference: String,
    /// Tar archive of a root file system; `-` reads standard input.
    archive: PathBuf,
    #[arg(long)]
    engine: Option<EngineName>,
}

/// `portico.toml` of an example image.
#[derive(Debug, Deserialize)]
struct Recipe {
    title: String,
    /// Reference of the image.
    tag: String,
    #[serde(default, rename = "arg")]
    arguments: Vec<Argument>,
}

/// A build argument that the recipe offers; its default stands in the Dockerfile too.
#[derive(Debug, Deserialize)]
struct Argument {
    name: String,
    default: String,
    help: String,
}

fn assignment(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("expected NAME=VALUE")?;
    Ok((name.to_owned(), value.to_owned()))
}

impl Image {
    pub(crate) async fn run(self, common: &Common) -> Result<()> {
        match self {
            Self::List => list(common),
            Self::Show { name } => show(common, &name),
            Self::Build(build) => build.run(common).await,
            Self::Import(import) => import.run(common).await,
        }
    }
}

fn names() -> Vec<String> {
    let mut names: Vec<_> =
        Examples::iter().filter_map(|path| Some(path.strip_suffix("/Dockerfile")?.to_owned())).collect();
    names.sort();
    names
}

fn recipe(name: &str) -> Result<Recipe> {
    let Some(file) = Examples::get(&format!("{name}/portico.toml")) else {
        bail!(
            "there is no example image {name:?}; there are: {}. For your own use --dir",
            names().join(", ")
        );
    };
    let text = std::str::from_utf8(&file.data).context("the recipe is not text")?;
    toml::from_str(text).with_context(|| format!("the recipe of {name} is broken"))
}

fn list(common: &Common) -> Result<()> {
    let mut table = output::Table::new(&["NAME", "IMAGE", "TITLE"]);
    let mut rows = Vec::new();
    for name in names() {
        let recipe = recipe(&name)?;
        rows.push(json!({ "name": name, "image": recipe.tag, "title": recipe.title }));
        table.row([name, recipe.tag, recipe.title]);
    }
    match common.style() {
        Style::Human => table.print(),
        Style::Json => output::json(&rows)?,
    }
    Ok(())
}

fn show(common: &Common, name: &str) -> Result<()> {
    let recipe = recipe(name)?;
    let mut table = output::Table::new(&["ARGUMENT", "DEFAULT", "MEANING"]);
    let mut rows = Vec::new();
    for Argument { name, default, help } in recipe.arguments {
        rows.push(json!({ "name": name, "default": default, "help": help }));
        table.row([name, default, help]);
    }
    match common.style() {
        Style::Human => table.print(),
        Style::Json => output::json(&rows)?,
    }
    Ok(())
}

impl BuildImage {
    async fn run(self, common: &Common) -> Result<()> {
        let engine = engine(common, self.engine.as_ref())?;
        let (reference, mut build) = match &self.dir {
            Some(directory) => (self.name.clone(), Build::new(&self.name).directory(directory)?),
            None => example(&self.name)?,
        };
        build = build.authorities()?;
        if let Some(base) = &self.base {
            build = build.argument("BASE", base);
        }
        for (name, value) in &self.args {
            build = build.argument(name, value);
        }
        let bar = spinner()?;
        let verbose = !output::is_interactive();
        let tell = |line: &str| {
            if verbose { output::note(output::clean(line)) } else { bar.set_message(output::clean(line)) }
        };
        let id = tokio::select! {
            built = engine.build_image(&build, &tell) => built?,
            _ = tokio::signal::ctrl_c() => bail!("interrupted; the build was ended"),
        };
        bar.finish_and_clear();
        done(common, &reference, &id)
    }
}

fn example(name: &str) -> Result<(String, Build)> {
    let recipe = recipe(name)?;
    let mut build = Build::new(&recipe.tag);
    let prefix = format!("{name}/");
    for path in Examples::iter() {
        let Some(inside) = path.strip_prefix(&prefix) else { continue };
        let file = Examples::get(&path).context("an embedded file is missing")?;
        let mode = if file.data.starts_with(b"#!") { 0o755 } else { 0o644 };
        build = build.file(inside, mode, file.data.into_owned());
    }
    Ok((recipe.tag, build))
}

impl Import {
    async fn run(self, common: &Common) -> Result<()> {
        let engine = engine(common, self.engine.as_ref())?;
        let bar = spinner()?;
        bar.set_message(format!("importing {}", self.reference));
        let id = if self.archive.as_os_str() == "-" {
            engine.import_image(&self.reference, tokio::io::stdin()).await?
        } else {
            let archive = tokio::fs::File::open(&self.archive)
                .await
                .with_context(|| format!("cannot read {}", self.archive.display()))?;
            engine.import_image(&self.reference, archive).await?
        };
        bar.finish_and_clear();
        done(common, &self.reference, &id)
    }
}

fn spinner() -> Result<ProgressBar> {
    let style =
        ProgressStyle::with_template("{spinner} {elapsed} {wide_msg}").context("cannot show progress")?;
    let bar = ProgressBar::new_spinner().with_style(style);
    bar.enable_steady_tick(Duration::from_millis(120));
    Ok(bar)
}

fn done(common: &Common, reference: &str, id: &str) -> Result<()> {
    match common.style() {
        Style::Human => output::line(format!("{reference}   {id}")),
        Style::Json => output::json(&json!({ "image": reference, "id": id }))?,
    }
    Ok(())
}

/// The Docker engine to use: the named one, or the only one.
fn engine(common: &Common, wanted: Option<&EngineName>) -> Result<Docker> {
    let mut config: Config = common.target.configuration()?;
    if common.target.config.is_none() {
        config.add_docker_if_found();
    }
    let realm = config.realm();
    let mut found: Vec<_> = config
        .engine
        .into_iter()
        .filter_map(
            |(name, engine)| if let Engine::Docker(docker) = engine { Some((name, docker)) } else { None },
        )
        .filter(|(name, _)| wanted.is_none_or(|wanted| wanted == name))
        .collect();
    match (found.pop(), found.is_empty()) {
        (Some((_, docker)), true) => Ok(Docker::new(docker, realm)?),
        (Some(_), false) => bail!("there are several Docker engines; choose one with --engine"),
        (None, _) => bail!(
            "there is no Docker engine: start Docker, or name a configuration that has one with --config"
        ),
    }
}
