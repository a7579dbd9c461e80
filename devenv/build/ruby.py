"""Ruby apps, as Heroku's buildpack builds them (heroku.md sections 7.1 and 7.2)."""

import re

from devenv.build.node import recipe as node_recipe
from devenv.build.output import heading, warning
from devenv.build.recipe import CACHE, Recipe, Run, Tree, present, using
from devenv.heroku.model import Buildpack

DEFAULT = "3.3.9"
ENV = {
    "LANG": "C.UTF-8",
    "RACK_ENV": "production",
    "BUNDLE_DEPLOYMENT": "1",
    "BUNDLE_PATH": "/app/vendor/bundle",
    "BUNDLE_BIN": "/app/vendor/bundle/bin",
    "BUNDLE_WITHOUT": "development:test",
    "BUNDLE_GLOBAL_PATH_APPENDS_RUBY_SCOPE": "1",
    "MALLOC_ARENA_MAX": "2",
    "PUMA_PERSISTENT_TIMEOUT": "95",
}
RAILS_ENV = {"RAILS_ENV": "production", "RAILS_SERVE_STATIC_FILES": "enabled", "RAILS_LOG_TO_STDOUT": "enabled"}
# a gem that runs JavaScript at build: Heroku then brings Node along
JAVASCRIPT = re.compile(r"^ {4}(execjs|webpacker|jsbundling-rails|cssbundling-rails) \(", re.MULTILINE)

# Heroku too gives a URL that leads nowhere and a key of the moment, so that loading the app needs neither
ASSETS = """\
export DATABASE_URL="${DATABASE_URL:-postgres://user:pass@127.0.0.1/dbname}" \\
 && export SECRET_KEY_BASE="${SECRET_KEY_BASE:-$(ruby -rsecurerandom -e 'print SecureRandom.hex(64)')}" \\
 && tasks="$(bundle exec rake -P)" \\
 && if grep '^rake assets:precompile$' <<< "$tasks" > /dev/null; then \\
      echo '-----> Preparing app for Rails asset pipeline'; echo 'Running: rake assets:precompile'; \\
      bundle exec rake assets:precompile; \\
    fi"""


def recipe(buildpack: Buildpack, tree: Tree, stack: str | None) -> Recipe:
    """The Ruby share. `stack` is the Ruby version of the base image, None with official images."""
    asked = (buildpack.version or "").removeprefix("ruby-").removeprefix("ruby ")
    lock = tree.text("Gemfile.lock")
    rails = re.search(r"^ {4}rails(ties)? \(", lock, re.MULTILINE) is not None
    exact = re.match(r"\d+\.\d+(\.\d+)?", asked)
    return Recipe(
        title="Rails" if rails else "Ruby",
        lines=_lines(asked, buildpack.version_source, stack),
        image=f"ruby:{exact[0] if exact else DEFAULT}-bookworm",
        env={**ENV, **(RAILS_ENV if rails else {})},
        path=("/app/bin", "/app/vendor/bundle/bin"),
        manifests=() if _local_gems(tree) else _manifests(tree),
        install=(_install(),),
        build=_assets(rails),
    )


def needs_node(tree: Tree) -> bool:
    """Whether a gem of the bundle runs JavaScript at build."""
    return JAVASCRIPT.search(tree.text("Gemfile.lock")) is not None


def node_share(tree: Tree, stack: bool) -> Recipe:
    """The Node that such a gem uses: the runtime alone, none of the app's packages."""
    return node_recipe(Buildpack("nodejs", None, None, "npm"), tree, stack)


def _lines(asked: str, where: str | None, stack: str | None) -> tuple[str, ...]:
    if stack and asked and not (asked + ".").startswith(stack + "."):
        return heading(f"Using Ruby version: ruby-{stack}"), warning(
            f"Ruby {asked} was asked for; this stack has {stack}"
        )
    return (using("Ruby", asked, where, stack or DEFAULT),)


def _manifests(tree: Tree) -> tuple[str, ...]:
    cached = any(path.startswith("vendor/cache/") for path in tree.files)
    return (
        *present(tree, "Gemfile", "Gemfile.lock", ".ruby-version", ".tool-versions"),
        *(("vendor/cache",) if cached else ()),
    )


def _local_gems(tree: Tree) -> bool:
    return (
        re.search(r"^\s*gemspec\b|\bpath:|:path\s*=>|eval_gemfile|require_relative", tree.text("Gemfile"), re.MULTILINE)
        is not None
    )


def _install() -> Run:
    return Run(
        "Installing dependencies using bundler",
        (
            f"export BUNDLE_USER_CACHE={CACHE}/bundler BUNDLE_JOBS=4",
            'echo "Running: bundle install"',
            "bundle install",
            "rm -rf vendor/bundle/ruby/*/cache",
        ),
        ("bundler",),
    )


def _assets(rails: bool) -> tuple[Run, ...]:
    if not rails:
        return ()
    return (Run(None, (ASSETS,)),)
