"""The switch that accepts what the charts render now."""

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    """Adds `--update-golden`: `pytest tests/golden --update-golden` rewrites the manifests; review the diff as code."""
    parser.addoption("--update-golden", action="store_true", help="accept what is rendered now")


@pytest.fixture
def update_golden(request: pytest.FixtureRequest) -> bool:
    """Whether to rewrite instead of compare; False when this folder was not named on the command line."""
    return bool(request.config.getoption("--update-golden", default=False))
