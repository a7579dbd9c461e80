"""App, profile, catalog and the env's settings in; a Plan out. No effects."""

from collections.abc import Mapping

from devenv.heroku.model import App, ProcessType
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
    source_warnings: tuple[str, ...] = (),
) -> Plan:
    """The plan for `app` in `env`. Raises InputError on an unknown add-on or dyno size."""
    base = config.given(app, profile, settings)
    planned = addons.resolve(app, catalog, profile, settings, base)
    release = None
    if app.release:
        release = PlannedProcess(app.release, 1, _size(app, "release", profile, settings), _image(app.release, images))
    return Plan(
        app=app.name,
        env=env,
        cluster=cluster(profile),
        images=images,
        addons=planned,
        processes=tuple(
            PlannedProcess(
                process,
                quantity(app, process.name, profile, settings),
                _size(app, process.name, profile, settings),
                _image(process, images),
            )
            for process in app.processes
        ),
        one_offs=app.one_offs,
        release_phase=release,
        config=config.final(base, planned, env, settings.credentials),
        missing=config.missing(app, base, planned),
        warnings=(*app.warnings, *source_warnings, *_dropped(planned, base.values)),
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


def _size(app: App, name: str, profile: Profile, settings: Settings) -> DynoSize:
    for formation, where in ((settings.formation, "ps:scale"), (app.formation, "the formation")):
        if name in formation and (wished := formation[name].size):
            return profiles.size(profile.sizes, wished, where)
    return profile.size


def _image(process: ProcessType, images: tuple[ImageSpec, ...]) -> ImageSpec:
    wanted = process.image or process.name
    return next((image for image in images if wanted in image.types), images[0])


def _dropped(planned: tuple[PlannedAddon, ...], values: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(
        f"`{name}` is left out: its add-on `{addon.ref.service}` is off here (`devenv addons:mode {addon.ref.service} passthrough` keeps it)"
        for addon in planned
        if addon.mode == "off"
        for name in addon.config_names
        if name in values
    )
