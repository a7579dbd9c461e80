"""From a semver range of package.json to a tag of the official Node image."""

import re

MAJORS = (24, 22, 20, 18)  # tried in this order for a range: the newest long-term release first


def image_tag(version: str) -> str:
    """The tag for a range: the exact version, its major, else the newest of the known majors that fit."""
    text = version.strip().removeprefix("v")
    if re.fullmatch(r"\d+\.\d+\.\d+", text):
        return text
    if simple := re.fullmatch(r"[\^~=]?\s*(\d+)(\.[\dx*]+)*", text):
        return simple[1]
    for alternative in text.split("||"):
        bounds = re.findall(r"(>=|<=|<|>|\^|~)?\s*(\d+)((?:\.[\dx*]+)*)", alternative)
        for major in MAJORS:
            if bounds and all(_fits(major, sign, int(bound), rest) for sign, bound, rest in bounds):
                return str(major)
    return str(MAJORS[0])


def _fits(major: int, sign: str, bound: int, rest: str) -> bool:
    within = major == bound and re.search(r"[1-9]", rest) is not None  # 22.4 lies within major 22
    match sign:
        case "<":
            return major < bound or within
        case ">":
            return major > bound or within
        case ">=":
            return major >= bound
        case "<=":
            return major <= bound
        case _:
            return major == bound
