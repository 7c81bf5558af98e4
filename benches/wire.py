"""Plain HTTP/1.1 over one kept connection, and what a process used while it answered.

Python's own client costs more than the pages measured here, so requests are written and answers cut by hand.
Leaves out everything that Portico does not send: trailers, continuations, redirects that are followed.
"""

import json
import os
import socket
import time

TICK = os.sysconf("SC_CLK_TCK")


class Answer:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    def json(self):
        return json.loads(self.body)


class Connection:
    """One connection to 127.0.0.1:port, whose requests name `host`."""

    def __init__(self, port, host):
        self.host = host
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=30)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.rest = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def ask(self, method, path, headers=None, body=b""):
        lines = [f"{method} {path} HTTP/1.1", f"host: {self.host}", f"content-length: {len(body)}"]
        lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
        self.socket.sendall("\r\n".join(lines).encode() + b"\r\n\r\n" + body)
        head = self._until(b"\r\n\r\n").decode("latin-1").split("\r\n")
        fields = {}
        for line in head[1:]:
            name, _, value = line.partition(":")
            fields.setdefault(name.lower(), value.strip())
        return Answer(int(head[0].split()[1]), fields, self._body(fields))

    def _body(self, fields):
        if fields.get("transfer-encoding") != "chunked":
            return self._exactly(int(fields.get("content-length", 0)))
        body = b""
        while size := int(self._until(b"\r\n"), 16):
            body += self._exactly(size)
            self._exactly(2)
        self._exactly(2)
        return body

    def _until(self, mark):
        while mark not in self.rest:
            self._more()
        found, self.rest = self.rest.split(mark, 1)
        return found

    def _exactly(self, count):
        while len(self.rest) < count:
            self._more()
        found, self.rest = self.rest[:count], self.rest[count:]
        return found

    def _more(self):
        got = self.socket.recv(65536)
        if not got:
            raise ConnectionError("the connection was closed before the end of an answer")
        self.rest += got


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for(what, look, seconds=30, pause=0.01):
    """Asks `look` until it gives something; says `what` was missing when it never does."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if found := look():
            return found
        time.sleep(pause)
    raise TimeoutError(f"{what} did not happen within {seconds} seconds")


def cpu_seconds(pid):
    """User and system time of a process so far, its ended threads included; in steps of a clock tick."""
    with open(f"/proc/{pid}/stat") as file:
        fields = file.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICK


def resident_megabytes(pid):
    with open(f"/proc/{pid}/status") as file:
        line = next(line for line in file if line.startswith("VmRSS:"))
    return int(line.split()[1]) * 1024 / 1e6
