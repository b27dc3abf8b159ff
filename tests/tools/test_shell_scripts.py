"""Arguments reach Python as they were typed."""

import json
import shutil
import subprocess
from collections.abc import Callable
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


@pytest.fixture
def slurm(tmp_path: Path) -> Callable[[str], str]:
    """Return a function that makes a path with stand-ins for the commands of Slurm."""

    def path(gres: str) -> str:
        printing = 'exec python3 -c "import json, sys; print(json.dumps(sys.argv[1:]))" "$@"'
        commands = {
            "sbatch": f"cat > '{tmp_path}/job'\n{printing}",
            "sinfo": f"echo '{gres}'",
            "srun": f"({printing}) > '{tmp_path}/srun.json'\nexit $SRUN_STATUS",
            "scontrol": f"echo \"$@\" > '{tmp_path}/scontrol.txt'",
        }
        for name, text in commands.items():
            (tmp_path / name).write_text(f"#!/usr/bin/env bash\n{text}\n")
            (tmp_path / name).chmod(0o755)
        return f"{tmp_path}:/usr/bin:/bin"

    return path


@pytest.mark.parametrize(
    ("gres", "environ", "expected"),
    [
        ("gpu:a100:8(S:0-1)", {}, {"--gres=gpu:8", "--ntasks=8", "--cpus-per-task=5"}),
        ("gpu:8", {"GPUS": "16"}, {"--gres=gpu:8", "--ntasks=16", "--ntasks-per-node=8"}),
        ("gpu:8", {"GPUS": "4", "GRES": "gpu:v100:4"}, {"--gres=gpu:v100:4", "--ntasks=4"}),
        ("gpu:8", {"GPUS": "4", "GRES": "none"}, {"--ntasks=4"}),
        ("(null)", {"CPUS_PER_TASK": "2"}, {"--ntasks=1", "--cpus-per-task=2"}),
        ("(null)", {"GPUS": "2"}, {"--ntasks=2", "--ntasks-per-node=2"}),
    ],
)
def test_slurm_is_asked_for_gpus_only_where_it_lists_them(
    gres: str,
    environ: dict[str, str],
    expected: set[str],
    call: Call,
    slurm: Callable[[str], str],
) -> None:
    """A cluster without gres refuses a job that requests one."""
    done = call("slurm_train.sh", "gpu", "a job", "configs/toy.py", PATH=slurm(gres), **environ)
    assert done.returncode == 0, done.stderr
    arguments = set(json.loads(done.stdout))
    expected |= {"--partition=gpu", "--job-name=a job", "--requeue", "--signal=USR1@120"}
    assert expected <= arguments
    asked = any(word.startswith("--gres") for word in arguments)
    assert asked == any(word.startswith("--gres") for word in expected)


@pytest.mark.parametrize(
    ("status", "restarts", "requeued"),
    [
        (0, 0, False),
        (2, 0, False),
        (143, 0, False),
        (138, 3, True),
        (140, 0, True),
        (138, 100, False),
    ],
)
def test_a_job_passes_its_arguments_and_queues_itself_again_after_a_signal(
    status: int,
    restarts: int,
    requeued: bool,
    call: Call,
    place: Path,
    slurm: Callable[[str], str],
    tmp_path: Path,
) -> None:
    """A cluster job would change its arguments, or a mistake would be queued again for ever."""
    path = slurm("(null)")
    given = ("--time=10", "--array=0-2", "low", "toy", "configs/toy.py", *NASTY)
    done = call("slurm_train.sh", *given, PATH=path)
    assert json.loads(done.stdout)[-2:] == ["--time=10", "--array=0-2"]
    environ = {
        "SLURM_JOB_ID": "7",
        "SLURM_RESTART_COUNT": str(restarts),
        "SRUN_STATUS": str(status),
    }
    environ |= {"SLURM_ARRAY_TASK_ID": "2", "PATH": path}
    done = subprocess.run(["bash", str(tmp_path / "job")], env=environ, cwd=place, check=False)
    assert done.returncode == status
    arguments = json.loads((tmp_path / "srun.json").read_text())
    start = next(i for i, word in enumerate(arguments) if word.endswith("train.py"))
    added = ["--resume", "auto", "--seed", "2"]
    assert arguments[start + 1 :] == ["configs/toy.py", *NASTY, *added]
    assert (tmp_path / "scontrol.txt").exists() == requeued
    assert not (place / "gone").exists()


def test_options_of_a_user_replace_those_that_a_job_adds(
    call: Call, place: Path, slurm: Callable[[str], str], tmp_path: Path
) -> None:
    """A seed of the user would be replaced by the number of the task."""
    path = slurm("(null)")
    chosen = ("--seed=5", "--resume", "a file.pth")
    assert call("slurm_train.sh", "low", "toy", "toy.py", *chosen, PATH=path).returncode == 0
    environ = {"SLURM_ARRAY_TASK_ID": "2", "SLURM_NTASKS": "4", "SRUN_STATUS": "0", "PATH": path}
    subprocess.run(["bash", str(tmp_path / "job")], env=environ, cwd=place, check=True)
    arguments = json.loads((tmp_path / "srun.json").read_text())
    assert arguments[-6:] == ["toy.py", *chosen, "--launcher", "slurm"]


def test_a_machine_without_slurm_is_told_what_to_use(call: Call, tmp_path: Path) -> None:
    """The message would be that of a shell, about a command that the user did not type."""
    for name in ("bash", "dirname"):
        (tmp_path / name).symlink_to(str(shutil.which(name)))
    done = call("slurm_train.sh", "low", "toy", "toy.py", PATH=str(tmp_path))
    assert done.returncode == 2
    assert "there is no sbatch here" in done.stderr


@pytest.mark.parametrize("script", ["dist_train.sh", "dist_test.sh", "slurm_train.sh"])
def test_too_few_arguments_show_the_usage(call: Call, script: str) -> None:
    """A missing argument would end in an unbound variable."""
    done = call(script, "2")
    assert done.returncode == 2
    assert done.stderr.startswith("usage: ")
