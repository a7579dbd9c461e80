"""Which server takes each add-on's place: from what the app declares and from what its config vars reveal."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from itertools import chain, count

from devenv.base.errors import InputError
from devenv.heroku.model import AddonRef, App, ConfigVars
from devenv.plan import catalog as catalogs
from devenv.plan import hosts
from devenv.plan.model import AddonSpec, Catalog, HostedSpec, Mode, PlannedAddon, ServiceSpec
from devenv.plan.names import label
from devenv.plan.profile import Profile
from devenv.plan.settings import Settings

# Heroku draws one at random (heroku.md section 5.1); a fixed order keeps equal inputs giving equal plans
_COLORS = """AMBER AQUA BLACK BLUE BRONZE BROWN CHARCOAL COBALT COPPER CRIMSON CYAN GOLD GRAY GREEN IVORY JADE LIME
MAGENTA MAROON MAUVE NAVY OLIVE ONYX ORANGE PINK PUCE PURPLE RED ROSE SILVER TEAL VIOLET WHITE YELLOW"""
COLORS = tuple(_COLORS.split())


@dataclass(frozen=True, slots=True)
class Found:
    """What the catalog knows of a service: a stand-in with its service, or a hosted one."""

    spec: AddonSpec | None
    service: ServiceSpec | None
    hosted: HostedSpec | None

    def default(self, slug: str) -> str:
        """The attachment of a first one."""
        return self.service.attachment if self.service else slug.upper().replace("-", "_")

    def config_names(self, attachment: str) -> tuple[str, ...]:
        """The variables it sets under that attachment."""
        if self.service:
            return tuple(name.format(attachment=attachment) for name in self.service.config)
        return self.hosted.config if self.hosted else ()


@dataclass(slots=True)
class Table:
    """The add-on table while it is filled: what stays, what addons:destroy took away, what is wrong."""

    catalog: Catalog
    profile: Profile
    settings: Settings
    kept: list[PlannedAddon] = field(default_factory=list)
    gone: list[PlannedAddon] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)

    def add(self, ref: AddonRef, aliases: tuple[str, ...] = (), *, created: bool = False) -> None:
        """Plan `ref`: a row of what stays, or of what is gone."""
        attachments = {each.attachment for each in (self.kept if created else (*self.kept, *self.gone))}
        if (found := find(self.catalog, ref.service, self._forced(ref, ref.attachment))) is None:
            near = catalogs.nearest(self.catalog, ref.service)
            self.unknown.append(ref.service)
            ending = f"; did you mean `{near}`?" if near else ""
            self.problems.append(f"{ref.source}: unknown add-on `{ref.service}`{ending}")
            return
        if ref.attachment in attachments:
            self.problems.append(f"{ref.source}: another add-on is attached as `{ref.attachment}` already")
            return
        attachment = ref.attachment or _free(found, ref.service, attachments)
        forced = self._forced(ref, attachment)
        if found.hosted and forced == "stand-in":
            modes = f"`devenv addons:mode {ref.service}` takes passthrough and off"
            self.problems.append(f"{ref.source}: there is no stand-in for `{ref.service}`; {modes}")
            return
        row = _row(ref, found, attachment, forced, aliases)
        destroyed = self.settings.destroyed
        if not created and (ref.service in destroyed or attachment in destroyed):
            self.gone.append(replace(row, mode="off"))
        else:
            self.kept.append(row)

    def _forced(self, ref: AddonRef, attachment: str | None) -> Mode | None:
        for name in (attachment, ref.service):
            if name and name in self.settings.modes:
                return self.settings.modes[name]  # type: ignore[return-value]
        return self.profile.addons.get(ref.service)

    def raise_problems(self) -> None:
        """Raises InputError listing every problem."""
        if not self.problems:
            return
        one = len(self.problems) == 1
        what, hint = "cannot be planned", "`devenv plan` shows the add-on table"
        if self.unknown:
            mode = f"devenv addons:mode {self.unknown[0]}"
            what = f"{'is' if one else 'are'} not in the catalog"
            hint = f"keep the hosted one with `{mode} passthrough`, or leave it out with `{mode} off`"
        raise InputError(f"{'an add-on' if one else f'{len(self.problems)} add-ons'} {what}", hint, self.problems)


def resolve(
    app: App, catalog: Catalog, profile: Profile, settings: Settings, config: ConfigVars, code: Mapping[str, str]
) -> tuple[tuple[PlannedAddon, ...], tuple[PlannedAddon, ...]]:
    """The add-on table, and what addons:destroy took from it: declared, created, revealed by `config`, read by `code`.

    Raises InputError listing every add-on that is not in the catalog, has no such mode or takes another's attachment.
    """
    table = Table(catalog, profile, settings)
    for ref in app.addons:
        table.add(ref)
    for ref in settings.created:
        table.add(ref, created=True)
    table.raise_problems()
    # names that say which service comes first: what shares their host is theirs, in whatever order a file has them
    named = [name for name in config.values if _by_name(catalog, name)]
    for name in (*named, *(name for name in config.values if name not in named)):
        _reveal(table, config, name)
    for name, where in code.items():
        _read_by_code(table, name, where)
    table.raise_problems()
    kept = _claim(table.kept, table.gone, config)
    return kept, _claim(table.gone, kept, config)


def find(catalog: Catalog, slug: str, forced: Mode | None) -> Found | None:
    """What the catalog knows of `slug`; a service it does not know is fine when a mode without a stand-in is forced."""
    found = catalogs.find(catalog, slug)
    if isinstance(found, tuple):
        return Found(found[0], found[1], None)
    if found is None and forced in ("passthrough", "off"):
        reason = "devenv does not know this service"
        found = HostedSpec(slug, slug, forced, (), "not in the catalog", "unknown", "unknown", reason)
    return Found(None, None, found) if found else None


def _row(ref: AddonRef, found: Found, attachment: str, forced: Mode | None, aliases: tuple[str, ...]) -> PlannedAddon:
    facts = found.spec or found.hosted
    assert facts
    mode: Mode = forced or (found.hosted.mode if found.hosted else "stand-in")
    return PlannedAddon(
        ref=ref,
        name=_release_name(found, ref.service, attachment),
        attachment=attachment,
        mode=mode,
        spec=found.spec,
        service=found.service,
        config_names=found.config_names(attachment),
        aliases=aliases,
        version=found.spec.version if found.spec else None,
        stands_in=_stands_in(mode, found.spec),
        equivalent=facts.equivalent,
        priority=facts.priority,
        risk=facts.risk,
        reason=facts.reason,
    )


def _release_name(found: Found, slug: str, attachment: str) -> str:
    """The same for an add-on whatever others there are: its volume goes by this name."""
    if not found.spec:
        return label(slug)
    usual = slug == next(iter(found.spec.services)) and attachment == found.default(slug)
    chart = found.spec.chart
    if usual:
        return chart
    name = label(f"{chart}-{attachment}")
    return name.removesuffix(f"-{chart}") if attachment == found.default(slug) else name  # `mosquitto-stackhero`


def _free(found: Found, slug: str, taken: Iterable[str]) -> str:
    taken, first = set(taken), found.default(slug)
    if first not in taken:
        return first
    pattern = (found.service and found.service.further) or first + "_{color}"
    return next(name for color in chain(COLORS, count(2)) if (name := pattern.format(color=color)) not in taken)


def _stands_in(mode: Mode, spec: AddonSpec | None) -> str:
    if mode == "passthrough":
        return "the hosted service stays in use"
    return f"{spec.title} {spec.version}" if mode == "stand-in" and spec else "left out"


def _by_name(catalog: Catalog, name: str) -> str | None:
    for addon in catalog.addons.values():
        for slug, service in addon.services.items():
            if name in service.reveals:
                return slug
    return next((slug for slug, spec in catalog.hosted.items() if name in spec.config), None)


def _by_scheme(catalog: Catalog, value: str) -> str | None:
    kind = hosts.scheme(value)
    services = [service for addon in catalog.addons.values() for service in addon.services.values()]
    return next((service.service for service in services if kind in service.schemes), None)


def _reveal(table: Table, config: ConfigVars, name: str) -> None:
    """Adds what one variable reveals: a service by its name, a server by the scheme of its URL."""
    value, rows = config.values[name], (*table.kept, *table.gone)
    if any(name in row.config_names or name in row.aliases for row in rows):
        return
    slug = _by_name(table.catalog, name) or _by_scheme(table.catalog, value)
    found = find(table.catalog, slug, None) if slug else None
    if not slug or not found or _alias(table, found, config, name):
        return
    default, taken = found.default(slug), {row.attachment for row in rows}
    usual = name in found.config_names(default)
    own = next((own for own in _attachments(found, name) if own), None)
    attachment = default if (usual or not own) and default not in taken else own or name
    free = attachment if attachment not in taken else None
    aliases = () if free and name in found.config_names(free) else (name,)
    ref = AddonRef(slug, None, free, {}, f"{config.origins.get(name, 'config')} {name}")
    table.add(ref, aliases)


def _read_by_code(table: Table, name: str, where: str) -> None:
    """Adds the add-on whose variable the code reads, unless one of its kind is there: code may take either of two."""
    slug = _by_name(table.catalog, name)
    found = find(table.catalog, slug, None) if slug else None
    if slug and found and found.spec and all(row.spec is not found.spec for row in (*table.kept, *table.gone)):
        table.add(AddonRef(slug, None, None, {}, f"{where} reads {name}"))


def _attachments(found: Found, name: str) -> Iterable[str]:
    """The attachment under which the service sets `name`: of `CACHE_URL` it is `CACHE`."""
    for pattern in found.service.config if found.service else ():
        head, _, tail = pattern.partition("{attachment}")
        if name.startswith(head) and name.endswith(tail):
            yield name[len(head) : len(name) - len(tail)]
            return


def _alias(table: Table, found: Found, config: ConfigVars, name: str) -> bool:
    """Gives `name` to a row of the same server: the same chart at the same host."""
    wanted = hosts.hosts(config.values[name])
    for rows in (table.kept, table.gone):
        for index, row in enumerate(rows):
            if row.mode == "passthrough" or row.spec is None or row.spec is not found.spec:
                continue
            if wanted & _hosts_of(row, config):
                rows[index] = replace(row, aliases=(*row.aliases, name))
                return True
    return False


def _hosts_of(row: PlannedAddon, config: ConfigVars) -> frozenset[str]:
    names = (*row.config_names, *row.aliases)
    return frozenset[str]().union(*(hosts.hosts(config.values[name]) for name in names if name in config.values))


def _claim(
    rows: Iterable[PlannedAddon], others: Iterable[PlannedAddon], config: ConfigVars
) -> tuple[PlannedAddon, ...]:
    """Gives each replaced add-on the further variables that point at its host or hold its password, in any form."""
    owned = {name for row in (*rows, *others) for name in (*row.config_names, *row.aliases)}
    claimed = []
    for row in rows:
        names = [name for name in (*row.config_names, *row.aliases) if name in config.values]
        secrets = hosts.secrets({name: config.values[name] for name in names})
        servers = {host for host in _hosts_of(row, config) if hosts.is_remote(host)}
        more = [
            name
            for name, value in config.values.items()
            if name not in owned and (servers & hosts.hosts(value) or any(secret in value for secret in secrets))
        ]
        if row.mode != "passthrough":
            owned.update(more)
            row = replace(row, aliases=(*row.aliases, *more))
        claimed.append(row)
    return tuple(claimed)
