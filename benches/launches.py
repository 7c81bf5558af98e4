"""How long a launch waits for the hub: before it calls the engine, and after the app could first answer."""

from datetime import datetime
from statistics import median

from table import Figure, percentile

LAUNCHES = 20

# Says when it began to listen. What comes before is Python's start, which is nobody's merit or fault.
PROGRAM = """
import http.server, os, time
class Page(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.send_header("content-length", "3")
        self.end_headers()
        self.wfile.write(b"yes")
    def log_message(self, *_):
        pass
server = http.server.HTTPServer(("127.0.0.1", int(os.environ["PORTICO_PORT"])), Page)
print("listening since", time.time(), flush=True)
server.serve_forever()
"""

APP = f"""
title = "Small"
engine = "local"
grant = ["everyone"]
grace_seconds = 1
[run]
command = ["python3", "-S", "-c", '''{PROGRAM}''']
[entry.main]
listen = "tcp"
"""


def measure(portico):
    portico.add_app("small", APP)
    portico.start()
    portico.wait()
    portico.sign_in()
    calls, readies = [], []
    for _ in range(LAUNCHES):
        # One launch at a time, so that the growth of the histogram's sum is this launch's own duration.
        before = portico.figure("portico_launch_call_seconds_sum")
        row = portico.launch("small")
        calls.append((portico.figure("portico_launch_call_seconds_sum") - before) * 1e3)
        log = portico.api("GET", f"workloads/{row['id']}/logs?tail=5").body.decode()
        listening = float(log.split("listening since")[1].split()[0])
        ready = datetime.fromisoformat(row["changed"].replace("Z", "+00:00")).timestamp()
        readies.append((ready - listening) * 1e3)
        portico.end(row["id"])
    yield Figure("launch: accepted to the engine's call, median", median(calls), "ms", most=20)
    yield Figure("launch: accepted to the engine's call, p95", percentile(calls, 95), "ms")
    yield Figure("launch: app listens to ready, median", median(readies), "ms", most=50)
    yield Figure("launch: app listens to ready, p95", percentile(readies, 95), "ms")
