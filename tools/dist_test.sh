#!/usr/bin/env bash
# Test on several GPUs, or on a machine without them on as many CPU processes:
#   tools/dist_test.sh GPUS CONFIG [CHECKPOINT] [ARGUMENTS of test.py ...]
# Several nodes: NNODES, NODE_RANK, MASTER_ADDR, MASTER_PORT (or PORT) in the environment.
set -euo pipefail

if (($# < 2)); then
    echo "usage: $0 GPUS CONFIG [CHECKPOINT] [ARGUMENTS of test.py ...]" >&2
    exit 2
fi
tools="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
python="$tools/../.venv/bin/python"
[[ -x "$python" ]] || python=python
processes="$1"
shift
exec "${PYTHON:-$python}" -m openstl_ext.launch "$processes" "$tools/test.py" "$@" --launcher pytorch
