"""Where devenv keeps things on this machine. Nothing here is needed to rebuild an env: the cluster is the state."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def cache() -> Path:
    """Tools, built images' inputs, indexes: may be deleted at any time. `DEVENV_CACHE` overrides."""
    if chosen := os.environ.get("DEVENV_CACHE"):
        return Path(chosen)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "devenv"


def state() -> Path:
    """Kubeconfigs and locks of the clusters devenv made. `DEVENV_STATE` overrides."""
    if chosen := os.environ.get("DEVENV_STATE"):
        return Path(chosen)
    return Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state") / "devenv"


def bin_folder() -> Path:
    """The folder of the tools devenv fetched or built: kind, helm, kubectl."""
    return cache() / "bin"


@contextmanager
def filling(folder: Path) -> Iterator[Path]:
    """An empty folder that becomes `folder` when the work in it is done, unless another run was faster."""
    import tempfile

    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{folder.name}.", dir=folder.parent) as place:
        partial = Path(place) / "partial"
        partial.mkdir()
        yield partial
        try:
            partial.rename(folder)
        except OSError:
            if not folder.exists():
                raise


def setting(name: str) -> str | None:
    """The environment variable `DEVENV_<name>`, or None when unset or empty."""
    return os.environ.get(f"DEVENV_{name}") or None
