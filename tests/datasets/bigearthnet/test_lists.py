"""Splits and labels of BigEarthNet: official pairs, SMARTIES' lists, metadata, 43 labels to 19."""

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from openstl_ext.datasets.bigearthnet import lists, metadata
from openstl_ext.datasets.bigearthnet.nomenclature import (
    class_ids,
    class_words,
    map_labels,
    nomenclature,
)
from openstl_ext.errors import ConfigError, DataError, UserError
from openstl_ext.score_name import is_part

S2 = [f"S2A_MSIL2A_20170613T101031_{k}_7" for k in range(4)]
S1 = [f"S1A_IW_GRDH_1SDV_20170613T165043_33UUP_{k}_7" for k in range(4)]
ROWS: list[dict[str, Any]] = [
    {
        "patch_id": "a_0_1",
        "s1_name": "s_0_1",
        "split": "train",
        "labels": ["Pastures"],
        "country": 1,
    },
    {"patch_id": "a_0_2", "s1_name": "s_0_2", "split": "validation", "labels": ["Marine waters"]},
    {
        "patch_id": "a_0_3",
        "s1_name": "s_0_3",
        "split": "test",
        "labels": ["Transitional woodland, shrub", "Urban fabric"],
    },
]


def official(root: Path, **splits: list[int]) -> Path:
    for split, numbers in splits.items():
        text = "".join(f"{S2[k]},{S1[k]}\n" for k in numbers)
        (root / f"bigearthnet-{split}.csv").write_text(text)
    return root


def read(root: Path, split: str, rule: str = "official", **arguments: Any) -> list[str]:
    arguments = {"sensors": ("sentinel2",), "removal_lists": (), **arguments}
    return [patch.id for patch in lists.read_patches(root, rule, split, **arguments)]


def test_the_official_lists_are_pairs(tmp_path: Path) -> None:
    """Images of Sentinel-1 would be those of another place."""
    official(tmp_path, train=[2, 0], val=[1], test=[3])
    patches = lists.read_patches(tmp_path, "official", "train", ("sentinel1",), ())
    assert [(patch.s2, patch.s1) for patch in patches] == [(S2[2], S1[2]), (S2[0], S1[0])]


def test_smarties_has_a_list_for_each_sensor_and_for_pairs(tmp_path: Path) -> None:
    """Its released weights could not be evaluated on their split."""
    folder = tmp_path / "eval_splits"
    folder.mkdir()
    for name, text in {
        "S2-train10prcnt": f"{S2[0]}\n{S2[1]}\n",
        "S2-train1prcnt": f"{S2[1]}\n",
        "S2-val": f"{S2[2]}\n",
        "S1-train10prcnt": f"{S1[0]}\n",
        "MM-train": f"{S2[3]} {S1[3]}\n",
    }.items():
        (folder / f"BigEarthNet-{name}.txt").write_text(text)
    assert read(tmp_path, "train", "smarties_10_percent") == S2[:2]
    assert read(tmp_path, "train", "smarties_1_percent") == S2[1:2]
    assert read(tmp_path, "test", "smarties_1_percent") == S2[2:3]
    assert read(tmp_path, "train", "smarties_10_percent", sensors=("sentinel1",)) == S1[:1]
    both = ("sentinel2", "sentinel1")
    assert read(tmp_path, "train", "smarties", sensors=both) == S2[3:]
    with pytest.raises(ConfigError, match="two parts, train and test, so there is no val"):
        read(tmp_path, "val", "smarties")
    with pytest.raises(DataError, match=r"S1-val\.txt: there is no such split list; fetch it from"):
        read(tmp_path, "test", "smarties", sensors=("sentinel1",))


def test_removal_lists_leave_patches_out(tmp_path: Path) -> None:
    """Patches under snow or clouds would be trained on."""
    official(tmp_path, train=[0, 1, 2])
    (tmp_path / "snow.csv").write_text(f"{S2[1]}\n{S2[3]}\n")
    assert read(tmp_path, "train", removal_lists=["snow.csv"]) == [S2[0], S2[2]]
    with pytest.raises(DataError, match=r"cloud\.csv: No such file"):
        read(tmp_path, "train", removal_lists=["cloud.csv"])
    (tmp_path / "v2.csv").write_text("S2A_MSIL2A_20170613T101031_N9999_R022_T33UUP_26_57\n")
    with pytest.raises(DataError, match=r"v2\.csv: has names such as S2A.*; use the list of this"):
        read(tmp_path, "train", removal_lists=["snow.csv", "v2.csv"])


def test_removal_lists_of_version_1_are_no_lists_of_version_2(tmp_path: Path) -> None:
    """Nothing would be left out, without a word."""
    (tmp_path / "metadata.json").write_text(json.dumps(ROWS))
    (tmp_path / "v1.csv").write_text(f"{S2[0]}\n")
    with pytest.raises(DataError, match=r"v1\.csv: .* those of the set are as a_0_"):
        metadata.read_patches(tmp_path, "train", ["v1.csv"])
    (tmp_path / "own.csv").write_text("a_0_1\n")
    with pytest.raises(DataError, match="has no patch of the split train"):
        metadata.read_patches(tmp_path, "train", ["own.csv"])


@pytest.mark.parametrize(
    ("train", "message"),
    [
        ("", "train.csv: the list is empty"),
        (f"{S2[0]}\n", "is not a pair of a Sentinel-2 and a Sentinel-1 patch"),
        (f"{S1[0]},{S2[0]}\n", "is not a pair"),
        (f"{S2[0]},{S1[1]}\n", "_0_7 and .*_1_7 are not of one place; correct the pair"),
        (f"{S2[0]},{S1[0]}\n" * 2, "train.csv: names a patch twice"),
        (f"{S2[3]},{S1[3]}\n", f"test.csv share 1 patches, such as {S2[3]}; remove them from one"),
    ],
)
def test_a_mistake_in_a_list_is_named(tmp_path: Path, train: str, message: str) -> None:
    """A patch would be trained on and tested, or have the image of another place."""
    official(tmp_path, test=[3])
    (tmp_path / "bigearthnet-train.csv").write_text(train)
    with pytest.raises(DataError, match=message):
        read(tmp_path, "train")


def test_labels_of_43_become_19() -> None:
    """Scores of classes would be under other names."""
    assert len(nomenclature().labels) == 43
    assert sum(name is None for name in nomenclature().labels.values()) == 11
    cases = {
        "Continuous urban fabric": 0,
        "Rice fields": 2,
        "Annual crops associated with permanent crops": 3,
        "Pastures": 4,
        "Sparsely vegetated areas": 11,
        "Sclerophyllous vegetation": 12,
        "Transitional woodland/shrub": 13,
        "Transitional woodland, shrub": 13,
        "Salines": 16,
        "Water courses": 17,
        "Estuaries": 18,
    }
    for label, number in cases.items():
        assert class_ids([label], "test") == (number,)
    assert class_ids(["Sea and ocean", "Bare rock", "Vineyards", "Olive groves"], "t") == (3, 18)


def test_classes_are_words_of_the_published_order() -> None:
    """Names of scores would be cut at a comma, or stand for another class."""
    words = class_words()
    assert len(set(words)) == 19
    assert all(is_part(word) for word in words)
    assert words[0] == "urban_fabric"
    assert words[13] == "transitional_woodland_shrub"
    assert words[18] == "marine_waters"


def test_labels_without_a_class_or_unknown_are_errors_with_a_remedy() -> None:
    """A target without any class would count as an error of every net."""
    remedy = r"in one of the 19 classes; .*removal_lists=\['patches_with_no_19_class_targets.csv'\]"
    with pytest.raises(DataError, match=rf"x.json: none of its labels \(Airports\) is {remedy}"):
        class_ids(["Airports"], "x.json")
    with pytest.raises(DataError, match="'Vinyards' is no label of BigEarthNet; did you mean 'Vin"):
        class_ids(["Vinyards"], "x.json")


def test_codes_of_a_map_become_classes_or_are_not_valid() -> None:
    """Burnt areas and fill values would be class indices out of range."""
    codes = np.array([[111, 333, 523], [334, 0, np.nan]], np.float32)
    labels, valid = map_labels(codes)
    assert labels.tolist() == [[0, 11, 18], [0, 0, 0]]
    assert valid.tolist() == [[True, True, True], [False, False, False]]


def test_metadata_give_names_split_and_labels(tmp_path: Path) -> None:
    """Validation of version 2 is called otherwise, so it would be empty."""
    (tmp_path / "metadata.json").write_text(json.dumps(ROWS))
    found = {s: metadata.read_patches(tmp_path, s, ()) for s in ("train", "val", "test")}
    assert [(p.s2, p.s1, p.classes) for p in found["train"]] == [("a_0_1", "s_0_1", (4,))]
    assert [(p.s2, p.s1, p.classes) for p in found["val"]] == [("a_0_2", "s_0_2", (18,))]
    assert [p.classes for p in found["test"]] == [(0, 13)]


def test_metadata_are_read_from_parquet(tmp_path: Path) -> None:
    """The published file could not be read."""
    pyarrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    parquet.write_table(pyarrow.Table.from_pylist(ROWS), tmp_path / "metadata.parquet")
    assert [p.classes for p in metadata.read_patches(tmp_path, "test", ())] == [(0, 13)]
    parquet.write_table(pyarrow.table({"patch_id": ["a"]}), tmp_path / "metadata.parquet")
    with pytest.raises(DataError, match="cannot be read as the columns patch_id, s1_name, split"):
        metadata.read_patches(tmp_path, "test", ())


def test_parquet_without_its_library_is_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An ImportError would not name the remedy."""
    (tmp_path / "metadata.parquet").write_bytes(b"PAR1")
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(
        UserError, match=r"needs pyarrow .*: pip install pyarrow, or write metadata"
    ):
        metadata.read_patches(tmp_path, "train", ())


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([*ROWS, ROWS[0]], "a_0_1 is in two rows"),
        ([{**ROWS[0], "split": "dev"}], "a_0_1 has the split 'dev', expected one of train, valid"),
        ([{**ROWS[2], "s1_name": "s_0_4"}], "a_0_3 and s_0_4 are not of one place"),
        (
            [{**ROWS[2], "patch_id": "S2A_T32TQT_0_3", "s1_name": "S1A_33UUP_0_3"}],
            "S2A_T32TQT_0_3 and S1A_33UUP_0_3 are not of one place",
        ),
        (ROWS[:1], "has no patch of the split test"),
        ([{"patch_id": "a"}], "missing required field `s1_name`"),
    ],
)
def test_a_mistake_in_the_metadata_is_named(
    tmp_path: Path, rows: list[dict[str, Any]], message: str
) -> None:
    """A patch would be in two splits, or in none."""
    (tmp_path / "metadata.json").write_text(json.dumps(rows))
    with pytest.raises(DataError, match=rf"metadata\.json: .*{message}"):
        metadata.read_patches(tmp_path, "test", ())
