"""Answers, and takes 32 MB more every second, until it is stopped."""

import os
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

kept = []


def grow():
    while True:
        kept.append(b"\x01" * (32 << 20))
        print(f"{len(kept) * 32} MB kept", flush=True)
        time.sleep(1)


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(f"{len(kept) * 32} MB kept\n".encode())


threading.Thread(target=grow, daemon=True).start()
ThreadingHTTPServer(("0.0.0.0", int(os.environ["PORT"])), Handler).serve_forever()
