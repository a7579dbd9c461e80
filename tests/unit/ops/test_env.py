"""Whose an env is."""

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from devenv.base.console import Console
from devenv.base.errors import InputError
from devenv.build.source import Source
from devenv.cluster.kube_model import Namespace
from devenv.ops.env import FOLDER, Env, Options
from tests.fakes import Answer, FakeRunner


def env(folder: Path, made_in: Path | None, name: str | None = None) -> Env:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "index.php").touch()
    found = Env(Options(folder, name, {}, None), Console(), FakeRunner({("git",): Answer(code=128)}))
    annotations = {FOLDER: str(made_in)} if made_in else {}
    namespace = Namespace("api", {"devenv.dev/env": "api"}, annotations, "Active", None)
    found.__dict__["kube"] = SimpleNamespace(namespace=lambda name: replace(namespace, name=name))
    return found


def test_an_env_of_another_folder_of_the_same_name_is_not_shared(tmp_path: Path) -> None:
    shop, blog = tmp_path / "shop" / "api", tmp_path / "blog" / "api"
    assert env(shop, shop).exists()
    with pytest.raises(InputError, match=f"`api` belongs to the app in `{shop}`") as caught:
        env(blog, shop).exists()
    assert "--env NAME" in (caught.value.hint or "")
    assert env(blog, shop, "api").exists()


def test_a_folder_that_moved_keeps_its_env(tmp_path: Path) -> None:
    assert env(tmp_path / "new" / "api", tmp_path / "old" / "api").exists()
    assert env(tmp_path / "api", None).exists()


def test_a_commit_that_names_the_app_otherwise_is_of_the_same_env(tmp_path: Path) -> None:
    here = env(tmp_path / "shop2", None)
    (tmp_path / "commit").mkdir()
    (tmp_path / "commit" / "app.json").write_text('{"name": "shop"}')
    (tmp_path / "commit" / "index.php").touch()
    there = here.at(Source(tmp_path / "commit", "1a2b"))
    assert (there.app.name, there.name) == ("shop", "shop2")
