"""Programs in containers, over the exec WebSocket of the API server."""

import json
import threading
from collections.abc import Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from devenv.base.errors import ClusterError
from devenv.base.proc import Completed
from devenv.cluster.kube_client import STATUS_HINT, Connection, refused, unreachable

if TYPE_CHECKING:
    from devenv.cluster.kube_socket import DuplexSocket

# v5 adds the CLOSE frame, without which a program that reads stdin to its end never ends
# (KEP-4006; https://github.com/kubernetes/kubernetes/blob/master/staging/src/k8s.io/apimachinery/pkg/util/remotecommand/constants.go)
PROTOCOL = "v5.channel.k8s.io"
STDIN, STDOUT, STDERR, ERROR, CLOSE = 0, 1, 2, 3, 255
FRAME = 64 * 1024


class ExecStream:
    """A program in a container. One thread may write while another reads."""

    def __init__(self, socket: "DuplexSocket") -> None:
        self._socket = socket
        self._sending = threading.Lock()
        self.code: int | None = None  # the exit status, once it has ended
        self.failure = ""  # why there is no exit status

    def write(self, data: bytes) -> None:
        """Send bytes to its stdin; raises ClusterError when it is gone."""
        for start in range(0, len(data), FRAME):
            self._send(bytes([STDIN]) + data[start : start + FRAME])

    def close_stdin(self) -> None:
        """Tell it that its stdin has ended."""
        self._send(bytes([CLOSE, STDIN]))

    def _send(self, frame: bytes) -> None:
        import websocket

        try:
            with self._sending:
                self._socket.send_binary(frame)
        except (websocket.WebSocketException, OSError) as error:
            raise ClusterError(
                "the connection to the container broke off", "the pod may have been replaced: `devenv ps`"
            ) from error

    def read(self, timeout: float | None = None) -> tuple[int, bytes] | None:
        """The next (1 stdout or 2 stderr, bytes); None at its end. Raises TimeoutError after so many silent seconds."""
        piece = self._read(timeout)
        if piece is None:
            self.close()  # who waits to write need not wait for that long
            with self._sending:
                self._socket.shutdown()  # type: ignore[no-untyped-call]
        return piece

    def _read(self, timeout: float | None) -> tuple[int, bytes] | None:
        import websocket

        try:
            self._socket.patience = timeout
            while True:
                opcode, data = self._socket.recv_data()
                if opcode == websocket.ABNF.OPCODE_CLOSE or not data:
                    return None
                if data[0] in (STDOUT, STDERR) and len(data) > 1:
                    return data[0], data[1:]
                if data[0] == ERROR:
                    self.code, self.failure = outcome(data[1:])
        except websocket.WebSocketTimeoutException as error:
            raise TimeoutError from error
        except (websocket.WebSocketException, OSError):
            return None

    def complete(self, argv: Sequence[str], stdin: bytes, timeout: float) -> Completed:
        """Feed stdin, collect all output, wait for the end; raises ClusterError when there is no exit status."""
        if stdin:
            threading.Thread(target=self._feed, args=(stdin,), daemon=True).start()
        parts: dict[int, list[bytes]] = {STDOUT: [], STDERR: []}
        try:
            while piece := self.read(timeout):
                parts[piece[0]].append(piece[1])
        except TimeoutError:
            raise ClusterError(
                f"`{argv[0]}` in the container gave no sign for {timeout:.0f} s", "`devenv ps` tells whether it runs"
            ) from None
        if self.code is None:
            raise ClusterError(
                f"`{argv[0]}` could not be run in the container",
                "`devenv ps` tells whether it runs",
                [self.failure or "it broke off"],
            )
        out, err = (b"".join(parts[each]).decode(errors="replace") for each in (STDOUT, STDERR))
        return Completed(tuple(argv), self.code, out, err)

    def _feed(self, stdin: bytes) -> None:
        try:
            self.write(stdin)
            self.close_stdin()
        except ClusterError:
            return  # it ended before it read everything; its exit status tells why

    def close(self) -> None:
        """Drop the connection, from any thread. A program that does not read its stdin goes on: see to its end yourself."""
        # The file descriptor stays until the reader has seen the end, or the stream is forgotten: one that is closed while a thread is
        # about to use it may be another file's by then (https://www.sqlite.org/howtocorrupt.html, section 1.1)
        self._socket.abort()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def outcome(status: bytes) -> tuple[int | None, str]:
    """Exit status and failure from the API's Status object: (0, ""), (3, "") or (None, why)."""
    answer = json.loads(status or b"{}")
    if answer.get("status") == "Success":
        return 0, ""
    for cause in (answer.get("details") or {}).get("causes") or []:
        if cause.get("reason") == "ExitCode":
            return int(cause["message"]), ""
    return None, str(answer.get("message", ""))


def open_stream(
    http: Connection, namespace: str, pod: str, argv: Sequence[str], *, container: str | None, stdin: bool
) -> ExecStream:
    """Start `argv` in a container; raises NotFound or ClusterError when that is refused."""
    import websocket

    from devenv.cluster.kube_socket import DuplexSocket

    trust = http.credentials
    tls: dict[str, Any] = {"context": trust.tls} if trust.tls else {}
    if trust.tls and trust.server_name:
        tls["server_hostname"] = trust.server_name
    socket = DuplexSocket(sslopt=tls, enable_multithread=True)
    path = f"/api/v1/namespaces/{namespace}/pods/{pod}/exec"
    try:
        socket.connect(
            trust.server.replace("http", "ws", 1) + path + "?" + query(argv, container, stdin),
            timeout=30,
            header=[f"{name}: {value}" for name, value in trust.headers().items()],
            subprotocols=[PROTOCOL],
            suppress_origin=True,
            # as all other calls: a proxy in the environment knows no cluster of this machine. The list counts beside a host only
            http_proxy_host="none",
            http_no_proxy=["*"],
        )
    except websocket.WebSocketBadStatusException as error:
        raise refused(error.status_code, "exec", path, error.resp_body or b"") from error
    except (websocket.WebSocketException, OSError) as error:
        raise unreachable(http.access, trust.server, error) from error
    if socket.getsubprotocol() != PROTOCOL:
        socket.abort()
        raise ClusterError(
            "the cluster is too old to exec over WebSocket", "Kubernetes 1.30 or later is needed", [STATUS_HINT]
        )
    return ExecStream(socket)


def query(argv: Sequence[str], container: str | None, stdin: bool) -> str:
    """The query string of an exec call."""
    from urllib.parse import urlencode

    pairs = [("command", word) for word in argv] + [("stdout", "true"), ("stderr", "true")]
    if container:
        pairs.append(("container", container))
    if stdin:
        pairs.append(("stdin", "true"))
    return urlencode(pairs)
