#!/usr/bin/env bash
# The batch job of slurm_train.sh; call that one.
set -uo pipefail

python="$1" train="$2"
shift 2
arguments=("$@")
has() { # whether the user has given an option
    local word
    for word in "${arguments[@]}"; do [[ "$word" == "$1" || "$word" == "$1="* ]] && return 0; done
    return 1
}
has --resume || arguments+=(--resume auto)
((${SLURM_NTASKS:-1} == 1)) || arguments+=(--launcher slurm) # one process needs no port
[[ -z "${SLURM_ARRAY_TASK_ID:-}" ]] || has --seed || arguments+=(--seed "$SLURM_ARRAY_TASK_ID")

trap : TERM USR1 USR2 # at a preemption, wait until the training has saved
srun --kill-on-bad-exit=1 --cpus-per-task="${SLURM_CPUS_PER_TASK:-1}" \
    "$python" -u "$train" "${arguments[@]}"
status=$?

# 138 and 140: saved after SIGUSR1 or SIGUSR2, which Slurm sends before the time limit only
if ((status == 138 || status == 140)); then
    if ((${SLURM_RESTART_COUNT:-0} < ${MAX_RESTARTS:-100})); then
        scontrol requeue "$SLURM_JOB_ID"
    else
        echo "error: ${SLURM_RESTART_COUNT} restarts; submit the job again to continue" >&2
    fi
fi
exit "$status"
