"""What each of Heroku's buildpacks reads from an app's root (heroku.md sections 7.1 and 7.2).

The facts are those of heroku/heroku-buildpack-{ruby,nodejs,python,java,gradle,scala,clojure,php,go,dotnet}.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from devenv.base.errors import InputError, Problems
from devenv.heroku.document import from_json
from devenv.heroku.model import Buildpack, Language, ProcessType

Files = Mapping[str, str | None]  # names in the root -> contents of those that matter


def ruby(files: Files, problems: Problems) -> Buildpack:
    """Rails and Rack by the gems of Gemfile.lock, which also tells the version."""
    lock = files.get("Gemfile.lock")
    if lock is None:
        problems.add("Gemfile", "there is no `Gemfile.lock`", "run `bundle lock` and commit it")
    gems = dict(re.findall(r"^ {4}([\w.-]+) \(([^)]+)\)", lock or "", re.MULTILINE))
    version = re.search(r"^RUBY VERSION\s+ruby (\d[\w.]*?)(?:p\d+)?\s*$", lock or "", re.MULTILINE)
    types = {"rake": "bundle exec rake", "console": "bundle exec irb"}
    if rails := gems.get("railties") or gems.get("rails"):
        if int(rails.split(".")[0]) >= 4:
            types |= {"web": "bin/rails server -p ${PORT:-5000} -e $RAILS_ENV", "console": "bin/rails console"}
        else:
            types |= {"web": "bundle exec rails server -p ${PORT:-5000}", "console": "bundle exec rails console"}
        if "delayed_job" in gems:  # the gem that brings the task jobs:work, which Heroku asks Rake for
            types["worker"] = "bundle exec rake jobs:work"
    elif "rack" in gems and "config.ru" in files:
        thin = "bundle exec thin start -R config.ru -e $RACK_ENV -p ${PORT:-5000}"
        types["web"] = thin if "thin" in gems else "bundle exec rackup config.ru -p ${PORT:-5000}"
    ignored = ".ruby-version" in files and not version
    warnings = (".ruby-version: not used by Heroku; write `ruby` in Gemfile and run `bundle lock`",) if ignored else ()
    return _buildpack("ruby", version and version[1], "Gemfile.lock", "bundler", types, warnings)


def nodejs(files: Files, problems: Problems) -> Buildpack:
    """The package manager by the lock file, versions by package.json."""
    package = _json(files, "package.json", problems)
    locks = [name for name in _NODE_LOCKS if name in files]
    managers = list(dict.fromkeys(_NODE_LOCKS[name] for name in locks))
    if len(managers) > 1:
        problems.add("package.json", f"there are two lock files, {_and(locks)}", "keep the one of your package manager")
    wished = str(package.get("packageManager") or "").partition("@")[0]
    engines = _object(package.get("engines"))
    candidates = (*managers, wished, *(name for name in ("yarn", "pnpm") if name in engines))
    manager = next((name for name in candidates if name in _NODE_LOCKS.values()), "npm")
    procfile = files.get("Procfile") or ""
    mcp = re.search(r"^mcp[\w-]*:", procfile, re.MULTILINE)
    scripts = _object(package.get("scripts"))
    warnings: tuple[str, ...] = ()
    has_web = mcp or re.search(r"^\s*web:", procfile, re.MULTILINE)
    if not has_web and "start" not in scripts and "server.js" not in files:  # npm falls back to `node server.js`
        warnings = ("package.json: there is no `start` script, so the default `web: npm start` cannot start",)
    version = engines.get("node")
    types = {} if mcp else {"web": "npm start"}
    return _buildpack("nodejs", version and str(version), "package.json engines.node", manager, types, warnings)


_NODE_LOCKS = {"package-lock.json": "npm", "npm-shrinkwrap.json": "npm", "yarn.lock": "yarn", "pnpm-lock.yaml": "pnpm"}
_PYTHON_LOCKS = {"Pipfile.lock": "pipenv", "requirements.txt": "pip", "poetry.lock": "poetry", "uv.lock": "uv"}


def python(files: Files, problems: Problems) -> Buildpack:
    """Exactly one file of dependencies; no default types."""
    locks = [name for name in _PYTHON_LOCKS if name in files]
    manager = _PYTHON_LOCKS[locks[0]] if locks else "pip"
    if len(locks) > 1:
        problems.add(locks[0], f"there are several files of dependencies, {_and(locks)}", "keep one")
    if "Pipfile" in files and "Pipfile.lock" not in files:
        problems.add("Pipfile", "there is no `Pipfile.lock`", "run `pipenv lock` and commit it")
    elif not locks:
        seen = next((name for name in ("setup.py", "pyproject.toml") if name in files), "the app's root")
        problems.add(
            seen, "there is no file of dependencies", "add `requirements.txt`, which may be empty, or a lock file"
        )
    if manager == "uv" and len(locks) == 1:
        if "runtime.txt" in files:
            problems.add("runtime.txt", "cannot be used with uv", "write the version into `.python-version` instead")
        elif ".python-version" not in files:
            problems.add("uv.lock", "uv needs a `.python-version` file", "write such as `3.13` into it")
    warnings = ("runtime.txt: deprecated; write the version into `.python-version`",) if "runtime.txt" in files else ()
    return _buildpack("python", *_python_version(files, problems), manager, {}, warnings)


def _python_version(files: Files, problems: Problems) -> tuple[str | None, str]:
    if (text := files.get("runtime.txt")) is not None:
        if match := re.fullmatch(r"python-(\d+(?:\.\d+){1,2})", text.strip()):
            return match[1], "runtime.txt"
        problems.add("runtime.txt:1", "not a Python version", "write such as `python-3.13.5`")
    elif (text := files.get(".python-version")) is not None:
        lines = [line.strip() for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
        if len(lines) == 1 and re.fullmatch(r"\d+\.\d+(\.\d+)?", lines[0]):
            return lines[0], ".python-version"
        problems.add(".python-version", "not one Python version", "write such as `3.13` or `3.13.5`")
    elif files.get("Pipfile.lock"):
        meta = _object(_json(files, "Pipfile.lock", problems).get("_meta"))
        requires = _object(meta.get("requires"))
        if version := requires.get("python_full_version") or requires.get("python_version"):
            return str(version), "Pipfile.lock"
    return None, ""


# The largest jar, as the buildpack picks it after the build (bin/release); Gradle's other jars are left out.
_MAVEN_JAR = "$(ls -S target/*.jar | head -n 1)"
_GRADLE_JAR = "$(ls build/libs/*.jar | grep -Ev '(plain|sources|javadoc)[.]jar$' | head -n 1)"


def java(files: Files, problems: Problems) -> Buildpack:
    """Maven."""
    return _jvm("java", files, "maven", files.get("pom.xml") or "", _MAVEN_JAR, "target/quarkus-app/quarkus-run.jar")


def gradle(files: Files, problems: Problems) -> Buildpack:
    """Gradle, in Groovy or Kotlin."""
    script = (files.get("build.gradle") or "") + (files.get("build.gradle.kts") or "")
    return _jvm("gradle", files, "gradle", script, _GRADLE_JAR, "build/quarkus-app/quarkus-run.jar")


def _jvm(language: Language, files: Files, manager: str, script: str, jar: str, quarkus: str) -> Buildpack:
    web = None
    if "spring-boot" in script or "org.springframework.boot" in script:
        web = f"java -Dserver.port=$PORT $JAVA_OPTS -jar {jar}"
    elif "io.quarkus" in script:
        web = f"java -Dquarkus.http.port=$PORT $JAVA_OPTS -jar {quarkus}"
    elif "io.micronaut" in script:
        web = f"java -Dmicronaut.server.port=$PORT $JAVA_OPTS -jar {jar}"
    types = {"web": web} if web and "Procfile" not in files else {}
    return _buildpack(language, _java_version(files), "system.properties", manager, types)


def _java_version(files: Files) -> str | None:
    match = re.search(r"^\s*java\.runtime\.version\s*[=:]\s*(\S+)", files.get("system.properties") or "", re.MULTILINE)
    return match and match[1]


def scala(files: Files, problems: Problems) -> Buildpack:
    """sbt; a Play app gets a web type."""
    script = files.get("build.sbt") or ""
    name = re.search(r'name\s*:=\s*"([^"]+)"', script)
    types = {}
    if name and re.search(r"\bPlay(Scala|Java|Service)\b", script):
        binary = re.sub(r"\W+", "-", name[1].lower())
        types["web"] = f"target/universal/stage/bin/{binary} -Dhttp.port=$PORT"
    return _buildpack("scala", _java_version(files), "system.properties", "sbt", types)


def clojure(files: Files, problems: Problems) -> Buildpack:
    """Leiningen."""
    types = {"web": "lein with-profile production trampoline run"}
    return _buildpack("clojure", _java_version(files), "system.properties", "lein", types)


def php(files: Files, problems: Problems) -> Buildpack:
    """Apache over the app's root; composer.lock is needed once there are dependencies."""
    composer = _json(files, "composer.json", problems)
    require = _object(composer.get("require"))
    packages = [name for name in require if name != "php" and not name.startswith(("ext-", "lib-", "composer-"))]
    if packages and "composer.lock" not in files:
        problems.add("composer.json", "there is no `composer.lock`", "run `composer update` and commit it")
    warnings = () if "composer.json" in files else ("index.php: add a `composer.json`, which may hold `{}`",)
    version = require.get("php")
    types = {"web": "heroku-php-apache2"}
    return _buildpack("php", version and str(version), "composer.json require.php", "composer", types, warnings)


def go(files: Files, problems: Problems) -> Buildpack:
    """Go modules; a main package in the root is the sole binary that can be known before the build."""
    text = files.get("go.mod") or ""
    version = re.search(r"^//\s*\+heroku goVersion go?(\S+)", text, re.MULTILINE)
    version = version or re.search(r"^go (\d\S*)", text, re.MULTILINE)
    module = re.search(r"^module\s+\"?([^\s\"]+)", text, re.MULTILINE)
    if "go.mod" not in files:
        problems.add("the app's root", "there is no `go.mod`", "run `go mod init`")
    types = {}
    if module and "main.go" in files and "Procfile" not in files:
        name = re.sub(r"/v\d+$", "", module[1]).rpartition("/")[2]
        types["web"] = f"bin/{name}"
    return _buildpack("go", version and version[1], "go.mod", "go", types)


def dotnet(files: Files, problems: Problems) -> Buildpack:
    """.NET; its types are known only after the build."""
    sdk = _object(_json(files, "global.json", problems).get("sdk")).get("version")
    if sdk:
        return _buildpack("dotnet", str(sdk), "global.json", "nuget", {})
    for name, text in files.items():
        if match := re.search(r"<TargetFramework>\s*net([\d.]+)", text or ""):
            return _buildpack("dotnet", match[1], f"{name} TargetFramework", "nuget", {})
    return _buildpack("dotnet", None, "", "nuget", {})


def _buildpack(
    language: Language,
    version: str | None,
    source: str,
    manager: str,
    types: Mapping[str, str],
    warnings: Iterable[str] = (),
) -> Buildpack:
    default = tuple(ProcessType(name, command, f"heroku/{language} default") for name, command in types.items())
    return Buildpack(language, version, source if version else None, manager, default, tuple(warnings))


def _json(files: Files, name: str, problems: Problems) -> dict[str, Any]:
    text = files.get(name)
    if text is None or not text.strip():
        return {}
    try:
        return _object(from_json(text, name).tree)
    except InputError as error:
        problems.lines.extend(error.details or (error.message,))
        return {}


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _and(names: Iterable[str]) -> str:
    return " and ".join(f"`{name}`" for name in names)
