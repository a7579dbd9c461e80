"""Leaves before it listens."""

import sys

sys.exit("cannot start: the flux capacitor is missing")
