//! Images that are fetched: a real registry on a loopback port.

use std::{net::Ipv4Addr, process::Stdio, time::Duration};

use bollard::query_parameters::RemoveImageOptions;
use portico_core::{
    app::Program,
    launch::LaunchPlan,
    ports::{SpawnError, Spawner, Step},
};
use portico_spawn::docker::Pull;
use tokio::{
    net::TcpStream,
    process::{Child, Command},
    time::sleep,
};

use super::{BUSYBOX, Site, free_port, site};
use crate::conformance::{Deed, Fixture, Steps, answers};

/// Ends with the test.
struct Registry {
    port: u16,
    _process: Child,
    _directory: tempfile::TempDir,
}

impl Registry {
    async fn start() -> Self {
        let port = free_port();
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("registry.yml");
        let storage = directory.path().join("data");
        let text = format!(
            "version: 0.1\nstorage: {{filesystem: {{rootdirectory: {}}}}}\nhttp: {{addr: '127.0.0.1:{port}'}}\n",
            storage.display()
        );
        std::fs::write(&path, text).expect("written");
        let mut command = Command::new("docker-registry");
        command.arg("serve").arg(&path).stdout(Stdio::null()).stderr(Stdio::null()).kill_on_drop(true);
        let process = command.spawn().expect("docker-registry is installed");
        for _ in 0..600 {
            if TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await.is_ok() {
                return Self { port, _process: process, _directory: directory };
            }
            sleep(Duration::from_millis(50)).await;
        }
        panic!("the registry did not start");
    }

    /// Holds busybox under this name, and the engine does not.
    async fn offer(&self, site: &Site, name: &str) -> String {
        let reference = format!("127.0.0.1:{}/{name}:1", self.port);
        for words in [vec!["tag", BUSYBOX, &reference], vec!["push", "-q", &reference]] {
            let mut command = Command::new("docker");
            command.arg("-H").arg(&site.config.host).args(&words).stdout(Stdio::null());
            assert!(command.status().await.expect("run").success(), "{words:?}");
        }
        forget(site, &reference).await;
        reference
    }
}

async fn forget(site: &Site, reference: &str) {
    site.docker().remove_image(reference, None::<RemoveImageOptions>, None).await.expect("removed");
}

fn with_image(mut plan: LaunchPlan, reference: &str) -> LaunchPlan {
    if let Program::Image(image) = &mut plan.spec.program {
        image.image = reference.to_owned();
    }
    plan
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_image_is_fetched_at_launch_and_the_steps_say_so() {
    let Some(mut site) = site().await else { return };
    site.config.pull = Pull::Missing;
    let registry = Registry::start().await;
    let reference = registry.offer(&site, "tools/busybox").await;
    let plan = with_image(site.plan(Deed::Serve), &reference);
    let (engine, steps) = (site.docker_engine(), Steps::default());
    let instance = engine.launch(&plan, &steps).await.expect("launched");
    let told = steps.0.lock().expect("not poisoned").clone();
    let pulling = |step: &Step| matches!(step, Step::Pulling { image, .. } if *image == reference);
    assert!(told.iter().any(pulling), "{told:?}");
    answers(&engine, &plan, &instance).await;
    site.clean().await;
    forget(&site, &reference).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_image_that_the_registry_does_not_have_is_missing() {
    let Some(mut site) = site().await else { return };
    site.config.pull = Pull::Missing;
    let registry = Registry::start().await;
    let reference = format!("127.0.0.1:{}/no/such:1", registry.port);
    let plan = with_image(site.plan(Deed::Serve), &reference);
    let missing = site.docker_engine().launch(&plan, &Steps::default()).await;
    assert_eq!(missing, Err(SpawnError::ImageMissing(reference)));

    let reference = format!("127.0.0.1:{}/no/such:1", free_port());
    let plan = with_image(site.plan(Deed::Serve), &reference);
    let unreachable = site.docker_engine().launch(&plan, &Steps::default()).await;
    let Err(SpawnError::Refused(text)) = unreachable else { panic!("{unreachable:?}") };
    assert!(text.contains(&reference) && text.contains("connection refused"), "{text}");
    assert_eq!(site.objects().await, Vec::<String>::new());
}
