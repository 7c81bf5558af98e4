//! Images at launch: whether the engine has one, and fetching it.

use std::collections::HashMap;

use bollard::{
    models::{CreateImageInfo, ImageInspect},
    query_parameters::CreateImageOptions,
};
use futures_util::TryStreamExt;
use portico_core::ports::{Progress, SpawnError, Step};
use tokio::time::timeout;

use super::{
    config::{Config, Pull},
    error::{clean, message, status},
    link::{Link, optional},
};

/// The image, if the engine has it.
pub(super) async fn inspect(link: &Link, reference: &str) -> Result<Option<ImageInspect>, SpawnError> {
    check(reference)?;
    optional(link.docker.inspect_image(reference).await)
}

/// The image, fetched now where the configuration says so.
pub(super) async fn ensure(
    link: &Link,
    config: &Config,
    reference: &str,
    progress: &dyn Progress,
) -> Result<ImageInspect, SpawnError> {
    let present = inspect(link, reference).await?;
    match (present, config.pull) {
        (Some(image), Pull::Missing | Pull::Never) => return Ok(image),
        (None, Pull::Never) => return Err(SpawnError::ImageMissing(reference.to_owned())),
        (_, Pull::Missing | Pull::Always) => {}
    }
    match timeout(config.pulling(), pull(link, config, reference, progress)).await {
        Ok(done) => done?,
        Err(_) => {
            return Err(SpawnError::Refused(format!(
                "fetching the image {reference} took longer than {} seconds",
                config.pull_seconds
            )));
        }
    }
    inspect(link, reference).await?.ok_or_else(|| SpawnError::ImageMissing(reference.to_owned()))
}

async fn pull(
    link: &Link,
    config: &Config,
    reference: &str,
    progress: &dyn Progress,
) -> Result<(), SpawnError> {
    let (name, tag) = split(reference);
    let options = CreateImageOptions {
        from_image: Some(name.to_owned()),
        tag: Some(tag.to_owned()),
        ..CreateImageOptions::default()
    };
    let docker = link.patient(config.pulling());
    let mut layers = Layers::default();
    let mut told = None;
    let tell = |percent| progress.step(Step::Pulling { image: reference.to_owned(), percent });
    tell(None);
    let mut steps = std::pin::pin!(docker.create_image(Some(options), None, None));
    loop {
        match steps.try_next().await {
            Ok(Some(info)) => {
                let percent = layers.hear(&info);
                if percent > told {
                    told = percent;
                    tell(percent);
                }
            }
            Ok(None) => return Ok(()),
            Err(error) => return Err(explain(reference, &error)),
        }
    }
}

/// A registry that does not have it, or will not show it, means that the image is missing; everything
/// else is told as it is.
fn explain(reference: &str, error: &bollard::errors::Error) -> SpawnError {
    let said = message(error);
    let absent = ["not found", "manifest unknown", "denied", "does not exist", "no such image"];
    let lower = said.to_ascii_lowercase();
    if status(error) == Some(404) || absent.iter().any(|sign| lower.contains(sign)) {
        tracing::warn!(image = reference, said, "the registry does not give this image");
        return SpawnError::ImageMissing(reference.to_owned());
    }
    SpawnError::Refused(format!(
        "the engine does not have the image {reference}, and fetching it failed: {}",
        clean(&said)
    ))
}

/// Name and tag or digest; without one it would be all tags.
pub(super) fn split(reference: &str) -> (&str, &str) {
    if let Some(parts) = reference.split_once('@') {
        return parts;
    }
    match reference.rsplit_once(':') {
        // A colon before a slash belongs to a port.
        Some((name, tag)) if !tag.contains('/') => (name, tag),
        _ => (reference, "latest"),
    }
}

/// A reference becomes part of a path at the engine, so that `..` must not stand in it.
pub(super) fn check(reference: &str) -> Result<(), SpawnError> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || "._-/:@".contains(c);
    let parts_fine = reference.split('/').all(|part| !part.is_empty() && part != "." && part != "..");
    if parts_fine && reference.len() <= 255 && reference.chars().all(allowed) {
        Ok(())
    } else {
        Err(SpawnError::Refused(format!("{:?} is not an image reference", clean(reference))))
    }
}

/// How far each layer of an image is, in bytes.
#[derive(Default)]
struct Layers {
    known: HashMap<String, (i64, i64)>,
}

impl Layers {
    /// Takes in one line of progress; the share of bytes that arrived, of the layers known so far.
    fn hear(&mut self, info: &CreateImageInfo) -> Option<u8> {
        let id = info.id.as_ref()?;
        match info.status.as_deref()? {
            "Downloading" => {
                let detail = info.progress_detail.as_ref()?;
                let (current, total) = (detail.current?, detail.total?);
                if total > 0 {
                    self.known.insert(id.clone(), (current.clamp(0, total), total));
                }
            }
            "Download complete" | "Extracting" | "Pull complete" => {
                if let Some((current, total)) = self.known.get_mut(id) {
                    *current = *total;
                }
            }
            _ => {}
        }
        let (current, total) = self.known.values().fold((0_i64, 0_i64), |(current, total), layer| {
            (current.saturating_add(layer.0), total.saturating_add(layer.1))
        });
        u8::try_from(current.saturating_mul(100).checked_div(total)?).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bollard::models::ProgressDetail;

    #[test]
    fn references_are_split_at_the_tag() {
        assert_eq!(split("debian"), ("debian", "latest"));
        assert_eq!(split("localhost:5000/a/b"), ("localhost:5000/a/b", "latest"));
        assert_eq!(split("localhost:5000/a/b:1.2"), ("localhost:5000/a/b", "1.2"));
        assert_eq!(split("a/b@sha256:00"), ("a/b", "sha256:00"));
    }

    #[test]
    fn a_reference_stays_in_its_place() {
        for hostile in ["../containers/x", "a/../../b", "", "a//b", "a b", "a?x", "a\n", "%2e%2e/x"] {
            assert!(check(hostile).is_err(), "{hostile:?}");
        }
        assert!(check("registry.example:5000/a/b_c:1.2-x").is_ok());
    }

    #[test]
    fn progress_is_summed_over_layers() {
        let line = |id: &str, status: &str, progress: Option<(i64, i64)>| CreateImageInfo {
            id: Some(id.to_owned()),
            status: Some(status.to_owned()),
            progress_detail: progress
                .map(|(current, total)| ProgressDetail { current: Some(current), total: Some(total) }),
            ..CreateImageInfo::default()
        };
        let mut layers = Layers::default();
        assert_eq!(layers.hear(&line("a", "Pulling fs layer", None)), None);
        assert_eq!(layers.hear(&line("a", "Downloading", Some((50, 100)))), Some(50));
        assert_eq!(layers.hear(&line("b", "Downloading", Some((0, 100)))), Some(25));
        assert_eq!(layers.hear(&line("a", "Download complete", None)), Some(50));
        assert_eq!(layers.hear(&line("b", "Downloading", Some((900, 100)))), Some(100));
    }
}
