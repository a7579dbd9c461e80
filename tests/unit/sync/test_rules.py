"""Which change does what."""

import pytest

from devenv.sync.rules import COPY, Rules, reloads_itself, rules


@pytest.mark.parametrize(
    ("language", "path", "does"),
    [
        ("python", "app.py", "restart"),
        ("python", "requirements.txt", "rebuild"),
        ("python", "sub/requirements.txt", "rebuild"),
        ("python", "poetry.lock", "rebuild"),
        ("python", "Procfile", "rebuild"),
        ("python", "sub/Procfile", "sync"),
        ("python", "templates/a.html", "restart"),
        ("python", "static/a.py", "sync"),
        ("python", "shop/static/a.py", "sync"),
        ("python", "sub/requirements/dev.txt", "rebuild"),
        ("python", "static/a.css", "sync"),
        ("python", "README.md", "sync"),
        ("python", "main.go", "sync"),
        ("nodejs", "server.js", "restart"),
        ("nodejs", "package-lock.json", "rebuild"),
        ("nodejs", "public/app.js", "sync"),
        ("nodejs", "src/App.tsx", "rebuild"),
        ("ruby", "config/routes.rb", "restart"),
        ("ruby", "Gemfile.lock", "rebuild"),
        ("go", "main.go", "rebuild"),
        ("java", "src/main/App.java", "rebuild"),
    ],
)
def test_defaults(language: str, path: str, does: str) -> None:
    assert rules([], [language], False).of(path).do == does


@pytest.mark.parametrize("path", ["migrations/0001.py", "shop/migrations/0001.py", "db/migrate/1_a.rb"])
def test_migrations_run_what_the_release_phase_runs(path: str) -> None:
    rule = rules([], ["python"], True).of(path)
    assert (rule.do, rule.run, rule.once, rule.back) == ("restart", "release", True, True)
    assert rules([], ["python"], False).of(path).run is None


def test_a_dockerfile_has_every_language() -> None:
    found = rules([], [], False)
    assert [found.of(path).do for path in ("a.py", "a.js", "a.rb")] == ["restart"] * 3
    locks = ("poetry.lock", "go.sum", "composer.lock", "sub/pom.xml", "Cargo.lock")
    assert [found.of(path).do for path in locks] == ["rebuild"] * 5
    assert [found.of(path).do for path in ("main.go", "src/main.rs", "a/b.h")] == ["rebuild"] * 3
    assert found.of("main.go").source == "default for a Dockerfile: compiled"


@pytest.mark.parametrize(
    ("path", "commands", "does"),
    [
        ("main.go", ["air -c .air.toml"], "sync"),
        ("main.rs", ["air", "cargo watch -x run"], "sync"),
        ("App.tsx", ["air"], "rebuild"),
        ("main.go", ["air", "bin/worker"], "rebuild"),
        ("App.tsx", ["npx vite --host", "npx tsx watch worker.ts"], "sync"),
        ("App.tsx", ["vite build && node server.js"], "rebuild"),
        ("App.tsx", ["python manage.py runserver"], "rebuild"),
        ("App.tsx", ["next dev", "node worker.js"], "rebuild"),
    ],
)
def test_what_each_process_compiles_by_itself_needs_no_other_image(path: str, commands: list[str], does: str) -> None:
    assert rules([], [], False, commands=commands).of(path).do == does
    if path == "App.tsx":
        assert rules([], ["nodejs"], False, commands=commands).of(path).do == does


def test_a_template_is_for_web_alone() -> None:
    assert rules([], ["python"], False).of("a.html").types == ("web",)


def test_own_rules_come_first() -> None:
    own = [
        {"match": "*.py", "do": "ignore"},
        {"match": ["*.txt", "!keep.txt"], "run": "make", "types": "worker", "once": True},
        {"match": "out/**", "back": True},
    ]
    found = rules(own, ["python"], True)
    assert (found.of("a.py").do, found.of("a.py").source) == ("ignore", ".devenv/profile.yaml sync[0]")
    text = found.of("a.txt")
    assert (text.do, text.run, text.types, text.once) == ("restart", "make", ("worker",), True)
    assert found.of("keep.txt") == COPY
    assert found.of("out/a").do == "sync"
    assert found.of("out/a") in found.back


def test_the_release_phase_runs_once() -> None:
    found = rules([{"match": "*.sql", "run": "release"}, {"match": "*.c", "run": "make"}], ["python"], True)
    assert [found.of(path).once for path in ("a.sql", "a.c")] == [True, False]


def test_everything_else_is_copied() -> None:
    assert Rules(()).of("any") is COPY


@pytest.mark.parametrize(
    ("command", "config", "itself"),
    [
        ("uvicorn app:app --reload", {}, True),
        ("gunicorn app:app", {}, False),
        ("nodemon server.js", {}, True),
        ("node --watch server.js", {}, True),
        ("node server.js", {}, False),
        ("python manage.py runserver 0.0.0.0:$PORT", {}, True),
        ("python manage.py runserver --noreload", {}, False),
        ("flask run", {"FLASK_DEBUG": "1"}, True),
        ("bundle exec puma", {"RAILS_ENV": "development"}, True),
        ("bundle exec puma", {"RAILS_ENV": "production"}, False),
        ("bundle exec puma", {}, False),
        ("vite", {}, True),
        ("air", {}, True),
        ("dotnet watch run", {}, True),
        ("vite preview", {}, False),
        ("vite build && node server.js", {}, False),
    ],
)
def test_who_reloads_by_itself(command: str, config: dict[str, str], itself: bool) -> None:
    assert reloads_itself(command, config) == itself


def test_an_image_whose_own_command_runs_takes_no_edits() -> None:
    own = [{"match": "docs/**", "do": "ignore"}, {"match": "*.py", "do": "sync"}]
    found = rules(own, [], False, fixed=True)
    assert [found.of(path).do for path in ("docs/a.md", "app.py", "static/a.css")] == ["ignore", "rebuild", "rebuild"]
    assert found.back, "what a one-off writes comes back all the same"
