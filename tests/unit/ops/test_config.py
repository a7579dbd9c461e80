"""What a change of an env's settings takes from the release that serves."""

from devenv.heroku.model import ConfigVars, ProcessType
from devenv.ops import config
from devenv.plan.model import ClusterSpec, DynoSize, ImageSpec, Plan, PlannedProcess

IMAGE = ImageSpec("lamp/app", "new", (), None)


def process(name: str, quantity: int = 1, image: ImageSpec = IMAGE) -> PlannedProcess:
    return PlannedProcess(
        ProcessType(name, "edited", "Procfile:1"), quantity, DynoSize("Standard-2X", 1024, 100), image
    )


def plan(*processes: PlannedProcess, release: PlannedProcess | None = None) -> Plan:
    images = tuple({item.image.name: item.image for item in (*processes, *((release,) if release else ()))}.values())
    edited = ConfigVars({"BAD": "1"}, {"BAD": "config:set"})
    return Plan("lamp", "lamp", ClusterSpec("devenv", "kind", None), images, (), processes, (), release, edited, (), ())


def served(name: str, image: str = "localhost:5001/lamp/app:1") -> dict[str, object]:
    same = {"type": name, "image": image, "command": "serve", "port": 0}
    return {**same, "quantity": 1, "size": "Basic", "memory": 512, "cpu": 50, "env": {"WEB_CONCURRENCY": "2"}}


def test_scaling_takes_nothing_but_the_formation() -> None:
    note = {"version": 5, "phase": True, "description": "Deploy 1a2b"}
    content = {"config": {"GOOD": "1"}, "release": note, "processes": [served("web"), served("gone")]}
    found = config.scaled(content, plan(process("web", 2), process("added")))
    size = {"quantity": 2, "size": "Standard-2X", "memory": 1024, "cpu": 100, "env": {}}
    assert found == {
        "config": {"GOOD": "1"},
        "release": {**note, "phase": False},
        "processes": [{**served("web"), **size}, served("gone")],
    }


def test_a_config_change_keeps_the_image_of_the_release_command() -> None:
    content = {"processes": [served("web", "web:1")], "releasePhase": served("release", "release:1")}
    own = process("release", image=ImageSpec("lamp/release", "new", ("release",), None))
    assert config.running_images(content, plan(process("web"), release=own)) == {
        "lamp/app": "web:1",
        "lamp/release": "release:1",
    }
