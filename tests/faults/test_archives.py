"""Data from elsewhere: archives and files that are made to harm, and files that are merely broken."""

from __future__ import annotations

import contextlib
import dataclasses
import gzip
import hashlib
import io
import os
import pickle
import random
import shutil
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torchvision.datasets
from hypothesis import strategies as st
from properties import for_each, hostile, told
from torchvision.datasets import utils as vision

from autoencoders import data
from autoencoders.data import download, readers, sources
from autoencoders.errors import InputError
from autoencoders.specs import Data

Tried = Callable[[int], None]


@pytest.fixture
def place(no_data: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The data folder of a machine that reaches some server; all that surrounds it is watched."""
    monkeypatch.setattr(download, "_reach", lambda url: None)
    no_data.mkdir()
    return no_data


def serve(monkeypatch: pytest.MonkeyPatch, archive: bytes, gigabytes: float = 0.4) -> None:
    """CIFAR-10's server sends this, and its MD5 isn't looked at: what is left to protect us is how it is unpacked."""

    def download(root: Path) -> None:
        (root / "archive.tar.gz").write_bytes(archive)
        vision.extract_archive(str(root / "archive.tar.gz"))

    source = dataclasses.replace(sources.CIFAR10, download=download, gigabytes=gigabytes)
    monkeypatch.setitem(data.SOURCES, "cifar10", source)


def refused(place: Path) -> str:
    """What is said about the download, which leaves nothing behind."""
    with pytest.raises(data.UnavailableError) as refusal:
        data.obtain("cifar10")
    assert len(str(refusal.value).splitlines()) == 1
    assert surroundings(place) == {"data", "data/.lock"}
    return refusal.value.cause


def surroundings(place: Path) -> set[str]:
    return {path.relative_to(place.parent).as_posix() for path in place.parent.rglob("*")}


def packed(*members: tarfile.TarInfo) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for member in members:
            archive.addfile(member, io.BytesIO(bytes(member.size)))
    return buffer.getvalue()


def member(name: str, kind: bytes = tarfile.REGTYPE, link: str = "", size: int = 4) -> tarfile.TarInfo:
    found = tarfile.TarInfo(name)
    found.type, found.linkname, found.size = kind, link, size if kind == tarfile.REGTYPE else 0
    return found


# ── Archives ─────────────────────────────────────────────────────────────────────────────────────────────────────────

ESCAPES = "An archive unpacks below its own folder or not at all, whatever its members are called and linked to."
HARMFUL = {
    "parent": [member("../harm")],
    "deep parent": [member("cifar-10-batches-py/../../../harm")],
    "symbolic link": [member("link", tarfile.SYMTYPE, "../..")],
    "absolute symbolic link": [member("link", tarfile.SYMTYPE, "/etc")],
    "through a link": [member("link", tarfile.SYMTYPE, "../.."), member("link/harm")],
    "hard link": [member("link", tarfile.LNKTYPE, "../../harm")],
    "absolute hard link": [member("link", tarfile.LNKTYPE, "/etc/hostname")],
    "character device": [member("device", tarfile.CHRTYPE)],
    "block device": [member("device", tarfile.BLKTYPE)],
    "pipe": [member("pipe", tarfile.FIFOTYPE)],
}


@pytest.mark.parametrize("members", HARMFUL.values(), ids=HARMFUL)
@pytest.mark.promise(ESCAPES)
def test_archive_whose_members_reach_outside_is_refused(
    place: Path, monkeypatch: pytest.MonkeyPatch, members: list[tarfile.TarInfo]
) -> None:
    serve(monkeypatch, packed(*members))
    assert refused(place)


@pytest.mark.promise(ESCAPES)
def test_archive_unpacks_absolute_names_below_its_folder(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As `tar` itself does it."""
    outside = place.parent / "harm"
    serve(monkeypatch, packed(member(str(outside))))
    refused(place)
    assert not outside.exists()


@pytest.mark.promise(ESCAPES)
def test_archive_with_any_names_stays_in_its_folder(place: Path, tried: Tried) -> None:
    kinds = st.sampled_from((tarfile.REGTYPE, tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.DIRTYPE))
    names = hostile | st.sampled_from(("a", "a/b", "..", "../x", "a/../../x", "/x", ".", "link", "link/x"))
    archive, inside = place / "a.tar.gz", place / "unpacked"

    def check(members: list[tuple[str, bytes, str]]) -> None:
        archive.write_bytes(packed(*(member(*each) for each in members)))
        inside.mkdir()
        with contextlib.suppress(*TOLD), download._careful_unpacking(10**6):
            vision.extract_archive(str(archive), str(inside))
        for path in inside.rglob("*"):
            assert Path(os.path.realpath(path)).is_relative_to(inside)
        shutil.rmtree(inside)
        assert surroundings(place) == {"data", "data/a.tar.gz"}

    tried(for_each(st.lists(st.tuples(names, kinds, names), min_size=1, max_size=3), check, 1000))


TOLD = (OSError, RuntimeError, tarfile.TarError, EOFError, ValueError, KeyError)  # a link to itself even recurses
SIZES = "What is downloaded or unpacked takes no more space than the data set may."


@pytest.mark.promise(SIZES)
def test_archive_that_claims_too_much_is_refused(place: Path, monkeypatch: pytest.MonkeyPatch, tried: Tried) -> None:
    """In one huge member, of which nothing needs to follow, or in many small ones."""
    huge = tarfile.TarInfo("cifar-10-batches-py/data_batch_1")
    huge.size = 10 * 2**30
    small = packed(*(member(f"a{number}", size=1000) for number in range(300)))
    for archive, gigabytes in ((gzip.compress(huge.tobuf(tarfile.GNU_FORMAT)), 0.4), (small, 1e-4)):
        serve(monkeypatch, archive, gigabytes)
        assert refused(place) == f"[Errno 27] the archive holds more than {gigabytes:g} GB"
    tried(2)


@pytest.mark.skipif(os.name != "posix", reason="limits of a process are POSIX's")
@pytest.mark.promise(SIZES)
def test_server_that_sends_too_much_is_cut_off(place: Path, monkeypatch: pytest.MonkeyPatch, tried: Tried) -> None:
    import resource

    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    for size in (1_001, 5_000, 1_000_000):
        serve(monkeypatch, b"x" * size, gigabytes=1e-6)
        assert "File too large" in refused(place)
    serve(monkeypatch, b"x" * 1_000, gigabytes=1e-6)
    assert "File too large" not in refused(place)
    assert resource.getrlimit(resource.RLIMIT_FSIZE) == before
    tried(4)


@pytest.mark.promise("A download that isn't the official file, bit for bit, is not unpacked.")
def test_download_with_a_wrong_checksum_is_not_unpacked(
    place: Path, monkeypatch: pytest.MonkeyPatch, tried: Tried
) -> None:
    """Each data set that is downloaded, as torchvision really fetches them; only the wire is ours."""
    sent: list[str] = []

    def send(url: str, filename: str, *_: Any) -> None:
        sent.append(url)
        Path(filename).write_bytes(packed(member("cifar-10-batches-py/data_batch_1")))

    monkeypatch.setattr(vision, "_urlretrieve", send)
    monkeypatch.setattr(vision, "_get_redirect_url", lambda url, max_hops: url)
    for module in (torchvision.datasets.utils, torchvision.datasets.mnist, torchvision.datasets.voc):
        for name in ("extract_archive", "_extract_tar"):
            if hasattr(module, name):
                monkeypatch.setattr(module, name, lambda *_: pytest.fail("it was unpacked"))
    for name in ("cifar10", "mnist", "stl10", "voc2007", "cifar100", "svhn", "fashion-mnist"):
        monkeypatch.setitem(data.SOURCES, name, dataclasses.replace(data.SOURCES[name], gigabytes=0.001))  # type: ignore[arg-type]
        with pytest.raises(data.UnavailableError, match=r"(?i)corrupted|md5|Error downloading"):
            data.obtain(name)
        assert surroundings(place) == {"data", "data/.lock"}
    assert len(sent) >= 4
    tried(len(sent))


@pytest.mark.promise("A download that breaks off leaves nothing behind that looks like data.")
def test_archive_that_is_torn_is_no_data(
    place: Path, monkeypatch: pytest.MonkeyPatch, thorough: bool, tried: Tried
) -> None:
    files = dict.fromkeys(sources.CIFAR10.files, bytes(4))
    whole = packed(
        *(member(f"{sources.CIFAR10.folder}/{name}") for name in files), member(sources.CIFAR10.folder, tarfile.DIRTYPE)
    )
    points = range(len(whole) - 9) if thorough else random.Random(0).sample(range(len(whole) - 9), 12)
    complete = 0
    for cut in (*points, len(whole)):
        serve(monkeypatch, whole[:cut])
        if told(lambda: data.obtain("cifar10"), data.UnavailableError)[1]:
            assert surroundings(place) == {"data", "data/.lock"}
            continue
        complete += 1  # what was torn off came after the last file
        assert {path.name: path.read_bytes() for path in (place / sources.CIFAR10.folder).iterdir()} == files
        shutil.rmtree(place / sources.CIFAR10.folder)
    assert complete < len(points) / 2
    tried(len(points))


# ── Files of a data set ──────────────────────────────────────────────────────────────────────────────────────────────


class Harm:
    """What a pickle can do to whoever loads it."""

    def __init__(self, canary: Path) -> None:
        self.canary = canary

    def __reduce__(self) -> Any:
        return Path.touch, (self.canary,)


@pytest.fixture
def cifar(tmp_path: Path) -> Path:
    """A folder that looks like CIFAR-10, with the official names."""
    folder = tmp_path / "somewhere" / sources.CIFAR10.folder
    folder.mkdir(parents=True)
    for name in sources.CIFAR10.files:
        (folder / name).write_bytes(pickle.dumps({"data": b"", "labels": []}))
    return folder.parent


@pytest.mark.promise("CIFAR-10's pickles are opened only if they are the official ones, byte for byte.")
def test_pickle_that_was_planted_is_never_opened(
    cifar: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tried: Tried
) -> None:
    canary = tmp_path / "canary"
    pickle.loads(pickle.dumps(Harm(canary)))
    assert canary.exists(), "it would do harm"
    canary.unlink()
    monkeypatch.setattr(pickle, "load", lambda *_, **__: pytest.fail("it was opened"))
    for name in sources.CIFAR10.files:
        for other in sources.CIFAR10.files:
            (cifar / sources.CIFAR10.folder / other).write_bytes(pickle.dumps(Harm(canary)))
        assert data.choose("cifar10", True, cifar).root == cifar
        data.fingerprint("cifar10", cifar)
        with pytest.raises(InputError, match=r"is truncated or altered: its MD5 is \w+, expected \w+"):
            data.load(Data(), cifar)
        assert not canary.exists(), name
    tried(len(sources.CIFAR10.files))


@pytest.mark.promise("CIFAR-10's pickles are opened only if they are the official ones, byte for byte.")
def test_pickle_that_was_planted_is_not_opened_by_torchvision(cifar: Path, tmp_path: Path) -> None:
    """A file that is exchanged after our look at it meets a second one."""
    for name in sources.CIFAR10.files:
        (cifar / sources.CIFAR10.folder / name).write_bytes(pickle.dumps(Harm(tmp_path / "canary")))
    with pytest.raises(RuntimeError, match="corrupted"):
        readers.read_cifar10(cifar)
    assert not (tmp_path / "canary").exists()


@pytest.mark.promise("A damaged data file is one clear line that names it, whatever is wrong with it.")
def test_data_files_name_any_damage(cifar: Path, monkeypatch: pytest.MonkeyPatch, thorough: bool, tried: Tried) -> None:
    folder = cifar / sources.CIFAR10.folder
    sums = {name: hashlib.md5((folder / name).read_bytes()).hexdigest() for name in sources.CIFAR10.files}
    monkeypatch.setitem(data.SOURCES, "cifar10", dataclasses.replace(sources.CIFAR10, files=sums))
    cases = 0
    for name in sums:
        whole = (folder / name).read_bytes()
        damaged = [whole[:cut] for cut in range(len(whole))]
        damaged += [_flipped(whole, bit) for bit in range(8 * len(whole))]
        for content in damaged if thorough else random.Random(0).sample(damaged, 12):
            (folder / name).write_bytes(content)
            with pytest.raises(InputError, match=f"{name} is truncated or altered"):
                data.load(Data(), cifar)
            cases += 1
        (folder / name).write_bytes(whole)
    tried(cases)


def _flipped(content: bytes, bit: int) -> bytes:
    flipped = content[bit // 8] ^ 1 << bit % 8
    return content[: bit // 8] + bytes([flipped]) + content[bit // 8 + 1 :]


LAUGHS = "".join(f'<!ENTITY a{n + 1} "{f"&a{n};" * 10}">' for n in range(12))
BROKEN_ANNOTATIONS = {
    "no XML": "nothing",
    "torn": "<annotation><object>",
    "without an object": "<annotation/>",
    "entities": f'<!DOCTYPE x [<!ENTITY a0 "ha">{LAUGHS}]><annotation>&a12;</annotation>',
    "another file": '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/hostname">]><annotation>&a;</annotation>',
    "no number": "<annotation><object><bndbox><xmin>left</xmin></bndbox></object></annotation>",
}
SOUND = "<annotation><object><name>cat</name><bndbox><xmin>0</xmin><ymin>0</ymin><xmax>9</xmax><ymax>9</ymax></bndbox></object></annotation>"  # noqa: E501


def _picture(width: int, height: int, kind: str = "PNG") -> bytes:
    from PIL import Image

    buffer = io.BytesIO()
    Image.new("1" if kind == "PNG" else "RGB", (width, height)).save(buffer, kind)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("annotation", "picture"),
    [
        *((text, _picture(64, 64, "JPEG")) for text in BROKEN_ANNOTATIONS.values()),
        (SOUND, b""),
        (SOUND, b"nothing"),
        (SOUND, _picture(64, 64, "JPEG")[:-200]),
        (SOUND, _picture(20_000, 20_000)),  # 400 million pixels in 50 kB
    ],
    ids=[*BROKEN_ANNOTATIONS, "empty picture", "no picture", "torn picture", "a bomb of a picture"],
)
@pytest.mark.promise("A damaged data file is one clear line that names it, whatever is wrong with it.")
def test_photograph_or_annotation_that_is_broken_is_named(tmp_path: Path, annotation: str, picture: bytes) -> None:
    folder = tmp_path / sources.VOC2007.folder
    for sub in ("Annotations", "JPEGImages", "ImageSets/Main"):
        (folder / sub).mkdir(parents=True)
    (folder / "Annotations/1.xml").write_text(annotation)
    (folder / "JPEGImages/1.jpg").write_bytes(picture)
    for part in ("trainval", "test"):
        (folder / f"ImageSets/Main/{part}.txt").write_text("1")
    with pytest.raises(InputError, match="^voc2007 can't be read from .*: .") as refusal:
        data.load(Data(name="voc2007"), tmp_path)
    assert len(str(refusal.value).splitlines()) == 1
