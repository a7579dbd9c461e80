"""With --json, what a verb did is JSON on stdout; what it says goes to stderr as ever."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from devenv.base import git
from devenv.cli import main
from devenv.ops.env import Env

Run = Callable[..., object]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Run:
    """Runs a verb on the env `lamp` of a cluster that answers; `done` takes the place of what acts: its path, its result."""
    status = SimpleNamespace(state="running", http_port=8080)
    monkeypatch.delenv("DEVENV_CLUSTER", raising=False)
    monkeypatch.setattr(Env, "require", lambda env: None)
    monkeypatch.setattr(Env, "status", status)
    monkeypatch.chdir(tmp_path)

    def go(words: str, done: dict[str, object]) -> object:
        for path, result in done.items():
            monkeypatch.setattr(path, lambda *given, result=result, **named: result)
        assert main.main([*words.split(), "--json", "--env", "lamp"]) == 0
        return json.loads(capsys.readouterr().out)

    return go


@pytest.mark.parametrize(
    ("words", "done", "told"),
    [
        ("down", {"devenv.ops.down.down": None}, {"env": "lamp"}),
        ("destroy --yes", {"devenv.ops.down.destroy": None}, {"env": "lamp"}),
        (
            "cluster:delete --yes",
            {
                "devenv.ops.clusters.delete": None,
                "devenv.ops.clusters.info": SimpleNamespace(name="devenv", state="running", envs=()),
            },
            {"name": "devenv"},
        ),
        (
            "addons:destroy redis --confirm lamp",
            {"devenv.ops.addon_changes.destroy": 7},
            {"name": "redis", "version": 7},
        ),
        (
            "addons:mode redis off",
            {"devenv.ops.addon_changes.mode": None},
            {"name": "redis", "mode": "off", "version": None},
        ),
        ("ps:restart web", {"devenv.ops.scale.restart": 2}, {"env": "lamp", "restarted": 2}),
        ("ps:stop web.4711", {"devenv.ops.scale.restart": 1}, {"env": "lamp", "stopped": 1}),
        ("releases:output v7", {"devenv.ops.releases.output": ["migrated"]}, {"text": "migrated"}),
        (
            "open /history",
            {"webbrowser.open": True},
            {"env": "lamp", "url": "http://lamp.localhost:8080/history"},
        ),
        (
            "config:edit",
            {"devenv.cli.editor.edit": None, "devenv.ops.env.Env.settings": SimpleNamespace(config={"A": "1"})},
            {"changed": [], "version": None},
        ),
    ],
)
def test_what_was_done(run: Run, words: str, done: dict[str, object], told: object) -> None:
    assert run(words, done) == told


def test_a_git_remote(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(git, "git_folder", lambda folder: folder)
    done = {"devenv.base.git.prefix": "", "devenv.base.git.set_remote": None}
    assert run("git:remote", done) == {"remote": "devenv", "url": "devenv://devenv/lamp"}


def test_a_completion_script_is_no_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert main.main(["completion", "bash", "--json"]) == 2
    assert main.main(["completion", "--help"]) == 0
    assert "--json" not in capsys.readouterr().out


def test_up_says_that_it_comes_back(capsys: pytest.CaptureFixture[str]) -> None:
    assert main.main(["up", "--help"]) == 0
    assert "-d (or --json, which implies it)" in re.sub(r"\s+", " ", capsys.readouterr().out)
