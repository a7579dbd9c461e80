"""The first five minutes: examples/lamp with its four servers, from `up` to `down` and back."""

import http.client
import json
import random
import re
import time
from typing import Any

import pytest

from tests.e2e.conftest import ROOT, App, eventually

pytestmark = pytest.mark.e2e

STAMP = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}\+00:00"
UUID = r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"


def state(lamp: App) -> dict[str, Any]:
    """What the lamp is now, from its own report."""
    return dict(json.loads(lamp("redis:cli", "GET", "lamp:state").stdout))


def newest(lamp: App) -> dict[str, Any]:
    """The newest entry of the history."""
    return dict(lamp.http("/history?limit=1").json["events"][0])


def switch(lamp: App, **command: object) -> dict[str, Any]:
    """Send a command that changes something; the history entry it leads to."""
    before = newest(lamp)["id"]
    sent = lamp.http("/switch", "POST", json.dumps(command), {"Content-Type": "application/json"})
    assert sent.status == 202, sent
    return eventually(lambda: newest(lamp), lambda event: event["id"] > before)


def sql(app: App, query: str, *words: str) -> list[str]:
    """The rows of a query."""
    return app("pg:psql", *words, "-At", "-c", query).lines


def test_page(lamp: App) -> None:
    page = lamp.http()
    assert page.status == 200
    assert "<title>Reading lamp</title>" in page.text
    assert lamp.http("/healthz").text == "ok\n"
    assert lamp.http("/no-such-page").status == 404


def test_all_four_servers_answer(lamp: App) -> None:
    rows = eventually(lambda: lamp.http("/status").json["backends"], lambda rows: all(row["ok"] for row in rows))
    assert {row["name"] for row in rows} == {"Postgres", "Redis", "MQTT", "Elasticsearch"}


def test_release_phase_has_migrated(lamp: App) -> None:
    files = sorted(file.stem for file in (ROOT / "examples" / "lamp" / "migrations").glob("*.sql"))
    assert sorted(sql(lamp, "select version from schema_migrations")) == files


def test_switch_reaches_history_and_search(lamp: App) -> None:
    now = switch(lamp, on=not state(lamp)["on"])
    assert now["kind"] in ("on", "off")
    event = switch(lamp, color=f"#{random.randrange(1 << 24):06x}")
    assert (event["kind"], event["text"][:13]) == ("color", "Colour set to")
    found = eventually(
        lambda: lamp.http("/search?q=colour"), lambda answer: answer.status == 200 and answer.json["total"]
    )
    assert event["text"] in {hit["text"] for hit in found.json["hits"]}
    assert int(sql(lamp, "select count(*) from events")[0]) >= 2


def test_live_state_streams_through_the_router(lamp: App) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", lamp.cluster.status.http_port, timeout=20)
    connection.request("GET", "/events", headers={"Host": f"{lamp.env}.localhost"})
    answer = connection.getresponse()
    assert answer.status == 200
    began, states = time.monotonic(), []
    while len(states) < 3:  # the lamp reports once a second; a router that buffers would give nothing
        line = answer.readline().decode()
        states += [json.loads(line[6:])] if line.startswith("data: ") else []
        assert time.monotonic() - began < 20
    connection.close()
    assert {"on", "brightness", "color"} <= states[-1].keys()


def test_clients_of_the_servers(lamp: App) -> None:
    assert sql(lamp, "select 1") == ["1"]
    assert lamp("pg:psql", "-At", stdin="select 2;\nselect 3;\n").lines == ["2", "3"]
    assert lamp("pg:psql", "-v", "ON_ERROR_STOP=1", "-c", "selec 1", status=None).status == 1
    assert lamp("redis:cli", "PING").stdout == "PONG\n"
    assert json.loads(lamp("redis:cli", "GET", "lamp:state").stdout)["brightness"]
    assert lamp("redis:cli", stdin="SET e2e 'two words'\nGET e2e\n").lines == ["OK", "two words"]
    cluster = json.loads(lamp("es:curl", "/").stdout)
    assert cluster["version"]["number"].startswith("7.")
    assert "lamp-events" in lamp("es:curl", "/_cat/indices?h=index").lines
    info = lamp("pg:info", "--json").json
    assert [(row["name"], row["urls"]) for row in info] == [("postgres", ["DATABASE_URL"])]
    assert int(info[0]["tables"]) >= 2


def test_mqtt_from_outside(lamp: App) -> None:
    assert json.loads(lamp("mqtt:sub", "-t", "lamp/state", "-C", "1").stdout).keys() >= {"on", "watts"}
    level = state(lamp)["brightness"] % 90 + 5
    with lamp.running("mqtt:sub", "-t", "lamp/#", "-v") as listening:
        assert listening.stdout is not None
        listening.stdout.readline()  # the retained state: it listens now
        lamp("mqtt:pub", "-t", "lamp/set", "-m", json.dumps({"brightness": level}))
        states = (json.loads(line.partition(" ")[2]) for line in listening.stdout if line.startswith("lamp/state "))
        assert any(round(each["brightness"]) == level for each in states)
    eventually(lambda: newest(lamp)["brightness"], lambda found: found == level)


def test_logs(lamp: App) -> None:
    mark = f"/?mark={time.time_ns()}"
    assert lamp.http(mark).status == 200
    found = eventually(lambda: [line for line in lamp("logs", "-n", "200").lines if mark in line and "router" in line])
    assert re.fullmatch(
        rf"{STAMP} heroku\[router\]: at=info method=GET path=\"{re.escape(mark)}\" "
        rf"host={lamp.env}\.localhost(:\d+)? request_id={UUID} fwd=\"[0-9a-f.:]+\" dyno=web\.\d+ connect=\d+ms "
        r"service=\d+ms status=200 bytes=\d+ protocol=http1\.1 tls=false",
        found[0],
    ), found[0]
    assert len(lamp("logs", "-n", "3").lines) == 3
    worker = lamp("logs", "-p", "worker", "-s", "app").lines
    assert worker
    assert all(re.match(rf"{STAMP} app\[worker\.\d+\]: ", line) for line in worker), worker
    assert any("the lamp is plugged in" in line for line in worker)
    platform = lamp("logs", "-s", "heroku", "-p", "web").lines
    assert platform
    assert all(re.match(rf"{STAMP} heroku\[web\.\d+\]: ", line) for line in platform)
    row = json.loads(lamp("logs", "-d", "router", "-n", "1", "--json").stdout)
    assert (row["source"], row["dyno"]) == ("heroku", "router")


def test_second_up_changes_nothing(lamp: App) -> None:
    pods, addons = lamp.pods(), lamp.pods("addon")
    releases = lamp("releases", "--json").json
    again = lamp("up", "-d", "--json").json
    assert not again["changed"]
    assert again["version"] == releases[0]["version"]
    assert (lamp.pods(), lamp.pods("addon")) == (pods, addons)
    assert lamp("releases", "--json").json == releases
    assert "Building" not in lamp("up", "-d").stderr


def test_down_keeps_everything(lamp: App) -> None:
    switch(lamp, brightness=state(lamp)["brightness"] % 90 + 5)
    rows, config = sql(lamp, "select id, text from events order by id"), lamp("config", "--json").json
    version = lamp("ps", "--json").json["version"]
    lamp("redis:cli", "SET", "kept", "yes")
    lamp("redis:cli", "SAVE")
    try:
        lamp("down")
        assert (lamp.pods(), lamp.pods("addon")) == ({}, {})
        status = lamp("ps", "--json").json
        assert not status["running"]
        assert status["version"] == version
        assert lamp("config", "--json").json == config
        assert "is not up" in lamp("pg:psql", "-c", "select 1", status=2).stderr
        assert lamp.http().status == 503
        lamp("down")  # twice is no mistake
    finally:
        back = lamp("up", "-d", "--json").json
    assert back["version"] == version
    assert sql(lamp, "select id, text from events order by id")[: len(rows)] == rows
    assert lamp("config", "--json").json == config
    assert lamp("redis:cli", "GET", "kept").stdout == "yes\n"
    assert lamp.http().status == 200
    assert eventually(lambda: lamp.http("/search?q=brightness"), lambda answer: answer.status == 200).json["total"]
