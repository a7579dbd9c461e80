"""Where kind, minikube, helm and kubectl are on this machine."""

import shutil

from devenv.base import paths
from devenv.base.errors import ToolMissing


def find(name: str) -> str:
    """The program's path: `DEVENV_<NAME>`, else the one devenv fetched or built, else PATH's; raises ToolMissing."""
    if chosen := paths.setting(name.upper()):
        return chosen
    own = paths.bin_folder() / name
    if own.exists():
        return str(own)
    if found := shutil.which(name):
        return found
    raise ToolMissing(
        f"`{name}` is not installed",
        f"install {name} on PATH, or set `DEVENV_{name.upper()}` to its path; `devenv doctor` checks",
    )
