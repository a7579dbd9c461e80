"""The router on the real cluster, before an app that misbehaves on request."""

import http.client
import json
import re
import socket
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from threading import Thread
from typing import Any

import pytest

from devenv.base.proc import SubprocessRunner
from devenv.images import catalog, crds
from devenv.ops import shipped
from devenv.plan import values
from devenv.plan.model import Release
from devenv.plan.router_log import heroku_line, parse
from tests.integration.conftest import Cluster

pytestmark = pytest.mark.integration

ENV = "router-env"
REQUEST, IDLE = 3, 5  # seconds; Heroku's 30 and 55
SERVER = r"""
use IO::Socket::INET;
$| = 1; $SIG{CHLD} = 'IGNORE'; my $again = 0;
$SIG{USR1} = sub { $again = 1 };
sub listen_ { IO::Socket::INET->new(LocalPort => $ENV{PORT}, Listen => 50, ReuseAddr => 1) or die $! }
my $s = listen_();
while (1) {
  my $c = $s->accept;
  if ($again) { close $s; sleep 3; exec $^X, '-e', $ENV{SERVER} }
  next if !$c or fork;
  my ($head, $line) = ('', '');
  while (defined($line = <$c>) and $line ne "\r\n") { $head .= $line }
  my ($path) = $head =~ m{^\S+ /(\S*)};
  my ($do, $n) = split m{/}, $path;
  my $start = "HTTP/1.1 200 OK\r\nServer: trial\r\nConnection: close\r\n";
  if ($do eq 'cut') { exit }
  elsif ($do eq 'garbage') { print $c "nonsense\r\n\r\n" }
  elsif ($do eq 'busy') { print $c "HTTP/1.1 503 Busy\r\nConnection: close\r\n\r\nthe app's own words" }
  elsif ($do eq 'slow') { sleep $n; print $c "$start\r\nslow" }
  elsif ($do eq 'stream') { print $c "$start\r\n"; $c->flush; for (1..$n) { print $c "x"; $c->flush; sleep 1 } }
  elsif ($do eq 'restart') { print $c "$start\r\nsoon"; close $c; kill 'USR1', getppid }
  elsif ($do eq 'socket') {
    print $c "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n"; $c->flush;
    while (sysread $c, my $data, 100) { syswrite $c, $data }
  }
  else { print $c "$start\r\n$ENV{NAME}\n$head" }
  exit;
}
"""


@dataclass(frozen=True)
class Answer:
    """What came back, and after how many seconds."""

    status: int
    code: str | None  # the router's H-code
    text: str
    headers: dict[str, str]
    seconds: float
    request_id: str


@dataclass(frozen=True)
class Router:
    """The router as a browser reaches it, and its log."""

    cluster: Cluster

    def get(self, path: str, host: str = f"{ENV}.localhost", headers: dict[str, str] | None = None) -> Answer:
        began, request_id = time.monotonic(), str(uuid.uuid4())
        connection = http.client.HTTPConnection("127.0.0.1", self.cluster.status.http_port, timeout=40)
        try:
            connection.request("GET", path, headers={"Host": host, "X-Request-Id": request_id, **(headers or {})})
            answer = connection.getresponse()
            text = answer.read().decode()
        finally:
            connection.close()
        known = {name.lower(): value for name, value in answer.getheaders()}
        return Answer(answer.status, known.get("x-devenv-error"), text, known, time.monotonic() - began, request_id)

    def until(self, status: int, path: str = "/", host: str = f"{ENV}.localhost") -> None:
        deadline = time.monotonic() + 90
        while True:
            try:
                if self.get(path, host).status == status:
                    return
            except OSError:
                pass  # no Envoy yet
            assert time.monotonic() < deadline, f"no {status} from {host}{path}"
            time.sleep(0.1)

    def line(self, request_id: str) -> str:
        """Heroku's line for a request."""
        deadline = time.monotonic() + 15
        kube = self.cluster.kube
        while True:
            for pod in kube.pods(values.SYSTEM, "devenv.dev/component=router"):
                entries = [parse(line) for line in kube.logs(values.SYSTEM, pod.name, "envoy")]
                if found := [entry for entry in entries if entry and entry.request_id == request_id]:
                    return heroku_line(found[-1], self._dyno)
            assert time.monotonic() < deadline, f"no line for {request_id}"
            time.sleep(0.2)

    def _dyno(self, ip: str) -> str:
        return "web.1" if ip in {pod.ip for pod in self.cluster.kube.pods(ENV)} else ""


@pytest.fixture(scope="module")
def router(cluster: Cluster) -> Iterator[Router]:
    """The router, with short time-outs, and one app behind it."""
    images = {"controller": "router-controller", "envoy": "envoy"}
    wishes: dict[str, Any] = {
        "images": {name: catalog.reference(key, cluster.spec.source) for name, key in images.items()},
        "hostPort": cluster.status.http_port,
        "timeouts": {"request": f"{REQUEST}s", "idle": f"{IDLE}s"},
    }
    chart = crds.router_chart(SubprocessRunner(), cluster.spec.source)
    cluster.kube.ensure_namespace(values.SYSTEM, {"devenv.dev/managed": "true"})
    cluster.helm.upgrade(Release(values.ROUTER, values.SYSTEM, "router", wishes, "f", 1), chart, 180)
    cluster.kube.ensure_namespace(ENV, {"devenv.dev/env": ENV})
    deploy(cluster, quantity=1)
    found = Router(cluster)
    found.until(200)
    yield found
    cluster.kube.delete_namespace(ENV, wait=False)


def deploy(cluster: Cluster, quantity: int, name: str = "first", version: int = 1) -> None:
    """The app's own chart, as `up` installs it."""
    web = {
        "name": "web",
        "type": "web",
        "image": cluster.image,
        "command": 'perl -e "$SERVER"',
        "argv": [],
        "shell": "bash",
        "quantity": quantity,
        "size": "Standard-1X",
        "memory": 512,
        "cpu": 10,
        "port": 23456,
        "env": {},
        "home": "",
    }
    release = {
        "version": version,
        "description": "Deploy",
        "mode": "release",
        "commit": "",
        "created": "",
        "phase": True,
    }
    gateway = {"name": "devenv", "namespace": values.SYSTEM}
    content = {
        "app": ENV,
        "env": ENV,
        "release": release,
        "running": True,
        "config": {"SERVER": SERVER, "NAME": name},
        "processes": [web],
        "releasePhase": None,
        "timeouts": {"boot": 60, "stop": 10, "release": 60},
        "route": {
            "host": f"{ENV}.localhost",
            "kind": "HTTPRoute",
            "process": "web",
            "timeout": "",
            "gateway": gateway,
        },
    }
    cluster.helm.upgrade(Release("app", ENV, "app", content, "f", version), shipped.chart("app"), 120)


def test_headers_of_a_request(router: Router) -> None:
    answer = router.get("/", headers={"X-Forwarded-For": "203.0.113.7", "X_Under": "score", "X-Request-Id": "a" * 36})
    sent = dict(re.findall(r"^(\S+): (.*?)\r?$", answer.text.lower(), re.MULTILINE))
    assert re.fullmatch(r"203\.0\.113\.7, ?\d+\.\d+\.\d+\.\d+", sent["x-forwarded-for"])
    assert sent["x-forwarded-proto"] == "http"
    assert sent["x-forwarded-port"] == str(router.cluster.status.http_port)
    assert abs(int(sent["x-request-start"]) / 1000 - time.time()) < 30
    assert (sent["x-request-id"], sent["via"], sent["x_under"]) == ("a" * 36, "1.1 devenv-router", "score")
    assert (answer.headers["server"], answer.headers["via"]) == ("trial", "1.1 devenv-router")


def test_line_of_an_answered_request(router: Router) -> None:
    said = router.line(router.get("/fine?a=1").request_id)
    assert re.search(
        r"heroku\[router\]: at=info method=GET path=\"/fine\?a=1\" host=\S+ request_id=[-0-9a-f]{36} ", said
    )
    assert re.search(r"dyno=web\.1 connect=\d+ms service=\d+ms status=200 bytes=\d+ protocol=http1\.1 tls=false$", said)


def test_no_first_byte_in_time(router: Router) -> None:
    answer = router.get("/slow/8")
    assert (answer.status, answer.code) == (503, "H12")
    assert REQUEST - 0.1 < answer.seconds < REQUEST + 2
    assert "devenv logs -p web" in answer.text
    assert 'at=error code=H12 desc="Request timeout"' in router.line(answer.request_id)


def test_an_answer_that_has_begun_is_not_cut(router: Router) -> None:
    answer = router.get(f"/stream/{REQUEST + 3}")
    assert (answer.status, answer.text) == (200, "x" * (REQUEST + 3))


@pytest.mark.parametrize(("path", "code"), [("/cut", "H13"), ("/garbage", "H17")])
def test_an_app_that_breaks_the_protocol(router: Router, path: str, code: str) -> None:
    answer = router.get(path)
    assert (answer.status, answer.code) == (503, code)
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert f"code={code} " in router.line(answer.request_id)


def test_the_apps_own_errors_pass(router: Router) -> None:
    answer = router.get("/busy")
    assert (answer.status, answer.code, answer.text) == (503, None, "the app's own words")
    assert "at=info" in router.line(answer.request_id)


def test_unknown_host(router: Router) -> None:
    answer = router.get("/unknown", host="nobody.localhost")
    assert (answer.status, answer.code) == (404, "404")
    assert "No app is served at this address" in answer.text
    assert "devenv up" in answer.text


def test_web_socket_and_its_idle_end(router: Router) -> None:
    request_id = str(uuid.uuid4())
    with socket.create_connection(("127.0.0.1", router.cluster.status.http_port), timeout=IDLE + 10) as client:
        client.sendall(
            f"GET /socket HTTP/1.1\r\nHost: {ENV}.localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
            f"X-Request-Id: {request_id}\r\n"
            "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n".encode()
        )
        assert client.recv(4096).startswith(b"HTTP/1.1 101 ")
        for word in (b"one", b"two"):
            client.sendall(word)
            assert client.recv(100) == word
        began = time.monotonic()
        assert client.recv(100) == b""
        assert IDLE - 1 < time.monotonic() - began < IDLE + 3
    assert 'code=H15 desc="Idle connection"' in router.line(request_id)


def test_a_request_waits_while_the_process_starts_again(router: Router) -> None:
    assert router.get("/restart").text == "soon"
    time.sleep(0.2)
    router.get("/wake")  # the server looks at its signal when a connection comes
    answer = router.get("/after-restart")
    assert answer.status == 200
    assert f"status={answer.status}" in router.line(answer.request_id)


def test_no_request_fails_while_pods_are_replaced(router: Router) -> None:
    seen: list[int] = []
    done: list[bool] = []

    def ask() -> None:
        while not done:
            seen.append(router.get("/").status)
            time.sleep(0.02)

    asker = Thread(target=ask)
    asker.start()
    try:
        deploy(router.cluster, quantity=1, name="second", version=2)
        deadline = time.monotonic() + 60
        while len(router.cluster.kube.pods(ENV)) > 1:  # the old pod answers until the router has dropped it
            assert time.monotonic() < deadline
            time.sleep(0.2)
    finally:
        done.append(True)
        asker.join()
    assert set(seen) == {200}
    assert len(seen) > 20
    assert router.get("/").text.startswith("second\n")


def test_no_web_process(router: Router) -> None:
    deploy(router.cluster, quantity=0, version=3)
    try:
        router.cluster.kube.wait_gone(ENV, "devenv.dev/process=web", 60)
        router.until(503, "/nobody")
        answer = router.get("/nobody")
        assert answer.code == "H14"
        assert "devenv ps:scale web=1" in answer.text
        said = router.line(answer.request_id)
        assert 'at=error code=H14 desc="No web processes running"' in said
        assert "dyno= connect= service= status=503 bytes= " in said
    finally:
        deploy(router.cluster, quantity=1, version=4)
        router.until(200)


def test_log_lines_are_json(router: Router) -> None:
    """Nothing else that Envoy prints may be taken for a request."""
    pod = router.cluster.kube.pods(values.SYSTEM, "devenv.dev/component=router")[0]
    for line in router.cluster.kube.logs(values.SYSTEM, pod.name, "envoy"):
        assert not line.startswith("{") or parse(line), json.dumps(line)
