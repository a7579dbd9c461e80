"""The lamp itself: what a command does to it, how it fades, what it draws from the wall. No network in here."""

import random
import re
from dataclasses import asdict, dataclass

PRESETS = {
    "Candle": "#ffb46b",
    "Daylight": "#fff0d9",
    "Amber": "#ff9330",
    "Coral": "#ff6f61",
    "Rose": "#ff6fb5",
    "Violet": "#a07bff",
    "Lagoon": "#35c9dc",
    "Moss": "#9ad65b",
}
NAMES = {color: name for name, color in PRESETS.items()}
FADE = 70.0  # brightness points per second: a second and a half from dark to full
SHADE = 4.0  # how fast a colour melts into the next one
STANDBY, FULL = 0.3, 9.2  # watts


def color_name(color: str) -> str:
    return NAMES.get(color, color.upper())


def check_command(raw: dict) -> dict:
    """The known fields of a command, checked; ValueError says which one is wrong."""
    command = {}
    if "on" in raw:
        if not isinstance(raw["on"], bool):
            raise ValueError("on must be true or false")
        command["on"] = raw["on"]
    if "brightness" in raw:
        if type(raw["brightness"]) is not int or not 1 <= raw["brightness"] <= 100:
            raise ValueError("brightness must be a whole number from 1 to 100")
        command["brightness"] = raw["brightness"]
    if "color" in raw:
        if not re.fullmatch(r"#[0-9a-f]{6}", str(raw["color"]).lower()):
            raise ValueError("color must look like #ffb46b")
        command["color"] = raw["color"].lower()
    if not command:
        raise ValueError("send on, brightness or color")
    return command


def mix(old: str, new: str, share: float) -> str:
    """The colour that lies `share` of the way from `old` to `new`."""
    pairs = [(int(old[i : i + 2], 16), int(new[i : i + 2], 16)) for i in (1, 3, 5)]
    if share >= 1 or all(abs(a - b) <= 2 for a, b in pairs):
        return new
    return "#" + "".join(f"{round(a + (b - a) * share):02x}" for a, b in pairs)


@dataclass
class Lamp:
    """What was asked for (on, brightness, color), and how far the lamp has come (level, shade, watts)."""

    on: bool = False
    brightness: int = 80
    color: str = PRESETS["Candle"]
    level: float = 0.0
    shade: str = PRESETS["Candle"]
    watts: float = STANDBY
    lit_at: float = 0.0  # when it was switched on
    wh: float = 0.0  # watt hours since then

    def obey(self, command: dict, now: float) -> set[str]:
        """Take over what a checked command asks for; says which fields changed."""
        changed = {field for field, value in command.items() if getattr(self, field) != value}
        for field in changed:
            setattr(self, field, command[field])
        if "on" in changed and self.on:
            self.lit_at, self.wh = now, 0.0
        return changed

    @property
    def goal(self) -> int:
        return self.brightness if self.on else 0

    @property
    def moving(self) -> bool:
        return abs(self.level - self.goal) > 0.01 or self.shade != self.color

    def step(self, seconds: float) -> None:
        """Let `seconds` pass: fade towards the goal, draw power."""
        reach = FADE * seconds
        self.level += max(-reach, min(reach, self.goal - self.level))
        self.shade = self.color if self.level < 1 else mix(self.shade, self.color, SHADE * seconds)
        wobble = random.uniform(0.985, 1.015)
        self.watts = STANDBY + (FULL - STANDBY) * (self.level / 100) ** 1.2 * self.effort() * wobble
        if self.on:
            self.wh += self.watts * seconds / 3600

    def effort(self) -> float:
        """White light needs every diode, a pure colour only some of them."""
        red, green, blue = (int(self.shade[i : i + 2], 16) for i in (1, 3, 5))
        return 0.4 + 0.6 * (red + green + blue) / 765

    def state(self, now: float) -> dict:
        state = asdict(self) | {"at": now, "color_name": color_name(self.color)}
        return state | {"level": round(self.level, 1), "watts": round(self.watts, 2), "wh": round(self.wh, 3)}

    @classmethod
    def from_state(cls, state: dict) -> "Lamp":
        return cls(**{field: state[field] for field in cls.__dataclass_fields__ if field in state})


def duration(seconds: float) -> str:
    minutes, seconds = divmod(max(0, round(seconds)), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {seconds} s" if minutes else f"{seconds} s"


def tell(lamp: Lamp, changed: set[str], now: float) -> tuple[str, str]:
    """Kind and sentence of the history entry for a change."""
    color = color_name(lamp.color)
    if "on" in changed and lamp.on:
        return "on", f"Switched on, {color} at {lamp.brightness} %"
    if "on" in changed:
        return "off", f"Switched off after {duration(now - lamp.lit_at)} and {lamp.wh:.2f} Wh"
    if changed == {"brightness", "color"}:
        return "color", f"Colour set to {color} at {lamp.brightness} %"
    if "color" in changed:
        return "color", f"Colour set to {color}"
    return "brightness", f"Brightness set to {lamp.brightness} %"
