"""Wishes that an env or its cluster refuses: another's namespace, too much config, a port that is taken."""

import socket
import subprocess
from collections.abc import Iterator

import pytest

from tests.e2e.conftest import App, MakeApp

pytestmark = pytest.mark.e2e
SECRET = "hunter2-very-secret-value"


@pytest.fixture(scope="module")
def app(make_module_app: MakeApp) -> App:
    """An app whose env is there and has no release yet."""
    app = make_module_app("python-plain", env="faults-env")
    app("config:set", "FIRST=1")
    return app


def test_no_release_yet(app: App) -> None:
    for words in (("run", "ls"), ("run:detached", "ls"), ("ps:scale", "web=2"), ("ps:restart",)):
        done = app(*words, status=2)
        assert "\nHint: " in done.stderr, str(done)
    assert app("releases").stdout == "faults-env has no releases.\n"
    assert app("ps").stdout.startswith("No dynos on faults-env")


def test_config_vars_that_heroku_refuses(app: App) -> None:
    before = app("config", "--json").json
    many = [f"BIG_{number}={'x' * 7_000}" for number in range(10)]  # 70 KB
    done = app("config:set", *many, status=2)
    assert "Heroku takes 65536" in done.stderr
    done = app("config:set", "GOOD=1", f"1BAD={SECRET}", status=2)
    assert SECRET not in done.stderr
    editor = app.folder / "editor.sh"
    editor.write_text("#!/bin/sh\nprintf 'NUL=a\\000b\\n' > \"$1\"\n")
    editor.chmod(0o755)
    edited = app.start("config:edit", env=app.environ | {"EDITOR": str(editor)})
    _, err = edited.communicate(timeout=60)
    assert (edited.returncode, "NUL byte" in err) == (2, True), err
    assert app("config", "--json").json == before, "all or nothing"


def test_an_editor_that_fails_changes_nothing(app: App) -> None:
    edited = app.start("config:edit", env=app.environ | {"EDITOR": "false"})
    _, err = edited.communicate(timeout=60)
    assert (edited.returncode, "ended with status 1" in err, "\nHint: " in err) == (2, True, True), err


def test_destroying_needs_an_answer(app: App) -> None:
    for stdin, why in ((None, "nobody answered"), ("", "nobody answered"), ("other\n", "the name does not match")):
        done = app("destroy", stdin=stdin, status=2)
        assert f"not destroyed: {why}" in done.stderr, str(done)
        assert "--confirm" in done.stderr.partition("\nHint: ")[2]
    app("addons:destroy", "heroku-redis", status=2)
    done = app("cluster:delete", status=2)
    assert "not deleted: nobody answered" in done.stderr
    assert app("config:get", "FIRST").stdout == "1\n"


def test_a_namespace_that_is_not_devenvs(app: App, make_app: MakeApp) -> None:
    name = "faults-foreign"
    app.cluster.kube.http.json("POST", "/api/v1/namespaces", {"metadata": {"name": name}})
    try:
        for words in (("up", "-d"), ("config:set", "A=1")):
            done = app(*words, "--env", name, status=5)
            assert f"the namespace `{name}` is there and devenv did not make it" in done.stderr, str(done)
            assert "--env" in done.stderr.partition("\nHint: ")[2]
        for verb, *rest in (("ps",), ("down",), ("destroy", "--yes"), ("run", "ls")):
            done = app(verb, "--env", name, *rest, status=2)
            assert f"there is no env `{name}`" in done.stderr, str(done)
        found = app.cluster.kube.namespace(name)
        assert found is not None
        assert "app.kubernetes.io/managed-by" not in found.labels
        assert app.cluster.kube.releases(name) == {}
    finally:
        app.cluster.kube.http.json("DELETE", f"/api/v1/namespaces/{name}")


def test_the_hints_lead_out(make_app: MakeApp) -> None:
    missing = make_app("broken/missing-required-config", env="faults-missing")
    assert "devenv config:set API_TOKEN=…" in missing("up", "-d", status=2).stderr
    missing("config:set", f"API_TOKEN={SECRET}")
    assert missing("plan", "--json").json["missing"] == []
    unknown = make_app("broken/unknown-addon", env="faults-unknown")
    assert "`devenv addons:mode weather-oracle off`" in unknown("up", "-d", status=2).stderr
    unknown("addons:mode", "weather-oracle", "off")
    assert unknown("plan").stdout.count("weather-oracle") == 1


@pytest.fixture
def taken() -> Iterator[int]:
    """A port that another program listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield listener.getsockname()[1]


def test_a_port_that_is_taken(app: App, taken: int) -> None:
    (app.folder / ".devenv").mkdir(exist_ok=True)
    app.write(".devenv/profile.yaml", f"http_port: {taken}\n")
    try:
        done = app("cluster:create", "--cluster", "devenv-faults-port", status=2)
    finally:
        (app.folder / ".devenv" / "profile.yaml").unlink()
    assert f"port {taken} of this machine is taken" in done.stderr
    assert "choose another port" in done.stderr.partition("\nHint: ")[2]
    assert app("cluster", "--json", "--cluster", "devenv-faults-port").json["state"] == "absent"
    left = ["docker", "ps", "--all", "--format", "{{.Names}}", "--filter", "name=devenv-faults-port"]
    assert subprocess.run(left, capture_output=True, text=True, check=True).stdout == "", "nothing was made"
