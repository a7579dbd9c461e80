"""App, profile, catalog and the env's settings in; a Plan out. No effects."""

from collections.abc import Iterator, Mapping

from devenv.heroku.model import EMPTY, App, ProcessType
from devenv.plan import addons, config
from devenv.plan import profile as profiles
from devenv.plan.model import Catalog, ClusterSpec, DynoSize, ImageSpec, Plan, PlannedAddon, PlannedProcess
from devenv.plan.profile import Profile
from devenv.plan.settings import Settings


def plan(
    app: App,
    profile: Profile,
    catalog: Catalog,
    settings: Settings,
    env: str,
    images: tuple[ImageSpec, ...],
    code: Mapping[str, str] = EMPTY,
) -> Plan:
    """The plan for `app` in `env`; `code` maps the add-on variables that its code reads to the place. Raises InputError."""
    base = config.given(app, profile, settings)
    planned, destroyed = addons.resolve(app, catalog, profile, settings, base, code)
    base = config.without(base, destroyed)
    release = None
    if app.release:
        release = PlannedProcess(app.release, 1, _size(app, "release", profile, settings), _image(app.release, images))
    processes = tuple(_process(app, process, profile, settings, images) for process in app.processes)
    return Plan(
        app=app.name,
        env=env,
        cluster=cluster(profile),
        images=images,
        addons=planned,
        processes=processes,
        one_offs=app.one_offs,
        release_phase=release,
        config=config.final(base, planned, env, settings.credentials),
        missing=config.missing(app, base, planned),
        warnings=(
            *app.warnings,
            *_cut(app, processes, settings),
            *_left_out(planned, base.values),
            *_versions(planned),
            *_strangers(app, profile),
        ),
    )


def cluster(profile: Profile) -> ClusterSpec:
    """The cluster a profile asks for."""
    return ClusterSpec(profile.cluster, profile.provider, profile.kubernetes, profile.http_port)


def quantity(app: App, name: str, profile: Profile, settings: Settings) -> int:
    """How many processes of a type run: ps:scale, else app.json's formation up to the profile's cap, else the profile's default."""
    if name in settings.formation:
        return settings.formation[name].quantity
    if name in app.formation:
        return min(app.formation[name].quantity, profile.max_quantity)
    return min(profile.web_quantity if name == "web" else profile.other_quantity, profile.max_quantity)


def _process(
    app: App, process: ProcessType, profile: Profile, settings: Settings, images: tuple[ImageSpec, ...]
) -> PlannedProcess:
    count, size = quantity(app, process.name, profile, settings), _size(app, process.name, profile, settings)
    return PlannedProcess(process, count, size, _image(process, images))


def _size(app: App, name: str, profile: Profile, settings: Settings) -> DynoSize:
    for formation, where in ((settings.formation, "ps:scale"), (app.formation, "the formation")):
        if name in formation and (wished := formation[name].size):
            return profiles.size(profile.sizes, wished, where)
    return profile.size


def _image(process: ProcessType, images: tuple[ImageSpec, ...]) -> ImageSpec:
    wanted = process.image or process.name
    return next((image for image in images if wanted in image.types), images[0])


def _cut(app: App, processes: tuple[PlannedProcess, ...], settings: Settings) -> Iterator[str]:
    for name, runs in ((item.type.name, item.quantity) for item in processes if item.type.name in app.formation):
        wished = app.formation[name].quantity
        if runs < wished and name not in settings.formation:
            yield (
                f"`{name}`: app.json's formation asks for {wished}, {runs} run{'s' * (runs == 1)} here, "
                f"the profile's `max_quantity` (`devenv ps:scale {name}={wished}` goes beyond it)"
            )


def _strangers(app: App, profile: Profile) -> Iterator[str]:
    """Process types in rules for edits that the app does not have."""
    known = {process.name for process in app.processes}
    for index, entry in enumerate(profile.sync):
        types = entry.get("types", ())
        for name in (types,) if isinstance(types, str) else types:
            if name not in known:
                yield f".devenv/profile.yaml: `sync[{index}].types`: the app has no process type `{name}`"


def _left_out(planned: tuple[PlannedAddon, ...], values: Mapping[str, str]) -> tuple[str, ...]:
    found = []
    for addon in planned:
        service = addon.ref.service
        reason = (
            f"its add-on `{service}` is off here"
            if addon.mode == "off"
            else f"it leads to the `{service}` that a stand-in replaces, in a form that the stand-in cannot take"
        )
        for name in config.left_out(addon, values):
            found.append(f"`{name}` is left out: {reason} (`devenv addons:mode {service} passthrough` keeps it)")
    return tuple(found)


def _versions(planned: tuple[PlannedAddon, ...]) -> tuple[str, ...]:
    found = []
    for addon in planned:
        option = addon.service.version_option if addon.service else None
        wanted = addon.ref.options.get(option) if option else None
        if wanted and addon.version and addon.mode == "stand-in" and not _same_version(wanted, addon.version):
            found.append(f"`{addon.ref.service}` asks for version {wanted}; its stand-in is {addon.stands_in}")
    return tuple(found)


def _same_version(wanted: str, have: str) -> bool:
    parts = list(zip(wanted.split("."), have.split("."), strict=False))
    return all(one == other for one, other in parts)
