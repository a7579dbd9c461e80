"""Whether the four servers answer, how fast, and which version they are."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import psycopg
import redis

import backends
from backends import SearchDown, log
from live import broker, store


def postgres_version() -> str:
    with backends.database() as connection:
        return connection.execute("show server_version").fetchone()[0].split()[0]


def redis_version() -> str:
    info = store().info("server")
    return f"Valkey {info['valkey_version']}" if "valkey_version" in info else info["redis_version"]


def mqtt_version() -> str:
    broker().publish("lamp/ping", {})
    return f"Mosquitto {broker().version}" if broker().version else "connected"


def search_version() -> str:
    version = backends.search_call("GET", "", timeout=2)["version"]
    return f"OpenSearch {version['number']}" if version.get("distribution") == "opensearch" else version["number"]


CHECKS = {"Postgres": postgres_version, "Redis": redis_version, "MQTT": mqtt_version, "Elasticsearch": search_version}


def check(name: str) -> dict:
    started = time.perf_counter()
    try:
        version = CHECKS[name]()
    except (psycopg.Error, redis.RedisError, OSError, RuntimeError, ValueError, SearchDown) as error:
        log.warning("%s is away: %s", name, str(error).strip().splitlines()[0])
        return {"name": name, "ok": False, "version": None, "ms": None}
    return {"name": name, "ok": True, "version": version, "ms": round((time.perf_counter() - started) * 1000, 1)}


class Status:
    """The answers of the four servers, asked at most every three seconds however many pages look."""

    def __init__(self):
        self.lock, self.asked, self.rows = threading.Lock(), 0.0, []

    def read(self) -> list[dict]:
        with self.lock:
            if time.monotonic() - self.asked > 3:
                with ThreadPoolExecutor(len(CHECKS)) as pool:
                    self.rows = list(pool.map(check, CHECKS))
                self.asked = time.monotonic()
            return self.rows
