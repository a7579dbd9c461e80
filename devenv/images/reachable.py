"""Can official images be pulled here? Asked once an hour at most: the answer decides where every image comes from."""

import json
import threading
import time
import urllib.error
import urllib.request
from contextlib import suppress

from devenv.base import paths
from devenv.base.errors import DevenvError, InputError
from devenv.base.proc import SubprocessRunner
from devenv.images import catalog, debian, engine
from devenv.plan.model import Source

# Every official image but one lives there; the other registries are reached from where this one is.
PROBE = "https://registry-1.docker.io/v2/"
PATIENCE = 3.0  # seconds
KEEP = {True: 3600.0, False: 600.0}  # seconds an answer is believed


def source() -> Source:
    """Where images come from: `DEVENV_IMAGES` when set, else by whether image registries answer or images can be made."""
    forced = paths.setting("IMAGES")
    if forced == "official":
        return "official"
    if forced == "built":
        return "built"
    if forced:
        raise InputError(f"`DEVENV_IMAGES` is `{forced}`", "set it to `official` or `built`, or unset it")
    return "official" if registries() or not _can_build() else "built"


def _can_build() -> bool:
    """Whether images can be made here, or were: elsewhere a slow network or an unknown CA must not decide for "built"."""
    with suppress(DevenvError):
        debian.check()
        return True
    with suppress(DevenvError):
        return bool(engine.local(SubprocessRunner(), [catalog.reference("debian", "built")]))
    return False


def registries(fresh: bool = False) -> bool:
    """Whether image registries answer; from the cache unless `fresh` or the answer is old."""
    note = paths.cache() / "registries.json"
    if not fresh:
        try:
            kept = json.loads(note.read_text(encoding="utf-8"))
            if 0 <= time.time() - kept["at"] < KEEP[kept["reachable"]]:
                return bool(kept["reachable"])
        except (OSError, ValueError, KeyError, TypeError):
            pass  # no answer kept, or not one of ours: ask again
    reachable = answers(PROBE, header="docker-distribution-api-version")
    note.parent.mkdir(parents=True, exist_ok=True)
    note.write_text(json.dumps({"at": time.time(), "reachable": reachable}), encoding="utf-8")
    return reachable


def answers(url: str, header: str | None = None) -> bool:
    """Whether `url` answers within three seconds, and with `header` when one is named: a proxy's refusal has it not."""
    result: list[bool] = []

    def ask() -> None:
        try:
            with urllib.request.urlopen(urllib.request.Request(url, method="HEAD"), timeout=PATIENCE) as response:
                result.append(header is None or header in response.headers)
        except urllib.error.HTTPError as error:
            result.append(header is not None and header in error.headers)
        except (OSError, ValueError):
            result.append(False)

    # name resolution has no time-out of its own
    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    thread.join(PATIENCE)
    return bool(result and result[0])
