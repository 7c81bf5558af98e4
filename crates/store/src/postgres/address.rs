//! From the configuration to what a connection needs: address, password and trust.

use std::{fs, path::Path, sync::Arc, time::Duration};

use rustls::{ClientConfig, RootCertStore, crypto::aws_lc_rs};
use rustls_pki_types::{CertificateDer, pem::PemObject as _};
use tokio_postgres::config::{Host, SslMode};

use crate::{
    config::{Postgres, Tls},
    error::StoreError,
};

pub(super) struct Address {
    pub(super) config: tokio_postgres::Config,
    /// Absent: the connection is not encrypted.
    pub(super) tls: Option<ClientConfig>,
    /// For people; holds no secret.
    pub(super) place: String,
}

impl Address {
    pub(super) fn read(settings: &Postgres, wait: Duration) -> Result<Self, StoreError> {
        let mut config = match &settings.url {
            // The parser's message may quote the password, hence it is not shown.
            Some(url) => url.expose().parse().map_err(|_| {
                StoreError::Config(
                    "`postgres.url` is neither a postgresql:// URL nor `host=... user=...`".to_owned(),
                )
            })?,
            None => tokio_postgres::Config::new(),
        };
        if let Some(host) = &settings.host {
            config.host(host);
        }
        if let Some(port) = settings.port {
            config.port(port);
        }
        if let Some(user) = &settings.user {
            config.user(user);
        }
        if let Some(database) = &settings.database {
            config.dbname(database);
        }
        if let Some(password) = &settings.password {
            config.password(password.expose());
        }
        if let Some(path) = &settings.password_file {
            config.password(first_line(path)?);
        }
        if config.get_hosts().is_empty() {
            return Err(StoreError::Config("`postgres` says no host".to_owned()));
        }
        config.application_name("portico").connect_timeout(wait);
        let encrypted = is_encrypted(settings, &config);
        config.ssl_mode(if encrypted { SslMode::Require } else { SslMode::Disable });
        let tls = encrypted.then(|| trust(settings.ca_file.as_deref())).transpose()?;
        Ok(Self { place: place(&config), config, tls })
    }
}

fn is_encrypted(settings: &Postgres, config: &tokio_postgres::Config) -> bool {
    match (settings.tls, config.get_ssl_mode()) {
        (Some(tls), _) => tls == Tls::Required,
        (None, SslMode::Require) => true,
        (None, SslMode::Disable) => false,
        (None, _) => !config.get_hosts().iter().all(is_local),
    }
}

fn is_local(host: &Host) -> bool {
    match host {
        Host::Unix(_) => true,
        Host::Tcp(name) => {
            name == "localhost" || name.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
        }
    }
}

fn first_line(path: &Path) -> Result<String, StoreError> {
    let text = fs::read_to_string(path)
        .map_err(|error| StoreError::Config(format!("the password file {}: {error}", path.display())))?;
    Ok(text.lines().next().unwrap_or_default().to_owned())
}

fn trust(ca_file: Option<&Path>) -> Result<ClientConfig, StoreError> {
    let mut roots = RootCertStore::empty();
    match ca_file {
        None => roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned()),
        Some(path) => {
            let wrong = |error: String| {
                StoreError::Config(format!("the certificates in {}: {error}", path.display()))
            };
            let certificates =
                CertificateDer::pem_file_iter(path).map_err(|error| wrong(error.to_string()))?;
            for certificate in certificates {
                let certificate = certificate.map_err(|error| wrong(error.to_string()))?;
                roots.add(certificate).map_err(|error| wrong(error.to_string()))?;
            }
        }
    }
    let builder = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| StoreError::Config(error.to_string()))?;
    Ok(builder.with_root_certificates(roots).with_no_client_auth())
}

fn place(config: &tokio_postgres::Config) -> String {
    let hosts: Vec<_> = config
        .get_hosts()
        .iter()
        .map(|host| match host {
            Host::Unix(path) => path.display().to_string(),
            Host::Tcp(name) => name.clone(),
        })
        .collect();
    let database = config.get_dbname().or(config.get_user()).unwrap_or_default();
    format!("{database} on {}", hosts.join(", "))
}

#[cfg(test)]
mod tests {
    use portico_core::Secret;

    use super::*;

    fn read(url: &str, tls: Option<Tls>) -> Result<Address, StoreError> {
        let settings = Postgres { url: Some(Secret::new(url)), tls, ..Postgres::default() };
        Address::read(&settings, Duration::from_secs(1))
    }

    #[test]
    fn a_distant_server_is_reached_by_tls_only() {
        assert!(read("postgresql://me@db.example.org/portico", None).expect("read").tls.is_some());
        assert!(read("host=/run/postgresql user=me", None).expect("read").tls.is_none());
        assert!(read("postgresql://me@[::1]/portico", None).expect("read").tls.is_none());
        assert!(read("postgresql://me@db.example.org/x", Some(Tls::Off)).expect("read").tls.is_none());
    }

    #[test]
    fn neither_place_nor_failure_shows_the_password() {
        let address = read("postgresql://me:hunter2@db.example.org/portico", None).expect("read");
        assert_eq!(address.place, "portico on db.example.org");
        let failure = read("postgresql://me:hunter2@[broken", None).err().expect("refused");
        assert!(!format!("{failure} {failure:?}").contains("hunter2"));
    }
}
