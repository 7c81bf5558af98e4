"""The app of the conformance suite: listens where PORTICO_SOCKET or PORTICO_PORT say.

Words: print=TEXT, exit=CODE, allocate, deaf.
"""
import os
import signal
import socket
import sys

print("started", flush=True)
for word in sys.argv[1:]:
    name, _, value = word.partition("=")
    if name == "print":
        print(value, flush=True)
    elif name == "exit":
        sys.exit(int(value))
    elif name == "deaf":
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    elif name == "allocate":
        kept = []
        while True:
            kept.append(b"x" * (1 << 20))

if "PORTICO_SOCKET" in os.environ:
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(os.environ["PORTICO_SOCKET"])
else:
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((os.environ.get("LISTEN", "127.0.0.1"), int(os.environ.get("PORTICO_PORT", "8080"))))
listener.listen(64)
while True:
    visitor, _ = listener.accept()
    visitor.recv(65536)
    visitor.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\nok")
    visitor.close()
