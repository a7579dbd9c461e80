"""Which value wins (product.md section 3), byte for byte, and that no live credential of a replaced add-on gets through."""

import itertools
import random
from collections.abc import Callable
from dataclasses import replace

import pytest

from devenv.heroku.model import App, ConfigVars, EnvEntry
from devenv.plan import config, hosts, make
from devenv.plan.model import Catalog, ImageSpec, Plan
from devenv.plan.profile import Profile
from devenv.plan.settings import Settings

Planner = Callable[..., Plan]
NASTY = "a\nb\t\x7f\u0085\u2028 é 😀 $X $(PATH) `x` 'q' \"d\" # c: - {{ .x }} {host} %s \\ \\n \x01 end\n "
PROD = "postgres://u:p@prod.example.com:5432/d"


def with_dotenv(app: App, **values: str) -> App:
    return replace(app, dotenv=ConfigVars(values, {name: f".env:{n}" for n, name in enumerate(values, 1)}))


# ---- precedence


def test_each_place_wins_over_those_before_it(app: Callable[..., App], profile: Profile) -> None:
    given = with_dotenv(app(env=dict.fromkeys("ABCD", "app.json")), B=".env", C=".env", D=".env")
    strong = replace(profile, config={"C": "profile", "D": "profile"})
    found = config.given(given, strong, Settings(config={"D": "config:set"}))
    assert dict(found.values) == {"A": "app.json", "B": ".env", "C": "profile", "D": "config:set"}
    assert dict(found.origins) == {"A": "app.json", "B": ".env:1", "C": "profile", "D": "config:set"}


def test_the_stand_in_wins_over_all(plan: Planner, profile: Profile) -> None:
    made = plan(
        "heroku-postgresql",
        env={"DATABASE_URL": PROD + "1"},
        dotenv=f"DATABASE_URL={PROD}2",
        profile=replace(profile, config={"DATABASE_URL": PROD + "3"}),
        settings=Settings(config={"DATABASE_URL": PROD + "4"}),
    )
    assert made.config.values["DATABASE_URL"].split("@")[1] == "postgres.lamp:5432/postgres-database"
    assert made.config.origins["DATABASE_URL"] == "postgres stand-in"


def test_unset_hides_what_files_give_until_it_is_set_again(app: Callable[..., App], profile: Profile) -> None:
    given = with_dotenv(app(env={"A": "1"}), B="2")
    assert dict(config.given(given, profile, Settings(unset=("A", "B", "NOT_THERE"))).values) == {}
    assert config.given(given, profile, Settings(unset=("A",), config={"A": "3"})).values["A"] == "3"


def test_generated_secrets_are_weak_and_lasting(app: Callable[..., App], profile: Profile) -> None:
    given = app(env={"KEY": EnvEntry("KEY", generator="secret"), "PLAIN": "x"})
    assert "KEY" not in config.given(given, profile, Settings()).values  # not made yet
    found = config.given(given, profile, Settings(generated={"KEY": "abc", "STALE": "old"}))
    assert dict(found.values) == {"KEY": "abc", "PLAIN": "x"}
    assert "generated" in found.origins["KEY"]
    mine = config.given(with_dotenv(given, KEY="mine"), profile, Settings(generated={"KEY": "abc"}))
    assert mine.values["KEY"] == "mine"


@pytest.mark.parametrize("name", ["PORT", "DYNO"])
def test_what_the_platform_gives_each_process_is_nobody_else_s(plan: Planner, name: str) -> None:
    made = plan(env={name: "5000"}, dotenv=f"{name}=5006", settings=Settings(config={name: "1"}))
    assert name not in made.config.values


def test_every_byte_stays(app: Callable[..., App], profile: Profile, plan: Planner) -> None:
    given = with_dotenv(app(env={"A": NASTY}), B=NASTY)
    found = config.given(given, replace(profile, config={"C": NASTY}), Settings(config={"D": NASTY, "E": ""}))
    assert {found.values[name] for name in "ABCD"} == {NASTY}
    assert found.values["E"] == ""
    assert plan(settings=Settings(config={"D": NASTY})).config.values["D"] == NASTY


def test_nothing_shows_a_value(plan: Planner) -> None:
    made = plan("heroku-postgresql", dotenv=f"DATABASE_URL={PROD}\nTOKEN=tokentokentoken")
    for text in (repr(made.config), "\n".join(made.warnings), "\n".join(made.missing)):
        assert "tokentokentoken" not in text
        assert "prod.example.com" not in text
        assert "postgres-password" not in text


# ---- required


def test_required_variables_that_nobody_supplies(plan: Planner) -> None:
    entries = {
        "A": EnvEntry("A", description="what it is for"),
        "B": EnvEntry("B", required=False),
        "C": EnvEntry("C", generator="secret"),
        "D": EnvEntry("D", value="given"),
        "E": EnvEntry("E"),
        "DATABASE_URL": EnvEntry("DATABASE_URL"),
        "PORT": EnvEntry("PORT"),
        "F": EnvEntry("F"),
    }
    made = plan("heroku-postgresql", env=entries, dotenv="E=\nF=x")
    assert made.missing == ("A: what it is for",)
    unset = plan("heroku-postgresql", env=entries, dotenv="E=\nF=x", settings=Settings(unset=("F",)))
    assert unset.missing == ("A: what it is for", "F")


def test_a_hosted_service_that_nobody_gives_the_key_of(plan: Planner) -> None:
    entries = {"SENDGRID_API_KEY": EnvEntry("SENDGRID_API_KEY")}
    assert plan("sendgrid", env=entries).missing == ("SENDGRID_API_KEY",)
    assert plan("sendgrid", env=entries, dotenv="SENDGRID_API_KEY=x").missing == ()
    # left out on purpose
    assert plan("sendgrid", env=entries, settings=Settings(modes={"sendgrid": "off"})).missing == ()


# ---- no live credential


def live(rng: random.Random, catalog: Catalog) -> tuple[dict[str, str], set[str]]:
    """A .env as production would have it, with copies of its URLs and passwords under names of the app's own."""
    values: dict[str, str] = {}
    drawn: set[str] = set()

    def secret() -> str:
        text = f"{rng.getrandbits(128):032x}"
        drawn.add(text)
        return text

    services = [service for addon in catalog.addons.values() for service in addon.services.values()]
    for service in rng.sample(services, rng.randint(1, len(services))):
        host, password = f"{service.service}-{rng.randint(1, 99)}.example.com", secret()
        schemes = list(service.schemes) or ["https"]
        for name in rng.sample(service.reveals, rng.randint(1, len(service.reveals))):
            values[name] = f"{rng.choice(schemes)}://user:{password}@{host}:1234/db"
        if rng.random() < 0.7:
            values[f"COPY_{len(values)}"] = rng.choice(
                [
                    f"{rng.choice(schemes)}://user:{password}@{host}:1234/db",
                    f"jdbc:{rng.choice(schemes)}://{host}:1234/db?user=user&password={password}",
                    password,
                    f'{{"password": "{password}"}}',
                    f"{host}:1234",
                    host,
                ]
            )
    for slug in rng.sample(sorted(catalog.hosted), rng.randint(0, 5)):
        for name in catalog.hosted[slug].config:
            values[name] = secret()
    values["UNTOUCHED"] = "https://www.example.org/"
    names = list(values)
    rng.shuffle(names)
    return {name: values[name] for name in names}, drawn


@pytest.mark.parametrize("seed", range(60))
def test_no_live_credential_of_a_replaced_add_on_reaches_a_pod(
    app: Callable[..., App], catalog: Catalog, profile: Profile, seed: int
) -> None:
    rng = random.Random(seed)
    values, drawn = live(rng, catalog)
    services = [slug for addon in catalog.addons.values() for slug in addon.services]
    declared = rng.sample(services, rng.randint(0, 3))
    modes = {slug: "off" for slug in services if rng.random() < 0.2}
    destroyed = tuple(slug for slug in services if rng.random() < 0.15)
    given = with_dotenv(app(*declared), **values)
    settings = Settings(modes=modes, destroyed=destroyed)

    def planned(settings: Settings) -> Plan:
        return make.plan(given, profile, catalog, settings, "lamp", (ImageSpec("lamp/app", "x", (), None),))

    before = planned(settings)
    known = {row.name: dict.fromkeys(row.spec.credentials, "own") for row in before.addons if row.spec}
    for made in (before, planned(replace(settings, credentials=known))):
        passed = {
            value
            for row in made.addons
            if row.mode == "passthrough"
            for name in row.config_names
            if (value := values.get(name)) is not None
        }
        text = "\n".join(made.config.values.values())
        assert not [secret for secret in drawn if secret in text and secret not in passed]
        replaced = [row for row in made.addons if row.mode != "passthrough"]
        hosts_of = {
            host
            for row in replaced
            for name in (*row.config_names, *row.aliases)
            for host in hosts.hosts(values.get(name, ""))
        }
        assert not [value for value in made.config.values.values() if hosts.hosts(value) & hosts_of]
        assert made.config.values["UNTOUCHED"] == values["UNTOUCHED"]


def test_the_order_of_the_files_lines_changes_no_value(plan: Planner) -> None:
    lines = [
        f"DATABASE_URL={PROD}",
        f"COPY={PROD}",
        "BONSAI_URL=https://u:p@b.example.com",
        "ES=https://b.example.com/x",
        "A=1",
    ]
    found = [dict(plan(dotenv="\n".join(order)).config.values) for order in itertools.permutations(lines)]
    assert all(values == found[0] for values in found)
