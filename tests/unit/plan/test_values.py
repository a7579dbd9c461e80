"""The Helm releases of a plan: values, fingerprints."""

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest

from devenv.heroku.model import Buildpack, DockerBuild, ProcessType
from devenv.plan import names, values
from devenv.plan.model import DynoSize, ImageSpec, Plan, PlannedProcess
from devenv.plan.profile import Profile
from devenv.plan.settings import Settings

Planner = Callable[..., Plan]
FACTS = values.Facts(
    images={"lamp/app": "localhost:5001/lamp/app:abc", "postgres": "reg/postgres:17", "valkey": "reg/valkey:8"},
    charts={"app": "a1", "postgres": "p1", "redis": "r1", "env": "e1"},
)
NOTE = values.ReleaseNote(3, "Deploy 1a2b3c4d", "work-tree", "", "2026-05-04T10:00:00Z")


def release(
    plan: Plan, profile: Profile, note: values.ReleaseNote = NOTE, facts: values.Facts = FACTS, **more: Any
) -> Any:
    return values.app_release(plan, profile, note, facts, **more)


@pytest.mark.parametrize(
    "note",
    [
        replace(NOTE, version=4),
        replace(NOTE, description="Set A config vars"),
        replace(NOTE, commit="f" * 40),
        replace(NOTE, created="2027-01-01T00:00:00Z"),
        replace(NOTE, phase=False),
    ],
)
def test_the_fingerprint_says_what_runs_not_when_and_why(
    plan: Planner, profile: Profile, note: values.ReleaseNote
) -> None:
    assert release(plan(), profile, note).fingerprint == release(plan(), profile).fingerprint


def test_the_fingerprint_differs_on_anything_else(plan: Planner, profile: Profile) -> None:
    first = plan(dotenv="A=1")
    other_images = {**FACTS.images, "lamp/app": "localhost:5001/lamp/app:def"}
    (web, worker) = first.processes
    found = [
        release(first, profile),
        release(plan(dotenv="A=2"), profile),
        release(plan(dotenv="A=1\nB=1"), profile),
        release(plan(dotenv="A=1", release=ProcessType("release", "migrate", "Procfile:3")), profile),
        release(replace(first, processes=(web,)), profile),
        release(replace(first, processes=(replace(web, quantity=2), worker)), profile),
        release(replace(first, processes=(replace(web, size=DynoSize("Big", 1024, 50)), worker)), profile),
        release(replace(first, processes=(replace(web, type=replace(web.type, command="x")), worker)), profile),
        release(replace(first, env="other"), profile),
        release(first, profile, facts=replace(FACTS, images=other_images)),
        release(first, profile, facts=replace(FACTS, charts={**FACTS.charts, "app": "a2"})),
        release(first, profile, facts=replace(FACTS, route_kind="Ingress")),
        release(first, replace(profile, boot_timeout=90)),
        release(first, replace(profile, stop_timeout=10)),
        release(first, profile, running=False),
    ]
    assert len({item.fingerprint for item in found}) == len(found)


def test_equal_inputs_give_equal_bytes(plan: Planner, profile: Profile) -> None:
    def text() -> str:
        made = plan("heroku-postgresql", dotenv="B=2\nA=1")
        return json.dumps(release(made, profile).values)

    assert text() == text()
    one, other = plan(dotenv="B=2\nA=1"), plan(dotenv="A=1\nB=2")
    assert release(one, profile).fingerprint == release(other, profile).fingerprint


def test_values_of_the_app(plan: Planner, profile: Profile) -> None:
    made = release(plan(dotenv="A=1"), profile)
    assert (made.name, made.namespace, made.chart, made.version) == ("app", "lamp", "app", 3)
    assert made.values["config"] == {"A": "1"}
    assert made.values["running"] is True
    assert made.values["timeouts"] == {"boot": 60, "stop": 30, "release": 3600}
    assert made.values["releasePhase"] is None
    web, worker = made.values["processes"]
    assert web["port"] == names.port("lamp")
    assert worker["port"] == 0  # only web has one
    assert web["shell"] == "bash"
    assert web["home"] == "/app"
    assert web["image"] == "localhost:5001/lamp/app:abc"


def test_the_route_is_web_s(plan: Planner, profile: Profile) -> None:
    route = release(plan(), profile).values["route"]
    assert route["host"] == "lamp.localhost"
    assert route["process"] == "web"
    no_web = plan(processes=(ProcessType("worker", "work", "Procfile:1"),))
    assert release(no_web, profile).values["route"] is None


def process(
    kind: ProcessType, image: ImageSpec, memory: int = 512, *, mode: str = "release", beside: ProcessType | None = None
) -> dict[str, Any]:
    every = [PlannedProcess(each, 1, DynoSize("Standard-1X", memory, 50), image) for each in (kind, beside) if each]
    facts = replace(FACTS, images={image.name: "ref:1f"})
    plan = Plan("lamp", "lamp", None, (image,), (), tuple(every), (), None, None, (), ())  # type: ignore[arg-type]
    return values.process(every[0], plan, facts, mode)


DOCKER = ImageSpec("lamp/web", "1", (), DockerBuild("web", "Dockerfile"))


@pytest.mark.parametrize(
    ("kind", "image", "shell"),
    [
        (ProcessType("web", "serve", "Procfile:1"), ImageSpec("lamp/app", "1", (), None), "bash"),
        (ProcessType("web", "serve", "heroku.yml"), DOCKER, "sh"),
        (ProcessType("web", "", "heroku.yml"), DOCKER, "none"),
        (ProcessType("web", "a b", "heroku.yml", argv=("a", "b")), DOCKER, "none"),
    ],
)
def test_what_runs_a_command(kind: ProcessType, image: ImageSpec, shell: str) -> None:
    made = process(kind, image)
    assert made["shell"] == shell
    assert made["command"] == kind.command
    assert made["argv"] == list(kind.argv or ())
    assert made["home"] == ("/app" if image is not DOCKER else "")


@pytest.mark.parametrize(
    ("beside", "expected"),
    [
        (None, ("none", "", ["a b", "c"], "")),
        (ProcessType("web", "", "heroku.yml"), ("none", "", ["a b", "c"], "")),
        (ProcessType("web", "serve", "heroku.yml"), ("sh", "'a b' c", [], "1f")),
    ],
)
def test_an_exec_form_takes_edits_where_the_image_has_a_shell(
    beside: ProcessType | None, expected: tuple[object, ...]
) -> None:
    worker = ProcessType("worker", "", "heroku.yml", argv=("a b", "c"))
    made = process(worker, DOCKER, mode=values.WORK_TREE, beside=beside)
    assert tuple(made[key] for key in ("shell", "command", "argv", "sync")) == expected
    assert process(worker, DOCKER, beside=beside)["shell"] == "none", "a release runs as it is written"


@pytest.mark.parametrize(
    ("language", "memory", "expected"),
    [
        # heroku.md section 7.2
        ("python", 512, "2"),
        ("python", 1024, "4"),
        ("python", 2560, "5"),
        ("python", 14336, "17"),
        ("python", 128, "1"),
        ("nodejs", 512, "1"),
        ("nodejs", 1024, "2"),
        ("nodejs", 2560, "5"),
        ("nodejs", 14336, "28"),
        ("nodejs", 256, "1"),
        ("nodejs", 30720, "15"),
        ("go", 512, None),
    ],
)
def test_web_concurrency(language: Any, memory: int, expected: str | None) -> None:
    pack = Buildpack(language, None, None, None)
    image = ImageSpec("lamp/app", "1", (), None, (pack,))
    assert process(ProcessType("web", "x", "Procfile:1"), image, memory)["env"].get("WEB_CONCURRENCY") == expected


@pytest.mark.parametrize(("name", "expected"), [("url_checker", "url-checker"), ("Web", "web"), ("2fa", "app-2fa")])
def test_a_type_s_name_in_the_cluster(name: str, expected: str) -> None:
    assert values.dns(name) == expected


def addon(plan: Plan, credentials: Mapping[str, str], **more: Any) -> Any:
    return values.addon_release(plan.addons[0], "lamp", credentials, FACTS, **more)


def test_values_of_a_stand_in(plan: Planner) -> None:
    made = addon(plan("heroku-postgresql"), {"user": "u", "password": "p", "database": "d"})
    assert (made.name, made.namespace, made.chart, made.version) == ("postgres", "lamp", "postgres", 0)
    assert set(made.values) == {"env", "name", "running", "image", "version", "credentials", "storage", "memory"}
    assert made.values["image"] == "reg/postgres:17"
    assert made.values["version"] == "17"
    second = addon(plan("heroku-postgresql as ANALYTICS"), {})
    assert (second.name, second.chart) == ("postgres-analytics", "postgres")
    known = {"user": "u", "password": "p", "database": "d"}
    stopped = addon(plan("heroku-postgresql"), known, running=False)
    assert stopped.values["running"] is False
    assert len({made.fingerprint, second.fingerprint, stopped.fingerprint}) == 3


def test_settings_are_a_release_too() -> None:
    made = values.settings_release("lamp", Settings(config={"A": "1"}).to_json(), FACTS)
    assert (made.name, made.namespace, made.chart) == ("env", "lamp", "env")
    assert json.loads(made.values["settings"])["config"] == {"A": "1"}


def test_no_repr_shows_a_secret(plan: Planner, profile: Profile) -> None:
    made = release(plan(dotenv="TOKEN=tokentokentoken"), profile)
    assert "tokentokentoken" not in repr(made)
    assert "tokentokentoken" not in str(made)


def test_a_candidate_is_the_release_it_may_become(plan: Planner, profile: Profile) -> None:
    app = release(plan(), profile)
    trial = values.candidate(app, FACTS)
    assert (trial.name, trial.namespace, trial.version) == ("app-next", app.namespace, app.version)
    assert trial.values == app.values | {"candidate": True}
    assert trial.fingerprint != app.fingerprint


def test_a_route_without_its_candidate(plan: Planner) -> None:
    route = values.route(plan(), FACTS)
    assert route
    assert values.alone(route | {"candidate": 10}) == route
