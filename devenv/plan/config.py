"""Which value of a config var wins (product.md section 3)."""

from collections.abc import Iterable, Mapping

from devenv.heroku.model import App, ConfigVars
from devenv.plan import hosts
from devenv.plan.model import PlannedAddon
from devenv.plan.profile import Profile
from devenv.plan.settings import Settings

SET = "config:set"  # an origin
ROUTER_OWNED = ("PORT", "DYNO")  # set per process; a PORT in .env is meant for `heroku local`


def given(app: App, profile: Profile, settings: Settings) -> ConfigVars:
    """The variables that files and config:set give, before any add-on has its say."""
    values: dict[str, str] = {}
    origins: dict[str, str] = {}

    def add(origin: str, entries: Mapping[str, str]) -> None:
        for name, value in entries.items():
            values[name], origins[name] = value, origin

    for entry in app.env:
        if entry.generator == "secret" and entry.name in settings.generated:
            add(f"{entry.source} (generated)", {entry.name: settings.generated[entry.name]})
        elif entry.value is not None:
            add(entry.source, {entry.name: entry.value})
    for name, value in app.dotenv.values.items():
        add(app.dotenv.origins.get(name, ".env"), {name: value})
    add("profile", profile.config)
    for name in settings.unset:
        values.pop(name, None)
        origins.pop(name, None)
    add(SET, settings.config)
    for name in ROUTER_OWNED:
        values.pop(name, None)
        origins.pop(name, None)
    return ConfigVars(values, origins)


def final(
    base: ConfigVars, addons: Iterable[PlannedAddon], namespace: str, credentials: Mapping[str, Mapping[str, str]]
) -> ConfigVars:
    """`base` with the stand-ins' variables over it and those of left-out add-ons removed: a live credential never gets through."""
    values, origins = dict(base.values), dict(base.origins)
    for addon in addons:
        if addon.mode == "passthrough":
            continue
        for name in (*addon.config_names, *addon.aliases):
            values.pop(name, None)
            origins.pop(name, None)
        if addon.mode == "stand-in" and addon.name in credentials:
            for name, value in variables(addon, namespace, credentials[addon.name], base.values).items():
                values[name], origins[name] = value, f"{addon.name} stand-in"
    return ConfigVars(values, origins)


def without(base: ConfigVars, destroyed: Iterable[PlannedAddon]) -> ConfigVars:
    """`base` less what files still give for destroyed add-ons; a config:set of the same name is the user's own wish."""
    names = {name for addon in destroyed for name in (*addon.config_names, *addon.aliases)}
    kept = {name: value for name, value in base.values.items() if name not in names or base.origins[name] == SET}
    return ConfigVars(kept, {name: base.origins[name] for name in kept})


def missing(app: App, base: ConfigVars, addons: Iterable[PlannedAddon]) -> tuple[str, ...]:
    """Required variables of app.json that nobody supplies (heroku.md section 4.2: `required` defaults to true)."""
    supplied = {
        *ROUTER_OWNED,
        *(name for addon in addons if addon.mode != "passthrough" for name in (*addon.config_names, *addon.aliases)),
    }
    return tuple(
        entry.name + (f": {entry.description}" if entry.description else "")
        for entry in app.env
        if entry.required and entry.generator is None and entry.name not in base.values and entry.name not in supplied
    )


def left_out(addon: PlannedAddon, given: Mapping[str, str]) -> tuple[str, ...]:
    """The variables of `given` that must not reach a pod and that nothing takes the place of."""
    names = tuple(name for name in (*addon.config_names, *addon.aliases) if name in given)
    if addon.mode == "passthrough":
        return ()
    if addon.mode == "off" or not addon.spec:
        return names
    ours = variables(addon, "", dict.fromkeys(addon.spec.credentials, ""), given)
    return tuple(name for name in names if name not in ours)


def variables(
    addon: PlannedAddon, namespace: str, credentials: Mapping[str, str], given: Mapping[str, str]
) -> dict[str, str]:
    """The config vars a stand-in sets: names by attachment, values with its address and credentials filled in.

    An alias keeps the form that `given` has for it; one whose form the stand-in cannot take is not in the result.
    """
    assert addon.spec
    assert addon.service
    facts = {
        "attachment": addon.attachment,
        "name": addon.name,
        "host": f"{addon.name}.{namespace}",
        "port": str(addon.spec.port),
        **credentials,
    }
    values = {name.format(**facts): template.format(**facts) for name, template in addon.service.config.items()}
    ours = tuple(values.values())
    for name in addon.aliases:
        value = hosts.point(given.get(name, ours[0]), ours, addon.service.schemes, facts["host"], addon.spec.port)
        if value is not None:
            values[name] = value
    return values
