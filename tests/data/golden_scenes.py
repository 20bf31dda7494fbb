"""What the golden file holds. `python tests/data/golden_scenes.py` writes it anew; do that only when the world is meant to change."""

import hashlib
import json
from pathlib import Path

import numpy as np

from contrastive_lab.data import scenes

FILE = Path(__file__).with_name("scenes_golden.json")
COUNTERS = [(0, 0, 0, 0), (0, 0, 731, 10), (7, 2, 5, 200), (2**63, 104, 12345, 20003)]
STRESSED = scenes.World(seed=3, split="test", knobs=scenes.Knobs(mismatch=0.3, synonyms=0.5, watermark=0.5, long_tail=1.0))


def sha(values: np.ndarray | str) -> str:
    data = values.encode() if isinstance(values, str) else np.ascontiguousarray(values).tobytes()
    return hashlib.sha256(data).hexdigest()


def described(world: scenes.World, index: int) -> dict[str, object]:
    scene = world.draw(range(index, index + 1))
    short, long = scenes.captions(scene)[0]
    factors = {name: int(values[0]) for name, values in scene.labels().items()}
    return {
        "factors": factors | {"phase": int(scene.phase[0])},
        "shift": [float(x).hex() for x in scene.shift.ravel()],
        "short": short,
        "long": long,
        "velan": scenes.velan_captions(scene)[0],
        "rewrites": [scenes.rewrites(scene, r)[0] for r in range(5)],
        "boxes": np.nan_to_num(scenes.boxes(scenes.render(scene).instance), nan=-1)[0].tolist(),
    }


def measure() -> dict[str, object]:
    """Everything that must be equal on every platform."""
    many = scenes.World().draw(range(256))
    painted = {size: scenes.render(many, size) for size in (32, 48, 64, 96)}
    stressed = STRESSED.draw(range(256))
    return {
        "counter": {",".join(map(str, a)): [f"{scenes.mix(*a):016x}", scenes.uniform(scenes.mix(*a)).hex()] for a in COUNTERS},
        "scenes": [described(scenes.World(), index) for index in range(5)],
        "pixels": {str(size): sha(p.pixels) for size, p in painted.items()},
        "semantic": {str(size): sha(p.semantic) for size, p in painted.items()},
        "instance": {str(size): sha(p.instance) for size, p in painted.items()},
        "captions": sha(json.dumps(scenes.captions(many))),
        "stressed_pixels": sha(scenes.render(stressed).pixels),
        "stressed_captions": sha(json.dumps(scenes.captions(stressed))),
        "each_image": [sha(image)[:16] for image in painted[32].pixels],
    }


if __name__ == "__main__":
    FILE.write_text(json.dumps(measure(), indent=1) + "\n", encoding="utf-8")
