"""A worker that says every second what it read, and says goodbye when it is asked to stop."""

import os
import signal
import sys
import time
from pathlib import Path


def stop(*_):
    print("worker stops cleanly", flush=True)
    sys.exit(0)


signal.signal(signal.SIGTERM, stop)
print(f"worker starts, PORT is {os.environ.get('PORT', 'not set')}", flush=True)
while True:
    print(f"worker reads: {(Path(__file__).parent / 'greeting.txt').read_text().strip()}", flush=True)
    time.sleep(1)
