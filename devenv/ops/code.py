"""Which add-ons' config vars the code reads; remembered by the tree's fingerprint, so that an unchanged tree is not read again."""

import hashlib
import json
from collections.abc import Collection, Mapping
from pathlib import Path

from devenv.base import paths
from devenv.build.source import Source, scan
from devenv.heroku import code_vars
from devenv.plan.model import Catalog

MOST = 5000  # files: a tree with more is not one app's own code


def reads(source: Source, catalog: Catalog) -> Mapping[str, str]:
    """Name -> `app.py:12`, for every variable that reveals a stand-in's add-on, if the app has a library that speaks to it."""
    kinds = [
        (sorted(name for service in addon.services.values() for name in service.reveals), addon.libraries)
        for addon in catalog.addons.values()
    ]
    context = scan(source)
    asked = hashlib.sha256(json.dumps([kinds, sorted(code_vars.DEPENDENCIES)]).encode()).hexdigest()[:8]
    note = paths.cache() / "code" / f"{context.digest}-{asked}.json"
    try:
        kept: Mapping[str, str] = json.loads(note.read_text(encoding="utf-8"))
        return kept
    except (OSError, ValueError):
        pass  # never read, or half written: read the tree
    lists = [_text(context.folder / path) for path in code_vars.dependencies(context.files)]
    names = [
        name
        for revealing, libraries in kinds
        if not (lists and libraries) or any(code_vars.uses(text, libraries) for text in lists)
        for name in revealing
    ]
    found = _read(context.folder, code_vars.candidates(context.files)[:MOST], names)
    note.parent.mkdir(parents=True, exist_ok=True)
    note.write_text(json.dumps(found), encoding="utf-8")
    return found


def _text(file: Path) -> str:
    return file.read_text(encoding="utf-8", errors="replace") if file.is_file() else ""


def _read(folder: Path, files: Collection[str], names: Collection[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for path in files:
        file = folder / path
        if file.is_file() and file.stat().st_size <= code_vars.LARGEST:
            for name, line in code_vars.reads(_text(file), names).items():
                found.setdefault(name, f"{path}:{line}")
    return found
