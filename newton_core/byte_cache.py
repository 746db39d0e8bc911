"""A cache that is bounded in bytes."""

from collections import OrderedDict
from collections.abc import Hashable
from typing import Any


class ByteCache:
    """Keeps values by key until they take too many bytes; the least recently used go first.

    Args:
        most_bytes: all that is kept takes at most so much; what is larger is not kept at all.
    """

    def __init__(self, most_bytes: int) -> None:
        self.most_bytes = most_bytes
        self.bytes = 0
        self._entries: OrderedDict[Hashable, tuple[object, int]] = OrderedDict()

    def get(self, key: Hashable) -> Any:
        """The value, which now counts as used, or None."""
        if key not in self._entries:
            return None
        self._entries.move_to_end(key)
        return self._entries[key][0]

    def put(self, key: Hashable, value: object, size: int) -> None:
        """Keeps a value of ``size`` bytes."""
        if key in self._entries:
            self.bytes -= self._entries.pop(key)[1]
        self._entries[key] = value, size
        self.bytes += size
        while self.bytes > self.most_bytes:
            _, (_, dropped) = self._entries.popitem(last=False)
            self.bytes -= dropped
