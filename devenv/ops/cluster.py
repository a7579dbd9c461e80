"""A running cluster with its registry and router, whatever there was before."""

import http.client
import time
from collections.abc import Iterable
from dataclasses import replace

from devenv.base.errors import ClusterError
from devenv.cluster.provider import ClusterStatus
from devenv.images import build, catalog, crds, publish, reachable
from devenv.ops import lock
from devenv.ops.env import Env
from devenv.plan import values
from devenv.plan.model import Release

ROUTER_TIMEOUT = 90.0  # seconds
NOT_YET = ("404", "H99", "H14", "H10")  # charts/router/files/pages.yaml: no route yet, or no pod
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


def wake(env: Env) -> None:
    """Start the cluster when it is stopped: what an env was set to is known to nobody else."""
    if env.status.state == "stopped":
        ensure(env)


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
            if spec.provider != "kind":
                hint = "use `--provider kind` where no image registry can be reached"
                raise ClusterError(f"{spec.provider} needs its own node image from an image registry", hint)
            build.build(env.runner, env.console, BASE)
        # one at a time: each takes the first ports that are free
        with lock.hold("clusters", env.console), env.console.step(f"Creating cluster {spec.name}") as step:
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
        },
        "hostPort": env.status.http_port,
    }
    return values.release(values.ROUTER, values.SYSTEM, "router", content, env.facts({}))


def _ensure_router(env: Env) -> None:
    if _router_current(env):
        return
    with env.console.step("Installing the router"):
        env.kube.ensure_namespace(values.SYSTEM, {"devenv.dev/managed": "true"})
        # it comes up beside the builds; `wait_router` is where somebody needs it
        env.helm.upgrade(router_release(env), crds.router_chart(env.runner, env.status.source), 180, wait=False)


def wait_router(env: Env, host: str = "localhost") -> None:
    """Wait until the router serves `host`: whatever the app answers, but not a page of the router that says it knows no pod yet."""
    if env.spec.existing:
        return  # its router is not on this machine
    deadline = time.monotonic() + ROUTER_TIMEOUT
    with env.console.step("Waiting for the router") as step:
        step.silent = True
        while not _answers(env.status.http_port, host):
            if time.monotonic() > deadline:
                hint = f"`devenv cluster` shows its state; port {env.status.http_port} of this machine must lead to it"
                raise ClusterError(f"the router does not serve `{host}` after {ROUTER_TIMEOUT:.0f} s", hint)
            time.sleep(0.1)


def _answers(port: int, host: str) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=35)
    try:
        connection.request("HEAD", "/", headers={"Host": host})
        answer = connection.getresponse()
        return host == "localhost" or answer.getheader("x-devenv-error") not in NOT_YET
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def image_reference(env: Env, key: str) -> str:
    """What a pod pulls for an add-on's image."""
    return publish.reference(key, env.status.source, env.status.registry)


def provide_images(env: Env, keys: Iterable[str]) -> None:
    """Have the add-on images where pods pull them: built ones are made and put into the cluster's registry."""
    if env.status.source == "built":
        wanted = sorted(set(keys))
        build.build(env.runner, env.console, wanted)
        publish.publish(env.runner, wanted, env.status.registry)
