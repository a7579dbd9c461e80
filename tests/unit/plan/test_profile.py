"""Profiles: precedence, strictness, and that the shipped ones and their documented examples load."""

from pathlib import Path
from typing import Any

import pytest

from devenv.base import resources
from devenv.base.errors import InputError
from devenv.ops import shipped
from devenv.plan import profile as profiles
from devenv.plan.model import DynoSize
from devenv.plan.profile import Layer, Profile, resolve

DEFAULT = Layer("default.yaml", resources.load_yaml(resources.path("profiles/default.yaml").read_text(), "default"))


def over(text: str, flags: dict[str, Any] | None = None) -> Profile:
    return resolve((DEFAULT, Layer(".devenv/profile.yaml", resources.load_yaml(text, "x"))), flags or {})


def problems(text: str) -> str:
    with pytest.raises(InputError) as caught:
        over(text)
    return "\n".join([caught.value.message, *caught.value.details])


def app_with(tmp_path: Path, text: str) -> Path:
    (tmp_path / ".devenv").mkdir()
    (tmp_path / ".devenv" / "profile.yaml").write_text(text)
    return tmp_path


@pytest.mark.parametrize("name", profiles.NAMES)
def test_shipped_profiles_load(name: str) -> None:
    found = shipped.profile(None, name, {})
    assert found.cluster == "devenv"
    assert found.provider == "kind"


def test_what_the_dyno_contract_says() -> None:
    found = shipped.profile(None, None, {})
    assert (found.boot_timeout, found.stop_timeout, found.release_timeout) == (60, 30, 3600)
    memory = {row.name: row.memory for row in found.sizes.values()}
    # heroku.md section 3.3
    assert memory["Eco"] == memory["Basic"] == memory["Standard-1X"] == 512
    assert memory["Standard-2X"] == 1024
    assert memory["Performance-M"] == 2560
    assert memory["Performance-L"] == 14 * 1024
    assert memory["Performance-L-RAM"] == 30 * 1024
    assert memory["Performance-XL"] == 62 * 1024
    assert memory["Private-S"] == memory["Shield-S"] == 1024
    assert memory["Private-M"] == memory["Shield-M"] == 2560
    assert memory["Private-L"] == memory["Shield-L"] == 14 * 1024


def test_small_runs_one_of_each_and_full_keeps_quantities() -> None:
    assert shipped.profile(None, "small", {}).max_quantity == 1
    assert shipped.profile(None, "full", {}).max_quantity >= 100


def test_precedence_flag_over_app_over_named_over_default(tmp_path: Path) -> None:
    root = app_with(tmp_path, "extends: small\ncluster: ours\nconfig: {A: app}\n")
    assert shipped.profile(None, None, {}).max_quantity == 2  # default
    assert shipped.profile(root, None, {}).max_quantity == 1  # the named one, by `extends`
    assert shipped.profile(root, None, {}).cluster == "ours"  # the app's own
    assert shipped.profile(root, None, {"cluster": "flag"}).cluster == "flag"
    assert shipped.profile(root, None, {"cluster": None}).cluster == "ours"  # a flag that was not given
    assert shipped.profile(root, "full", {}).max_quantity >= 100  # --profile over `extends`
    assert shipped.profile(root, "full", {}).config == {"A": "app"}


def test_mappings_are_joined_scalars_replaced() -> None:
    found = over("quantity: {web: 3}\ntimeouts: {boot: 90}\nsizes: {Eco: {memory: 256}, Tiny: {memory: 64, cpu: 10}}\n")
    assert (found.web_quantity, found.other_quantity) == (3, 1)
    assert (found.boot_timeout, found.stop_timeout) == (90, 30)
    assert found.sizes["eco"] == DynoSize("Eco", 256, 50)
    assert found.sizes["tiny"] == DynoSize("Tiny", 64, 10)
    assert "basic" in found.sizes


def test_layers_do_not_change_each_other() -> None:
    before = repr(DEFAULT.content)
    over("timeouts: {boot: 90}\nsizes: {Eco: {memory: 256}}\n")
    assert repr(DEFAULT.content) == before


def test_an_empty_file_changes_nothing() -> None:
    assert over("") == over("{}") == resolve((DEFAULT,), {})


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("quantities: {web: 1}", ("`quantities`", "did you mean `quantity`?")),
        ("timeouts: {bot: 60}", ("`timeouts.bot`", "did you mean `boot`?")),
        ("quantity: {worker: 2}", ("`quantity.worker`", "others")),
        ("sizes: {Eco: {mem: 1}}", ("`sizes.Eco.mem`", "memory")),
        ("sizes: {Tiny: {memory: 64}}", ("`sizes.Tiny`", "cpu")),
        ("zzz: 1", ("unknown key `zzz`", "known keys")),
        ("max_quantity: two", ("`max_quantity`", "number")),
        ("max_quantity: true", ("`max_quantity`", "number")),
        ("max_quantity: -1", ("`max_quantity`", "negative")),
        ("http_port: 99999", ("`http_port`", "no port 99999", "65535")),
        ("timeouts: {boot: -1}", ("`timeouts.boot`", "negative")),
        ("timeouts: {boot: fast}", ("`timeouts.boot`", "number")),
        ("timeouts: 60", ("`timeouts`", "mapping")),
        ("cluster: 7", ("`cluster`", "text", "quotes")),
        ("kubernetes: 1.34", ("`kubernetes`", "text", "quotes")),
        ("config: {DEBUG: 1}", ("`config.DEBUG`", "text", "quotes")),
        ("config: {DEBUG: yes}", ("`config.DEBUG`", "text", "quotes")),
        ("sizes: {Eco: {memory: big}}", ("`sizes.Eco.memory`", "number")),
        ("addons: {sentry: maybe}", ("`maybe`", "stand-in, passthrough, off")),
        ("sync: x", ("`sync`", "list")),
        ("sync: [a]", ("`sync[0]`", "needs a `match`")),
        ("sync: [{do: sync}]", ("`sync[0]`", "needs a `match`")),
        ("sync: [{match: a}, {match: 1}]", ("`sync[1].match`", "one text or a list")),
        ("sync: [{match: [a, 1]}]", ("`sync[0].match`", "one text or a list")),
        ("sync: [{match: a, do: reload}]", ("`sync[0].do`", "`reload`", "sync, restart, rebuild, ignore")),
        ("sync: [{match: a, once: 1}]", ("`sync[0].once`", "true or false")),
        ("sync: [{match: a, run: [make]}]", ("`sync[0].run`", "a text")),
        ("sync: [{match: a, typ: web}]", ("`sync[0].typ`", "did you mean `types`?")),
        ("sync: [{match: a, do: sync, run: make}]", ("`sync[0].run`", "`do` is `sync`", "`do: restart`")),
        ("sync: [{match: a, do: rebuild, once: true}]", ("`sync[0].once`", "`do` is `rebuild`", "`do: restart`")),
        ("sync: [{match: a, types: web}]", ("`sync[0].types`", "`do` is `sync`", "`do: restart`")),
        ('sync: [{match: "!"}]', ("`sync[0].match`: `!` matches nothing",)),
        ("sync: [{match: [a, 'b\\']}]", ("`sync[0].match`: `b\\` matches nothing",)),
        ('sync: [{match: "[z-a]"}]', ("`sync[0].match`: `[z-a]` matches nothing",)),
        ('sync: [{match: ""}]', ("`sync[0].match`: `` matches nothing",)),
        ('sync: [{match: "x["}]', ("`sync[0].match`: `x[` matches nothing",)),
        ("sync: [{match: []}]", ("`sync[0].match`: `` matches nothing",)),
        ("- a", ("mapping",)),
        ("just text", ("mapping",)),
    ],
)
def test_what_is_refused_names_file_key_and_way_out(text: str, said: tuple[str, ...]) -> None:
    told = problems(text)
    assert ".devenv/profile.yaml" in told
    for word in said:
        assert word in told


@pytest.mark.parametrize(
    "rule", ["{run: make, types: web, once: true}", "{do: restart, types: [web]}", "{once: false}"]
)
def test_rules_that_restart(rule: str) -> None:
    assert over(f"sync: [{{match: a, {rule[1:]}]").sync


def test_every_problem_is_told_at_once() -> None:
    told = problems("clustr: a\nmax_quantity: two\ntimeouts: {bot: 1}\n")
    assert "3 problems" in told


def test_the_example_of_the_manual_works() -> None:
    # a bare `off` is false to YAML 1.1; the default profile shows it bare
    found = over("addons: {sentry: off, heroku-redis: passthrough}")
    assert found.addons == {"sentry": "off", "heroku-redis": "passthrough"}


def test_an_unknown_profile_is_named() -> None:
    with pytest.raises(InputError, match="no profile `smal`") as caught:
        shipped.profile(None, "smal", {})
    assert "small" in (caught.value.hint or "")


def test_a_profile_that_is_no_utf8(tmp_path: Path) -> None:
    root = app_with(tmp_path, "")
    (root / ".devenv" / "profile.yaml").write_bytes("\n# f\u00fcr\n".encode("latin-1"))
    with pytest.raises(InputError, match=r"^\.devenv/profile\.yaml:2: not UTF-8"):
        shipped.profile(root, None, {})


def test_a_profile_with_another_suffix_is_not_passed_over(tmp_path: Path) -> None:
    root = app_with(tmp_path, "cluster: mine")
    (root / ".devenv" / "profile.yaml").rename(root / ".devenv" / "profile.yml")
    with pytest.raises(InputError, match=r"`\.devenv/profile\.yml` is not read") as caught:
        shipped.profile(root, None, {})
    assert caught.value.hint == "rename it to `.devenv/profile.yaml`"


def test_every_key_of_the_default_profile_has_a_comment() -> None:
    lines = resources.path("profiles/default.yaml").read_text().splitlines()
    for number, line in enumerate(lines):
        if line and not line.startswith((" ", "#")):
            assert lines[number - 1].startswith("#"), line
    assert {line.split(":")[0] for line in lines if line and not line.startswith((" ", "#"))} == set(profiles.SHAPES)


@pytest.mark.parametrize(
    ("name", "memory"),
    [
        ("standard-1x", 512),
        ("STANDARD-2X", 1024),
        ("dyno-1c-0.5gb", 512),
        ("dyno-2c-4gb", 4096),
        ("Dyno-32c-64gb", 65536),
    ],
)
def test_dyno_sizes(name: str, memory: int) -> None:
    found = profiles.size(resolve((DEFAULT,), {}).sizes, name, "app.json")
    assert found.memory == memory


@pytest.mark.parametrize(
    "name", ["standard-3x", "", "dyno-c-4gb", "dyno-1c-infgb", "dyno-1c-nangb", "dyno-1c--1gb", "huge"]
)
def test_no_dyno_size(name: str) -> None:
    with pytest.raises(InputError) as caught:
        profiles.size(resolve((DEFAULT,), {}).sizes, name, "app.json")
    assert "not a dyno size" in caught.value.message
    assert caught.value.hint


def test_a_misspelt_size_gets_the_nearest() -> None:
    with pytest.raises(InputError) as caught:
        profiles.size(resolve((DEFAULT,), {}).sizes, "standart-1x", "app.json")
    assert "Standard-1X" in (caught.value.hint or "")
