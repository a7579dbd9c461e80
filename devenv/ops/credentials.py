"""Random values made once per env and kept: app.json's generated secrets, the stand-ins' credentials."""

import secrets
from collections.abc import Iterable
from dataclasses import replace

from devenv.base.errors import InputError
from devenv.heroku.model import App
from devenv.plan.model import PlannedAddon
from devenv.plan.settings import Settings


def complete(settings: Settings, app: App, addons: Iterable[PlannedAddon]) -> Settings:
    """Settings with every value that is still missing made; the same object when nothing is."""
    generated = dict(settings.generated)
    for entry in app.env:
        if entry.generator == "secret" and entry.name not in generated:
            generated[entry.name] = secrets.token_hex(32)  # 64 hex digits (heroku.md section 4.2, unverified there)
    credentials = dict(settings.credentials)
    for addon in addons:
        if addon.mode == "stand-in" and addon.spec:
            have = dict(credentials.get(addon.name, {}))
            wanted = addon.spec.credentials
            if set(have) != set(wanted):
                credentials[addon.name] = {name: have.get(name) or make(rule) for name, rule in wanted.items()}
    if generated == settings.generated and credentials == settings.credentials:
        return settings
    return replace(settings, generated=generated, credentials=credentials)


def make(rule: str) -> str:
    """A value by an addon.yaml rule: `hex:32` digits, `name:u` a letter and 14 digits, `literal:elastic`."""
    kind, _, detail = rule.partition(":")
    if kind == "hex":
        return secrets.token_hex(int(detail) // 2)
    if kind == "name":
        return detail + secrets.token_hex(7)
    if kind == "literal":
        return detail
    raise InputError(f"`{rule}` is not a rule for credentials", "rules: hex:DIGITS, name:PREFIX, literal:TEXT")
