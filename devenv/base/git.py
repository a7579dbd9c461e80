"""What devenv asks of git. Questions a verb asks at every start are answered from git's own files, without a process."""

import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from devenv.base.errors import CommandFailed, InputError, ToolMissing
from devenv.base.proc import Runner

# `git rev-parse --local-env-vars` of git 2.39, without what only says how to configure or quote
LOCAL = (
    "GIT_DIR",
    "GIT_WORK_TREE",
    "GIT_INDEX_FILE",
    "GIT_PREFIX",
    "GIT_COMMON_DIR",
    "GIT_OBJECT_DIRECTORY",
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_SHALLOW_FILE",
    "GIT_NAMESPACE",
    "GIT_QUARANTINE_PATH",
)


def git_folder(folder: Path) -> Path | None:
    """The git directory that `folder` belongs to (a worktree's own one), or None outside of git."""
    place = top(folder.absolute())
    entry = place / ".git" if place else None
    if entry is None or entry.is_dir():
        return entry
    found = re.match(r"gitdir:\s*(.+)", entry.read_text(errors="replace"))
    return (entry.parent / found[1].strip()).resolve() if found else None


def _shared(folder: Path) -> Path | None:
    """The git directory that all worktrees of the repository have in common."""
    found = git_folder(folder)
    return found.parent.parent if found and found.parent.name == "worktrees" else found


def top(folder: Path) -> Path | None:
    """The uppermost folder of the git work tree that `folder` is in; None outside of git."""
    return next((place for place in (folder, *folder.parents) if (place / ".git").exists()), None)


def ignore_files(folder: Path) -> Iterator[Path]:
    """Where ignore patterns for the whole work tree of `folder` are, beside its .gitignore files; the weakest first."""
    home, found = Path.home(), _shared(folder)
    own = Path(os.environ.get("XDG_CONFIG_HOME") or home / ".config") / "git"
    user = own / "ignore"
    for config in (own / "config", home / ".gitconfig", *([found / "config"] if found else [])):
        text = config.read_text(errors="replace") if config.is_file() else ""
        for chosen in re.findall(r"(?im)^\s*excludesfile\s*=\s*\"?(.+?)\"?\s*$", text):
            user = Path(chosen).expanduser()
    yield user
    if found:
        yield found / "info" / "exclude"


def tracked_though_ignored(runner: Runner, folder: Path) -> frozenset[str]:
    """The paths below `folder` that git tracks although ignore patterns name them; empty where git cannot tell."""
    argv = ["git", "-C", str(folder), "ls-files", "-z", "--cached", "--ignored", "--exclude-standard"]
    try:
        done = runner.run(argv, check=False)
    except ToolMissing:
        return frozenset()
    return frozenset(filter(None, done.stdout.split("\0"))) if not done.code else frozenset()


def worktree_name(folder: Path) -> str | None:
    """The name of the git worktree that `folder` is in; None in the main one, and outside of git."""
    found = git_folder(folder)
    return found.name if found and found.parent.name == "worktrees" else None


def remotes(folder: Path) -> Mapping[str, str]:
    """Remote name -> fetch URL, from the repository's config; empty outside of git."""
    found = _shared(folder)
    if found is None:
        return {}
    config = found / "config"
    urls: dict[str, str] = {}
    section = ""
    for line in config.read_text(errors="replace").splitlines() if config.is_file() else []:
        if heading := re.match(r'\s*\[\s*remote\s+"(.+)"\s*\]', line):
            section = heading[1]
        elif line.lstrip().startswith("["):
            section = ""
        elif section and (url := re.match(r"\s*url\s*=\s*(.+?)\s*$", line)):
            urls.setdefault(section, url[1])
    return urls


def same_app(runner: Runner, one: Path, other: Path) -> bool:
    """Whether two folders are at the same place of repositories that share a remote or their first commit."""
    places, marks = [], []
    for folder in (one, other):
        root, urls = top(folder), remotes(folder)
        commits = runner.run(["git", "-C", str(folder), "rev-list", "--max-parents=0", "HEAD"], check=False)
        places.append(folder.relative_to(root) if root else None)
        marks.append({*commits.stdout.split(), *(urls[name] for name in ("origin", "heroku") if name in urls)})
    return places[0] == places[1] and bool(marks[0] & marks[1])


def branch(folder: Path) -> str | None:
    """The branch checked out; None on a detached head and outside of git."""
    found = git_folder(folder)
    head = found / "HEAD" if found else None
    text = head.read_text().strip() if head and head.is_file() else ""
    return text.removeprefix("ref: refs/heads/") if text.startswith("ref: refs/heads/") else None


def full_sha(runner: Runner, folder: Path, ref: str) -> str:
    """The 40 digits of the commit that `ref` names; raises InputError when there is none."""
    if git_folder(folder) is None:
        raise InputError(
            f"`{folder}` is not in a git repository", "`git init`, then commit: what is pushed is a commit"
        )
    argv = ["git", "-C", str(folder), "rev-parse", "--verify", "--quiet", "--end-of-options", f"{ref}^{{commit}}"]
    done = runner.run(argv, check=False)
    if done.code:
        raise InputError(f"`{ref}` names no commit here", "`git log --oneline --all` shows the commits there are")
    return done.stdout.strip()


def changed(runner: Runner, folder: Path) -> int:
    """How many files below `folder` differ from its last commit or are in none, ignored ones not counted."""
    argv = ["git", "-C", str(folder), "status", "--porcelain", "-z", "--no-renames", "--", "."]
    return runner.run(argv).stdout.count("\0")


def is_shallow(folder: Path) -> bool:
    """Whether the clone that `folder` belongs to was cut off (`git clone --depth`)."""
    found = _shared(folder)
    return found is not None and (found / "shallow").is_file()


def has(runner: Runner, folder: Path, sha: str) -> bool:
    """Whether the clone that `folder` belongs to holds the commit."""
    return runner.run(["git", "-C", str(folder), "cat-file", "-e", f"{sha}^{{commit}}"], check=False).code == 0


def set_remote(runner: Runner, folder: Path, name: str, url: str) -> None:
    """Have the remote `name` lead to `url`."""
    verb = ["set-url", name, url] if name in remotes(folder) else ["add", name, url]
    runner.run(["git", "-C", str(folder), "remote", *verb])


def prefix(runner: Runner, folder: Path) -> str:
    """The path of `folder` from the top of its work tree, with a slash behind it; empty at the top."""
    return runner.run(["git", "-C", str(folder), "rev-parse", "--show-prefix"]).stdout.strip()


def leave_hook() -> None:
    """Forget the repository that git names to its hooks and helpers: what is run for a folder finds the folder's own."""
    for name in LOCAL:
        os.environ.pop(name, None)


def subject(runner: Runner, folder: Path, sha: str) -> str:
    """The first line of the commit's message."""
    return runner.run(["git", "-C", str(folder), "log", "-1", "--format=%s", sha]).stdout.strip()


def export(runner: Runner, folder: Path, sha: str, into: Path) -> None:
    """Write the files of commit `sha` below `folder` into `into`, submodules included."""
    archive = into / ".devenv-archive.tar"
    # run in a subfolder, `git archive` takes that subfolder only: an app in a monorepo needs no more
    runner.run(["git", "-C", str(folder), "archive", "--format=tar", "-o", str(archive), sha])
    runner.run(["tar", "-xf", str(archive), "-C", str(into)])
    archive.unlink()
    for path, commit in _submodules(runner, folder, sha):
        try:
            export(runner, folder / path, commit, into / path)
        except (CommandFailed, OSError) as error:
            raise InputError(
                f"submodule `{path}` is not checked out at {commit[:8]}", "`git submodule update --init`"
            ) from error


def _submodules(runner: Runner, folder: Path, sha: str) -> list[tuple[str, str]]:
    # a tree without .gitmodules, the usual case, is told by one cheap question
    probe = runner.run(["git", "-C", str(folder), "cat-file", "-e", f"{sha}:.gitmodules"], check=False)
    if probe.code:
        return []
    listing = runner.run(["git", "-C", str(folder), "ls-tree", "-r", "-z", sha]).stdout
    rows = (row.split("\t", 1) for row in listing.split("\0") if row.startswith("160000 "))
    return [(path, meta.split()[2]) for meta, path in rows]
