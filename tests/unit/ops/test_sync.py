"""Which images a session has, and what of the work tree it watches."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from devenv.base.console import Console
from devenv.base.index import KEPT, Index
from devenv.build.source import TICK, Source
from devenv.cluster.kube_model import Container, Pod
from devenv.heroku import app as heroku
from devenv.ops import shipped, sync
from devenv.ops.env import Env
from devenv.ops.status import KEY, KIND
from devenv.sync.engine import Engine
from devenv.sync.mirror import Mirror
from devenv.sync.tree import Tree
from tests.unit.ops.conftest import POD

HEROKU_YML = "build: {docker: {web: ./Dockerfile, worker: Dockerfile}}\nrun: {web: ./web, worker: ./worker}\n"
MakeEnv = Callable[..., Env]


@pytest.fixture
def make(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> MakeEnv:
    """An env that runs these images (process type -> reference) of an app with these files."""
    monkeypatch.setenv("DEVENV_CACHE", str(tmp_path / "cache"))
    folder = tmp_path / "shop"
    folder.mkdir()

    def env(images: dict[str, str], **files: str) -> Env:
        for name, text in {"heroku__yml": HEROKU_YML, "Dockerfile": "FROM x\nCOPY . /srv\n", **files}.items():
            (folder / name.replace("__", ".")).write_text(text)
        processes = [
            {"type": kind, "image": image, "sync": image.rpartition(":")[2], "command": ""}
            for kind, image in images.items()
        ]
        served: dict[str, Any] = {"sync": True, "processes": processes, "config": {}}
        for item in processes:
            Tree(folder, item["sync"], lambda path, is_folder: None, Index(folder)).set_base(())
        found = SimpleNamespace(
            name="shop",
            console=Console(quiet=True),
            app=heroku.load(folder),
            profile=shipped.profile(folder, None, {}),
            source=Source(folder),
            require=lambda: None,
            served=lambda: served,
        )
        return cast(Env, found)

    return env


def test_two_builds_of_one_dockerfile_are_one_mirror(make: MakeEnv) -> None:
    env = make({"web": "registry:5000/shop/web:1f", "worker": "registry:5000/shop/worker:1f"})
    assert [mirror.key for mirror in sync.mirrors(env)] == ["1f"]


def test_an_image_that_one_process_runs_without_a_shell_is_built_anew(make: MakeEnv) -> None:
    env = make({"web": "registry:5000/shop/web:1f", "worker": "registry:5000/shop/worker:1f"})
    assert sync.mirrors(env)[0].rule("app.rb").do == "restart"
    env.served()["processes"][1]["sync"] = ""
    (mirror,) = sync.mirrors(env)
    assert mirror.rule("app.rb").do == "rebuild"


def test_what_changed_while_an_image_was_built_is_sent_in_any_case(make: MakeEnv) -> None:
    """It may be in there as it was before, or after."""
    env = make({"web": "registry:5000/shop/web:old"}, a__rb="before", b__rb="same", c__rb="same", gone__rb="gone")
    env.images = (SimpleNamespace(name="shop/web", tag="planned"),)  # type: ignore[misc]
    root = env.source.root
    contents = sync.contents(env)
    newest = max(file.stat().st_ctime_ns for file in root.iterdir())
    env.looked = newest + TICK
    while (root / "c.rb").stat().st_ctime_ns <= newest:  # undone at once
        (root / "c.rb").write_text("same")
    (root / "a.rb").write_text("meanwhile")
    (root / "new.rb").write_text("new")
    (root / "gone.rb").unlink()
    sync.built(env, contents, {"shop/web": "registry:5000/shop/web:planned-1f"})
    (root / "a.rb").write_text("before")
    (root / "new.rb").unlink()
    tree = Tree(root, "planned-1f", lambda path, is_folder: None, Index(root))
    tree.look_all()
    found = {change.path: change.row for change in tree.since(0)}
    assert found.keys() == {"a.rb", "c.rb", "new.rb", "gone.rb"}
    assert (found["new.rb"], found["gone.rb"]) == (None, None)
    assert not Tree(root, "planned", lambda path, is_folder: None, Index(root)).known


def test_an_image_that_is_in_use_stays_on_record(make: MakeEnv) -> None:
    """However many others are built meanwhile and come to nothing."""
    env = make({"web": "registry:5000/shop/web:1f"})
    index = Index(env.source.root)
    for number in range(2 * KEPT):
        assert [mirror.key for mirror in sync.mirrors(env)] == ["1f"]
        Tree(env.source.root, f"failed-{number}", lambda path, is_folder: None, index).set_base(())


def test_a_session_follows_another_up_and_back(make: MakeEnv) -> None:
    """When that fails, the pods that served before have been there all along: only the end of the others tells."""
    env = make({"web": "registry:5000/shop/web:1f"})
    (web,) = env.served()["processes"]
    told: list[object] = []
    container = Container("web", "", False, "running", "", "", True, 0, None, None, None)

    def pod(key: str) -> Pod:
        labels, annotations = {KIND: "process"}, {KEY: key}
        return replace(POD, name=f"web-{key}", labels=labels, annotations=annotations, containers=(container,))

    def session() -> Callable[..., list[str]]:
        engine = cast(Engine, SimpleNamespace(mirrors=sync.mirrors(env), put=told.append))
        known: set[str] = set()

        def tell(event: str, key: str) -> list[str]:
            told.clear()
            sync._tell(env, engine, event, pod(key), known)
            return [type(each).__name__ for each in told]

        return tell

    before = session()
    assert (before("ADDED", "1f"), before("ADDED", "2f")) == (["Appeared"], []), "Helm has not written it yet"
    Tree(env.source.root, "2f", lambda path, is_folder: None, Index(env.source.root)).set_base(())
    web |= {"image": "registry:5000/shop/web:2f", "sync": "2f"}
    assert before("MODIFIED", "2f") == ["Stop"]
    after = session()
    assert (after("ADDED", "1f"), after("ADDED", "2f")) == ([], ["Appeared"])
    assert after("DELETED", "1f") == []
    web |= {"image": "registry:5000/shop/web:1f", "sync": "1f"}
    assert after("DELETED", "2f") == ["Vanished", "Stop"]


def test_an_image_that_only_the_release_phase_runs_takes_no_part(make: MakeEnv) -> None:
    env = make({"web": "registry:5000/shop/web:1f", "worker": "registry:5000/shop/worker:2f"})
    env.served()["releasePhase"] = {"image": "registry:5000/shop/release:3f", "sync": "", "command": ""}
    env.served()["processes"][1] |= {"sync": "", "quantity": 0}
    assert [(mirror.key, mirror.rule("app.rb").do) for mirror in sync.mirrors(env)] == [("1f", "restart")]


def test_a_registry_with_a_path_hides_no_dockerfile(make: MakeEnv) -> None:
    (mirror,) = sync.mirrors(make({"web": "registry.example.com/team/shop/web:1f"}))
    assert mirror.rule("Dockerfile").do == "rebuild"


def test_the_apps_own_files_are_asked_for_where_no_image_shows_them(make: MakeEnv) -> None:
    env = make({"web": "registry:5000/shop/web:1f"}, Dockerfile__dockerignore="heroku.yml\n")
    (mirror,) = sync.mirrors(env)
    assert set(mirror.settings) == {"heroku.yml"}


@pytest.mark.parametrize("text", ["FROM x\nCOPY . /elsewhere\n", None])
def test_edits_go_where_the_image_has_its_files(make: MakeEnv, text: str | None) -> None:
    """Whatever has become of the Dockerfile since then: on another branch, or when the build of a new one failed."""
    env = make({"web": "registry:5000/shop/web:old"})
    env.images = (SimpleNamespace(name="shop/web", tag="1f"),)  # type: ignore[misc]
    contents, file = sync.contents(env), env.source.root / "Dockerfile"
    file.unlink() if text is None else file.write_text(text)
    sync.built(env, contents, {"shop/web": "registry:5000/shop/web:1f"})
    env.served()["processes"][0] |= {"image": "registry:5000/shop/web:1f", "sync": "1f"}
    (mirror,) = sync.mirrors(env)
    assert mirror.place("app.rb") == "/srv/app.rb"


def test_what_one_of_two_images_of_a_folder_has_is_watched(make: MakeEnv) -> None:
    (mirror,) = sync.mirrors(make({"web": "registry:5000/shop/web:1f"}))

    def without(name: str) -> Mirror:
        tree = Tree(mirror.tree.folder, "1f", lambda path, is_folder: "no" if path == name else None, mirror.tree.index)
        return replace(mirror, tree=tree)

    skip = sync._watched([without("a"), without("b")], {"set"})
    assert skip("set", False) is None
    assert (skip("a", True), skip("b", True)) == (None, None)
    assert sync._watched([without("a"), without("a")], ())("a", True) == "no"


def test_what_cannot_be_read_is_told_and_rules_stay_while_a_checkout_is_at_it(make: MakeEnv) -> None:
    env = make({"web": "registry:5000/shop/web:1f"}, Dockerfile__dockerignore="*.log\n")
    found = sync.mirrors(env)
    (env.source.root / "Dockerfile").unlink()
    sync._reload(env, found)
    assert found[0].tree.skip("a.log", False)
    assert found[0].tree.tell == env.console.warn


def test_a_dockerfile_makes_another_image(make: MakeEnv) -> None:
    env = make({"web": "registry:5000/shop/web:1f"}, Dockerfile__dockerignore="Dockerfile\n")
    (mirror,) = sync.mirrors(env)
    assert [mirror.rule(path).do for path in ("Dockerfile.dockerignore", ".dockerignore")] == ["rebuild"] * 2
    assert set(mirror.settings) == {"Dockerfile"}, "the tree does not have it, and the build reads it"
    (env.source.root / "Dockerfile.dockerignore").unlink()
    (mirror,) = sync.mirrors(env)
    assert (mirror.rule("Dockerfile").do, list(mirror.settings)) == ("rebuild", [])
    assert mirror.rule("sub/Dockerfile").do == "sync"


def test_what_the_processes_of_an_image_run_decides_on_its_sources(make: MakeEnv) -> None:
    env = make({"web": "registry:5000/shop/web:1f", "worker": "registry:5000/shop/worker:2f"})
    env.served()["processes"][0]["command"] = "air"
    assert [mirror.rule("main.go").do for mirror in sync.mirrors(env)] == ["sync", "rebuild"]
