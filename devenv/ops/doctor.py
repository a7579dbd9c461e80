"""What is wrong on this machine, and what to do about it."""

import shutil
from collections.abc import Callable
from dataclasses import dataclass

from devenv.base import paths
from devenv.base.errors import DevenvError
from devenv.images import engine, reachable
from devenv.ops import up
from devenv.ops.env import Env

ROOM = 10 * 10**9  # bytes: the node, the stand-ins and a few app images


@dataclass(frozen=True, slots=True)
class Finding:
    """One check: what was looked at, what was found, what to do (empty when it is good)."""

    what: str
    good: bool
    found: str
    next_step: str = ""


def examine(env: Env) -> list[Finding]:
    """Every check, in the order in which things depend on each other."""
    return [
        _check("Docker engine", lambda: _engine(env)),
        _check("disk", _disk),
        _check("images", _images),
        _check("tools", lambda: _tools(env)),
        _check("cluster", lambda: _cluster(env)),
        _check("app", lambda: _app(env)),
    ]


def _check(what: str, look: Callable[[], str]) -> Finding:
    try:
        return Finding(what, True, look())
    except DevenvError as error:
        found = "; ".join([error.message, *error.details])
        return Finding(what, False, found, error.hint or "")


def _engine(env: Env) -> str:
    engine.check(env.runner)
    return f"answers ({engine.architecture(env.runner)})"


def _disk() -> str:
    folder = paths.cache()
    while not folder.exists():
        folder = folder.parent
    free = shutil.disk_usage(folder).free
    if free < ROOM:
        raise DevenvError(
            f"{free // 10**9} GB free",
            f"free some: devenv needs {ROOM // 10**9} GB; `docker system prune` removes what Docker no longer uses",
        )
    return f"{free // 10**9} GB free"


def _images() -> str:
    return (
        "official ones, from image registries"
        if reachable.source() == "official"
        else "made here from package registries: no image registry can be reached"
    )


def _tools(env: Env) -> str:
    return ", ".join(str(env.tool(name)) for name in ("kind", "helm", "kubectl"))


def _cluster(env: Env) -> str:
    status = env.status
    if status.state == "absent":
        return "none yet: `devenv up` makes it"
    if status.state != "running":
        raise DevenvError(f"{env.spec.name} is {status.state} {status.detail}".strip(), "`devenv up` mends it")
    return f"{env.spec.name} runs Kubernetes {env.kube.version()}, router on http://localhost:{status.http_port}"


def _app(env: Env) -> str:
    plan = up.preview(env)
    up.check(plan)
    return f"{plan.app}: {', '.join(item.type.name for item in plan.processes)}"
