"""Runs, but never listens on PORT."""

import time

print("thinking about it", flush=True)
while True:
    time.sleep(60)
