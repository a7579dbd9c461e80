import pytest

from devenv.plan import hosts


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("postgres://u:p@db.example.com:5432/d", {"db.example.com"}),
        ("postgresql+asyncpg://u:p@DB.example.com/d?ssl=true", {"db.example.com"}),
        ("jdbc:postgresql://db.example.com:5432/d?user=u&password=p", {"db.example.com"}),
        ("rediss://:p@ss@cache.example.com:6380/1", {"cache.example.com"}),
        ("mongodb://u:p@a.example.com:1,b.example.com:2/d", {"a.example.com", "b.example.com"}),
        ("https://db.example.com", {"db.example.com"}),
        ("db.example.com", {"db.example.com"}),
        ("db.example.com:5432", {"db.example.com"}),
        ("mc1.example.com:11211,mc2.example.com:11211", {"mc1.example.com", "mc2.example.com"}),
        ("postgres://[2001:db8::1]:5432/d", {"2001:db8::1"}),
        ("postgres:///d", set()),
        ("", set()),
        ("hello world", set()),
        ("db", set()),
        ("user@example.com", set()),
    ],
)
def test_hosts_of_a_value(value: str, expected: set[str]) -> None:
    assert hosts.hosts(value) == expected


def test_hosts_of_a_comma_list_of_urls() -> None:
    assert {"a.example.com", "b.example.com"} <= hosts.hosts(
        "kafka+ssl://a.example.com:9096,kafka+ssl://b.example.com:9096"
    )


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "db", "host.docker.internal", "x.localhost", "0.0.0.0"])
def test_what_is_no_server_elsewhere(host: str) -> None:
    assert not hosts.is_remote(host)


OURS = ("postgres://u1:p1@postgres.lamp:5432/d1",)
PG = ("postgres", "postgresql")


@pytest.mark.parametrize(
    ("original", "expected"),
    [
        ("postgres://a:b@x.example.com/c", "postgres://u1:p1@postgres.lamp:5432/d1"),
        ("postgresql://a:b@x.example.com/c", "postgresql://u1:p1@postgres.lamp:5432/d1"),
        ("postgresql+asyncpg://a:b@x.example.com/c", "postgresql+asyncpg://u1:p1@postgres.lamp:5432/d1"),
        ("postgres://a:b@x.example.com/c?sslmode=require", "postgres://u1:p1@postgres.lamp:5432/d1?sslmode=require"),
        ("postgres://x.example.com/c?user=a&password=b", "postgres://u1:p1@postgres.lamp:5432/d1"),
        ("x.example.com", "postgres.lamp"),
        ("x.example.com:5432", "postgres.lamp:5432"),
        ("jdbc:postgresql://x.example.com/c?user=a&password=b", None),
        ("https://x.example.com/", None),
        ("the-password-itself-long-enough", None),
        ("postgres://a@x.example.com/c,postgres://a@y.example.com/c", None),
    ],
)
def test_the_same_value_pointed_at_a_stand_in(original: str, expected: str | None) -> None:
    assert hosts.point(original, OURS, PG, "postgres.lamp", 5432) == expected


@pytest.mark.parametrize(
    ("original", "expected"),
    [
        ("redis://:b@x.example.com:6379/3", "rediss://:p1@redis.lamp:6380/3"),
        ("rediss://:b@x.example.com:6379/0?ssl_cert_reqs=none", "rediss://:p1@redis.lamp:6380/0?ssl_cert_reqs=none"),
    ],
)
def test_a_redis_database_stays(original: str, expected: str) -> None:
    assert hosts.point(original, ("rediss://:p1@redis.lamp:6380",), ("redis", "rediss"), "redis.lamp", 6380) == expected


def test_each_scheme_gets_its_own_port() -> None:
    ours = ("mqtts://u:p@m.lamp:8883", "mqtt://u:p@m.lamp:1883", "m.lamp")
    assert hosts.point("mqtt://a:b@x.example.com:1", ours, ("mqtts",), "m.lamp", 1883) == ours[1]
    assert hosts.point("mqtts://a:b@x.example.com:1", ours, ("mqtts",), "m.lamp", 1883) == ours[0]
    index = hosts.point("https://a:b@x.example.com/index", ("http://u:p@e.lamp:9200",), (), "e.lamp", 9200)
    assert index == "http://u:p@e.lamp:9200/index"


def test_drawn_secrets() -> None:
    values = {
        "DATABASE_URL": "postgres://u:0123456789abcdef%21@h/d",
        "X_PASSWORD": "a" * 16,
        "REGION": "eu-west-1-and-more",
    }
    assert hosts.secrets(values) == {"0123456789abcdef%21", "0123456789abcdef!", "a" * 16}
    assert hosts.secrets({"DATABASE_URL": "postgres://postgres:postgres@db/x"}) == frozenset()  # a word, found anywhere
