"""A web process whose every answer tells a test something about the platform under it."""

import json
import os
import socket
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

VERSION = "1"
GREETING = Path(__file__).parent / "greeting.txt"
STARTED = time.time()
kept = []  # what /mem has taken


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        url = urlsplit(self.path)
        query = parse_qs(url.query)
        if url.path == "/":
            self.answer(200, GREETING.read_text())
        elif url.path == "/version":
            self.answer(200, VERSION)
        elif url.path == "/whoami":
            who = {"dyno": os.environ.get("DYNO"), "host": socket.gethostname(), "pid": os.getpid(), "started": STARTED}
            self.answer(200, json.dumps(who))
        elif url.path.startswith("/env/"):
            value = os.environ.get(url.path.removeprefix("/env/"))
            self.answer(404 if value is None else 200, value or "")
        elif url.path == "/headers":
            self.answer(200, json.dumps(dict(self.headers.items())))
        elif url.path == "/slow":
            time.sleep(float(query.get("s", ["1"])[0]))
            self.answer(200, "at last")
        elif url.path == "/crash":
            print("crashing on request", flush=True)
            os._exit(int(query.get("status", ["1"])[0]))
        elif url.path == "/mem":
            kept.append(b"\x01" * (int(query.get("mb", ["1"])[0]) << 20))
            self.answer(200, f"{sum(map(len, kept)) >> 20} MB kept")
        else:
            self.answer(404, "nothing here")

    def do_POST(self):
        """Gives the body back."""
        self.answer(200, self.rfile.read(int(self.headers.get("Content-Length", 0))))

    def answer(self, status, body):
        data = body if isinstance(body, bytes) else body.encode()
        self.send_response(status)
        self.send_header("Content-Type", "text/plain; charset=utf-8")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format, *args):
        print(format % args, flush=True)


print(f"web starts, version {VERSION}", flush=True)
ThreadingHTTPServer(("0.0.0.0", int(os.environ["PORT"])), Handler).serve_forever()
