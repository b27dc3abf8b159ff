"""Rules of the source tree: imports, sizes, names."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "openstl_ext"

# What each part may import of the package; a part that is not listed may import everything.
MAY_IMPORT = {
    "ops": {"ops", "errors"},
    "layers": {"layers", "ops", "errors"},
    "models": {
        *("models", "layers", "ops", "interfaces", "structures", "registry", "errors", "discovery"),
        *("value_types", "spectrum", "stream_patches"),
    },
    "losses": {"losses", "registry", "errors", "discovery", "value_types"},
    "methods": {
        *("methods", "structures", "interfaces", "statistics", "registry", "errors", "discovery"),
        *("value_types", "frame_rules", "stream_patches"),
    },
    "datasets": {
        *("datasets", "rasters", "statistics", "structures", "registry", "errors", "atomic_io"),
        *("discovery", "json_file", "folder_lock", "value_types"),
        *("text_file", "leftovers", "frame_rules", "spectrum", "frame_sources", "frame_record"),
        "progress_line",
        "loader_files",
    },
    "frame_sources": {
        *("frame_sources", "structures", "errors", "leftovers", "rasters"),
        "datasets",  # the formats of files
    },
    "frame_sinks": {
        *("frame_sinks", "frame_sources", "structures", "errors", "rasters", "atomic_io"),
    },
    "rasters": {"rasters", "errors", "atomic_io", "json_file", "leftovers"},
    "prediction": {
        *("prediction", "rasters", "structures", "registry", "errors", "atomic_io", "engine"),
        *("interfaces", "frame_rules", "leftovers"),
        "datasets",  # the formats of frames; the dataset class comes from the registry
        *("calibration", "postprocessing", "output_path", "visualization", "progress_line"),
        *("frame_sources", "frame_sinks"),
    },
    "statistics": {"errors", "atomic_io", "json_file"},
    "calibration": {"errors", "atomic_io", "json_file"},
    "metrics": {
        "metrics",
        "structures",
        "registry",
        "errors",
        "discovery",
        "score_name",
        "value_types",
    },
    "engine": {
        *("engine", "interfaces", "registry", "structures", "errors", "config", "atomic_io"),
        *("discovery", "json_file", "score_name", "folder_lock", "environment"),
        *("checkpoint_file", "weight_names", "value_types", "frame_rules", "progress_line"),
    },
    "hooks": {
        *("hooks", "structures", "interfaces", "registry", "errors", "discovery"),
        *("results", "profiling", "engine", "calibration", "atomic_io", "visualization"),
        *("postprocessing", "value_types", "json_file", "spectrum", "metrics"),
        *("progress_line", "progress_task"),
    },
    "interop": {
        *("interop", "registry", "errors", "models", "layers", "discovery"),
        *("checkpoint_file", "weight_names", "spectrum"),
    },
    "profiling": {
        *("profiling", "ops", "structures", "interfaces", "errors", "registry", "atomic_io"),
    },
    "results": {"results", "errors", "atomic_io", "json_file", "score_name", "text_file"},
    "comparison": {
        *("comparison", "results", "metrics", "registry", "structures", "errors", "score_name"),
    },
    "visualization": {"visualization", "results", "errors", "json_file", "leftovers"},
    "api": {
        *("arrays", "config", "engine", "errors", "interfaces", "methods", "metrics"),
        *("prediction", "registry", "encoder_weights"),
    },
    "encoder_weights": {
        *("checkpoint_file", "engine", "errors", "interfaces", "interop", "registry"),
        "weight_names",
    },
    "arrays": {"errors", "structures"},
    "checkpoint_file": {"errors"},
    "weight_names": {"errors"},
    "frame_rules": {"structures", "errors"},
    "json_file": {"errors", "text_file"},
    "frame_record": {"errors", "json_file"},
    "progress_line": {"progress_task"},
    "progress_task": set(),
    "text_file": {"errors"},
    "leftovers": {"errors"},
    "score_name": set(),
    "postprocessing": {"calibration", "errors"},
    "config": {"config", "errors", "value_types", "frame_record"},
    "flags": {"flags", "config", "registry", "errors", "value_types", "loader_files"},
    "loader_files": {"errors", "leftovers"},
    "discovery": set(),
    "environment": {"errors"},
    "folder_lock": {"errors"},
    "errors": set(),
    "atomic_io": {"errors"},
    "output_path": {"errors"},
    "registry": {"errors", "value_types"},
    "value_types": {"errors"},
    "structures": {"errors", "score_name"},
    "interfaces": {"structures", "errors"},
    "spectrum": {"errors", "json_file"},
    "stream_patches": {"errors", "spectrum"},
}
# Parts that must import fast: the leaderboard needs neither torch nor mmengine.
NEVER = {
    "results": {"torch", "mmengine"},
    "visualization": {"torch", "mmengine"},
    "errors": {"torch", "mmengine", "numpy"},
    "json_file": {"torch", "mmengine", "numpy"},
    "folder_lock": {"torch", "mmengine", "numpy"},
    "frame_record": {"torch", "mmengine", "numpy"},
    "environment": {"torch", "mmengine", "numpy"},
    "progress_line": {"torch", "mmengine", "numpy"},
    "progress_task": {"torch", "mmengine", "numpy"},
    "launch": {"mmengine", "numpy"},
    "config": {"torch"},
    "rasters": {"torch", "mmengine"},
    "statistics": {"torch", "mmengine"},
    "calibration": {"torch", "mmengine"},
    "score_name": {"torch", "mmengine"},
    "spectrum": {"torch", "mmengine"},
    "value_types": {"torch", "mmengine"},
}
ANYWHERE = {"torchvision", "timm"}


def sources() -> list[Path]:
    return sorted(PACKAGE.rglob("*.py"))


def part_of(path: Path) -> str:
    """Return the folder or the module directly below the package."""
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imports(path: Path) -> Iterator[str]:
    """Yield the dotted names of all imports of a file, those inside functions included."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} has a relative import; write the full name"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


@pytest.mark.parametrize("path", sources(), ids=lambda p: str(p.relative_to(PACKAGE)))
def test_a_part_imports_only_allowed_parts(path: Path) -> None:
    """A method could special-case a model; the leaderboard would start slowly."""
    part = part_of(path)
    for name in imports(path):
        top, *rest = name.split(".")
        assert top not in ANYWHERE, f"{path} imports {top}, which has no CPU build everywhere"
        assert top not in {"tools", "tests", "configs", "benchmarks"}, f"{path} imports {top}"
        assert top not in NEVER.get(part, ()), f"{part} never imports {top}, but {path} does"
        if top == "openstl_ext" and rest and part in MAY_IMPORT and rest[0] != "__version__":
            allowed = MAY_IMPORT[part]
            assert rest[0] in allowed, f"{part} may import {sorted(allowed)}, not {name} ({path})"


@pytest.mark.parametrize("module", ["results.table", "visualization", "errors"])
def test_light_parts_do_not_import_torch_indirectly(module: str) -> None:
    """The leaderboard would start slowly because of an import of an import."""
    code = f"import sys, openstl_ext.{module}; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT).returncode == 0


def test_only_the_command_line_imports_commands() -> None:
    """A part that imports a command depends on arguments and printed text."""
    for path in sources():
        if part_of(path) not in ("cli", "commands"):
            assert not any(n.startswith("openstl_ext.commands") for n in imports(path)), path


def test_only_engine_and_hooks_import_the_runner() -> None:
    """A new release of mmengine would break code in several places."""
    for path in sources():
        if part_of(path) in ("engine", "hooks", "registry"):
            continue
        assert not any(n.startswith("mmengine.runner") for n in imports(path)), path


WRITING = {
    *("write_text", "write_bytes", "savez", "savez_compressed", "tofile", "savefig", "imsave"),
    *("imwrite", "VideoWriter", "print_png", "copyfile", "copyfileobj", "copy2", "memmap"),
    *("np.save", "save_array", "torch.save"),
}
"""Functions and methods that write a file, beside ``open``."""
WRITTEN_ELSEWHERE = {
    "atomic_io.py": "the atomic writers",
    "commands/templates/dataset.py": "code of a user, which writes a toy set",
    "datasets/bigearthnet/toy.py": "the files of atomic folders",
    "datasets/boiling/prepare.py": "an atomic folder",
    "datasets/dfc2020/dataset.py": "an atomic file",
    "datasets/download/extract.py": "the files of an atomic folder",
    "datasets/download/fetch.py": "a part that a later call continues; it is renamed at the end",
    "datasets/download/remote_file.py": "an atomic file",
    "datasets/formats/frame_cache.py": "an atomic file",
    "datasets/imported_frames/toy.py": "a folder of a test",
    "datasets/lts/convert.py": "an atomic path",
    "datasets/lts/patches.py": "an atomic file",
    "datasets/lts/split.py": "the files of atomic folders",
    "datasets/sickle/toy.py": "an atomic file",
    "datasets/synthetic/class_maps.py": "an atomic path",
    "datasets/synthetic/kth.py": "an atomic folder and an atomic path",
    "datasets/synthetic/landscape.py": "an atomic file",
    "datasets/synthetic/moving_mnist.py": "an atomic file",
    "datasets/synthetic/sensor_scenes.py": "atomic folders",
    "datasets/synthetic/taxibj.py": "an atomic file",
    "commands/convert.py": "an atomic file",
    "engine/best_checkpoint.py": "an atomic file, hashed",
    "engine/checkpoint.py": "an atomic file, hashed",
    "frame_sinks/arrays.py": "an atomic path and an atomic file",
    "frame_sinks/images.py": "the files of an atomic folder",
    "frame_sinks/video.py": "an atomic path",
    "hooks/predictions.py": "a folder that is renamed at the end of the test",
    "hooks/scene_labels.py": "a folder that is renamed at the end of the test",
    "prediction/destination.py": "an atomic folder",
    "prediction/feature_files.py": "an atomic file",
    "prediction/forecasting.py": "the files of an atomic folder",
    "profiling/memory.py": "a switch of Linux",
    "rasters/writer.py": "an atomic path",
    "results/kept_tallies.py": "an atomic file",
    "visualization/animation.py": "memory, and an atomic path",
    "visualization/chart.py": "memory",
    "visualization/page.py": "memory",
}
"""Files that call such a function, and to what they write."""


def writes(path: Path) -> bool:
    """Return whether a file of the sources calls a function that writes files."""
    for call in ast.walk(ast.parse(path.read_text())):
        if not isinstance(call, ast.Call):
            continue
        name = ast.unparse(call.func)
        last = name.rpartition(".")[2]
        inside = (node for argument in call.args for node in ast.walk(argument))
        words = {str(node.value) for node in inside if isinstance(node, ast.Constant)}
        if {name, last} & WRITING and not (last == "memmap" and "r" in words):
            return True
        if last == "open" and any(set("wax+") & set(w) and set(w) <= set("rwaxbt+") for w in words):
            return True
    return False


def test_only_listed_files_write_and_only_atomically() -> None:
    """A full disk would leave half a file under its final name."""
    found = {path.relative_to(PACKAGE).as_posix() for path in sources() if writes(path)}
    new, gone = found - set(WRITTEN_ELSEWHERE), set(WRITTEN_ELSEWHERE) - found
    assert not new, f"{new}: use openstl_ext.atomic_io, then list the file here"
    assert not gone, f"{gone} write nothing any more"


def test_files_are_small_and_have_specific_names() -> None:
    """Files would collect unrelated code."""
    for folder in (PACKAGE, ROOT / "tools", ROOT / "tests", ROOT / "benchmarks"):
        for path in folder.rglob("*.py"):
            assert path.stem not in {"utils", "util", "helpers", "helper", "common", "misc"}, path
            lines = len(path.read_text().splitlines())
            assert lines <= 400, f"{path} has {lines} lines; split it by idea"
            if folder.name == "tools":
                assert lines <= 60, f"{path} has {lines} lines; a tool parses and calls the package"


def test_sources_are_ascii_and_have_a_docstring() -> None:
    """A reader would not find out what a module is for."""
    for path in sources():
        text = path.read_text()
        assert text.isascii(), path
        assert ast.get_docstring(ast.parse(text)), f"{path} has no docstring"


def test_every_registered_class_is_abstract_or_final() -> None:
    """The behaviour of a class would depend on overridden methods in several files."""
    from openstl_ext.registry import DATASETS, LOSSES, METHODS, METRICS, MODELS

    for registry in (MODELS, METHODS, LOSSES, DATASETS, METRICS):
        registry.import_from_location()
        ours = {c for c in registry.module_dict.values() if c.__module__.startswith("openstl_ext")}
        for cls in ours:
            parents = ours.intersection(cls.__mro__[1:])
            assert not parents, f"{cls.__name__} extends the registered {parents}"


PARTS = ("teacher_forcing", "rollout", "sample_mixing", "probability_flow")
"""Modules of methods that several of them, or one registered elsewhere, are built of."""


def test_every_module_of_models_and_methods_registers_a_class() -> None:
    """A module of layers or functions would be in the wrong folder."""
    from openstl_ext.registry import METHODS, MODELS

    for registry, folder in ((MODELS, "models"), (METHODS, "methods")):
        registry.import_from_location()
        modules = {c.__module__ for c in registry.module_dict.values()}
        for path in (PACKAGE / folder).glob("*.py"):
            if path.stem in {"__init__", "base", *PARTS}:
                continue
            assert f"openstl_ext.{folder}.{path.stem}" in modules, f"{path} registers nothing"
