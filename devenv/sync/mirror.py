"""The files of one image: where in the app's folder they are, where in the container, and by which rules."""

import os
from collections.abc import Callable, Collection
from dataclasses import dataclass, field

from devenv.base.index import Mount
from devenv.sync.rules import Rule, Rules
from devenv.sync.tree import LARGE, Change, Tree


@dataclass(slots=True)
class Mirror:
    """One image's context. `folder` is its place in the app's folder, empty or with a `/` at its end."""

    key: str  # tag of the image
    tree: Tree
    rules: Rules
    mounts: tuple[Mount, ...]  # the longest paths first
    folder: str = ""
    reload: Callable[[], None] = lambda: None  # read anew what is left out
    settings: Collection[str] = ()  # files of the app that are in no image, and yet it depends on them
    release: str = ""  # the release phase's command
    reloading: Collection[str] = ()  # process types that reload by themselves
    _stamps: dict[str, tuple[str, int]] = field(default_factory=dict)

    def within(self, paths: Collection[str]) -> list[str]:
        """Those of the app's paths that are in this context, as the context names them."""
        if not self.folder:
            return list(paths)
        inside = [path[len(self.folder) :] for path in paths if path.startswith(self.folder)]
        return [*inside, ""] if any(self.folder.startswith(path + "/") for path in paths) else inside

    def full(self, path: str) -> str:
        """A path of the context as the app names it."""
        return self.folder + path

    def rule(self, path: str) -> Rule:
        """What a change of the path does."""
        return self.rules.of(self.full(path))

    def place(self, path: str) -> str | None:
        """Where the path is in the container; None when it is not, or a rule says that it stays."""
        if self.rule(path).do in ("ignore", "rebuild"):
            return None
        return self.mounted(path)

    def mounted(self, path: str) -> str | None:
        """Where the image has the path; None for a folder that was copied into one that may hold more."""
        source, target = self._mount(path) or ("", "")
        if not target or path == source:
            return target if target and not target.endswith("/") else None
        return target + path[len(source) :].lstrip("/")

    def _mount(self, path: str) -> Mount | None:
        return next((each for each in self.mounts if not each[0] or f"{path}/".startswith(f"{each[0]}/")), None)

    def rebuilds(self, change: Change) -> bool:
        """Whether the change asks for another image: a rule says so, or no copy of the file is in it."""
        if change.old == change.row == "d":
            return False
        rule = self.rule(change.path)
        if rule.do == "rebuild":
            return True
        if rule.do == "ignore" or change.row == "d" or self.mounted(change.path):
            return False
        mount = self._mount(change.path)
        return change.row is not None or (mount is not None and not mount[1])

    def is_large(self, change: Change) -> bool:
        """Whether it is a file that goes its own way, so that others do not wait for it."""
        if not change.row or change.row[0] not in "fx":
            return False
        try:
            return os.lstat(self.tree.folder / change.path).st_size > LARGE
        except OSError:
            return False

    def stamp(self, change: Change, mtime: int) -> int:
        """The time to set for a file: its own, but later for each new content, because caches of bytecode compare whole seconds."""
        row, last = self._stamps.get(change.path, ("", 0))
        if row != change.row:
            last = max(mtime, last + 1)
            self._stamps[change.path] = (change.row or "", last)
        return last
