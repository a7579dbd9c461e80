import pytest

from devenv.base.errors import InputError
from devenv.heroku.heroku_yml import parse
from devenv.heroku.model import DockerBuild, HerokuYml, ProcessType

FULL = """\
setup:
  addons:
    - plan: heroku-postgresql:essential-0
      as: DATABASE
    - plan: heroku-redis
  config: &config
    RAILS_ENV: production
    DEBUG: true
    WORKERS: 010
    EMPTY:
build:
  docker:
    web: Dockerfile
    worker:
      dockerfile: ./worker/Dockerfile
      target: run
  config:
    <<: *config
    DEBUG: off
release:
  command:
    - ./deploy tasks
  image: worker
run:
  web: bundle exec puma -C config/puma.rb
  worker: python worker.py
  syncer:
    command: [python, sync.py, "--all files"]
    image: worker
"""


def test_everything_is_read() -> None:
    found = parse(FULL)
    assert [(a.service, a.plan, a.attachment, a.source) for a in found.addons] == [
        ("heroku-postgresql", "essential-0", "DATABASE", "heroku.yml:3"),
        ("heroku-redis", None, None, "heroku.yml:5"),
    ]
    assert found.config == {"RAILS_ENV": "production", "DEBUG": "true", "WORKERS": "010", "EMPTY": ""}
    assert found.builds == (DockerBuild("web", "Dockerfile"), DockerBuild("worker", "worker/Dockerfile", "run"))
    assert found.build_config == {**found.config, "DEBUG": "off"}
    assert found.release == ProcessType("release", "./deploy tasks", "heroku.yml:20", "worker")
    assert found.run == (
        ProcessType("web", "bundle exec puma -C config/puma.rb", "heroku.yml:25"),
        ProcessType("worker", "python worker.py", "heroku.yml:26"),
        ProcessType("syncer", "", "heroku.yml:27", "worker", ("python", "sync.py", "--all files")),
    )
    assert found.warnings == ()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("build: {docker: {web: Dockerfile}}", [("web", "", None)]),
        ("build: {docker: {web: D, worker: D}}\nrun: {web: x}", [("web", "x", None), ("worker", "", None)]),
        # an image that only others run is no process of its own
        ("build: {docker: {base: D}}\nrun: {web: {command: [x y], image: base}}", [("web", "x y", "base")]),
        ("build: {docker: {web: D}}\nrun: {web: x, worker: y}", [("web", "x", None), ("worker", "y", "web")]),
        ("build: {docker: {web: D}}\nrun: {web: {command: [a, b c]}}", [("web", "", None)]),
        ("build: {docker: {web: D}}\nrun: {clock: {image: web}}", [("clock", "", "web"), ("web", "", None)]),
        ("run: {web: x}", [("web", "x", None)]),
        (
            "build: {docker: {web: D, w: D}}\nrun: {w: x}\nrelease: {command: r, image: web}",
            [("w", "x", None), ("web", "", None)],
        ),
    ],
)
def test_what_runs(text: str, expected: list[tuple[str, str, str | None]]) -> None:
    assert [(type_.name, type_.command, type_.image) for type_ in parse(text).run] == expected


@pytest.mark.parametrize(
    ("text", "command", "image"),
    [
        ("build: {docker: {web: D, release: E}}", "", None),
        ("build: {docker: {web: D}}\nrelease: {command: x, image: web}", "x", "web"),
        ("build: {docker: {web: D}}\nrelease: {command: x}", "x", "web"),
        ("build: {docker: {web: D}}\nrelease: x", "x", "web"),
        ("build: {docker: {web: D}}\nrelease: {command: [a b, c d], image: web}", "a b && c d", "web"),
    ],
)
def test_release(text: str, command: str, image: str | None) -> None:
    found = parse(text)
    assert found.release is not None
    assert (found.release.command, found.release.image) == (command, image)
    assert [(type_.name, type_.command) for type_ in found.run] == [("web", "")]


@pytest.mark.parametrize("text", ["", "# nothing\n", "\ufeff", "build:\nrun:\n", "---\n"])
def test_next_to_nothing(text: str) -> None:
    assert parse(text) == HerokuYml()


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("- a", "heroku.yml:1: the file is a list"),
        ("build: x", "heroku.yml:1: `build` is a string; write an object"),
        ("build:\n  docker: [web]", "heroku.yml:2: `docker` is a list"),
        ("build:\n  docker:\n    web:", "heroku.yml:3: `web` has no Dockerfile"),
        ("build:\n  docker:\n    web: ../Dockerfile", "heroku.yml:3: `../Dockerfile` is outside the app"),
        ("build:\n  docker:\n    web: /Dockerfile", "heroku.yml:3: `/Dockerfile` is outside the app"),
        ("build:\n  docker:\n    we.b: D", "heroku.yml:3: `we.b` is not a process type name"),
        (
            "build: {docker: {web: D}}\nrun:\n  w: {command: x, image: nope}",
            "heroku.yml:3: no image is built for `nope`; write one of `web`",
        ),
        ("build: {docker: {a: D, b: D}}\nrun:\n  w: x", "heroku.yml:3: `w` has no image"),
        ("run:\n  web:", "heroku.yml:2: `web` has no command"),
        ("run:\n  web: []", "heroku.yml:2: `web` has no command"),
        ("run:\n  web:\n    command: {a: b}", "heroku.yml:3: the command of `web` is an object"),
        ("setup:\n  config:\n    A-B: x", "heroku.yml:3: `A-B` is not a config var's name"),
        ("setup:\n  config:\n    A: [x]", "heroku.yml:3: `A` is a list"),
        ("setup:\n  addons:\n    - as: X", "heroku.yml:3: an add-on without `plan`"),
        ("a: [", "heroku.yml:1: "),
        ("run:\n\tweb: x", "heroku.yml:2: "),
        ("? [a]\n: b", "heroku.yml:1: a key must be plain text"),
        ("a: &a [*a]", "heroku.yml"),
        ("a: \x07", "heroku.yml: not valid YAML"),
        ("a: 1\n---\nb: 2", "heroku.yml:"),
        ("[" * 1500, "heroku.yml"),
    ],
)
def test_problems(text: str, problem: str) -> None:
    with pytest.raises(InputError) as caught:
        parse(text)
    lines = caught.value.details or (caught.value.message,)
    assert len(lines) == 1, lines
    assert lines[0].startswith(problem)


def test_aliases_cannot_unfold_without_end() -> None:
    bomb = "a: &a [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
        f"{new}: &{new} [{', '.join(['*' + old] * 10)}]\n" for old, new in zip("abcdefg", "bcdefgh", strict=True)
    )
    with pytest.raises(InputError, match="too many nodes"):
        parse(bomb)


def test_an_unknown_section_is_a_warning() -> None:
    assert parse("build: {docker: {web: D}}\nsecrets: {}").warnings[0].startswith("heroku.yml:2: `secrets` is ignored")
