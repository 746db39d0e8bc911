from collections import deque

from newton_core.training.spikes import SPIKE_WINDOW, spike


def test_after_gradients_of_zero_nothing_is_a_spike_until_ten_tell_what_is_usual() -> None:
    recent = deque[float](maxlen=SPIKE_WINDOW)
    assert [spike(norm, recent) for norm in (*[0.0] * 15, 1e-9)] == [None] * 16
    assert [spike(norm, recent) for norm in [0.0, 0.1] * 10] == [None] * 20
    assert spike(2.0, recent) == (2.0, 0.1)
    assert spike(0.9, recent) is None
