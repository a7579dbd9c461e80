"""What an image or a program is made of, as one short hash: equal means there is nothing to build."""

import hashlib
from functools import cache
from pathlib import Path

from devenv.base import resources
from devenv.images import catalog
from devenv.images.catalog import Entry, Module

# Debian and most of its relatives; where an administrator adds certificate authorities
CERTIFICATES = Path("/usr/local/share/ca-certificates")

# a change in the code that makes images of a kind raises the kind's number: they are made anew
MAKERS = {"node": 2}


def certificates() -> list[Path]:
    """The certificate authorities added to this machine, such as a proxy's; builds inside containers need them too."""
    return sorted(CERTIFICATES.rglob("*.crt")) if CERTIFICATES.is_dir() else []


@cache
def of_image(key: str) -> str:
    """The hash of an image's recipe, of what goes into it, and of the host's certificate authorities."""
    entry = catalog.get(key)
    digest = hashlib.sha256(repr((entry.built, entry.recipe)).encode())
    if entry.recipe.kind in MAKERS:
        digest.update(str(MAKERS[entry.recipe.kind]).encode())
    if entry.recipe.folder:
        _add_folder(digest, folder(entry))
    if entry.recipe.certificates:
        for path in certificates():
            digest.update(path.read_bytes())
    for program in entry.recipe.programs:
        digest.update(of_module(catalog.module_of(program)).encode())
    for need in catalog.needs(entry):
        digest.update(of_image(need).encode())
    return digest.hexdigest()[:16]


def of_module(module: Module) -> str:
    """The hash of a Go module: its pins, its own sources and what is set at link time."""
    digest = hashlib.sha256(repr((sorted(module.programs.items()), sorted(module.variables.items()))).encode())
    _add_folder(digest, resources.path(f"offline/{module.folder}"))
    return digest.hexdigest()[:16]


def folder(entry: Entry) -> Path:
    """The build context of an image."""
    return resources.path(f"offline/{entry.recipe.folder}")


def _add_folder(digest: "hashlib._Hash", root: Path) -> None:
    for path in sorted(root.rglob("*")):
        if path.is_file():
            executable = bool(path.stat().st_mode & 0o100)
            digest.update(f"{path.relative_to(root)}\0{executable}\0{path.stat().st_size}\0".encode())
            digest.update(path.read_bytes())
