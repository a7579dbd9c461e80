"""Small apps of every kind, from their folder to their answer, and after an edit."""

import http.client
import json
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tests.e2e.conftest import App, MakeApp, eventually
from tests.e2e.syncing import Session, execute, pods

pytestmark = pytest.mark.e2e

MANIFEST = "application/vnd.oci.image.manifest.v1+json, application/vnd.docker.distribution.manifest.v2+json"


@dataclass(frozen=True)
class Kind:
    """What is particular about an app of tests/apps."""

    name: str
    types: tuple[str, ...]
    after_copy: int  # layers that an edit of greeting.txt makes anew
    shell: bool  # whether .profile is sourced: not for an image of the app's own Dockerfile


KINDS = (
    Kind("python-plain", ("web", "worker"), 1, True),
    Kind("node-plain", ("web",), 3, True),
    Kind("go-plain", ("web",), 2, True),
    Kind("ruby-plain", ("web",), 2, True),
    Kind("dockerfile", ("web", "worker"), 2, False),
)


@pytest.fixture(scope="module", params=KINDS, ids=lambda kind: kind.name)
def running(request: pytest.FixtureRequest, make_module_app: MakeApp) -> Iterator[tuple[Kind, App, str]]:
    """An app that is up, and what `up` said; down again before the next one, to spare memory."""
    kind: Kind = request.param
    app = make_module_app(kind.name)
    app.write(".profile", "export FROM_PROFILE=sourced\n")
    yield kind, app, app("up", "-d").stderr
    app.cluster.kube.delete_namespace(app.env, wait=False)


def layers(app: App) -> list[str]:
    """The digests of the layers of the image that web runs, from the cluster's registry."""
    pods = app.cluster.kube.http.json("GET", f"/api/v1/namespaces/{app.env}/pods", params={})["items"]
    web = next(
        pod
        for pod in pods
        if pod["metadata"]["labels"].get("devenv.dev/process") == "web" and "deletionTimestamp" not in pod["metadata"]
    )
    registry, _, rest = web["spec"]["containers"][0]["image"].partition("/")
    name, _, tag = rest.rpartition("@" if "@" in rest else ":")
    connection = http.client.HTTPConnection(registry, timeout=20)
    connection.request("GET", f"/v2/{name.partition(':')[0]}/manifests/{tag}", headers={"Accept": MANIFEST})
    answer = connection.getresponse()
    manifest = json.loads(answer.read())
    connection.close()
    assert answer.status == 200, manifest
    return [layer["digest"] for layer in manifest["layers"]]


Running = tuple[Kind, App, str]


def test_answers(running: Running) -> None:
    kind, app, said = running
    assert app.http("/").text.strip() == f"Hello from {kind.name}"
    assert sorted(app.pods().values()) == sorted(kind.types)
    assert f"{app.env} is up (v1): " in said
    assert int(app.http("/env/PORT").text) > 1024
    assert re.fullmatch(r"web\.\d+", app.http("/env/DYNO").text)
    if kind.shell:
        assert app.http("/env/FROM_PROFILE").text == "sourced"
        assert app.http("/env/HOME").text == "/app"


def test_an_edit_moves_only_what_it_changes(running: Running) -> None:
    kind, app, _ = running
    before = layers(app)
    app.write("greeting.txt", "Changed ✓\n")
    done = app("up", "-d", "--json")
    assert (done.json["version"], done.json["changed"]) == (2, True)
    app.settles("/", "Changed ✓\n")
    after = layers(app)
    assert len(after) == len(before)
    kept = next((index for index, (old, new) in enumerate(zip(before, after, strict=True)) if old != new), len(after))
    assert len(after) - kept <= kind.after_copy, (before, after)
    assert after != before


def test_stops_when_asked_to(running: Running) -> None:
    kind, app, _ = running
    with app.running("logs", "-t", "-s", "app", "-n", "1") as following:
        assert following.stdout is not None
        following.stdout.readline()
        old = app.pods()
        app("ps:restart")
        fresh = eventually(app.pods, lambda now: len(now) == len(old) and not set(now) & set(old), timeout=60)
        assert sorted(fresh.values()) == sorted(old.values())
        if "worker" in kind.types:
            assert any("worker stops cleanly" in line for line in following.stdout)
    eventually(lambda: app.http("/").status, lambda status: status == 200, timeout=60)


def test_what_the_build_made(running: Running) -> None:
    kind, app, said = running
    match kind.name:
        case "node-plain":
            assert app.http("/built").text == "built\n"
            assert app.http("/env/NODE_ENV").text == "production"
            assert int(app.http("/env/WEB_CONCURRENCY").text) >= 1
        case "go-plain":
            assert app.http("/version").text.startswith("go1.")
        case "ruby-plain":
            assert app.http("/version").text.startswith("3.")
        case "python-plain":
            assert app.http("/env/WEB_CONCURRENCY").text == "2"
            said_by_worker(app, "worker starts, PORT is not set")
        case "dockerfile":
            assert "built from" in app.http("/built").text
            assert app.http("/env/COLOUR").text == "teal"
            assert re.search(r"release phase of release\.\d+, colour teal", said), said
            said_by_worker(app, r"worker starts as worker\.\d+")
            keeps_the_image_of_its_release_command(app)


def keeps_the_image_of_its_release_command(app: App) -> None:
    """One of its own, which a config change takes as the release has it."""
    app.write("Dockerfile.release", "FROM debian:trixie\nRUN echo an image of its own > /image.txt\n")
    text = (app.folder / "heroku.yml").read_text()
    text = text.replace("web: Dockerfile\n", "web: Dockerfile\n    release: Dockerfile.release\n")
    app.write("heroku.yml", text.replace("sh release.sh\n  image: web", "cat /image.txt\n  image: release"))
    assert "an image of its own" in app("up", "-d").stderr
    assert "an image of its own" in app("config:set", "A=1").stderr


def said_by_worker(app: App, pattern: str) -> None:
    """A worker that has just been restarted may not have said anything yet."""
    eventually(lambda: app("logs", "-p", "worker", "-n", "500").stdout, lambda said: re.search(pattern, said))


def test_an_image_with_a_command_of_its_own_is_built_anew(make_app: MakeApp) -> None:
    """No shell of ours runs in it that could take edits."""
    app = make_app("dockerfile", env="own-command")
    (app.folder / "heroku.yml").unlink()
    app("up", "-d")
    session = Session(app, app.start("sync"))
    try:
        app.write("greeting.txt", "Hello from another image\n")
        eventually(lambda: app.http("/").text.strip(), lambda text: text == "Hello from another image", timeout=90)
        assert "builds another image" in app("sync:why", "greeting.txt").stdout
    finally:
        session.interrupt()
    assert "greeting.txt changed: building anew" in "".join(session.err)


def test_a_branch_without_the_dockerfile(make_app: MakeApp) -> None:
    """It builds nothing: what runs takes edits, and is what the branch that does builds once that is back."""
    app = make_app("dockerfile", env="no-dockerfile")
    app("up", "-d")
    session = Session(app, app.start("sync"))

    def greets(text: str) -> None:
        app.write("greeting.txt", f"{text}\n")
        eventually(lambda: app.http("/").text.strip(), lambda said: said == text, timeout=90)

    try:
        before = (app.folder / "greeting.txt").read_text().strip()
        greets("Hello from a session")
        away = (app.folder / "Dockerfile").rename(app.folder.parent / "Dockerfile.away")
        eventually(lambda: "".join(session.err), lambda said: "there is no file `Dockerfile`" in said, timeout=60)
        greets("Hello from the branch")
        app.write("greeting.txt", f"{before}\n")
        away.rename(app.folder / "Dockerfile")  # the image that runs is the one for this
        eventually(lambda: "".join(session.err), lambda said: "is up (v" in said, timeout=90)
        eventually(lambda: app.http("/").text.strip(), lambda said: said == before, timeout=90)
        greets("Hello again")
        app.write(".dockerignore", "[z-a]\n")
        eventually(lambda: "".join(session.err), lambda said: "`[z-a]` is no pattern" in said, timeout=60)
        (app.folder / ".dockerignore").unlink()
        greets("Hello after that")
        assert session.process.poll() is None
    finally:
        session.interrupt()


def test_a_folder_that_is_copied_among_others(make_app: MakeApp) -> None:
    """When it goes, what the image has beside it stays."""
    app = make_app("dockerfile", env="copied-folder")
    text = (app.folder / "Dockerfile").read_text()
    app.write(
        "Dockerfile",
        text.replace("COPY . .", "COPY *.pl *.txt *.sh ./\nCOPY tools /opt/tools\nRUN touch /opt/tools/theirs"),
    )
    (app.folder / "tools").mkdir()
    app.write("tools/mine.sh", "echo mine\n")
    app("up", "-d")
    session = Session(app, app.start("sync"))

    def tools() -> str:
        return execute(app, pods(app, "web")[0], "ls", "/opt/tools")

    try:
        app.write("tools/more.sh", "echo more\n")
        eventually(tools, lambda names: names == "mine.sh\nmore.sh\ntheirs\n", timeout=90)
        shutil.rmtree(app.folder / "tools")
        eventually(tools, lambda names: names == "theirs\n", timeout=90)
        (app.folder / "tools").mkdir()
        app.write("tools/mine.sh", "echo mine\n")
        eventually(tools, lambda names: names == "mine.sh\ntheirs\n", timeout=90)
    finally:
        session.interrupt()
