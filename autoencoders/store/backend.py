"""How joblib keeps artifacts: a store backend of one entry, with digests instead of pickles.

Caching goes through joblib.Memory, as was asked for; left to itself it would name entries by a hash of pickled
arguments, which may change with joblib, and wipe all of them when the cached function's own source changes. So each
entry has a Memory of its own, whose location is the entry's folder; the key in the folder's name already says what the
entry depends on, code included.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

import joblib
from joblib._store_backends import StoreBackendBase

from autoencoders.store import entries
from autoencoders.store.entries import Artifact, Record

Entry = tuple[Artifact, Record]


def cached(folder: Path, key: str, code: str, compute: Callable[[], Entry], *, mapped: bool = False) -> Entry:
    """The entry in this folder, or else what `compute` makes, which is then written there."""
    memory = joblib.Memory(folder, backend=_NAME, mmap_mode="c" if mapped else None, verbose=0)
    memorized = memory.cache(_entry, ignore=["compute"])
    memory.store_backend.function_code = memorized.func_code_info[0]
    return memorized(key, code, compute)


def _entry(key: str, code: str, compute: Callable[[], Entry]) -> Entry:
    return compute()


class EntryBackend(StoreBackendBase):
    """What joblib.Memory asks of a backend, for the one entry at its location; `call_id` is joblib's name for it."""

    function_code = ""
    found: Entry | None = None

    def configure(self, location: str, verbose: int = 0, backend_options: Any = None) -> None:
        self.location, self.mapped = location, bool(backend_options["mmap_mode"])

    # The entry

    def contains_item(self, call_id: Any) -> bool:
        """Reads it at once, so that what was checked is what is handed out; damage is the caller's to deal with."""
        try:
            self.found = self._read()
        except entries.AbsentError:
            return False
        return True

    def load_item(self, call_id: Any, **_: Any) -> Entry:
        return self.found or self._read()  # what is mapped, joblib loads as soon as it is dumped

    def _read(self) -> Entry:
        return entries.read(Path(self.location), mapped=self.mapped)

    def dump_item(self, call_id: Any, item: Entry, **_: Any) -> None:
        entries.write(Path(self.location), *item)

    # The cached function: it never changes, so joblib must never find that it did

    def get_cached_func_code(self, call_id: Any) -> str:
        return self.function_code

    def get_cached_func_info(self, call_id: Any) -> dict[str, str]:
        return {"location": self.location}

    def store_cached_func_code(self, call_id: Any, func_code: str | None = None) -> None:
        pass

    # joblib's own notes about a call: the entry's record says more

    def get_metadata(self, call_id: Any) -> dict[str, Any]:
        return {}

    def store_metadata(self, call_id: Any, metadata: dict[str, Any]) -> None:
        pass

    # Whatever would touch files behind the store's back

    def _refuse(self, *_: Any) -> NoReturn:
        raise RuntimeError("entries are written, set aside and dropped by the store alone")

    _open_item = _item_exists = _move_item = create_location = clear_location = get_items = clear_item = _refuse
    clear_path = clear = enforce_store_limits = _refuse


_NAME = "autoencoders"
joblib.register_store_backend(_NAME, EntryBackend)
