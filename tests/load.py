"""A constant load of requests through the router, half of it on connections that stay open, and every failure kept."""

import http.client
import threading
import time
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

KEPT, FRESH = 4, 2  # threads that keep their connection, threads that open one for each request
RATE = 50.0  # requests a second, of all threads together


@dataclass(frozen=True, slots=True)
class Seen:
    """One request: when it was sent and answered (monotonic seconds), and the body; `failure` is "" for a 200."""

    sent: float
    done: float
    text: str
    failure: str


@dataclass
class Load:
    """Requests for `path` of `host` at a port of this machine while the `with` block runs."""

    port: int
    host: str
    path: str = "/"
    timeout: float = 35  # the router gives up after 30 s
    seen: list[Seen] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._stop = threading.Event()
        kinds = [True] * KEPT + [False] * FRESH
        self._threads = [threading.Thread(target=self._ask, args=(index, kept)) for index, kept in enumerate(kinds)]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(timeout=self.timeout + 5)

    @property
    def failures(self) -> list[Seen]:
        """Every request that was not answered with 200."""
        return [each for each in self.seen if each.failure]

    def since(self, moment: float) -> list[Seen]:
        """The requests sent after `moment`."""
        return [each for each in self.seen if each.sent > moment]

    def _ask(self, index: int, kept: bool) -> None:
        pause = (KEPT + FRESH) / RATE
        connection = self._connection()
        due = time.monotonic() + pause * index / (KEPT + FRESH)
        while not self._stop.wait(max(0.0, due - time.monotonic())):
            if not kept:
                connection.close()
                connection = self._connection()
            self.seen.append(one := self._request(connection))
            if one.failure:
                connection.close()
            due = max(due + pause, time.monotonic())
        connection.close()

    def _connection(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=self.timeout)

    def _request(self, connection: http.client.HTTPConnection) -> Seen:
        sent = time.monotonic()
        text, failure = "", ""
        try:
            connection.request("GET", self.path, headers={"Host": f"{self.host}:{self.port}"})
            answer = connection.getresponse()
            text = answer.read().decode("utf-8", "replace")
            if answer.status != 200:
                failure = f"{answer.status} {answer.getheader('x-devenv-error', '')}".strip()
        except (OSError, http.client.HTTPException) as error:
            failure = f"{type(error).__name__}: {error}"
        return Seen(sent, time.monotonic(), text, failure)
