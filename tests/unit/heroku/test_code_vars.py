import pytest

from devenv.heroku.code_vars import candidates, reads

NAMES = ("DATABASE_URL", "REDIS_URL", "BONSAI_URL")


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('url = os.environ["DATABASE_URL"]', {"DATABASE_URL": 1}),
        ("\n\nurl = os.getenv('REDIS_URL', '')", {"REDIS_URL": 3}),
        ("const url = process.env.BONSAI_URL;", {"BONSAI_URL": 1}),
        ('ENV.fetch("DATABASE_URL")\nENV["DATABASE_URL"]', {"DATABASE_URL": 1}),
        ('os.Getenv("REDIS_URL") + os.Getenv("BONSAI_URL")', {"REDIS_URL": 1, "BONSAI_URL": 1}),
        ("url: ${DATABASE_URL}", {"DATABASE_URL": 1}),
        ("# DATABASE_URL is set by the add-on", {}),
        ('os.environ["DATABASE_URL_OLD"]', {}),
        ('os.environ["MY_DATABASE_URL"]', {}),
        ("", {}),
    ],
)
def test_what_the_code_reads(text: str, found: dict[str, int]) -> None:
    assert reads(text, NAMES) == found


def test_no_names_find_nothing() -> None:
    assert reads('"DATABASE_URL"', ()) == {}


def test_only_source_that_may_run_is_read() -> None:
    files = {
        "app.py",
        "README.md",
        "node_modules/x/index.js",
        "tests/test_app.py",
        "src/index.ts",
        "config/database.yml",
        "spec.rb",
    }
    assert candidates(files) == ["app.py", "config/database.yml", "spec.rb", "src/index.ts"]
