import json
import math

import numpy as np
import pytest
from golden_scenes import FILE, measure

from contrastive_lab.data import scenes
from contrastive_lab.data.scenes.image import RADII, RGB


def distance(shape, x, y, r):
    a, b = abs(x), abs(y)
    return {
        "circle": math.sqrt(x * x + y * y) - r,
        "square": max(a, b) - 0.88 * r,
        "triangle": max(y - 0.7 * r, 0.866 * a - 0.5 * y - 0.5 * r),
        "cross": min(max(a - 0.33 * r, b - r), max(b - 0.33 * r, a - r)),
        "ring": abs(math.sqrt(x * x + y * y) - 0.75 * r) - 0.28 * r,
        "bar": max(a - 1.1 * r, b - 0.35 * r),
    }[shape]


def background(kind, tone, phase, x, y):
    t, p = 0.08 + 0.06 * tone, phase / 8
    if kind == "striped" and math.floor(2 * (4 * x + p)) % 2 == 0:
        return t + 0.12
    if kind == "checkered" and (math.floor(4 * x + p) + math.floor(4 * y)) % 2 == 1:
        return t + 0.12
    if kind == "dotted" and ((6 * x + p) % 1 - 0.5) ** 2 + (6 * y % 1 - 0.5) ** 2 < 0.06:
        return t + 0.15
    return t


def pixel(s, n, i, j, size):
    """One pixel from the specification, with no array in sight."""
    x, y = (j + 0.5) / size, (i + 0.5) / size
    colour = [background(scenes.CLASSES["background"][s.background[n]], int(s.tone[n]), int(s.phase[n]), x, y)] * 3
    semantic = instance = 0
    for k in range(1 + int(s.two[n])):
        row, column = divmod(int(s.cell[n, k]), 3)
        cx, cy = (column + 0.5) / 3 + float(s.shift[n, k, 0]), (row + 0.5) / 3 + float(s.shift[n, k, 1])
        d = distance(scenes.CLASSES["shape"][s.shape[n, k]], x - cx, y - cy, float(RADII[s.size[n, k]]))
        a = min(max(0.5 - d * size, 0.0), 1.0)
        colour = [(1 - a) * v + a * (int(c) / 255) for v, c in zip(colour, RGB[s.colour[n, k]], strict=True)]
        if a > 0.5:
            semantic, instance = 1 + int(s.shape[n, k]), 1 + k
    return [math.floor(255 * v + 0.5) for v in colour], semantic, instance


@pytest.mark.parametrize(("size", "count"), [(16, 24), (32, 4), (48, 2)])
def test_every_pixel_equals_the_slow_loop(size, count):
    s = scenes.World(seed=1).draw(range(count))
    assert size > 16 or (set(s.shape.ravel()) == set(range(-1, 6)) and set(s.background) == set(range(4)))
    painted = scenes.render(s, size)
    slow = [[[pixel(s, n, i, j, size) for j in range(size)] for i in range(size)] for n in range(count)]
    for found, part in zip(painted, range(3), strict=True):
        assert (found == np.array([[[p[part] for p in row] for row in image] for image in slow])).all()


def test_golden_file():
    golden, now = json.loads(FILE.read_text(encoding="utf-8")), json.loads(json.dumps(measure()))
    assert golden.keys() == now.keys()
    for part in golden:
        assert now[part] == golden[part], f"{part} differs from {FILE.name}"


def test_an_image_does_not_depend_on_its_batch():
    world = scenes.World(knobs=scenes.Knobs(watermark=0.5))
    many = scenes.render(world.draw(range(300)))
    for index in (0, 127, 128, 299):
        alone = scenes.render(world.draw(range(index, index + 1)))
        for one, all_of_them in zip(alone, many, strict=True):
            assert (one[0] == all_of_them[index]).all()


AREA = {
    "circle": math.pi,
    "square": 1.76**2,
    "triangle": 1.7**2 / 2 / 0.866,
    "cross": 2 * 1.32 - 0.66**2,
    "ring": math.pi * (1.03**2 - 0.47**2),
    "bar": 2.2 * 0.7,
}


def test_the_mask_has_the_area_of_its_shape_and_size():
    s = scenes.World(two=0.0).draw(np.flatnonzero(scenes.World(two=0.0).draw(range(9000)).cell[:, 0] == 4))
    area = (scenes.render(s, 64).semantic > 0).sum(axis=(1, 2)) / 64**2
    for shape, unit in enumerate(AREA.values()):
        for size, radius in enumerate(RADII):
            rows = (s.shape[:, 0] == shape) & (s.size[:, 0] == size)
            assert area[rows].mean() == pytest.approx(unit * radius**2, rel=0.05)


def test_masks_name_shapes_and_objects_and_the_later_object_covers():
    s = scenes.World(two=1.0).draw(range(400))
    painted = scenes.render(s)
    for k in (0, 1):
        shape = np.broadcast_to(s.shape[:, k, None, None], painted.instance.shape)
        inside = painted.instance == 1 + k
        assert (painted.semantic[inside] == 1 + shape[inside]).all()
    assert ((painted.semantic == 0) == (painted.instance == 0)).all()
    second = (painted.instance == 2).sum(axis=(1, 2))
    assert second.min() > 8


def test_boxes_are_the_extent_of_the_visible_part():
    instance = np.zeros((2, 8, 8), np.uint8)
    instance[0, 2:4, 1:6] = 1
    instance[0, 7, 5:8] = 2
    instance[1, 0, 0:4] = 2
    found = scenes.boxes(instance)
    assert found[0, 0].tolist() == [1 / 8, 2 / 8, 6 / 8, 4 / 8]
    assert np.isnan(found[0, 1]).all()
    assert np.isnan(found[1, 0]).all()
    assert found[1, 1].tolist() == [0, 0, 0.5, 1 / 8]


def test_the_watermark_is_drawn_in_the_corner_and_nowhere_else():
    plain, marked = (scenes.World(knobs=scenes.Knobs(watermark=w)).draw(range(200)) for w in (0.0, 1.0))
    before, after = scenes.render(plain), scenes.render(marked)
    assert (before.pixels[:, 4:] == after.pixels[:, 4:]).all()
    assert (before.pixels[:, :, 8:] == after.pixels[:, :, 8:]).all()
    assert (before.semantic == after.semantic).all()
    corner = after.pixels[:, :4, :8, 0]
    bits = corner[:, ::2, ::2].reshape(-1, 8) == 255
    assert (bits @ (1 << np.arange(8)) == marked.watermark).all()
    assert (np.kron(corner[:, ::2, ::2], np.ones((1, 2, 2))) == corner).all()


@pytest.mark.parametrize("size", [0, 8, 4096])
def test_sizes_out_of_range_are_refused(size):
    with pytest.raises(ValueError, match=f"size is {size}"):
        scenes.render(scenes.World().draw(range(1)), size)
