"""addons:create, addons:destroy, addons:mode: changes of the env's settings that make one release."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from devenv.base.errors import InputError
from devenv.heroku.model import AddonRef
from devenv.ops import config, shipped, up
from devenv.ops.env import Env
from devenv.plan import catalog as catalogs
from devenv.plan.model import HostedSpec
from devenv.plan.profile import MODES
from devenv.plan.settings import Settings


@dataclass(frozen=True, slots=True)
class Created:
    """A new add-on: its name, the variables it sets, the release; None when nothing is deployed yet."""

    name: str
    config: tuple[str, ...]
    version: int | None


def create(env: Env, text: str, attachment: str | None, options: Mapping[str, str]) -> Created:
    """Add `service[:plan]`. Raises InputError on an unknown service or a taken attachment."""
    service, _, plan = text.partition(":")
    catalog = shipped.catalog()
    if catalogs.find(catalog, service) is None:
        near = catalogs.nearest(catalog, service)
        raise InputError(
            f"there is no add-on `{service}` in the catalog",
            f"did you mean `{near}`?" if near else "`devenv plan` lists the app's",
        )
    ref = AddonRef(service, plan or None, attachment.upper() if attachment else None, dict(options), "addons:create")
    before = {item.attachment for item in up.preview(env).addons}
    if ref.attachment in before:
        raise InputError(f"there is an add-on attached as `{ref.attachment}` already", "choose another name with --as")

    def edit(settings: Settings) -> Settings:
        destroyed = tuple(name for name in settings.destroyed if name != service)
        wished = replace(settings, created=(*settings.created, ref), destroyed=destroyed)
        row = [item for item in up.planned(env, wished).addons if item.ref == ref][-1]
        # the attachment stays its own, whatever others come and go
        return replace(wished, created=(*settings.created, replace(ref, attachment=row.attachment)))

    done = config.update(env, edit, f"Attach {ref.attachment or service} (@ref:{service})")
    made = [item for item in up.preview(env).addons if item.attachment not in before]
    item = made[-1]
    return Created(item.name, (*item.config_names, *item.aliases), done.version)


def destroy(env: Env, name: str) -> int | None:
    """Remove the add-on known as `name` (service, attachment or release name). Raises InputError when there is none."""
    item = next(
        (each for each in up.preview(env).addons if name in (each.ref.service, each.attachment, each.name)), None
    )
    if item is None:
        raise InputError(f"there is no add-on `{name}` on {env.name}", "`devenv addons` lists them")

    def edit(settings: Settings) -> Settings:
        kept = tuple(
            ref for ref in settings.created if ref.service != item.ref.service or ref.attachment != item.attachment
        )
        declared = len(kept) == len(settings.created)
        return replace(
            settings,
            created=kept,
            destroyed=(*settings.destroyed, item.attachment) if declared else settings.destroyed,
        )

    return config.update(env, edit, f"Detach {item.attachment} (@ref:{item.ref.service})").version


def mode(env: Env, name: str, wanted: str) -> int | None:
    """Set the mode of a service or attachment. Raises InputError on another word than a mode."""
    if wanted not in MODES:
        raise InputError(f"`{wanted}` is not a mode", f"modes: {', '.join(MODES)}")
    if wanted == "stand-in" and isinstance(catalogs.find(shipped.catalog(), name), HostedSpec):
        raise InputError(f"there is no stand-in for `{name}`", "its modes are passthrough and off")
    # one that is not in the catalog cannot be planned before it has a mode
    if not any(name in (ref.service, ref.attachment) for ref in env.app.addons):
        rows = up.preview(env).addons
        if not any(name in (row.ref.service, row.attachment) for row in rows):
            raise InputError(f"there is no add-on `{name}` on {env.name}", "`devenv addons` lists them")
    return config.update(
        env, lambda settings: replace(settings, modes={**settings.modes, name: wanted}), f"Set {name} to {wanted}"
    ).version
