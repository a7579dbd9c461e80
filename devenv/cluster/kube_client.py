"""HTTP to one Kubernetes API server, by an explicit kubeconfig and context. JSON in, JSON out.

The official client costs 0.3 s of every command's start: it is loaded only for the credentials of kubeconfig plug-ins.
"""

import base64
import contextlib
import json
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from devenv.base.errors import ClusterError
from devenv.base.resources import load_yaml
from devenv.plan.model import Access

if TYPE_CHECKING:
    import ssl

    import urllib3

STATUS_HINT = "`devenv cluster status` tells its state, `devenv up` starts it again"
Params = Mapping[str, str | int | bool]
Json = dict[str, Any]


class NotFound(ClusterError):
    """The object is not there."""


class Conflict(ClusterError):
    """The object is there already, or has changed meanwhile."""


@dataclass(slots=True)
class Credentials:
    """What a kubeconfig says of one context: where the server is, how to trust it and how to be trusted."""

    server: str
    tls: "ssl.SSLContext | None"
    server_name: str | None = None
    headers: Callable[[], dict[str, str]] = field(default=dict)


def load(access: Access) -> Credentials:
    """Read the kubeconfig; raises ClusterError when the file or the context is not there."""
    if not access.kubeconfig.exists():
        raise ClusterError(
            f"there is no access to the cluster `{access.context}` yet", "`devenv cluster create` makes it"
        )
    config = load_yaml(access.kubeconfig.read_text(), str(access.kubeconfig)) or {}
    context = _named(config, "contexts", access.context).get("context") or {}
    cluster = _named(config, "clusters", context.get("cluster", "")).get("cluster") or {}
    user = _named(config, "users", context.get("user", "")).get("user") or {}
    base = access.kubeconfig.parent
    server = str(cluster.get("server", "")).rstrip("/")
    if user.get("exec") or user.get("auth-provider"):
        return _plugin_credentials(access, server, cluster.get("tls-server-name"))
    tls = _tls(cluster, user, base) if server.startswith("https:") else None
    return Credentials(server, tls, cluster.get("tls-server-name"), lambda: _token_header(user, base))


def _named(config: Json, section: str, name: str) -> Json:
    for entry in config.get(section) or []:
        if entry.get("name") == name:
            return dict(entry)
    raise ClusterError(
        f"the kubeconfig has no entry `{name}` in `{section}`", "`devenv cluster status` tells which clusters there are"
    )


def _token_header(user: Json, base: Path) -> dict[str, str]:
    token = user.get("token")
    if not token and user.get("tokenFile"):
        token = (base / user["tokenFile"]).read_text().strip()
    return {"Authorization": f"Bearer {token}"} if token else {}


def trusting(authorities: str | None, verify: bool) -> "ssl.SSLContext":
    """A context that verifies, if at all, by the CAs in the file `authorities`, None = by this machine's."""
    import ssl

    context = ssl.create_default_context(cafile=authorities)
    # the default since Python 3.13; the CAs of EKS lack what it asks for (https://github.com/kubernetes-client/python/issues/2394)
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    if not verify:
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


def _tls(cluster: Json, user: Json, base: Path) -> "ssl.SSLContext":
    import tempfile

    context = trusting(None, not cluster.get("insecure-skip-tls-verify"))
    if cluster.get("certificate-authority-data"):
        context.load_verify_locations(cadata=base64.b64decode(cluster["certificate-authority-data"]).decode())
    elif cluster.get("certificate-authority"):
        context.load_verify_locations(cafile=base / cluster["certificate-authority"])
    if user.get("client-certificate-data"):
        # the ssl module reads a client certificate from a file only
        with tempfile.NamedTemporaryFile() as pem:
            pem.write(
                base64.b64decode(user["client-certificate-data"]) + b"\n" + base64.b64decode(user["client-key-data"])
            )
            pem.flush()
            context.load_cert_chain(pem.name)
    elif user.get("client-certificate"):
        context.load_cert_chain(base / user["client-certificate"], base / user["client-key"])
    return context


def _plugin_credentials(access: Access, server: str, server_name: str | None) -> Credentials:
    """Credentials that a program hands out (cloud clusters): the official client knows how to ask and to renew them."""
    from kubernetes import client, config

    settings = client.Configuration()
    try:
        config.load_kube_config(str(access.kubeconfig), access.context, settings, persist_config=False)
    except config.ConfigException as error:
        raise ClusterError(
            f"no credentials for `{access.context}`: {error}", f"try `kubectl --context {access.context} get ns`"
        ) from error
    tls = trusting(settings.ssl_ca_cert, settings.verify_ssl)
    if settings.cert_file:
        tls.load_cert_chain(settings.cert_file, settings.key_file)

    def headers() -> dict[str, str]:
        return {entry["key"]: entry["value"] for entry in settings.auth_settings().values() if entry["value"]}

    return Credentials(server, tls, server_name, headers)


class Connection:
    """A pool of connections to the API server; safe to share between threads. Opens nothing before the first call."""

    def __init__(self, access: Access) -> None:
        self.access = access
        self._lock = threading.Lock()
        self._credentials: Credentials | None = None
        self._pool: urllib3.PoolManager | None = None

    @property
    def credentials(self) -> Credentials:
        """The kubeconfig's content, read once."""
        with self._lock:
            if self._credentials is None:
                self._credentials = load(self.access)
            return self._credentials

    def json(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        params: Params | None = None,
        accept: str = "application/json",
        content_type: str = "application/json",
        timeout: float = 30,
    ) -> Json:
        """One call; raises NotFound, Conflict or ClusterError."""
        headers = {"Accept": accept, "Content-Type": content_type}
        data = None if body is None else json.dumps(body).encode()
        with self._call(method, path, params, data, headers, timeout) as response:
            content = response.data
        answer = json.loads(content) if content else {}
        return answer if isinstance(answer, dict) else {"items": answer}

    def text(self, path: str, *, params: Params | None = None, timeout: float = 30) -> str:
        """The answer of a GET as text."""
        with self._call("GET", path, params, None, {"Accept": "*/*"}, timeout) as response:
            return response.data.decode(errors="replace")

    def lines(self, path: str, *, params: Params | None = None, timeout: float | None = None) -> Iterator[str]:
        """The answer of a GET line by line as it comes; `timeout` bounds the silence between two of them."""
        with self._call("GET", path, params, None, {"Accept": "*/*"}, timeout) as response:
            rest = b""
            for chunk in self._chunks(response):
                *whole, rest = (rest + chunk).split(b"\n")
                for line in whole:
                    yield line.decode(errors="replace").removesuffix("\r")
            if rest:
                yield rest.decode(errors="replace")

    def _chunks(self, response: "urllib3.BaseHTTPResponse") -> Iterator[bytes]:
        import urllib3

        try:
            yield from response.stream(65536)
        except urllib3.exceptions.ReadTimeoutError:
            return  # the caller's bound on silence: a stream that ended, not a fault
        except urllib3.exceptions.HTTPError as error:
            raise ClusterError("the connection to the cluster broke off", STATUS_HINT) from error

    @contextlib.contextmanager
    def _call(
        self,
        method: str,
        path: str,
        params: Params | None,
        data: bytes | None,
        headers: dict[str, str],
        timeout: float | None,
    ) -> Iterator["urllib3.BaseHTTPResponse"]:
        import urllib3

        trust = self.credentials
        try:
            response = self._manager().request(
                method,
                trust.server + path + _query(params),
                body=data,
                headers={**headers, **trust.headers()},
                timeout=urllib3.Timeout(connect=5, read=timeout),
                # a call that never reached the server may go again; one that did may have had its effect
                retries=urllib3.Retry(
                    total=2, connect=2, read=2 if method == "GET" else 0, redirect=0, other=0, backoff_factor=0.1
                ),
                preload_content=False,
            )
        except urllib3.exceptions.HTTPError as error:
            raise unreachable(self.access, trust.server, error) from error
        try:
            if response.status >= 400:
                raise refused(response.status, method, path, response.data)
            yield response
        except urllib3.exceptions.HTTPError as error:
            raise unreachable(self.access, trust.server, error) from error
        finally:
            # a half-read body may not go back to the pool: the next call would read the rest of it
            response.close() if timeout is None else response.drain_conn()
            response.release_conn()

    def _manager(self) -> "urllib3.PoolManager":
        import urllib3

        trust = self.credentials
        with self._lock:
            if self._pool is None:
                named = {"server_hostname": trust.server_name} if trust.server_name else {}
                self._pool = urllib3.PoolManager(num_pools=2, maxsize=16, ssl_context=trust.tls, **named)  # type: ignore[arg-type]
            return self._pool


def _query(params: Params | None) -> str:
    from urllib.parse import urlencode

    return f"?{urlencode({name: _param(value) for name, value in params.items()})}" if params else ""


def _param(value: str | int | bool) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def unreachable(access: Access, server: str, error: Exception) -> ClusterError:
    """The error for a server that does not answer."""
    reason = getattr(error, "reason", None) or error
    text = str(reason)
    if "certificate" in text.lower():
        return ClusterError(
            f"`{server}` is not the cluster `{access.context}` was made with",
            "another program took over its port: `devenv cluster status` tells more",
            [text],
        )
    what = "did not answer in time" if "timed out" in text else "does not answer"
    return ClusterError(f"the cluster `{access.context}` {what} at `{server}`", STATUS_HINT)


def refused(status: int, method: str, path: str, body: bytes) -> ClusterError:
    """The error for an answer of 400 and above; `body` is the API's Status object, if it is one."""
    try:
        message = str(json.loads(body).get("message") or "")
    except (ValueError, AttributeError):
        message = body.decode(errors="replace").strip()[:200]
    if status == 404:
        return NotFound(message or f"`{path}` is not in the cluster", "`devenv ps` shows what is")
    if status == 409:
        return Conflict(
            message or f"`{path}` is there already", "try again: another command changed it at the same time"
        )
    if status in (401, 403):
        who = "does not know these credentials" if status == 401 else "does not allow this"
        return ClusterError(
            f"the cluster {who}", "`devenv cluster status` tells which cluster is in use", [message] if message else []
        )
    if status in (429, 503, 504):
        return ClusterError(
            f"the cluster is too busy to answer (status {status})",
            "wait a moment and try again",
            [message] if message else [],
        )
    return ClusterError(
        f"the cluster refused `{method} {path}` with status {status}", STATUS_HINT, [message] if message else []
    )
