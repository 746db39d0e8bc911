from newton_core.byte_cache import ByteCache


def test_least_recently_used_go_first_once_bytes_run_out() -> None:
    cache = ByteCache(100)
    cache.put("a", 1, 40)
    cache.put("b", 2, 40)
    assert cache.get("a") == 1
    cache.put("c", 3, 40)
    assert (cache.get("a"), cache.get("b"), cache.get("c")) == (1, None, 3)
    assert cache.bytes == 80
    cache.put("a", 4, 10)
    assert (cache.get("a"), cache.bytes) == (4, 50)


def test_what_is_larger_than_the_cache_is_not_kept() -> None:
    cache = ByteCache(100)
    cache.put("a", 1, 101)
    assert (cache.get("a"), cache.bytes) == (None, 0)
