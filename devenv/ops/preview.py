"""`plan`: what `up` would do and why, told without touching anything."""

from collections.abc import Mapping
from dataclasses import dataclass

from devenv.build import builder
from devenv.ops import up
from devenv.ops.env import Env
from devenv.plan.model import Plan


@dataclass(frozen=True, slots=True)
class ImageRow:
    """An image: how it is built, and whether the registry has it."""

    name: str
    tag: str
    how: str
    dockerfile: str
    present: bool


@dataclass(frozen=True, slots=True)
class ProcessRow:
    """A process type of the formation."""

    type: str
    quantity: int
    size: str
    command: str
    source: str


@dataclass(frozen=True, slots=True)
class AddonRow:
    """A row of the add-on table (product.md section 5)."""

    service: str
    plan: str | None
    attachment: str
    source: str
    mode: str
    stands_in: str
    version: str | None
    config: tuple[str, ...]
    equivalent: str
    priority: str
    risk: str
    reason: str


@dataclass(frozen=True, slots=True)
class Preview:
    """The plan as people read it; no value of a config var is in it."""

    app: str
    env: str
    cluster: str
    url: str | None  # None without a web process type, and while the cluster's port is not chosen
    images: tuple[ImageRow, ...]
    processes: tuple[ProcessRow, ...]
    addons: tuple[AddonRow, ...]
    config: Mapping[str, str]  # name -> origin
    missing: tuple[str, ...]
    warnings: tuple[str, ...]
    steps: tuple[str, ...]


def preview(env: Env) -> Preview:
    """The plan of the folder for its env. Raises InputError."""
    plan = up.preview(env)
    status = env.status
    images = tuple(
        ImageRow(
            name=spec.name,
            tag=spec.tag,
            how=builder.describe(spec),
            dockerfile=builder.dockerfile(env.app, spec, env.source, env.image_source),
            present=status.state == "running" and builder.exists(status.registry, spec) is not None,
        )
        for spec in plan.images
    )
    where = f"{env.spec.name} ({env.spec.provider}, {status.state})"
    return Preview(
        app=plan.app,
        env=plan.env,
        cluster=where,
        url=env.url if plan.web and (status.http_port or env.spec.http_port) else None,
        images=images,
        processes=tuple(
            ProcessRow(
                item.type.name,
                item.quantity,
                item.size.name,
                item.type.command or "the image's own CMD",
                item.type.source,
            )
            for item in plan.processes
        ),
        addons=_addons(plan),
        config=_origins(plan),
        missing=plan.missing,
        warnings=plan.warnings,
        steps=tuple(_steps(plan, status.state, images)),
    )


def _origins(plan: Plan) -> Mapping[str, str]:
    # a stand-in's variables have no value before its credentials are made, but it is known that it will set them
    ours = {
        name: f"{item.name} stand-in"
        for item in plan.addons
        if item.mode == "stand-in"
        for name in (*item.config_names, *item.aliases)
    }
    return dict(sorted({**plan.config.origins, **ours}.items()))


def _addons(plan: Plan) -> tuple[AddonRow, ...]:
    return tuple(
        AddonRow(
            service=item.ref.service,
            plan=item.ref.plan,
            attachment=item.attachment,
            source=item.ref.source,
            mode=item.mode,
            stands_in=item.stands_in,
            version=item.version,
            config=(*item.config_names, *item.aliases),
            equivalent=item.equivalent,
            priority=item.priority,
            risk=item.risk,
            reason=item.reason,
        )
        for item in plan.addons
    )


def _steps(plan: Plan, state: str, images: tuple[ImageRow, ...]) -> list[str]:
    steps = []
    if state == "absent":
        steps.append(f"create cluster {plan.cluster.name} with a registry and the router")
    elif state != "running":
        steps.append(f"start cluster {plan.cluster.name}")
    if stand_ins := [item.name for item in plan.addons if item.mode == "stand-in"]:
        steps.append(f"have the add-ons ready: {', '.join(stand_ins)}")
    steps += [f"build {image.name}:{image.tag}" for image in images if not image.present]
    if plan.release_phase:
        steps.append(f"run the release phase: {plan.release_phase.type.command}")
    steps.append(f"start processes: {', '.join(f'{item.type.name}={item.quantity}' for item in plan.processes)}")
    return steps
