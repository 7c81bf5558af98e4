//! From a plan to a running container.
//!
//! Each step finds what an earlier, broken-off launch left: the network by label, the volume and the
//! container by name. A container that was made but never started is started. Nothing is removed on the
//! way but a container that cannot be started at all.

use std::{collections::BTreeSet, time::Duration};

use bollard::{
    errors::Error,
    models::ImageInspect,
    query_parameters::{CreateContainerOptions, InspectContainerOptions, StartContainerOptions},
};
use portico_core::{
    app::{Image, Listen, Mount, Network, Program},
    failpoint,
    launch::LaunchPlan,
    names::InstanceName,
    ports::{Instance, InstanceStatus, Progress, SpawnError, Step},
};

use super::{
    Engine,
    config::Reach,
    container::{self, Site},
    error::{is_conflict, is_missing, message, translate},
    link::{Link, optional},
    pull, workspace,
};
use tokio::time::sleep;

/// Tenths of a second that Docker may take to show a container whose name is taken.
const SETTLING: u32 = 50;

impl Engine {
    pub(super) async fn start_plan(
        &self,
        plan: &LaunchPlan,
        progress: &dyn Progress,
    ) -> Result<Instance, SpawnError> {
        progress.step(Step::Preparing);
        let image = self.admit(&plan.spec.program, &plan.spec.mounts)?;
        self.admit_network(plan)?;
        let link = self.link().await?;
        let found = match self.find(&link, &plan.instance).await? {
            Some(found) => found,
            None => {
                let present = pull::ensure(&link, self.config(), &image.image, progress).await?;
                progress.step(Step::Creating);
                self.create(&link, plan, image, &present).await?;
                self.settle(&link, &plan.instance).await?
            }
        };
        progress.step(Step::Starting);
        if found.status != InstanceStatus::Created {
            return Ok(found);
        }
        self.start(&link, plan, image).await?;
        self.find(&link, &plan.instance)
            .await?
            .ok_or_else(|| SpawnError::Unreachable("the container was removed while it started".to_owned()))
    }

    /// Whether the site lets this program run with these mounts.
    pub(super) fn admit<'a>(&self, program: &'a Program, mounts: &[Mount]) -> Result<&'a Image, SpawnError> {
        let Program::Image(image) = program else {
            return Err(SpawnError::Refused("this engine runs container images, not commands".to_owned()));
        };
        pull::check(&image.image)?;
        self.config().allows_user(image).map_err(SpawnError::Refused)?;
        for mount in mounts {
            self.config().allows_mount(mount).map_err(SpawnError::Refused)?;
        }
        Ok(image)
    }

    fn admit_network(&self, plan: &LaunchPlan) -> Result<(), SpawnError> {
        let fixed = |listen| matches!(listen, Listen::Tcp { port: Some(_) });
        if plan.spec.entry_points.values().any(|entry| !fixed(entry.listen)) {
            return Err(SpawnError::Refused(
                "an image needs a fixed tcp port for each entry point".to_owned(),
            ));
        }
        if plan.spec.network == Network::None && matches!(self.config().reach(), Reach::Publish(_)) {
            return Err(SpawnError::Refused(
                "Docker publishes no ports of a container without a network; this engine cannot run apps with \
                 network = \"none\""
                    .to_owned(),
            ));
        }
        Ok(())
    }

    /// Makes network, workspace and container. Somebody may have made the container meanwhile.
    async fn create(
        &self,
        link: &Link,
        plan: &LaunchPlan,
        image: &Image,
        present: &ImageInspect,
    ) -> Result<(), SpawnError> {
        let mounts = self.resolve(&plan.spec.mounts).await?;
        failpoint::hit("docker.before-network");
        let network = self.networks().ensure(link, self.realm(), self.config(), plan).await?;
        failpoint::hit("docker.after-network");
        workspace::ensure(link, self.realm(), &plan.label).await?;
        let site = Site {
            realm: self.realm(),
            reach: self.config().reach(),
            network: &network,
            init: link.facts.init && !brings_init(present),
            mounts: &mounts,
            directory: present.config.as_ref().and_then(|config| config.working_dir.as_deref()),
        };
        let options = CreateContainerOptions {
            name: Some(plan.instance.to_string()),
            ..CreateContainerOptions::default()
        };
        let made = link.docker.create_container(Some(options), container::request(plan, image, &site)).await;
        failpoint::hit("docker.after-create");
        match made {
            Ok(_) => Ok(()),
            Err(error) if is_conflict(&error) => Ok(()),
            Err(error) if is_missing(&error) && message(&error).contains("No such image") => {
                Err(SpawnError::ImageMissing(image.image.clone()))
            }
            Err(error) => {
                super::network::remove(link, self.realm(), &plan.instance).await?;
                Err(refusal(image, &error))
            }
        }
    }

    /// The container that was just made, by us or, at the same time, by somebody else: Docker takes the
    /// name a moment before it shows the container.
    async fn settle(&self, link: &Link, name: &InstanceName) -> Result<Instance, SpawnError> {
        for _ in 0..SETTLING {
            if let Some(found) = self.find(link, name).await? {
                return Ok(found);
            }
            let foreign = link.docker.inspect_container(name.as_str(), None::<InspectContainerOptions>).await;
            if optional(foreign)?.is_some() && self.find(link, name).await?.is_none() {
                return Err(SpawnError::Refused(
                    "a container of this name exists that Portico did not make".to_owned(),
                ));
            }
            sleep(Duration::from_millis(100)).await;
        }
        Err(SpawnError::Unreachable("the container was removed while it was made".to_owned()))
    }

    async fn start(&self, link: &Link, plan: &LaunchPlan, image: &Image) -> Result<(), SpawnError> {
        let name = plan.instance.as_str();
        workspace::prepare(link, self.realm(), plan, image, name).await?;
        let started = link.docker.start_container(name, None::<StartContainerOptions>).await;
        failpoint::hit("docker.after-start");
        let Err(error) = started else { return Ok(()) };
        let stranded = is_missing(&error) && message(&error).contains("network");
        let error = if stranded {
            SpawnError::Unreachable("its network was removed meanwhile".to_owned())
        } else {
            refusal(image, &error)
        };
        // What the engine cannot start has no log and no use; a new attempt begins from nothing.
        if stranded || !error.is_temporary() {
            self.forget(link, &plan.instance).await?;
        }
        Err(error)
    }

    /// The mounts with symbolic links followed, so that none leads out of the allowed directories. That
    /// can be seen only where the engine's host is this one.
    async fn resolve(&self, mounts: &[Mount]) -> Result<Vec<Mount>, SpawnError> {
        if self.config().socket().is_none() {
            return Ok(mounts.to_vec());
        }
        let mut roots = BTreeSet::new();
        for root in &self.config().mount_roots {
            roots.extend(tokio::fs::canonicalize(root).await.ok());
        }
        let mut resolved = Vec::with_capacity(mounts.len());
        for mount in mounts {
            let source = tokio::fs::canonicalize(&mount.source).await.map_err(|error| {
                SpawnError::Refused(format!("{} cannot be mounted: {error}", mount.source))
            })?;
            let inside = roots.iter().any(|root| source.starts_with(root));
            let source = source.to_str().filter(|_| inside).ok_or_else(|| {
                SpawnError::Refused(format!("{} leads out of what this engine allows to mount", mount.source))
            })?;
            resolved.push(Mount { source: source.to_owned(), ..mount.clone() });
        }
        Ok(resolved)
    }
}

/// Whether the image has a first process of its own, which reaps and forwards signals.
fn brings_init(image: &ImageInspect) -> bool {
    const KNOWN: [&str; 5] = ["tini", "tini-static", "dumb-init", "catatonit", "docker-init"];
    let words = image.config.as_ref().and_then(|config| config.entrypoint.as_deref()).unwrap_or_default();
    let program = words.first().and_then(|word| word.rsplit('/').next());
    program.is_some_and(|program| KNOWN.contains(&program))
}

/// What a refused creation or start means for who launched it.
fn refusal(image: &Image, error: &Error) -> SpawnError {
    let said = message(error);
    let absent = said.contains("executable file not found")
        || (said.contains("exec") && said.contains("no such file or directory"));
    match image.command.first() {
        Some(program) if absent => SpawnError::ProgramMissing(program.clone()),
        _ => translate(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bollard::models::ImageConfig;

    #[test]
    fn an_image_with_an_init_of_its_own_gets_no_second() {
        let image = |words: &[&str]| ImageInspect {
            config: Some(ImageConfig {
                entrypoint: Some(words.iter().map(|word| (*word).to_owned()).collect()),
                ..ImageConfig::default()
            }),
            ..ImageInspect::default()
        };
        assert!(brings_init(&image(&["/usr/bin/tini", "--", "start"])));
        assert!(!brings_init(&image(&["start", "tini"])));
        assert!(!brings_init(&image(&[])));
    }
}
