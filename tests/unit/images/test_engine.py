"""What is asked of the docker command line, and how its answers are read."""

from pathlib import Path

import pytest

from devenv.base.errors import CommandFailed, ToolMissing
from devenv.images import engine
from tests.fakes import Answer, FakeRunner

LINES = (
    '["devenv.local/debian:trixie"]\t[]\t{"devenv.recipe":"0123"}\t138000000\n'
    '[]\t["postgres@sha256:aa"]\tnull\t400\n'
    '["localhost:5001/x:1"]\t[]\t{}\t7\n'
)


def test_local_images_by_tag_and_by_digest() -> None:
    runner = FakeRunner({("docker", "inspect"): Answer(LINES, "Error: No such image: gone:1", 1)})
    wanted = ["devenv.local/debian:trixie", "postgres:17.6@sha256:aa", "localhost:5001/x:1", "gone:1"]
    assert engine.local(runner, wanted) == {
        "devenv.local/debian:trixie": engine.Local("0123", 138000000),
        "postgres:17.6@sha256:aa": engine.Local(None, 400),
        "localhost:5001/x:1": engine.Local(None, 7),
    }


def test_an_engine_that_does_not_answer_is_not_an_empty_one() -> None:
    runner = FakeRunner({("docker", "inspect"): Answer("", "Cannot connect to the Docker daemon", 1)})
    with pytest.raises(CommandFailed):
        engine.local(runner, ["a:1"])


def test_check_tells_a_missing_engine_from_a_stopped_one() -> None:
    with pytest.raises(ToolMissing, match="not installed"):
        engine.check(FakeRunner())
    with pytest.raises(ToolMissing, match="does not answer"):
        engine.check(FakeRunner({("docker", "version"): Answer("", "Cannot connect", 1)}))


def test_a_build_passes_proxies_by_name_only() -> None:
    argv = engine.build_argv(Path("/context"), "devenv.local/x:1", "0123")
    assert argv[:4] == ["docker", "build", "--label", "devenv.recipe=0123"]
    assert argv[-3:] == ["-t", "devenv.local/x:1", "/context"]
    passed = [argv[i + 1] for i, part in enumerate(argv) if part == "--build-arg"]
    assert set(passed) == set(engine.PROXIES)
