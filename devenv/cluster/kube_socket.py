"""A WebSocket that one thread reads while another writes to it."""

import selectors
import socket
import ssl
import threading
from collections.abc import Callable
from typing import Any

from websocket import WebSocket, WebSocketConnectionClosedException, WebSocketTimeoutException


class DuplexSocket(WebSocket):
    """Calls TLS for one thread at a time, and waits outside of that.

    TLS keeps with the connection why its last call gave nothing (https://docs.openssl.org/master/man3/SSL_get_error/), and Python, 3.11 for one,
    lets two threads call at once (https://github.com/python/cpython/issues/124984): a reader that took the writer's reason for its own saw the
    end of a connection that went on, in one of a hundred programs that were fed a megabyte.
    """

    patience: float | None = None  # seconds that a read waits; for a write it is the timeout of the connection

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._calling = threading.Lock()

    def connect(self, url: str, **options: Any) -> None:
        """Connect as any WebSocket does: nobody else knows it yet."""
        super().connect(url, **options)  # type: ignore[no-untyped-call]
        if self.sock:
            self.sock.setblocking(False)

    def abort(self) -> None:
        """End the connection, from any thread; who waits for it notices. Its file stays."""
        sock = self.sock
        try:
            if sock:
                # TLS's own way to shut down makes a reader take what is still encrypted for an answer
                socket.socket.shutdown(sock, socket.SHUT_RDWR)
        except OSError:
            return  # it has ended already

    def _recv(self, bufsize: int) -> bytes:
        data: bytes = self._call(lambda sock: sock.recv(bufsize), selectors.EVENT_READ, self.patience)
        if not data:  # the library would close the file here, while another thread may be about to use it
            raise WebSocketConnectionClosedException("it has ended")
        return data

    def _send(self, data: Any) -> int:
        sent: int = self._call(lambda sock: sock.send(data), selectors.EVENT_WRITE, self.gettimeout())
        return sent

    def _call(self, call: Callable[[socket.socket], Any], event: int, patience: float | None) -> Any:
        sock = self.sock
        if sock is None:
            raise WebSocketConnectionClosedException("it is closed")
        while True:
            try:
                with self._calling:
                    return call(sock)
            except ssl.SSLWantReadError:
                awaited = selectors.EVENT_READ
            except ssl.SSLWantWriteError:
                awaited = selectors.EVENT_WRITE
            except BlockingIOError:
                awaited = event
            with selectors.DefaultSelector() as selector:
                selector.register(sock, awaited)
                if not selector.select(patience):
                    raise WebSocketTimeoutException("nothing for too long")
