"""Lines as Envoy 1.39 wrote them for requests to a misbehaving app, and Heroku's line for each."""

import json
from collections.abc import Mapping
from typing import Any

import pytest

from devenv.plan.router_log import FLAGS, h_code, heroku_line, parse

OK: Mapping[str, Any] = {
    "attempts": 1,
    "bytes": 391,
    "connect": 0,
    "details": "via_upstream",
    "failure": None,
    "flags": "-",
    "fwd": "203.0.113.7,10.244.0.1",
    "host": "lamp.localhost:8080",
    "method": "GET",
    "path": "/q?x=1",
    "pod": "10.244.0.12",
    "protocol": "HTTP/1.1",
    "request_id": "80e58d23-0dfd-44bb-a406-425492201755",
    "route": "httproute/lamp/web/rule/0/match/0/lamp_localhost",
    "service": 12,
    "start": "2026-11-22T04:19:51.262646",
    "status": 200,
    "tls": None,
}


def line(**changes: Any) -> str:
    entry = parse(json.dumps({**OK, **changes}))
    assert entry is not None
    return heroku_line(entry, {"10.244.0.12": "web.1"}.get)  # type: ignore[arg-type]


def test_answered_request() -> None:
    assert line() == (
        '2026-11-22T04:19:51.274646+00:00 heroku[router]: at=info method=GET path="/q?x=1" host=lamp.localhost:8080 '
        'request_id=80e58d23-0dfd-44bb-a406-425492201755 fwd="203.0.113.7, 10.244.0.1" '
        "dyno=web.1 connect=0ms service=12ms status=200 bytes=391 protocol=http1.1 tls=false"
    )


def test_time_out_names_the_dyno_and_does_not_count_the_page() -> None:
    said = line(flags="UT", details="upstream_per_try_timeout", status=503, service=30002, bytes=1904)
    assert said.startswith("2026-11-22T04:20:21.264646+00:00 heroku[router]: at=error ")
    assert 'at=error code=H12 desc="Request timeout" method=GET' in said
    assert "dyno=web.1 connect=0ms service=30002ms status=503 bytes=0 protocol" in said


def test_no_web_process_names_no_dyno() -> None:
    said = line(details="direct_response", status=503, pod=None, connect=None, service=0, bytes=1953)
    assert 'at=error code=H14 desc="No web processes running"' in said
    assert "dyno= connect= service= status=503 bytes= protocol=http1.1" in said


def test_browser_that_left() -> None:
    said = line(flags="DC", details="downstream_remote_disconnect", status=0, bytes=0, service=991)
    assert 'sock=client at=warning code=H27 desc="Client Request Interrupted"' in said
    assert "service=991ms status=499 bytes=0" in said


def test_app_that_cuts_an_answer_short() -> None:
    said = line(flags="UC", details="upstream_reset_after_response_started{connection_termination}", bytes=17)
    assert 'sock=backend at=error code=H18 desc="Server Request Interrupted"' in said
    assert "status=503 bytes=17" in said


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({}, None),
        ({"status": 503}, None),  # the app's own
        ({"status": 500, "details": "direct_response"}, "H14"),
        ({"status": 404, "flags": "NR", "details": "route_not_found"}, None),
        ({"flags": "UF", "details": "upstream_reset_before_response_started{remote_connection_failure}"}, "H10"),
        ({"flags": "UF,URX", "details": "upstream_reset_before_response_started{remote_connection_failure}"}, "H10"),
        ({"flags": "UF,URX", "details": "upstream_reset_before_response_started{connection_timeout}"}, "H19"),
        ({"flags": "UC", "details": "upstream_reset_before_response_started{connection_termination}"}, "H13"),
        ({"flags": "UPE", "details": "upstream_reset_before_response_started{protocol_error}"}, "H17"),
        ({"flags": "UO", "details": "upstream_reset_before_response_started{overflow}"}, "H11"),
        ({"flags": "UH", "details": "no_healthy_upstream"}, "H14"),
        ({"flags": "SI", "details": "stream_idle_timeout", "status": 101}, "H15"),
        ({"flags": "SI", "details": "stream_idle_timeout", "status": 408}, "H28"),
        ({"flags": "NC", "details": "cluster_not_found", "status": 503}, "H99"),
        ({"flags": "DPE", "details": "http1.codec_error", "status": 400}, "H26"),
    ],
)
def test_codes(changes: Mapping[str, Any], code: str | None) -> None:
    entry = parse(json.dumps({**OK, **changes}))
    assert entry is not None
    found = h_code(entry)
    assert (found.code if found else None) == code


def test_environment_is_the_namespace_of_the_route() -> None:
    known, unknown = parse(json.dumps(OK)), parse(json.dumps({**OK, "route": None, "flags": "NR"}))
    assert known is not None
    assert unknown is not None
    assert (known.env, unknown.env) == ("lamp", "")


def test_quotes_in_a_path_and_tls() -> None:
    said = line(path='/q?x="1', tls="TLSv1.3")
    assert 'path="/q?x=%221" host' in said
    assert said.endswith("tls=true tls_version=tls1.3")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[2026-11-22 04:19:34.856][1][warning][config] both set",
        "{",
        "[]",
        "{}",
        '{"start": null, "status": {}}',
        '{"start": 1}',
    ],
)
def test_other_lines_are_no_entries(text: str) -> None:
    assert parse(text) is None


def test_each_flag_is_told_once() -> None:
    assert len({flag for flag, _ in FLAGS}) == len(FLAGS)
