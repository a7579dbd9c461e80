"""Every stand-in on the real cluster: reached by the URLs that the app gets, TLS and plain; its data stays."""

import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from devenv.base.console import Console
from devenv.base.proc import SubprocessRunner
from devenv.images import build, publish
from devenv.ops import shipped
from devenv.plan.model import Release
from tests.integration.conftest import Cluster

pytestmark = pytest.mark.integration

CREDENTIALS = {"user": "u1a2b", "password": "p" + "3c4d" * 16, "database": "d5e6f"}
CLIENT = """
apiVersion: v1
kind: Pod
metadata: {name: client}
spec:
  containers: [{name: client, image: {{ .Values.image | quote }}, command: [sleep, infinity]}]
  enableServiceLinks: false
  terminationGracePeriodSeconds: 0
"""


@dataclass(frozen=True)
class StandIn:
    """An installed stand-in, and a pod beside it with the same programs."""

    cluster: Cluster
    namespace: str
    chart: str
    images: Mapping[str, str]  # chart value -> reference

    @property
    def pod(self) -> str:
        return f"{self.chart}-0"

    def install(self, running: bool = True) -> None:
        spec = shipped.catalog().addons[self.chart]
        values = {
            "env": self.namespace,
            "name": self.chart,
            "running": running,
            **self.images,
            "version": spec.version,
            "credentials": self.credentials(),
            "storage": spec.storage,
            "memory": spec.memory,
        }
        release = Release(self.chart, self.namespace, self.chart, values, "f")
        self.cluster.helm.upgrade(release, shipped.chart(self.chart), 240)
        if running:
            self.reach(spec.port)

    def reach(self, port: int) -> None:
        """Wait until kube-proxy leads to the server. An app's pod starts after it; the client was there before."""
        server = f"{self.chart}.{self.namespace}"
        knock = f"nc -z {server} {port} || bash -c ': < /dev/tcp/{server}/{port}'"
        self.client("timeout", "20", "sh", "-c", f"until {{ {knock}; }} 2>/dev/null; do sleep 0.1; done")

    def credentials(self) -> dict[str, str]:
        makers = shipped.catalog().addons[self.chart].credentials
        return {
            name: maker.removeprefix("literal:") if maker.startswith("literal:") else CREDENTIALS[name]
            for name, maker in makers.items()
        }

    def config(self, service: str) -> Mapping[str, str]:
        """The config vars that an app gets from a service."""
        spec = shipped.catalog().addons[self.chart]
        facts = {
            "attachment": spec.services[service].attachment,
            "name": self.chart,
            "host": f"{self.chart}.{self.namespace}",
            "port": spec.port,
            **self.credentials(),
        }
        return {name.format(**facts): value.format(**facts) for name, value in spec.services[service].config.items()}

    def client(self, *argv: str, stdin: str = "") -> str:
        """Run a program in the client pod; its output."""
        return self._exec("client", "client", argv, stdin)

    def inside(self, verb: str, *words: str) -> str:
        """What `devenv VERB WORDS` runs, in the server's own pod."""
        argv = (*shipped.catalog().addons[self.chart].clients[verb], *words)
        return self._exec(self.pod, self.chart, argv, "")

    def _exec(self, pod: str, container: str, argv: tuple[str, ...], stdin: str) -> str:
        done = self.cluster.kube.exec(self.namespace, pod, argv, container=container, stdin=stdin.encode())
        assert done.code == 0, (shlex.join(argv), done.stdout, done.stderr)
        return done.stdout.strip()

    def down_and_up(self) -> None:
        """As `devenv down` and `up` do; then as if the add-on had been removed and added again."""
        certificate = self.cluster.kube.secret(self.namespace, f"{self.chart}-tls")
        self.install(running=False)
        self.cluster.kube.wait_gone(self.namespace, "devenv.dev/kind=addon", 90)
        self.install()
        self.cluster.helm.uninstall(self.chart, self.namespace)
        self.install()
        assert self.cluster.kube.secret(self.namespace, f"{self.chart}-tls") == certificate


@pytest.fixture
def stand_in(cluster: Cluster, namespace: str, request: pytest.FixtureRequest, tmp_path: Path) -> StandIn:
    chart: str = request.param
    spec = shipped.catalog().addons[chart]
    keys = {"image": spec.image, **({"edgeImage": spec.edge} if spec.edge else {})}
    runner = SubprocessRunner()
    if cluster.spec.source == "built":
        build.build(runner, Console(quiet=True), list(keys.values()))
        publish.publish(runner, keys.values(), cluster.status.registry)
    images = {name: publish.reference(key, cluster.spec.source, cluster.status.registry) for name, key in keys.items()}
    (tmp_path / "templates").mkdir()
    (tmp_path / "Chart.yaml").write_text("apiVersion: v2\nname: client\nversion: 0.1.0\n")
    (tmp_path / "templates" / "client.yaml").write_text(CLIENT)
    cluster.helm.upgrade(Release("client", namespace, "client", {"image": images["image"]}, "f"), tmp_path, 120)
    found = StandIn(cluster, namespace, chart, images)
    found.install()
    return found


def only(chart: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("stand_in", [chart], indirect=True, ids=[chart])


@only("postgres")
def test_postgres(stand_in: StandIn) -> None:
    url = stand_in.config("heroku-postgresql")["DATABASE_URL"]
    assert url.startswith("postgres://")
    assert "?" not in url
    ssl = "select ssl from pg_stat_ssl where pid = pg_backend_pid()"
    assert stand_in.client("psql", url, "-Atc", ssl) == "t"
    assert stand_in.client("psql", f"{url}?sslmode=require", "-Atc", ssl) == "t"
    assert stand_in.client("psql", f"{url}?sslmode=disable", "-Atc", ssl) == "f"
    wrong = url.replace(CREDENTIALS["password"], "wrong")
    assert stand_in.cluster.kube.exec(stand_in.namespace, "client", ("psql", wrong, "-c", "select 1")).code
    stand_in.client("psql", url, "-c", "create extension pg_trgm; create table t (s text); insert into t values ('ä')")
    stand_in.down_and_up()
    assert stand_in.client("psql", url, "-Atc", "select s from t") == "ä"
    assert stand_in.inside("pg:psql", "-Atc", "select s, current_setting('server_encoding') from t") == "ä|UTF8"


@only("redis")
def test_redis(stand_in: StandIn) -> None:
    url = urlsplit(stand_in.config("heroku-redis")["REDIS_URL"])
    assert (url.scheme, url.username) == ("rediss", "")
    plain = urlsplit(stand_in.config("rediscloud")["REDISCLOUD_URL"])
    login = ("env", f"REDISCLI_AUTH={url.password}", "valkey-cli")
    tls = (*login, "--tls", "--insecure", "-h", f"{url.hostname}", "-p", f"{url.port}")
    assert stand_in.client(*tls, "set", "key", "ä b") == "OK"
    assert stand_in.client(*login, "-h", f"{plain.hostname}", "-p", f"{plain.port}", "--raw", "get", "key") == "ä b"
    assert "NOAUTH" in stand_in.client("valkey-cli", "-h", f"{plain.hostname}", "get", "key")
    stand_in.down_and_up()
    assert stand_in.client(*tls, "--raw", "get", "key") == "ä b"
    assert stand_in.inside("redis:cli", "--raw", "get", "key") == "ä b"


@only("mosquitto")
def test_mosquitto(stand_in: StandIn) -> None:
    config = stand_in.config("stackhero-mosquitto")
    clear, tls = config["STACKHERO_MOSQUITTO_URL_CLEAR"], config["STACKHERO_MOSQUITTO_URL_TLS"]
    assert clear == stand_in.config("cloudmqtt")["CLOUDMQTT_URL"]
    certificate = stand_in.cluster.kube.secret(stand_in.namespace, "mosquitto-tls")["tls.crt"].decode()
    stand_in.client("sh", "-c", "cat > /tmp/certificate", stdin=certificate)
    stand_in.client("mosquitto_pub", "-L", f"{clear}/room/1", "-q", "1", "-r", "-m", "21 °C")
    subscribe = ("mosquitto_sub", "-L", f"{tls}/room/1", "-C", "1", "-W", "10", "--cafile", "/tmp/certificate")
    assert stand_in.client(*subscribe) == "21 °C"
    nobody = ("mosquitto_sub", "-h", f"mosquitto.{stand_in.namespace}", "-t", "#", "-C", "1", "-W", "5")
    assert stand_in.cluster.kube.exec(stand_in.namespace, "client", nobody).code
    stand_in.down_and_up()
    assert stand_in.client(*subscribe) == "21 °C"
    stand_in.inside("mqtt:pub", "-t", "room/2", "-r", "-m", "hot")
    assert stand_in.inside("mqtt:sub", "-t", "room/2", "-C", "1", "-W", "10") == "hot"


@only("elasticsearch")
def test_elasticsearch(stand_in: StandIn) -> None:
    bonsai = stand_in.config("bonsai")["BONSAI_URL"]
    tls = stand_in.config("searchbox")["SEARCHBOX_SSL_URL"]
    found = stand_in.config("foundelasticsearch")["FOUNDELASTICSEARCH_URL"]
    assert "@" not in found
    # what an Elasticsearch 8 client sends and looks for
    kind = "application/vnd.elasticsearch+json; compatible-with=8"
    body = ("-H", f"Content-Type: {kind}", "-H", f"Accept: {kind}", "--fail-with-body", "-sS")
    document = ("-X", "PUT", f"{bonsai}/books/_doc/1?refresh=true", "-d", '{"title": "Faust"}')
    assert '"created"' in stand_in.client("curl", *body, "-i", *document)
    assert "x-elastic-product: elasticsearch" in stand_in.client("curl", "-sSI", *body, bonsai).lower()
    assert "You Know, for Search" in stand_in.client("curl", "-sSk", tls)
    login = f"elastic:{CREDENTIALS['password']}"
    assert "Faust" in stand_in.client("curl", "-sSk", "-u", login, f"{found}/books/_search?q=title:faust")
    for url in (found, bonsai.replace(f"{login}@", "")):
        assert stand_in.client("curl", "-sSk", "-o", "/dev/null", "-w", "%{http_code}", url) == "401"
    stand_in.down_and_up()
    assert "Faust" in stand_in.client("curl", "-sSk", f"{tls}/books/_doc/1")
    assert stand_in.inside("es:curl", "/books/_count").startswith('{"count":1')
