#!/usr/bin/env bash
# Train on several GPUs, or on a machine without them on as many CPU processes:
#   tools/dist_train.sh GPUS CONFIG [ARGUMENTS of train.py ...]
# Several nodes: NNODES, NODE_RANK, MASTER_ADDR, MASTER_PORT (or PORT) in the environment.
set -euo pipefail

if (($# < 2)); then
    echo "usage: $0 GPUS CONFIG [ARGUMENTS of train.py ...]" >&2
    exit 2
fi
tools="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
python="$tools/../.venv/bin/python"
[[ -x "$python" ]] || python=python
processes="$1"
shift
exec "${PYTHON:-$python}" -m openstl_ext.launch "$processes" "$tools/train.py" "$@" --launcher pytorch
