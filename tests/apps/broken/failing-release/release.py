"""A migration that fails."""

import sys

print("migrating", flush=True)
sys.exit("migration 002 failed: column already exists")
