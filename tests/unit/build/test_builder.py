"""Plans of images, command lines, and which builder is chosen."""

from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import get_args

import pytest

from devenv.base.errors import BuildError, ToolMissing
from devenv.build import adapt, authorities, builder, buildkit
from devenv.build.dockerfile import DockerfileBuilder, StackBuilder
from devenv.build.source import Context, work_tree
from devenv.build.stack import title
from devenv.heroku.app import load
from devenv.heroku.model import DockerBuild
from devenv.plan.model import ImageSpec
from devenv.plan.model import Source as Images
from tests.fakes import Answer, FakeRunner

STACK = "devenv.local/stack:24"


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEVENV_CACHE", str(tmp_path / "cache"))


def app_at(root: Path, **files: str) -> Path:
    for name, text in files.items():
        path = root / name.replace("__", "/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


@pytest.fixture
def flask(tmp_path: Path) -> Path:
    root = tmp_path / "hello"
    app_at(root, Procfile="web: gunicorn app:app\n", **{"requirements.txt": "flask\n", ".python-version": "3.13\n"})
    return root


def test_one_image_for_a_buildpack_app(flask: Path) -> None:
    app = load(flask)
    (spec,) = builder.plan_images(app, work_tree(flask), STACK)
    assert spec.name == "hello/app"
    assert spec.types == ()
    assert spec.docker is None
    assert len(spec.tag) == 12
    assert builder.plan_images(app, work_tree(flask), STACK) == (spec,)
    (flask / "app.py").write_text("x")
    assert builder.plan_images(app, work_tree(flask), STACK)[0].tag != spec.tag
    assert "FROM devenv.local/stack:24" in builder.dockerfile(app, spec, work_tree(flask), "built")
    assert "FROM python:3.13-bookworm" in builder.dockerfile(app, spec, work_tree(flask), "official")


YML = """\
build:
  docker:
    web: web/Dockerfile
    worker: {dockerfile: jobs/Dockerfile, target: run}
  config: {TOKEN: a-b}
run:
  web: serve
  clock: {command: [tick], image: worker}
  worker: work
"""


def test_one_image_for_each_build_of_heroku_yml(tmp_path: Path) -> None:
    root = tmp_path / "multi"
    app_at(
        root,
        web__Dockerfile="FROM python\n",
        jobs__Dockerfile="FROM python AS run\n",
        web__page="1",
        **{"heroku.yml": YML},
    )
    app = load(root)
    web, worker = builder.plan_images(app, work_tree(root), STACK)
    assert (web.name, worker.name) == ("multi/web", "multi/worker")
    assert (web.types, worker.types) == (("web",), ("clock", "worker"))
    assert worker.docker
    assert worker.docker.target == "run"
    assert worker.build_args == {"TOKEN": "a-b"}
    (root / "web" / "page").write_text("2")
    changed = builder.plan_images(app, work_tree(root), STACK)
    assert changed[0].tag != web.tag
    assert changed[1].tag == worker.tag  # its context is its own folder


def test_the_builder_fits_the_image(flask: Path) -> None:
    app = load(flask)
    (spec,) = builder.plan_images(app, work_tree(flask), STACK)
    for images in get_args(Images):
        assert isinstance(builder.select(app, spec, FakeRunner(), {}, images), StackBuilder)
        by_hand = replace(spec, docker=DockerBuild("web", "Dockerfile"))
        assert isinstance(builder.select(app, by_hand, FakeRunner(), {}, images), DockerfileBuilder)


def job(**fields: object) -> buildkit.Job:
    given: dict[str, object] = {"dockerfile": "FROM x\n", "folder": Path("/src"), "tag": "localhost:1/a:b", **fields}
    return buildkit.Job(**given)  # type: ignore[arg-type]


def test_argv_holds_no_value() -> None:
    found = buildkit.argv(
        job(args={"TOKEN": "s3cret"}, config=("export A=s3cret", "")), Path("/tmp/f"), buildkit.Engine("default", False)
    )
    assert "s3cret" not in " ".join(found)
    assert found[:5] == ["docker", "buildx", "build", "--builder", "default"]
    assert found[found.index("TOKEN") - 1] == "--build-arg"
    assert found[-3:] == ["--secret", "id=config,src=/tmp/f/devenv-config/late/config", "/src"]
    assert {"HTTP_PROXY", "https_proxy", "no_proxy"} <= set(found)


def test_argv_with_targets_and_contexts() -> None:
    found = buildkit.argv(
        job(target="run", contexts={"python:3": "docker-image://x:1"}),
        Path("/tmp/f"),
        buildkit.Engine("desktop-linux", True),
    )
    assert found[found.index("--target") + 1] == "run"
    assert found[found.index("--build-context") + 1] == "python:3=docker-image://x:1"


@pytest.mark.parametrize(
    ("version", "slow"),
    [("25.0.3", False), ("26.1.5+dfsg1", True), ("27.2.1", True), ("27.3.0", False), ("29.0", False)],
)
def test_engines_with_slow_secrets(version: str, slow: bool) -> None:
    runner = FakeRunner({("docker", "context"): Answer("default\n"), ("docker", "version"): Answer(version)})
    assert buildkit.engine(runner).slow_secrets is slow


def test_no_engine_and_no_buildx_are_told_apart() -> None:
    gone = {("docker", "context"): Answer("default"), ("docker", "version"): Answer(code=1, stderr="Cannot connect")}
    with pytest.raises(ToolMissing, match="engine does not answer"):
        buildkit.build(FakeRunner(gone), job(), "x", print, steps=True)
    script = {
        ("docker", "context"): Answer("default"),
        ("docker", "version"): Answer("28.0"),
        ("docker", "buildx"): Answer(code=1, stderr="docker: 'buildx' is not a docker command."),
    }
    with pytest.raises(ToolMissing, match="no BuildKit"):
        buildkit.build(FakeRunner(script), job(), "x", print, steps=True)


def test_the_config_is_gone_after_the_build_even_when_it_fails() -> None:
    seen: list[Path] = []

    def look(call: object) -> None:
        words = call.argv  # type: ignore[attr-defined]
        if "--file" in words:
            folder = Path(words[words.index("--file") + 1]).parent
            seen.append(folder)
            assert (folder / "devenv-config" / "late" / "config").read_text() == "export A=2\n"
            assert (folder.stat().st_mode & 0o777) == 0o700

    kept = "ID:\t\tabc1\nDescription:\tlocal source for devenv-config\n\nID:\t\tother\nDescription:\tlocal source for context\n"
    script = {
        ("docker", "context"): Answer("default"),
        ("docker", "version"): Answer("26.1.5"),
        ("docker", "du"): Answer(kept),
        ("docker", "prune"): Answer(),
        ("docker", "build"): Answer("#5 [1/1] RUN x\n#5 0.1 boom\n#5 ERROR: x\n", code=1, then=look),
    }
    runner = FakeRunner(script)
    with pytest.raises(BuildError, match="failed to compile Python app") as caught:
        buildkit.build(
            runner, job(config=("export A=1\n", "export A=2\n")), "Python app", lambda line: None, steps=False
        )
    assert caught.value.details == ("boom",)
    assert seen
    assert not seen[0].exists()
    assert [call.argv[-1] for call in runner.calls if "prune" in call.argv] == ["id=abc1"]


def test_several_buildpacks_are_told_in_order(tmp_path: Path) -> None:
    root = app_at(
        tmp_path / "two",
        **{
            "app.json": '{"buildpacks": [{"url": "heroku/nodejs"}, {"url": "heroku/python"}]}',
            "package.json": "{}",
            "requirements.txt": "",
            "Procfile": "web: x\n",
        },
    )
    (spec,) = builder.plan_images(load(root), work_tree(root), STACK)
    assert title(spec.buildpacks) == "Python app"
    assert builder.describe(spec) == "heroku/nodejs + heroku/python by the stack builder"


def test_a_base_that_cannot_be_pulled_gets_a_stand_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(authorities, "on_host", lambda: ())
    script = {
        ("docker", "inspect", "{{.Id}}"): Answer("sha256:stack"),
        ("docker", "inspect", "python:3.12"): Answer(code=1, stderr="No such image"),
        ("docker", "inspect", "acme/base:1"): Answer(code=1, stderr="No such image"),
        ("docker", "inspect"): Answer("user=\n"),
    }
    lines: list[str] = []
    found = adapt.contexts(FakeRunner(script), ("python:3.12", "acme/base:1", STACK), STACK, lines.append)
    assert list(found) == ["python:3.12"]
    assert found["python:3.12"].startswith("docker-image://devenv.local/adapted:")
    assert lines == [" !     python:3.12 can't be pulled here: built on devenv.local/stack:24 instead"]


def test_authorities_of_the_host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DEVENV_CA_FILE", raising=False)
    (tmp_path / "a.crt").write_text("-----BEGIN CERTIFICATE-----\nx")
    (tmp_path / "b.txt").write_text("-----BEGIN CERTIFICATE-----\n")
    (tmp_path / "c.crt").write_text("nothing")
    assert authorities.on_host((tmp_path, tmp_path / "none")) == ("-----BEGIN CERTIFICATE-----\nx\n",)
    monkeypatch.setenv("DEVENV_CA_FILE", str(tmp_path / "c.crt"))
    assert authorities.on_host() == ("nothing",)


def test_a_context_reads_only_its_files(tmp_path: Path) -> None:
    (tmp_path / "x").write_text("1")
    assert Context(tmp_path, frozenset(), (), "").text("x") == ""


def test_image_specs_compare_by_value() -> None:
    one = ImageSpec("a/app", "t", (), None, (), MappingProxyType({"A": "1"}))
    assert one == ImageSpec("a/app", "t", (), None, (), {"A": "1"})
