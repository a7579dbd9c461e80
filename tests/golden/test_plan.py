"""Small apps as their folders tell them: app and profile in, the values of every Helm release out, then the real charts over them.

`plan/<case>/` is the app; `releases.yaml` in it is what comes out, `settings.yaml` what the env remembers.
"""

import json
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from devenv.base import paths, resources
from devenv.base.errors import ToolMissing
from devenv.cluster import binaries
from devenv.heroku import app as heroku
from devenv.heroku.model import App
from devenv.ops import credentials, shipped
from devenv.plan import make, names, settings, values
from devenv.plan.model import ImageSpec, Plan, Release

HERE = Path(__file__).parent / "plan"
CASES = sorted(folder.name for folder in HERE.iterdir())
NOTE = values.ReleaseNote(7, "Deploy 1a2b3c4d", "release", "1a2b3c4d" * 5, "2026-05-04T10:00:00Z")
LIVE = "live-password"


class Charts(dict[str, str]):
    """A digest for every chart; not the real one, which changes with each line of a template."""

    def __missing__(self, name: str) -> str:
        return f"digest-of-{name}"


def images(app: App) -> tuple[ImageSpec, ...]:
    """One image for a buildpack app, one for each Dockerfile, as the builders name them; the tag is fixed."""
    if not app.builds:
        return (ImageSpec(f"{app.name}/app", "0" * 12, (), None, app.buildpacks),)
    runs = {build.type: {p.name for p in app.processes if (p.image or p.name) == build.type} for build in app.builds}
    return tuple(
        ImageSpec(f"{app.name}/{build.type}", "0" * 12, tuple(sorted({build.type} | runs[build.type])), build)
        for build in app.builds
    )


def fixed(made: settings.Settings) -> settings.Settings:
    """The same settings with every random value named for what it is."""
    known = {
        release: {name: value if value == "elastic" else f"{release}-{name}" for name, value in entries.items()}
        for release, entries in made.credentials.items()
    }
    generated = {name: f"generated-{name}" for name in made.generated}
    return replace(made, credentials=known, generated=generated)


def planned(case: str) -> tuple[Plan, tuple[Release, ...]]:
    app = heroku.load(HERE / case)
    profile, catalog = shipped.profile(HERE / case, None, {}), shipped.catalog()
    kept = HERE / case / "settings.yaml"
    text = json.dumps(resources.load_yaml(kept.read_text(), kept.name)) if kept.exists() else None
    known = settings.from_json(text)
    env = names.default_env(app.name, None)

    def plan(known: settings.Settings) -> Plan:
        return make.plan(app, profile, catalog, known, env, images(app))

    known = fixed(credentials.complete(known, app, plan(known).addons))
    made = plan(known)
    stand_ins = [row for row in made.addons if row.mode == "stand-in" and row.spec]
    refs = {image.name: f"localhost:5001/{image.name}:{image.tag}" for image in made.images}
    keys = {key for row in stand_ins if row.spec for key in (row.spec.image, row.spec.edge) if key}
    refs |= {key: f"localhost:5001/devenv/{key}:fixed" for key in keys}
    facts = values.Facts(refs, Charts())
    releases = [values.addon_release(row, env, known.credentials[row.name], facts) for row in stand_ins]
    return made, (*releases, values.app_release(made, profile, NOTE, facts))


def shown(case: str) -> str:
    made, releases = planned(case)
    document = {
        "addons": [
            f"{row.ref.service} as {row.attachment}: {row.mode}"
            + (f" {row.name}" if row.mode == "stand-in" else "")
            + (f", also {', '.join(row.aliases)}" if row.aliases else "")
            for row in made.addons
        ],
        "warnings": list(made.warnings),
        "missing": list(made.missing),
        "origins": {name: made.config.origins[name] for name in sorted(made.config.values)},
        "releases": {
            release.name: {"chart": release.chart, "namespace": release.namespace, "values": release.values}
            for release in releases
        },
    }
    return resources.dump_yaml(document)


@pytest.mark.parametrize("case", CASES)
def test_releases(case: str, update_golden: bool) -> None:
    expected = HERE / case / "releases.yaml"
    text = shown(case)
    if update_golden:
        expected.write_text(text)
    assert text == expected.read_text(), "review, then accept with `pytest tests/golden --update-golden`"


@pytest.mark.parametrize("case", CASES)
def test_the_charts_take_them(case: str) -> None:
    try:
        helm = binaries.find("helm")
    except ToolMissing as error:  # fails the test, does not skip it
        pytest.fail(f"{error}; `make tools` puts it into {paths.bin_folder()}")
    for release in planned(case)[1]:
        chart = str(resources.path(f"charts/{release.chart}"))
        argv = [helm, "template", release.name, chart, f"--namespace={release.namespace}", "-f", "-"]
        text = resources.dump_yaml(dict(release.values))
        done = subprocess.run(argv, input=text, capture_output=True, text=True, check=False, timeout=60)
        assert done.returncode == 0, f"{release.name}: {done.stderr}"
        kinds = [item["kind"] for item in resources_of(done.stdout)]
        expected = "Deployment" if release.name == values.APP else "StatefulSet"
        assert kinds.count(expected) == (len(release.values["processes"]) if release.name == values.APP else 1)


def resources_of(text: str) -> list[Any]:
    return [found for part in text.split("\n---\n") if (found := resources.load_yaml(part, "helm"))]


@pytest.mark.parametrize("case", CASES)
def test_nothing_live_is_in_a_release(case: str) -> None:
    assert LIVE not in shown(case)


@pytest.mark.parametrize("case", CASES)
def test_equal_inputs_give_equal_bytes(case: str) -> None:
    assert shown(case) == shown(case)
    assert [release.fingerprint for release in planned(case)[1]] == [one.fingerprint for one in planned(case)[1]]
