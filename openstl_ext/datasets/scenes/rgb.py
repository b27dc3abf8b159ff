"""Aerial and satellite pictures in three colours: RESISC45, UC-Merced, WHU-RS19."""

from pathlib import Path
from typing import ClassVar, final

from openstl_ext.datasets.card import Card
from openstl_ext.datasets.scenes.dataset import SceneDataset
from openstl_ext.datasets.scenes.files import SMARTIES_LISTS, SceneFacts
from openstl_ext.datasets.scenes.toy import write_toy
from openstl_ext.registry import DATASETS

RESISC45_FACTS = SceneFacts(
    name="resisc45",
    title="RESISC45",
    folders=("NWPU-RESISC45", "."),
    classes=(
        *("airplane", "airport", "baseball_diamond", "basketball_court", "beach", "bridge"),
        *("chaparral", "church", "circular_farmland", "cloud", "commercial_area"),
        *("dense_residential", "desert", "forest", "freeway", "golf_course"),
        *("ground_track_field", "harbor", "industrial_area", "intersection", "island", "lake"),
        *("meadow", "medium_residential", "mobile_home_park", "mountain", "overpass", "palace"),
        *("parking_lot", "railway", "railway_station", "rectangular_farmland", "river"),
        *("roundabout", "runway", "sea_ice", "ship", "snowberg", "sparse_residential", "stadium"),
        *("storage_tank", "tennis_court", "terrace", "thermal_power_station", "wetland"),
    ),
    suffix=".jpg",
    sensor="resisc45",
    lists={
        "published": "resisc45-{split}.txt",
        "smarties": SMARTIES_LISTS + "RESISC45-{split}.txt",
        "stratified": "resisc45-stratified-{split}.txt",
    },
    source="hf.co/datasets/torchgeo/resisc45",
)
UC_MERCED_FACTS = SceneFacts(
    name="uc_merced",
    title="UC-Merced",
    folders=("UCMerced_LandUse/Images", "Images", "."),
    classes=(
        *("agricultural", "airplane", "baseballdiamond", "beach", "buildings", "chaparral"),
        *("denseresidential", "forest", "freeway", "golfcourse", "harbor", "intersection"),
        *("mediumresidential", "mobilehomepark", "overpass", "parkinglot", "river", "runway"),
        *("sparseresidential", "storagetanks", "tenniscourt"),
    ),
    suffix=".tif",
    sensor="uc_merced",
    lists={
        "published": "uc_merced-{split}.txt",
        "smarties": SMARTIES_LISTS + "UC-Merced-{split}.txt",
        "stratified": "uc_merced-stratified-{split}.txt",
    },
    source="hf.co/datasets/torchgeo/ucmerced",
    is_picture=True,
)
WHU_RS19_FACTS = SceneFacts(
    name="whu_rs19",
    title="WHU-RS19",
    folders=("WHU-RS19", "."),
    # the order of their bytes: names in small letters are last
    classes=(
        *("Airport", "Beach", "Bridge", "Commercial", "Desert", "Farmland", "Forest"),
        *("Industrial", "Meadow", "Mountain", "Park", "Parking", "Pond", "Port", "Residential"),
        *("River", "Viaduct", "footballField", "railwayStation"),
    ),
    suffix=".jpg",
    sensor="whu_rs19",
    lists={
        "stratified": "whu_rs19-stratified-{split}.txt",
        "smarties": SMARTIES_LISTS + "WHU-RS19-{split}.txt",
    },
    source="github.com/CAPTAIN-WHU/BED4RS",
    order=1,
    is_cropped=False,
)


@final
@DATASETS.register_module()
class RESISC45(SceneDataset):
    """RESISC45: 31,500 pictures of 0.2 to 30 m in 45 classes of scenes.

    The arguments, shapes and errors are those of ``SceneDataset``.

    Files:
        ``NWPU-RESISC45/<class>/<class>_001.jpg`` to ``_700.jpg``, 256 x 256 pixels, and the lists.

    Channels and units:
        red, green, blue; bytes, normalised by the table ``resisc45``.

    Splits:
        By ``split_lists``, from text files in the root:

        - ``published``: ``resisc45-<split>.txt``, 60 / 20 / 20 % (arXiv 1911.06721).
        - ``smarties``: ``eval_splits/RESISC45-{train,val}.txt``, 25,200 / 6,300. There is no third
          part, so ``test`` is its ``val``.
        - ``stratified``: written by ``openstl-ext data scenes``, 60, 20 and 20 % of each class.

    Licence:
        Unclear: copies of the set state CC-BY-NC-4.0, CC-BY-SA or none. Cite Cheng et al.,
        Proceedings of the IEEE 2017.

    Source:
        Pictures and lists: hf.co/datasets/torchgeo/resisc45; the lists of SMARTIES:
        github.com/gsumbul/SMARTIES. Normalisation, bicubic resampling to 256 pixels and the crop of
        224: gsumbul/SMARTIES@fc0df04, ``eval_datasets.py``.
    """

    card = Card(
        marks=RESISC45_FACTS.marks,
        samples={"train": 18_900, "val": 6_300, "test": 6_300},
        shape="1 x 3 x 256 x 256",
        note="",
    )
    facts: ClassVar[SceneFacts] = RESISC45_FACTS

    @classmethod
    def make_toy(cls, root: Path) -> None:
        """Write three classes of pictures of 32 pixels, and their lists."""
        write_toy(root, cls.facts, size=32)


@final
@DATASETS.register_module()
class UCMerced(SceneDataset):
    """UC-Merced: 2,100 aerial pictures of one foot in 21 classes of land use.

    The arguments, shapes and errors are those of ``SceneDataset``.

    Files:
        ``UCMerced_LandUse/Images/<class>/<class>00.tif`` to ``99.tif``, and the lists. Most
        pictures have 256 x 256 pixels, some a few less: with ``image_size=None`` they do not fit
        into one batch.

    Channels and units:
        red, green, blue; bytes, normalised by the table ``uc_merced``.

    Splits:
        By ``split_lists``, from text files in the root:

        - ``published``: ``uc_merced-<split>.txt``, 60 / 20 / 20 % (arXiv 1911.06721).
        - ``smarties``: ``eval_splits/UC-Merced-{train,val}.txt``, 1,890 / 210. There is no third
          part, so ``test`` is its ``val``.
        - ``stratified``: written by ``openstl-ext data scenes``, 60, 20 and 20 % of each class.

    Licence:
        Not stated by the sources used here. Cite Yang and Newsam, ACM GIS 2010.

    Source:
        Pictures and lists: hf.co/datasets/torchgeo/ucmerced; the lists of SMARTIES:
        github.com/gsumbul/SMARTIES. Normalisation, bicubic resampling of the shorter side to 256
        pixels and the crop of 224: gsumbul/SMARTIES@fc0df04, ``eval_datasets.py``.
    """

    card = Card(
        marks=UC_MERCED_FACTS.marks,
        samples={"train": 1_260, "val": 420, "test": 420},
        shape="1 x 3 x 256 x 256",
        note="Some pictures have a few pixels less.",
    )
    facts: ClassVar[SceneFacts] = UC_MERCED_FACTS

    @classmethod
    def make_toy(cls, root: Path) -> None:
        """Write three classes of pictures of 32 pixels, some with fewer rows, and their lists."""
        write_toy(root, cls.facts, size=32, uneven=True)


@final
@DATASETS.register_module()
class WHURS19(SceneDataset):
    """WHU-RS19: 1,005 satellite pictures of 600 pixels in 19 classes of scenes.

    The arguments, shapes and errors are those of ``SceneDataset``.

    Files:
        ``<Class>/<name>.jpg`` below the root or ``WHU-RS19``, such as ``Airport/airport_31.jpg``,
        and the lists. Class ids follow the order of bytes, so that ``footballField`` and
        ``railwayStation`` are the last two; copies of the set exist with another order.

    Channels and units:
        red, green, blue; bytes, normalised by the table ``whu_rs19``.

    Splits:
        By ``split_lists``, from text files in the root; none are published with the pictures:

        - ``stratified``: ``whu_rs19-stratified-<split>.txt``, which ``openstl-ext data scenes``
          writes (60, 20 and 20 % of each class).
        - ``smarties``: ``eval_splits/WHU-RS19-{train,val}.txt``, 898 / 107. There is no third part,
          so ``test`` is its ``val``.

    Licence:
        Unclear: a copy of the set states both CC-BY-4.0 and public domain. Cite Xia et al.
        2009, and Dai and Yang 2011.

    Source:
        Pictures: github.com/CAPTAIN-WHU/BED4RS; the lists of SMARTIES: github.com/gsumbul/SMARTIES.
        Normalisation and bilinear resampling of the whole picture: gsumbul/SMARTIES@fc0df04,
        ``eval_datasets.py``.
    """

    card = Card(
        marks=WHU_RS19_FACTS.marks,
        samples={},
        shape="1 x 3 x 600 x 600",
        note="1,005 pictures without published splits.",
    )
    facts: ClassVar[SceneFacts] = WHU_RS19_FACTS

    @classmethod
    def make_toy(cls, root: Path) -> None:
        """Write three classes of pictures of 32 pixels, and their lists."""
        write_toy(root, cls.facts, size=32)
