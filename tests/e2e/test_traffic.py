"""A constant load of requests sees no failure, whatever is done to the app meanwhile; once a verb returns, no old process answers."""

import pytest

from tests.e2e.conftest import App, MakeApp
from tests.e2e.load import load

pytestmark = pytest.mark.e2e
QUICK = "timeouts: {boot: 20, stop: 3}\n"


@pytest.fixture(scope="module")
def app(make_module_app: MakeApp) -> App:
    """Two web processes."""
    made = make_module_app("python-plain", env="traffic")
    (made.folder / ".devenv").mkdir()
    made.write(".devenv/profile.yaml", QUICK)
    made("up", "-d")
    made("ps:scale", "web=2")
    return made


def webs(app: App) -> set[str]:
    """The web pods that are not on their way out."""
    return {name for name, kind in app.pods().items() if kind == "web"}


def dyno(app: App) -> str:
    """The name of one web dyno that is up."""
    dynos = app("ps", "--json").json["dynos"]
    return next(str(each["name"]) for each in dynos if each["type"] == "web" and each["state"] == "up")


@pytest.mark.parametrize("count", [2, 1])
def test_no_request_is_lost(app: App, count: int) -> None:
    app("ps:scale", f"web={count}")
    for words in (("config:set", f"COUNT={count}"), ("ps:restart",)):
        before = webs(app)
        with load(app):
            app(*words)
        assert len(before) == len(webs(app)) == count
        assert not webs(app) & before, f"{words} replaces every process"
    assert app.http("/env/COUNT").text == str(count)


def test_a_new_version(app: App) -> None:
    app.write("greeting.txt", "new\n")
    with load(app):
        app("up", "-d")
        assert {app.http("/").text for _ in range(10)} == {"new\n"}


def test_scaling_up_and_down(app: App) -> None:
    with load(app):
        app("ps:scale", "web=4")
        assert len(webs(app)) == 4
        app("ps:scale", "web=2")
    assert len(webs(app)) == 2


@pytest.mark.parametrize("count", [2, 1])
def test_one_dyno_restarts(app: App, count: int) -> None:
    app("ps:scale", f"web={count}")
    before = webs(app)
    with load(app):
        app("ps:restart", dyno(app))
    assert len(webs(app)) == count
    assert len(webs(app) & before) == count - 1


def test_a_failed_boot_leaves_the_old_release_serving(app: App) -> None:
    good = (app.folder / "web.py").read_text()
    before = webs(app)
    app.write("web.py", "import sys\nsys.exit('no flux capacitor')\n")
    with load(app):
        assert "no flux capacitor" in app("up", "-d", status=7).stderr
    assert webs(app) == before
    app.write("web.py", good)
