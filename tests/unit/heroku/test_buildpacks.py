import json
from collections.abc import Mapping

import pytest

from devenv.base.errors import InputError
from devenv.heroku.buildpacks import detect, language_of, wanted
from devenv.heroku.model import Buildpack

Files = Mapping[str, str | None]

RAILS = """GEM
  remote: https://rubygems.org/
  specs:
    delayed_job (4.1.11)
      activesupport (>= 3.0, < 8.0)
    rack (3.1.8)
    rails (7.1.3)
    railties (7.1.3)

RUBY VERSION
   ruby 3.3.1p55

BUNDLED WITH
   2.5.9
"""
SPRING = (
    "<dependency><groupId>org.springframework.boot</groupId><artifactId>spring-boot-starter</artifactId></dependency>"
)


def one(files: Files) -> Buildpack:
    (found,) = detect(files)
    return found


def types(files: Files) -> dict[str, str]:
    return {type_.name: type_.command for type_ in one(files).default_types}


@pytest.mark.parametrize(
    ("names", "language"),
    [
        (["Gemfile", "package.json", "requirements.txt"], "ruby"),
        (["package.json", "requirements.txt", "go.mod"], "nodejs"),
        (["project.clj", "pom.xml"], "clojure"),
        (["requirements.txt", "composer.json"], "python"),
        (["manage.py"], "python"),
        (["uv.lock"], "python"),
        (["pom.xml", "build.gradle"], "java"),
        (["build.gradle.kts", "build.sbt"], "gradle"),
        (["build.sbt"], "scala"),
        (["index.php"], "php"),
        (["go.mod"], "go"),
        (["App.sln"], "dotnet"),
        (["src.csproj"], "dotnet"),
        (["README.md", "Dockerfile"], None),
        ([], None),
    ],
)
def test_the_first_language_in_heroku_s_order(names: list[str], language: str | None) -> None:
    assert language_of(dict.fromkeys(names)) == language


def test_nothing_detected() -> None:
    with pytest.raises(InputError) as caught:
        detect({"README.md": None})
    assert caught.value.message == "no default language could be detected for this app"
    assert "requirements.txt" in (caught.value.hint or "")


@pytest.mark.parametrize(
    ("files", "version", "source", "manager"),
    [
        ({"requirements.txt": None}, None, None, "pip"),
        ({"requirements.txt": None, ".python-version": "# c\n3.13\n"}, "3.13", ".python-version", "pip"),
        (
            {"requirements.txt": None, ".python-version": "3.13", "runtime.txt": "python-3.12.7\n"},
            "3.12.7",
            "runtime.txt",
            "pip",
        ),
        ({"uv.lock": None, "pyproject.toml": None, ".python-version": "3.13.5"}, "3.13.5", ".python-version", "uv"),
        ({"poetry.lock": None, "pyproject.toml": None}, None, None, "poetry"),
        (
            {"Pipfile": None, "Pipfile.lock": '{"_meta": {"requires": {"python_version": "3.12"}}}'},
            *("3.12", "Pipfile.lock", "pipenv"),
        ),
        ({"package.json": "{}"}, None, None, "npm"),
        ({"package.json": '{"engines": {"node": ">=20 <23"}}'}, ">=20 <23", "package.json engines.node", "npm"),
        ({"package.json": "{}", "yarn.lock": None}, None, None, "yarn"),
        ({"package.json": "{}", "package-lock.json": None, "npm-shrinkwrap.json": None}, None, None, "npm"),
        ({"package.json": '{"packageManager": "pnpm@9.1.0"}'}, None, None, "pnpm"),
        ({"package.json": '{"packageManager": "pnpm@9.1.0"}', "pnpm-lock.yaml": None}, None, None, "pnpm"),
        ({"package.json": '{"engines": {"yarn": "1.x"}}'}, None, None, "yarn"),
        ({"Gemfile": None, "Gemfile.lock": RAILS}, "3.3.1", "Gemfile.lock", "bundler"),
        ({"pom.xml": "", "system.properties": "a=b\njava.runtime.version=21\n"}, "21", "system.properties", "maven"),
        ({"gradlew": None}, None, None, "gradle"),
        (
            {"composer.json": '{"require": {"php": "^8.3", "ext-gd": "*"}}'},
            "^8.3",
            "composer.json require.php",
            "composer",
        ),
        ({"composer.json": ""}, None, None, "composer"),
        ({"go.mod": "module x\n\ngo 1.24\n"}, "1.24", "go.mod", "go"),
        ({"go.mod": "// +heroku goVersion go1.23\nmodule x\ngo 1.24\n"}, "1.23", "go.mod", "go"),
        ({"A.csproj": "<TargetFramework>net8.0</TargetFramework>"}, "8.0", "A.csproj TargetFramework", "nuget"),
        ({"A.sln": None, "global.json": '{"sdk": {"version": "9.0.100"}}'}, "9.0.100", "global.json", "nuget"),
    ],
)
def test_versions_and_package_managers(files: Files, version: str | None, source: str | None, manager: str) -> None:
    found = one(files)
    assert (found.version, found.version_source, found.package_manager) == (version, source, manager)
    assert all(wanted(name) for name, text in files.items() if text)


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({"requirements.txt": None}, {}),
        ({"package.json": "{}"}, {"web": "npm start"}),
        ({"package.json": "{}", "Procfile": "mcp-x: y"}, {}),
        ({"Gemfile": None, "Gemfile.lock": "GEM\n"}, {"rake": "bundle exec rake", "console": "bundle exec irb"}),
        (
            {"Gemfile": None, "Gemfile.lock": "GEM\n    rack (3.0)\n", "config.ru": None},
            {
                "rake": "bundle exec rake",
                "console": "bundle exec irb",
                "web": "bundle exec rackup config.ru -p ${PORT:-5000}",
            },
        ),
        (
            {"Gemfile": None, "Gemfile.lock": RAILS, "config.ru": None},
            {
                "rake": "bundle exec rake",
                "console": "bin/rails console",
                "web": "bin/rails server -p ${PORT:-5000} -e $RAILS_ENV",
                "worker": "bundle exec rake jobs:work",
            },
        ),
        ({"composer.json": "{}"}, {"web": "heroku-php-apache2"}),
        ({"pom.xml": SPRING}, {"web": "java -Dserver.port=$PORT $JAVA_OPTS -jar $(ls -S target/*.jar | head -n 1)"}),
        ({"pom.xml": SPRING, "Procfile": "x: y"}, {}),
        ({"pom.xml": "<project/>"}, {}),
        (
            {"pom.xml": "io.quarkus"},
            {"web": "java -Dquarkus.http.port=$PORT $JAVA_OPTS -jar target/quarkus-app/quarkus-run.jar"},
        ),
        ({"go.mod": "module example.org/hello/v2\n", "main.go": None}, {"web": "bin/hello"}),
        ({"go.mod": "module example.org/hello\n"}, {}),
        ({"go.mod": "module example.org/hello\n", "main.go": None, "Procfile": "w: x"}, {}),
        (
            {"build.sbt": 'name := "My App"\nenablePlugins(PlayScala)'},
            {"web": "target/universal/stage/bin/my-app -Dhttp.port=$PORT"},
        ),
        ({"project.clj": None}, {"web": "lein with-profile production trampoline run"}),
    ],
)
def test_default_types(files: Files, expected: dict[str, str]) -> None:
    assert types(files) == expected


@pytest.mark.parametrize(
    ("files", "problem"),
    [
        (
            {"requirements.txt": None, "poetry.lock": None},
            "several files of dependencies, `requirements.txt` and `poetry.lock`",
        ),
        ({"Pipfile": None}, "Pipfile: there is no `Pipfile.lock`"),
        ({"setup.py": None}, "setup.py: there is no file of dependencies"),
        ({"manage.py": None}, "there is no file of dependencies"),
        ({"uv.lock": None}, "uv.lock: uv needs a `.python-version` file"),
        ({"uv.lock": None, "runtime.txt": "python-3.12.7"}, "runtime.txt: cannot be used with uv"),
        ({"requirements.txt": None, "runtime.txt": "3.12"}, "runtime.txt:1: not a Python version; write such as"),
        ({"requirements.txt": None, ".python-version": "3.12\n3.13"}, ".python-version: not one Python version"),
        (
            {"package.json": "{}", "yarn.lock": None, "package-lock.json": None},
            "two lock files, `package-lock.json` and `yarn.lock`",
        ),
        ({"package.json": '{\n"a": }'}, "package.json:2: not valid JSON"),
        ({"Gemfile": None}, "Gemfile: there is no `Gemfile.lock`"),
        ({"composer.json": '{"require": {"a/b": "1"}}'}, "composer.json: there is no `composer.lock`"),
        ({"Gopkg.lock": None}, "there is no `go.mod`"),
    ],
)
def test_conflicts(files: Files, problem: str) -> None:
    with pytest.raises(InputError) as caught:
        detect(files)
    (line,) = caught.value.details
    assert problem in line


@pytest.mark.parametrize(
    ("files", "warning"),
    [
        ({"package.json": "{}"}, "no `start` script"),
        ({"requirements.txt": None, "runtime.txt": "python-3.12.7"}, "runtime.txt: deprecated"),
        ({"index.php": None}, "add a `composer.json`"),
        ({"Gemfile": None, "Gemfile.lock": "", ".ruby-version": None}, ".ruby-version: not used by Heroku"),
    ],
)
def test_warnings(files: Files, warning: str) -> None:
    assert warning in one(files).warnings[0]


@pytest.mark.parametrize(
    "files",
    [
        {"package.json": '{"scripts": {"start": "x"}}'},
        {"package.json": "{}", "server.js": None},
        {"package.json": "{}", "Procfile": "web: node x"},
    ],
)
def test_a_node_app_that_can_start_warns_of_nothing(files: Files) -> None:
    assert one(files).warnings == ()


@pytest.mark.parametrize(
    "url",
    [
        "heroku/python",
        "urn:buildpack:heroku/python",
        "https://github.com/heroku/heroku-buildpack-python",
        "https://github.com/heroku/heroku-buildpack-python.git#v250",
        "git@github.com:heroku/heroku-buildpack-python.git",
        "https://buildpack-registry.s3.amazonaws.com/buildpacks/heroku/python.tgz",
    ],
)
def test_buildpacks_are_known_by_each_of_their_addresses(url: str) -> None:
    files = {"package.json": "{}", "requirements.txt": None}
    assert [found.language for found in detect(files, ("heroku/nodejs", url))] == ["nodejs", "python"]


@pytest.mark.parametrize(
    "url",
    [
        "https://github.com/someone/heroku-buildpack-python",
        "heroku-community/apt",
        "heroku/unknown",
        "https://example.org/b.tgz",
    ],
)
def test_a_custom_buildpack_asks_for_a_dockerfile(url: str) -> None:
    with pytest.raises(InputError) as caught:
        detect({"requirements.txt": None}, (url, "heroku/python"))
    (line,) = caught.value.details
    assert url in line
    assert "Dockerfile" in line


def test_a_chosen_buildpack_has_to_match() -> None:
    with pytest.raises(InputError) as caught:
        detect({"requirements.txt": None}, ("heroku/go",))
    assert "not compatible with buildpack `heroku/go`; it looks for `go.mod`" in caught.value.details[0]


@pytest.mark.parametrize("value", [3, [], "x", {"node": 3}, None])
def test_odd_values_in_package_json_do_no_harm(value: object) -> None:
    keys = ("engines", "scripts", "packageManager")
    assert one({"package.json": json.dumps(dict.fromkeys(keys, value))}).package_manager == "npm"
