"""Arguments reach Python as they were typed."""

import json
from pathlib import Path

import pytest

from tests.commands.conftest import Call

NASTY = (
    "with space",
    "it's",
    'say "x"',
    "$(touch gone)",
    "`touch gone`",
    "a;b",
    "*",
    "--x=1 2",
    "",
)


@pytest.fixture(scope="module")
def stub(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A stand-in for python that prints its arguments as JSON."""
    path = tmp_path_factory.mktemp("stub with space") / "python"
    path.write_text(
        '#!/bin/sh\nexec python3 -c "import json, sys; print(json.dumps(sys.argv[1:]))" "$@"\n'
    )
    path.chmod(0o755)
    return str(path)


@pytest.mark.parametrize("script", ["dist_train.sh", "dist_test.sh"])
def test_arguments_are_passed_unchanged(call: Call, place: Path, stub: str, script: str) -> None:
    """A quote in an argument would break the call, or run a command."""
    done = call(script, "4", "configs/toy.py", *NASTY, PYTHON=stub)
    assert done.returncode == 0, done.stderr
    module, name, processes, tool, *rest = json.loads(done.stdout)
    assert (module, name, processes) == ("-m", "openstl_ext.launch", "4")
    assert Path(tool).name == script.removeprefix("dist_").replace(".sh", ".py")
    assert rest == ["configs/toy.py", *NASTY, "--launcher", "pytorch"]
    assert not (place / "gone").exists()


def test_slurm_receives_the_requested_gpus_and_the_arguments(
    call: Call, stub: str, tmp_path: Path
) -> None:
    """A cluster job would request the wrong GPUs, or change its arguments."""
    (tmp_path / "srun").write_text(Path(stub).read_text())
    (tmp_path / "srun").chmod(0o755)
    path = f"{tmp_path}:/usr/bin:/bin"
    done = call("slurm_train.sh", "gpu", "a job", "configs/toy.py", *NASTY, PATH=path, GPUS="4")
    assert done.returncode == 0, done.stderr
    arguments = json.loads(done.stdout)
    assert {"--partition=gpu", "--job-name=a job", "--gres=gpu:4", "--ntasks=4"} <= set(arguments)
    start = next(i for i, word in enumerate(arguments) if word.endswith("train.py"))
    assert arguments[start + 1 :] == ["configs/toy.py", *NASTY, "--launcher", "slurm"]


@pytest.mark.parametrize("script", ["dist_train.sh", "dist_test.sh", "slurm_train.sh"])
def test_too_few_arguments_show_the_usage(call: Call, script: str) -> None:
    """A missing argument would end in an unbound variable."""
    done = call(script, "2")
    assert done.returncode == 2
    assert done.stderr.startswith("usage: ")
