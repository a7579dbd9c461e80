"""Where the router sends an env's requests: read from Envoy itself, which learns of a pod's end later than the cluster does."""

import time
from contextlib import suppress

from devenv.cluster.kube_client import NotFound
from devenv.ops.env import Env
from devenv.plan import router_stats, values
from devenv.plan.router_stats import Endpoint

WEB = "devenv.dev/kind=process,devenv.dev/process=web"
ROUTER = "devenv.dev/component=router"
STATS_PORT = 19001  # of Envoy Gateway's Envoys: https://gateway.envoyproxy.io/docs/tasks/observability/proxy-metric/
POLICIES = f"/apis/gateway.envoyproxy.io/v1alpha1/namespaces/{values.SYSTEM}/envoypatchpolicies"
# seconds that Envoy gathers changes of health for, before its workers go by them, unless the app's policy forbids it
# https://www.envoyproxy.io/docs/envoy/latest/api-v3/config/cluster/v3/cluster.proto (update_merge_window)
MERGING = 1.0
AT_ONCE = 0.1
SETTLING = 10.0  # seconds: thirty times what the router takes to learn of a change


def endpoints(env: Env) -> tuple[Endpoint, ...] | None:
    """The pods that the router knows of the env; None when the cluster's router does not tell."""
    routers = [pod for pod in env.kube.pods(values.SYSTEM, ROUTER) if pod.ready and not pod.deleting]
    if not routers:
        return None
    path = f"/api/v1/namespaces/{values.SYSTEM}/pods/{routers[0].name}:{STATS_PORT}/proxy/stats/prometheus"
    return router_stats.parse(env.kube.http.text(path, params={"filter": router_stats.wanted(env.name)}))


def settle(env: Env) -> None:
    """Return when the router sends requests to ready web processes only."""
    deadline = time.monotonic() + SETTLING
    since: float | None = None
    lag = AT_ONCE if _at_once(env) else MERGING
    while (known := endpoints(env)) is not None:
        now = time.monotonic()
        ready = {pod.ip for pod in env.kube.pods(env.name, WEB) if pod.ready and not pod.deleting}
        healthy = {each.ip for each in known if each.healthy}
        if healthy <= ready and bool(healthy) == bool(ready):
            since = since or now
            if all(each.healthy for each in known) or now > since + lag:
                return
        else:
            since = None
        if now > deadline:
            env.console.detail("the router still sends requests to processes of the release before")
            return
        time.sleep(0.1)


def _at_once(env: Env) -> bool:
    """Whether Envoy goes by changes of the pods' health as soon as it learns of them."""
    try:
        policy = env.kube.http.json("GET", f"{POLICIES}/{env.name}")
    except NotFound:
        return False
    found = [each for part in policy.get("status", {}).get("ancestors", []) for each in part.get("conditions", [])]
    return any(each["type"] == "Programmed" and each["status"] == "True" for each in found)


def forget(env: Env) -> None:
    """Remove what the router has of the env outside its namespace."""
    with suppress(NotFound):
        env.kube.http.json("DELETE", f"{POLICIES}/{env.name}")
