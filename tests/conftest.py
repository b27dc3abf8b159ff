"""Limits for two test processes on two cores: one thread each, without busy waiting."""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("GOMP_SPINCOUNT", "1000")
