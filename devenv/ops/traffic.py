"""Where the router sends an env's requests: read from Envoy itself, which learns of a pod's end later than the cluster does."""

import time

from devenv.ops.env import Env
from devenv.plan import router_stats, values
from devenv.plan.router_stats import Endpoint

WEB = "devenv.dev/kind=process,devenv.dev/process=web"
ROUTER = "devenv.dev/component=router"
STATS_PORT = 19001  # of Envoy Gateway's Envoys: https://gateway.envoyproxy.io/docs/tasks/observability/proxy-metric/
# seconds that Envoy gathers changes of health for, before its workers go by them: its default, which no policy of the router sets
# https://www.envoyproxy.io/docs/envoy/latest/api-v3/config/cluster/v3/cluster.proto (update_merge_window)
MERGING = 1.0
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
    while (known := endpoints(env)) is not None:
        now = time.monotonic()
        ready = {pod.ip for pod in env.kube.pods(env.name, WEB) if pod.ready and not pod.deleting}
        healthy = {each.ip for each in known if each.healthy}
        if healthy <= ready and bool(healthy) == bool(ready):
            since = since or now
            if all(each.healthy for each in known) or now > since + MERGING:
                return
        else:
            since = None
        if now > deadline:
            env.console.detail("the router still sends requests to processes of the release before")
            return
        time.sleep(0.1)
