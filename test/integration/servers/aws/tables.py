"""Tables in memory, in the order in which DynamoDB would scan them.

Partitions are ordered by a hash of the partition key, items within one by the
sort key; a segment of a parallel scan is a part of the range of that hash.
"""

from __future__ import annotations

import bisect
import hashlib
import threading
from dataclasses import dataclass, field
from typing import Any

from aws.values import Item, Value, comparable, invalid, item_size, kind_of, plain, size_of, typed

HASH_SPACE = 1 << 64
MAX_ITEM = 400 * 1024


@dataclass(frozen=True)
class Keys:
    """The key attributes of a table or index, with their types."""

    hash: str
    range: str | None = None
    hash_type: str = "S"
    range_type: str = "S"

    @property
    def types(self) -> dict[str, str]:
        types = {self.hash: self.hash_type}
        return types if self.range is None else {**types, self.range: self.range_type}

    @property
    def schema(self) -> list[dict[str, str]]:
        kinds = zip(self.types, ("HASH", "RANGE"))
        return [{"AttributeName": name, "KeyType": kind} for name, kind in kinds]


@dataclass(frozen=True)
class Index:
    """A secondary index; an item without its key attributes is not in it."""

    name: str
    keys: Keys
    is_global: bool
    attributes: tuple[str, ...] | None = None  # None: all; else these beside the keys


@dataclass(frozen=True)
class Entry:
    """An item at its place in a view."""

    order: tuple[Any, ...]
    item: Item
    size: int


@dataclass
class Table:
    """A table.  Changes from Python and by requests take the same lock."""

    name: str
    keys: Keys
    arn: str
    page_bytes: int = 1_000_000
    status: str = "ACTIVE"
    indexes: dict[str, Index] = field(default_factory=dict)
    items: dict[tuple, Item] = field(default_factory=dict, repr=False)
    guard: Any = field(default_factory=threading.RLock)
    _views: dict[str | None, list[Entry]] = field(default_factory=dict, repr=False)

    # --- for tests: plain Python values ---

    def put(self, item: dict[str, Any]) -> None:
        """Stores an item as it is."""
        self.store({name: typed(value) for name, value in item.items()})

    def get(self, *key: Any) -> dict[str, Any] | None:
        """The item with this key, as Python values."""
        with self.guard:
            item = self.items.get(tuple(comparable(typed(part)) for part in key))
            return None if item is None else {name: plain(value) for name, value in item.items()}

    def change(self, *key: Any, **members: Any) -> None:
        """Sets attributes of an item behind everybody's back."""
        self.put({**(self.get(*key) or dict(zip(self.keys.types, key))), **members})

    def delete(self, *key: Any) -> None:
        with self.guard:
            self._replace(tuple(comparable(typed(part)) for part in key), None)

    def add_index(
        self, name: str, hash: str, range: str | None = None, range_type: str = "S", is_global: bool = True
    ) -> Index:  # noqa: A002 - DynamoDB names them so
        index = Index(name, Keys(hash, range, "S", range_type), is_global)
        self.indexes[name] = index
        self._views.clear()
        return index

    # --- for the service ---

    def store(self, item: Item) -> None:
        """Stores an item whose key and size are in order."""
        key = self.key_of(item)
        size = item_size(item)
        if size > MAX_ITEM:
            raise invalid("Item size has exceeded the maximum allowed size")
        for index in self.indexes.values():
            for name, kind in index.keys.types.items():
                if name in item and kind_of(item[name]) != kind:
                    raise invalid(
                        f"One or more parameter values were invalid: Type mismatch for Index Key {name} Expected: "
                        f"{kind} Actual: {kind_of(item[name])} IndexName: {index.name}"
                    )
        with self.guard:
            self._replace(key, item)

    def _replace(self, key: tuple, item: Item | None) -> None:
        """Puts an item in the place of another, in every view that was made already."""
        old = self.items.pop(key, None)
        if item is not None:
            self.items[key] = item
        for name, view in self._views.items():
            index = self.indexes[name] if name else None
            if old is not None and (entry := self._entry(old, index)) is not None:
                del view[bisect.bisect_left(view, entry.order, key=lambda entry: entry.order)]
            if item is not None and (entry := self._entry(item, index)) is not None:
                bisect.insort(view, entry, key=lambda entry: entry.order)

    def key_of(self, item: Item, exact: bool = False) -> tuple:
        """What an item is found by; `exact` refuses further attributes."""
        if exact and set(item) != set(self.keys.types):
            raise invalid("The provided key element does not match the schema")
        for name, kind in self.keys.types.items():
            if name not in item:
                raise invalid(f"One or more parameter values were invalid: Missing the key {name} in the item")
            if kind_of(item[name]) != kind:
                if exact:
                    raise invalid("The provided key element does not match the schema")
                raise invalid(
                    f"One or more parameter values were invalid: Type mismatch for key {name} expected: {kind} "
                    f"actual: {kind_of(item[name])}"
                )
            limit = 2048 if name == self.keys.hash else 1024
            if kind in ("S", "B") and not 0 < size_of(item[name]) <= limit:
                raise invalid(
                    f"One or more parameter values are not valid. The AttributeValue for a key attribute must be "
                    f"of 1 to {limit} bytes. Key: {name}"
                )
        return tuple(comparable(item[name]) for name in self.keys.types)

    def keys_of(self, index: Index | None) -> Keys:
        return self.keys if index is None else index.keys

    def position_names(self, index: Index | None) -> list[str]:
        """The attributes of a LastEvaluatedKey: the index's keys and the table's."""
        return list(dict.fromkeys([*self.keys_of(index).types, *self.keys.types]))

    def order_of(self, item: Item, index: Index | None) -> tuple[Any, ...]:
        """Where an item stands; every part sorts with its like."""
        keys = self.keys_of(index)
        names = [name for name in self.position_names(index) if name != keys.hash]
        hashed = comparable(item[keys.hash])
        return (hash_position(item[keys.hash]), hashed, *(comparable(item[name]) for name in names))

    def view(self, index: Index | None) -> list[Entry]:
        """All items of the table or index in their order."""
        name = index.name if index else None
        with self.guard:
            if name not in self._views:
                entries = (self._entry(item, index) for item in self.items.values())
                self._views[name] = sorted(filter(None, entries), key=lambda entry: entry.order)
            return list(self._views[name])

    def partition(self, index: Index | None, hash_value: Value) -> list[Entry]:
        """The items with this hash key, in the order of their range keys."""
        view, place = self.view(index), hash_position(hash_value)
        first, end = (bisect.bisect_left(view, (at,), key=lambda entry: entry.order) for at in (place, place + 1))
        return view[first:end]

    def _entry(self, item: Item, index: Index | None) -> Entry | None:
        """The item in a view, None when it is not there."""
        if index is None:
            return Entry(self.order_of(item, None), item, item_size(item))
        if not all(name in item for name in index.keys.types):
            return None
        kept = self.projected(item, index)
        return Entry(self.order_of(item, index), kept, item_size(kept))

    def projected(self, item: Item, index: Index) -> Item:
        """What an index holds of an item."""
        if index.attributes is None:
            return item
        names = {*self.position_names(index), *index.attributes}
        return {name: value for name, value in item.items() if name in names}

    def after(self, view: list[Entry], start: Item, index: Index | None) -> int:
        """The place behind a LastEvaluatedKey, whether or not that item still exists."""
        return bisect.bisect_right(view, self.order_of(start, index), key=lambda entry: entry.order)


def hash_position(value: Value) -> int:
    """A number below HASH_SPACE, spread evenly."""
    return int.from_bytes(hashlib.md5(repr(comparable(value)).encode()).digest()[:8], "big")


def segment_of(position: int, total: int) -> int:
    return position * total // HASH_SPACE
