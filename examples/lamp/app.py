"""The lamp's web page: sends commands over MQTT, streams the live state from Redis, reads history and search."""

import json
import os
import queue
import random

import psycopg
import redis
from flask import Flask, Response, jsonify, redirect, render_template, request, session

import backends
from backends import COMMANDS, INDEX, LAST, WATTS, SearchDown, log
from lamp import PRESETS, check_command
from live import broker, hub, stopping, store
from status import Status

VISITORS = (
    *("Badger", "Beaver", "Bison", "Crane", "Curlew", "Dormouse", "Falcon", "Finch", "Fox", "Gecko", "Hare"),
    *("Hedgehog", "Heron", "Ibex", "Kestrel", "Lark", "Lynx", "Marten", "Mole", "Moth", "Newt", "Otter"),
    *("Owl", "Panda", "Puffin", "Raven", "Robin", "Seal", "Swift", "Tapir", "Vole", "Wren"),
)
HIT, END = "\ue000", "\ue001"  # around a search hit; no keyboard types them

backends.start_logging()
app = Flask(__name__)
app.secret_key = os.environ["SECRET_KEY"]
server_status = Status()
app.config.update(SESSION_COOKIE_SAMESITE="Lax", PERMANENT_SESSION_LIFETIME=30 * 24 * 3600)


def read_history(limit: int, before: int | None = None) -> list[dict]:
    with backends.database() as connection:
        rows = connection.execute(
            "select id, extract(epoch from at)::float8, kind, text, visitor, brightness, color from events"
            " where %(before)s::bigint is null or id < %(before)s order by id desc limit %(limit)s",
            {"before": before, "limit": limit},
        ).fetchall()
    fields = ("id", "at", "kind", "text", "visitor", "brightness", "color")
    return [dict(zip(fields, row, strict=True)) for row in rows]


def last_state() -> dict | None:
    state = store().get(LAST)
    return json.loads(state) if state else None


def or_none(read, errors):
    """What `read()` gives, or None: a page without one of its servers is better than no page."""
    try:
        return read()
    except errors as error:
        log.warning("left out of the page: %s", str(error).strip().splitlines()[0])
        return None


@app.get("/")
def index():
    session.permanent = True
    session.setdefault("visitor", random.choice(VISITORS))
    broker(), hub()  # so that the first press of the switch need not wait for a connection
    boot = {
        "visitor": session["visitor"],
        "state": or_none(last_state, redis.RedisError),
        "watts": [float(watt) for watt in or_none(lambda: store().lrange(WATTS, 0, -1), redis.RedisError) or []],
        "history": or_none(lambda: read_history(30), psycopg.Error),
    }
    served_by = " · ".join(filter(None, (os.environ.get("DYNO"), os.environ.get("HEROKU_RELEASE_VERSION"))))
    name = os.environ.get("LAMP_NAME") or "Lamp"
    return render_template("index.html", name=name, presets=PRESETS, boot=boot, served_by=served_by)


@app.post("/switch")
def switch():
    if request.headers.get("Sec-Fetch-Site", "same-origin") not in ("same-origin", "none"):
        return jsonify(error="only the lamp's own page may switch it"), 403
    form = not request.is_json
    raw = {"on": request.form.get("on") in ("1", "true", "on")} if form else request.get_json(silent=True)
    try:
        command = check_command(raw if isinstance(raw, dict) else {})
    except ValueError as error:
        return jsonify(error=str(error)), 400
    visitor = session.get("visitor", "someone")
    try:
        broker().publish(COMMANDS, command | {"visitor": visitor})
    except (ConnectionError, RuntimeError, ValueError) as error:
        return jsonify(error=str(error)), 503
    log.info("%s asks for %s", visitor, json.dumps(command))
    return redirect("/", 303) if form else (jsonify(sent=command), 202)


@app.get("/events")
def events():
    """Server-sent events: the state now, then everything that happens."""
    page: queue.Queue = queue.Queue(maxsize=200)

    def stream():
        hub().pages.add(page)
        try:
            yield "retry: 1000\n\n"
            state = or_none(last_state, redis.RedisError)
            if state:
                yield f"data: {json.dumps({'type': 'state', 'replay': True, **state})}\n\n"
            silent = 0
            while not stopping.is_set():
                try:
                    yield f"data: {page.get(timeout=0.5)}\n\n"
                    silent = 0
                except queue.Empty:
                    silent += 1
                    if silent % 20 == 0:  # ten seconds: keeps routers from closing the stream
                        yield ": still here\n\n"
        finally:
            hub().pages.discard(page)

    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return Response(stream(), mimetype="text/event-stream", headers=headers)


@app.get("/history")
def history():
    limit = min(max(request.args.get("limit", 30, int), 1), 200)
    try:
        return jsonify(events=read_history(limit, request.args.get("before", None, int)))
    except psycopg.Error as error:
        log.warning("no history: %s", error)
        return jsonify(error="Postgres does not answer"), 503


def marked(text: str) -> list[dict]:
    """Text with hits marked by Elasticsearch, cut into pieces that a page can show safely."""
    pieces = []
    for part in text.split(HIT):
        hit, end, rest = part.rpartition(END)
        pieces += [{"text": hit, "hit": True}] if end else []
        pieces += [{"text": rest, "hit": False}] if rest else []
    return pieces


@app.get("/search")
def search():
    words = request.args.get("q", "").strip()[:200]
    if not words:
        return jsonify(query="", total=0, took=0, hits=[])
    body = {
        "size": 50,
        "track_total_hits": True,
        "query": {"match_bool_prefix": {"everything": {"query": words, "operator": "and", "fuzziness": "AUTO"}}},
        "sort": [{"at": "desc"}],
        "highlight": {
            "pre_tags": [HIT], "post_tags": [END], "number_of_fragments": 0, "require_field_match": False,
            "fields": {"text": {}, "visitor": {}},
        },
    }  # fmt: skip
    try:
        found = backends.search_call("POST", f"{INDEX}/_search", body)
    except SearchDown as error:
        log.warning("no search: %s", error)
        wait = "The index is not made yet" if error.status == 404 else "Elasticsearch does not answer yet"
        return jsonify(error=wait), 503
    hits = []
    for hit in found["hits"]["hits"]:
        entry, marks = hit["_source"], hit.get("highlight", {})
        shown = {field: marked(marks.get(field, [entry[field]])[0]) for field in ("text", "visitor")}
        hits.append(entry | {"at": entry["at"] / 1000, "marked": shown})
    return jsonify(query=words, total=found["hits"]["total"]["value"], took=found["took"], hits=hits)


@app.get("/status")
def status():
    return jsonify(backends=server_status.read())


@app.get("/healthz")
def healthz():
    return Response("ok\n", mimetype="text/plain")


@app.after_request
def harden(response: Response) -> Response:
    response.headers.setdefault("Content-Security-Policy", "default-src 'self'; frame-ancestors 'none'")
    response.headers.setdefault("X-Content-Type-Options", "nosniff")
    return response
