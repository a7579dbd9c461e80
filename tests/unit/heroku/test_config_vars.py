import io
import random

import pytest
from dotenv import dotenv_values

from devenv.base.errors import InputError
from devenv.heroku.config_vars import LIMIT, parse_dotenv, redact, shell_quote, size_problem, validate_name
from devenv.heroku.model import ConfigVars, frozen

PEM = "-----BEGIN KEY-----\nMIIEpAIBAAKCAQEA7\nabcDEF123==\n-----END KEY-----"


def values(text: str) -> dict[str, str]:
    return dict(parse_dotenv(text).values)


PLAIN = [  # what python-dotenv and this reader agree on
    ("A=1", {"A": "1"}),
    ("A=", {"A": ""}),
    ("A=''\nB=\"\"", {"A": "", "B": ""}),
    ("A=a=b=c", {"A": "a=b=c"}),
    ("export A=1", {"A": "1"}),
    ("  export   A = 1  ", {"A": "1"}),
    ("'A'=1", {"A": "1"}),
    ("# c\n\n  # d\nA=1", {"A": "1"}),
    ("A=pa#ss", {"A": "pa#ss"}),
    ("A=pass #c", {"A": "pass"}),
    ("A=#x", {"A": "#x"}),
    ("A= # c", {"A": ""}),
    ("A='x' # c", {"A": "x"}),
    ('A="x"#c', {"A": "x"}),
    ("A='a # b'", {"A": "a # b"}),
    ("A=$HOME/${X}", {"A": "$HOME/${X}"}),
    ("A='${X}'\nB=\"$Y\"", {"A": "${X}", "B": "$Y"}),
    ("A=it's", {"A": "it's"}),
    (r"A='it\'s'", {"A": "it's"}),
    (r'A="a\nb\t\"c\" \\d"', {"A": 'a\nb\t"c" \\d'}),
    (r'A="\d+\."', {"A": r"\d+\."}),
    (r"A=a\nb", {"A": r"a\nb"}),
    (f'A="{PEM}"\nB=2', {"A": PEM, "B": "2"}),
    (f"A='{PEM}'\nB=2", {"A": PEM, "B": "2"}),
    ("A=1\nA=2", {"A": "2"}),
    ("\ufeffA=1", {"A": "1"}),
    ("A=ключ 漢字 🙂", {"A": "ключ 漢字 🙂"}),
    ("A=a b  c", {"A": "a b  c"}),
    ("A=1\rB=2\r", {"A": "1", "B": "2"}),
    ("A=1", {"A": "1"}),
]


@pytest.mark.parametrize(("text", "expected"), PLAIN)
def test_values_are_exact(text: str, expected: dict[str, str]) -> None:
    assert values(text) == expected
    assert dotenv_values(stream=io.StringIO(text), interpolate=False) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (r"A='a\\b'", {"A": r"a\\b"}),  # literal, as the CLI writes it; python-dotenv makes one of them
        ("A='ends with \\'\nB='x'", {"A": "ends with \\", "B": "x"}),
        (r'A="cost \$5 \`x\` \!"', {"A": "cost $5 `x` !"}),
        ("A=1\r\nB='two\r\nlines'\r\n", {"A": "1", "B": "two\nlines"}),
        ("FEATURE_X\nB=1", {"FEATURE_X": "", "B": "1"}),
        ("HEROKU_POSTGRESQL_AMBER_URL=x", {"HEROKU_POSTGRESQL_AMBER_URL": "x"}),
        ('{"A": "1", "lower": "x", "n": {"b": 2, "c": [true]}}', {"A": "1", "lower": "x", "N_B": "2", "N_C_0": "true"}),
        ("", {}),
        ("{}", {}),
    ],
)
def test_heroku_s_own_forms(text: str, expected: dict[str, str]) -> None:
    assert values(text) == expected


def test_the_output_of_heroku_config_shell_reads_back_exactly() -> None:
    rng = random.Random(20260504)
    alphabet = [
        *"abcXYZ019_-./%+~",
        *"\"'\\$`!#&()*,:;<=>?@[]^{|} \t\r\v\f",
        *"\n\n\\\\''",
        *"é漢🙂\u00a0\u2028\ufeff\x85\x1c",
    ]
    for _ in range(2000):
        wanted = {name: "".join(rng.choices(alphabet, k=rng.randrange(12))) for name in ("A", "B", "C_3")}
        text = "".join(f"{name}={shell_quote(value)}\n" for name, value in wanted.items())
        assert values(text) == wanted, text


@pytest.mark.parametrize(
    ("value", "quoted"),
    [
        ("", ""),
        ("abc-1.2/3_4%~+", "abc-1.2/3_4%~+"),
        ("é", "é"),
        ("postgres://u:p@h:5432/d", "'postgres://u:p@h:5432/d'"),
        ("a b", "'a b'"),
        ("a\u00a0b", "'a\u00a0b'"),
        ("a\\b", "'a\\b'"),
        ('say "hi"', "'say \"hi\"'"),
        ("it's", '"it\'s"'),
        ("it's $5 `x` \\ !", '"it\'s \\$5 \\`x\\` \\\\ \\!"'),
        ("a\nb", '"a\\nb"'),
    ],
)
def test_shell_quote(value: str, quoted: str) -> None:
    assert shell_quote(value) == quoted


def test_origins() -> None:
    found = parse_dotenv(f'# c\nA=1\nB="{PEM}"\n\nC=3\nA=4\n', "config/.env")
    assert found.origins == {"A": "config/.env:6", "B": "config/.env:3", "C": "config/.env:8"} | {"A": "config/.env:9"}
    assert parse_dotenv('{\n "A": "1",\n "B": "2"}').origins == {"A": ".env:2", "B": ".env:3"}


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("A=1\nfoo bar", ".env:2: a line without `=`"),
        ("my-var=1", ".env:1: `my-var` is not a config var's name"),
        ("1A=1", ".env:1: `1A` is not a config var's name"),
        ("=1", ".env:1: this is not a config var's name"),
        ("a b=1", ".env:1: this is not"),
        ("A='x", ".env:1: a quote is opened and not closed"),
        ('A=1\nB="x\nC=2', ".env:2: a quote is opened and not closed"),
        ("A='don't'", ".env:1: text after the closing quote"),
        ('A="a"b', ".env:1: text after the closing quote"),
        (f"A=1\nKEY={PEM}\nB=2", '.env:2: a value of several lines without quotes; write `"`'),
        ("A=x\0y", ".env:1: the value of `A` has a NUL byte"),
        ('{"A": null}', ".env:1: `A` is null"),
        ('{"A": "1",}', ".env:1: not valid JSON"),
        ('{\n"A": "\\u0000"}', ".env:2: a NUL byte"),
        ("A=" + "x" * LIMIT, ".env: the config vars hold 65537 bytes"),
    ],
)
def test_problems(text: str, problem: str) -> None:
    with pytest.raises(InputError) as caught:
        parse_dotenv(text)
    lines = caught.value.details or (caught.value.message,)
    assert len(lines) == 1, lines
    assert lines[0].startswith(problem)


def test_no_problem_shows_a_value() -> None:
    with pytest.raises(InputError) as caught:
        parse_dotenv(f'A=\'hunter2x\nB-C=hunter2x\nhunter2x!\nK={PEM}\nab+hunter2x/=x\nQ="hunter2x"hunter2x')
    assert len(caught.value.details) == 6
    shown = " ".join((caught.value.message, *caught.value.details))
    assert "hunter2x" not in shown
    assert "MIIE" not in shown


@pytest.mark.parametrize("name", ["A", "_a", "lower", "A1_B"])
def test_good_names(name: str) -> None:
    assert validate_name(name) is None


@pytest.mark.parametrize("name", ["", "1A", "A-B", "A.B", "A B", "É", "__A", "HEROKU_X", "A=", "A\n"])
def test_bad_names(name: str) -> None:
    assert validate_name(name)


def test_size_counts_bytes_of_names_and_values() -> None:
    assert size_problem({"A": "x" * (LIMIT - 1)}) is None
    assert size_problem({"A": "é" * (LIMIT // 2)})


@pytest.mark.parametrize(
    ("text", "secrets", "expected"),
    [
        ("the key is s3cr3t-key.", ["s3cr3t-key"], "the key is ***."),
        ("short abcde", ["abcde"], "short abcde"),
        ("secret-long secret", ["secret", "secret-long"], "*** ***"),
        ("to postgres://u:p@h/d", [], "to postgres://***:***@h/d"),
        ("rediss://:pw12@h:6", [], "rediss://***:***@h:6"),
        ("http://h:80/x@y", [], "http://h:80/x@y"),
        ("password is p4ssw0rd", ["postgres://u:p4ssw0rd@h/d"], "password is ***"),
        ("password is p@ssw0rd", ["postgres://u:p%40ssw0rd@h/d"], "password is ***"),
        ("data: czNjcjN0LWtleQ==", ["s3cr3t-key"], "data: ***"),
        ("line MIIEpAIBAAKCAQEA7 of it", [PEM], "line *** of it"),
        ("a.b+c? axb", ["a.b+c?"], "*** axb"),
        ("nothing", [""], "nothing"),
    ],
)
def test_redact(text: str, secrets: list[str], expected: str) -> None:
    assert redact(text, secrets) == expected
    named = {f"N{index}": secret for index, secret in enumerate(secrets)}
    assert redact(text, named) == expected
    assert redact(text, ConfigVars(frozen(named), frozen())) == expected


def test_arguments_that_are_not_utf_8_can_be_weighed_and_masked() -> None:
    assert size_problem({"A": "\udcff"}) is None
    assert redact("is secret\udcff", ["secret\udcff"]) == "is ***"
