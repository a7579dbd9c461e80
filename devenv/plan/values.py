"""The Helm releases of a plan: names, charts, values, fingerprints."""

import hashlib
import json
import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from devenv.plan.model import Plan, PlannedAddon, PlannedProcess, Release
from devenv.plan.names import host, label, port
from devenv.plan.profile import Profile

APP = "app"  # the Helm release of the app in its namespace
NEXT = "app-next"  # the Helm release of a candidate, which is tried beside it
WEB_NEXT = "web-next"  # its web
ENV = "env"  # the Helm release of the env's settings
ROUTER = "router"
SYNC = "sync"  # what was edited since an image was built, for pods that start later
SYSTEM = "devenv-system"  # the namespace of what serves all envs
WORK_TREE = "work-tree"  # the mode of an env after `up`: its image and the edits since
VOLATILE = ("release",)  # values that say when and why, not what


@dataclass(frozen=True, slots=True)
class Facts:
    """What only the cluster knows: where images are pulled from, the charts' own digests."""

    images: Mapping[str, str]  # ImageSpec.name or add-on image key -> reference
    charts: Mapping[str, str]  # chart -> digest of its folder
    route_kind: Literal["HTTPRoute", "Ingress"] = "HTTPRoute"


@dataclass(frozen=True, slots=True)
class ReleaseNote:
    """What `releases` shows of a release."""

    version: int
    description: str
    mode: str  # work-tree, release
    commit: str
    created: str  # RFC 3339
    phase: bool = True  # whether the release phase runs
    origins: Mapping[str, str] = field(default_factory=dict)  # of the config vars: a rollback takes config:set's back


def release(name: str, namespace: str, chart: str, values: Mapping[str, Any], facts: Facts) -> Release:
    """A Helm release with its fingerprint over the chart and every value that changes what runs."""
    lasting = {key: value for key, value in values.items() if key not in VOLATILE}
    text = json.dumps([facts.charts[chart], lasting], sort_keys=True)
    version = int(values.get("release", {}).get("version", 0))
    return Release(name, namespace, chart, values, hashlib.sha256(text.encode()).hexdigest()[:32], version)


def settings_release(env: str, text: str, facts: Facts) -> Release:
    """The release that keeps the env's settings."""
    return release(ENV, env, "env", {"env": env, "settings": text}, facts)


def sync_release(env: str, image: str, facts: Facts) -> Release:
    """The release of what keeps the edits."""
    return release(SYNC, env, "sync", {"env": env, "running": True, "image": image, "storage": "1Gi"}, facts)


def addon_release(
    addon: PlannedAddon, env: str, credentials: Mapping[str, str], facts: Facts, running: bool = True
) -> Release:
    """The release of a stand-in."""
    assert addon.spec
    values = {
        "env": env,
        "name": addon.name,
        "running": running,
        "image": facts.images[addon.spec.image],
        "version": addon.version or addon.spec.version,
        "credentials": dict(credentials),
        "storage": addon.spec.storage,
        "memory": addon.spec.memory,
        **({"edgeImage": facts.images[addon.spec.edge]} if addon.spec.edge else {}),
    }
    return release(addon.name, env, addon.spec.chart, values, facts)


def app_release(plan: Plan, profile: Profile, note: ReleaseNote, facts: Facts, running: bool = True) -> Release:
    """The release of the app itself."""
    values: dict[str, Any] = {
        "app": plan.app,
        "env": plan.env,
        "release": {
            "version": note.version,
            "description": note.description,
            "mode": note.mode,
            "commit": note.commit,
            "created": note.created,
            "phase": note.phase,
            "origins": dict(note.origins),
        },
        "running": running,
        "config": dict(plan.config.values),
        "sync": note.mode == WORK_TREE,
        "processes": [process(item, plan, facts, note.mode) for item in plan.processes],
        "releasePhase": process(plan.release_phase, plan, facts, note.mode) if plan.release_phase else None,
        "timeouts": {"boot": profile.boot_timeout, "stop": profile.stop_timeout, "release": profile.release_timeout},
        "route": route(plan, facts),
    }
    return release(APP, plan.env, "app", values, facts)


def candidate(app: Release, facts: Facts) -> Release:
    """The release that is tried beside the app's; its values are the app's once it is promoted."""
    return release(NEXT, app.namespace, "app", {**app.values, "candidate": True}, facts)


def route(plan: Plan, facts: Facts) -> dict[str, Any] | None:
    """How the router reaches web; None when the app has no web process type."""
    if not plan.web:
        return None
    return {
        "host": host(plan.env),
        "kind": facts.route_kind,
        "process": "web",
        # the router itself limits the time to the first byte; a limit on an HTTPRoute would cut streams (decision 0001)
        "timeout": "30s" if facts.route_kind == "Ingress" else "",
        "gateway": {"name": "devenv", "namespace": SYSTEM},
    }


def alone(route: Mapping[str, Any]) -> dict[str, Any]:
    """A route as it is without a candidate."""
    return {key: value for key, value in route.items() if key != "candidate"}


def runs(content: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The processes and the release command in an app release's values: all that runs its images."""
    phase = content.get("releasePhase")
    return [*content["processes"], *([phase] if phase else [])]


def process(item: PlannedProcess, plan: Plan, facts: Facts, mode: str = "release") -> dict[str, Any]:
    """One process type as chart values."""
    kind = item.type
    buildpack = item.image.docker is None
    command, argv = kind.command, kind.argv or ()
    if mode == WORK_TREE and argv and item.image.name in _with_shell(plan):
        command, argv = shlex.join(argv), ()  # edits need somebody to start it again
    # heroku.md section 4.3: heroku.yml commands run by /bin/sh -c; a Procfile's by bash after .profile (section 3.1)
    shell = "bash" if buildpack else "sh" if command and not argv else "none"
    return {
        "name": dns(kind.name),
        "type": kind.name,
        "image": facts.images[item.image.name],
        "command": command,
        "argv": list(argv),
        "shell": shell,
        **formation(item),
        "port": port(plan.env) if kind.name == "web" else 0,
        "env": concurrency(item),
        "home": "/app" if buildpack else "",
        # without a shell there is nobody to lay edits over the image, or to start the process again: they build another
        "sync": facts.images[item.image.name].rpartition(":")[2] if mode == WORK_TREE and shell != "none" else "",
    }


def _with_shell(plan: Plan) -> set[str]:
    """The images of which it is known that they have a shell: another command is given to it."""
    every = [*plan.processes, *([plan.release_phase] if plan.release_phase else [])]
    return {item.image.name for item in every if item.type.command and not item.type.argv}


def formation(item: PlannedProcess) -> dict[str, Any]:
    """How many of a process type there are, and what each gets, as chart values."""
    return {"quantity": item.quantity, "size": item.size.name, "memory": item.size.memory, "cpu": item.size.cpu}


def dns(process_type: str) -> str:
    """A process type's name as Kubernetes takes it: `url_checker` becomes `url-checker`."""
    return label(re.sub(r"_", "-", process_type))


def concurrency(item: PlannedProcess) -> dict[str, str]:
    """What buildpacks' profile scripts derive from the dyno's memory (heroku.md section 7.2)."""
    if not item.image.buildpacks:
        return {}
    language, memory = item.image.buildpacks[-1].language, item.size.memory
    if language == "python":
        cores = 2 if memory == 2560 else 8  # what Performance-M and the other sizes show a dyno (section 7.2's figures)
        return {"WEB_CONCURRENCY": str(max(1, min(cores * 2 + 1, memory // 256))), "DYNO_RAM": str(memory)}
    if language == "nodejs":
        each = 2048 if memory > 16384 else 512
        count = memory // each
        return {
            "MEMORY_AVAILABLE": str(memory),
            "WEB_MEMORY": str(each),
            "WEB_CONCURRENCY": str(count if 1 <= count <= 200 else 1),
        }
    return {}
