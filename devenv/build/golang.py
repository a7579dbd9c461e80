"""Go apps, as Heroku's buildpack builds them (heroku.md sections 7.1 and 7.2)."""

import re

from devenv.build.output import heading
from devenv.build.recipe import CACHE, Recipe, Run, Tree, quoted
from devenv.heroku.model import Buildpack

DEFAULT = "1.24"


def recipe(buildpack: Buildpack, tree: Tree, stack: str | None) -> Recipe:
    """The Go share. `stack` is the Go version of the base image, None with official images."""
    version = (buildpack.version or "").removeprefix("go") or stack or DEFAULT
    module = tree.text("go.mod")
    name = re.search(r"^module\s+(\S+)", module, re.MULTILINE)
    lines = [heading("Detected go modules via go.mod")] + (
        [heading(f"Detected Module Name: {name[1]}")] if name else []
    )
    return Recipe(
        title="Go",
        lines=(*lines, heading(f"Using go{version}")),
        image=f"golang:{version}-bookworm",
        # any version comes from the module proxy; exactly the one asked for, whatever the stack's own
        env={"GOTOOLCHAIN": toolchain(version, stack)},
        path=("/app/bin",),
        path_end=("/usr/local/go/bin",),
        borrowed=(f"COPY --from=golang:{version}-bookworm /usr/local/go /usr/local/go",),
        build=(_build(module),),
    )


def toolchain(version: str, stack: str | None) -> str:
    """The value of GOTOOLCHAIN for `version` on a stack with another one (go.dev/doc/toolchain)."""
    parts = [int(part) for part in re.findall(r"\d+", version)]
    if not stack or len(parts) < 2 or parts < [1, 21]:
        return "auto"
    if len(parts) == 2 and parts == [int(part) for part in stack.split(".")]:
        return "auto"
    # from 1.21 on a first release is called 1.N.0
    return f"go{version if len(parts) > 2 else version + '.0'}+auto"


def _build(module: str) -> Run:
    directive = re.search(r"^//\s*\+heroku\s+install\s+(.+)$", module, re.MULTILINE)
    mains = """$(go list -f '{{ if eq .Name "main" }}{{ .ImportPath }}{{ end }}' ./...)"""
    chosen = " ".join(quoted(word) for word in directive[1].split()) if directive else mains
    return Run(
        "Determining packages to install",
        (
            f'export GOPATH={CACHE}/go GOCACHE={CACHE}/go-build GOFLAGS="${{GOFLAGS:--buildvcs=false}}"',
            f"packages=${{GO_INSTALL_PACKAGE_SPEC:-{chosen}}}"
            if directive
            else f'packages="${{GO_INSTALL_PACKAGE_SPEC:-{mains}}}"',
            'if [ -z "$packages" ]; then echo "no main package to install: set GO_INSTALL_PACKAGE_SPEC"; exit 1; fi',
            "echo 'Detected the following main packages to install:'",
            'printf "    %s\\n" $packages',
            'echo "-----> Running: go install -v -tags heroku "$packages',
            "mkdir -p bin",
            # the standard library compiles too: its packages, whose first part has no dot, are not worth a line
            "GOBIN=/app/bin go install -v -tags heroku $packages 2>&1 | { grep -E '^[^/ ]*[.]|[ :]' || true; }",
            "ls bin | sed 's|^|Installed bin/|'",
        ),
        ("go", "go-build"),
    )
