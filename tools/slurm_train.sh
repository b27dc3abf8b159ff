#!/usr/bin/env bash
# Submit a training to Slurm, which starts it, queues it again and continues it until it is finished:
#   tools/slurm_train.sh [OPTIONS of sbatch ...] PARTITION JOB_NAME CONFIG [ARGUMENTS of train.py ...]
# Options have the form --name=value, such as --time=8:00:00, --account=lab or --array=0-2; an array
# trains one seed a task. In the environment: GPUS, the number of processes (8; 1 where the partition
# lists no GPUs), GPUS_PER_NODE (8 at most), CPUS_PER_TASK (5), GRES (gpu:N; "none" requests none)
# and MAX_RESTARTS (100) at the time limit. See docs/slurm.md.
set -euo pipefail

options=()
while (($#)) && [[ "$1" == -* ]]; do
    options+=("$1")
    shift
done
if (($# < 3)); then
    echo "usage: $0 [--OPTION=VALUE of sbatch ...] PARTITION JOB_NAME CONFIG [ARGUMENTS of train.py ...]" >&2
    exit 2
fi
if ! command -v sbatch >/dev/null; then
    echo "error: there is no sbatch here; call this on a login node of a Slurm cluster, or use tools/dist_train.sh" >&2
    exit 2
fi
tools="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
python="$tools/../.venv/bin/python"
[[ -x "$python" ]] || python=python
partition="$1" job="$2"
shift 2

# clusters that give whole nodes, or have no GPUs, know no gres and refuse a job that requests one
listed="$(sinfo --noheader --partition="$partition" --format=%G)"
[[ "$listed" == *gpu* ]] && gpus="${GPUS:-8}" || gpus="${GPUS:-1}"
per_node="${GPUS_PER_NODE:-$((gpus < 8 ? gpus : 8))}"
[[ "$listed" == *gpu* ]] && gres="${GRES:-gpu:$per_node}" || gres="${GRES:-none}"
[[ "$gres" == none ]] || options=(--gres="$gres" "${options[@]}")

# the signal goes to the training, which saves and ends, two minutes before the time limit
exec sbatch --partition="$partition" --job-name="$job" \
    --ntasks="$gpus" --ntasks-per-node="$per_node" --cpus-per-task="${CPUS_PER_TASK:-5}" \
    --requeue --open-mode=append --signal=USR1@120 "${options[@]}" <<END
#!/usr/bin/env bash
exec bash $(printf '%q ' "$tools/slurm_job.sh" "${PYTHON:-$python}" "$tools/train.py" "$@")
END
