"""A release that fails, in every way there is: the one before it serves on, and the mended app comes up by the same command."""

from collections.abc import Iterator

import pytest

from tests.e2e.conftest import App, Done, MakeApp, eventually

pytestmark = pytest.mark.e2e
GOOD = "web: python web.py\nworker: python worker.py\n"
SECRET = "hunter2-very-secret-value"
# a short patience, and dynos so small that a test can fill one
PROFILE = "timeouts: {boot: 6, stop: 3}\nsizes: {Standard-1X: {memory: 64, cpu: 50}}\n"


@pytest.fixture(scope="module")
def shared(make_module_app: MakeApp) -> App:
    """An app that serves version 1."""
    app = make_module_app("python-plain", env="faults-release")
    (app.folder / ".devenv").mkdir()
    app.write(".devenv/profile.yaml", PROFILE)
    app.write(".env", f"SECRET={SECRET}\n")
    app("up", "-d")
    return app


@pytest.fixture
def app(shared: App) -> Iterator[App]:
    """The same app: after each test it is mended, comes up by the same command, and has a release more or the same."""
    web = (shared.folder / "web.py").read_text()
    before = version(shared)
    eventually(lambda: shared.http("/version").text, lambda text: text == "1")
    yield shared
    shared.write("web.py", web)
    shared.write("Procfile", GOOD)
    shared.write("requirements.txt", "# the standard library is enough\n")
    shared("up", "-d")
    eventually(lambda: shared.http("/version").text, lambda text: text == "1")
    assert version(shared) >= before


def version(app: App) -> int:
    """The number of the release that serves."""
    return int(app("ps", "--json").json["version"])


def outcomes(app: App) -> dict[int, str]:
    """Release number -> how it went."""
    return {row["version"]: row["status"] for row in app("releases", "--json").json}


def fails(app: App, status: int) -> Done:
    """`up` fails with one message, a hint, no secret; version 1 serves on."""
    before = version(app)
    done = app("up", "-d", status=status)
    assert SECRET not in done.stdout + done.stderr, str(done)
    assert done.stderr.count("Error: ") == 1 + done.stderr.count("Error: Error "), str(done)
    assert "\nHint: " in done.stderr, str(done)
    assert done.stdout == ""
    assert version(app) == before
    eventually(lambda: app.http("/version").text, lambda text: text == "1")
    return done


def test_a_build_that_fails(app: App) -> None:
    app.write("requirements.txt", "gunicorn==0.0.0\n")
    newest = max(outcomes(app))
    done = fails(app, 6)
    assert "push rejected, failed to compile Python app" in done.stderr
    assert "gunicorn" in done.stderr.partition("\nHint: ")[2]
    assert max(outcomes(app)) == newest, "no release without an image"


def test_a_crash_at_boot(app: App) -> None:
    app.write("web.py", "import os, sys\nprint('secret is', os.environ['SECRET'])\nsys.exit('no flux capacitor')\n")
    done = fails(app, 7)
    assert "web: App crashed: the process exited with status 1" in done.stderr
    assert "no flux capacitor" in done.stderr
    assert "secret is ***" in done.stderr
    assert "✗ Starting processes" in done.stderr
    table = outcomes(app)
    assert table[max(table)] == "did not start"


def test_a_worker_that_ends(app: App) -> None:
    app.write("Procfile", "web: python web.py\nworker: exit 3\n")
    assert "worker: App crashed: the process exited with status 3" in fails(app, 7).stderr
    first = max(outcomes(app))
    app.write("Procfile", "web: python web.py\nworker: true\n")
    done = fails(app, 7)
    assert "the process exited with status 0; a process of the formation must keep running" in done.stderr
    assert max(outcomes(app)) == first + 1, "no number is given twice"


def test_a_web_process_that_never_binds_its_port(app: App) -> None:
    app.write("Procfile", "web: sleep 600\nworker: python worker.py\n")
    done = fails(app, 7)
    assert "Error R10 (Boot timeout) -> Web process failed to bind to $PORT within 6 seconds of launch" in done.stderr
    assert "bind 0.0.0.0:$PORT" in done.stderr.partition("\nHint: ")[2]


def test_a_process_that_exceeds_its_memory_at_boot(app: App) -> None:
    app.write("web.py", "kept = b'1' * (200 << 20)\n")
    done = fails(app, 7)
    assert "web: Error R15 (Memory quota vastly exceeded)" in done.stderr
    assert "devenv ps:scale web=1:Standard-2X" in done.stderr.partition("\nHint: ")[2]


def test_a_process_that_exceeds_its_memory_later(app: App) -> None:
    assert app.http("/mem?mb=90").text == "90 MB kept"
    over = eventually(lambda: app("ps").stdout, lambda text: "R14 (Memory quota exceeded)" in text, 60)
    assert "of 64M R14" in over
    app.http("/mem?mb=90")  # its answer is lost with the process
    eventually(lambda: app("logs", "-n", "200").stdout, lambda text: "Error R15" in text)
    eventually(lambda: app.http("/version").text, lambda text: text == "1")


def test_a_release_command_that_fails(app: App) -> None:
    served = app("run", "echo", "$HOSTNAME", status=0)
    app.write("Procfile", GOOD + "release: echo migrating; echo column exists already >&2; exit 3\n")
    done = fails(app, 7)
    assert "release command failed: it exited with status 3" in done.stderr
    assert "column exists already" in done.stderr
    assert "serves on" in done.stderr.partition("\nHint: ")[2]
    table = outcomes(app)
    assert table[max(table)] == "release command failed"
    assert "no release" not in served.stderr


def test_what_follows_a_failed_release_goes_by_the_one_that_serves(app: App) -> None:
    app.write("greeting.txt", "from the failed one\n")
    app.write("Procfile", GOOD + "release: exit 1\n")
    fails(app, 7)
    assert app("run", "cat", "greeting.txt").stdout == "Hello from python-plain\n"
    assert app("ps:scale").stdout.split() == ["web=1:Standard-1X", "worker=1:Standard-1X"]
    app.write("Procfile", GOOD)
    app("config:set", "AFTER=failure")
    assert eventually(lambda: app.http("/env/AFTER").text, lambda text: text == "failure")
    assert app.http("/").text == "Hello from python-plain\n", "a config change deploys no code"
    app.write("greeting.txt", "Hello from python-plain\n")
    app.write("Procfile", GOOD + "release: exit 1\n")
    fails(app, 7)
    app("down")
    app.write("Procfile", GOOD)


def test_a_first_release_that_fails_leaves_nothing_in_the_way(make_app: MakeApp) -> None:
    app = make_app("broken/failing-release", env="faults-first")
    done = app("up", "-d", status=7)
    assert "migration 002 failed: column already exists" in done.stderr
    assert "has no release yet" in app("run", "ls", status=2).stderr
    app("ps")
    app("down")
    app.write("release.py", "print('migrated')\n")
    app("up", "-d")
    assert app.http("/").text.startswith("ok")


def test_a_bad_dockerfile(make_app: MakeApp) -> None:
    app = make_app("broken/bad-dockerfile", env="faults-docker")
    done = app("up", "-d", status=6)
    assert "RUNN" in done.stderr
    assert "\nHint: " in done.stderr
