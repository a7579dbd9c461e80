"""Every chart, values in, manifests out: `<chart>/<case>/values.yaml` -> `manifests.yaml`, by the real helm."""

import base64
import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from devenv.base import paths, resources
from devenv.base.errors import ToolMissing
from devenv.cluster import binaries

HERE = Path(__file__).parent
CASES = sorted(file.parent.relative_to(HERE).as_posix() for file in HERE.glob("*/*/values.yaml"))
CHARTS = ("app", "env", "sync", "postgres", "redis", "mosquitto", "elasticsearch")
# made anew whenever nothing of it is in a cluster
CERTIFICATE = re.compile(r"^(\s+tls\.(?:crt|key): )\S+$", re.MULTILINE)


def helm(*argv: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
    try:
        program = binaries.find("helm")
    except ToolMissing as error:  # fails the test, does not skip it
        pytest.fail(f"{error}; `make tools` puts it into {paths.bin_folder()}")
    return subprocess.run([program, *argv], input=stdin, capture_output=True, text=True, check=False, timeout=60)


def render(chart: str, values: str) -> str:
    done = helm("template", chart, str(resources.path(f"charts/{chart}")), "--namespace=lamp", "-f", "-", stdin=values)
    assert done.returncode == 0, done.stderr
    return CERTIFICATE.sub(r"\1CERTIFICATE", done.stdout)


def objects(text: str) -> list[dict[str, Any]]:
    return [item for item in yaml.safe_load_all(text) if item]


def pods(text: str) -> Iterator[tuple[str, dict[str, Any]]]:
    for item in objects(text):
        if item["kind"] in ("Deployment", "StatefulSet"):
            yield item["metadata"]["name"], item["spec"]["template"]
        elif item["kind"] == "Pod":
            yield item["metadata"]["name"], {"metadata": {"labels": item["metadata"]["labels"]}, "spec": item["spec"]}


@pytest.mark.parametrize("case", CASES)
def test_manifests(case: str, update_golden: bool) -> None:
    folder = HERE / case
    rendered = render(case.split("/")[0], (folder / "values.yaml").read_text())
    expected = folder / "manifests.yaml"
    if update_golden:
        expected.write_text(rendered)
    assert rendered == expected.read_text(), "review, then accept with `pytest tests/golden --update-golden`"


def test_the_router_goes_by_health_at_once_where_it_is_envoy() -> None:
    values = (HERE / "app/web-worker-release/values.yaml").read_text()
    asked = ("--namespace=lamp", "--api-versions=gateway.envoyproxy.io/v1alpha1/EnvoyPatchPolicy", "-f", "-")
    done = helm("template", "app", str(resources.path("charts/app")), *asked, stdin=values)
    (policy,) = (item for item in objects(done.stdout) if item["kind"] == "EnvoyPatchPolicy")
    assert (policy["metadata"]["namespace"], policy["metadata"]["name"]) == ("devenv-system", "lamp")
    (patch,) = policy["spec"]["jsonPatches"]
    assert patch["name"] == "httproute/lamp/web/rule/0"
    assert patch["operation"]["path"] == "/common_lb_config/update_merge_window"
    assert "EnvoyPatchPolicy" not in render("app", values), "not on a cluster with another router"


def test_every_chart_has_a_case() -> None:
    assert {case.split("/")[0] for case in CASES} >= set(CHARTS)


@pytest.mark.parametrize("chart", CHARTS)
def test_lint(chart: str) -> None:
    folder = str(resources.path(f"charts/{chart}"))
    done = helm("lint", "--strict", folder)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("chart", CHARTS)
def test_a_wrong_key_is_refused(chart: str) -> None:
    case = next(case for case in CASES if case.startswith(f"{chart}/"))
    values = yaml.safe_load((HERE / case / "values.yaml").read_text()) | {"replicas": 2}
    done = helm("template", chart, str(resources.path(f"charts/{chart}")), "-f", "-", stdin=resources.dump_yaml(values))
    assert done.returncode != 0
    assert "replicas" in done.stderr


@pytest.mark.parametrize("case", CASES)
def test_every_pod_says_whose_it_is(case: str) -> None:
    text = render(case.split("/")[0], (HERE / case / "values.yaml").read_text())
    for _, template in pods(text):
        labels = template["metadata"]["labels"]
        assert {"app.kubernetes.io/name", "app.kubernetes.io/part-of", "app.kubernetes.io/component"} <= labels.keys()
        assert labels["devenv.dev/kind"] in ("process", "release", "addon", "sync")
        assert labels["devenv.dev/env"] == labels["app.kubernetes.io/part-of"]
        assert template["spec"]["automountServiceAccountToken"] is False
        assert template["spec"]["enableServiceLinks"] is False


def test_every_byte_of_a_config_var_survives() -> None:
    nasty = "a\nb\t\x7f\u0085\u2028 é 😀 $X $(PATH) $$ `x` 'q' \"d\" # c: - {{ .x }} \\ \x01 end\n"
    values = yaml.safe_load((HERE / "app/web-worker-release/values.yaml").read_text())
    values["config"] = {"NASTY": nasty, "EMPTY": "", "YES": "yes", "NUMBER": "0123"}
    secrets = [item for item in objects(render("app", resources.dump_yaml(values))) if item["kind"] == "Secret"]
    (secret,) = secrets
    assert {name: base64.b64decode(value).decode() for name, value in secret["data"].items()} == values["config"]


def test_a_release_does_not_touch_the_config_of_the_one_before() -> None:
    values = yaml.safe_load((HERE / "app/web-worker-release/values.yaml").read_text())
    (secret,) = (item for item in objects(render("app", resources.dump_yaml(values))) if item["kind"] == "Secret")
    assert "helm.sh/hook" in secret["metadata"]["annotations"], "the next release would remove it"
    for version in (3, 4):
        values["release"]["version"] = version
        for _, template in pods(render("app", resources.dump_yaml(values))):
            (container,) = template["spec"]["containers"]
            assert container["envFrom"] == [{"secretRef": {"name": f"app-config-v{version}"}}]


def test_a_config_var_wins_over_what_the_size_suggests() -> None:
    values = yaml.safe_load((HERE / "app/web-worker-release/values.yaml").read_text())
    web = next(item for item in values["processes"] if item["name"] == "web")
    web["env"] = {"WEB_CONCURRENCY": "2", "DYNO_RAM": "512"}
    values["config"] = {"WEB_CONCURRENCY": "7", "PORT": "5000"}
    template = dict(pods(render("app", resources.dump_yaml(values))))["web"]
    env = {item["name"]: item["value"] for item in template["spec"]["containers"][0]["env"]}
    assert "WEB_CONCURRENCY" not in env
    assert env["DYNO_RAM"] == "512"
    assert env["PORT"] == str(web["port"])  # the router and the probes go by it


def test_the_config_alone_changes_the_pods() -> None:
    values = yaml.safe_load((HERE / "app/web-worker-release/values.yaml").read_text())
    before = dict(pods(render("app", resources.dump_yaml(values))))
    values["release"] |= {"description": "Set X config vars", "created": "2027-01-01T00:00:00Z"}
    assert dict(pods(render("app", resources.dump_yaml(values)))) == before
    values["config"]["X"] = "1"
    after = dict(pods(render("app", resources.dump_yaml(values))))
    assert all(after[name] != before[name] for name in ("web", "worker"))


def test_nothing_secret_is_outside_of_secrets() -> None:
    for chart in ("postgres", "redis", "mosquitto", "elasticsearch"):
        case = next(case for case in CASES if case.startswith(f"{chart}/"))
        values = yaml.safe_load((HERE / case / "values.yaml").read_text())
        values["credentials"]["password"] = "the-password"
        for item in objects(render(chart, resources.dump_yaml(values))):
            assert item["kind"] == "Secret" or "the-password" not in json.dumps(item), (chart, item["kind"])


def test_a_dyno_starts_by_its_profile_scripts(tmp_path: Path) -> None:
    (tmp_path / ".profile.d").mkdir()
    (tmp_path / ".profile.d" / "a.sh").write_text("export A=$DYNO; set -- changed")
    (tmp_path / ".profile.d" / "b.sh").write_text("export B=${A}b")
    (tmp_path / ".profile").write_text("export C=${B}c")
    script = (
        resources.path("charts/app/files/start.bash").read_text()
        + 'eval "$devenv_prepare"; exec bash -c "$devenv_command"'
    )
    command = "echo \"$C it's\" '$A' \\\\"
    argv = ["bash", "-c", script, "url_checker", command]
    environment = {"PATH": "/usr/bin:/bin", "HOSTNAME": "url-checker-7d9c-x2x4z"}
    done = subprocess.run(argv, cwd=tmp_path, env=environment, capture_output=True, text=True, check=True)
    # cksum of the pod's name, modulo 9999, plus one
    assert done.stdout == "url_checker.1469bc it's $A \\\n"
    done = subprocess.run([*argv, "12"], cwd=tmp_path, env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.startswith("url_checker.12bc")
    environment["PATH"] = str(tmp_path)
    (tmp_path / "bash").symlink_to("/bin/bash")
    done = subprocess.run(
        ["/bin/bash", *argv[1:]], cwd=tmp_path, env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout.startswith("url_checker.1bc")  # no cksum in the image
    assert not done.stderr
