"""The router's access log (charts/router, templates/gateway.yaml) and Heroku's line for each of its requests."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any


@dataclass(frozen=True, slots=True)
class RouterEntry:
    """One request as the router saw it; durations in milliseconds, `pod` is an IP address or empty."""

    start: str  # UTC, RFC 3339 without zone
    method: str
    path: str
    host: str
    request_id: str
    fwd: str
    pod: str
    connect: int | None
    service: int
    status: int
    bytes: int
    protocol: str  # "HTTP/1.1"
    tls: str  # "" = none, else "TLSv1.3"
    flags: tuple[str, ...]
    details: str
    env: str  # "" when no app is served at the host


@dataclass(frozen=True, slots=True)
class HCode:
    """One of Heroku's router codes. `status` is what Heroku logs with it; None = what was sent."""

    code: str
    desc: str
    status: int | None = None
    level: str = "error"
    sock: str = ""
    dyno: bool = True  # False: no dyno was reached, so the line names none


# Texts and levels: Heroku Dev Center, "Heroku Error Codes", and real lines quoted there.
APP_CRASHED = HCode("H10", "App crashed", 503, dyno=False)
BACKLOG = HCode("H11", "Backlog too deep", 503)
TIMEOUT = HCode("H12", "Request timeout", 503)
CLOSED = HCode("H13", "Connection closed without response", 503)
NO_DYNO = HCode("H14", "No web processes running", 503, dyno=False)
IDLE = HCode("H15", "Idle connection", 503)
NOT_HTTP = HCode("H17", "Poorly formatted HTTP response", 503)
INTERRUPTED = HCode("H18", "Server Request Interrupted", 503, sock="backend")
CONNECT_TIMEOUT = HCode("H19", "Backend connection timeout", 503)
BAD_REQUEST = HCode("H26", "Request Error")
CLIENT_GONE = HCode("H27", "Client Request Interrupted", 499, level="warning", sock="client")
CLIENT_IDLE = HCode("H28", "Client Connection Idle", 499)
PLATFORM = HCode("H99", "Platform error", 503, dyno=False)

# Envoy's flags: its documentation, "Access logging", command operator RESPONSE_FLAGS. The first that fits decides.
FLAGS: tuple[tuple[str, HCode], ...] = (
    ("UT", TIMEOUT),  # no first byte within the limit on an attempt
    ("UF", APP_CRASHED),  # no connection to the pod, after all retries
    ("UH", NO_DYNO),  # no healthy upstream
    ("UPE", NOT_HTTP),  # the upstream's answer broke the protocol
    ("UO", BACKLOG),  # the upstream's circuit breaker is open
    ("DC", CLIENT_GONE),  # downstream connection ended
    ("DR", CLIENT_GONE),  # downstream reset the stream
    ("SI", IDLE),  # stream idle time-out
    ("UC", CLOSED),  # the upstream ended the connection
    ("UR", CLOSED),  # the upstream reset the stream
    ("LR", CLOSED),  # reset on this side of the upstream connection
    ("URX", APP_CRASHED),  # retry limit reached
    ("DPE", BAD_REQUEST),  # the request broke the protocol
    ("IH", BAD_REQUEST),  # invalid value of a strictly checked header
    ("NC", PLATFORM),  # the route names a cluster that has not arrived yet
    ("OM", PLATFORM),  # the overload manager refused it
    ("DT", PLATFORM),  # the request's or connection's longest duration
)


def parse(line: str) -> RouterEntry | None:
    """The entry of a line of Envoy's log; None when the line is not one of requests."""
    if not line.startswith("{"):
        return None
    try:
        raw: dict[str, Any] = json.loads(line)
        route = _text(raw, "route").split("/")  # httproute/<namespace>/<name>/rule/…
        return RouterEntry(
            start=raw["start"],
            method=_text(raw, "method"),
            path=_text(raw, "path"),
            host=_text(raw, "host"),
            request_id=_text(raw, "request_id"),
            fwd=_text(raw, "fwd"),
            pod=_text(raw, "pod"),
            connect=raw.get("connect"),
            service=raw["service"] or 0,
            status=raw["status"] or 0,
            bytes=raw["bytes"] or 0,
            protocol=_text(raw, "protocol"),
            tls=_text(raw, "tls"),
            flags=tuple(flag for flag in _text(raw, "flags").split(",") if flag),
            details=_text(raw, "details"),
            env=route[1] if len(route) > 2 and route[0] == "httproute" else "",
        )
    except (ValueError, KeyError, TypeError, AttributeError):
        return None


def h_code(entry: RouterEntry) -> HCode | None:
    """Heroku's code for what went wrong between router and app; None when the app answered or the host has no app."""
    found = next((code for flag, code in FLAGS if flag in entry.flags), None)
    if found is APP_CRASHED and "timeout" in entry.details:
        return CONNECT_TIMEOUT
    if found is CLOSED and "after_response_started" in entry.details:
        return INTERRUPTED
    if found is IDLE and entry.status == 408:  # Envoy's answer to a request that was never finished
        return CLIENT_IDLE
    if found or "NR" in entry.flags:
        return found
    # Envoy Gateway answers by itself, without a flag: 503 for a Service without ready pods, 500 for a missing one
    return NO_DYNO if entry.details == "direct_response" and entry.status >= 500 else None


def heroku_line(entry: RouterEntry, dyno_of: Callable[[str], str]) -> str:
    """Heroku's log line for it. `dyno_of`: a pod's IP address -> its dyno's name (`web.1`), empty when not known."""
    code = h_code(entry)
    reached = bool(entry.pod) and (code is None or code.dyno)
    words = [
        f"sock={code.sock}" if code and code.sock else "",
        f'at={code.level} code={code.code} desc="{code.desc}"' if code else "at=info",
        f'method={entry.method} path="{_quoted(entry.path)}" host={entry.host} request_id={entry.request_id}',
        f'fwd="{entry.fwd.replace(",", ", ")}"',
        f"dyno={dyno_of(entry.pod) if reached else ''}",
        f"connect={entry.connect or 0}ms" if reached else "connect=",
        f"service={max(entry.service - (entry.connect or 0), 0)}ms" if reached else "service=",
        f"status={(code and code.status) or entry.status}",
        f"bytes={_bytes(entry, code, reached)}",
        f"protocol={entry.protocol.lower().replace('/', '')}",
        f"tls=true tls_version={entry.tls.lower().replace('tlsv', 'tls')}" if entry.tls else "tls=false",
    ]
    return f"{_end(entry)} heroku[router]: {' '.join(word for word in words if word)}"


def _bytes(entry: RouterEntry, code: HCode | None, reached: bool) -> str:
    if code and not reached:
        return ""
    # Heroku does not count its error page
    own_page = code is not None and entry.status >= 500 and "after_response_started" not in entry.details
    return "0" if own_page else str(entry.bytes)


def _end(entry: RouterEntry) -> str:
    try:
        end = datetime.fromisoformat(entry.start) + timedelta(milliseconds=entry.service)
    except ValueError:
        return entry.start
    return end.isoformat(timespec="microseconds") + "+00:00"


def _text(raw: dict[str, Any], name: str) -> str:
    value = raw.get(name)
    return "" if value is None or value == "-" else str(value)


def _quoted(path: str) -> str:
    return path.replace('"', "%22")
