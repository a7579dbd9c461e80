"""The shipped catalog against Heroku's services (heroku.md section 5.2), and what a broken file says."""

import re
from collections.abc import Callable
from typing import Any, get_args

import pytest

from devenv.base import resources
from devenv.base.errors import InputError
from devenv.plan import catalog as catalogs
from devenv.plan import config
from devenv.plan.model import Catalog, HostedSpec, Mode, Plan

# service -> attachment given, its variables with the shape of each value; @ is the stand-in's host
SHAPES: dict[str, dict[str, str]] = {
    "heroku-postgresql": {"DATABASE_URL": r"postgres://[^:@/]+:[^:@/]+@HOST:5432/[^/?]+"},
    "heroku-redis": {"REDIS_URL": r"rediss://:[^:@/]+@HOST:\d+", "REDIS_TLS_URL": r"rediss://:[^:@/]+@HOST:\d+"},
    "rediscloud": {"REDISCLOUD_URL": r"redis://default:[^:@/]+@HOST:\d+"},
    "openredis": {"OPENREDIS_URL": r"redis://:[^:@/]+@HOST:\d+"},
    "cloudmqtt": {"CLOUDMQTT_URL": r"mqtt://[^:@/]+:[^:@/]+@HOST:\d+"},
    "stackhero-mosquitto": {
        "STACKHERO_MOSQUITTO_HOST": r"HOST",
        "STACKHERO_MOSQUITTO_URL_CLEAR": r"mqtt://[^:@/]+:[^:@/]+@HOST:\d+",
        "STACKHERO_MOSQUITTO_URL_TLS": r"mqtts://[^:@/]+:[^:@/]+@HOST:\d+",
        "STACKHERO_MOSQUITTO_USER_LOGIN": r"[^:@/]+",
        "STACKHERO_MOSQUITTO_USER_PASSWORD": r"[^:@/]+",
    },
    "bonsai": {"BONSAI_URL": r"https?://[^:@/]+:[^:@/]+@HOST(:\d+)?"},
    "searchbox": {
        "SEARCHBOX_URL": r"http://[^:@/]+:[^:@/]+@HOST(:\d+)?",
        "SEARCHBOX_SSL_URL": r"https://[^:@/]+:[^:@/]+@HOST(:\d+)?",
    },
    "foundelasticsearch": {
        "FOUNDELASTICSEARCH_URL": r"https://HOST:9243",  # no credentials in the URL
        "FOUNDELASTICSEARCH_INITIAL_CREDENTIALS": r"elastic:.+",
    },
}
# services without a stand-in: their variables
HOSTED = {
    "sendgrid": {"SENDGRID_USERNAME", "SENDGRID_PASSWORD", "SENDGRID_API_KEY"},
    "mailgun": {
        "MAILGUN_API_KEY",
        "MAILGUN_DOMAIN",
        "MAILGUN_PUBLIC_KEY",
        "MAILGUN_SMTP_SERVER",
        "MAILGUN_SMTP_PORT",
        "MAILGUN_SMTP_LOGIN",
        "MAILGUN_SMTP_PASSWORD",
    },
    "papertrail": {"PAPERTRAIL_API_TOKEN"},
    "logentries": {"LOGENTRIES_TOKEN"},
    "logdna": {"LOGDNA_KEY"},
    "coralogix": set(),
    "sentry": {"SENTRY_DSN"},
    "newrelic": {"NEW_RELIC_LICENSE_KEY", "NEW_RELIC_LOG"},
    "rollbar": {"ROLLBAR_ACCESS_TOKEN", "ROLLBAR_ENDPOINT"},
    "memcachier": {"MEMCACHIER_SERVERS", "MEMCACHIER_USERNAME", "MEMCACHIER_PASSWORD"},
    "cloudamqp": {"CLOUDAMQP_URL", "CLOUDAMQP_APIKEY"},
    "scheduler": set(),
    "cloudinary": {"CLOUDINARY_URL"},
    "bucketeer": {
        "BUCKETEER_AWS_ACCESS_KEY_ID",
        "BUCKETEER_AWS_SECRET_ACCESS_KEY",
        "BUCKETEER_AWS_REGION",
        "BUCKETEER_BUCKET_NAME",
    },
    "heroku-kafka": {
        "KAFKA_URL",
        "KAFKA_TRUSTED_CERT",
        "KAFKA_CLIENT_CERT",
        "KAFKA_CLIENT_CERT_KEY",
        "KAFKA_PREFIX",
    },
    "jawsdb": {"JAWSDB_URL"},
    "jawsdb-maria": {"JAWSDB_MARIA_URL"},
    "cleardb": {"CLEARDB_DATABASE_URL"},
    "mongolab": {"MONGODB_URI", "MONGOLAB_URI"},
    "ormongo": {"ORMONGO_URL", "ORMONGO_RS_URL", "ORMONGO_REGION"},
}
HOLDS_DATA = ("memcachier", "cloudamqp", "heroku-kafka", "jawsdb", "jawsdb-maria", "cleardb", "mongolab", "ormongo")
HOLDS_FILES = ("bucketeer", "cloudinary")


@pytest.mark.parametrize("service", [*SHAPES, *HOSTED])
def test_every_service_of_heroku_is_known(catalog: Catalog, service: str) -> None:
    assert catalogs.find(catalog, service) is not None


@pytest.mark.parametrize("service", SHAPES)
def test_names_and_shapes_of_what_a_stand_in_sets(catalog: Catalog, plan: Callable[..., Plan], service: str) -> None:
    made = plan(service)
    (row,) = made.addons
    host = re.escape(f"{row.name}.lamp")
    assert set(made.config.values) == set(SHAPES[service])
    for name, shape in SHAPES[service].items():
        assert re.fullmatch(shape.replace("HOST", host), made.config.values[name]), (name, made.config.values[name])
        assert made.config.origins[name] == f"{row.name} stand-in"


@pytest.mark.parametrize("service", HOSTED)
def test_variables_of_hosted_services(catalog: Catalog, service: str) -> None:
    found = catalogs.find(catalog, service)
    assert isinstance(found, HostedSpec)
    assert set(found.config) >= HOSTED[service]


@pytest.mark.parametrize("service", [*HOLDS_DATA, *HOLDS_FILES])
def test_what_holds_data_is_off_until_someone_says_otherwise(catalog: Catalog, service: str) -> None:
    assert catalog.hosted[service].mode == "off"


def test_no_slug_and_no_variable_is_claimed_twice(catalog: Catalog) -> None:
    slugs = [slug for addon in catalog.addons.values() for slug in addon.services] + list(catalog.hosted)
    assert len(slugs) == len(set(slugs))
    names = [
        name for addon in catalog.addons.values() for service in addon.services.values() for name in service.reveals
    ]
    names += [name for spec in catalog.hosted.values() for name in spec.config]
    assert sorted(names) == sorted(set(names))
    schemes = [x for addon in catalog.addons.values() for service in addon.services.values() for x in service.schemes]
    assert len(schemes) == len(set(schemes))


def test_every_row_tells_how_to_migrate(catalog: Catalog) -> None:
    for row in (*catalog.addons.values(), *catalog.hosted.values()):
        assert row.priority in ("high", "medium", "low")
        assert row.risk in ("high", "medium", "low")
        assert len(row.equivalent) > 20
        assert len(row.reason) > 20
    assert all(spec.mode in get_args(Mode) and spec.mode != "stand-in" for spec in catalog.hosted.values())


def test_a_service_reveals_only_what_it_sets(catalog: Catalog) -> None:
    for addon in catalog.addons.values():
        for service in addon.services.values():
            sets = {name.format(attachment=service.attachment) for name in service.config}
            assert set(service.reveals) <= sets | {"FOUNDELASTICSEARCH_KIBANA"}, service.service


def test_templates_use_known_facts_only(catalog: Catalog, plan: Callable[..., Plan]) -> None:
    for addon in catalog.addons.values():
        for slug, service in addon.services.items():
            (row,) = plan(slug).addons
            values = config.variables(row, "lamp", dict.fromkeys(addon.credentials, "x"), {})
            assert list(values) == [name.format(attachment=service.attachment) for name in service.config]
            assert not any("{" in value for value in values.values())


def test_every_stand_in_has_its_image_and_chart(catalog: Catalog) -> None:
    images = resources.load_yaml(resources.path("offline/images.yaml").read_text(), "images.yaml")
    for chart, addon in catalog.addons.items():
        assert {addon.image, addon.edge or addon.image} <= images["images"].keys()
        assert (resources.path(f"charts/{chart}") / "Chart.yaml").is_file()
        assert "addon.yaml" in (resources.path(f"charts/{chart}") / ".helmignore").read_text().split()


def test_clients_are_the_verbs(catalog: Catalog) -> None:
    found = {verb for addon in catalog.addons.values() for verb in addon.clients}
    assert found == {"pg:psql", "redis:cli", "mqtt:sub", "mqtt:pub", "es:curl"}


@pytest.mark.parametrize(
    ("wrong", "near"), [("heroku-postgres", "heroku-postgresql"), ("herokuredis", "heroku-redis"), ("sentri", "sentry")]
)
def test_nearest(catalog: Catalog, wrong: str, near: str) -> None:
    assert catalogs.find(catalog, wrong) is None
    assert catalogs.nearest(catalog, wrong) == near


def test_nothing_near(catalog: Catalog) -> None:
    assert catalogs.nearest(catalog, "zzzzzzzz") is None


HOSTED_ROW = {
    "title": "X",
    "mode": False,
    "config": ["X_URL"],
    "equivalent": "e",
    "priority": "low",
    "risk": "low",
    "reason": "r",
}
SERVICE_ROW = {"title": "X", "attachment": "X", "config": {"{attachment}_URL": "x://{host}"}}
ADDON = {
    "title": "X",
    "services": {"x": SERVICE_ROW},
    "image": "x",
    "port": 1,
    "version": 17,
    "credentials": {},
    "clients": {},
    "storage": "1Gi",
    "memory": 1,
    "equivalent": "e",
    "priority": "low",
    "risk": "low",
    "reason": "r",
}


def test_a_bare_off_and_a_bare_version_are_read_as_meant() -> None:
    found = catalogs.parse({"x": ADDON}, {"y": HOSTED_ROW})
    assert found.hosted["y"].mode == "off"
    assert found.addons["x"].version == "17"


@pytest.mark.parametrize(
    ("addon", "hosted", "said"),
    [
        ({**ADDON, "prot": 1}, HOSTED_ROW, "charts/x/addon.yaml: unknown key `prot`"),
        ({k: v for k, v in ADDON.items() if k != "port"}, HOSTED_ROW, "charts/x/addon.yaml: `port` is missing"),
        ({**ADDON, "services": {"x": {**SERVICE_ROW, "reveal": []}}}, HOSTED_ROW, "unknown key `reveal`"),
        ({**ADDON, "services": {"x": {"title": "X"}}}, HOSTED_ROW, "is missing"),
        (ADDON, {**HOSTED_ROW, "modus": "off"}, "charts/hosted.yaml y: unknown key `modus`"),
        (ADDON, {k: v for k, v in HOSTED_ROW.items() if k != "risk"}, "`risk` is missing"),
    ],
)
def test_a_wrong_file_is_named_with_its_key(addon: Any, hosted: Any, said: str) -> None:
    with pytest.raises(InputError) as caught:
        catalogs.parse({"x": addon}, {"y": hosted})
    assert said in caught.value.message
