"""The catalog of add-ons: charts/*/addon.yaml for stand-ins, charts/hosted.yaml for services without one."""

import difflib
from collections.abc import Mapping
from typing import Any

from devenv.base.errors import InputError
from devenv.plan.model import AddonSpec, Catalog, HostedSpec, ServiceSpec


def parse(stand_ins: Mapping[str, Any], hosted: Mapping[str, Any]) -> Catalog:
    """The catalog from parsed YAML: chart name -> addon.yaml, service slug -> row of hosted.yaml. Raises InputError."""
    return Catalog(
        addons={chart: _addon(chart, data) for chart, data in stand_ins.items()},
        hosted={slug: _hosted(slug, row) for slug, row in hosted.items()},
    )


def find(catalog: Catalog, service: str) -> tuple[AddonSpec, ServiceSpec] | HostedSpec | None:
    """What the catalog knows of a Heroku service slug."""
    for addon in catalog.addons.values():
        if service in addon.services:
            return addon, addon.services[service]
    return catalog.hosted.get(service)


def nearest(catalog: Catalog, service: str) -> str | None:
    """The known slug most like a misspelt one."""
    known = [slug for addon in catalog.addons.values() for slug in addon.services] + list(catalog.hosted)
    return next(iter(difflib.get_close_matches(service, known, 1)), None)


def _addon(chart: str, data: Mapping[str, Any]) -> AddonSpec:
    where = f"charts/{chart}/addon.yaml"
    services = {slug: _service(slug, row, where) for slug, row in _key(data, "services", where).items()}
    fields = {
        name: _key(data, name, where)
        for name in AddonSpec.__dataclass_fields__
        if name not in ("chart", "services", "clients", "edge", "libraries")
    }
    fields["version"] = str(fields["version"])
    clients = {verb: tuple(str(word) for word in argv) for verb, argv in data.get("clients", {}).items()}
    _closed(data, AddonSpec.__dataclass_fields__, where)
    libraries = tuple(data.get("libraries", ()))
    return AddonSpec(chart, services=services, clients=clients, edge=data.get("edge"), libraries=libraries, **fields)


def _service(slug: str, row: Mapping[str, Any], where: str) -> ServiceSpec:
    _closed(row, ServiceSpec.__dataclass_fields__, f"{where} services.{slug}")
    return ServiceSpec(
        service=slug,
        title=_key(row, "title", where),
        attachment=_key(row, "attachment", where),
        further=row.get("further"),
        config=_key(row, "config", where),
        plan=row.get("plan"),
        reveals=tuple(row.get("reveals", ())),
        schemes=tuple(row.get("schemes", ())),
        version_option=row.get("version_option"),
        note=row.get("note", ""),
    )


def _hosted(slug: str, row: Mapping[str, Any]) -> HostedSpec:
    where = f"charts/hosted.yaml {slug}"
    _closed(row, HostedSpec.__dataclass_fields__, where)
    fields = {
        name: _key(row, name, where) for name in HostedSpec.__dataclass_fields__ if name not in ("service", "config")
    }
    # YAML 1.1 reads a bare `off` as false
    fields["mode"] = "off" if fields["mode"] is False else fields["mode"]
    return HostedSpec(service=slug, config=tuple(row.get("config", ())), **fields)


def _key(data: Mapping[str, Any], name: str, where: str) -> Any:
    if name not in data:
        raise InputError(f"{where}: `{name}` is missing")
    return data[name]


def _closed(data: Mapping[str, Any], known: Mapping[str, Any], where: str) -> None:
    if unknown := sorted(set(data) - set(known)):
        raise InputError(f"{where}: unknown key `{unknown[0]}`")
