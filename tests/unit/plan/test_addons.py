"""Which add-ons an app has here, what each is called, and what takes its place."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from devenv.base.errors import InputError
from devenv.heroku.model import AddonRef, frozen
from devenv.ops import shipped
from devenv.plan.model import Catalog, Plan, PlannedAddon
from devenv.plan.profile import Profile
from devenv.plan.settings import Settings

Planner = Callable[..., Plan]
PROD = "postgres://u:p@prod.example.com:5432/d"


def rows(plan: Plan) -> dict[str, tuple[str, str, str]]:
    """attachment -> service, mode, release name."""
    return {row.attachment: (row.ref.service, row.mode, row.name) for row in plan.addons}


def created(service: str, attachment: str | None = None) -> AddonRef:
    return AddonRef(service, None, attachment, {}, "addons:create")


def failure(plan: Planner, *addons: str, **fields: object) -> InputError:
    with pytest.raises(InputError) as caught:
        plan(*addons, **fields)
    return caught.value


def test_no_add_ons(plan: Planner) -> None:
    assert plan().addons == ()
    assert plan(dotenv="A=1\nB=https://example.com\nC=x.example.com").addons == ()


def test_declared(plan: Planner) -> None:
    assert rows(plan("heroku-postgresql:essential-0", "heroku-redis:mini", "sentry:f1")) == {
        "DATABASE": ("heroku-postgresql", "stand-in", "postgres"),
        "REDIS": ("heroku-redis", "stand-in", "redis"),
        "SENTRY": ("sentry", "passthrough", "sentry"),
    }


def test_as(plan: Planner) -> None:
    made = plan("heroku-postgresql as ANALYTICS", "heroku-redis as CACHE")
    assert rows(made)["ANALYTICS"][1:] == ("stand-in", "postgres-analytics")
    assert made.config.values["ANALYTICS_URL"].startswith("postgres://")
    assert made.config.values["CACHE_URL"].startswith("rediss://")
    assert "DATABASE_URL" not in made.config.values
    assert "REDIS_URL" not in made.config.values


def test_further_ones_get_colours_and_their_own_server(plan: Planner) -> None:
    made = plan(*["heroku-postgresql"] * 3, "heroku-redis", "heroku-redis")
    urls = {name: value for name, value in made.config.values.items() if name.endswith("_URL") and "TLS" not in name}
    first, second, third = (name for name in urls if "REDIS" not in name)
    assert first == "DATABASE_URL"
    assert second.startswith("HEROKU_POSTGRESQL_")
    assert third.startswith("HEROKU_POSTGRESQL_")
    assert len({second, third}) == 2
    assert len({value.split("@")[1] for value in urls.values()}) == 5
    assert len({row.name for row in made.addons}) == 5
    assert "REDIS_URL" in urls
    assert any(name.startswith("HEROKU_REDIS_") for name in urls)


def test_more_databases_than_heroku_has_colours(plan: Planner) -> None:
    assert len({row.attachment for row in plan(*["heroku-postgresql"] * 40).addons}) == 40


def test_a_service_without_colours_twice(plan: Planner) -> None:
    assert len(plan("rediscloud", "rediscloud").config.values) == 2


def test_two_services_of_one_server_are_apart(plan: Planner) -> None:
    made = plan("heroku-redis", "rediscloud", "openredis", "cloudmqtt", "stackhero-mosquitto")
    assert len({row.name for row in made.addons}) == 5
    assert {"REDIS_URL", "REDISCLOUD_URL", "OPENREDIS_URL", "CLOUDMQTT_URL"} <= set(made.config.values)


@pytest.mark.parametrize("attachment", ["POSTGRES", "MY_POSTGRES", "REDIS", "DATABASE_2"])
def test_no_attachment_takes_another_one_s_server(plan: Planner, attachment: str) -> None:
    made = plan(
        "heroku-postgresql", f"heroku-postgresql as {attachment}", "heroku-postgresql as MY", "heroku-redis as X"
    )
    assert len({row.name for row in made.addons}) == 4


def test_an_add_on_keeps_its_name_whatever_others_there_are(plan: Planner) -> None:
    """Its volume goes by the name: another one must not inherit the data."""
    alone = {row.attachment: row.name for row in plan("heroku-postgresql as ANALYTICS").addons}
    both = {row.attachment: row.name for row in plan("heroku-postgresql", "heroku-postgresql as ANALYTICS").addons}
    other = {row.attachment: row.name for row in plan("heroku-postgresql as ANALYTICS", "heroku-postgresql").addons}
    assert alone["ANALYTICS"] == both["ANALYTICS"] == other["ANALYTICS"]
    assert both == other
    gone = plan("heroku-postgresql", "heroku-postgresql as ANALYTICS", settings=Settings(destroyed=("DATABASE",)))
    assert {row.attachment: row.name for row in gone.addons} == alone


def test_one_attachment_twice(plan: Planner) -> None:
    error = failure(plan, "heroku-redis as CACHE", "rediscloud as CACHE")
    assert "`CACHE`" in error.details[0]


# ---- revealed by config vars


@pytest.mark.parametrize(
    ("dotenv", "attachment", "service"),
    [
        (f"DATABASE_URL={PROD}", "DATABASE", "heroku-postgresql"),
        ("REDIS_URL=rediss://:p@r.example.com:1", "REDIS", "heroku-redis"),
        ("REDIS_TLS_URL=rediss://:p@r.example.com:1", "REDIS", "heroku-redis"),
        ("CLOUDMQTT_URL=mqtt://u:p@m.example.com:1", "CLOUDMQTT", "cloudmqtt"),
        ("BONSAI_URL=https://u:p@b.example.com", "BONSAI", "bonsai"),
        ("FOUNDELASTICSEARCH_URL=https://f.example.com:9243", "FOUNDELASTICSEARCH", "foundelasticsearch"),
        ("STACKHERO_MOSQUITTO_HOST=m.example.com", "STACKHERO_MOSQUITTO", "stackhero-mosquitto"),
        (f"HEROKU_POSTGRESQL_GRAY_URL={PROD}", "HEROKU_POSTGRESQL_GRAY", "heroku-postgresql"),
        ("CACHE_URL=redis://:p@r.example.com:1", "CACHE", "heroku-redis"),
        ("SENTRY_DSN=https://k@o1.ingest.sentry.io/1", "SENTRY", "sentry"),
        ("CLOUDAMQP_URL=amqp://u:p@a.example.com/v", "CLOUDAMQP", "cloudamqp"),
        ("JAWSDB_URL=mysql://u:p@j.example.com/d", "JAWSDB", "jawsdb"),
    ],
)
def test_a_variable_reveals_its_add_on(plan: Planner, dotenv: str, attachment: str, service: str) -> None:
    made = plan(dotenv=dotenv)
    name, value = dotenv.split("=", 1)
    assert {key: row[0] for key, row in rows(made).items()} == {attachment: service}
    assert made.addons[0].ref.source.startswith(".env:1")
    assert name in made.addons[0].ref.source
    if made.addons[0].mode == "stand-in":
        assert made.config.values[name] != value
        assert f"{made.addons[0].name}.lamp" in made.config.values[name]


@pytest.mark.parametrize(
    ("name", "value", "scheme"),
    [
        ("SQLALCHEMY_DATABASE_URI", "postgresql+psycopg2://u:p@x.example.com/d", "postgresql+psycopg2"),
        ("PRIMARY_DB", "postgresql://u:p@x.example.com/d", "postgresql"),
        ("CELERY_BROKER", "redis://:p@r.example.com:6379/2", "rediss"),
        ("BROKER", "mqtt://u:p@m.example.com:1883", "mqtt"),
    ],
)
def test_a_url_reveals_a_server_by_its_scheme(plan: Planner, name: str, value: str, scheme: str) -> None:
    made = plan(dotenv=f"{name}={value}")
    assert len(made.addons) == 1
    assert made.config.values[name].startswith(f"{scheme}://")
    assert "example.com" not in made.config.values[name]


def test_a_file_s_order_does_not_matter(plan: Planner) -> None:
    lines = [f"HEROKU_POSTGRESQL_GRAY_URL={PROD}", f"DATABASE_URL={PROD}", "REDIS_URL=redis://:p@r.example.com:1"]
    one, other = plan(dotenv="\n".join(lines)), plan(dotenv="\n".join(reversed(lines)))
    assert rows(one) == rows(other)
    assert dict(one.config.values) == dict(other.config.values)
    assert rows(one)["DATABASE"] == ("heroku-postgresql", "stand-in", "postgres")


def test_variables_of_one_host_share_the_stand_in(plan: Planner) -> None:
    other = PROD.replace("postgres://", "postgresql://")
    made = plan(dotenv=f"DATABASE_URL={PROD}\nHEROKU_POSTGRESQL_RED_URL={PROD}\nREPORTS={other}")
    (row,) = made.addons
    values = made.config.values
    assert values["HEROKU_POSTGRESQL_RED_URL"] == values["DATABASE_URL"]
    assert values["REPORTS"] == values["DATABASE_URL"].replace("postgres://", "postgresql://", 1)
    assert set(row.aliases) == {"HEROKU_POSTGRESQL_RED_URL", "REPORTS"}


def test_another_host_is_another_server(plan: Planner) -> None:
    made = plan(dotenv=f"DATABASE_URL={PROD}\nREPORTS_URL={PROD.replace('prod', 'reports')}")
    assert rows(made) == {
        "DATABASE": ("heroku-postgresql", "stand-in", "postgres"),
        "REPORTS": ("heroku-postgresql", "stand-in", "postgres-reports"),
    }


def test_servers_on_one_developer_s_machine_are_not_one(plan: Planner) -> None:
    """The usual .env of a laptop: everything is at localhost."""
    lines = """
        DATABASE_URL=postgres://localhost/lamp
        REDIS_URL=redis://localhost:6379
        CLOUDMQTT_URL=mqtt://localhost:1883
        BONSAI_URL=http://localhost:9200
        APP_URL=http://localhost:3000
        MAIL=smtp://localhost:1025
    """
    values = plan(dotenv=lines.replace("        ", "")).config.values
    assert values["DATABASE_URL"].startswith("postgres://")
    assert values["REDIS_URL"].startswith("rediss://")
    assert values["CLOUDMQTT_URL"].startswith("mqtt://")
    assert values["BONSAI_URL"].startswith("http")
    assert values["APP_URL"] == "http://localhost:3000"
    assert values["MAIL"] == "smtp://localhost:1025"


def test_the_host_of_a_replaced_add_on_is_replaced_in_any_form(plan: Planner) -> None:
    made = plan(
        dotenv="BONSAI_URL=https://u:secretsecretsecret@b.example.com\n"
        "ELASTICSEARCH_URL=https://u:secretsecretsecret@b.example.com/lamps\n"
        "SEARCH_HOST=b.example.com\nSEARCH_JDBC=jdbc:es://b.example.com?x=1\nSEARCH_PASSWORD=secretsecretsecret\n"
        "OTHER=https://www.example.com"
    )
    values = made.config.values
    assert values["ELASTICSEARCH_URL"] == values["BONSAI_URL"] + "/lamps"
    assert values["SEARCH_HOST"] == "elasticsearch.lamp"
    assert values["OTHER"] == "https://www.example.com"
    assert "SEARCH_JDBC" not in values  # cannot be told in that form: left out, with a warning
    assert "SEARCH_PASSWORD" not in values
    for name in ("SEARCH_JDBC", "SEARCH_PASSWORD"):
        assert any(f"`{name}`" in line for line in made.warnings)


def test_a_declared_add_on_is_not_planned_twice(plan: Planner) -> None:
    made = plan(
        "heroku-postgresql", "heroku-redis as CACHE", dotenv=f"DATABASE_URL={PROD}\nCACHE_URL=redis://c.example.com"
    )
    assert list(rows(made)) == ["DATABASE", "CACHE"]


def test_config_set_reveals_too(plan: Planner) -> None:
    made = plan(settings=Settings(config={"DATABASE_URL": PROD}))
    assert "prod.example.com" not in made.config.values["DATABASE_URL"]


def test_what_the_code_reads_is_stood_in_for_once_a_kind(plan: Planner) -> None:
    code = {"DATABASE_URL": "app.py:3", "REDIS_URL": "app.py:4", "REDISCLOUD_URL": "app.py:5"}
    assert list(rows(plan(code=code))) == ["DATABASE", "REDIS"]
    assert list(rows(plan("heroku-postgresql as OTHER", code=code))) == ["OTHER", "REDIS"]
    assert plan(code=code).addons[0].ref.source == "app.py:3 reads DATABASE_URL"


# ---- modes


def test_modes_by_service_and_by_attachment(plan: Planner, profile: Profile) -> None:
    two = ("heroku-postgresql", "heroku-postgresql as ANALYTICS")
    by_service = plan(*two, settings=Settings(modes={"heroku-postgresql": "passthrough"}))
    assert {row[1] for row in rows(by_service).values()} == {"passthrough"}
    by_attachment = plan(*two, settings=Settings(modes={"ANALYTICS": "off"}))
    assert [row[1] for row in rows(by_attachment).values()] == ["stand-in", "off"]
    # also an attachment that nobody wrote down
    by_default = plan(*two, settings=Settings(modes={"DATABASE": "off"}))
    assert [row[1] for row in rows(by_default).values()] == ["off", "stand-in"]
    both = plan(*two, settings=Settings(modes={"heroku-postgresql": "off", "DATABASE": "stand-in"}))
    assert [row[1] for row in rows(both).values()] == ["stand-in", "off"]
    by_profile = replace(profile, addons={"heroku-postgresql": "passthrough"})
    assert {row[1] for row in rows(plan(*two, profile=by_profile)).values()} == {"passthrough"}
    over = plan(*two, profile=by_profile, settings=Settings(modes={"DATABASE": "stand-in"}))
    assert [row[1] for row in rows(over).values()] == ["stand-in", "passthrough"]


def test_passthrough_keeps_the_hosted_service(plan: Planner) -> None:
    dotenv = f"DATABASE_URL={PROD}\nOTHER={PROD}\nSENTRY_DSN=https://k@o1.ingest.sentry.io/1"
    made = plan("heroku-postgresql", dotenv=dotenv, settings=Settings(modes={"heroku-postgresql": "passthrough"}))
    assert made.config.values["DATABASE_URL"] == PROD
    assert made.config.origins["DATABASE_URL"] == ".env:1"
    assert made.config.values["SENTRY_DSN"] == "https://k@o1.ingest.sentry.io/1"


def test_off_unsets_and_says_so(plan: Planner) -> None:
    made = plan(dotenv="CLOUDAMQP_URL=amqp://u:p@a.example.com/v\nRABBIT=amqp://u:p@a.example.com/v\nA=1")
    assert dict(made.config.values) == {"A": "1"}
    warned = "\n".join(made.warnings)
    assert "`CLOUDAMQP_URL`" in warned
    assert "`RABBIT`" in warned
    assert "devenv addons:mode cloudamqp passthrough" in warned
    assert "a.example.com" not in warned


def test_no_stand_in_for_a_hosted_service(plan: Planner) -> None:
    error = failure(plan, "sentry", settings=Settings(modes={"sentry": "stand-in"}))
    assert "no stand-in for `sentry`" in error.details[0]


# ---- unknown ones


def test_every_unknown_add_on_is_told_at_once(plan: Planner) -> None:
    error = failure(plan, "heroku-postgres", "heroku-redis", "zzzzzzzz:gold")
    assert error.message.startswith("2 add-ons")
    assert "app.json:1" in error.details[0]
    assert "did you mean `heroku-postgresql`?" in error.details[0]
    assert "`zzzzzzzz`" in error.details[1]
    assert "did you mean" not in error.details[1]
    assert "devenv addons:mode heroku-postgres passthrough" in (error.hint or "")
    assert error.exit_code == 2


@pytest.mark.parametrize("mode", ["passthrough", "off"])
def test_an_unknown_add_on_may_pass_through_or_be_left_out(plan: Planner, mode: str) -> None:
    made = plan("zzzzzzzz", settings=Settings(modes={"zzzzzzzz": mode}))
    assert rows(made) == {"ZZZZZZZZ": ("zzzzzzzz", mode, "zzzzzzzz")}


# ---- addons:create, addons:destroy


def test_created(plan: Planner) -> None:
    made = plan("heroku-postgresql", settings=Settings(created=(created("heroku-redis"), created("bonsai", "FIND"))))
    assert list(rows(made)) == ["DATABASE", "REDIS", "FIND"]
    assert "FIND_URL" in made.config.values


@pytest.mark.parametrize("name", ["heroku-postgresql", "DATABASE"])
def test_destroyed(plan: Planner, name: str) -> None:
    """As on Heroku its variables go with it: what .env still gives is production's."""
    made = plan(
        "heroku-postgresql", dotenv=f"DATABASE_URL={PROD}\nCOPY={PROD}\nA=1", settings=Settings(destroyed=(name,))
    )
    assert made.addons == ()
    assert dict(made.config.values) == {"A": "1"}


def test_destroyed_by_attachment_takes_only_that_one(plan: Planner) -> None:
    three = ("heroku-postgresql", "heroku-postgresql", "heroku-postgresql as ANALYTICS")
    before = plan(*three)
    second = before.addons[1].attachment
    after = plan(*three, settings=Settings(destroyed=(second,)))
    assert {row.attachment: row.name for row in after.addons} == {
        row.attachment: row.name for row in before.addons if row.attachment != second
    }


def test_a_revealed_one_can_be_destroyed(plan: Planner) -> None:
    made = plan(dotenv=f"DATABASE_URL={PROD}", settings=Settings(destroyed=("DATABASE",)))
    assert made.addons == ()
    assert dict(made.config.values) == {}


def test_after_destroy_config_set_is_the_user_s_own_wish(plan: Planner) -> None:
    own = "postgres://u:p@mine.example.com/d"
    settings = Settings(destroyed=("DATABASE",), config={"DATABASE_URL": own})
    assert plan("heroku-postgresql", settings=settings).config.values["DATABASE_URL"] == own


def test_created_again_after_destroy(plan: Planner) -> None:
    settings = Settings(destroyed=("DATABASE",), created=(created("heroku-postgresql"),))
    made = plan("heroku-postgresql", dotenv=f"DATABASE_URL={PROD}", settings=settings)
    assert rows(made) == {"DATABASE": ("heroku-postgresql", "stand-in", "postgres")}
    assert "prod.example.com" not in made.config.values["DATABASE_URL"]


# ---- the table


def test_the_table_is_whole(plan: Planner, catalog: Catalog) -> None:
    slugs = [slug for addon in catalog.addons.values() for slug in addon.services] + list(catalog.hosted)
    for row in plan(*slugs).addons:
        assert row.stands_in
        assert row.equivalent
        assert row.reason
        assert (row.version is not None) == (row.mode == "stand-in")
        assert shipped.chart_of(row.name) in catalog.addons or row.spec is None


def test_another_version_than_production_s_is_told(plan: Planner) -> None:
    def asking(version: str) -> AddonRef:
        return AddonRef("heroku-postgresql", None, None, frozen({"version": version}), "app.json:1")

    assert any("version 15" in line and "17" in line for line in plan(asking("15")).warnings)
    assert not plan(asking("17")).warnings
    assert not plan(asking("17.4")).warnings


def test_a_row_is_a_value(plan: Planner) -> None:
    one, other = plan("heroku-postgresql").addons[0], plan("heroku-postgresql").addons[0]
    assert isinstance(one, PlannedAddon)
    assert one == other
