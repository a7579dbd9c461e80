"""What ships: every chart, profile and row of the catalog can be read."""

import pytest

from devenv.base import resources
from devenv.ops import shipped

CHARTS = sorted(file.parent.name for file in resources.path("charts").glob("*/Chart.yaml"))


def test_the_catalog() -> None:
    found = shipped.catalog()
    assert set(found.addons) == {"postgres", "redis", "mosquitto", "elasticsearch"}
    assert len(found.hosted) > 30


@pytest.mark.parametrize("name", CHARTS)
def test_a_chart_has_a_digest_of_its_own(name: str) -> None:
    assert shipped.chart(name).is_dir()
    assert len(shipped.chart_digest(name)) == 16
    assert len({shipped.chart_digest(other) for other in CHARTS}) == len(CHARTS)


@pytest.mark.parametrize(
    ("release", "chart"),
    [("postgres", "postgres"), ("postgres-my-analytics", "postgres"), ("mosquitto-stackhero", "mosquitto")],
)
def test_the_chart_of_a_release(release: str, chart: str) -> None:
    assert shipped.chart_of(release) == chart
