"""Lines in Heroku's shape (heroku.md section 3.6)."""

import json
import re
from collections.abc import Callable
from typing import Any

import pytest

from devenv.ops import logs, status

LINE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}\+00:00 (app|heroku)\[[a-z]+(\.\d+)?\]: .*")


@pytest.mark.parametrize(
    ("stamp", "expected"),
    [
        ("2026-05-04T10:00:00.123456789Z", "2026-05-04T10:00:00.123456+00:00"),
        ("2026-05-04T10:00:00.1Z", "2026-05-04T10:00:00.100000+00:00"),
        ("2026-05-04T10:00:00Z", "2026-05-04T10:00:00.000000+00:00"),
        ("2026-05-04T10:00:00.000000001Z", "2026-05-04T10:00:00.000000+00:00"),
    ],
)
def test_stamps(stamp: str, expected: str) -> None:
    assert logs.stamp6(stamp) == expected


def test_what_the_platform_says(
    pod: Callable[..., Any], container: Callable[..., Any], ended: Callable[..., Any]
) -> None:
    crashed = container(state="waiting", reason="CrashLoopBackOff", ready=False, started=None, last=ended(1))
    texts = [str(line) for line in logs.platform(pod(crashed))]
    assert all(LINE.fullmatch(text) for text in texts)
    assert all(" heroku[web." in text for text in texts)
    assert texts[0].endswith("]: Process exited with status 1")
    assert texts[-1].endswith("]: State changed from up to crashed")
    killed = container(restarts=1, last=ended(137, "OOMKilled"))
    assert [line.text for line in logs.platform(pod(killed))] == [
        "Error R15 (Memory quota vastly exceeded)",
        "Process exited with status 137",
        "Starting process",
    ]
    helper = container(init=True, last=ended(1))
    assert logs.platform(pod(helper)) == []


def test_names_in_brackets(pod: Callable[..., Any]) -> None:
    assert logs.name_of(pod()) == f"web.{status.number('web-7d9f8c-abcde')}"
    assert logs.name_of(pod(name="run-77", labels={"devenv.dev/kind": "run"})) == "run.77"
    assert logs.name_of(pod(name="postgres-cache-0", labels={"devenv.dev/kind": "addon"})) == "postgres-cache"
    assert logs.name_of(pod(name="release-x", labels={"devenv.dev/kind": "release"})) == "release.3"


def test_wishes(pod: Callable[..., Any]) -> None:
    web, dyno = pod(), f"web.{status.number('web-7d9f8c-abcde')}"
    worker = pod(name="worker-1", labels={"devenv.dev/process": "worker"})
    addon = pod(name="postgres-0", labels={"devenv.dev/kind": "addon"})
    stranger = pod(labels={"devenv.dev/kind": ""})

    def wanted(wish: logs.Wish) -> list[Any]:
        return [each for each in (web, worker, addon, stranger) if wish.pods(each)]

    assert wanted(logs.Wish()) == [web, worker]
    assert wanted(logs.Wish(process="worker")) == [worker]
    assert wanted(logs.Wish(dyno=dyno)) == [web]
    assert wanted(logs.Wish(dyno="worker-1")) == [worker]
    assert wanted(logs.Wish(dyno="router")) == []
    assert wanted(logs.Wish(addons=True)) == [addon]


@pytest.mark.parametrize(
    ("wish", "router"),
    [
        (logs.Wish(), True),
        (logs.Wish(dyno="router"), True),
        (logs.Wish(source="heroku"), True),
        (logs.Wish(source="app"), False),
        (logs.Wish(process="web"), False),
        (logs.Wish(dyno="web.1"), False),
        (logs.Wish(addons=True), False),
    ],
)
def test_the_router_s_lines(wish: logs.Wish, router: bool) -> None:
    assert wish.router is router


ENTRY = {
    "attempts": 1,
    "bytes": 391,
    "connect": 0,
    "details": "via_upstream",
    "failure": None,
    "flags": "-",
    "fwd": "203.0.113.7,10.244.0.1",
    "host": "lamp.localhost:8080",
    "method": "GET",
    "path": "/x",
    "pod": "10.244.0.7:23456",
    "protocol": "HTTP/1.1",
    "request_id": "6e7a",
    "service": 12,
    "start": "2026-05-04T10:00:00.100000",
    "status": 200,
    "tls": "-",
    "env": "lamp",
}


def test_a_request() -> None:
    found = logs.router_line("lamp", json.dumps(ENTRY), {"10.244.0.7": "web.4711"})
    assert found is not None
    assert LINE.fullmatch(str(found))
    assert " heroku[router]: at=info method=GET" in str(found)
    assert "dyno=web.4711 " in found.text
    assert "status=200" in found.text


@pytest.mark.parametrize(
    "text",
    [
        json.dumps(ENTRY | {"host": "other.localhost:8080"}),
        json.dumps(ENTRY | {"host": "lamp.localhost.evil"}),
        json.dumps(ENTRY | {"host": "x-lamp.localhost"}),
        "[2026-05-04][info] starting main dispatch loop",
        "",
    ],
)
def test_what_is_not_this_env_s(text: str) -> None:
    assert logs.router_line("lamp", text, {}) is None
