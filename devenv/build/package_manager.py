"""npm, yarn and pnpm: their packages and the commands a build gives them."""

import re
from dataclasses import dataclass
from typing import Any

from devenv.build.recipe import CACHE, Tree, present


@dataclass(frozen=True, slots=True)
class Manager:
    """A package manager's commands. `package` is its npm package, None for the npm that comes with Node."""

    name: str
    package: str | None
    lock: str  # what the install says it reads
    install_all: str
    install_production: str
    prune: str
    run: str


def manager_of(name: str, package: dict[str, Any], tree: Tree) -> Manager:
    """The commands of the package manager `name` for this package.json and lock file."""
    version = _version(name, package)
    if name == "yarn":
        return _yarn(version, tree)
    if name == "pnpm":
        return _pnpm(version)
    lock = bool(present(tree, "package-lock.json", "npm-shrinkwrap.json"))
    install = f"npm {'ci' if lock else 'install'} --cache {CACHE}/npm"
    return Manager(
        "npm",
        f"npm@{version}" if version else None,
        "package.json + package-lock.json" if lock else "package.json",
        f"{install} --include=dev",
        f"{install} --omit=dev",
        _unless_kept(f"npm prune --omit=dev --ignore-scripts --cache {CACHE}/npm"),
        "npm run",
    )


def _version(name: str, package: dict[str, Any]) -> str:
    # `packageManager` before `engines`, which may be a range
    named = re.match(r"(\w+)@([^+]+)", str(package.get("packageManager") or ""))
    if named and named[1] == name:
        return named[2]
    engines = package.get("engines")
    return str(engines.get(name) or "") if isinstance(engines, dict) else ""


def _yarn(version: str, tree: Tree) -> Manager:
    if re.match(r"\D*1(\.|$)", version) or (not version and "__metadata:" not in tree.text("yarn.lock")):
        install = f"yarn install --frozen-lockfile --non-interactive --cache-folder {CACHE}/yarn"
        prune = f"{install} --production=true --ignore-scripts --prefer-offline"
        package = f"yarn@{version or '1'}"
        return Manager(
            "yarn",
            package,
            "yarn.lock",
            f"{install} --production=false",
            f"{install} --production=true",
            _unless_kept(prune),
            "yarn run",
        )
    # a global folder on another file system than node_modules: links between the two would break
    settings = (
        f"YARN_GLOBAL_FOLDER={CACHE}/yarn YARN_ENABLE_TELEMETRY=0 YARN_HTTPS_CA_FILE_PATH=${{NODE_EXTRA_CA_CERTS:-}}"
    )
    focus = f"{settings} yarn workspaces focus --all --production"
    package = f"@yarnpkg/cli-dist@{version or '4'}"
    install = f"{settings} yarn install --immutable"
    return Manager("yarn", package, "yarn.lock", install, focus, _unless_kept(focus), "yarn run")


def _pnpm(version: str) -> Manager:
    install = f"pnpm install --frozen-lockfile --store-dir {CACHE}/pnpm --reporter=append-only"
    return Manager(
        "pnpm",
        f"pnpm@{version or '10'}",
        "pnpm-lock.yaml",
        f"{install} --prod=false",
        f"{install} --prod",
        _unless_kept(f"CI=true npm_config_store_dir={CACHE}/pnpm pnpm prune --prod --ignore-scripts"),
        "pnpm run",
    )


def _unless_kept(prune: str) -> str:
    """Heroku's toggle: NPM_CONFIG_PRODUCTION=false keeps devDependencies in the slug."""
    return f'if [ "${{NPM_CONFIG_PRODUCTION:-true}}" = true ]; then {prune}; fi'
