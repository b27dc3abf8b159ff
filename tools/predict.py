"""Say what no truth is known of: map a raster larger than memory, or forecast frames.

::

    python tools/predict.py CONFIG CHECKPOINT --input stack.tif --out map.tif --probability p.tif
    python tools/predict.py CONFIG CHECKPOINT --input data/hm --out maps --region region.geojson
    python tools/predict.py CONFIG CHECKPOINT --input frames.npy --out forecast.npy
    python tools/predict.py CONFIG CHECKPOINT --input folder --out forecasts --horizon 20
"""

import argparse
from dataclasses import fields
from pathlib import Path

from openstl_ext import cli


def parse() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    cli.add_config(parser)
    add = parser.add_argument
    add("checkpoint", metavar="CHECKPOINT", help="weights of the config's method")
    add("--input", dest="source", type=Path, required=True, help="rasters, or frames")
    add("--out", type=Path, required=True, help="MAP.tif, FRAMES.npy or a folder")
    add("--probability", type=Path, metavar="FILE.tif", help="write one band a class, too")
    add("--tile", type=int, help="side of a tile; default: as in training, or whole frames")
    add("--overlap", type=int, help="pixels that tiles share; default: a quarter of a tile")
    add("--batch-size", type=int, default=8, help="tiles or samples (%(default)s)")
    add("--horizon", type=int, help="frames to forecast; default: as the config's dataset")
    add("--last", action="store_true", help="of more frames than needed take the newest")
    add("--region", type=Path, metavar="FILE.geojson", help="map only what lies inside")
    add("--region-crs", metavar="EPSG:CODE", help="of a GeoJSON that does not say")
    add("--calibration", type=Path, metavar="FILE", help="default: of the run, if it was tested")
    add("--device", help="cpu, cuda, cuda:1; default: a GPU if there is one")
    add("--amp", dest="bfloat16", action="store_true", help="compute in bfloat16")
    return parser.parse_args()


def main() -> None:
    """Predict."""
    args = parse()
    cfg = cli.load(args)
    from openstl_ext.prediction.request import Request, predict

    asked = {field.name: getattr(args, field.name) for field in fields(Request)}
    cli.say(predict(cfg, args.checkpoint, Request(**asked)))


if __name__ == "__main__":
    cli.run(main)
