"""Model files: whole or refused, whatever happens to them."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from predictor.model_files import Contents, ModelFileError, listed, load, newest, rotate, save

MADE_NS = 1_738_329_000 * 10**9
CONTENTS = Contents({"cuts": np.arange(6.0).reshape(2, 3), "levels": np.array([3, 2])}, {"mode": "default", "span": 1})


def same(a: Contents, b: Contents) -> bool:
    return (
        a.meta == b.meta
        and a.arrays.keys() == b.arrays.keys()
        and all(
            a.arrays[name].dtype == b.arrays[name].dtype and np.array_equal(a.arrays[name], b.arrays[name])
            for name in a.arrays
        )
    )


def test_comes_back_as_it_was(tmp_path: Path) -> None:
    path = save(tmp_path / "new folder", "default", MADE_NS, CONTENTS)
    assert path.name == "default-2025-01-31T131000.000Z.npz"
    assert same(load(path), CONTENTS)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return save(tmp_path_factory.mktemp("models"), "default", MADE_NS, CONTENTS).read_bytes()


@settings(max_examples=300)
@given(data=st.data())
def test_damaged_byte_is_never_believed(
    data: st.DataObject, whole: bytes, tmp_path_factory: pytest.TempPathFactory
) -> None:
    at = data.draw(st.integers(0, len(whole) - 1))
    damaged = bytearray(whole)
    damaged[at] ^= data.draw(st.integers(1, 255))
    path = tmp_path_factory.getbasetemp() / "damaged.npz"
    path.write_bytes(damaged)
    try:
        read = load(path)
    except ModelFileError:
        return
    assert same(read, CONTENTS)  # a byte that says nothing, such as a time stamp of the archive


@settings(max_examples=50)
@given(data=st.data())
def test_cut_off_file_is_refused(data: st.DataObject, whole: bytes, tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.getbasetemp() / "cut.npz"
    path.write_bytes(whole[: data.draw(st.integers(0, len(whole) - 1))])
    with pytest.raises(ModelFileError, match=r"/cut\.npz: not a whole model file .*; remove it"):
        load(path)


def test_contents_exchanged_by_a_whole_archive_are_refused(tmp_path: Path) -> None:
    path = save(tmp_path, "default", MADE_NS, CONTENTS)
    with np.load(path) as file:
        members = dict(file)
    members["cuts"] = members["cuts"] + 1
    np.savez(path, allow_pickle=False, **members)
    with pytest.raises(ModelFileError, match="do not match their SHA-256"):
        load(path)


def test_pickle_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "default-x.npz"
    np.savez(path, cuts=np.array([{"any": "object"}], dtype=object))
    with pytest.raises(ModelFileError, match="allow_pickle=False"):
        load(path)


def test_missing_file_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(ModelFileError, match=r"default-x\.npz: not a whole model file"):
        load(tmp_path / "default-x.npz")


def test_other_format_asks_to_train(tmp_path: Path) -> None:
    path = save(tmp_path, "default", MADE_NS, Contents({}, {"format": 2}))
    with pytest.raises(ModelFileError, match="of another format than 1; train"):
        load(path)


class TestFolder:
    def test_newest_of_a_name(self, tmp_path: Path) -> None:
        assert newest(tmp_path / "not there", "default") is None
        first = save(tmp_path, "default", MADE_NS, CONTENTS)
        second = save(tmp_path, "default", MADE_NS + 10**6, CONTENTS)
        save(tmp_path, "paper", MADE_NS + 10**9, CONTENTS)
        assert listed(tmp_path, "default") == [first, second]
        assert newest(tmp_path, "default") == second

    def test_file_that_would_not_be_the_newest_is_not_written(self, tmp_path: Path) -> None:
        future = save(tmp_path, "default", MADE_NS + 10**9, CONTENTS)
        with pytest.raises(ModelFileError, match="set this machine's clock right"):
            save(tmp_path, "default", MADE_NS, CONTENTS)
        assert list(tmp_path.iterdir()) == [future]

    def test_rotation_keeps_the_newest_and_sweeps(self, tmp_path: Path) -> None:
        files = [save(tmp_path, "default", MADE_NS + k * 10**6, CONTENTS) for k in range(4)]
        killed = tmp_path / ".default-2025.npz.new"
        killed.touch()
        paper = save(tmp_path, "paper", MADE_NS, CONTENTS)
        assert rotate(tmp_path, "default", keep=2) == [*files[:2], killed]
        assert sorted(tmp_path.iterdir()) == [*files[2:], paper]
