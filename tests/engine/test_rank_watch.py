from torch.distributed import HashStore

from openstl_ext.engine import rank_watch


def test_a_rank_has_reported_before_its_watch_runs() -> None:
    """A rank that is suspended within the first period would be waited for without an end."""
    store = HashStore()
    rank_watch.start_watch(store, rank=1, world_size=2, limit_seconds=3600)
    try:
        assert store.check(["rank 1"])
    finally:
        rank_watch.stop_watch()
