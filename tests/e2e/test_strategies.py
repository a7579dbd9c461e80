"""Canary and blue-green under a constant load: a candidate gets its share and no more, and all or nothing in the end."""

import re
import subprocess
from collections import Counter

import pytest

from tests.e2e.conftest import App, MakeApp, eventually
from tests.e2e.load import load
from tests.e2e.test_faults_interrupt import begun, interrupt
from tests.load import Load

pytestmark = pytest.mark.e2e
BROKEN = "import sys\nsys.exit('no flux capacitor')\n"


@pytest.fixture(scope="module")
def app(make_module_app: MakeApp) -> App:
    """Version 1, pushed."""
    made = make_module_app("python-plain", env="strategies")
    (made.folder / ".devenv").mkdir()
    made.write(".devenv/profile.yaml", "timeouts: {boot: 20, stop: 3}\n")
    git(made, "init", "--quiet", "--initial-branch=main")
    commit(made, "1")
    assert "nothing serves yet" in made("push", "--canary", "10", status=2).stderr, "there is nothing to try it beside"
    made("push")
    return made


def git(app: App, *words: str) -> None:
    """git in the app's folder."""
    who = ["-c", "user.name=Dev", "-c", "user.email=dev@example.com"]
    subprocess.run(["git", *who, *words], cwd=app.folder, check=True, capture_output=True, timeout=30)


def commit(app: App, version: str, **files: str) -> None:
    """A commit that answers with another version."""
    text = (app.folder / "web.py").read_text()
    app.write("web.py", re.sub(r'^VERSION = ".*"', f'VERSION = "{version}"', text, flags=re.MULTILINE))
    for name, content in files.items():
        app.write(name.replace("_", "."), content)
    git(app, "add", "--all")
    git(app, "commit", "--quiet", "--message", f"version {version}")


def answers(app: App, count: int = 300) -> Counter[str]:
    """How often each version answers."""
    return Counter(app.http("/version").text for _ in range(count))


def candidate(app: App) -> str:
    """What the candidate answers at its own address."""
    return app.http("/version", headers={"Host": f"next.{app.env}.localhost"}).text


def rows(app: App) -> dict[int, str]:
    """Release -> how it went."""
    return {row["version"]: row["status"] for row in app("releases", "--json").json}


def newest(app: App) -> int:
    """The number of the newest release."""
    return max(rows(app))


def test_push_and_rollback_lose_no_request(app: App) -> None:
    app("ps:scale", "web=2")
    commit(app, "1.1")
    with load(app, "/version"):
        app("push")
        assert set(answers(app, 30)) == {"1.1"}
        app("rollback")
        assert set(answers(app, 30)) == {"1"}
    app("ps:scale", "web=1")


def promoting(app: App) -> subprocess.Popen[str]:
    """A promotion whose worker has begun."""
    worker = f"devenv.dev/process=worker,devenv.dev/release={newest(app)}"
    process = begun(app, "releases:promote")
    eventually(lambda: app.cluster.kube.pods(app.env, worker), timeout=60)
    return process


def test_a_canary_is_promoted(app: App) -> None:
    before = newest(app)
    commit(app, "2")
    with load(app, "/version"):
        assert "gets 25 % of the requests" in app("push", "--canary", "25").stderr
        found = eventually(lambda: answers(app), lambda found: found["2"])
        assert 0.12 < found["2"] / found.total() < 0.40, found
        sides = {side["version"]: side for side in app("releases:watch", "--once", "--json").json}
        assert [sides[before + part]["share"] for part in (0, 1)] == [75, 25]
        assert sides[before + 1]["requests"] >= found["2"]
        assert sides[before + 1]["errors"] == 0
        for words in (("up", "-d"), ("config:set", "A=1"), ("ps:scale", "web=2"), ("push", "--force"), ("rollback",)):
            assert "releases:promote" in app(*words, status=2).stderr, "one thing after the other"
        assert rows(app)[before + 1] == "candidate"
        interrupt(promoting(app), [])
        assert set(answers(app, 30)) == {"2"}, "the candidate serves on"
        app("releases:promote")
        assert set(answers(app, 30)) == {"2"}
    assert rows(app)[before + 1] == "succeeded"
    assert {pod.labels["devenv.dev/release"] for pod in app.cluster.kube.pods(app.env, "devenv.dev/kind=process")} == {
        str(before + 1)
    }
    assert sorted(app.pods().values()) == ["web", "worker"]
    assert "no candidate" in app("releases:promote", status=2).stderr


def switched(seen: Load) -> float:
    """Seconds in which both versions answered."""
    first, last = seen.seen[0].text, seen.seen[-1].text
    assert first != last
    return max(each.done for each in seen.seen if each.text == first) - min(
        each.sent for each in seen.seen if each.text == last
    )


def test_blue_green_switches_at_once(app: App) -> None:
    commit(app, "3")
    with load(app, "/version") as seen:
        app("push", "--strategy", "blue-green")
        assert set(answers(app, 50)) == {"2"}
        assert candidate(app) == "3"
        process = promoting(app)
        process.kill()
        process.communicate()
        app("releases:promote")
        assert set(answers(app, 30)) == {"3"}
    assert switched(seen) < 1.0
    with load(app, "/version"):
        app("rollback")
        assert set(answers(app, 30)) == {"2"}, "nothing of the candidate's share comes back with it"
        app("rollback")
        assert set(answers(app, 30)) == {"3"}


def test_a_canary_is_aborted(app: App) -> None:
    before = newest(app)
    commit(app, "4")
    with load(app, "/version"):
        app("push", "--canary", "50")
        eventually(lambda: answers(app, 30), lambda found: found["4"])
        assert f"v{before} serves" in app("releases:abort").stderr
        assert set(answers(app, 30)) == {"3"}
    assert rows(app)[before + 1] == "aborted"
    assert "was a candidate" in app("releases:retry", status=2).stderr
    app("config:set", "AFTER=abort")
    assert newest(app) == before + 2, "no number is given twice"
    assert set(answers(app, 10)) == {"3"}


def test_a_candidate_that_does_not_start_leaves_nothing(app: App) -> None:
    good, before = (app.folder / "web.py").read_text(), newest(app)
    commit(app, "5", web_py=BROKEN)
    with load(app, "/version"):
        assert "no flux capacitor" in app("push", "--canary", "50", status=7).stderr
    assert set(answers(app, 10)) == {"3"}
    assert "app-next" not in app.cluster.kube.releases(app.env)
    app.write("web.py", good)
    app("config:set", "AFTER=crash")
    assert newest(app) == before + 2


def test_a_promotion_whose_worker_does_not_start_leaves_the_candidate(app: App) -> None:
    good = (app.folder / "worker.py").read_text()
    commit(app, "6", worker_py=BROKEN)
    with load(app, "/version"):
        app("push", "--canary", "50")
        assert "no flux capacitor" in app("releases:promote", status=7).stderr
        assert set(answers(app, 30)) == {"6"}
        app("releases:abort")
        assert set(answers(app, 30)) == {"3"}
    app.write("worker.py", good)
