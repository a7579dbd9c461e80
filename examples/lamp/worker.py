"""The lamp's own process: obeys MQTT commands, fades, reports its state, and keeps its history.

MQTT lamp/set -> Lamp -> MQTT lamp/state, Redis (live) -> every open page
                  `----> Postgres (history) -> Elasticsearch (search)
"""

import contextlib
import json
import os
import queue
import signal
import sys
import time
import uuid

import redis

import backends
from backends import COMMANDS, LAST, LIVE, STATE, WATTS, log, patiently
from history import Indexer, Recorder
from lamp import Lamp, check_command, tell

FRAME, BEAT = 0.08, 1.0  # seconds between two reports: while fading, at rest
SETTLED = 0.7  # a moved slider becomes one history entry, not fifty
SAMPLES = 120  # length of the wattage curve
HOLDER = "lamp:holder"  # Redis key of the one process that is the lamp


class Reporter:
    """Tells Redis what the lamp does; while Redis is away the lamp burns on, unseen."""

    def __init__(self):
        self.store = backends.live()
        self.quiet_until = 0.0

    def try_redis(self, action):
        if time.monotonic() < self.quiet_until:
            return None
        try:
            return action(self.store)
        except redis.RedisError as error:
            log.warning("Redis is away: %s", error)
            self.quiet_until = time.monotonic() + 2
            return None

    def publish(self, message: dict) -> None:
        self.try_redis(lambda store: store.publish(LIVE, json.dumps(message)))

    def report(self, state: dict, sample: bool) -> None:
        def send(store: redis.Redis) -> None:
            pipe = store.pipeline(transaction=False)
            pipe.set(LAST, json.dumps(state))
            if sample:
                pipe.rpush(WATTS, state["watts"])
                pipe.ltrim(WATTS, -SAMPLES, -1)
            pipe.publish(LIVE, json.dumps({"type": "state", "sample": sample, **state}))
            pipe.execute()

        self.try_redis(send)


class Place:
    """There is one lamp: a second worker (ps:scale worker=2, a rolling deploy) waits until the place is free."""

    def __init__(self, reporter: Reporter):
        self.reporter = reporter
        self.me = f"{os.environ.get('DYNO', 'worker')} {uuid.uuid4().hex[:8]}"

    def take(self) -> None:
        told = False
        while not patiently("Redis", lambda: self.reporter.store.set(HOLDER, self.me, nx=True, ex=4), redis.RedisError):
            if not told:
                log.info("another worker is the lamp: standing by")
                told = True
            time.sleep(0.3)

    def keep(self) -> bool:
        """Whether this process still is the lamp; an unreachable Redis takes nothing away."""

        def renew(store: redis.Redis) -> bool:
            if store.set(HOLDER, self.me, nx=True, ex=4):
                return True
            return store.get(HOLDER) == self.me and bool(store.expire(HOLDER, 4))

        return self.reporter.try_redis(renew) is not False

    def leave(self) -> None:
        self.reporter.try_redis(lambda store: store.get(HOLDER) == self.me and store.delete(HOLDER))


class Worker:
    """The loop between commands and reports."""

    def __init__(self):
        self.reporter = Reporter()
        self.place = Place(self.reporter)
        self.indexer = Indexer()
        self.recorder = Recorder(self.reporter.publish, self.indexer)
        self.commands: queue.SimpleQueue = queue.SimpleQueue()
        # one name and a kept session: the broker holds commands back while the lamp restarts
        self.mqtt = backends.mqtt_client("lamp", clean=False)
        self.mqtt.on_connect = self.connected
        self.mqtt.on_disconnect = lambda *args: log.info("MQTT is away: %s", args[3])
        self.mqtt.on_message = self.received
        self.lamp = Lamp()
        self.unsaid: tuple[set[str], str, float] | None = None  # a change that may still go on: fields, visitor, due

    def connected(self, client, _data, _flags, reason, _properties) -> None:
        if reason.is_failure:
            log.error("MQTT refuses the lamp: %s", reason)
            return
        log.info("MQTT is there: listening on %s", COMMANDS)
        client.subscribe(COMMANDS, qos=1)

    def received(self, _client, _data, message) -> None:
        text = message.payload.decode(errors="replace").strip()
        try:
            raw = {"on": text.lower() == "on"} if text.lower() in ("on", "off") else json.loads(text)
            self.commands.put((check_command(raw), str(raw.get("visitor") or "MQTT")[:40]))
        except (ValueError, TypeError, AttributeError) as error:
            log.warning("not a command: %s (%s)", text[:80], error)

    def obey(self, command: dict, visitor: str) -> None:
        now = time.time()
        if "on" in command and command["on"] != self.lamp.on:
            self.say()
        changed = self.lamp.obey(command, now)
        if not changed:
            return
        if self.unsaid:
            changed |= self.unsaid[0]
        self.unsaid = (changed, visitor, now if "on" in changed else now + SETTLED)

    def say(self) -> None:
        """Make a history entry of the change that is still unsaid."""
        if self.unsaid is None:
            return
        (changed, visitor, _), self.unsaid = self.unsaid, None
        kind, text = tell(self.lamp, changed, time.time())
        self.record(kind, text, visitor)

    def record(self, kind: str, text: str, visitor: str) -> None:
        log.info("%s (%s)", text, visitor)
        event = {"at": time.time(), "kind": kind, "text": text, "visitor": visitor}
        self.recorder.waiting.put(event | {"brightness": self.lamp.brightness, "color": self.lamp.color})

    def wake_up(self) -> None:
        self.place.take()
        last = self.reporter.try_redis(lambda store: store.get(LAST))
        if last:
            self.lamp = Lamp.from_state(json.loads(last))
        self.recorder.start()
        self.indexer.start()
        self.mqtt.loop_start()
        log.info("the lamp is plugged in")
        if not last:
            self.record("plug", "Plugged in", "the worker")

    def run(self) -> None:
        self.wake_up()
        stepped, beat = time.monotonic(), 0.0
        while True:
            with contextlib.suppress(queue.Empty):
                self.obey(*self.commands.get(timeout=FRAME if self.lamp.moving or self.unsaid else BEAT))
            now = time.monotonic()
            self.lamp.step(min(now - stepped, 2 * FRAME) if self.lamp.moving else now - stepped)
            stepped = now
            if self.unsaid and time.time() >= self.unsaid[2]:
                self.say()
            sample = now - beat >= BEAT
            if sample:
                beat = now
                if not self.place.keep():
                    log.warning("another worker has become the lamp: leaving the place to it")
                    return
            state = self.lamp.state(time.time())
            self.mqtt.publish(STATE, json.dumps(state), retain=True)
            self.reporter.report(state, sample)

    def stop(self) -> None:
        self.say()
        if self.recorder.is_alive():
            self.recorder.finish()
        self.mqtt.disconnect()
        self.place.leave()
        log.info("the lamp is unplugged")


def leave(_signal, _frame) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # Heroku may say it more than once
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    sys.exit(0)


def main() -> None:
    backends.start_logging()
    signal.signal(signal.SIGTERM, leave)
    signal.signal(signal.SIGINT, leave)
    worker = Worker()
    try:
        worker.run()
    finally:
        worker.stop()


if __name__ == "__main__":
    main()
