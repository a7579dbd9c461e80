"""What comes back from a pod, and what stays as it is here."""

import itertools
import threading
from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from devenv.base.console import Console
from devenv.base.errors import ClusterError
from devenv.base.index import Index
from devenv.ops import back
from devenv.ops.env import Env
from devenv.sync.mirror import Mirror
from devenv.sync.rules import Rule, Rules
from devenv.sync.tree import Tree


@dataclass(frozen=True, slots=True)
class Pod:
    """One that runs the image of `mirror`."""

    name: str
    ready: bool = True
    deleting: bool = False

    @property
    def annotations(self) -> dict[str, str]:
        return {"devenv.dev/sync": "one"}


LATER = 1e12  # nothing here was edited after it


def looker(folder: Path) -> Tree:
    """The tree as another process has it."""
    return Tree(folder, "one", lambda path, is_folder: None, Index(folder))


@pytest.fixture
def mirror(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Mirror:
    monkeypatch.setenv("DEVENV_CACHE", str(tmp_path / "cache"))
    folder = tmp_path / "app"
    folder.mkdir()
    tree = looker(folder)
    tree.set_base(())
    return Mirror("one", tree, Rules(()), (("", "/app/"),))


def put(mirror: Mirror, path: str, seq: int) -> back.Returned | None:
    """A pod that knows of changes up to `seq` has another content."""
    env = cast(Env, SimpleNamespace(source=SimpleNamespace(root=mirror.tree.folder)))
    return back._put(env, mirror, path, b"theirs", 0o644, LATER, seq)


def test_an_edit_that_was_noted_but_never_delivered_stays(mirror: Mirror) -> None:
    before = mirror.tree.seq
    here = mirror.tree.folder / "a.py"
    here.write_text("mine")
    looker(mirror.tree.folder).look(["a.py"])  # `sync:status`, or a session that ended too early
    mirror.tree.look(["a.py"])
    assert put(mirror, "a.py", before) == back.Returned("a.py", ".devenv/from-pod/a.py")
    assert here.read_text() == "mine"
    assert [change.path for change in mirror.tree.look(["a.py"])[0]] == ["a.py"], "it is to replace the pod's"
    assert put(mirror, "a.py", mirror.tree.seq) is None, "told once, and not taken for the pod's later word"
    assert here.read_text() == "mine"


def test_what_the_pod_was_given_it_may_change(mirror: Mirror) -> None:
    here = mirror.tree.folder / "a.py"
    here.write_text("mine")
    mirror.tree.look(["a.py"])
    assert put(mirror, "a.py", mirror.tree.seq) == back.Returned("a.py", None)
    assert here.read_text() == "theirs"


def test_another_path_that_somebody_noted_is_no_conflict(mirror: Mirror) -> None:
    folder = mirror.tree.folder
    (folder / "other.py").write_text("mine")
    looker(folder).look(["other.py"])
    assert put(mirror, "a.py", 0) == back.Returned("a.py", None)


def test_a_one_off_brings_back_what_its_own_image_has(mirror: Mirror, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    monkeypatch.setattr("devenv.ops.sync.mirrors", lambda env: (mirror, replace(mirror, key="two")))
    monkeypatch.setattr(back, "bring", lambda env, mirrors, *given: asked.extend(each.key for each in mirrors) or [])
    back.after_run(cast(Env, None), "run-1", "run", "two", 0.0)
    assert asked == ["two"]


def test_where_a_pods_file_is_here(mirror: Mirror) -> None:
    mirror = replace(mirror, rules=Rules((Rule(("*.py",), "sync", "", back=True),)))
    assert back._local(mirror, "/app/sub/a.py") == "sub/a.py"
    assert back._local(mirror, "/application/a.py") is None
    assert back._local(replace(mirror, mounts=(("", "/"),)), "/sub/a.py") == "sub/a.py"
    assert back._local(replace(mirror, mounts=(("src", "/"),)), "/sub/a.py") == "src/sub/a.py"


def test_a_round_that_the_api_refuses_is_not_the_last(mirror: Mirror, monkeypatch: pytest.MonkeyPatch) -> None:
    answers = iter([ClusterError("it starts again"), [Pod("web-1")], [Pod("web-1")]])
    polled: list[float] = []
    times = itertools.count(100.0)

    def pods(env: str, selector: str) -> list[Pod]:
        found = next(answers)
        if isinstance(found, ClusterError):
            raise found
        return found

    class Over(threading.Event):
        def wait(self, timeout: float | None = None) -> bool:
            return len(polled) == 2

    monkeypatch.setattr(back.time, "time", lambda: next(times))

    def polling(env: Env, mirror: Mirror, pod: Pod, since: float) -> list[str]:
        polled.append(since)
        return []

    monkeypatch.setattr(back, "_poll", polling)
    env = SimpleNamespace(name="shop", kube=SimpleNamespace(pods=pods), console=Console(quiet=True))
    back.poll(cast(Env, env), [mirror], Over(), lambda path: None)
    assert polled == [100.0, 102.0], "what came meanwhile is not taken for seen"


def test_a_mark_of_another_index_says_nothing(mirror: Mirror) -> None:
    tree = mirror.tree
    assert [tree.number(mark) for mark in ("", "-", f"{tree.ident}:7", "another:7")] == [0, 0, 7, None]
