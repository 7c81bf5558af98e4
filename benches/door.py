"""The front door beside nginx: the same small GET to the same upstream, in turns.

The upstream is a workload, reached by both over loopback TCP. Portico admits each request by its pass,
which nginx does not; nginx runs one process, without a log, and keeps connections to the upstream.
"""

import re
import shutil
import subprocess
from statistics import median

from table import Figure
from wire import Connection, cpu_seconds, free_port, wait_for

ROUNDS = 5
SECONDS = 3
CONNECTIONS = 16

COMMON = """
daemon off; master_process off; pid {directory}/pid; error_log stderr crit;
events {{ worker_connections 1024; }}
http {{
  access_log off; keepalive_requests 1000000000;
  client_body_temp_path {directory}/1; proxy_temp_path {directory}/2; fastcgi_temp_path {directory}/3;
  uwsgi_temp_path {directory}/4; scgi_temp_path {directory}/5;
  {site}
}}
"""

UPSTREAM = 'server {{ listen 127.0.0.1:{port}; location / {{ return 200 "{body}"; }} }}'

PROXY = """
upstream workload {{ server 127.0.0.1:{upstream}; keepalive 64; keepalive_requests 1000000000; }}
server {{
  listen 127.0.0.1:{port};
  location / {{
    proxy_pass http://workload; proxy_http_version 1.1; proxy_set_header Connection "";
    proxy_set_header Host $host; proxy_set_header X-Forwarded-For $remote_addr;
  }}
}}
"""

# The shell writes the configuration once the engine has put the port into it.
APP = """
title = "Upstream"
engine = "local"
grant = ["everyone"]
grace_seconds = 1
[run]
command = ["sh", "-c", 'echo "port {{port}}"; printf %s "$0" >nginx.conf; exec {nginx} -p . -c "$PWD/nginx.conf" -e stderr', '''{config}''']
[entry.main]
listen = "tcp"
"""


def measure(portico, directory):
    """Expects a running Portico in which somebody is signed in."""
    nginx = shutil.which("nginx", path="/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin")
    missing = [name for name, found in (("nginx", nginx), ("wrk", shutil.which("wrk"))) if not found]
    if missing:
        print(f"the front door is not measured: install {' and '.join(missing)} (Debian's packages have these names)")
        return
    site = UPSTREAM.format(port="{port}", body="x" * 100)
    portico.add_app("upstream", APP.format(nginx=nginx, config=COMMON.format(directory=".", site=site)))
    row = portico.launch("upstream")
    log = portico.api("GET", f"workloads/{row['id']}/logs?tail=50").body.decode()
    upstream = int(re.search(r"^port (\d+)", log, re.MULTILINE).group(1))
    cookie, host = portico.enter(row)
    process, port = beside(nginx, directory, upstream)
    try:
        yield from rounds(portico, process, port, host, {"cookie": cookie})
    finally:
        process.kill()
        process.wait()


def beside(nginx, directory, upstream):
    """An nginx of our own in front of the same upstream."""
    port = free_port()
    config = directory / "nginx.conf"
    config.write_text(COMMON.format(directory=directory, site=PROXY.format(port=port, upstream=upstream)))
    process = subprocess.Popen([nginx, "-p", directory, "-c", config, "-e", "stderr"], stdin=subprocess.DEVNULL)
    wait_for("nginx's first answer", lambda: answers(port))
    return process, port


def answers(port):
    try:
        with Connection(port, "localhost") as connection:
            return connection.ask("GET", "/").status == 200
    except OSError:
        return False


def rounds(portico, nginx, port, host, headers):
    rates, costs = {"portico": [], "nginx": []}, {"portico": [], "nginx": []}
    doors = {"portico": (portico.port, portico.process.pid), "nginx": (port, nginx.pid)}
    for name, (at, _) in doors.items():
        load(at, host, headers, seconds=1)
    for _ in range(ROUNDS):
        for name, (at, pid) in doors.items():
            used = cpu_seconds(pid)
            rate, count = load(at, host, headers, SECONDS)
            rates[name].append(rate)
            costs[name].append((cpu_seconds(pid) - used) / count * 1e6)
    ratio = lambda of: median([ours / theirs for ours, theirs in zip(of["portico"], of["nginx"])])
    for name in doors:
        yield Figure(f"front door: requests per second, {name}", median(rates[name]), "1/s")
        yield Figure(f"front door: CPU per request, {name}", median(costs[name]), "us")
    yield Figure("front door: requests per second, portico / nginx", ratio(rates), "x")
    yield Figure("front door: CPU per request, portico / nginx", ratio(costs), "x")


def load(port, host, headers, seconds):
    """Requests per second, and how many there were."""
    # Spelt any other way, wrk would send its own host beside it.
    fields = [f"-H{name}: {value}" for name, value in (headers | {"Host": host}).items()]
    command = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", *fields, f"http://127.0.0.1:{port}/"]
    told = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    if "Non-2xx" in told or "Socket errors" in told:
        raise RuntimeError(f"wrk saw failures:\n{told}")
    count = int(re.search(r"(\d+) requests in", told).group(1))
    return float(re.search(r"Requests/sec:\s*([\d.]+)", told).group(1)), count
