//! The workspace: a named volume that outlives the runs of its workload.
//!
//! Docker makes a volume owned by root, or by whom the image says. So that any image works with any
//! user, the volume's top directory is given to the app's user by unpacking an archive with one entry
//! into a container that is made from the app's own image, has nothing but the volume, and never runs.
//! The mode that this leaves behind says that it was done.

use std::collections::HashMap;

use bollard::{
    body_full,
    models::{ContainerCreateBody, HostConfig, Mount, MountType, VolumeCreateRequest},
    query_parameters::{
        ContainerArchiveInfoOptions, CreateContainerOptions, ListContainersOptions, RemoveContainerOptions,
        RemoveVolumeOptions, UploadToContainerOptions,
    },
};
use portico_core::{
    app::Image,
    launch::LaunchPlan,
    names::{Label, Realm},
    ports::SpawnError,
};

use super::{
    WORKSPACE,
    error::{is_conflict, is_missing, status, translate},
    labels,
    link::{Link, optional},
};

/// For its owner alone.
const MODE: u32 = 0o700;

/// The mount of a workload's workspace.
pub(super) fn mount(realm: &Realm, label: &Label) -> Mount {
    Mount {
        typ: Some(MountType::VOLUME),
        source: Some(labels::volume(realm, label)),
        target: Some(WORKSPACE.to_owned()),
        read_only: Some(false),
        ..Mount::default()
    }
}

/// Makes the volume unless it is there. A volume of that name that is not ours is not touched.
pub(super) async fn ensure(link: &Link, realm: &Realm, label: &Label) -> Result<(), SpawnError> {
    let name = labels::volume(realm, label);
    let wanted = labels::of_workspace(realm, label);
    // Returns the volume as it is when there is one.
    let request = VolumeCreateRequest {
        name: Some(name.clone()),
        labels: Some(wanted.clone()),
        ..VolumeCreateRequest::default()
    };
    let volume = link.docker.create_volume(request).await.map_err(|error| translate(&error))?;
    if is_ours(&volume.labels, &wanted) {
        Ok(())
    } else {
        Err(SpawnError::Refused(format!("the volume {name} exists and is not this workload's")))
    }
}

/// Gives the workspace to the app's user, if that was not done yet. `container` is the one that will
/// run; it has been made and not been started.
pub(super) async fn prepare(
    link: &Link,
    realm: &Realm,
    plan: &LaunchPlan,
    image: &Image,
    container: &str,
) -> Result<(), SpawnError> {
    let options = ContainerArchiveInfoOptions { path: WORKSPACE.to_owned() };
    let state = link.docker.get_container_archive_info(container, Some(options)).await;
    match state {
        Ok(state) if state.file_mode & 0o777 == MODE => return Ok(()),
        Ok(_) => {}
        // This question gets no reason with a refusal; the start, which has the same trouble, does.
        Err(error) if status(&error).is_some() => {}
        Err(error) => return Err(translate(&error)),
    }
    let body = ContainerCreateBody {
        image: Some(image.image.clone()),
        cmd: Some(vec!["true".to_owned()]),
        labels: Some(labels::of_preparation(realm, &plan.label)),
        host_config: Some(HostConfig {
            network_mode: Some("none".to_owned()),
            mounts: Some(vec![mount(realm, &plan.label)]),
            ..HostConfig::default()
        }),
        ..ContainerCreateBody::default()
    };
    let made = link.docker.create_container(None::<CreateContainerOptions>, body).await;
    let id = made.map_err(|error| translate(&error))?.id;
    let given = give(link, &id, image).await;
    remove_preparation(link, &id).await?;
    given
}

async fn give(link: &Link, container: &str, image: &Image) -> Result<(), SpawnError> {
    let archive = archive(&image.user)
        .map_err(|error| SpawnError::Refused(format!("the workspace cannot be given to the app: {error}")))?;
    let options = UploadToContainerOptions { path: "/".to_owned(), ..UploadToContainerOptions::default() };
    let done = link.docker.upload_to_container(container, Some(options), body_full(archive.into())).await;
    done.map_err(|error| translate(&error))
}

/// An archive of one directory, owned by `user` (`uid:gid`).
fn archive(user: &str) -> std::io::Result<Vec<u8>> {
    let number = |text: &str| text.parse::<u64>().map_err(std::io::Error::other);
    let (uid, gid) = user.split_once(':').unwrap_or((user, user));
    let mut header = tar::Header::new_gnu();
    header.set_entry_type(tar::EntryType::Directory);
    header.set_mode(MODE);
    header.set_uid(number(uid)?);
    header.set_gid(number(gid)?);
    header.set_size(0);
    let mut builder = tar::Builder::new(Vec::new());
    builder.append_data(&mut header, WORKSPACE.trim_start_matches('/'), std::io::empty())?;
    builder.into_inner()
}

/// Deletes the volume of a workload, if it is there and ours.
pub(super) async fn discard(link: &Link, realm: &Realm, label: &Label) -> Result<(), SpawnError> {
    remove_preparations(link, realm, Some(label), i64::MAX).await?;
    let name = labels::volume(realm, label);
    let Some(volume) = optional(link.docker.inspect_volume(&name).await)? else {
        return Ok(());
    };
    if !is_ours(&volume.labels, &labels::of_workspace(realm, label)) {
        return Err(SpawnError::Refused(format!("the volume {name} is not this workload's")));
    }
    match link.docker.remove_volume(&name, None::<RemoveVolumeOptions>).await {
        Ok(()) => Ok(()),
        Err(error) if is_missing(&error) => Ok(()),
        Err(error) if is_conflict(&error) => {
            Err(SpawnError::Refused("the workspace is still in use".to_owned()))
        }
        Err(error) => Err(translate(&error)),
    }
}

/// Removes what a crash left of preparations begun before `until` (Unix seconds); tells how many.
pub(super) async fn remove_preparations(
    link: &Link,
    realm: &Realm,
    label: Option<&Label>,
    until: i64,
) -> Result<usize, SpawnError> {
    let filters = labels::filter([(labels::REALM, realm.as_str())]);
    let options =
        ListContainersOptions { all: true, filters: Some(filters), ..ListContainersOptions::default() };
    let all = link.docker.list_containers(Some(options)).await.map_err(|error| translate(&error))?;
    let mut count = 0;
    for container in all {
        let of = container.labels.as_ref().and_then(|labels| labels.get(labels::PREPARES));
        let wanted = of.is_some_and(|of| label.is_none_or(|label| of == label.as_str()));
        let old = container.created.is_some_and(|created| created <= until);
        if let Some(id) = container.id.filter(|_| wanted && old) {
            remove_preparation(link, &id).await?;
            count += 1;
        }
    }
    Ok(count)
}

async fn remove_preparation(link: &Link, id: &str) -> Result<(), SpawnError> {
    let options = RemoveContainerOptions { v: true, force: true, link: false };
    match link.docker.remove_container(id, Some(options)).await {
        Err(error) if !is_missing(&error) && !is_conflict(&error) => Err(translate(&error)),
        _ => Ok(()),
    }
}

fn is_ours(found: &HashMap<String, String>, wanted: &HashMap<String, String>) -> bool {
    wanted.iter().all(|(name, value)| found.get(name) == Some(value))
}
