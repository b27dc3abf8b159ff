"""Predict without targets: map a raster larger than memory, or forecast frames.

::

    openstl-ext predict CONFIG CHECKPOINT --input stack.tif --out map.tif --probability p.tif
    openstl-ext predict CONFIG CHECKPOINT --input data/hm --out maps --region region.geojson
    openstl-ext predict CONFIG CHECKPOINT --input frames.npy --out forecast.npy
    openstl-ext predict CONFIG CHECKPOINT --input folder --out forecasts --horizon 20
    openstl-ext predict CONFIG CHECKPOINT --input walk.mp4 --out next.mp4 --picture next.png
    openstl-ext predict --recipe simvp_gsta --data data/mine --input frames.npy --out forecast.npy
    openstl-ext predict work_dirs/my_run --input frames.npy --out forecast.npy

CONFIG may be the folder of a run; CHECKPOINT is its best one if it is left out.

Frames are read from arrays, folders of frames, pictures or GeoTIFFs, videos, netCDF, HDF5 and zarr,
as the training data were read, and written in the same kind, or in that of the suffix of --out.
"""

import argparse
from pathlib import Path

from openstl_ext import cli
from openstl_ext.commands.arguments import (
    add_config,
    add_quiet,
    load_trained_config,
    require_config,
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of this command."""
    add_config(parser, flags=("name",))
    add = parser.add_argument
    named = "a file, or best, or latest, of the run; default: best"
    add("checkpoint", nargs="?", metavar="CHECKPOINT", help=named)
    add("--input", dest="source", type=Path, required=True, help="rasters, or frames")
    add("--out", type=Path, required=True, help="MAP.tif, FRAMES.npy, .nc, .mp4 or a folder")
    add("--probability", type=Path, metavar="FILE.tif", help="write one band per class as well")
    add("--tile", type=int, help="side of a tile; default: as in training, or whole frames")
    add("--overlap", type=int, help="pixels that tiles share; default: a quarter of a tile")
    add("--batch-size", type=int, default=8, help="tiles or samples (%(default)s)")
    add(
        "--horizon",
        "--frames-out",
        type=int,
        help="frames to forecast; default: as the config's dataset",
    )
    add("--last", action="store_true", help="use the newest of more frames than needed")
    add("--region", type=Path, metavar="FILE.geojson", help="map only the area inside")
    add("--region-crs", metavar="EPSG:CODE", help="of a GeoJSON file without a CRS")
    add("--calibration", type=Path, metavar="FILE", help="default: of the run, if it was tested")
    add("--picture", type=Path, metavar="FILE.png", help="of the first forecast (<out>.png)")
    add("--no-picture", action="store_true", help="draw no picture of a forecast of frames")
    add("--device", help="cpu, cuda, cuda:1; default: a GPU if there is one")
    add("--amp", dest="bfloat16", action="store_true", help="compute in bfloat16")
    add_quiet(parser)
    how = parser.add_argument_group("how frames are read, if not as the training data").add_argument
    how("--scale", metavar="NUMBER|none", help="divide values; undone in the forecast")
    how("--variable", metavar="NAME", help="array of a file with several")
    how("--axes", help="order of the axes of an array, such as NTCHW, TCHW, THWC")
    how("--channels", type=_words, metavar="A,B", help="names, or those of pictures to use")
    how("--nodata", type=float, metavar="VALUE", help="value that means missing")
    how("--every", type=int, metavar="K", help="take every k-th frame")
    how("--grey", action="store_true", default=None, help="make one channel of colour pictures")


def _words(text: str) -> tuple[str, ...]:
    return tuple(word.strip() for word in text.split(","))


def run(args: argparse.Namespace) -> None:
    """Predict."""
    from dataclasses import fields

    from openstl_ext.prediction.request import Request, predict

    request = Request(**{field.name: getattr(args, field.name) for field in fields(Request)})
    require_config(args)
    request.check(args.checkpoint)
    cfg, _ = load_trained_config(args)
    cli.print_line(predict(cfg, args.checkpoint, request))
