"""The source of a build: a work tree or a commit, the files a build of it sees, and their fingerprint."""

import hashlib
import json
import os
import shutil
import stat
import tempfile
import time
from collections.abc import Mapping
from contextlib import closing, nullcontext, suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any

from devenv.base import git, index, paths
from devenv.base.errors import InputError
from devenv.base.index import Index, Memo
from devenv.base.proc import Runner
from devenv.build import ignore
from devenv.build.ignore import Rules
from devenv.build.worktree import WorkTreeRules

OLD = 86400  # seconds: no deploy takes a day
TICK = 10_000_000  # ns by which a file's time may lie behind the clock's
POINTER_LIMIT = 1024  # bytes: https://github.com/git-lfs/git-lfs/blob/main/docs/spec.md


@dataclass(frozen=True, slots=True)
class Source:
    """A folder to build. A commit's is a temporary copy: use `with`, or `close()` at the end."""

    root: Path
    commit: str | None = None  # full sha; None = the work tree
    runner: Runner | None = None  # to ask git what it tracks

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

    def since(self, when: int) -> set[str]:
        """The files that somebody wrote, replaced or touched since `when` (ns since 1970), also if they are as before."""
        found, now = set(), time.time_ns()  # what is of later was written before the clock was put back
        for path in self.rows:
            with suppress(OSError):
                if when - TICK < os.lstat(self.folder / path).st_ctime_ns <= now + TICK:
                    found.add(path)
        return found

    def text(self, path: str) -> str:
        """The content of a file of the context; empty when it has no such file."""
        return (self.folder / path).read_text(errors="replace") if path in self.files else ""


def work_tree(root: Path, runner: Runner | None = None) -> Source:
    """The folder as it is now. Without a `runner`, what .gitignore names is left out even where git tracks it."""
    return Source(root.resolve(), None, runner)


def commit(runner: Runner, root: Path, ref: str) -> Source:
    """The files of commit `ref`, in a temporary folder. Raises InputError when there is no such commit."""
    sha = git.full_sha(runner, root, ref)
    parent = paths.cache() / "sources"
    parent.mkdir(parents=True, exist_ok=True)
    for left in parent.iterdir():  # by those that were killed
        with suppress(OSError):
            if time.time() - left.stat().st_mtime > OLD:
                shutil.rmtree(left)
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
        rules = ignore.slug_rules(root)
    part = WorkTreeRules(root, lambda: rules, committed=source.commit is not None, runner=source.runner)
    walk = _Walk(str(root), part, None if source.commit else Index(root))
    walk.all()
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
    root: str
    part: WorkTreeRules
    index: Index | None
    rows: dict[str, str] = field(default_factory=dict)  # path -> "f hash", "x hash" or "l target"
    left_out: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    def all(self) -> None:
        with closing(self.index) if self.index else nullcontext() as index:
            with index.reading() if index else nullcontext():
                waiting, walked = [""], set[str]()
                while waiting:
                    folder = waiting.pop()
                    walked.add(folder)
                    waiting += self.folder(folder)
            if index:
                index.save(walked)

    def folder(self, folder: str) -> list[str]:
        try:
            with os.scandir(f"{self.root}/{folder}") as listing:
                entries = list(listing)
        except OSError as error:
            self.skip(folder, f"cannot be listed ({error.strerror})")
            return []
        prefix, folders = folder + "/" if folder else "", []
        memo = self.index.memo(folder) if self.index else None
        for entry in entries:
            path, is_folder = prefix + entry.name, entry.is_dir(follow_symlinks=False)
            if self.part.skip(path, is_folder):
                self.left_out.append(path)
            elif is_folder:
                folders.append(path)
            else:
                self.file(path, entry, memo)
        if memo and len(memo.known) != len(entries) - len(folders):
            memo.forget({entry.name for entry in entries})
        return folders

    def file(self, path: str, entry: "os.DirEntry[str]", memo: Memo | None) -> None:
        try:
            info = entry.stat(follow_symlinks=False)
            if stat.S_ISLNK(info.st_mode):
                self.rows[path] = "l " + self.link(path, entry.path)
            elif stat.S_ISREG(info.st_mode):
                digest = memo.digest(entry.name, entry.path, info) if memo else index.content(entry.path)
                self.rows[path] = ("x " if info.st_mode & 0o100 else "f ") + digest
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
