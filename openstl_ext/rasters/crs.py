"""Coordinate reference systems: parse names and WKT, and compare places."""

import json
import re
from functools import lru_cache
from typing import Any

import numpy as np

from openstl_ext.errors import DataError
from openstl_ext.rasters.opening import rasterio

WGS84 = "EPSG:4326"
CODE = re.compile(r"(EPSG|ESRI|OGC|IGNF|IAU_2015):(\w+(?:\+\d+)?)$", re.IGNORECASE)
URN = re.compile(r"urn:(?:x-)?ogc:def:crs:(\w+):[\w.]*:(\w+)$", re.IGNORECASE)
CRS84 = re.compile(r"(?:OGC:)?(?:CRS:?)?84$", re.IGNORECASE)
"""Longitude and latitude on WGS 84."""
GRIDS = re.compile(r'nadgrids=(?!@null)|geoidgrids=|PARAMETERFILE\["[^"]*[/\\:]|\+init=|pipeline')
"""Parts of WKT by which PROJ would open files that the text names."""
UNKNOWN = re.compile(r"unknown|unnamed|undefined|notspecified|basedon|^$")
SAME_PLACE = 1e-3
"""Distance of positions that are the same, in pixels."""


def named_crs(name: str, *, what: str) -> Any:
    """Return the CRS of an authority code or URN, such as ``EPSG:32633``.

    GDAL would open a path and fetch a URL, so other texts are refused.

    Args:
        name: The name.
        what: Where the name is from, for the message.

    Raises:
        DataError: If it is another text, or there is no such CRS.
    """
    text = str(name).strip()
    match = CODE.match(text) or URN.match(text)
    code = f"{match[1].upper()}:{match[2]}" if match else text
    if CRS84.match(code):
        code = WGS84
    elif match is None:
        raise DataError(
            f"{what} is {name!r}, expected an authority code such as EPSG:32633 or a URN such as "
            "urn:ogc:def:crs:EPSG::32633; give the code, for a region with --region-crs"
        )
    rio = rasterio()
    try:
        return _horizontal(rio.crs.CRS.from_user_input(code))
    except (rio.errors.CRSError, ValueError):
        raise DataError(f"{what} is the unknown CRS {name!r}; correct the code") from None


@lru_cache(maxsize=32)
def parsed_crs(wkt: str) -> Any:
    """Return the horizontal part of a CRS that a raster or ``stack.json`` has as WKT.

    Raises:
        DataError: If it is not WKT, or names files with grids.
    """
    rio = rasterio()
    if found := GRIDS.search(wkt):
        raise DataError(
            f"the CRS {shown(wkt)} names a file or an operation ({found[0]}), which is not read; "
            "assign a CRS with an authority code, for example with gdal_edit.py -a_srs"
        )
    try:
        return _horizontal(rio.crs.CRS.from_wkt(wkt))
    except rio.errors.CRSError as e:
        raise DataError(f"the CRS {shown(wkt)} is not WKT ({e}); correct it") from None


def _horizontal(crs: Any) -> Any:
    """Return a CRS without its vertical part."""
    described = crs.to_dict(projjson=True)
    if described.get("type") != "CompoundCRS":
        return crs
    return rasterio().crs.CRS.from_user_input(json.dumps(described["components"][0]))


def shown(wkt: str) -> str:
    """Return the name in WKT, for messages."""
    return (wkt.split('"')[1] if wkt.count('"') > 1 else wkt[:40]) or "no CRS"


def transformed(source: Any, target: Any, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Transform points; those outside the domain of a projection are NaN.

    Shape:
        - x, y: (N,).
        - returns: (2, N).
    """
    rio = rasterio()
    try:
        found = np.array(rio.warp.transform(source, target, x.tolist(), y.tolist()))
    except rio._err.CPLE_BaseError:  # raised for all points if one is outside the domain
        found = _partly_transformed(source, target, x, y)
    return np.where(np.isfinite(found), found, np.nan)


def _partly_transformed(source: Any, target: Any, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Transform points of which some are outside the domain of a projection.

    GDAL drops these from a line without reporting which, so the heights number the points.
    """
    rio = rasterio()
    found = np.full((2, len(x)), np.nan)
    points = np.stack([x, y, np.arange(len(x))], axis=1)
    line = {"type": "LineString", "coordinates": [*points.tolist(), points[-1].tolist()]}
    try:
        with rio.Env(OGR_ENABLE_PARTIAL_REPROJECTION=True):
            kept = np.array(rio.warp.transform_geom(source, target, line)["coordinates"])
    except (rio._err.CPLE_BaseError, SystemError):  # all points are outside the domain
        return found
    found[:, np.rint(kept[:, 2]).astype(int)] = kept[:, :2].T
    return found


@lru_cache(maxsize=32)
def full_turn(crs: Any) -> float | None:
    """Return the length of 360 degrees of longitude along x; None if x is not linear in it.

    A CRS of degrees and a cylindrical projection, such as Mercator, have one; the same place may
    have any multiple added to x.
    """
    described = crs.to_dict(projjson=True)
    described = described.get("source_crs", described)
    if crs.is_geographic:
        return float(360 * np.pi / 180 / crs.units_factor[1])
    if described.get("type") != "ProjectedCRS":
        return None
    base = rasterio().crs.CRS.from_user_input(json.dumps(described["base_crs"]))
    degrees = np.array([0.0, 10, 20, 0, 10, 20])
    unit = full_turn(base) or 360.0
    x, y = transformed(
        base, crs, degrees * unit / 360, np.array([0, 0, 0, 45, 45, 45]) * unit / 360
    )
    steps = np.concatenate([np.diff(x[:3]), np.diff(x[3:])])
    is_cylinder = np.allclose(steps, steps[0], rtol=1e-9) and np.allclose(y, y[[0, 0, 0, 3, 3, 3]])
    return float(abs(steps[0]) * 36) if is_cylinder and steps[0] else None


def crs_differences(one: str, other: str, x: np.ndarray, y: np.ndarray, pixel: float) -> list[str]:
    """Compare what two CRSs mean for places; heights and wording do not count.

    Args:
        one: WKT, empty for none.
        other: WKT of the other.
        x: Coordinates at which they are compared.
        y: The same.
        pixel: Size of a pixel.

    Returns:
        What differs, such as ``datum (NAD27, not WGS 84)``; empty if they mean the same places.
    """
    if one == other:
        return []
    if not one or not other:
        return [f"{shown(one)}, not {shown(other)}"]
    systems = parsed_crs(one), parsed_crs(other)
    if systems[0] == systems[1]:
        return []
    first, second = (_parts(system) for system in systems)
    found = [
        f"{name} ({value}, not {second.get(name)})"
        for name, value in first.items()
        if not _same_part(name, value, second.get(name))
    ]
    # projections have several names and parameters, so their positions are compared
    if all(text.startswith(("projection", "unit")) for text in found):
        moved = transformed(*systems, x, y)
        if np.isfinite(moved).all() and np.hypot(*(moved - [x, y])).max() < SAME_PLACE * pixel:
            return []
        found = found or [f"parameters of the projection ({shown(one)}, not {shown(other)})"]
    return found


def _parts(crs: Any) -> dict[str, Any]:
    """Return the parts of a CRS that decide places."""
    described = crs.to_dict(projjson=True)
    described = described.get("source_crs", described)
    base = described.get("base_crs", described)
    datum = base.get("datum") or base.get("datum_ensemble") or {}
    ellipsoid = datum.get("ellipsoid", {})
    meridian = datum.get("prime_meridian", {}).get("longitude", 0.0)
    axis = described.get("coordinate_system", {}).get("axis", [{}])[0].get("unit")
    return {
        "datum": datum.get("name", base.get("name", "")),
        "ellipsoid": ellipsoid.get("name", ""),
        "prime meridian": meridian if isinstance(meridian, float | int) else meridian["value"],
        "projection": described.get("conversion", {}).get("method", {}).get("name", "none"),
        "unit": axis if isinstance(axis, str) else (axis or {}).get("name"),
    }


def _same_part(name: str, one: Any, other: Any) -> bool:
    """Return whether two parts are equal, or a datum has no name of its own."""
    if one == other:
        return True
    plain = [_plain(str(value)) for value in (one, other)]
    return plain[0] == plain[1] or (name == "datum" and any(map(UNKNOWN.search, plain)))


def _plain(name: str) -> str:
    """Return a name without the spelling of an authority: D_WGS_1984 is WGS 1984."""
    letters = re.sub(r"[^a-z0-9]", "", re.sub(r"^D_|ensemble", "", name).lower())
    return letters.replace("worldgeodeticsystem", "wgs").replace("wgs84", "wgs1984")
