"""State tables: what goes in comes out, in Python and in JavaScript's reading."""

import base64
import struct
from pathlib import Path

import numpy as np
import pytest

from contrastive_lab.explorables import table

ABOUT = {"command": "python scripts/states/none.py", "seed": 0}


def test_a_table_comes_back_with_its_description(tmp_path: Path) -> None:
    angles = np.arange(12, dtype=np.int16).reshape(3, 4)
    size = table.save(tmp_path / "toy.npz", {"angles": angles}, about={**ABOUT, "epochs": [0, 1, 2]})
    kept = table.load((tmp_path / "toy.npz").read_bytes())
    assert size == (tmp_path / "toy.npz").stat().st_size < table.LIMIT
    assert kept["angles"].dtype == np.int16
    assert (kept["angles"] == angles).all()
    assert kept.about["epochs"] == [0, 1, 2]
    assert {"python", "torch", "numpy"} <= set(kept.about["versions"])
    with pytest.raises(ValueError, match="read-only"):
        kept["angles"][0] = 1


def test_a_table_without_seed_or_too_large_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="about has no seed"):
        table.save(tmp_path / "toy.npz", {}, about={"command": "x"})
    noise = np.random.default_rng(0).random(60_000)
    with pytest.raises(ValueError, match="at most 300000"):
        table.save(tmp_path / "toy.npz", {"noise": noise}, about=ABOUT)
    assert not (tmp_path / "toy.npz").exists()


def test_pickles_are_not_opened(tmp_path: Path) -> None:
    np.savez(tmp_path / "bad.npz", thing=np.array([{"a": 1}], dtype=object))
    with pytest.raises(ValueError, match="pickle"):
        table.load((tmp_path / "bad.npz").read_bytes())


def test_an_unknown_name_lists_the_known() -> None:
    with pytest.raises(ValueError, match="must be one of"):
        table.read("nothing")


@pytest.mark.parametrize(("dtype", "steps"), [("uint8", 255), ("int16", 65534)])
def test_quantized_numbers_return_to_half_a_step(dtype: str, steps: int) -> None:
    values = np.linspace(-1.3, 2.1, 77)
    whole = table.quantize(values, -1.3, 2.1, dtype=dtype)
    assert whole.dtype.name == dtype
    assert np.abs(table.restore(whole, -1.3, 2.1) - values).max() <= 0.5 * 3.4 / steps + 1e-12
    assert table.restore(table.quantize([9.0], -1.3, 2.1, dtype=dtype), -1.3, 2.1)[0] == pytest.approx(2.1)


def test_packed_numbers_are_little_endian_whole_numbers() -> None:
    packed = table.pack([[0.0, 1.0], [0.5, 0.25]], 0, 1)
    numbers = struct.unpack("<4h", base64.b64decode(packed["base64"]))
    assert numbers == (-32767, 32767, 0, -16384)
    assert packed["shape"] == [2, 2]
    assert table.pack(np.array([3, 7], dtype=np.uint8), 0, 1)["base64"] == base64.b64encode(bytes([3, 7])).decode()


def test_bad_numbers_and_types_are_named() -> None:
    with pytest.raises(ValueError, match="not finite"):
        table.quantize([np.nan], 0, 1)
    with pytest.raises(ValueError, match="dtype is 'int8'"):
        table.quantize([0.5], 0, 1, dtype="int8")
    with pytest.raises(ValueError, match="low must be below"):
        table.pack([0.5], 1, 1)


SHIPPED = sorted((Path(table.__file__).parent / "states").glob("*.npz"))


@pytest.mark.parametrize("file", SHIPPED, ids=[file.stem for file in SHIPPED])
def test_every_shipped_table_is_small_and_says_how_it_was_made(file: Path) -> None:
    kept = table.load(file.read_bytes())
    assert file.stat().st_size < table.LIMIT
    assert kept.about["command"].startswith("python ")
    assert (Path(__file__).parents[2] / kept.about["command"].split()[1]).is_file()
    assert isinstance(kept.about.get("seed", kept.about.get("settings", {}).get("seed")), int)
    assert {"python", "torch"} <= set(kept.about["versions"])
    assert "/tmp" not in str(kept.about), "a path of one machine"
