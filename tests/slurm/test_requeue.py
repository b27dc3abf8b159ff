"""Trainings on a Slurm of one node: preempted, queued again, and equal to the uninterrupted run."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from openstl_ext.engine import checkpoint
from tests.commands.conftest import RECIPE, ROOT
from tests.slurm.cluster import Cluster, missing

pytestmark = [
    pytest.mark.slurm,
    pytest.mark.timeout(600),
    pytest.mark.skipif(bool(missing()), reason=missing()),
]
EPOCHS = 40


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with Cluster(tmp_path_factory.mktemp("slurm")) as found:
        yield found


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with data and a config, in which jobs are submitted."""
    from openstl_ext.datasets.boiling.dataset import Boiling

    folder = tmp_path_factory.mktemp("a place")
    (folder / "data").mkdir()
    Boiling.make_toy(folder / "data")
    text = RECIPE.replace("max_epochs=2", f"max_epochs={EPOCHS}")
    (folder / "toy.py").write_text(text)
    return folder


@pytest.fixture(scope="module")
def reference(cluster: Cluster, place: Path) -> dict:
    """The last checkpoint of a job that was not interrupted."""
    job = submit(cluster, place, "--work-dir", "whole")
    cluster.wait("end of the job", lambda: cluster.state(job) == "COMPLETED", 200)
    return final(place / "whole")


def await_requeue(cluster: Cluster, job: str) -> None:
    """Wait until a job is queued again, and spare it the two minutes that Slurm lets it wait."""
    cluster.wait("requeue", lambda: cluster.facts(job).get("Restarts") == "1", 90)
    cluster.wait("queued job", lambda: cluster.state(job) != "COMPLETING")
    cluster.run("scontrol", "update", f"JobId={job}", "StartTime=now")


def submit(
    cluster: Cluster, place: Path, *arguments: str, options: tuple[str, ...] = (), **environ: str
) -> str:
    """Submit a training to the partition that may be preempted; return the number of the job."""
    script = str(ROOT / "tools" / "slurm_train.sh")
    environ = {"CPUS_PER_TASK": "1", "OMP_NUM_THREADS": "1", **environ}
    call = ["bash", script, *options, "low", "toy", "toy.py", *arguments]
    printed = cluster.run(*call, cwd=place, **environ)
    assert printed.startswith("Submitted batch job "), printed
    return printed.split()[-1]


def final(work_dir: Path) -> dict:
    """Return weights and optimiser at the end of a training."""
    path, state = checkpoint.newest(work_dir, pytest.fail)
    assert path.name == f"epoch_{EPOCHS}.pth"
    return {"weights": state["state_dict"], "optimizer": state["optimizer"]}


def epochs_done(work_dir: Path) -> int:
    return max((entry.epoch for entry in checkpoint.read_manifest(work_dir)), default=0)


def output_of(place: Path, job: str) -> str:
    return (place / f"slurm-{job}.out").read_text()


def assert_same(mine: object, other: object) -> None:
    """Assert equality to the last bit."""
    if isinstance(mine, dict) and isinstance(other, dict):
        assert mine.keys() == other.keys()
        for key in mine:
            assert_same(mine[key], other[key])
    elif isinstance(mine, list) and isinstance(other, list):
        for pair in zip(mine, other, strict=True):
            assert_same(*pair)
    else:
        assert bool((mine == other).all()) if hasattr(mine, "all") else mine == other


def test_a_preempted_job_is_queued_again_and_continues_exactly(
    cluster: Cluster, place: Path, reference: dict
) -> None:
    """A preempted job would lose its work, or its model would differ from that of another."""
    job = submit(cluster, place, "--work-dir", "preempted", "--test")
    cluster.wait("third epoch", lambda: epochs_done(place / "preempted") >= 3)
    other = ["--partition=high", "--exclusive", "--output=other.out", "--wrap=sleep 3"]
    cluster.run("sbatch", *other, cwd=place)
    await_requeue(cluster, job)
    cluster.wait("end of the job", lambda: cluster.state(job) == "COMPLETED", 300)
    printed = output_of(place, job)
    assert "signal 15 (SIGTERM): saved after" in printed
    assert printed.count("resumed from") == 1
    assert_same(final(place / "preempted"), reference)
    assert (place / "preempted" / "result.json").is_file()


def test_a_job_near_its_time_limit_queues_itself_again(
    cluster: Cluster, place: Path, reference: dict
) -> None:
    """A training longer than the limit of a queue would need a person each night."""
    job = submit(cluster, place, "--work-dir", "limited", options=("--time=10",))
    cluster.wait("third epoch", lambda: epochs_done(place / "limited") >= 3)
    # what Slurm sends two minutes before the limit, to the training and not to the script
    cluster.run("scancel", "--signal=USR1", f"{job}.0")
    await_requeue(cluster, job)
    cluster.wait("end of the job", lambda: cluster.state(job) == "COMPLETED", 300)
    assert "signal 10 (SIGUSR1): saved after" in output_of(place, job)
    assert_same(final(place / "limited"), reference)


def test_an_array_trains_one_seed_a_task(cluster: Cluster, place: Path) -> None:
    """All tasks of an array would train seed 0, or write to one folder."""
    short = ("--cfg-options", "train_cfg.max_epochs=1")
    job = submit(cluster, place, *short, options=("--array=0-1",))
    tasks = [f"{job}_{seed}" for seed in (0, 1)]
    cluster.wait("ends", lambda: all(cluster.state(task) == "COMPLETED" for task in tasks), 200)
    found = [path.parent for path in place.glob("work_dirs/**/checkpoints")]
    assert sorted(path.name for path in found) == ["seed_0", "seed_1"]


def test_a_mistake_ends_a_job_without_a_requeue(cluster: Cluster, place: Path) -> None:
    """A typo would be queued again for ever."""
    job = submit(cluster, place, "--cfg-options", "sed=1")
    cluster.wait("end of the job", lambda: cluster.state(job) == "FAILED", 120)
    facts = cluster.facts(job)
    assert (facts["ExitCode"], facts["Restarts"]) == ("2:0", "0")
    assert "did you mean 'seed'" in output_of(place, job)


def test_two_tasks_train_together(cluster: Cluster, place: Path) -> None:
    """Ranks of a cluster without gres would not find each other."""
    short = ("--cfg-options", "train_cfg.max_epochs=2")
    job = submit(cluster, place, "--work-dir", "two", *short, GPUS="2")
    cluster.wait("end of the job", lambda: cluster.state(job) == "COMPLETED", 200)
    assert "on CPU, 2 processes" in output_of(place, job)
    assert epochs_done(place / "two") == 2
