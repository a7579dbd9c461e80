"""The history on its way: from the lamp to Postgres, from there to Elasticsearch. Neither has to be there in time."""

import queue
import threading
import time

import psycopg

import backends
from backends import INDEX, SearchDown, log, patiently

INDEX_MAPPING = {
    "settings": {"number_of_shards": 1, "number_of_replicas": 0},
    "mappings": {
        "properties": {
            "at": {"type": "date"},
            "kind": {"type": "keyword"},
            "color": {"type": "keyword"},
            "brightness": {"type": "integer"},
            "text": {"type": "text", "copy_to": "everything"},
            "visitor": {"type": "text", "copy_to": "everything"},
            "everything": {"type": "text"},
        }
    },
}


class Recorder(threading.Thread):
    """Writes history entries to Postgres, one after the other, as long as that takes."""

    def __init__(self, publish, indexer: "Indexer"):
        super().__init__(daemon=True)
        self.waiting: queue.SimpleQueue = queue.SimpleQueue()
        self.publish, self.indexer = publish, indexer

    def run(self) -> None:
        while (event := self.waiting.get()) is not None:
            event["id"] = patiently("Postgres", lambda event=event: self.insert(event), psycopg.Error, float("inf"))
            self.publish({"type": "event", **event})
            self.indexer.wake.set()

    @staticmethod
    def insert(event: dict) -> int:
        with backends.database() as connection:
            (number,) = connection.execute(
                "insert into events (at, kind, text, visitor, brightness, color) values"
                " (to_timestamp(%(at)s), %(kind)s, %(text)s, %(visitor)s, %(brightness)s, %(color)s) returning id",
                event,
            ).fetchone()
            return number

    def finish(self) -> None:
        self.waiting.put(None)
        self.join(timeout=3)


class Indexer(threading.Thread):
    """Copies to Elasticsearch what Postgres has and the index has not: nothing is lost while it is away."""

    def __init__(self):
        super().__init__(daemon=True)
        self.wake = threading.Event()

    def run(self) -> None:
        pause = 1.0
        while True:
            try:
                self.ensure_index()
                while self.index_some():
                    pass
                pause = 1.0
                self.wake.wait(30)
                self.wake.clear()
            except (SearchDown, psycopg.Error) as error:
                log.warning("search is behind: %s", str(error).strip().splitlines()[0])
                time.sleep(pause)
                pause = min(pause * 1.5, 10)

    @staticmethod
    def ensure_index() -> None:
        try:
            backends.search_call("GET", INDEX)
        except SearchDown as error:
            if error.status != 404:
                raise
            with backends.database() as connection:
                connection.execute("update events set indexed = false where indexed")
            backends.search_call("PUT", INDEX, INDEX_MAPPING, timeout=30)
            log.info("made the search index")

    @staticmethod
    def index_some() -> int:
        with backends.database() as connection:
            rows = connection.execute(
                "select id, extract(epoch from at)::float8, kind, text, visitor, brightness, color"
                " from events where not indexed order by id limit 500"
            ).fetchall()
            if not rows:
                return 0
            lines: list[dict] = []
            for number, at, kind, text, visitor, brightness, color in rows:
                lines.append({"index": {"_index": INDEX, "_id": str(number)}})
                entry = {"id": number, "at": round(at * 1000), "kind": kind, "text": text, "visitor": visitor}
                lines.append(entry | {"brightness": brightness, "color": color})
            if backends.search_call("POST", "_bulk?refresh=true", lines, timeout=30)["errors"]:
                raise SearchDown("Elasticsearch refused some entries")
            connection.execute("update events set indexed = true where id = any(%s)", [[row[0] for row in rows]])
            return len(rows)
