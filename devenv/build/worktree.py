"""Which paths of a folder are part of the app: what a build sees of it, and what sync sends."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from devenv.base import git
from devenv.base.proc import Runner
from devenv.build import ignore
from devenv.build.gitignore import Patterns
from devenv.build.ignore import Rules


@dataclass(frozen=True, slots=True)
class _Scope:
    """What holds for the paths in one folder."""

    patterns: tuple[
        tuple[int, str, Patterns], ...
    ] = ()  # the weakest first; cut so much off a path, put this before it
    why: str | None = None  # nothing in it is part of the app
    ignored: str | None = None  # nothing in it is, but for what git tracks


class WorkTreeRules:
    """Decides on the paths of a folder. `read` gives the rules of its .slugignore or .dockerignore.

    In a work tree more is left out than in a commit, which has none of it: what .gitignore files name, unless git tracks
    it (asked when there is a `runner`), virtual environments, and the folders of the usual tools. Any thread may ask.
    """

    def __init__(
        self, root: Path, read: Callable[[], Rules], *, committed: bool = False, runner: Runner | None = None
    ) -> None:
        self.root = str(root)
        self.read = read
        self.committed = committed
        self.runner = runner
        self.names = ignore.NEVER_ANYWHERE if committed else ignore.NEVER_ANYWHERE | ignore.UNTRACKED
        self.reload()

    def reload(self) -> None:
        """Read the ignore files again."""
        self.rules = self.read()
        self._tracked: frozenset[str] | None = None
        self._scopes = {"": _Scope() if self.committed else _Scope(self._above())}

    def skip(self, path: str, is_folder: bool) -> str | None:
        """Why a path is no part of the app, or None when it is. For a folder it means all below it."""
        folder, _, name = path.rpartition("/")
        scope = self._scope(folder)
        why = self._why(scope, path, name, is_folder)
        if is_folder:
            known = self._scopes.get(path)
            if known and known.why != why:
                self._forget(path)
                known = None
            if known is None:
                self._scopes[path] = self._inside(scope, path, name, why)
        elif name == ignore.VIRTUALENV_MARK and folder and not why:
            self._forget(folder)  # it turns the folder into one
            return self._scope(folder).why
        return why

    def _scope(self, folder: str) -> _Scope:
        found = self._scopes.get(folder)
        if found is None:
            self.skip(folder, True)
            found = self._scopes[folder]
        return found

    def _why(self, scope: _Scope, path: str, name: str, is_folder: bool) -> str | None:
        if scope.why:
            return scope.why
        if name in self.names or path in ignore.NEVER_AT_ROOT:
            return "made by tools, no part of a commit" if name in ignore.UNTRACKED else "never part of the app"
        if self.rules is not ignore.NOTHING and (self.rules.prunes or not is_folder):
            found = self.rules.why(path, is_folder)
            if found:
                return found
        if is_folder and not self.committed and os.access(f"{self.root}/{path}/{ignore.VIRTUALENV_MARK}", os.F_OK):
            return "a virtual environment"
        if not (scope.patterns or scope.ignored):
            return None
        found = scope.ignored or _named(scope.patterns, path, name, is_folder)
        return None if found is None or path in self._tracked_paths() else found

    def _inside(self, scope: _Scope, path: str, name: str, why: str | None) -> _Scope:
        if why or self.committed:
            return _Scope(why=why) if why else scope
        ignored = scope.ignored or (_named(scope.patterns, path, name, True) if self._tracked else None)
        own = None
        if os.access(f"{self.root}/{path}/.gitignore", os.F_OK):  # an error raised for every folder takes longer
            own = _read(f"{self.root}/{path}/.gitignore", f"{path}/.gitignore")
        # another repository within this one has patterns of its own
        patterns = () if os.access(f"{self.root}/{path}/.git", os.F_OK) else scope.patterns
        if own:
            patterns = (*patterns, (len(path) + 1, "", own))
        return scope if patterns is scope.patterns and ignored == scope.ignored else _Scope(patterns, None, ignored)

    def _above(self) -> tuple[tuple[int, str, Patterns], ...]:
        """The patterns for the folder as a whole, which may lie deep within a repository."""
        root = Path(self.root)
        top = git.top(root) or root
        parts = root.relative_to(top).parts
        found = [(0, own) for file in git.ignore_files(top) if (own := _read(str(file), str(file)))]
        for depth in range(len(parts) + 1):
            file = str(top.joinpath(*parts[:depth], ".gitignore"))
            if own := _read(file, os.path.relpath(file, root)):
                found.append((depth, own))
        for depth, name in enumerate(parts, 1):
            inside = tuple((0, "/".join((*parts[at : depth - 1], "")), own) for at, own in found if at < depth)
            if _named(inside, name, name, True):
                # one who works in a folder that is ignored does not mean to have nothing
                found = [each for each in found if each[0] >= depth]
        return tuple((0, "/".join((*parts[at:], "")), own) for at, own in found)

    def _tracked_paths(self) -> frozenset[str]:
        if self._tracked is None:
            files = git.tracked_though_ignored(self.runner, Path(self.root)) if self.runner else ()
            found = set(files)
            for path in files:
                while path := path.rpartition("/")[0]:
                    found.add(path)
            self._tracked = frozenset(found)
        return self._tracked

    def _forget(self, top: str) -> None:
        for folder in [each for each in list(self._scopes) if each == top or each.startswith(top + "/")]:
            self._scopes.pop(folder, None)


def _named(patterns: tuple[tuple[int, str, Patterns], ...], path: str, name: str, is_folder: bool) -> str | None:
    for cut, before, each in reversed(patterns):
        if line := each.line(before + path[cut:], name, is_folder):
            return f"`{each.file}:{line}` names it" if line > 0 else None
    return None


def _read(file: str, name: str) -> Patterns | None:
    try:
        with open(file, "rb") as stream:
            return Patterns(name, os.fsdecode(stream.read()))
    except OSError:
        return None  # there is none, or none that can be read: git goes on without it, too
