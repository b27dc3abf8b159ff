#!/usr/bin/env bash
# Train under Slurm:
#   tools/slurm_train.sh PARTITION JOB_NAME CONFIG [ARGUMENTS of train.py ...]
# GPUS (8), GPUS_PER_NODE (8 at most) and CPUS_PER_TASK (5) in the environment; further options of
# srun in its own variables, such as SLURM_ACCOUNT.
set -euo pipefail

if (($# < 3)); then
    echo "usage: $0 PARTITION JOB_NAME CONFIG [ARGUMENTS of train.py ...]" >&2
    exit 2
fi
tools="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
python="$tools/../.venv/bin/python"
[[ -x "$python" ]] || python=python
gpus="${GPUS:-8}"
per_node="${GPUS_PER_NODE:-$((gpus < 8 ? gpus : 8))}"
partition="$1" job="$2"
shift 2
exec srun --partition="$partition" --job-name="$job" \
    --gres="gpu:$per_node" --ntasks="$gpus" --ntasks-per-node="$per_node" \
    --cpus-per-task="${CPUS_PER_TASK:-5}" --kill-on-bad-exit=1 \
    "${PYTHON:-$python}" -u "$tools/train.py" "$@" --launcher slurm
