"""Measures a `portico` binary and prints a table: main.py BINARY.

Everything lives in a private directory and on free ports, and is ended at the end.
"""

import os
import pathlib
import signal
import sys
import tempfile

import door
import launches
import stored
from portico import Portico
from table import show


def main():
    if len(sys.argv) != 2:
        sys.exit("usage: main.py BINARY")
    binary = pathlib.Path(sys.argv[1]).resolve()
    # A request to end takes the way of an error, past everything that cleans up.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended on request"))
    figures = []
    with tempfile.TemporaryDirectory(prefix="portico-bench-") as name:
        # Workloads run as users of their own, who must get at their workspaces.
        os.chmod(name, 0o711)
        directory = pathlib.Path(name)
        portico = Portico(binary, directory)
        print(f"{binary}, {os.cpu_count()} cores, load {load()} at the start", flush=True)
        try:
            figures += told("launches", launches.measure(portico))
            figures += told("the front door", door.measure(portico, directory))
            portico.stop()
            figures += told("stored workloads", stored.measure(portico))
        finally:
            portico.stop()
    print(f"load {load()} at the end\n")
    show(figures)


def told(what, measured):
    print(f"measuring {what}", flush=True)
    return list(measured)


def load():
    return " ".join(f"{value:.1f}" for value in os.getloadavg())


if __name__ == "__main__":
    main()
