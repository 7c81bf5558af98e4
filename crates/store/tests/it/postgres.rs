//! Databases on a PostgreSQL server: the one that `PORTICO_TEST_POSTGRES` names, else one of our own
//! that ends with the test process, however that ends.

use std::{
    io::{BufRead as _, BufReader},
    path::{Path, PathBuf},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
    sync::{
        LazyLock,
        atomic::{AtomicU32, Ordering},
    },
};

use anyhow::{Context as _, bail};
use portico_store::Config;
use tokio_postgres::NoTls;
use tokio_util::task::TaskTracker;

use crate::harness::skip;

/// A database of one test.
pub(crate) struct Database {
    name: String,
    server: String,
}

static SERVER: LazyLock<Result<Server, String>> =
    LazyLock::new(|| find().map_err(|error| format!("{error:#}")));
static MADE: AtomicU32 = AtomicU32::new(0);

enum Server {
    Given(String),
    /// Ours; it sees the end of its standard input when this process is gone.
    Own {
        address: String,
        _process: Own,
    },
}

/// A server that cleans up after itself when it is dropped or its owner dies.
pub(crate) struct Own {
    child: Child,
    stdin: Option<ChildStdin>,
    pub(crate) address: String,
    pub(crate) directory: PathBuf,
    _stdout: BufReader<ChildStdout>,
}

/// `Ok(None)` where there is no server to test with and none is demanded.
pub(crate) async fn database() -> anyhow::Result<Option<Database>> {
    let server = match &*SERVER {
        Ok(Server::Given(address) | Server::Own { address, .. }) => address.clone(),
        Err(reason) if std::env::var("CI").is_ok_and(|ci| ci == "true") => bail!("{reason}"),
        Err(reason) => {
            skip(reason);
            return Ok(None);
        }
    };
    let name = format!("store_{}_{}", std::process::id(), MADE.fetch_add(1, Ordering::Relaxed));
    execute(&server, &format!("CREATE DATABASE {name}")).await?;
    Ok(Some(Database { name, server }))
}

impl Database {
    pub(crate) fn config(&self) -> Config {
        Config::postgres(format!("{} dbname={}", self.server, self.name))
    }

    pub(crate) async fn drop(&self) -> anyhow::Result<()> {
        execute(&self.server, &format!("DROP DATABASE {} WITH (FORCE)", self.name)).await
    }

    /// Runs SQL in this database, behind the store's back.
    pub(crate) async fn execute(&self, sql: &str) -> anyhow::Result<()> {
        execute(&format!("{} dbname={}", self.server, self.name), sql).await
    }
}

async fn execute(address: &str, sql: &str) -> anyhow::Result<()> {
    let (client, connection) = tokio_postgres::connect(address, NoTls).await?;
    let tracker = TaskTracker::new();
    let served = tracker.spawn(connection);
    client.batch_execute(sql).await?;
    drop(client);
    Ok(served.await??)
}

fn find() -> anyhow::Result<Server> {
    if let Ok(address) = std::env::var("PORTICO_TEST_POSTGRES") {
        // The database of the address is not used; each test makes its own.
        let kept: Vec<_> = address.split_whitespace().filter(|part| !part.starts_with("dbname=")).collect();
        return Ok(Server::Given(kept.join(" ")));
    }
    let own = Own::start()?;
    Ok(Server::Own { address: own.address.clone(), _process: own })
}

const SCRIPT: &str = r#"
    dir=$(mktemp -d /tmp/portico-store.XXXXXX) || exit 1
    trap 'cd /; rm -rf "$dir"' EXIT
    as() { "$@"; }
    if [ "$(id -u)" = 0 ]; then
        chown postgres "$dir"
        as() { setpriv --reuid=postgres --regid=postgres --clear-groups "$@"; }
    fi
    cd "$dir"
    as "$1/initdb" -D "$dir/data" -A trust -U postgres -E UTF8 --locale=C.UTF-8 --no-sync >"$dir/log" 2>&1 </dev/null ||
        { cat "$dir/log" >&2; exit 1; }
    if [ -n "$2" ]; then
        as openssl req -x509 -newkey rsa:2048 -nodes -days 1 -subj /CN=localhost \
            -addext subjectAltName=DNS:localhost -addext basicConstraints=critical,CA:FALSE \
            -keyout data/server.key -out data/server.crt 2>"$dir/log" || exit 1
        chmod 600 data/server.key
    fi
    as "$1/postgres" -D "$dir/data" -k "$dir" -c listen_addresses= -c fsync=off -c shared_buffers=32MB \
 -c max_connections=200 ${2:+-c ssl=on -c listen_addresses=127.0.0.1 -p "$2"} >"$dir/log" 2>&1 </dev/null &
    server=$!
    for try in $(seq 300); do
        "$1/pg_isready" -q -h "$dir" ${2:+-p "$2"} -U postgres && break
        sleep 0.1
    done
    echo "$dir"
    read -r end
    kill -INT "$(head -n 1 "$dir/data/postmaster.pid")"
    wait "$server"
"#;

impl Own {
    pub(crate) fn start() -> anyhow::Result<Self> {
        Self::start_with("")
    }

    /// Listens on a port too, with a certificate for `localhost` that it signed itself.
    pub(crate) fn start_with_tls() -> anyhow::Result<(Self, u16)> {
        let free = std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        Ok((Self::start_with(&free.to_string())?, free))
    }

    fn start_with(port: &str) -> anyhow::Result<Self> {
        let programs = std::fs::read_dir("/usr/lib/postgresql")
            .context("PostgreSQL is not installed (Debian: postgresql)")?
            .filter_map(Result::ok)
            .map(|version| version.path().join("bin"))
            .filter(|programs| programs.join("initdb").exists())
            .max()
            .context("PostgreSQL's programs are not in /usr/lib/postgresql")?;
        let mut child = Command::new("bash")
            .args(["-c", SCRIPT, "server"])
            .arg(&programs)
            .arg(port)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let stdin = child.stdin.take();
        let mut stdout = BufReader::new(child.stdout.take().context("a pipe")?);
        let mut line = String::new();
        stdout.read_line(&mut line)?;
        let directory = Path::new(line.trim());
        anyhow::ensure!(directory.is_dir(), "PostgreSQL did not start");
        let address = format!("host={} user=postgres", directory.display());
        Ok(Self { child, stdin, address, directory: directory.to_owned(), _stdout: stdout })
    }

    /// Ends it and waits for that.
    pub(crate) fn stop(mut self) -> anyhow::Result<()> {
        drop(self.stdin.take());
        self.child.wait()?;
        Ok(())
    }

    /// The address of the database that every server has.
    pub(crate) fn config(&self) -> Config {
        Config::postgres(format!("{} dbname=postgres", self.address))
    }
}
