"""What Envoy counts for each pod it knows, from its statistics in Prometheus' text form. Pure."""

import re
from dataclasses import dataclass

# https://www.envoyproxy.io/docs/envoy/latest/configuration/upstream/cluster_manager/cluster_stats (per endpoint)
ENDPOINT = re.compile(r'envoy_cluster_endpoint_(\w+)\{.*envoy_endpoint_address="(.+):\d+"\} (\d+)')
CLUSTER = "envoy_cluster_membership_healthy{"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A pod as Envoy sees it: its address, whether requests go to it, how many did and how many of them failed."""

    ip: str
    healthy: bool
    requests: int
    errors: int  # answers of 5xx, and requests without an answer


def wanted(env: str) -> str:
    """The filter that leaves of Envoy's statistics those of an env's route."""
    return rf"^cluster\.httproute/{re.escape(env)}/web/.*(endpoint|membership_healthy)"


def parse(text: str) -> tuple[Endpoint, ...] | None:
    """The pods Envoy knows of an env; None when it counts by route only, which tells nothing of them."""
    counts: dict[str, dict[str, int]] = {}
    for name, ip, value in ENDPOINT.findall(text):
        counts.setdefault(ip, {})[name] = int(value)
    if not counts and CLUSTER in text:
        return None
    return tuple(
        Endpoint(ip, bool(each.get("healthy")), each.get("rq_total", 0), each.get("rq_error", 0))
        for ip, each in sorted(counts.items())
    )
