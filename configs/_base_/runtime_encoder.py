"""Runtime of tasks on an encoder: there are no baselines of single frames."""

_base_ = "runtime.py"

custom_hooks = [dict(type="ResultHook")]
