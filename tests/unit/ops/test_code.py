"""Which add-ons an app's code reveals."""

from pathlib import Path

import pytest

from devenv.build.source import work_tree
from devenv.ops import code, shipped

READS = 'os.environ["DATABASE_URL"], os.environ["REDIS_URL"], os.environ["BONSAI_URL"]'
EVERY = ["BONSAI_URL", "DATABASE_URL", "REDIS_URL"]


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEVENV_CACHE", str(tmp_path / "cache"))


@pytest.mark.parametrize(
    ("files", "found"),
    [
        ({}, EVERY),
        ({"requirements.txt": "psycopg[binary]==3.2\nrq\n"}, EVERY),
        ({"requirements.txt": "django\n# psycopg[binary], redis\ngunicorn  # not redis\n"}, ["BONSAI_URL"]),
        ({"requirements.txt": "dj-database-url\n", "Dockerfile": "RUN pip install psycopg2\n"}, EVERY[:2]),
        ({"Dockerfile": "RUN true\n"}, EVERY),
        ({"package.json": '{"dependencies": {"pgq-light": "1", "redisx": "1"}}'}, ["BONSAI_URL"]),
        ({"package.json": '{"dependencies": {"sequelize": "6", "pg": "8"}}'}, EVERY[:2]),
        (
            {"package.json": '{"dependencies": {"a": "1"}}', "package-lock.json": '{"node_modules/ioredis": {}}'},
            EVERY[::2],
        ),
        ({"Gemfile": "gem 'pg', '~> 1.5'\n", "Gemfile.lock": "    sidekiq (7.3)\n"}, EVERY),
        ({"go.mod": "require github.com/lib/pq v1.10.9 // indirect\n"}, EVERY[:2]),
        ({"package.json": "{}", "composer.json": '{"require": {"php": "^8.3"}}'}, EVERY[:2]),
        ({"requirements.txt": "-r requirements/base.txt\n", "requirements/base.txt": "Flask-Redis==0.4\n"}, EVERY[::2]),
        ({"requirements.txt": "flask\n", "tests/requirements.txt": "psycopg\n"}, ["BONSAI_URL"]),
    ],
)
def test_code_reveals_what_the_app_has_a_library_for(tmp_path: Path, files: dict[str, str], found: list[str]) -> None:
    for name, text in ({"app.py": READS} | files).items():
        (tmp_path / "app" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "app" / name).write_text(text)
    tree = work_tree(tmp_path / "app")
    for _ in range(2):  # read, then remembered
        assert sorted(code.reads(tree, shipped.catalog())) == found
