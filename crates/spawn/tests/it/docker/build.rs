//! Making images on a real engine.

use std::{
    sync::Mutex,
    time::{Duration, Instant},
};

use bollard::query_parameters::{ListContainersOptions, RemoveImageOptions};
use portico_core::app::Program;
use portico_spawn::docker::image::{Build, ImageError};
use tokio::time::{sleep, timeout};

use super::{BUSYBOX, Site, output, site};
use crate::conformance::Fixture;

/// A build whose Dockerfile has these steps on top of busybox.
fn build(site: &Site, steps: &str) -> Build {
    let dockerfile = format!("ARG BASE\nFROM ${{BASE}}\n{steps}\n");
    Build::new(format!("portico-test/{}", site.realm)).argument("BASE", BUSYBOX).file(
        "Dockerfile",
        0o644,
        dockerfile,
    )
}

async fn remove_image(site: &Site) {
    let options = RemoveImageOptions { force: true, ..Default::default() };
    let name = format!("portico-test/{}", site.realm);
    site.docker().remove_image(&name, Some(options), None).await.expect("removed");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_image_is_built_and_runs() {
    let Some(site) = site().await else { return };
    let told = Mutex::new(Vec::new());
    let build = build(&site, "COPY hello /hello\nRUN echo building; cat /hello").file(
        "hello",
        0o644,
        "from a file\n",
    );
    let tell = |line: &str| told.lock().expect("not poisoned").push(line.to_owned());
    let id = site.docker_engine().build_image(&build, &tell).await.expect("built");
    assert!(id.starts_with("sha256:"), "{id}");
    let told = told.into_inner().expect("not poisoned");
    assert!(told.iter().any(|line| line == "building"), "{told:?}");

    let mut plan = site.script("cat /hello");
    if let Program::Image(image) = &mut plan.spec.program {
        image.image = format!("portico-test/{}", site.realm);
    }
    assert_eq!(output(&site, &plan).await, "from a file\n");
    site.clean().await;
    remove_image(&site).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_step_is_told_with_its_output() {
    let Some(site) = site().await else { return };
    let build = build(&site, "RUN echo cannot find the flux; exit 7");
    let error = site.docker_engine().build_image(&build, &|_| {}).await.expect_err("fails");
    let ImageError::Failed { reason, output, .. } = error else { panic!("{error}") };
    assert!(reason.contains("returned a non-zero code: 7"), "{reason}");
    assert!(output.contains("cannot find the flux"), "{output}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dropped_build_ends_at_the_engine() {
    let Some(site) = site().await else { return };
    let marker = format!("sleep 600 # {}", site.realm);
    let build = build(&site, &format!("RUN {marker}"));
    let engine = site.docker_engine();
    let (docker, marker) = (site.docker(), &marker);
    let runs = async || {
        let all = docker.list_containers(None::<ListContainersOptions>).await.expect("listed");
        all.iter()
            .any(|found| found.command.as_ref().is_some_and(|command| command.contains(marker.as_str())))
    };
    let begun = async {
        while !runs().await {
            sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::select! {
        built = engine.build_image(&build, &|_| {}) => panic!("{built:?}"),
        begun = timeout(Duration::from_secs(60), begun) => begun.expect("the build begins"),
    }
    let dropped = Instant::now();
    while runs().await {
        assert!(dropped.elapsed() < Duration::from_secs(30), "the build goes on");
        sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_root_file_system_becomes_an_image() {
    let Some(site) = site().await else { return };
    let mut archive = tar::Builder::new(Vec::new());
    let mut header = tar::Header::new_gnu();
    header.set_mode(0o644);
    header.set_size(5);
    archive.append_data(&mut header, "etc/motd", "hello".as_bytes()).expect("appended");
    let archive = std::io::Cursor::new(archive.into_inner().expect("an archive"));
    let reference = format!("portico-test/{}", site.realm);
    let id = site.docker_engine().import_image(&reference, archive).await.expect("imported");
    let image = site.docker().inspect_image(&reference).await.expect("there");
    assert_eq!(image.id, Some(id));
    remove_image(&site).await;

    let junk = std::io::Cursor::new(b"this is no archive".repeat(100));
    let refused = site.docker_engine().import_image(&reference, junk).await;
    assert!(matches!(refused, Err(ImageError::Failed { .. })), "{refused:?}");
}
