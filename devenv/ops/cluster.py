"""A running cluster with its registry and router, whatever there was before."""

from collections.abc import Iterable
from dataclasses import replace

from devenv.base.errors import ClusterError
from devenv.cluster.provider import ClusterStatus
from devenv.images import build, catalog, crds, publish, reachable
from devenv.ops import lock
from devenv.ops.env import Env
from devenv.plan import values
from devenv.plan.model import Release

BASE = ("node", "registry", "router-controller", "envoy")  # what a cluster is made of


def ensure(env: Env) -> ClusterStatus:
    """Make or start the cluster and its router; the status afterwards. Every part is skipped when it is there."""
    if env.status.state == "running" and _router_current(env):
        return env.status
    with lock.hold(f"cluster-{env.spec.name}", env.console):
        env.forget()
        _ensure_running(env)
        _ensure_router(env)
    return env.status


def _ensure_running(env: Env) -> None:
    provider, spec = env.provider, env.spec
    state = env.status.state
    if state == "running":
        return
    if state == "stopped":
        with env.console.step(f"Starting cluster {spec.name}"):
            provider.start(spec)
    else:
        provider.check()
        origin = reachable.source()
        if origin == "built":
            build.build(env.runner, env.console, BASE)
        with env.console.step(f"Creating cluster {spec.name}") as step:
            provider.create(
                replace(spec, source=origin),
                catalog.reference("node", origin),
                catalog.reference("registry", origin),
                lambda text: setattr(step, "note", text),
            )
    env.forget()
    if env.status.state != "running":
        raise ClusterError(
            f"cluster `{spec.name}` is {env.status.state} after it was started", "`devenv doctor` looks for the reason"
        )


def _router_current(env: Env) -> bool:
    state = env.kube.releases(values.SYSTEM).get(values.ROUTER)
    return state is not None and state.status == "deployed" and state.fingerprint == router_release(env).fingerprint


def router_release(env: Env) -> Release:
    """The Helm release of the router."""
    origin = env.status.source
    content = {
        "images": {
            "controller": catalog.reference("router-controller", origin),
            "envoy": catalog.reference("envoy", origin),
        }
    }
    return values.release(values.ROUTER, values.SYSTEM, "router", content, env.facts({}))


def _ensure_router(env: Env) -> None:
    if _router_current(env):
        return
    with env.console.step("Installing the router"):
        env.kube.ensure_namespace(values.SYSTEM, {"devenv.dev/managed": "true"})
        env.helm.upgrade(router_release(env), crds.router_chart(env.runner, env.status.source), 180)


def image_reference(env: Env, key: str) -> str:
    """What a pod pulls for an add-on's image."""
    return publish.reference(key, env.status.source, env.status.registry)


def provide_images(env: Env, keys: Iterable[str]) -> None:
    """Have the add-on images where pods pull them: built ones are made and put into the cluster's registry."""
    if env.status.source == "built":
        wanted = sorted(set(keys))
        build.build(env.runner, env.console, wanted)
        publish.publish(env.runner, wanted, env.status.registry)
