"""A data set's name becomes uint8 images with labels, class names, a split and a fingerprint.

Finding, checking and fingerprinting need no torch; it is imported where images are read or downloaded. Each reader is
a plain function that reaches no other data set's code, so that editing one of them leaves the others' results alone.
"""

from __future__ import annotations

import contextlib
import errno
import functools
import hashlib
import http.client
import importlib.util
import json
import os
import shutil
import socket
import sys
import tarfile
import tempfile
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from autoencoders import config
from autoencoders.errors import InputError

if TYPE_CHECKING:
    import numpy as np
    import torch

DATA = Path(__file__).resolve().parents[1] / "data"
PATIENCE = 5.0  # seconds that a server gets to answer: a dead network should say so before anyone wonders


class UnavailableError(InputError):
    """The data set is neither here nor to be had: the one failure for which a stand-in may step in."""

    def __init__(self, message: str, cause: str) -> None:
        super().__init__(message)
        self.cause = cause


@dataclass(frozen=True, eq=False)
class Split:
    """Images and their classes."""

    images: torch.Tensor  # uint8 [N, C, H, W]
    labels: torch.Tensor  # int64 [N]

    def __len__(self) -> int:
        return len(self.labels)


@dataclass(frozen=True, eq=False)
class Raw:
    """What the files hold, before anything is set aside for validation."""

    train: Split
    test: Split
    classes: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Dataset:
    """What an experiment works with; its three splits share no image."""

    name: str
    train: Split
    validation: Split
    test: Split
    classes: tuple[str, ...]
    fingerprint: str


@dataclass(frozen=True)
class Choice:
    """The data set that a run uses, and why it is not the one that was asked for where it isn't."""

    name: str
    root: Path
    stand_in: bool
    reason: str


# ── What there is ────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Downloaded:
    """Official files below a data folder."""

    folder: str
    files: Mapping[str, str | None]  # name -> MD5 of the official file (None: its publisher states none)
    url: str
    gigabytes: float  # free space that downloading and unpacking take
    download: Callable[[Path], object]
    patterns: tuple[str, ...] = ()  # further files, too many to list


@dataclass(frozen=True)
class Shipped:
    """Files that come with installed packages."""

    files: tuple[tuple[str, str], ...]  # (package, path inside it)


def _download_cifar10(root: Path) -> None:
    from torchvision.datasets import CIFAR10

    CIFAR10(root, download=True)


def _download_mnist(root: Path) -> None:
    from torchvision.datasets import MNIST

    MNIST(root, download=True)


def _download_stl10(root: Path) -> None:
    from torchvision.datasets import STL10

    STL10(root, download=True)


def _download_voc2007(root: Path) -> None:
    from torchvision.datasets import VOCDetection

    for image_set in ("trainval", "test"):
        VOCDetection(root, year="2007", image_set=image_set, download=True)


CIFAR10 = Downloaded(
    folder="cifar-10-batches-py",
    files={
        "data_batch_1": "c99cafc152244af753f735de768cd75f",
        "data_batch_2": "d4bba439e000b95fd0a9bffe97cbabec",
        "data_batch_3": "54ebc095f3ab1f0389bbae665268c751",
        "data_batch_4": "634d18415352ddfa80567beed471001a",
        "data_batch_5": "482c414d41f54cd18b22e5b47cb7c3cb",
        "test_batch": "40351d587109b95175f43aff81a1287e",
        "batches.meta": "5ff9c542aee3614f3951f8cda6e48888",
    },
    url="https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz",
    gigabytes=0.4,
    download=_download_cifar10,
)
MNIST = Downloaded(
    folder="MNIST/raw",
    files={  # of the unpacked files: torchvision checks only the packed ones
        "train-images-idx3-ubyte": "6bbc9ace898e44ae57da46a324031adb",
        "train-labels-idx1-ubyte": "a25bea736e30d166cdddb491f175f624",
        "t10k-images-idx3-ubyte": "2646ac647ad5339dbf082846283269ea",
        "t10k-labels-idx1-ubyte": "27ae3e4e09519cfbb04c329615203637",
    },
    url="https://ossci-datasets.s3.amazonaws.com/mnist/train-images-idx3-ubyte.gz",
    gigabytes=0.1,
    download=_download_mnist,
)
STL10 = Downloaded(
    folder="stl10_binary",
    files={
        "train_X.bin": "918c2871b30a85fa023e0c44e0bee87f",
        "train_y.bin": "5a34089d4802c674881badbb80307741",
        "test_X.bin": "7f263ba9f9e0b06b93213547f721ac82",
        "test_y.bin": "36f9794fa4beb8a2c72628de14fa638e",
        "class_names.txt": None,
    },
    url="http://ai.stanford.edu/~acoates/stl10/stl10_binary.tar.gz",
    gigabytes=6.0,
    download=_download_stl10,
)
VOC2007 = Downloaded(
    folder="VOCdevkit/VOC2007",
    files={"ImageSets/Main/trainval.txt": None, "ImageSets/Main/test.txt": None},
    url="https://thor.robots.ox.ac.uk/pascal/VOC/voc2007/VOCtrainval_06-Nov-2007.tar",
    gigabytes=2.0,
    download=_download_voc2007,
    patterns=("Annotations/*.xml", "JPEGImages/*.jpg"),
)
PHOTOS = {
    "astronaut": ("skimage", "data/astronaut.png"),
    "chelsea": ("skimage", "data/chelsea.png"),
    "china": ("sklearn", "datasets/images/china.jpg"),
    "coffee": ("skimage", "data/coffee.png"),
    "flower": ("sklearn", "datasets/images/flower.jpg"),
    "hubble": ("skimage", "data/hubble_deep_field.jpg"),
    "ihc": ("skimage", "data/ihc.png"),
    "motorcycle": ("skimage", "data/motorcycle_left.png"),
    "retina": ("skimage", "data/retina.jpg"),
    "rocket": ("skimage", "data/rocket.jpg"),
}
DIGITS = ("sklearn", "datasets/data/digits.csv.gz")

SOURCES: dict[str, Downloaded | Shipped] = {
    "cifar10": CIFAR10,
    "mnist": MNIST,
    "mnist-colored": MNIST,
    "mnist-colored-class": MNIST,
    "stl10": STL10,
    "voc2007": VOC2007,
    "photos10": Shipped(tuple(PHOTOS.values())),
    "photos10-64": Shipped(tuple(PHOTOS.values())),
    "photos10-96": Shipped(tuple(PHOTOS.values())),
    "digits": Shipped((DIGITS,)),
    "digits-colored": Shipped((DIGITS,)),
    "digits-colored-class": Shipped((DIGITS,)),
}

STAND_INS = {  # the last one ships with packages; those before it serve if they are here
    "cifar10": ("photos10",),
    "voc2007": ("cifar10", "photos10-64"),
    "stl10": ("cifar10", "photos10-96"),
    "mnist": ("digits",),
    "mnist-colored": ("digits-colored",),
    "mnist-colored-class": ("digits-colored-class",),
}


def reader_name(name: str) -> str:
    """Where the function that reads this data set is: what a training's code hash starts from."""
    _source(name)
    return f"{__name__}:read_{name.replace('-', '_')}"


def _source(name: str) -> Downloaded | Shipped:
    if name not in SOURCES:
        raise InputError(f"unknown data set {name!r}: choose one of {', '.join(SOURCES)}")
    return SOURCES[name]


# ── Finding ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def locate(name: str, data_dir: str | Path | None = None) -> Path | None:
    """The folder that holds this data set, None where there is none; writes nothing and imports no torch."""
    source = _source(name)
    if isinstance(source, Shipped):
        paths = [_shipped(package, path) for package, path in source.files]
        if missing := [str(path) for path in paths if not path.is_file()]:
            raise InputError(f"{name} needs {missing[0]}, which isn't there: reinstall scikit-image and scikit-learn")
        return paths[0].parent
    for place in _places(data_dir):
        folder = place / source.folder
        if folder.is_dir():
            if missing := [file for file in source.files if not (folder / file).is_file()]:
                raise InputError(f"{name} is incomplete: {folder} lacks {', '.join(missing)} (see {source.url})")
            return place
    return None


def _places(data_dir: str | Path | None) -> list[Path]:
    """Where to look, in order. A folder that somebody names must exist and hold some data set: else it is a mistake."""
    named = data_dir or os.environ.get("AUTOENCODERS_DATA")
    if not named:
        return [DATA]
    place = Path(named).expanduser().resolve()
    known = sorted({source.folder for source in SOURCES.values() if isinstance(source, Downloaded)})
    if not any((place / folder).is_dir() for folder in known):
        state = "holds no data set" if place.is_dir() else "is no folder"
        raise InputError(
            f"the data folder {place} {state}: expected one that holds {', '.join(known[:-1])} or {known[-1]}"
        )
    return [place, DATA]


def _shipped(package: str, path: str) -> Path:
    """A file inside an installed package, found without importing it."""
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise InputError(f"the package {package} isn't installed, and its file {path} is needed")
    return Path(spec.submodule_search_locations[0]) / path


def _paths(name: str, root: Path) -> dict[str, Path]:
    """Every file that this data set is read from, by a name that is the same on every machine."""
    source = _source(name)
    if isinstance(source, Shipped):
        return {f"{package}/{path}": _shipped(package, path) for package, path in source.files}
    folder = root / source.folder
    many = sorted(path for pattern in source.patterns for path in folder.glob(pattern))
    return {path.relative_to(folder).as_posix(): path for path in [*(folder / file for file in source.files), *many]}


# ── Fingerprints ─────────────────────────────────────────────────────────────────────────────────────────────────────


def fingerprint(name: str, root: Path, cache_dir: Path | None = None, *, remember: bool = True) -> str:
    """A digest of the files' content; remembered in ``cache_dir`` for as long as sizes and modification times stay."""
    stats = [(file, path.stat()) for file, path in _paths(name, root).items()]
    stamp = _folded((file, f"{stat.st_size} {stat.st_mtime_ns}") for file, stat in stats)
    memory = cache_dir / "fingerprints.json" if cache_dir else None
    entries = _recalled(memory) if memory else {}
    entry = entries.get(f"{name} {root}", {})
    if entry.get("stamp") == stamp:
        return str(entry["fingerprint"])
    value = _folded(_checksums(name, root).items())
    if memory and remember:
        with contextlib.suppress(OSError):  # whoever can't remember computes again
            _remember(memory, _recalled(memory) | {f"{name} {root}": {"stamp": stamp, "fingerprint": value}})
    return value


def _checksums(name: str, root: Path) -> dict[str, str]:
    return {file: _md5(path) for file, path in _paths(name, root).items()}


def _md5(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, functools.partial(hashlib.md5, usedforsecurity=False)).hexdigest()


def _folded(items: Any) -> str:
    return hashlib.sha256(json.dumps(sorted(items)).encode()).hexdigest()


def _recalled(memory: Path) -> dict[str, Any]:
    try:
        return dict(json.loads(memory.read_text()))
    except (OSError, ValueError, TypeError):
        return {}  # nothing remembered, or nothing legible: the files tell


def _remember(memory: Path, entries: dict[str, Any]) -> None:
    """All or nothing, for readers that look in meanwhile; of two writers at once one has to compute again later."""
    memory.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile("w", dir=memory.parent, prefix=memory.name, delete=False) as file:
        json.dump(entries, file, indent=1, sort_keys=True)
    os.replace(file.name, memory)


def _verify(name: str, root: Path, checksums: dict[str, str]) -> None:
    source = _source(name)
    for file, expected in source.files.items() if isinstance(source, Downloaded) else ():
        if expected and checksums[file] != expected:
            path = _paths(name, root)[file]
            raise InputError(f"{path} is truncated or altered: its MD5 is {checksums[file]}, expected {expected}")


# ── Downloading ──────────────────────────────────────────────────────────────────────────────────────────────────────


def obtain(name: str, data_dir: str | Path | None = None, *, download: bool = True) -> Path:
    """The folder that holds this data set, downloading it into ``data/`` where it is nowhere else."""
    root = locate(name, data_dir)
    if root is not None:
        return root
    source = _source(name)
    assert isinstance(source, Downloaded), "what ships with packages is located or fails"
    try:
        if not download:
            raise FileNotFoundError("nothing is downloaded now")
        _download(name, source)
    except (OSError, RuntimeError, http.client.HTTPException, tarfile.TarError, EOFError) as error:
        places = " or ".join(str(place) for place in _places(data_dir))
        raise UnavailableError(
            f"{name} is not in {places} and can't be downloaded ({_cause(error)}): put the folder {source.folder} "
            f"from {source.url} there, or point --data-dir or $AUTOENCODERS_DATA at the folder that holds it",
            cause=_cause(error),
        ) from error
    return DATA


def choose(
    name: str, profile_allows_stand_in: bool, data_dir: str | Path | None = None, *, download: bool = True
) -> Choice:
    """The data set that was asked for; where it can't be had, its embedded stand-in if the profile allows that."""
    try:
        return Choice(name, obtain(name, data_dir, download=download), stand_in=False, reason="")
    except UnavailableError as error:
        stand_in, root = _stand_in(name, data_dir)
        if not profile_allows_stand_in:
            raise InputError(f"{error}; or use --profile quick, which goes on with {stand_in}") from error
        reason = f"{name} is not here and can't be downloaded ({error.cause}), so {stand_in} stands in for it"
        return Choice(stand_in, root, stand_in=True, reason=reason)


def _stand_in(name: str, data_dir: str | Path | None) -> tuple[str, Path]:
    """The first that is here."""
    found = ((stand_in, locate(stand_in, data_dir)) for stand_in in STAND_INS[name])
    return next((stand_in, root) for stand_in, root in found if root is not None)


def _download(name: str, source: Downloaded) -> None:
    """Into a folder beside its place, then moved there: what is in ``data/`` is complete at any time."""
    from filelock import FileLock

    free = shutil.disk_usage(DATA.parent).free / 1e9
    if free < source.gigabytes:
        raise OSError(errno.ENOSPC, f"{DATA.parent} has {free:.1f} GB left, {source.gigabytes} GB are needed")
    _reach(source.url)
    DATA.mkdir(exist_ok=True)
    with FileLock(DATA / ".lock"):
        if (DATA / source.folder).is_dir():
            return  # another process was faster
        most = int(source.gigabytes * 1e9)
        with tempfile.TemporaryDirectory(dir=DATA, prefix=".download-") as workshop:
            with _socket_timeout(2 * PATIENCE), _careful_unpacking(most), _files_up_to(most):
                source.download(Path(workshop))
            (DATA / source.folder).parent.mkdir(parents=True, exist_ok=True)
            os.replace(Path(workshop) / source.folder, DATA / source.folder)


def _reach(url: str) -> None:
    """Raises OSError within seconds where no network is: looking up a name can outlast every socket timeout."""
    failures: list[OSError] = []

    def ask() -> None:
        try:
            urllib.request.urlopen(urllib.request.Request(url, method="HEAD"), timeout=PATIENCE).close()
        except (urllib.error.HTTPError, http.client.HTTPException):
            pass  # somebody answered
        except OSError as error:
            failures.append(error)

    asking = threading.Thread(target=ask, daemon=True)
    asking.start()
    asking.join(PATIENCE)
    if asking.is_alive():
        raise TimeoutError(f"no answer within {PATIENCE:.0f} s")
    if failures:
        raise failures[0]


@contextlib.contextmanager
def _socket_timeout(seconds: float) -> Iterator[None]:
    """torchvision sets none, so that a connection that dies would be waited for without end."""
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(seconds)
    try:
        yield
    finally:
        socket.setdefaulttimeout(before)


@contextlib.contextmanager
def _careful_unpacking(most: int) -> Iterator[None]:
    """torchvision unpacks whatever bears the right MD5: here, no further than its folder and no more than so many
    bytes, however few an archive may take."""
    left = most

    def careful(member: tarfile.TarInfo, folder: str) -> tarfile.TarInfo | None:
        nonlocal left
        left -= member.size
        if left < 0:
            raise OSError(errno.EFBIG, f"the archive holds more than {most / 1e9:g} GB")
        if not (member.isfile() or member.isdir()):  # Python's own filter was outwitted by links more than once
            raise tarfile.SpecialFileError(member)
        return tarfile.data_filter(member, folder)

    before = tarfile.TarFile.extraction_filter
    tarfile.TarFile.extraction_filter = staticmethod(careful)
    try:
        yield
    finally:
        tarfile.TarFile.extraction_filter = before


@contextlib.contextmanager
def _files_up_to(most: int) -> Iterator[None]:
    """A server that never stops sending, or a small file that unpacks to a huge one, meets an OSError."""
    if os.name != "posix":
        yield
        return
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    limits = [limit for limit in (most, soft, hard) if limit != resource.RLIM_INFINITY]
    resource.setrlimit(resource.RLIMIT_FSIZE, (min(limits), hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def _cause(error: Exception) -> str:
    if isinstance(error, OSError) and error.errno == errno.ENOSPC:
        return f"no space: {error.strerror}"
    if isinstance(error, urllib.error.HTTPError):
        return f"the server answers {error.code} {error.reason}"
    if isinstance(error, urllib.error.URLError | TimeoutError | ConnectionError | socket.gaierror):
        return f"no network: {getattr(error, 'reason', error)}"
    return " ".join(str(error).split()) or type(error).__name__


# ── Reading: downloaded files ────────────────────────────────────────────────────────────────────────────────────────


def read_cifar10(root: Path) -> Raw:
    """60,000 colour images of 32×32, 10 classes."""
    from torchvision.datasets import CIFAR10

    train, test = CIFAR10(root, train=True), CIFAR10(root, train=False)
    return Raw(
        _as_split(train.data.transpose(0, 3, 1, 2), train.targets),
        _as_split(test.data.transpose(0, 3, 1, 2), test.targets),
        tuple(train.classes),
    )


def read_mnist(root: Path) -> Raw:
    """70,000 grey digits of 28×28."""
    from torchvision.datasets import MNIST

    train, test = MNIST(root, train=True), MNIST(root, train=False)
    return Raw(
        _as_split(train.data.unsqueeze(1).numpy(), train.targets),
        _as_split(test.data.unsqueeze(1).numpy(), test.targets),
        tuple("0123456789"),
    )


def read_mnist_colored(root: Path) -> Raw:
    """MNIST, each digit in a random colour that tells nothing about its class."""
    return _randomly_colored(read_mnist(root))


def read_mnist_colored_class(root: Path) -> Raw:
    """MNIST, each class in one colour: the colour gives the class away."""
    return _colored_by_class(read_mnist(root))


def read_stl10(root: Path) -> Raw:
    """5,000 and 8,000 labelled colour images of 96×96, 10 classes."""
    from torchvision.datasets import STL10

    train, test = STL10(root, split="train"), STL10(root, split="test")
    return Raw(_as_split(train.data, train.labels), _as_split(test.data, test.labels), tuple(train.classes))


def read_voc2007(root: Path) -> Raw:
    """9,963 photographs as squares of 64×64; the class is the largest object's.

    The study that uses it splits the whole set by 80/10/10 or 70/20/10, so its test set is a fixed tenth of all.
    """
    from concurrent.futures import ThreadPoolExecutor

    import numpy as np
    from torchvision.datasets import VOCDetection

    halves = [VOCDetection(root, year="2007", image_set=image_set) for image_set in ("trainval", "test")]
    with ThreadPoolExecutor() as pool:
        examples = [example for half in halves for example in pool.map(_voc_example, half.images, half.annotations)]
    classes, labels = np.unique([kind for _, kind in examples], return_inverse=True)
    images = np.stack([image for image, _ in examples]).transpose(0, 3, 1, 2)
    test = np.zeros(len(labels), bool)
    test[_drawn(labels, len(labels) // 10, np.random.default_rng(0))] = True
    return Raw(_as_split(images[~test], labels[~test]), _as_split(images[test], labels[test]), tuple(map(str, classes)))


def _voc_example(image_path: str, annotation_path: str) -> tuple[np.ndarray, str]:
    """The largest square of a photograph that is centred, as far as its edges allow, on its largest object."""
    from xml.etree import ElementTree

    import numpy as np
    from PIL import Image

    def box(item: ElementTree.Element) -> list[float]:
        return [float(item.findtext(f"bndbox/{edge}", "0")) for edge in ("xmin", "ymin", "xmax", "ymax")]

    def area(item: ElementTree.Element) -> float:
        left, top, right, bottom = box(item)
        return (right - left) * (bottom - top)

    largest = max(ElementTree.parse(annotation_path).getroot().iter("object"), key=area)
    left, top, right, bottom = box(largest)
    with Image.open(image_path) as image:
        width, height = image.size
        image.draft("RGB", (128, 128))  # decodes at a fraction of the size, several times as fast
        scale = image.width / width
        side = min(width, height)
        x = min(max((left + right - side) / 2, 0), width - side)
        y = min(max((top + bottom - side) / 2, 0), height - side)
        window = (x * scale, y * scale, (x + side) * scale, (y + side) * scale)
        square = image.convert("RGB").resize((64, 64), Image.Resampling.BOX, window)
    return np.asarray(square), largest.findtext("name", "")


def _as_split(images: np.ndarray, labels: Any) -> Split:
    import numpy as np
    import torch

    return Split(torch.from_numpy(np.ascontiguousarray(images)), torch.as_tensor(labels, dtype=torch.int64))


# ── Reading: digits that ship with scikit-learn, and colours for digits ──────────────────────────────────────────────


def read_digits(root: Path) -> Raw:
    """1,797 grey digits of 8×8, enlarged threefold inside a margin of 2: MNIST's 28×28, so that its models fit.

    They come in the order of their writers: the last fifth, the test set, was written by other people than the rest.
    """
    import numpy as np
    from sklearn.datasets import load_digits

    digits = load_digits()
    pixels = np.round(digits.images * (255 / 16)).astype(np.uint8)
    images = np.pad(pixels.repeat(3, axis=1).repeat(3, axis=2), ((0, 0), (2, 2), (2, 2)))[:, None]
    train = len(images) * 4 // 5
    return Raw(
        _as_split(images[:train], digits.target[:train]),
        _as_split(images[train:], digits.target[train:]),
        tuple("0123456789"),
    )


def read_digits_colored(root: Path) -> Raw:
    """scikit-learn's digits, each in a random colour that tells nothing about its class."""
    return _randomly_colored(read_digits(root))


def read_digits_colored_class(root: Path) -> Raw:
    """scikit-learn's digits, each class in one colour: the colour gives the class away."""
    return _colored_by_class(read_digits(root))


def _randomly_colored(grey: Raw) -> Raw:
    import numpy as np

    rng = np.random.default_rng(0)
    train, test = rng.random((len(grey.train), 3)), rng.random((len(grey.test), 3))
    return Raw(_colored(grey.train, train), _colored(grey.test, test), grey.classes)


def _colored_by_class(grey: Raw) -> Raw:
    import colorsys

    import numpy as np

    hues = np.random.default_rng(0).permutation(len(grey.classes)) / len(grey.classes)
    colors = np.array([colorsys.hsv_to_rgb(hue, 1, 1) for hue in hues])
    train, test = (_colored(part, colors[part.labels.numpy()]) for part in (grey.train, grey.test))
    return Raw(train, test, grey.classes)


def _colored(digits: Split, colors: np.ndarray) -> Split:
    """White becomes each image's colour, at full brightness; black stays black."""
    import torch

    colors = colors / colors.max(axis=1, keepdims=True)
    channels = [
        (digits.images[:, 0] * channel.view(-1, 1, 1)).round().to(torch.uint8)
        for channel in torch.from_numpy(colors).float().unbind(1)
    ]
    return Split(torch.stack(channels, dim=1), digits.labels)


# ── Reading: crops of photographs that ship with scikit-image and scikit-learn ───────────────────────────────────────


def read_photos10(root: Path) -> Raw:
    """10,000 and 2,000 crops of 32×32 from ten photographs; the photograph is the class."""
    return _photo_crops(32)


def read_photos10_64(root: Path) -> Raw:
    """5,000 and 1,000 crops of 64×64 from ten photographs; the photograph is the class."""
    return _photo_crops(64)


def read_photos10_96(root: Path) -> Raw:
    """3,330 and 660 crops of 96×96 from ten photographs; the photograph is the class."""
    return _photo_crops(96)


def _photo_crops(size: int) -> Raw:
    """Train and test crops share no pixel. Crops within each of them overlap, so validation crops resemble training."""
    import numpy as np
    from PIL import Image

    rng = np.random.default_rng(0)
    cell = min(2 * size, 144)  # the smallest photograph has 300 rows: two cells
    sides = (size, cell * 5 // 6)
    train, test = [], []
    for package, path in PHOTOS.values():
        with Image.open(_shipped(package, path)) as file:
            # Whole factors average disjoint blocks: large photographs shrink without mixing regions
            photo = file.convert("RGB").reduce(max(1, min(file.size) // 400))
        held_out = _held_out(photo.height, photo.width, cell)
        train.append(_crops(photo, _windows(~held_out, sides, 32_000 // size, rng), size, rng))
        test.append(_crops(photo, _windows(held_out, sides, 6_400 // size, rng), size, rng))
    labels = np.arange(len(PHOTOS))
    return Raw(
        _as_split(np.concatenate(train), labels.repeat(len(train[0]))),
        _as_split(np.concatenate(test), labels.repeat(len(test[0]))),
        tuple(PHOTOS),
    )


def _held_out(height: int, width: int, cell: int) -> np.ndarray:
    """Which pixels are for testing: every fifth cell of a grid, scattered over the whole photograph."""
    import numpy as np

    rows, columns = height // cell, width // cell
    row, column = np.arange(height) * rows // height, np.arange(width) * columns // width
    return (column[None, :] + 2 * row[:, None]) % 5 == 1


def _windows(allowed: np.ndarray, sides: tuple[int, int], count: int, rng: np.random.Generator) -> np.ndarray:
    """``count`` random squares (top, left, side) of allowed pixels only."""
    import numpy as np

    height, width = allowed.shape
    area = np.pad(allowed.astype(np.int64), ((1, 0), (1, 0))).cumsum(0).cumsum(1)  # allowed pixels above and left
    windows = np.empty((0, 3), np.int64)
    while len(windows) < count:
        side = rng.integers(*sides, 8 * count, endpoint=True)
        top, left = rng.integers(height - side, endpoint=True), rng.integers(width - side, endpoint=True)
        bottom, right = top + side, left + side
        inside = area[bottom, right] - area[top, right] - area[bottom, left] + area[top, left]
        windows = np.concatenate([windows, np.stack([top, left, side], axis=1)[inside == side**2]])
    return windows[:count]


def _crops(photo: Any, windows: np.ndarray, size: int, rng: np.random.Generator) -> np.ndarray:
    """The windows at ``size``, every other one mirrored. Cut first, then scaled: no pixel from outside leaks in."""
    import numpy as np
    from PIL import Image

    crops = np.stack(
        [
            photo.crop((left, top, left + side, top + side)).resize((size, size), Image.Resampling.BILINEAR)
            for top, left, side in windows.tolist()
        ]
    )
    mirrored = rng.random(len(crops)) < 0.5
    crops[mirrored] = crops[mirrored, :, ::-1]
    return crops.transpose(0, 3, 1, 2)


# ── Splitting ────────────────────────────────────────────────────────────────────────────────────────────────────────


def split(raw: Raw, spec: config.Data) -> tuple[Split, Split]:
    """Training and validation images from the official training set, each class with its share; smaller training sets
    are parts of larger ones."""
    import numpy as np

    labels = raw.train.labels.numpy()
    if not 0 < spec.validation < 1 or spec.split_seed < 0:
        raise InputError(f"a validation share between 0 and 1 and a seed from 0 on are needed, not {spec}")
    rng = np.random.default_rng(spec.split_seed)
    held_out = round(spec.validation * len(labels))
    if not 0 < held_out < len(labels):
        raise InputError(f"{spec.name} has {len(labels)} images: too few to train on some and to validate on others")
    validation = _drawn(labels, held_out, rng)
    train = np.setdiff1d(np.arange(len(labels)), validation)
    if spec.train is not None:
        if not 0 < spec.train <= len(train):
            raise InputError(
                f"{spec.name} has 1 to {len(train)} images to train on beside validation: not {spec.train}"
            )
        train = train[_drawn(labels[train], spec.train, rng)]
    return _taken(raw.train, train), _taken(raw.train, validation)


def _drawn(labels: np.ndarray, count: int, rng: np.random.Generator) -> np.ndarray:
    """``count`` positions in ascending order, drawn so that each class keeps its share, rounded to whole images."""
    import numpy as np

    classes, sizes = np.unique(labels, return_counts=True)
    shares = sizes * count / len(labels)
    quotas = np.floor(shares).astype(int)
    quotas[np.argsort(quotas - shares, kind="stable")[: count - quotas.sum()]] += 1
    drawn = [
        rng.permutation(np.flatnonzero(labels == kind))[:quota] for kind, quota in zip(classes, quotas, strict=True)
    ]
    return np.sort(np.concatenate(drawn))


def _taken(part: Split, positions: np.ndarray) -> Split:
    return Split(part.images[positions], part.labels[positions])


# ── All together ─────────────────────────────────────────────────────────────────────────────────────────────────────


def load(spec: config.Data, root: Path) -> Dataset:
    """The data set that a spec describes, read from ``root`` (see ``obtain``), checked and split."""
    raw, digest = _read(spec.name, root)
    train, validation = split(raw, spec)
    return Dataset(spec.name, train, validation, raw.test, raw.classes, digest)


@functools.lru_cache(maxsize=1)  # trainings that follow each other in one process mostly share their data
def _read(name: str, root: Path) -> tuple[Raw, str]:
    reader = getattr(sys.modules[__name__], reader_name(name).partition(":")[2])
    try:
        checksums = _checksums(name, root)
        _verify(name, root, checksums)
        return reader(root), _folded(checksums.items())
    except InputError:
        raise
    except Exception as error:  # pickles, XML and pictures each fail in their own way
        raise InputError(f"{name} can't be read from {root}: {_cause(error)}") from error
