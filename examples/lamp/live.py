"""What a web process keeps open: one line to the MQTT broker, one Redis subscription for all its pages."""

import contextlib
import functools
import json
import queue
import secrets
import threading
import time

import redis

import backends
from backends import LIVE, log

stopping = threading.Event()  # set by gunicorn.conf.py: open streams end, so that a stop is quick


class Hub:
    """One Redis subscription for all the open pages of this process: small plans count connections."""

    def __init__(self):
        self.pages: set[queue.Queue] = set()
        threading.Thread(target=self.listen, daemon=True).start()

    def listen(self) -> None:
        while not stopping.is_set():
            try:
                channel = backends.live(timeout=None).pubsub(ignore_subscribe_messages=True)
                channel.subscribe(LIVE)
                while not stopping.is_set():
                    message = channel.get_message(timeout=5)
                    if message:
                        self.send(message["data"])
            except redis.RedisError as error:
                log.warning("Redis is away: %s", error)
                time.sleep(1)

    def send(self, data: str) -> None:
        for page in tuple(self.pages):
            with contextlib.suppress(queue.Full):  # a page that does not read misses some
                page.put_nowait(data)


class Broker:
    """The web's line to MQTT."""

    def __init__(self):
        self.version = None
        self.client = backends.mqtt_client(f"lamp-web-{secrets.token_hex(4)}", clean=True)
        self.client.on_connect = lambda client, *_: client.subscribe("$SYS/broker/version")
        self.client.on_message = self.received
        self.client.loop_start()

    def received(self, _client, _data, message) -> None:
        self.version = message.payload.decode(errors="replace").removeprefix("mosquitto version ")

    def publish(self, topic: str, payload: dict) -> None:
        """Returns once the broker has it; ConnectionError when it has not within three seconds."""
        deadline = time.monotonic() + 3
        while not self.client.is_connected():
            if time.monotonic() > deadline:
                raise ConnectionError("the MQTT broker does not answer")
            time.sleep(0.02)
        sent = self.client.publish(topic, json.dumps(payload), qos=1)
        sent.wait_for_publish(max(0.1, deadline - time.monotonic()))
        if not sent.is_published():
            raise ConnectionError("the MQTT broker did not take the command")


def once(make):
    """`make` called at first need and once per process: gunicorn forks before threads and connections are made."""
    made, lock = functools.cache(make), threading.Lock()

    def get():
        with lock:
            return made()

    return get


hub, broker, store = once(Hub), once(Broker), once(backends.live)
