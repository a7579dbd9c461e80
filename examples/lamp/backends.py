"""The four servers behind the app, reached by the config vars that their Heroku add-ons set."""

import base64
import json
import logging
import os
import ssl
import time
import urllib.error
import urllib.request
from urllib.parse import unquote, urlsplit

import paho.mqtt.client as mqtt
import psycopg
import redis

log = logging.getLogger("lamp")
COMMANDS, STATE = "lamp/set", "lamp/state"  # MQTT topics
LIVE, LAST, WATTS = "lamp:live", "lamp:state", "lamp:watts"  # Redis channel and keys
INDEX = "lamp-events"


def start_logging() -> None:
    logging.basicConfig(level=logging.INFO, format="%(message)s")


def patiently(what, attempt, errors, seconds=60.0):
    """The result of `attempt()`, tried again until it succeeds or `seconds` are over: servers may still be starting."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            return attempt()
        except errors as error:
            if time.monotonic() > deadline:
                raise
            log.warning("waiting for %s: %s", what, str(error).strip().splitlines()[0])
            time.sleep(1)


def database() -> psycopg.Connection:
    # Heroku Postgres wants TLS, and its certificate is self-signed
    return psycopg.connect(os.environ["DATABASE_URL"], sslmode="require", connect_timeout=3)


def live(timeout: float | None = 2) -> redis.Redis:
    url = os.environ["REDIS_URL"]
    # Heroku Key-Value Store speaks TLS with a self-signed certificate
    tls = {"ssl_cert_reqs": "none", "ssl_check_hostname": False} if url.startswith("rediss:") else {}
    return redis.Redis.from_url(
        url, decode_responses=True, socket_connect_timeout=2, socket_timeout=timeout, health_check_interval=20, **tls
    )


def mqtt_client(client_id: str, clean: bool) -> mqtt.Client:
    """A client that connects in the background and again after every loss, once its loop is started."""
    url = urlsplit(os.environ["STACKHERO_MOSQUITTO_URL_CLEAR"])
    client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, client_id=client_id, clean_session=clean)
    if url.username:
        client.username_pw_set(unquote(url.username), unquote(url.password or ""))
    if url.scheme == "mqtts":
        client.tls_set(cert_reqs=ssl.CERT_NONE)
        client.tls_insecure_set(True)
    client.reconnect_delay_set(1, 5)
    client.connect_async(url.hostname, url.port or (8883 if url.scheme == "mqtts" else 1883), keepalive=30)
    return client


class SearchDown(Exception):
    """Elasticsearch did not answer, or not as it should; `status` is its HTTP status, 0 without an answer."""

    def __init__(self, message: str, status: int = 0):
        super().__init__(message)
        self.status = status


def search_call(method: str, path: str, body=None, timeout: float = 5) -> dict:
    """One call to Elasticsearch or OpenSearch; a list as the body is sent as lines, as _bulk wants it."""
    url = urlsplit(os.environ["BONSAI_URL"])
    host = f"{url.hostname}:{url.port}" if url.port else url.hostname
    headers = {"Content-Type": "application/x-ndjson" if isinstance(body, list) else "application/json"}
    if url.username:
        login = f"{unquote(url.username)}:{unquote(url.password or '')}".encode()
        headers["Authorization"] = "Basic " + base64.b64encode(login).decode()
    if isinstance(body, list):
        data = "".join(json.dumps(line) + "\n" for line in body).encode()
    else:
        data = None if body is None else json.dumps(body).encode()
    call = urllib.request.Request(f"{url.scheme}://{host}/{path}", data, headers, method=method)
    try:
        with urllib.request.urlopen(call, timeout=timeout) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as error:
        raise SearchDown(f"Elasticsearch says {error.code} to {method} /{path}", error.code) from error
    except (OSError, ValueError) as error:
        raise SearchDown(f"Elasticsearch does not answer: {getattr(error, 'reason', error)}") from error
