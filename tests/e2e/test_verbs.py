"""Heroku's verbs on one small app: what each prints, what it changes, and what it leaves alone."""

import json
import os
import pty
import re
from pathlib import Path

import pytest

from tests.e2e.conftest import App, MakeApp, eventually

pytestmark = pytest.mark.e2e

AWKWARD = {
    "LINES": "first\nsecond\n\n\tfourth\n",
    "QUOTES": """it's "quoted" `here`""",
    "DOLLARS": "$HOME ${HOME} $(date) $$ $(PORT) %PATH%",
    "HASH": "before # after",
    "UTF8": "Grüße, 灯 🪔 \u00a0",
    "SLASHES": r"C:\new\table \\",
    "BLANKS": "  two before, two after  ",
    "EQUALS": "a=b=c",
    "BRACES": "{{ .Values }} {a,b} [c]",
    "EMPTY": "",
    "KEY": "-----BEGIN KEY-----\nMIIB\n-----END KEY-----",
}


@pytest.fixture(scope="module")
def plain(make_module_app: MakeApp) -> App:
    """python-plain with two add-ons, a release phase, a .profile and a .env."""
    app = make_module_app("python-plain", env="e2e-verbs")
    manifest = {
        "env": {
            "FROM_APP_JSON": {"value": "app.json"},
            "TOKEN": {"generator": "secret"},
            "BOTH": {"value": "app.json"},
        },
        "addons": ["heroku-postgresql", "heroku-redis"],
    }
    app.write("app.json", json.dumps(manifest))
    app.write(".env", "FROM_DOTENV='one two'\nBOTH=dotenv\n")
    app.write(".profile", "export FROM_PROFILE=sourced\n")
    phase = 'release: echo "release phase as $DYNO, PORT is ${PORT:-not set}, $FROM_PROFILE"\n'
    app.write("Procfile", phase + (app.folder / "Procfile").read_text())
    done = app("up", "-d")
    assert re.search(r"release phase as release\.\d+, PORT is not set, sourced", done.stderr), str(done)
    return app


def newest(app: App) -> int:
    """The number of the newest release."""
    return int(app("releases", "--json").json[0]["version"])


def environment(app: App) -> dict[str, str]:
    """What a one-off dyno finds in its environment."""
    return dict(app("run", "python", "-c", "import json, os; print(json.dumps(dict(os.environ)))").json)


def test_ps(plain: App) -> None:
    status = plain("ps", "--json").json
    assert status["url"] == f"http://{plain.env}.localhost:{plain.cluster.status.http_port}"
    assert (status["mode"], status["running"]) == ("work-tree", True)
    assert sorted(dyno["type"] for dyno in status["dynos"]) == ["web", "worker"]
    assert all(dyno["state"] == "up" for dyno in status["dynos"])
    assert all(re.fullmatch(rf"{dyno['type']}\.\d+", dyno["name"]) for dyno in status["dynos"])
    assert {addon["name"]: addon["ready"] for addon in status["addons"]} == {"postgres": True, "redis": True}
    assert plain.http("/whoami").json["dyno"] in {dyno["name"] for dyno in status["dynos"]}
    text = plain("ps").stdout
    assert re.search(r"^=== web \(\S+\): python web.py \(1\)$", text, re.MULTILINE), text
    assert re.search(
        r"^worker\.\d+: up \d{4}/\d\d/\d\d \d\d:\d\d:\d\d [+-]\d{4} \(~ \d+[smh] ago\)", text, re.MULTILINE
    )
    assert plain("ps", "nothing", status=None).status != 0


def test_run_env_on_a_pipe(plain: App) -> None:
    done = plain("run", "env")
    found = dict(line.partition("=")[::2] for line in done.lines)
    assert {name: found.get(name) for name in ("FROM_APP_JSON", "FROM_DOTENV", "BOTH", "FROM_PROFILE")} == {
        "FROM_APP_JSON": "app.json",
        "FROM_DOTENV": "one two",
        "BOTH": "dotenv",
        "FROM_PROFILE": "sourced",
    }
    assert re.fullmatch("[0-9a-f]{64}", found["TOKEN"])
    assert re.fullmatch(r"postgres://u\w+:\w+@postgres\.e2e-verbs:5432/d\w+", found["DATABASE_URL"])
    assert re.fullmatch(r"rediss://:\w+@redis\.e2e-verbs:6380", found["REDIS_URL"])
    assert "PORT" not in found
    assert re.fullmatch(r"run\.\d+", found["DYNO"])
    assert found["HOME"] == "/app"
    assert f"up, {found['DYNO']}" in done.stderr
    # Kubernetes tells of its API whatever one asks of it; nothing else of the cluster shows
    assert not [name for name in found if name.endswith("_SERVICE_HOST") and name != "KUBERNETES_SERVICE_HOST"]
    eventually(lambda: plain.pods("run"), lambda pods: not pods)


def test_port_is_for_web_only(plain: App) -> None:
    assert plain.http("/env/PORT").text.isdigit()
    assert plain.http("/env/FROM_PROFILE").text == "sourced"
    assert "worker starts, PORT is not set" in plain("logs", "-p", "worker", "-n", "1000").stdout


def test_apps_that_insist_on_https_are_served_on_the_same_port(plain: App) -> None:
    """As Heroku's own Python example: it redirects to https:// at the address that was asked for."""
    port = str(plain.cluster.status.http_port)
    for tls in (False, True):
        seen = {name.lower(): value for name, value in plain.http("/headers", tls=tls).json.items()}
        assert seen["host"] == f"{plain.env}.localhost:{port}"
        assert (seen["x-forwarded-proto"], seen["x-forwarded-port"]) == ("https" if tls else "http", port)
    found = eventually(
        lambda: [line for line in plain("logs", "-d", "router").lines if "tls=true tls_version=tls1" in line]
    )
    assert "status=200" in found[0]
    assert plain.http("/", tls=True, headers={"Host": "nobody.localhost"}).status == 404


def test_run_passes_the_exit_status(plain: App) -> None:
    assert plain("run", "--", "sh", "-c", "exit 7", status=None).status == 7
    assert plain("run", "exit 9", status=None).status == 9
    assert plain("run", "no-such-command", status=None).status == 127


def test_run_reads_standard_input(plain: App) -> None:
    text = "first\nlast line without an end: ü" + "x" * 300_000
    done = plain("run", "cat; echo; echo to stderr >&2", stdin=text)
    assert done.stdout == text + "\n"
    assert "to stderr" in done.stderr
    assert "to stderr" not in done.stdout


def test_run_keeps_words_apart_and_leaves_variables_to_the_dyno(plain: App) -> None:
    words = ("two words", 'say "hi"', "", "$DYNO")
    *kept, dyno = plain("run", "python", "-c", "import json, sys; print(json.dumps(sys.argv[1:]))", *words).json
    assert tuple(kept) == words[:3]
    assert re.fullmatch(r"run\.\d+", dyno)


def test_run_gives_a_terminal(plain: App) -> None:
    main, other = pty.openpty()
    process = plain.start("run", "test -t 0 && test -t 1 && echo a terminal; exit 5", stdin=other, stdout=other)
    os.close(other)
    shown = b""
    try:
        while chunk := os.read(main, 4096):
            shown += chunk
    except OSError:  # the other end is closed: Linux says EIO
        pass
    finally:
        os.close(main)
    assert process.wait(60) == 5, process.communicate()
    process.communicate()
    assert b"a terminal" in shown


def test_run_detached(plain: App) -> None:
    name = plain("run:detached", "--json", "echo begun; sleep 2; echo ended as $DYNO").json["name"]
    text = eventually(lambda: plain("logs", "--dyno-name", name).stdout, lambda text: f"ended as {name}" in text)
    assert f"app[{name}]: begun" in text


def test_config_set_makes_one_release_and_restarts(plain: App) -> None:
    before, pods = newest(plain), plain.pods()
    done = plain("config:set", "GREETING=hello", "OTHER=1")
    assert f"done, v{before + 1}" in done.stderr
    releases = plain("releases", "--json").json
    assert releases[0]["version"] == before + 1
    assert releases[0]["description"] == "Set GREETING, OTHER config vars"
    assert not set(plain.pods()) & set(pods)
    plain.settles("/env/GREETING", "hello")
    plain("config:set", "GREETING=hello")
    assert newest(plain) == before + 1, "nothing had changed"
    plain("config:unset", "GREETING", "OTHER")
    assert newest(plain) == before + 2
    plain.settles("/env/GREETING", "")
    assert plain("config:get", "GREETING").stdout == "\n"


def test_values_keep_every_byte(plain: App) -> None:
    done = plain("config:set", *(f"{name}={value}" for name, value in AWKWARD.items()))
    assert plain("config", "--json").json.items() >= AWKWARD.items()
    assert {name: value for name, value in environment(plain).items() if name in AWKWARD} == AWKWARD
    for name in ("LINES", "QUOTES", "DOLLARS", "UTF8"):
        assert plain("config:get", name).stdout == AWKWARD[name] + "\n", name
        assert plain("run", "printenv", name).stdout == AWKWARD[name] + "\n", name
    plain.settles("/env/LINES", AWKWARD["LINES"])
    assert {name: plain.http(f"/env/{name}").text for name in AWKWARD} == AWKWARD
    assert "release phase as" in done.stderr


def test_config_tells_origins(plain: App) -> None:
    origins = {name: row["origin"] for name, row in plain("config", "--origins", "--json").json.items()}
    assert "app.json" in origins["FROM_APP_JSON"]
    assert ".env" in origins["BOTH"]
    assert "postgres" in origins["DATABASE_URL"]
    assert (
        "FROM_DOTENV='one two'" in plain("config", "-s").lines or 'FROM_DOTENV="one two"' in plain("config", "-s").lines
    )


def test_config_edit(plain: App, tmp_path: Path) -> None:
    editor = tmp_path / "editor"
    editor.write_text('#!/bin/sh\necho EDITED="\'by hand\'" >> "$1"\n')
    editor.chmod(0o755)
    before = newest(plain)
    process = plain.start("config:edit", env=plain.environ | {"EDITOR": str(editor), "VISUAL": ""})
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, out + err
    assert newest(plain) == before + 1
    assert plain("config:get", "EDITED").stdout == "by hand\n"


@pytest.mark.parametrize("word", ["1ABC=x", "NO-DASH=x", "NOVALUE", "=x"])
def test_config_refuses_bad_names(plain: App, word: str) -> None:
    before = newest(plain)
    done = plain("config:set", word, status=None)
    assert done.status != 0
    assert "Hint:" in done.stderr
    assert newest(plain) == before


def test_scale_is_no_release(plain: App) -> None:
    before = newest(plain)
    pods = plain.pods()
    done = plain("ps:scale", "web=2")
    assert "now running web at 2:" in done.stderr
    assert newest(plain) == before
    assert set(plain.pods()) > set(pods), "the first ones run on"
    assert len(plain.pods()) == 3
    dynos = {dyno["name"] for dyno in plain("ps", "--json").json["dynos"] if dyno["type"] == "web"}
    seen: set[str] = set()
    eventually(lambda: seen.add(plain.http("/whoami").json["dyno"]) or seen, lambda seen: seen == dynos)
    assert re.fullmatch(r"web=2:\S+ worker=1:\S+\n", plain("ps:scale").stdout)
    again = plain("up", "-d", "--json").json
    assert (again["version"], again["changed"]) == (before, False), "the formation is kept"
    plain("ps:scale", "web-1", "worker=0")
    eventually(plain.pods, lambda pods: sorted(pods.values()) == ["web"])
    plain("ps:scale", "worker=1")
    assert newest(plain) == before
    assert plain("ps:scale", "nothing=1", status=None).status != 0
    assert plain("ps:scale", "web=many", status=None).status != 0


def test_restart(plain: App) -> None:
    before, pods = newest(plain), plain.pods()
    plain("ps:restart", "web")
    now = eventually(plain.pods, lambda now: sorted(now.values()) == ["web", "worker"] and now != pods)
    assert {name for name, kind in now.items() if kind == "worker"} == {
        name for name, kind in pods.items() if kind == "worker"
    }
    eventually(lambda: plain.http("/whoami").status, lambda status: status == 200, timeout=60)
    assert newest(plain) == before
    assert plain("ps:restart", "nothing", status=None).status != 0


def test_sigterm_reaches_the_process_and_logs_follow(plain: App) -> None:
    with plain.running("logs", "-t", "-p", "worker", "-n", "1") as following:
        assert following.stdout is not None
        following.stdout.readline()  # it follows now
        plain("ps:restart", "worker")
        wanted = {"worker starts", "worker stops cleanly"}  # of two pods, in whatever order they are read
        for line in following.stdout:
            wanted = {text for text in wanted if text not in line}
            if not wanted:
                break
    assert not wanted


def test_addons_create_and_destroy(plain: App) -> None:
    before = newest(plain)
    plain("pg:psql", "-c", "create table if not exists here (x int)")
    done = plain("addons:create", "heroku-postgresql:essential-0", "--as", "ANALYTICS")
    assert f"v{before + 1}" in done.stderr
    assert newest(plain) == before + 1
    config = plain("config", "--json").json
    assert "@postgres-analytics.e2e-verbs:5432/" in config["ANALYTICS_URL"]
    assert "@postgres.e2e-verbs:5432/" in config["DATABASE_URL"]
    assert plain(
        "pg:psql", "ANALYTICS", "-At", "-c", "select count(*) from pg_tables where tablename = 'here'"
    ).lines == ["0"]
    assert plain("pg:psql", "-At", "-c", "select count(*) from pg_tables where tablename = 'here'").lines == ["1"]
    rows = {row["attachment"]: row["mode"] for row in plain("addons", "--json").json}
    assert rows == {"DATABASE": "stand-in", "REDIS": "stand-in", "ANALYTICS": "stand-in"}
    assert "already" in plain("addons:create", "heroku-postgresql", "--as", "ANALYTICS", status=None).stderr
    assert "did you mean" in plain("addons:create", "heroku-postgres", status=None).stderr
    assert plain("addons:destroy", "ANALYTICS", "--confirm", "other", status=None).status != 0
    plain("addons:destroy", "ANALYTICS", "--confirm", plain.env)
    assert newest(plain) == before + 2
    assert "ANALYTICS_URL" not in plain("config", "--json").json
    eventually(lambda: plain.pods("addon"), lambda pods: sorted(pods) == ["postgres-0", "redis-0"], timeout=60)


def test_addon_modes(plain: App) -> None:
    ours, before = plain("config:get", "REDIS_URL").stdout, newest(plain)
    hosted = "rediss://:secret@ec2-1-2-3-4.compute-1.amazonaws.com:6380"
    plain("config:set", f"REDIS_URL={hosted}")
    assert plain("config:get", "REDIS_URL").stdout == ours, "live credentials of a replaced add-on never reach a pod"
    assert newest(plain) == before
    plain("addons:mode", "heroku-redis", "off")
    assert "REDIS_URL" not in environment(plain)
    eventually(lambda: plain.pods("addon"), lambda pods: sorted(pods) == ["postgres-0"], timeout=60)
    plain("addons:mode", "heroku-redis", "passthrough")
    assert environment(plain)["REDIS_URL"] == hosted
    plain("addons:mode", "heroku-redis", "stand-in")
    assert environment(plain)["REDIS_URL"] == ours.strip()
    assert plain("redis:cli", "PING").stdout == "PONG\n"
    assert newest(plain) == before + 3
    assert plain("addons:mode", "heroku-redis", "nonsense", status=None).status != 0


def test_reports_as_json(plain: App) -> None:
    plan = plain("plan", "--json").json
    assert plan["env"] == plain.env
    assert [(row["type"], row["command"]) for row in plan["processes"]] == [
        ("web", "python web.py"),
        ("worker", "python worker.py"),
    ]
    assert all(image["present"] for image in plan["images"])
    assert not plan["missing"]
    assert "FROM python" in plan["images"][0]["dockerfile"] or "FROM " in plan["images"][0]["dockerfile"]
    addons = plain("addons", "--json").json
    assert all(row["equivalent"] and row["priority"] and row["risk"] and row["reason"] for row in addons)
    cluster = plain("cluster", "--json").json
    assert (cluster["name"], cluster["state"]) == (plain.cluster.spec.name, "running")
    assert plain.env in cluster["envs"]
    row = next(row for row in plain("envs", "--json").json if row["name"] == plain.env)
    assert (row["state"], row["version"]) == ("running", newest(plain))
    findings = {item["what"]: item for item in plain("doctor", "--json").json}
    assert all(item["good"] for item in findings.values()), findings
    assert plain("version", "--json").json["devenv"]
    assert plain("images", "--json").json
    formation = plain("ps:type", "--json").json
    assert formation["web"]["quantity"] == 1


def test_secrets_are_not_in_plan_ps_or_releases(plain: App) -> None:
    password = re.findall(r":(\w+)@", plain("config:get", "DATABASE_URL").stdout)[0]
    for words in (("plan",), ("plan", "--json"), ("ps",), ("releases",), ("addons",), ("up", "-d", "-v"), ("doctor",)):
        done = plain(*words)
        assert password not in done.stdout + done.stderr, words


def test_two_envs_of_one_app(plain: App) -> None:
    other = "e2e-verbs-two"
    plain("pg:psql", "-c", "create table if not exists whose (name text)", "-c", "insert into whose values ('first')")
    first = plain("config", "--json").json
    try:
        url = plain("up", "-d", "--env", other).stdout.strip()
        assert url == f"http://{other}.localhost:{plain.cluster.status.http_port}"
        second = plain("config", "--json", "--env", other).json
        assert second["TOKEN"] != first["TOKEN"]
        assert "@postgres.e2e-verbs-two:" in second["DATABASE_URL"]
        tables = "select count(*) from pg_tables where tablename = 'whose'"
        assert plain("pg:psql", "--env", other, "-At", "-c", tables).lines == ["0"]
        plain("config:set", "--env", other, "WHO=second")
        assert plain.http("/env/WHO").status == 404
        asked = {"Host": f"{other}.localhost"}
        eventually(lambda: plain.http("/env/WHO", headers=asked).text, lambda text: text == "second")
        assert {row["name"] for row in plain("envs", "--json").json} >= {plain.env, other}
        assert "does not match" in plain("destroy", "--env", other, stdin="wrong\n", status=None).stderr
        plain("destroy", "--env", other, stdin=f"{other}\n")
        assert plain.cluster.kube.namespace(other) is None
        assert not [each for each in volumes(plain) if f"{other}/" in each]
        assert "there is no env" in plain("ps", "--env", other, status=2).stderr
        assert plain.http("/", headers={"Host": f"{other}.localhost"}).status == 404
    finally:
        plain.cluster.kube.delete_namespace(other, wait=False)
    assert plain("pg:psql", "-At", "-c", "select name from whose").lines[-1] == "first"
    assert plain.http("/").status == 200


def volumes(app: App) -> list[str]:
    """namespace/claim of every volume of the cluster."""
    found = app.cluster.kube.http.json("GET", "/api/v1/persistentvolumes")["items"]
    claims = [item["spec"]["claimRef"] for item in found]
    return [f"{claim['namespace']}/{claim['name']}" for claim in claims]


def test_help_of_every_verb_begins_with_an_example(plain: App) -> None:
    root = plain("--help").stdout
    verbs = re.findall(r"^  ([a-z][a-z:-]*)  ", root, re.MULTILINE)
    assert {"up", "ps:scale", "pg:psql", "config:set"} <= set(verbs)
    text = plain("help", "ps:scale").stdout
    assert text.index("$ devenv ps:scale") < text.index("Options")
