"""images.yaml and programs.yaml agree with the recipes they name."""

import re

import pytest

from devenv.base import resources
from devenv.base.errors import InputError
from devenv.images import catalog, fingerprint

KEYS = list(catalog.entries())


@pytest.mark.parametrize("key", KEYS)
def test_official_references_are_pinned_by_digest(key: str) -> None:
    official = catalog.get(key).official
    assert official is None or re.search(r":[^@]+@sha256:[0-9a-f]{64}$", official)


@pytest.mark.parametrize("key", KEYS)
def test_built_references_carry_a_tag_that_is_not_latest(key: str) -> None:
    name, _, tag = catalog.get(key).built.rpartition(":")
    assert name
    assert tag != "latest"


@pytest.mark.parametrize("key", KEYS)
def test_a_recipe_needs_exactly_the_images_it_is_from(key: str) -> None:
    recipe = catalog.get(key).recipe
    if not recipe.folder or recipe.kind == "debootstrap":
        assert recipe.needs == ()
        return
    text = (fingerprint.folder(catalog.get(key)) / "Dockerfile").read_text(encoding="utf-8")
    stages = set(re.findall(r"^FROM \S+ AS (\S+)$", text, re.M))
    named = set(re.findall(r"^FROM (\S+)", text, re.M)) | set(re.findall(r"^COPY --from=(\S+)", text, re.M))
    built = {entry.built: entry.key for entry in catalog.entries().values()}
    assert {built[name] for name in named - stages - {"scratch"}} == set(recipe.needs)


@pytest.mark.parametrize("module", catalog.modules().values(), ids=lambda module: module.name)
def test_a_module_pins_every_package_it_builds(module: catalog.Module) -> None:
    folder = resources.path(f"offline/{module.folder}")
    pins = (folder / "go.mod").read_text(encoding="utf-8")
    for package in module.programs.values():
        assert f"module {package}\n" in pins or re.search(rf"^(tool |\t){re.escape(package)}$", pins, re.M)
    needed = re.search(r"^go (\d+\.\d+)", pins, re.M)
    assert needed
    assert tuple(map(int, module.go.split(".")))[:2] >= tuple(map(int, needed[1].split(".")))


def test_every_tool_has_a_module_and_four_checksums() -> None:
    for tool in catalog.tools().values():
        assert catalog.module_of(tool.name)
        assert set(tool.sha256) == {"linux-amd64", "linux-arm64", "darwin-amd64", "darwin-arm64"}
        assert all(re.fullmatch(r"[0-9a-f]{64}", value) for value in tool.sha256.values())


def test_images_come_after_what_they_need() -> None:
    order = [entry.key for entry in catalog.ordered(KEYS)]
    assert sorted(order) == sorted(KEYS)
    for key in order:
        assert all(order.index(need) < order.index(key) for need in catalog.needs(catalog.get(key)))


def test_asking_for_one_image_brings_its_needs_only() -> None:
    assert [entry.key for entry in catalog.ordered(["postgres"])] == ["debian", "postgres"]


def test_a_node_needs_what_it_preloads() -> None:
    preloaded = {entry.key for entry in catalog.entries().values() if entry.preload}
    assert preloaded <= set(catalog.needs(catalog.get("node")))
    assert {"kube-apiserver", "etcd", "coredns", "pause", "debian"} <= preloaded


def test_reference_is_the_official_one_unless_built_ones_are_used() -> None:
    assert catalog.reference("postgres", "official").startswith("postgres:17")
    assert catalog.reference("postgres", "built") == "devenv.local/postgres:17"


def test_reference_without_an_official_image_is_the_built_one() -> None:
    assert catalog.reference("stack", "official") == "devenv.local/stack:24"


def test_an_unknown_key_is_an_error_that_lists_the_known_ones() -> None:
    with pytest.raises(InputError, match="`mysql`") as raised:
        catalog.reference("mysql", "built")
    assert "postgres" in (raised.value.hint or "")


def test_fingerprints_are_short_stable_and_differ() -> None:
    prints = {key: fingerprint.of_image(key) for key in KEYS}
    assert len(set(prints.values())) == len(KEYS)
    assert all(re.fullmatch(r"[0-9a-f]{16}", value) for value in prints.values())
