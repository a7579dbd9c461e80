"""The app's chart on the real cluster: what a dyno promises its process (product: the dyno contract)."""

import time
from collections.abc import Callable
from threading import Thread
from typing import Any

import pytest

from devenv.base.errors import ReleaseError
from devenv.cluster.kube_model import Pod
from devenv.ops import shipped
from devenv.ops.status import dyno_name
from devenv.plan.model import Release
from tests.integration.conftest import Cluster

pytestmark = pytest.mark.integration

NASTY = "line 1\nline 2\t'single' \"double\" $HOME $(PATH) $$ `id` \\n # ü 😀"
LISTEN = """perl -MIO::Socket::INET -e '
  my $s = IO::Socket::INET->new(LocalPort => $ENV{PORT}, Listen => 5, ReuseAddr => 1) or die;
  while (my $c = $s->accept) { close $c }'"""
# one parent, one child: each notes every SIGTERM it gets, and goes on for a moment, so that a second one would show
FAMILY = """perl -e '$| = 1; my $who = fork() ? "parent" : "child"; my $end = 0;
  $SIG{TERM} = sub { print "$who got TERM\\n"; $end ||= time + 2 };
  print "$who up\\n"; until ($end && time > $end) { select undef, undef, undef, 0.1 }'"""


class App:
    """Installs the chart with few words."""

    def __init__(self, cluster: Cluster, namespace: str) -> None:
        self.cluster, self.namespace, self.version = cluster, namespace, 0

    def process(self, type_: str, command: str, **more: Any) -> dict[str, Any]:
        return {
            "name": type_.replace("_", "-"),
            "type": type_,
            "image": self.cluster.image,
            "command": command,
            "argv": [],
            "shell": "bash",
            "quantity": 1,
            "size": "Standard-1X",
            "memory": 512,
            "cpu": 10,
            "port": 23456 if type_ == "web" else 0,
            "env": {},
            "home": "/app",
        } | more

    def deploy(self, *processes: dict[str, Any], wait: bool = True, **more: Any) -> None:
        self.version += 1
        note = {"description": f"Deploy {self.version}", "mode": "release", "commit": "", "created": "", "phase": True}
        values = {
            "app": "lamp",
            "env": self.namespace,
            "release": {"version": self.version, **note},
            "running": True,
            "config": {},
            "processes": list(processes),
            "releasePhase": None,
            "timeouts": {"boot": 5, "stop": 10, "release": 60},
            "route": None,
        } | more
        release = Release("app", self.namespace, "app", values, "f", self.version)
        self.cluster.helm.upgrade(release, shipped.chart("app"), 90, wait=wait)

    def pods(self, process: str) -> list[Pod]:
        found = self.cluster.kube.pods(self.namespace, f"devenv.dev/process={process}")
        return [pod for pod in found if not pod.deleting]

    def log(self, pod: Pod) -> str:
        return "\n".join(self.cluster.kube.logs(self.namespace, pod.name))

    def until(self, what: Callable[[], object], seconds: float = 60) -> None:
        deadline = time.monotonic() + seconds
        while not what():
            assert time.monotonic() < deadline, self.cluster.kube.pods(self.namespace)
            time.sleep(0.2)


@pytest.fixture
def app(cluster: Cluster, namespace: str) -> App:
    return App(cluster, namespace)


def environment(app: App, pod: Pod) -> dict[str, str]:
    """Of the container's main process, which PID 1 is not."""
    script = "for p in /proc/[0-9]*; do grep -zq ^DYNO= $p/environ 2>/dev/null && { cat $p/environ; exit; }; done"
    done = app.cluster.kube.exec(app.namespace, pod.name, ["sh", "-c", script])
    pairs = (entry.partition("=") for entry in done.stdout.split("\0") if entry)
    return {name: value for name, _, value in pairs}


def test_the_environment_of_processes(app: App) -> None:
    config = {"NASTY": NASTY, "EMPTY": "", "WEB_CONCURRENCY": "7"}
    env = {"WEB_CONCURRENCY": "2", "DYNO_RAM": "512 $(NASTY)"}
    app.deploy(
        app.process("web", f'echo "it\'s $(echo $PORT)"; {LISTEN}', env=env),
        app.process("url_checker", "sleep infinity", shell="sh", home=""),
        app.process("exec", "", shell="none", argv=["sleep", "infinity"], home=""),
        config=config,
    )
    web, checker, plain = (app.pods(name)[0] for name in ("web", "url_checker", "exec"))
    seen = environment(app, web)
    assert {name: seen[name] for name in config} == config
    assert (seen["PORT"], seen["HOME"], seen["PWD"]) == ("23456", "/app", "/app")
    assert seen["DYNO_RAM"] == "512 $(NASTY)"
    app.until(lambda: app.log(web) == "it's 23456")
    for pod in (web, checker):
        assert environment(app, pod)["DYNO"] == dyno_name(pod)
    assert environment(app, plain)["DYNO"] == "exec.1"
    assert all("PORT" not in environment(app, pod) for pod in (checker, plain))
    assert not [name for name in seen if name.startswith(("WEB_SERVICE", "WEB_PORT"))]


def test_every_process_gets_sigterm_once(app: App) -> None:
    app.deploy(app.process("worker", FAMILY))
    pod = app.pods("worker")[0]
    app.until(lambda: {"parent up", "child up"} <= set(app.log(pod).split("\n")))
    lines: list[str] = []
    reader = Thread(target=lambda: lines.extend(app.cluster.kube.logs(app.namespace, pod.name, follow=True)))
    reader.start()
    app.until(lambda: "child up" in app.log(pod))
    app.cluster.kube.delete_pod(app.namespace, pod.name)
    reader.join(timeout=30)
    assert sorted(line for line in lines if "TERM" in line) == ["child got TERM", "parent got TERM"]


def test_a_process_that_ends_is_started_again(app: App) -> None:
    app.deploy(app.process("worker", "exit 0"), wait=False)
    app.until(lambda: app.pods("worker") and app.pods("worker")[0].restarts)


def test_a_failed_release_phase_leaves_the_old_pods(app: App) -> None:
    web = app.process("web", LISTEN)
    phase = app.process("release", "echo DYNO=$DYNO PORT=${PORT-none} A=$A", port=23456)
    app.deploy(web, config={"A": "1"}, releasePhase=phase)
    before = {pod.uid for pod in app.pods("web")}
    assert app.log(app.pods("release")[0]) == "DYNO=release.1 PORT=none A=1"
    with pytest.raises(ReleaseError):
        app.deploy(web, config={"A": "2"}, releasePhase=phase | {"command": "echo failing with $A; exit 3"})
    assert {pod.uid for pod in app.pods("web")} == before
    assert app.cluster.kube.secret(app.namespace, "app-config-v1") == {"A": b"1"}
    assert app.log(app.pods("release")[-1]) == "failing with 2"
    app.deploy(web, config={"A": "2"}, releasePhase=phase)
    assert {pod.uid for pod in app.pods("web")} != before
    assert app.cluster.kube.secret(app.namespace, "app-config-v1") == {"A": b"1"}, "for processes that start again"
    phases = {pod.uid for pod in app.pods("release")}
    app.deploy(web, config={"A": "2"}, releasePhase=phase, running=False)
    assert not app.pods("web")
    assert {pod.uid for pod in app.pods("release")} == phases


def test_a_web_that_never_binds_is_killed(app: App) -> None:
    app.deploy(app.process("web", "echo booting; sleep infinity"), wait=False)
    app.until(lambda: app.pods("web") and app.pods("web")[0].restarts)
    assert not app.pods("web")[0].ready


def test_memory_beyond_twice_the_size_is_the_end(app: App) -> None:
    app.deploy(app.process("worker", "sleep 1; tail /dev/zero", memory=32), wait=False)
    app.until(
        lambda: any(
            each.last and each.last.reason == "OOMKilled" for pod in app.pods("worker") for each in pod.containers
        )
    )
