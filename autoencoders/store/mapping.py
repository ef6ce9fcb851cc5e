"""Entries whose arrays stay on disk, memory-mapped: however many processes look at one, memory holds it once.

Written and checked as all entries are: one appears whole or not at all, and what isn't as it was written is damage.
"""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

from autoencoders.errors import StorageError
from autoencoders.store import entries
from autoencoders.store.entries import RECORD, Artifact, DamageError, Record
from autoencoders.store.files import storing


def write(folder: Path, artifact: Artifact, record: Record) -> None:
    """One file for each array. A disk that would be nearly full then is left to what can't be made again at once."""
    import numpy as np

    with entries.appearing(folder) as unfinished:
        if shutil.disk_usage(unfinished).free < 2 * sum(array.nbytes for array in artifact.arrays.values()):
            raise StorageError(f"cache: {folder}: too little space to keep {record['name']} there")
        for name, array in artifact.arrays.items():
            np.save(unfinished / f"{name}.npy", array, allow_pickle=False)
        files = {path.name: _digest(path) for path in unfinished.iterdir()}
        (unfinished / RECORD).write_bytes(entries.sealed(record | {"meta": artifact.meta, "files": files}))


def read(folder: Path) -> Artifact:
    """What was written, or AbsentError, or DamageError. Who writes to these arrays changes a copy of their own."""
    import numpy as np

    with storing(folder):
        record = entries.read_record(folder, {path.name for path in folder.glob("*.npy")})
        for name, expected in record["files"].items():
            if (found := _digest(folder / name)) != expected:
                raise DamageError(name, f"blake2b {expected!s:.12}", f"blake2b {found:.12}")
        try:
            arrays = {
                name.removesuffix(".npy"): np.load(folder / name, mmap_mode="c", allow_pickle=False)
                for name in record["files"]
            }
            return Artifact(arrays, record["meta"])
        except OSError:
            raise
        except Exception as error:  # whatever a decoder makes of what somebody else has sealed
            raise DamageError("content", "plain arrays", f"{type(error).__name__}: {error}") from error


def _digest(path: Path) -> str:
    """Read and not mapped: what this process never looks at takes no memory."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.blake2b(digest_size=32)).hexdigest()
