"""Real builds: whole apps through BuildKit into a registry, run from it, and built again after a change of one line."""

import hashlib
import json
import os
import shutil
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from devenv.base import paths
from devenv.base.console import Console
from devenv.base.errors import BuildError
from devenv.base.proc import SubprocessRunner
from devenv.build import authorities, builder, registry
from devenv.build.source import Source, commit, work_tree
from devenv.heroku.app import load
from devenv.images import build, catalog, reachable
from devenv.plan.model import Image, ImageSpec

pytestmark = pytest.mark.integration
APPS = Path(__file__).parents[1] / "apps"
RUNNER = SubprocessRunner()
SOURCE = reachable.source()
STACK = catalog.reference("stack", SOURCE) if SOURCE == "built" else None


def docker(*words: str) -> str:
    return RUNNER.run(["docker", *words]).stdout.strip()


def port_of(container: str, port: int) -> str:
    return docker("port", container, f"{port}/tcp").splitlines()[0].rpartition(":")[2]


def answer(url: str, seconds: float = 30) -> str:
    deadline = time.monotonic() + seconds
    while True:
        try:
            with urllib.request.urlopen(url, timeout=5) as response:
                return str(response.read().decode())
        except (OSError, urllib.error.URLError):
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)


@pytest.fixture(scope="module")
def push_to() -> Iterator[str]:
    """A registry of this run; where no image can be pulled, also the stack that apps are built on."""
    if SOURCE == "built":
        build.build(RUNNER, Console(quiet=True), ["registry", "stack"])
    container = docker("run", "-d", "-p", "127.0.0.1::5000", catalog.reference("registry", SOURCE))
    try:
        place = f"127.0.0.1:{port_of(container, 5000)}"
        answer(f"http://{place}/v2/")
        yield place
    finally:
        docker("rm", "-f", "-v", container)


@pytest.fixture
def copy(tmp_path: Path) -> Callable[[str], Path]:
    """Copies one of tests/apps to a folder of its own."""

    def make(name: str) -> Path:
        return Path(shutil.copytree(APPS / name, tmp_path / Path(name).name))

    return make


def built(
    root: Path, push_to: str, config: dict[str, str] | None = None, source: Source | None = None
) -> tuple[Image, list[str], ImageSpec]:
    app = load(root)
    lines: list[str] = []
    spec = builder.plan_images(app, source or work_tree(root), STACK)[0]
    chosen = builder.select(app, spec, RUNNER, config or {}, SOURCE)
    image = chosen.build(source or work_tree(root), spec, push_to, lines.append)
    return image, lines, spec


def run_web(root: Path, image: Image, **config: str) -> str:
    command = next(process.command for process in load(root).processes if process.name == "web")
    flags = [word for name, value in config.items() for word in ("-e", f"{name}={value}")]
    return docker(
        "run", "-d", "-p", "127.0.0.1::5000", "-e", "PORT=5000", *flags, image.reference, "bash", "-c", command
    )


def moved(lines: list[str]) -> float:
    """Bytes of `Done: 442.0M (0.4M moved)`."""
    text = lines[-1].split("(")[1].split(" ")[0]
    return float(text[:-1]) * {"K": 1e3, "M": 1e6}[text[-1]]


@pytest.mark.parametrize("name", ["python-plain", "node-plain", "go-plain", "ruby-plain", "dockerfile"])
def test_an_app_is_built_runs_and_is_built_again(name: str, push_to: str, copy: Callable[[str], Path]) -> None:
    root = copy(name)
    image, lines, spec = built(root, push_to)
    assert image.reference == builder.exists(push_to, spec)
    assert (image.digest or "").startswith("sha256:")
    if spec.docker is None:
        assert lines[0] == "-----> Building on the Heroku-24 stack"
        assert all(line.startswith(("-----> ", "       ", " !     ")) or not line for line in lines)
    container = run_web(root, image)
    try:
        assert answer(f"http://127.0.0.1:{port_of(container, 5000)}/") == (root / "greeting.txt").read_text()
        if spec.docker is None:
            assert docker("exec", container, "id", "-u") == "1001"
            assert docker("exec", container, "stat", "-c", "%u", "/app") == "1001"
    finally:
        docker("rm", "-f", container)

    (root / "greeting.txt").write_text("changed\n")
    started = time.monotonic()
    image, lines, changed = built(root, push_to)
    took = time.monotonic() - started
    print(f"{name}: built again and pushed in {took:.1f} s, {moved(lines) / 1e3:.1f} kB moved")
    assert changed.tag != spec.tag
    # a Go binary may be made anew; nothing else is more than the source itself
    assert moved(lines) < (10e6 if name == "go-plain" else 300e3)
    assert took < 60
    assert docker("run", "--rm", image.reference, "cat", "greeting.txt") == "changed"


def test_config_vars_are_seen_by_the_build_and_left_nowhere(push_to: str, copy: Callable[[str], Path]) -> None:
    root = copy("node-plain")
    secret = "hunter2-'quoted'\n$HOME `line two`"
    script = 'require("fs").writeFileSync("built.txt", require("crypto").createHash("sha256").update(process.env.SECRET).digest("hex"))'
    (root / "build.js").write_text(script)
    image, lines, _ = built(root, push_to, {"SECRET": secret})
    assert docker("run", "--rm", image.reference, "cat", "built.txt") == hashlib.sha256(secret.encode()).hexdigest()
    assert "hunter2" not in "\n".join(lines)
    assert "hunter2" not in docker("history", "--no-trunc", image.reference)
    assert "hunter2" not in json.dumps(json.loads(docker("image", "inspect", image.reference)))
    everything = docker(
        "run",
        "--rm",
        "-u",
        "0",
        image.reference,
        "bash",
        "-c",
        "grep -rls hunter2 /app /opt /run /tmp /var/cache || true",
    )
    assert everything == ""
    deadline = time.monotonic() + 120
    while "local source for devenv-config" in docker("buildx", "du", "--verbose", "--filter", "type=source.local"):
        assert time.monotonic() < deadline
        time.sleep(0.5)  # another worker's build has one while it runs


def test_a_commit_is_built_like_the_work_tree_it_came_from(push_to: str, copy: Callable[[str], Path]) -> None:
    root = copy("python-plain")
    git = ["git", "-C", str(root), "-c", "user.name=t", "-c", "user.email=t@example.org"]
    for words in (["init", "-q"], ["add", "-A"], ["commit", "-qm", "one"]):
        subprocess.run([*git, *words], check=True)
    (root / "node_modules").mkdir()
    (root / "node_modules" / "x").write_text("never committed")
    here = builder.plan_images(load(root), work_tree(root), STACK)[0]
    killed, running = (paths.cache() / "sources" / f"{name}-{os.getpid()}" for name in ("killed", "running"))
    for left in (killed, running):
        left.mkdir(parents=True)
    os.utime(killed, (0, 0))
    with commit(RUNNER, root, "HEAD") as source:
        folder = source.root
        assert (killed.exists(), running.exists()) == (False, True), "what a killed deploy left is gone a day later"
        running.rmdir()
        assert len(source.commit or "") == 40
        assert builder.plan_images(load(root), source, STACK)[0].tag == here.tag
        built(root, push_to, source=source)
    assert not folder.exists()
    assert builder.exists(push_to, here)


def test_a_failed_build_tells_the_reason_and_the_next_step(push_to: str, copy: Callable[[str], Path]) -> None:
    with pytest.raises(BuildError) as caught:
        built(copy("broken/failing-build"), push_to)
    assert caught.value.message == "push rejected, failed to compile Python app"
    assert any("gunicorn==0.0.0" in line for line in caught.value.details)
    assert "gunicorn==0.0.0" in (caught.value.hint or "")


def test_a_bad_dockerfile_tells_its_line(push_to: str, copy: Callable[[str], Path]) -> None:
    root = copy("broken/bad-dockerfile")
    with pytest.raises(BuildError) as caught:
        built(root, push_to)
    assert caught.value.details


def test_an_unknown_image_and_no_registry(push_to: str) -> None:
    spec = ImageSpec("nobody/app", "none", (), None)
    assert builder.exists(push_to, spec) is None
    with pytest.raises(BuildError, match="no registry answers"):
        registry.exists("127.0.0.1:1", spec)


STAND_INS = """\
# syntax=docker/dockerfile:1
ARG PYTHON=3.12
FROM node:22-slim AS assets
WORKDIR /assets
RUN npm install --no-save ms@2.1.3 && node -e 'process.stdout.write(process.versions.node)' > node
FROM golang:1.24 AS tool
RUN printf 'package main\\nfunc main() { println("go") }\\n' > /tmp/main.go && go build -o /tool /tmp/main.go
FROM python:${PYTHON}-slim
COPY --from=assets /assets/node /node
COPY --from=tool /tool /tool
RUN pip install --no-cache-dir itsdangerous==2.2.0 && python -c 'import itsdangerous'
CMD ["/tool"]
"""


def test_official_images_have_stand_ins_where_none_can_be_pulled(push_to: str, tmp_path: Path) -> None:
    root = tmp_path / "several"
    root.mkdir()
    (root / "Dockerfile").write_text(STAND_INS)
    image, lines, _ = built(root, push_to)
    assert docker("run", "--rm", image.reference, "cat", "/node").startswith("22.")
    if SOURCE == "built":
        told = [line for line in lines if "can't be pulled here" in line]
        assert [line.split()[1] for line in told] == [
            "docker/dockerfile:1",
            "node:22-slim",
            "golang:1.24",
            "python:3.12-slim",
        ]


def test_a_base_without_the_hosts_authorities_gets_them(push_to: str, tmp_path: Path) -> None:
    """A Dockerfile on someone else's image reaches the package index through this host's TLS proxy, as it stands."""
    root = tmp_path / "foreign"
    root.mkdir()
    name = f"localhost/devenv-test-foreign:{os.getpid()}"
    bare = (
        f"FROM {STACK or 'python:3.13-bookworm'}\nRUN rm -rf /usr/local/share/ca-certificates/* /etc/pip.conf && update-ca-certificates --fresh"
        " && useradd --uid 4321 someone\nUSER someone\nENV HOME=/tmp\n"
    )
    RUNNER.run(["docker", "build", "-q", "-t", name, "-"], stdin=bare)
    step = "RUN python3 -m venv /tmp/v && /tmp/v/bin/pip install -q --retries 0 itsdangerous && id -u > /tmp/uid\n"
    (root / "Dockerfile").write_text(f"FROM {name}\n{step}")
    try:
        image, _, _ = built(root, push_to)
        assert docker("run", "--rm", image.reference, "cat", "/tmp/uid") == "4321"
        extra = len(authorities.on_host())
        counted = docker("run", "--rm", image.reference, "bash", "-c", "ls /usr/local/share/ca-certificates/ | wc -l")
        assert int(counted) == extra
    finally:
        docker("rmi", "-f", name)
