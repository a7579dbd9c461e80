"""The story of a file."""

from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from devenv.base.errors import InputError
from devenv.base.index import Index
from devenv.ops import sync_status
from devenv.ops.env import Env
from devenv.ops.sync_status import Why
from devenv.sync.mirror import Mirror
from devenv.sync.rules import rules
from devenv.sync.tree import Tree


@pytest.fixture
def env(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Env:
    """An env of an app in a folder, none of whose pods are there; its Dockerfile is left out of the image."""
    monkeypatch.setenv("DEVENV_STATE", str(tmp_path / "state"))
    monkeypatch.setenv("DEVENV_CACHE", str(tmp_path / "cache"))
    root = tmp_path / "shop"
    (root / "sub").mkdir(parents=True)
    tree = Tree(root, "1f", lambda path, is_folder: "left out" if path[0] in ".D" else None, Index(root))
    mirror = Mirror("1f", tree, rules((), (), False), (("", "/app/"),), settings={"Dockerfile"})
    monkeypatch.setattr(sync_status, "mirrors", lambda env: (mirror,))
    found = SimpleNamespace(
        name="shop",
        spec=SimpleNamespace(name="devenv"),
        source=SimpleNamespace(root=root),
        options=SimpleNamespace(app_dir=root),
        kube=SimpleNamespace(pods=lambda namespace, labels: []),
    )
    return cast(Env, found)


def test_what_no_image_has_and_yet_counts(env: Env) -> None:
    def story(file: str) -> tuple[str | None, str]:
        found: Why = sync_status.why(env, file)
        return found.ignored, found.does

    assert story(".env") == story(".devenv/profile.yaml") == (None, "makes another release")
    assert story("Dockerfile") == (None, "builds another image")
    assert story(".envrc")[0] == story("sub/../.envrc")[0] == "left out"


def test_a_file_by_any_of_its_names(env: Env, tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(tmp_path / "shop")
    (tmp_path / "shop" / "current").symlink_to("sub")
    for name in ("sub/a.py", "./sub/../sub/a.py", "../shop/sub/a.py", "current/a.py", str(link / "sub" / "a.py")):
        assert sync_status.why(env, name).path == "sub/a.py"
    assert sync_status.why(env, "current").path == "current"


@pytest.mark.parametrize("name", ["../other/x.py", "sub/../../x.py", "..", ".", "/etc/passwd"])
def test_a_file_of_somebody_else(env: Env, name: str) -> None:
    with pytest.raises(InputError, match="is not in the app's folder"):
        sync_status.why(env, name)
