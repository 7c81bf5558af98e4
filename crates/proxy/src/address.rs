//! Which address belongs to what: from a host and path to hub or workload, and back.

use portico_core::{
    names::{EntryPointName, Label},
    ports::Origins,
};
use thiserror::Error;

use crate::{
    config::{Config, Mode, Scheme},
    host::Authority,
};

/// Path below which the front door itself answers at a workload's origin.
const RESERVED: &str = ".portico/";
/// Path below which workloads live in path mode.
const PATHS: &str = "/w/";
/// The entry point whose address is the label alone.
const MAIN: &str = "main";

/// Options that do not go together.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum InvalidConfig {
    #[error(
        "workloads need names below a domain, but public_url is the number {0}: give it a name, set apps_domain, or set mode = \"path\""
    )]
    NoDomain(String),
    #[error("apps_domain has no meaning with mode = \"path\": remove one of the two")]
    DomainInPathMode,
    #[error("listen is empty: give at least one address such as \"127.0.0.1:8080\"")]
    NoListener,
    #[error("limits.{0} must be at least {1}")]
    TooSmall(&'static str, usize),
}

/// The addresses of the hub and of workloads, as browsers see them.
#[derive(Debug, Clone)]
pub struct Addresses {
    scheme: Scheme,
    hub: Authority,
    hub_origin: String,
    apps: Option<Authority>,
}

/// One entry point of one workload, as named by an address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entrance {
    pub(crate) label: Label,
    pub(crate) entry: EntryPointName,
    /// What a browser calls the origin, `http://w1.localhost:8080`.
    pub(crate) origin: String,
    /// `/`, or in path mode `/w/<label>/`.
    pub(crate) base: String,
    /// Authority as in a URL.
    pub(crate) host: String,
    pub(crate) port: u16,
}

/// What an address leads to.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Site {
    Hub,
    App(Entrance),
    /// The path of an app without the slash at its end.
    Unslashed,
    Unknown,
}

impl Addresses {
    /// Works out the addresses.
    ///
    /// # Errors
    /// When options contradict each other.
    pub fn new(config: &Config) -> Result<Self, InvalidConfig> {
        check_limits(config)?;
        let url = &config.public_url;
        let hub = url.authority.clone();
        let apps = match (config.mode, &config.apps_domain) {
            (Mode::Path, None) => None,
            (Mode::Path, Some(_)) => return Err(InvalidConfig::DomainInPathMode),
            (Mode::Domain, Some(domain)) => {
                Some(Authority { host: domain.host.clone(), port: domain.port.unwrap_or(hub.port) })
            }
            (Mode::Domain, None) if hub.address().is_some() => {
                return Err(InvalidConfig::NoDomain(hub.host));
            }
            (Mode::Domain, None) => Some(hub.clone()),
        };
        Ok(Self { scheme: url.scheme, hub_origin: url.to_string(), hub, apps })
    }

    /// The hub's origin, without a slash at its end.
    #[must_use]
    pub fn hub_origin(&self) -> &str {
        &self.hub_origin
    }

    /// The origin of an entry point, without a slash at its end; in path mode the hub's.
    #[must_use]
    pub fn origin(&self, label: &Label, entry: &EntryPointName) -> String {
        self.entrance(label.clone(), entry.clone()).origin
    }

    /// The path an entry point lives under, with slashes around: `/` where it has its own origin.
    #[must_use]
    pub fn base_path(&self, label: &Label, entry: &EntryPointName) -> String {
        self.entrance(label.clone(), entry.clone()).base
    }

    /// Where a browser exchanges a ticket for a pass and goes on to `next`, a path at that origin.
    #[must_use]
    pub fn ticket_url(&self, label: &Label, entry: &EntryPointName, ticket: &str, next: &str) -> String {
        let Entrance { origin, base, .. } = self.entrance(label.clone(), entry.clone());
        let (ticket, next) = (encode(ticket), encode(next));
        format!("{origin}{base}{RESERVED}ticket?t={ticket}&next={next}")
    }

    /// The hub's page that gives a ticket to who may have one, and answers alike for unknown labels.
    pub(crate) fn open_url(&self, entrance: &Entrance, next: &str) -> String {
        let entry = if entrance.entry.as_str() == MAIN {
            String::new()
        } else {
            format!("entry={}&", entrance.entry)
        };
        format!("{}/open/{}?{entry}next={}", self.hub_origin, entrance.label, encode(next))
    }

    pub(crate) const fn scheme(&self) -> Scheme {
        self.scheme
    }

    /// Whether browsers keep `Secure` cookies that come from here.
    pub(crate) fn keeps_secure_cookies(&self) -> bool {
        self.scheme == Scheme::Https || self.apps.as_ref().unwrap_or(&self.hub).is_local()
    }

    /// Whether all workloads share the hub's origin.
    pub(crate) const fn is_path_mode(&self) -> bool {
        self.apps.is_none()
    }

    /// What an authority and a path lead to.
    pub(crate) fn site(&self, authority: &Authority, path: &str) -> Site {
        if *authority == self.hub {
            return match path.strip_prefix(PATHS) {
                Some(rest) if self.apps.is_none() => self.below_paths(rest),
                _ => Site::Hub,
            };
        }
        let name = self.apps.as_ref().filter(|apps| apps.port == authority.port).and_then(|apps| {
            authority.host.strip_suffix(apps.host.as_str()).and_then(|rest| rest.strip_suffix('.'))
        });
        name.and_then(|name| self.named(name)).map_or(Site::Unknown, Site::App)
    }

    fn below_paths(&self, rest: &str) -> Site {
        let name = rest.split('/').next().unwrap_or_default();
        match self.named(name) {
            Some(_) if rest.len() == name.len() => Site::Unslashed,
            Some(_) if has_dot_segment(rest) => Site::Unknown,
            Some(entrance) => Site::App(entrance),
            None => Site::Unknown,
        }
    }

    fn named(&self, name: &str) -> Option<Entrance> {
        let (label, entry) = name.split_once("--").unwrap_or((name, MAIN));
        if name.ends_with(&format!("--{MAIN}")) {
            return None;
        }
        Some(self.entrance(label.parse().ok()?, entry.parse().ok()?))
    }

    fn entrance(&self, label: Label, entry: EntryPointName) -> Entrance {
        let name = if entry.as_str() == MAIN { label.to_string() } else { format!("{label}--{entry}") };
        let (authority, base) = match &self.apps {
            Some(apps) => {
                (Authority { host: format!("{name}.{}", apps.host), port: apps.port }, "/".to_owned())
            }
            None => (self.hub.clone(), format!("{PATHS}{name}/")),
        };
        let host = authority.in_url(self.scheme).to_string();
        let origin = format!("{}://{host}", self.scheme.as_str());
        Entrance { label, entry, origin, base, host, port: authority.port }
    }
}

impl Entrance {
    /// The rest of a path that the front door answers itself.
    pub(crate) fn reserved<'a>(&self, path: &'a str) -> Option<&'a str> {
        path.strip_prefix(self.base.as_str())?.strip_prefix(RESERVED)
    }
}

/// Everything but letters, digits and `-._~/` percent-encoded, fit for a query.
fn encode(text: &str) -> String {
    use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
    const KEPT: &AsciiSet =
        &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b'/');
    utf8_percent_encode(text, KEPT).to_string()
}

fn has_dot_segment(path: &str) -> bool {
    path.split('/').any(|segment| {
        let segment = segment.to_ascii_lowercase().replace("%2e", ".");
        segment == "." || segment == ".."
    })
}

fn check_limits(config: &Config) -> Result<(), InvalidConfig> {
    if config.listen.is_empty() {
        return Err(InvalidConfig::NoListener);
    }
    let limits = &config.limits;
    for (name, value, least) in [
        ("header_bytes", limits.header_bytes, 8192),
        ("header_count", limits.header_count, 16),
        ("connections", limits.connections, 1),
        ("connections_per_client", limits.connections_per_client, 1),
        ("connections_per_workload", limits.connections_per_workload, 1),
    ] {
        if value < least {
            return Err(InvalidConfig::TooSmall(name, least));
        }
    }
    Ok(())
}

impl Origins for Addresses {
    fn origin(&self, label: &Label, entry: &EntryPointName) -> String {
        self.origin(label, entry)
    }

    fn base_path(&self, label: &Label, entry: &EntryPointName) -> String {
        self.base_path(label, entry)
    }

    fn ticket_url(&self, label: &Label, entry: &EntryPointName, ticket: &str, next: &str) -> String {
        self.ticket_url(label, entry, ticket, next)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn addresses(
        public_url: &str,
        apps_domain: Option<&str>,
        mode: Mode,
    ) -> Result<Addresses, InvalidConfig> {
        Addresses::new(&Config {
            public_url: public_url.parse().expect("a url"),
            apps_domain: apps_domain.map(|domain| domain.parse().expect("a domain")),
            mode,
            ..Config::default()
        })
    }

    fn site(addresses: &Addresses, host: &str, path: &str) -> String {
        let authority = Authority::parse(host.as_bytes(), addresses.scheme.default_port()).expect("a host");
        match addresses.site(&authority, path) {
            Site::App(entrance) => format!("{} {} {}", entrance.label, entrance.entry, entrance.origin),
            other => format!("{other:?}"),
        }
    }

    #[test]
    fn each_workload_has_a_name_below_localhost() {
        let all = addresses("http://localhost:8080", None, Mode::Domain).expect("goes together");
        assert_eq!(site(&all, "localhost:8080", "/"), "Hub");
        assert_eq!(site(&all, "wa.localhost:8080", "/"), "wa main http://wa.localhost:8080");
        assert_eq!(site(&all, "wa--api.localhost:8080", "/"), "wa api http://wa--api.localhost:8080");
        for host in [
            "localhost",
            "wa.localhost",
            "b.wa.localhost:8080",
            "wa--main.localhost:8080",
            "example.org:8080",
            "wa--.localhost:8080",
            "1a.localhost:8080",
            "walocalhost:8080",
            "127.0.0.1:8080",
            "w_a.localhost:8080",
        ] {
            assert_eq!(site(&all, host, "/"), "Unknown", "{host}");
        }
    }

    #[test]
    fn paths_tell_workloads_apart_where_names_cannot() {
        let all = addresses("https://10.1.2.3", None, Mode::Path).expect("goes together");
        assert_eq!(site(&all, "10.1.2.3", "/wiki"), "Hub");
        assert_eq!(site(&all, "10.1.2.3", "/w/wa/x"), "wa main https://10.1.2.3");
        assert_eq!(site(&all, "10.1.2.3", "/w/wa--api/"), "wa api https://10.1.2.3");
        assert_eq!(site(&all, "10.1.2.3", "/w/wa"), "Unslashed");
        for path in ["/w/", "/w/../", "/w/%77a/", "/w/wa/../wb/", "/w/wa/%2E%2e/wb/", "/w/wa/./x", "/w//x"] {
            assert_eq!(site(&all, "10.1.2.3", path), "Unknown", "{path}");
        }
    }

    #[test]
    fn contradictions_are_refused() {
        assert!(matches!(addresses("http://10.1.2.3", None, Mode::Domain), Err(InvalidConfig::NoDomain(_))));
        assert!(matches!(
            addresses("http://a.example", Some("b.example"), Mode::Path),
            Err(InvalidConfig::DomainInPathMode)
        ));
    }

    #[test]
    fn the_port_of_the_scheme_is_not_written() {
        let all = addresses("https://hub.example.org", Some("apps.example.org"), Mode::Domain).expect("fits");
        let (label, entry) = ("wa".parse().expect("a label"), "main".parse().expect("an entry point"));
        assert_eq!(all.origin(&label, &entry), "https://wa.apps.example.org");
        assert_eq!(
            all.ticket_url(&label, &entry, "a.b", "/x?y=1&z"),
            "https://wa.apps.example.org/.portico/ticket?t=a.b&next=/x%3Fy%3D1%26z"
        );
        assert_eq!(site(&all, "wa.apps.example.org:443", "/"), "wa main https://wa.apps.example.org");
    }
}
