"""Compute features of your own images with the encoder of SMARTIES.

Of one raster, a map with one pixel a patch: all features, or their principal components. Of a
folder or of several images, a table with one row an image. ::

    openstl-ext embed smarties-v1-vitb.safetensors --input a.tif --sensor sentinel2_l2a --out b.tif
    openstl-ext embed CHECKPOINT --input a.tif --sensor rgb --out b.tif --components 3
    openstl-ext embed CHECKPOINT --input a.tif --sensor rgb --out b.tif --picture b.png
    openstl-ext embed CHECKPOINT --input a.tif --sensor eurosat --out b.tif --bands B02 B03 B04 B08
    openstl-ext embed CHECKPOINT --input folder --sensor my_sensor.json --out features.npz
    openstl-ext embed CHECKPOINT --input BigEarthNet-S2 --band-folders --sensor sentinel2_l2a \
        --bands B02 B03 B04 B08 --out features.npz
"""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from openstl_ext import cli
from openstl_ext.commands.arguments import add_quiet
from openstl_ext.errors import ConfigError

if TYPE_CHECKING:
    from openstl_ext.prediction.patch_scene import PatchScene

IMAGE, FEATURES = 840, 192
"""Most rows and columns of a picture: of the image, and of features, all of which are in memory."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of this command."""
    add = parser.add_argument
    add("weights", metavar="WEIGHTS", help="published weights, a checkpoint, or a work directory")
    add(
        "--input",
        dest="sources",
        type=Path,
        nargs="+",
        required=True,
        metavar="IMAGE",
        help="a raster, several images, or folders of images",
    )
    add("--sensor", required=True, help="a name, such as sentinel2_l2a, or a JSON file")
    add("--bands", nargs="+", metavar="NAME", help="all bands of the files, if they are others")
    add(
        "--band-folders", action="store_true", help="an image is a folder with a file for each band"
    )
    add("--out", type=Path, required=True, help="MAP.tif, or TABLE.npz or TABLE.csv")
    add("--components", type=int, metavar="K", help="principal components of a map")
    add("--picture", type=Path, help="PNG of a map: image, and components as colours")
    add("--tile", type=int, help="side of a tile; default: images of the pre-training")
    add("--overlap", type=int, help="pixels that tiles share; default: a quarter of a tile")
    add("--batch-size", type=int, default=8, help="tiles or images (%(default)s)")
    add("--interpolation", choices=("linear", "inverted"), help="default: as in the weights")
    add("--num-heads", type=int, help="heads of the attention, if a file does not show them")
    add("--device", help="cpu, cuda, cuda:1; default: a GPU if there is one")
    add("--amp", action="store_true", help="compute in bfloat16")
    add_quiet(parser)


def run(args: argparse.Namespace) -> None:
    """Load, compute, write."""
    from openstl_ext.api import load_encoder
    from openstl_ext.output_path import check_file
    from openstl_ext.prediction import feature_files as files

    check_file(
        args.out,
        option="--out",
        suffixes=[*files.MAP, *files.TABLES],
        sources=[*args.sources, Path(args.weights)],
    )
    is_map = args.out.suffix.lower() in files.MAP
    if is_map and (len(args.sources) > 1 or args.sources[0].is_dir()):
        raise ConfigError(
            f"--out {args.out} is a map of one raster, but --input has several images; name one "
            "raster, or a table such as features.npz"
        )
    if args.batch_size < 1:
        raise ConfigError(f"--batch-size is {args.batch_size}; it must be at least 1")
    if args.picture:
        taken = [*args.sources, Path(args.weights), args.out]
        check_file(args.picture, option="--picture", suffixes=[".png"], sources=taken)
    for name in ("components", "picture", "tile", "overlap"):
        if not is_map and getattr(args, name) is not None:
            raise ConfigError(f"--{name} is for a map; remove it, or use --out features.tif")
    if is_map and args.band_folders:
        raise ConfigError("--band-folders is for a table; use --out features.npz")
    images = {} if is_map else files.images_in(args.sources, by_band=args.band_folders)
    stated = {"interpolation": args.interpolation, "num_heads": args.num_heads}
    net = {name: value for name, value in stated.items() if value is not None}
    if args.sensor.endswith(".json"):
        net["sensors"] = [args.sensor]
    encoder = load_encoder(args.weights, device=args.device, amp=args.amp, **net)
    if is_map:
        scene = encoder.scene(args.sources[0], args.sensor, args.bands)
        options = {name: getattr(args, name) for name in ("components", "tile", "overlap")}
        line = files.write_feature_map(
            encoder, scene, args.out, batch_size=args.batch_size, **options
        )
    else:
        found = encoder.embeddings(
            images.values(), args.sensor, bands=args.bands, batch_size=args.batch_size
        )
        line = files.write_table(args.out, list(images), found)
    cli.print_line(line)
    if args.picture:
        draw(scene, args.out, args.picture)
        cli.print_line(f"drawn in {args.picture}")


def draw(scene: "PatchScene", features: Path, out: Path) -> None:
    """Draw a raster beside the principal components of its map of features."""
    import numpy as np

    from openstl_ext.atomic_io import atomic_write
    from openstl_ext.prediction.feature_files import map_overview
    from openstl_ext.visualization.embedding_map import draw_embedding
    from openstl_ext.visualization.reconstruction import band_groups

    groups = band_groups([band.band for band in scene.sensor.bands])
    name, channels = next(iter(groups.items()))
    name = name if len(channels) > 1 else scene.sensor.bands[channels[0]].name
    image = scene.overview(IMAGE)[list(channels)]
    low, high = np.nanpercentile(image, (2, 98), axis=(1, 2), keepdims=True)
    image = np.clip((image - low) / np.maximum(high - low, 1e-6), 0, 1)
    image = np.moveaxis(np.broadcast_to(image, (3, *image.shape[1:])), 0, -1)
    title = f"{scene.path.name}: {name} of {scene.sensor.name}, and its features"
    found, shares = map_overview(features, FEATURES)
    atomic_write(out, draw_embedding(image, found, title=title, shares=shares).png())
