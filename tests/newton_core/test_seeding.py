import torch

from newton_core.seeding import derive_seed, generator


def test_a_seed_is_the_same_on_every_machine() -> None:
    """Pinned: runs that others recorded must stay reproducible."""
    assert derive_seed(0, "batch", 17) == 814_917_546_661_115_292
    assert derive_seed(2**31 - 1, "weights") == 4_187_589_272_333_492_896


def test_every_part_counts() -> None:
    seeds = {
        derive_seed(seed, purpose, step)
        for seed in range(10)
        for purpose in ("batch", "noise", "weights")
        for step in range(100)
    }
    assert len(seeds) == 3000
    assert all(0 <= seed < 2**63 for seed in seeds)


def test_seeds_and_steps_do_not_collide() -> None:
    """As seed + step would: run 1 must not see the batches of run 0, one step later."""
    assert derive_seed(0, "batch", 1) != derive_seed(1, "batch", 0)
    assert derive_seed(1, 12) != derive_seed(11, 2)


def test_a_generator_is_a_pure_function_of_its_parts() -> None:
    first, again = generator(3, "batch", 5), generator(3, "batch", 5)
    other = generator(3, "batch", 6)
    draw = torch.randn(8, generator=first)
    assert torch.equal(draw, torch.randn(8, generator=again))
    assert not torch.equal(draw, torch.randn(8, generator=other))
    assert first.device.type == "cpu"


def test_making_a_generator_leaves_the_global_one_alone() -> None:
    before = torch.get_rng_state()
    torch.randn(4, generator=generator(0, "noise"))
    assert torch.equal(torch.get_rng_state(), before)
