"""What Envoy's statistics tell of the pods behind a route."""

import re

from devenv.plan.router_stats import Endpoint, parse, wanted

CLUSTER = 'envoy_cluster_membership_healthy{envoy_cluster_name="httproute/lamp/web/rule/0"} 1\n'


def line(name: str, ip: str, value: int) -> str:
    labels = f'envoy_cluster_name="httproute/lamp/web/rule/0",envoy_endpoint_address="{ip}:23456"'
    return f"envoy_cluster_endpoint_{name}{{{labels}}} {value}\n"


def test_pods_with_their_counts() -> None:
    text = "# TYPE envoy_cluster_endpoint_rq_total counter\n" + CLUSTER
    text += line("rq_total", "10.244.0.7", 12) + line("rq_error", "10.244.0.7", 2) + line("healthy", "10.244.0.7", 1)
    text += line("rq_total", "10.244.0.8", 3) + line("healthy", "10.244.0.8", 0)
    assert parse(text) == (Endpoint("10.244.0.7", True, 12, 2), Endpoint("10.244.0.8", False, 3, 0))


def test_no_route_is_no_pods() -> None:
    assert parse("") == ()


def test_a_router_that_counts_by_route_only_tells_nothing() -> None:
    assert parse(CLUSTER) is None


def test_the_filter_picks_one_env() -> None:
    name = "cluster.httproute/lamp/web/rule/0.endpoint.10.244.0.7_23456.healthy"
    assert re.search(wanted("lamp"), name)
    assert not re.search(wanted("lamp"), name.replace("/lamp/", "/lamp-two/"))
    assert not re.search(wanted("lamp"), "cluster.httproute/lamp/web/rule/0.upstream_rq_total")
