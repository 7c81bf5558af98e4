"""A Portico of our own: its directory, its configuration, its process, and somebody who is signed in."""

import json
import re
import secrets
import signal
import subprocess
import urllib.parse

from wire import Connection, cpu_seconds, free_port, resident_megabytes, wait_for

PERSON = "Bench"


class Portico:
    """Not running until `start`; may be started again over the same data."""

    def __init__(self, binary, directory):
        self.binary, self.directory = binary, directory
        self.data, self.apps = directory / "data", directory / "apps.d"
        self.apps.mkdir()
        self.port, self.metrics_port = free_port(), free_port()
        self.host = f"localhost:{self.port}"
        self.config, self.log = directory / "portico.toml", directory / "portico.log"
        self.config.write_text(
            f'data_dir = "{self.data}"\n'
            f'[front]\nlisten = ["127.0.0.1:{self.port}"]\npublic_url = "http://{self.host}"\n'
            f'[hub]\nrealm = "bench-{secrets.token_hex(4)}"\n'
            f'[hub.catalogue]\ndirectory = "{self.apps}"\nexamples = false\n'
            "[hub.workload.quota]\nworkloads = 1000\n"
            '[engine.local]\nkind = "local"\n'
            '[log]\nfilter = "warn"\n'
            f'[metrics]\nlisten = "127.0.0.1:{self.metrics_port}"\n'
        )
        self.process = self.cookie = self.token = None
        # What was launched and not ended; it would outlive the hub.
        self.running = []

    def add_app(self, name, text):
        """Puts an app into the catalogue; a running Portico notices by itself."""
        (self.apps / f"{name}.toml").write_text(text)
        if self.process:
            known = lambda: any(app["name"] == name for app in self.api("GET", "apps").json()["items"])
            wait_for(f"{name} in the catalogue", known, pause=0.1)

    def start(self):
        """Starts the process; does not wait for it."""
        with open(self.log, "ab") as log:
            # In a session of its own, so that Ctrl+C leaves it to us to end workloads first.
            self.process = subprocess.Popen(
                [self.binary, "serve", "--config", self.config],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def wait(self, pause=0.01):
        """Returns once a request is answered."""
        wait_for("a first answer", lambda: self._answers(), pause=pause)

    def stop(self):
        """Ends what runs, then the process."""
        if not self.process or self.process.poll() is not None:
            return
        try:
            while self.running:
                self.end(self.running[-1])
        finally:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(timeout=30)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
            self.process = None

    def sign_in(self):
        """Follows the one-time link of the first administrator; keeps a cookie and a token."""
        find = lambda: re.search(r"/welcome\?token=(\S+)", self.log.read_text())
        link = wait_for("the one-time link", find).group(1)
        password = secrets.token_urlsafe(18)
        form = {"token": urllib.parse.unquote(link), "name": PERSON, "password": password}
        headers = {"content-type": "application/x-www-form-urlencoded", "origin": f"http://{self.host}"}
        welcome = self._once("POST", "/welcome", headers, urllib.parse.urlencode(form).encode())
        self.cookie = {"cookie": expect(welcome, 303).headers["set-cookie"].split(";")[0]}
        wish = {"user": PERSON, "password": password, "name": "bench", "days": 1}
        headers = {"content-type": "application/json"}
        made = self._once("POST", "/api/v1/token-requests", headers, json.dumps(wish).encode())
        self.token = {"authorization": f"Bearer {expect(made, 201).json()['text']}"}

    def api(self, method, path, body=None, status=200):
        headers = self.token | ({"content-type": "application/json"} if body is not None else {})
        data = json.dumps(body).encode() if body is not None else b""
        return expect(self._once(method, f"/api/v1/{path}", headers, data), status)

    def launch(self, app):
        """Launches an app and gives it as it is when it is ready."""
        row = self.api("POST", "workloads", {"app": app}, 201).json()
        self.running.append(row["id"])

        def settled():
            now = self.api("GET", f"workloads/{row['id']}").json()
            return now if now["phase"] in ("ready", "failed", "stopped") else None

        row = wait_for(f"the start of {app}", settled, seconds=60, pause=0.05)
        if row["phase"] != "ready":
            log = self.api("GET", f"workloads/{row['id']}/logs?tail=20").body.decode()
            raise RuntimeError(f"{app} is {row['phase']}: {row['reason']}\n{log}")
        return row

    def end(self, workload):
        self.running.remove(workload)
        self.api("POST", f"workloads/{workload}/stop", status=None)
        look = lambda: self.api("GET", f"workloads/{workload}").json()["phase"] in ("stopped", "failed")
        wait_for("the end of a workload", look, seconds=60, pause=0.05)

    def enter(self, row):
        """The pass of a browser that opened this workload, and the host name of its origin."""
        to = expect(self._once("GET", f"/open/{row['label']}", self.cookie), 303).headers["location"]
        url = urllib.parse.urlsplit(to)
        with Connection(self.port, url.netloc) as browser:
            redeemed = expect(browser.ask("GET", f"{url.path}?{url.query}"), 303, 302)
        return redeemed.headers["set-cookie"].split(";")[0], url.netloc

    def figure(self, name):
        """One figure of /metrics."""
        with Connection(self.metrics_port, f"127.0.0.1:{self.metrics_port}") as metrics:
            text = expect(metrics.ask("GET", "/metrics"), 200).body.decode()
        return float(re.search(rf"^{name} (\S+)", text, re.MULTILINE).group(1))

    def cpu(self):
        return cpu_seconds(self.process.pid)

    def resident(self):
        return resident_megabytes(self.process.pid)

    def _once(self, *request):
        with Connection(self.port, self.host) as connection:
            return connection.ask(*request)

    def _answers(self):
        if self.process.poll() is not None:
            raise RuntimeError(f"portico ended by itself:\n{self.log.read_text()}")
        try:
            return self._once("GET", "/api/v1/health").status == 200
        except OSError:
            return False


def expect(answer, *statuses):
    """The answer, when its status is one of these; any below 400 when none is named."""
    wanted = [status for status in statuses if status]
    if answer.status not in wanted if wanted else answer.status >= 400:
        raise RuntimeError(f"answered {answer.status}: {answer.body[:400].decode(errors='replace')}")
    return answer
