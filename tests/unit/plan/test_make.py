"""Quantities, sizes, images, the release phase: what a plan holds."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from devenv.base.errors import InputError
from devenv.heroku.model import App, DockerBuild, ProcessType, Quantity
from devenv.ops import shipped
from devenv.plan import make
from devenv.plan.model import Catalog, ImageSpec, Plan
from devenv.plan.profile import Profile
from devenv.plan.settings import Settings

Planner = Callable[..., Plan]


def formation(plan: Plan) -> dict[str, tuple[int, str]]:
    return {item.type.name: (item.quantity, item.size.name) for item in plan.processes}


def test_every_type_runs_by_default(plan: Planner) -> None:
    assert formation(plan()) == {"web": (1, "Standard-1X"), "worker": (1, "Standard-1X")}


def test_app_json_s_formation_up_to_the_cap(plan: Planner, profile: Profile) -> None:
    wished = {"web": Quantity(5, "standard-2x"), "worker": Quantity(0, None)}
    assert formation(plan(formation=wished)) == {"web": (2, "Standard-2X"), "worker": (0, "Standard-1X")}
    full = shipped.profile(None, "full", {})
    assert formation(plan(formation=wished, profile=full))["web"] == (5, "Standard-2X")
    small = shipped.profile(None, "small", {})
    assert formation(plan(formation=wished, profile=small))["web"][0] == 1
    assert formation(plan(profile=small)) == {"web": (1, "Eco"), "worker": (1, "Eco")}


def test_what_the_cap_cuts_is_told(plan: Planner) -> None:
    wished = {"web": Quantity(5, None), "worker": Quantity(2, None)}
    (told,) = plan(formation=wished).warnings
    for part in ("`web`", "asks for 5", "2 run here", "`max_quantity`", "`devenv ps:scale web=5`"):
        assert part in told
    assert plan(formation=wished, profile=shipped.profile(None, "full", {})).warnings == ()
    assert plan(formation=wished, settings=Settings(formation={"web": Quantity(1)})).warnings == ()
    assert "1 runs here" in plan(formation=wished, profile=shipped.profile(None, "small", {})).warnings[1]


def test_a_rule_for_a_process_type_that_is_not_there_is_told(plan: Planner, profile: Profile) -> None:
    rules = ({"match": "*.a", "types": ["web", "wbe"]}, {"match": "*.b", "types": "worker"}, {"match": "*.c"})
    (told,) = plan(profile=replace(profile, sync=rules)).warnings
    assert told == ".devenv/profile.yaml: `sync[0].types`: the app has no process type `wbe`"


def test_ps_scale_wins_and_may_go_beyond_the_cap(plan: Planner) -> None:
    wished = {"web": Quantity(1, "basic")}
    scaled = Settings(formation={"web": Quantity(7, "Performance-M"), "worker": Quantity(0)})
    assert formation(plan(formation=wished, settings=scaled)) == {
        "web": (7, "Performance-M"),
        "worker": (0, "Standard-1X"),
    }
    # a quantity alone leaves the size that app.json gives
    again = plan(formation=wished, settings=Settings(formation={"web": Quantity(3)}))
    assert formation(again)["web"] == (3, "basic".capitalize())


def test_a_size_that_is_none_says_where(plan: Planner) -> None:
    with pytest.raises(InputError, match="`standart-1x` in the formation"):
        plan(formation={"web": Quantity(1, "standart-1x")})


def test_the_release_phase_is_no_process(plan: Planner) -> None:
    release = ProcessType("release", "migrate", "Procfile:3")
    made = plan(release=release, formation={"release": Quantity(1, "standard-2x")})
    assert "release" not in formation(made)
    assert made.release_phase is not None
    assert made.release_phase.type == release
    assert made.release_phase.quantity == 1
    assert made.release_phase.size.name == "Standard-2X"
    assert plan().release_phase is None


def test_each_process_has_its_image(app: Callable[..., App], catalog: Catalog, profile: Profile) -> None:
    web = ImageSpec("lamp/web", "1", ("web", "release"), DockerBuild("web", "Dockerfile"))
    worker = ImageSpec("lamp/worker", "2", ("clock", "worker"), DockerBuild("worker", "worker/Dockerfile"))
    given = app(
        processes=(
            ProcessType("web", "", "heroku.yml"),
            ProcessType("worker", "work", "heroku.yml"),
            ProcessType("clock", "tick", "heroku.yml", image="worker"),
        ),
        release=ProcessType("release", "migrate", "heroku.yml", image="worker"),
    )
    made = make.plan(given, profile, catalog, Settings(), "lamp", (web, worker))
    assert [item.image.name for item in made.processes] == ["lamp/web", "lamp/worker", "lamp/worker"]
    assert made.release_phase is not None
    assert made.release_phase.image == worker
    only = ImageSpec("lamp/app", "1", (), None)
    alone = make.plan(given, profile, catalog, Settings(), "lamp", (only,))
    assert all(item.image == only for item in alone.processes)


def test_the_cluster_that_the_profile_asks_for(profile: Profile) -> None:
    spec = make.cluster(replace(profile, cluster="ours", provider="minikube", kubernetes="1.34", http_port=8081))
    assert (spec.name, spec.provider, spec.kubernetes, spec.http_port) == ("ours", "minikube", "1.34", 8081)


def test_warnings_of_the_app_are_the_plan_s(plan: Planner) -> None:
    assert plan(warnings=("app.json: something",)).warnings[0] == "app.json: something"


def test_equal_inputs_give_equal_plans(plan: Planner) -> None:
    def made() -> Plan:
        return plan("heroku-postgresql", "heroku-redis as CACHE", dotenv="A=1\nB=2", formation={"web": Quantity(2)})

    assert made() == made()
    assert repr(made()) == repr(made())
