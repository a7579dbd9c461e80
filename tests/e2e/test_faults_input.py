"""Wrong files, wrong words, a missing engine, a full disk: one message with a next step, and nothing else happens."""

import os
import resource
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.e2e.conftest import APPS, Done

pytestmark = pytest.mark.e2e
SECRET = "hunter2-very-secret-value"
Edit = Callable[[Path], object]


@dataclass(frozen=True)
class Bare:
    """devenv from the wheel in a folder, with a state of its own and a cluster that does not exist."""

    folder: Path
    wheel: Path
    state: Path
    extra: dict[str, str] = field(default_factory=dict)

    def __call__(self, *words: str, status: int = 2, limit: int | None = None) -> Done:
        """Run to the end; `limit`: bytes a file may grow to. No traceback, no secret, and the status that is due."""
        kept = {name: os.environ[name] for name in os.environ if name[:7] != "DEVENV_" or name == "DEVENV_CACHE"}
        own = {"DEVENV_STATE": str(self.state), "DEVENV_CLUSTER": "devenv-faults-none", "PYTHONPATH": str(self.wheel)}

        def lower() -> None:
            if limit is not None:
                resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

        ran = subprocess.run(
            [sys.executable, "-m", "devenv", *words],
            cwd=self.folder,
            env=kept | own | self.extra,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            timeout=60,
            preexec_fn=lower,
        )
        done = Done(words, ran.returncode, ran.stdout, ran.stderr)
        assert "Traceback" not in done.stderr, str(done)
        assert "bug in devenv" not in done.stderr, str(done)
        assert SECRET not in done.stdout + done.stderr, str(done)
        assert done.status == status, str(done)
        if status:
            assert done.stderr.startswith("Error: ") or "\nError: " in done.stderr, str(done)
            assert "\nHint: " in done.stderr, str(done)
        return done


@pytest.fixture
def bare(wheel: Path, tmp_path: Path) -> Bare:
    """A good app to break."""
    folder = tmp_path / "app"
    shutil.copytree(APPS / "python-plain", folder)
    return Bare(folder, wheel, tmp_path / "state")


BROKEN = {
    "bad-procfile": ("Procfile:2: ", "Procfile:3: ", "Procfile:4: "),
    "bad-app-json": ("app.json:4: ", "app.json:5: ", "app.json:6: ", "app.json:8: ", "app.json:10: ", "app.json:12: "),
    "bad-dotenv": (".env:2: ", ".env:3: ", ".env:4: "),
    "unknown-addon": ("app.json:3: ", "weather-oracle", "devenv addons:mode weather-oracle"),
    "missing-required-config": ("API_TOKEN: Token of the payment service", "devenv config:set API_TOKEN="),
}


@pytest.mark.parametrize("name", BROKEN)
def test_every_problem_of_a_file_is_told_at_once(name: str, wheel: Path, tmp_path: Path) -> None:
    shutil.copytree(APPS / "broken" / name, tmp_path / name)
    done = Bare(tmp_path / name, wheel, tmp_path / "state")("up", "-d")
    for part in BROKEN[name]:
        assert part in done.stderr, str(done)
    assert not (tmp_path / "state").exists(), "nothing was begun"


def _write(name: str, content: str | bytes) -> Edit:
    def edit(folder: Path) -> None:
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(content.encode() if isinstance(content, str) else content)

    return edit


def _folder_named(name: str) -> Edit:
    return lambda folder: (folder / name).mkdir()


def _linked(name: str, target: str) -> Edit:
    return lambda folder: (folder / name).symlink_to(target)


FILES: dict[str, tuple[Edit, str]] = {
    "cut app.json": (_write("app.json", '{"name": "x",\n'), "app.json:2: "),
    "app.json of another shape": (_write("app.json", "[1]"), "app.json:1: "),
    "NUL in the Procfile": (_write("Procfile", b"web: python web.py\nworker: a\0b\n"), "Procfile:2: "),
    "latin-1 in the Procfile": (_write("Procfile", b"web: python web.py\nworker: caf\xe9\n"), "Procfile:2: "),
    "app.json is a folder": (_folder_named("app.json"), "app.json: a folder"),
    ".env leads nowhere": (_linked(".env", "gone"), ".env: not a file, or a link to nothing"),
    "a secret beside the mistake": (_write(".env", f"KEY={SECRET}\nBAD NAME={SECRET}\n"), ".env:2: "),
    "an open quote around a secret": (_write(".env", f'KEY="{SECRET}\nOTHER=1\n'), ".env:1: "),
    "70 KB in .env": (_write(".env", "BIG=" + "x" * 70_000), "Heroku takes 65536"),
    "heroku.yml without the Dockerfile": (
        _write("heroku.yml", "build:\n  docker:\n    web: Dockerfile.prod\n"),
        "Dockerfile.prod",
    ),
    "heroku.yml that is no YAML": (_write("heroku.yml", "build: {docker: [\n"), "heroku.yml:"),
    "profile with an unknown key": (_write(".devenv/profile.yaml", "time_outs: {}\n"), "did you mean `timeouts`?"),
    "profile with text for a number": (_write(".devenv/profile.yaml", "http_port: high\n"), "`http_port` must be"),
    "profile that is no YAML": (_write(".devenv/profile.yaml", "a: b: c\n"), ".devenv/profile.yaml:1: "),
}


@pytest.mark.parametrize("case", FILES)
def test_a_broken_file_is_named_and_mending_it_is_enough(case: str, bare: Bare) -> None:
    edit, part = FILES[case]
    kept = bare.folder.with_name("kept")
    shutil.copytree(bare.folder, kept)
    edit(bare.folder)
    for words in (("plan",), ("up", "-d")):
        done = bare(*words)
        assert part in done.stderr, str(done)
    shutil.rmtree(bare.folder)
    kept.rename(bare.folder)
    bare("plan", status=0)


WORDS: dict[tuple[str, ...], tuple[str, str]] = {
    ("nonsense",): ("no verb `nonsense`", "--help"),
    ("ps:scal",): ("no verb `ps:scal`", "did you mean `ps:scale`?"),
    ("up", "--nonsense"): ("No such option: --nonsense", "devenv help VERB"),
    ("up", "-d", "extra"): ("unexpected extra argument", "devenv help VERB"),
    ("plan", "--env", "Bad_Name"): ("`Bad_Name` can't be an env's name", "`bad-name`"),
    ("plan", "--env", "kube-system"): ("`kube-system` is a namespace of the cluster itself", "another name"),
    ("plan", "--cluster", "Bad Name"): ("`Bad Name` can't be a cluster's name", "`bad-name`"),
    ("plan", "--app-dir", "/nowhere"): ("cannot read the folder `/nowhere`", "--app-dir"),
    ("plan", "--provider", "podman"): ("`podman` is not a provider", "kind, minikube or context:NAME"),
    ("plan", "--profile", "huge"): ("no profile `huge`", "default, small, full"),
    ("run",): ("run what?", "devenv run bash"),
    ("logs", "-n", "many"): ("'--num'", "devenv help VERB"),
    ("logs", "-s", "nobody"): ("`nobody` is not a source", "app or heroku"),
    ("logs", "-p", "web", "-d", "web.1"): ("exclude each other", "one of them"),
    ("config:set", "NAME"): ("`NAME` has no value", "NAME=value"),
    ("config:set", "1BAD=2"): ("`1BAD` is not a config var's name", "NAME=value"),
    ("config:set", "A-B=2", "HEROKU_X=1"): ("2 problems in the config vars", "NAME=value"),
    ("config:get",): ("Missing argument", "devenv help VERB"),
    ("config:edit",): ("no terminal to edit on", "EDITOR"),
    ("addons:create", "nonsense"): ("no add-on `nonsense`", "devenv plan"),
    ("addons:create", "heroku-postgre"): ("no add-on `heroku-postgre`", "did you mean `heroku-postgresql`?"),
    ("addons:mode", "heroku-redis", "sometimes"): ("`sometimes` is not a mode", "stand-in, passthrough, off"),
    ("completion", "tcsh"): ("no completion for `tcsh`", "bash, zsh, fish"),
    ("images:build", "nonsense"): ("no image `nonsense`", "postgres"),
}


@pytest.mark.parametrize("words", WORDS, ids=" ".join)
def test_wrong_words(words: tuple[str, ...], bare: Bare) -> None:
    message, hint = WORDS[words]
    done = bare(*words)
    assert message in done.stderr, str(done)
    assert hint in done.stderr.partition("\nHint: ")[2], str(done)
    assert done.stdout == ""


NO_CLUSTER = (
    ("ps",),
    ("logs",),
    ("run", "ls"),
    ("releases",),
    ("ps:scale", "web=2"),
    ("ps:restart",),
    ("pg:psql",),
    ("open",),
    ("down",),
    ("destroy", "--yes"),
)


@pytest.mark.parametrize("words", NO_CLUSTER, ids=" ".join)
def test_what_needs_a_cluster_says_how_to_get_one(words: tuple[str, ...], bare: Bare) -> None:
    done = bare(*words, status=5)
    assert "there is no cluster `devenv-faults-none`" in done.stderr
    assert "Hint: `devenv up` makes it" in done.stderr


ENGINE = (("up", "-d"), ("plan",), ("ps",), ("config:set", f"KEY={SECRET}"), ("down",), ("cluster:create",))


@pytest.mark.parametrize("words", ENGINE, ids=" ".join)
def test_a_stopped_engine(words: tuple[str, ...], bare: Bare, tmp_path: Path) -> None:
    dead = Bare(bare.folder, bare.wheel, bare.state, {"DOCKER_HOST": f"unix://{tmp_path}/no.sock"})
    done = dead(*words, status=3)
    assert "the Docker engine is not running" in done.stderr, str(done)
    assert "Hint: start it" in done.stderr
    bare("plan", status=0)  # with the engine back


def test_the_doctor_tells_of_a_stopped_engine(bare: Bare, tmp_path: Path) -> None:
    dead = Bare(bare.folder, bare.wheel, bare.state, {"DOCKER_HOST": f"unix://{tmp_path}/no.sock"})
    ran = subprocess.run(
        [sys.executable, "-m", "devenv", "doctor"],
        cwd=bare.folder,
        env=os.environ | dead.extra | {"PYTHONPATH": str(bare.wheel), "DEVENV_CLUSTER": "devenv-faults-none"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert ran.returncode == 1
    assert "✗ Docker engine" in ran.stdout
    assert "Traceback" not in ran.stderr


def test_a_disk_that_takes_no_more(bare: Bare) -> None:
    # the lock's file is the first thing that `up` writes
    done = bare("cluster:create", status=9, limit=0)
    assert "no room is left on a disk that devenv writes to" in done.stderr, str(done)
    assert f"{bare.state}: " in done.stderr
    bare("plan", status=0)


def test_a_state_folder_that_may_not_be_written(bare: Bare) -> None:
    refused = Bare(bare.folder, bare.wheel, Path("/proc/devenv"))
    done = refused("cluster:create", status=9)
    assert "/proc/devenv" in done.stderr


def test_output_that_cannot_be_written(bare: Bare) -> None:
    with open("/dev/full", "w") as full:
        ran = subprocess.run(
            [sys.executable, "-m", "devenv", "version"],
            env=os.environ | {"PYTHONPATH": str(bare.wheel)},
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            timeout=30,
        )
    assert ran.returncode == 9
    assert "no room is left" in ran.stderr
    assert "Traceback" not in ran.stderr
