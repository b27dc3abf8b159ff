"""EuroSAT: land use in images of Sentinel-2 with 13 bands."""

from pathlib import Path
from typing import ClassVar, final

from openstl_ext.datasets.card import Card
from openstl_ext.datasets.scenes.dataset import SceneDataset
from openstl_ext.datasets.scenes.files import SMARTIES_LISTS, SceneFacts
from openstl_ext.datasets.scenes.toy import write_toy
from openstl_ext.registry import DATASETS

EUROSAT = SceneFacts(
    name="eurosat",
    title="EuroSAT",
    folders=(
        "EuroSAT_MS",
        "ds/images/remote_sensing/otherDatasets/sentinel_2/tif",
        ".",
    ),
    classes=(
        *("AnnualCrop", "Forest", "HerbaceousVegetation", "Highway", "Industrial"),
        *("Pasture", "PermanentCrop", "Residential", "River", "SeaLake"),
    ),
    suffix=".tif",
    sensor="eurosat",
    lists={
        "published": "eurosat-{split}.txt",
        "spatial": "eurosat-spatial-{split}.txt",
        "100": "eurosat-100-{split}.txt",
        "smarties": SMARTIES_LISTS + "EuroSAT-{split}.txt",
        "stratified": "eurosat-stratified-{split}.txt",
        "longitude": "eurosat-longitude-{split}.txt",
    },
    source="zenodo.org/records/7711810 (EuroSAT_MS.zip) or hf.co/datasets/torchgeo/eurosat (lists)",
    is_cropped=False,
)


@final
@DATASETS.register_module()
class EuroSAT(SceneDataset):
    """EuroSAT: 27,000 images of Sentinel-2 L1C in ten classes of land use.

    The arguments, shapes and errors are those of ``SceneDataset``.

    Files:
        GeoTIFFs of 64 x 64 pixels with 13 bands, below the root in ``EuroSAT_MS/<Class>/`` (archive
        of Zenodo), in ``ds/images/remote_sensing/otherDatasets/sentinel_2/tif/<Class>/`` (archive
        ``EuroSATallBands.zip``, as torchgeo unpacks it) or in ``<Class>/``; and the split lists.

    Channels and units:
        Reflectance times 10,000, normalised by the table ``eurosat``. The order in the files is
        B01 to B08, B09, B10, B11, B12, B8A; B10 (cirrus) has no projection and is left out.

    Splits:
        By ``split_lists``, from text files in the root:

        - ``published``: ``eurosat-<split>.txt``, 16,200 / 5,400 / 5,400 (arXiv 1911.06721).
        - ``spatial``: ``eurosat-spatial-<split>.txt`` of torchgeo, by longitude, so that neighbours
          are in one split; of the same sizes.
        - ``100``: ``eurosat-100-<split>.txt`` of torchgeo, 60 / 20 / 20.
        - ``smarties``: ``eval_splits/EuroSAT-{train,val}.txt``, 21,600 / 5,400. There is no third
          part, so ``test`` is its ``val``.
        - ``stratified`` and ``longitude``: ``eurosat-stratified-<split>.txt`` and
          ``eurosat-longitude-<split>.txt``, which ``openstl-ext data scenes`` writes: 60, 20 and
          20 % of each class, or of the set from west to east.

        Lines may have the ending ``.jpg`` of the RGB version.

    Licence:
        MIT, as stated by hf.co/datasets/torchgeo/eurosat. Cite Helber et al., IEEE JSTARS 2019.

    Source:
        Images: zenodo.org/records/7711810. Lists: hf.co/datasets/torchgeo/eurosat and
        github.com/gsumbul/SMARTIES. Normalisation and bicubic resampling of the whole image:
        gsumbul/SMARTIES@fc0df04, ``eval_datasets.py``.
    """

    card = Card(
        marks=EUROSAT.marks,
        samples={"train": 16_200, "val": 5_400, "test": 5_400},
        shape="1 x 13 x 64 x 64",
        note="",
    )
    facts: ClassVar[SceneFacts] = EUROSAT

    @classmethod
    def make_toy(cls, root: Path) -> None:
        """Write three classes of images of 16 pixels, and lists by class and by longitude."""
        write_toy(root, cls.facts, size=16)
