"""BuildKit's plain progress in Heroku's shape."""

import pytest

from devenv.build.output import Progress, hint, process_types, size

PROGRESS = """\
#0 building with "default" instance using docker driver

#1 [internal] load build definition from Dockerfile
#1 transferring dockerfile: 1.70kB 0.0s done
#1 DONE 0.1s

#5 [stage-0 1/3] RUN echo '-----> Installing Python 3.13'  && python3 -m venv /app/.venv
#5 CACHED

#6 [stage-0 2/3] RUN echo '-----> Installing dependencies using pip'  && pip install -r requirements.txt
#6 0.311 -----> Installing dependencies using pip
#6 1.204 Collecting flask
#6 1.300 \x1b[33m !     a warning\x1b[0m
#6 2.000
#6 DONE 2.1s

#7 exporting to image
#7 exporting layers 0.1s done
#7 DONE 0.1s
"""
FAILED = """\
#6 [2/2] RUN npm ci
#6 0.3 npm notice
#6 0.5 npm error code EUSAGE
#6 0.5 npm error `npm ci` can only install packages when they are in sync
#6 ERROR: process "/bin/bash -c npm ci" did not complete successfully: exit code: 1
------
 > [2/2] RUN npm ci:
------
Dockerfile:2
--------------------
   2 | >>> RUN npm ci
--------------------
ERROR: failed to solve: process "/bin/bash -c npm ci" did not complete successfully: exit code: 1
"""


def told(text: str, *, steps: bool) -> tuple[list[str], Progress]:
    lines: list[str] = []
    progress = Progress(lines.append, steps=steps)
    for line in text.splitlines():
        progress.feed(line)
    return lines, progress


def test_a_buildpack_app_reads_as_on_heroku() -> None:
    lines, _ = told(PROGRESS, steps=False)
    assert lines == [
        "-----> Installing Python 3.13",
        "       Nothing changed: taken from the cache",
        "-----> Installing dependencies using pip",
        "       Collecting flask",
        " !     a warning",
    ]


def test_a_dockerfile_shows_its_steps() -> None:
    lines, _ = told(PROGRESS, steps=True)
    assert lines[:2] == [
        "Step 1/3 : RUN echo '-----> Installing Python 3.13'  && python3 -m venv /app/.venv",
        " ---> Using cache",
    ]


def test_a_failure_tells_the_first_error_and_the_next_step() -> None:
    _, progress = told(FAILED, steps=False)
    error = progress.error("Node.js app")
    assert error.message == "push rejected, failed to compile Node.js app"
    assert error.details == (
        "npm error code EUSAGE",
        "npm error `npm ci` can only install packages when they are in sync",
    )
    assert error.hint == "`npm install`, then commit package-lock.json"


def test_a_failure_before_any_step_tells_buildkits_own_words() -> None:
    text = "Dockerfile:2\n---\n   2 | >>> RUNX a\n---\nERROR: failed to solve: dockerfile parse error on line 2: unknown instruction: RUNX\n"
    _, progress = told(text, steps=True)
    assert progress.error("`Dockerfile`").details == (
        "   2 | >>> RUNX a",
        "dockerfile parse error on line 2: unknown instruction: RUNX",
    )


def test_a_long_trace_back_keeps_its_end() -> None:
    text = "#6 [2/2] RUN x\n" + "".join(f"#6 0.{n} line {n}\n" for n in range(40)) + "#6 ERROR: x\n"
    _, progress = told(text, steps=False)
    assert progress.error("Python app").details[-1] == "line 39"


@pytest.mark.parametrize(
    ("said", "part"),
    [
        ("ERROR: No matching distribution found for nosuch==1", "`nosuch==1`"),
        ("SSL: CERTIFICATE_VERIFY_FAILED", "DEVENV_CA_FILE"),
        ("write /x: No space left on device", "docker system prune"),
        ('npm error Missing script: "build"', "`build`"),
        ("/bin/sh: 1: apk: not found", "Alpine"),
    ],
)
def test_hints(said: str, part: str) -> None:
    assert part in (hint(said) or "")


def test_an_unknown_failure_has_no_invented_hint() -> None:
    assert hint("Segmentation fault") is None


def test_process_types() -> None:
    assert process_types(["web", "release"], ["rake"]) == [
        "-----> Discovering process types",
        "       Procfile declares types     -> release, web",
        "       Default types for buildpack -> rake",
    ]


def test_sizes() -> None:
    assert size(36_300_000) == "36.3M"
    assert size(2_340) == "2.3K"
