"""The source of a build: a work tree or a commit, the files a build of it sees, and their fingerprint."""

import hashlib
import json
import os
import shutil
import stat
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any

from devenv.base import git, paths
from devenv.base.errors import InputError
from devenv.base.proc import Runner
from devenv.build import ignore
from devenv.build.ignore import Rules
from devenv.build.index import StatIndex

POINTER_LIMIT = 1024  # bytes: https://github.com/git-lfs/git-lfs/blob/main/docs/spec.md


@dataclass(frozen=True, slots=True)
class Source:
    """A folder to build. A commit's is a temporary copy: use `with`, or `close()` at the end."""

    root: Path
    commit: str | None = None  # full sha; None = the work tree

    def __enter__(self) -> "Source":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Remove a commit's copy; a work tree is left alone."""
        if self.commit:
            shutil.rmtree(self.root, ignore_errors=True)


@dataclass(frozen=True, slots=True)
class Context:
    """The files of `folder` that a build sees. `digest` covers path, executable bit and content of each."""

    folder: Path
    files: frozenset[str]  # paths from `folder`, `/` between parts
    left_out: tuple[str, ...]  # paths not to send; what lies below a directory is left out with it
    digest: str
    warnings: tuple[str, ...] = ()
    rows: Mapping[str, str] = field(default_factory=dict, repr=False)  # path -> "f hash", "x hash" or "l target"

    def text(self, path: str) -> str:
        """The content of a file of the context; empty when it has no such file."""
        return (self.folder / path).read_text(errors="replace") if path in self.files else ""


def work_tree(root: Path) -> Source:
    """The folder as it is now."""
    return Source(root.resolve())


def commit(runner: Runner, root: Path, ref: str) -> Source:
    """The files of commit `ref`, in a temporary folder. Raises InputError when there is no such commit."""
    sha = git.full_sha(runner, root, ref)
    parent = paths.cache() / "sources"
    parent.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix=f"{sha[:12]}-", dir=parent))
    try:
        git.export(runner, root, sha, folder)
        _refuse_pointers(folder)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return Source(folder, sha)


def _refuse_pointers(folder: Path) -> None:
    # git archive asks git-lfs for the content, where it is installed and has it
    attributes = folder.rglob(".gitattributes")
    if not any(b"filter=lfs" in file.read_bytes() for file in attributes):
        return
    files = (file for file in folder.rglob("*") if file.is_file() and not file.is_symlink())
    found = sorted(str(file.relative_to(folder)) for file in files if _is_pointer(file))
    if found:
        raise InputError(
            f"{len(found)} files of the commit are Git LFS pointers, their content is not here",
            "install git-lfs, then `git lfs fetch`",
            found[:12],
        )


def _is_pointer(file: Path) -> bool:
    if file.stat().st_size > POINTER_LIMIT:
        return False
    return file.read_bytes().startswith(b"version https://git-lfs.github.com/spec/")


def fingerprint(source: Source, extra: Mapping[str, Any]) -> str:
    """A short hex hash of the source's files and `extra` (anything JSON can hold)."""
    return tag(scan(source), extra)


def tag(context: Context, extra: Mapping[str, Any]) -> str:
    """A short hex hash of the context's files and `extra`: equal means the same image comes out."""
    text = json.dumps([context.digest, extra], sort_keys=True, default=str)
    return hashlib.blake2b(text.encode(), digest_size=6).hexdigest()


def scan(source: Source, folder: str = "", rules: Rules | None = None) -> Context:
    """The context in `folder` of the source. Without `rules`, those of its .slugignore."""
    root = source.root / folder
    if not root.is_dir():
        raise InputError(f"there is no folder `{folder or root}` to build")
    if rules is None:
        file = root / ".slugignore"
        rules = ignore.slugignore(file.read_text(errors="replace")) if file.is_file() else ignore.NOTHING
    walk = _Walk(source, root, rules)
    walk.folder("")
    walk.index.save()
    rows = "\0".join(f"{path}\0{row}" for path, row in sorted(walk.rows.items()))
    digest = hashlib.blake2b(rows.encode(errors="surrogateescape"), digest_size=16).hexdigest()
    return Context(
        root,
        frozenset(walk.rows),
        tuple(sorted(walk.left_out)),
        digest,
        rules.warnings + tuple(walk.warnings),
        walk.rows,
    )


@dataclass(slots=True)
class _Walk:
    source: Source
    root: Path
    rules: Rules
    rows: dict[str, str] = field(default_factory=dict)  # path -> "f hash", "x hash" or "l target"
    left_out: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    index: StatIndex = field(init=False)
    names: frozenset[str] = field(init=False)

    def __post_init__(self) -> None:
        self.index = StatIndex(self.root, keep=self.source.commit is None)
        self.names = ignore.NEVER_ANYWHERE | (ignore.UNTRACKED if self.source.commit is None else frozenset())

    def folder(self, prefix: str) -> None:
        try:
            with os.scandir(self.root / prefix) as listing:
                entries = list(listing)
        except OSError as error:
            self.skip(prefix.rstrip("/"), f"cannot be listed ({error.strerror})")
            return
        if prefix and self.source.commit is None and any(entry.name == ignore.VIRTUALENV_MARK for entry in entries):
            self.left_out.append(prefix.rstrip("/"))
            return
        for entry in entries:
            path = prefix + entry.name
            is_folder = entry.is_dir(follow_symlinks=False)
            if entry.name in self.names or (not prefix and entry.name in ignore.NEVER_AT_ROOT):
                self.left_out.append(path)
            elif is_folder:
                if not self.rules.match(path, True):
                    self.folder(path + "/")
                elif self.rules.prunes:
                    self.left_out.append(path)
                else:
                    self.folder(path + "/")
            elif self.rules.match(path, False):
                self.left_out.append(path)
            else:
                self.file(path, entry)

    def file(self, path: str, entry: "os.DirEntry[str]") -> None:
        try:
            info = entry.stat(follow_symlinks=False)
            if stat.S_ISLNK(info.st_mode):
                self.rows[path] = "l " + self.link(path, entry.path)
            elif stat.S_ISREG(info.st_mode):
                self.rows[path] = ("x " if info.st_mode & 0o100 else "f ") + self.index.digest(path, entry.path, info)
            else:
                self.skip(path, "is neither a file nor a link")
        except FileNotFoundError:
            self.left_out.append(path)  # removed since the folder was listed
        except OSError as error:
            self.skip(path, f"cannot be read ({error.strerror})")

    def link(self, path: str, full: str) -> str:
        target = os.readlink(full)
        inside = os.path.normpath(os.path.join(os.path.dirname(path), target))
        if os.path.isabs(target) or inside.startswith(".."):
            self.warnings.append(f"`{path}` is a link out of the app: the image gets the link, not what it points at")
        return target

    def skip(self, path: str, why: str) -> None:
        self.warnings.append(f"`{path}` {why}: left out of the image")
        self.left_out.append(path)
