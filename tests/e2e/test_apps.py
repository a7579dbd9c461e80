"""Small apps of every kind, from their folder to their answer."""

from tests.e2e.conftest import MakeApp


def test_python(make_app: MakeApp) -> None:
    app = make_app("python-plain")
    print(app("up", "-d"))
    assert app.http("/").text.strip() == "Hello from python-plain"
