"""The images devenv itself needs."""

from devenv.images import build as driver
from devenv.images import reachable
from devenv.images.build import Built, Row
from devenv.ops import lock
from devenv.ops.env import Env


def listing(env: Env) -> list[Row]:
    """Every image and whether this machine has it."""
    return driver.listing(env.runner, reachable.source())


def build(env: Env, keys: tuple[str, ...]) -> Built:
    """Make images (none = all) from package registries."""
    with lock.hold("images", env.console, wait=3600):
        return driver.build(env.runner, env.console, keys)
