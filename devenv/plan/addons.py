"""Which server takes each add-on's place: from what the app declares and from what its config vars reveal."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

from devenv.base.errors import InputError
from devenv.heroku.model import AddonRef, App, ConfigVars, frozen
from devenv.plan import catalog as catalogs
from devenv.plan.model import AddonSpec, Catalog, HostedSpec, Mode, PlannedAddon, ServiceSpec
from devenv.plan.names import label
from devenv.plan.profile import Profile
from devenv.plan.settings import Settings

# Heroku draws one at random (heroku.md section 5.1); a fixed order keeps equal inputs giving equal plans
COLORS = (
    "AMBER",
    "AQUA",
    "BLUE",
    "BRONZE",
    "COBALT",
    "COPPER",
    "CRIMSON",
    "CYAN",
    "GOLD",
    "GREEN",
    "IVORY",
    "JADE",
    "LIME",
    "OLIVE",
)


def resolve(
    app: App, catalog: Catalog, profile: Profile, settings: Settings, config: ConfigVars
) -> tuple[PlannedAddon, ...]:
    """The add-on table: declared and created ones first, then those that `config` reveals. Raises InputError on unknown services."""
    planned: list[PlannedAddon] = []
    unknown: list[str] = []
    for ref in _declared(app, settings):
        if (addon := _plan(ref, catalog, profile, settings, planned)) is None:
            near = catalogs.nearest(catalog, ref.service)
            unknown.append(
                f"{ref.source}: unknown add-on `{ref.service}`" + (f"; did you mean `{near}`?" if near else "")
            )
        else:
            planned.append(addon)
    if unknown:
        first = unknown[0].split("`")[1]
        raise InputError(
            "an add-on is not in the catalog"
            if len(unknown) == 1
            else f"{len(unknown)} add-ons are not in the catalog",
            f"keep the hosted one with `devenv addons:mode {first} passthrough`, or leave it out with `devenv addons:mode {first} off`",
            unknown,
        )
    return _revealed(planned, catalog, profile, settings, config)


def _declared(app: App, settings: Settings) -> Iterable[AddonRef]:
    for ref in (*app.addons, *settings.created):
        if ref.service not in settings.destroyed and (ref.attachment or "") not in settings.destroyed:
            yield ref


@dataclass(frozen=True, slots=True)
class _Found:
    spec: AddonSpec | None
    service: ServiceSpec | None
    hosted: HostedSpec | None


def _find(catalog: Catalog, slug: str, forced: Mode | None) -> _Found | None:
    found = catalogs.find(catalog, slug)
    if isinstance(found, tuple):
        return _Found(found[0], found[1], None)
    if found is None and forced in ("passthrough", "off"):
        found = HostedSpec(
            slug, slug, forced, (), "not in the catalog", "unknown", "unknown", "devenv does not know this service"
        )
    return _Found(None, None, found) if found else None


def _plan(
    ref: AddonRef,
    catalog: Catalog,
    profile: Profile,
    settings: Settings,
    others: list[PlannedAddon],
    aliases: tuple[str, ...] = (),
) -> PlannedAddon | None:
    forced = _forced(ref, profile, settings)
    if (found := _find(catalog, ref.service, forced)) is None:
        return None
    attachment = ref.attachment or _free_attachment(found, ref, others)
    if found.hosted:
        hosted = found.hosted
        if forced == "stand-in":
            raise InputError(f"there is no stand-in for `{ref.service}`", "its modes are passthrough and off")
        names = hosted.config
        fields = (hosted.equivalent, hosted.priority, hosted.risk, hosted.reason)
        mode: Mode = forced or hosted.mode
        name = label(ref.service)
        version = None
    else:
        assert found.spec and found.service
        names = tuple(name.format(attachment=attachment) for name in found.service.config)
        fields = (found.spec.equivalent, found.spec.priority, found.spec.risk, found.spec.reason)
        mode = forced or "stand-in"
        first = not any(other.name == found.spec.chart for other in others)
        name = found.spec.chart if first else label(f"{found.spec.chart}-{attachment}")
        version = found.spec.version
    return PlannedAddon(
        ref=ref,
        name=name,
        attachment=attachment,
        mode=mode,
        spec=found.spec,
        service=found.service,
        config_names=names,
        aliases=aliases,
        version=version,
        stands_in=_stands_in(mode, found.spec),
        equivalent=fields[0],
        priority=fields[1],
        risk=fields[2],
        reason=fields[3],
    )


def _forced(ref: AddonRef, profile: Profile, settings: Settings) -> Mode | None:
    for name in (ref.attachment, ref.service):
        if name and name in settings.modes:
            return settings.modes[name]  # type: ignore[return-value]
    return profile.addons.get(ref.service)


def _free_attachment(found: _Found, ref: AddonRef, others: list[PlannedAddon]) -> str:
    taken = {other.attachment for other in others}
    if found.service is None:
        return ref.service.upper().replace("-", "_")
    if found.service.attachment not in taken:
        return found.service.attachment
    pattern = found.service.further or found.service.attachment + "_{color}"
    return next(name for color in COLORS if (name := pattern.format(color=color)) not in taken)


def _stands_in(mode: Mode, spec: AddonSpec | None) -> str:
    if mode == "passthrough":
        return "the hosted service stays in use"
    return f"{spec.title} {spec.version}" if mode == "stand-in" and spec else "left out"


def _revealed(
    planned: list[PlannedAddon], catalog: Catalog, profile: Profile, settings: Settings, config: ConfigVars
) -> tuple[PlannedAddon, ...]:
    """Adds what `config` reveals: a known variable name or a server's URL that no planned add-on sets."""
    for name, value in config.values.items():
        if any(name in addon.config_names or name in addon.aliases for addon in planned):
            continue
        if (service := _reveals(catalog, name, value)) is None or service.service in settings.destroyed:
            continue
        if (same := _same_server(planned, config, value)) is not None:
            planned[same] = replace(planned[same], aliases=(*planned[same].aliases, name))
            continue
        attachment = re.sub(r"_UR[IL]$", "", name)
        pattern = next(iter(service.config))
        aliases = () if pattern.format(attachment=attachment) == name or name in service.reveals else (name,)
        if aliases or name in service.reveals:
            attachment = (
                service.attachment if not any(p.attachment == service.attachment for p in planned) else attachment
            )
        ref = AddonRef(service.service, None, attachment, frozen(), f"{config.origins.get(name, 'config')} {name}")
        if addon := _plan(ref, catalog, profile, settings, planned, aliases):
            planned.append(addon)
    return tuple(planned)


def _reveals(catalog: Catalog, name: str, value: str) -> ServiceSpec | None:
    services = [service for addon in catalog.addons.values() for service in addon.services.values()]
    for service in services:
        if name in service.reveals:
            return service
    scheme = value.split("://", 1)[0] if "://" in value else ""
    if scheme in ("http", "https") or not host(value):
        return None
    return next((service for service in services if scheme in service.schemes), None)


def _same_server(planned: list[PlannedAddon], config: ConfigVars, value: str) -> int | None:
    for index, addon in enumerate(planned):
        hosts = {host(config.values[name]) for name in addon.config_names if name in config.values}
        if addon.mode == "stand-in" and host(value) in hosts - {None}:
            return index
    return None


def host(url: str) -> str | None:
    """The host of a URL, or None when it is none."""
    try:
        return urlsplit(url).hostname if "://" in url else None
    except ValueError:
        return None


def variables(addon: PlannedAddon, namespace: str, credentials: Mapping[str, str]) -> dict[str, str]:
    """The config vars a stand-in sets: names by attachment, values with its address and credentials filled in."""
    assert addon.spec and addon.service
    facts = {
        "attachment": addon.attachment,
        "name": addon.name,
        "host": f"{addon.name}.{namespace}",
        "port": str(addon.spec.port),
        **credentials,
    }
    values = {name.format(**facts): template.format(**facts) for name, template in addon.service.config.items()}
    first = next(iter(values.values()))
    return {**values, **dict.fromkeys(addon.aliases, first)}
