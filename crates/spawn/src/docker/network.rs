//! A network for each run: a bridge that it shares with nobody but the front door's host.
//!
//! Docker lets several networks have one name and then stumbles over it. A launch that was broken off may
//! still get its network when the next one makes another. So the name ends in the address, which is
//! unique, and a run's networks, of which one is used, are found by label.

use bollard::{
    models::{Ipam, IpamConfig, Network as Found, NetworkCreateRequest},
    query_parameters::ListNetworksOptions,
};
use portico_core::{
    app::Network,
    launch::LaunchPlan,
    names::{InstanceName, Realm},
    ports::SpawnError,
};
use tokio::{
    sync::Semaphore,
    time::{Duration, sleep},
};

use super::{
    config::Config,
    error::{is_missing, message, status, translate},
    labels,
    link::Link,
    subnet::Subnet,
};

/// How many ranges are tried when others take them at the same time.
const ATTEMPTS: usize = 32;

/// Networks are made one after the other, so that no two choose the same range or the same name.
pub(super) struct Networks {
    turn: Semaphore,
}

impl Networks {
    pub(super) fn new() -> Self {
        Self { turn: Semaphore::new(1) }
    }

    /// The id of the run's network, made now if need be.
    pub(super) async fn ensure(
        &self,
        link: &Link,
        realm: &Realm,
        config: &Config,
        plan: &LaunchPlan,
    ) -> Result<String, SpawnError> {
        let _turn = self.turn.acquire().await.expect("the semaphore is never closed");
        let all = link.docker.list_networks(None::<ListNetworksOptions>).await;
        let all = all.map_err(|error| translate(&error))?;
        if let Some(known) = all.iter().find(|network| is_of(network, realm, &plan.instance)) {
            return known.id.clone().ok_or_else(nameless);
        }
        let used: Vec<Subnet> = all.iter().flat_map(subnets).collect();
        for subnet in config.subnet_pool.free(&used, plan.instance.as_str()).take(ATTEMPTS) {
            match link.docker.create_network(request(realm, plan, subnet)).await {
                Ok(made) => return Ok(made.id),
                Err(error) if is_overlap(&error) => {}
                Err(error) => return Err(translate(&error)),
            }
        }
        Err(SpawnError::Refused(format!(
            "no network is free in {}; an administrator can set a larger `subnet_pool`",
            String::from(config.subnet_pool)
        )))
    }
}

/// Removes all networks of a run. One that the engine is still letting go of gets a moment.
pub(super) async fn remove(link: &Link, realm: &Realm, name: &InstanceName) -> Result<(), SpawnError> {
    for network in list(link, realm).await? {
        if is_of(&network, realm, name)
            && let Some(id) = &network.id
        {
            remove_one(link, id).await?;
        }
    }
    Ok(())
}

async fn remove_one(link: &Link, id: &str) -> Result<(), SpawnError> {
    let mut patience = 20;
    loop {
        match link.docker.remove_network(id).await {
            Ok(()) => return Ok(()),
            Err(error) if is_missing(&error) => return Ok(()),
            Err(error) if patience > 0 && message(&error).contains("active endpoints") => {
                patience -= 1;
                sleep(Duration::from_millis(100)).await;
            }
            Err(error) => return Err(translate(&error)),
        }
    }
}

/// Removes the networks of this realm for which `keep` says no; tells how many.
pub(super) async fn sweep(
    link: &Link,
    realm: &Realm,
    keep: impl Fn(&Found) -> bool,
) -> Result<usize, SpawnError> {
    let mut count = 0;
    for network in list(link, realm).await? {
        if let Some(id) = network.id.as_ref().filter(|_| !keep(&network)) {
            // In use after all: then it is not garbage.
            count += usize::from(link.docker.remove_network(id).await.is_ok());
        }
    }
    Ok(count)
}

/// All networks of this realm.
async fn list(link: &Link, realm: &Realm) -> Result<Vec<Found>, SpawnError> {
    let options = ListNetworksOptions { filters: Some(labels::filter([(labels::REALM, realm.as_str())])) };
    link.docker.list_networks(Some(options)).await.map_err(|error| translate(&error))
}

fn is_of(network: &Found, realm: &Realm, name: &InstanceName) -> bool {
    network.labels.as_ref().is_some_and(|found| {
        labels::belongs(found, realm) && found.get(labels::INSTANCE).is_some_and(|of| of == name.as_str())
    })
}

fn subnets(network: &Found) -> impl Iterator<Item = Subnet> {
    let configs = network.ipam.as_ref().and_then(|ipam| ipam.config.as_deref()).unwrap_or_default();
    configs.iter().filter_map(|config| config.subnet.as_ref()?.parse().ok())
}

fn request(realm: &Realm, plan: &LaunchPlan, subnet: Subnet) -> NetworkCreateRequest {
    // Only the host can open connections to it, and, where it may reach out, the host lets answers back in.
    let options = [("com.docker.network.bridge.enable_icc", "false")];
    NetworkCreateRequest {
        name: format!("{}-{}", plan.instance, subnet.place()),
        driver: Some("bridge".to_owned()),
        internal: Some(plan.spec.network == Network::None),
        attachable: Some(false),
        ipam: Some(Ipam {
            config: Some(vec![IpamConfig { subnet: Some(subnet.to_string()), ..IpamConfig::default() }]),
            ..Ipam::default()
        }),
        options: Some(options.map(|(name, value)| (name.to_owned(), value.to_owned())).into()),
        labels: Some(labels::of_instance(realm, plan)),
        ..NetworkCreateRequest::default()
    }
}

fn is_overlap(error: &bollard::errors::Error) -> bool {
    matches!(status(error), Some(400..=499)) && message(error).to_ascii_lowercase().contains("overlap")
}

fn nameless() -> SpawnError {
    SpawnError::Refused("Docker lists a network without an id".to_owned())
}
