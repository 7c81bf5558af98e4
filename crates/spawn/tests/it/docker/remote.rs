//! An engine reached over TLS with client certificates, as a site's remote engine is.

use std::{
    net::Ipv4Addr,
    path::{Path, PathBuf},
    process::Stdio,
};

use portico_core::ports::{Condition, Spawner};
use portico_spawn::docker::{Config, Engine, Pull, Reach, Tls};
use tokio::process::Command;

use super::{
    free_port,
    restart::{Daemon, copy_image},
    site,
};
use crate::conformance::{Deed, Fixture, answers, launch};

/// Certificates of one authority: `ca.pem`, and certificate and key of engine and client.
struct Certificates(PathBuf);

impl Certificates {
    async fn new(directory: &Path) -> Self {
        let made = Self(directory.to_owned());
        std::fs::create_dir_all(directory).expect("a directory");
        let key = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2";
        made.openssl(&format!("req -x509 {key} -subj /CN=authority -keyout ca.key -out ca.pem")).await;
        for (name, usage) in [("engine", "serverAuth"), ("client", "clientAuth")] {
            let facts = format!("subjectAltName=IP:127.0.0.1\nextendedKeyUsage={usage}\n");
            std::fs::write(made.path(&format!("{name}.ext")), facts).expect("written");
            made.openssl(&format!("req {key} -subj /CN={name} -keyout {name}.key -out {name}.csr")).await;
            let signed = format!("-CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile {name}.ext");
            made.openssl(&format!("x509 -req -in {name}.csr {signed} -out {name}.pem")).await;
        }
        made
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    async fn openssl(&self, words: &str) {
        let mut command = Command::new("openssl");
        command.args(words.split(' ')).current_dir(&self.0).stdout(Stdio::null()).stderr(Stdio::null());
        assert!(command.status().await.expect("openssl is there").success(), "{words}");
    }

    fn of_client(&self) -> Tls {
        Tls { ca: self.path("ca.pem"), cert: self.path("client.pem"), key: self.path("client.key") }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_engine_is_used_over_tls_and_only_with_the_right_certificates() {
    let Some(mut site) = site().await else { return };
    let directory = tempfile::tempdir().expect("a directory");
    let certificates = Certificates::new(&directory.path().join("good")).await;
    let strangers = Certificates::new(&directory.path().join("strange")).await;
    let host = format!("tcp://127.0.0.1:{}", free_port());
    let file = |option: &str, name: &str| format!("--{option}={}", certificates.path(name).display());
    let daemon = Daemon::begin(vec![
        format!("--host={host}"),
        "--tlsverify".to_owned(),
        file("tlscacert", "ca.pem"),
        file("tlscert", "engine.pem"),
        file("tlskey", "engine.key"),
    ])
    .await;
    copy_image(&site, &daemon).await;

    let config = |tls| Config {
        host: host.clone(),
        tls: Some(tls),
        reach: Some(Reach::Publish(Ipv4Addr::LOCALHOST.into())),
        pull: Pull::Never,
        ..Config::default()
    };
    let unknown_engine = Tls { ca: strangers.path("ca.pem"), ..certificates.of_client() };
    let unknown_client = Tls { ca: certificates.path("ca.pem"), ..strangers.of_client() };
    for tls in [unknown_engine, unknown_client] {
        let engine = Engine::new(config(tls), site.realm.clone()).expect("valid");
        let Condition::Unreachable { problem, advice } = engine.health().await.condition else {
            panic!("trusted")
        };
        assert!(problem.contains("TLS") && advice.contains("ca, cert and key"), "{problem} | {advice}");
    }

    let engine = Engine::new(config(certificates.of_client()), site.realm.clone()).expect("valid");
    let plan = site.plan(Deed::Serve);
    let instance = launch(&engine, &plan).await;
    answers(&engine, &plan, &instance).await;
    assert_eq!(engine.list().await, Ok(vec![instance]));
    site.config.host = daemon.host();
    site.clean().await;
    daemon.stop().await;
}
