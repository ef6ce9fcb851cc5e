"""Which data sets there are, where each comes from, and what stands in for it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from autoencoders.coercion import shown
from autoencoders.data.folders import Folder, folder_of, is_folder
from autoencoders.errors import InputError


@dataclass(frozen=True)
class Downloaded:
    """Official files below a data folder."""

    module: str  # of its reader
    folder: str
    files: Mapping[str, str | None]  # name -> MD5 of the official file (None: its publisher states none)
    url: str
    gigabytes: float  # free space that downloading and unpacking take
    download: Callable[[Path], object]
    patterns: tuple[str, ...] = ()  # further files, too many to list


@dataclass(frozen=True)
class Shipped:
    """Files that come with installed packages."""

    module: str
    files: tuple[tuple[str, str], ...]  # (package, path inside it)


Source = Downloaded | Shipped | Folder


def _by_torchvision(dataset: str, *options: Mapping[str, str], below: str = "") -> Callable[[Path], None]:
    """What downloads and unpacks a data set of torchvision's, once for each of the options."""

    def download(root: Path) -> None:
        from torchvision import datasets

        for option in options or ({},):
            getattr(datasets, dataset)(root / below, download=True, **option)

    return download


CIFAR10 = Downloaded(
    module="autoencoders.data.readers",
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
    download=_by_torchvision("CIFAR10"),
)
MNIST = Downloaded(
    module="autoencoders.data.readers",
    folder="MNIST/raw",
    files={  # of the unpacked files: torchvision checks only the packed ones
        "train-images-idx3-ubyte": "6bbc9ace898e44ae57da46a324031adb",
        "train-labels-idx1-ubyte": "a25bea736e30d166cdddb491f175f624",
        "t10k-images-idx3-ubyte": "2646ac647ad5339dbf082846283269ea",
        "t10k-labels-idx1-ubyte": "27ae3e4e09519cfbb04c329615203637",
    },
    url="https://ossci-datasets.s3.amazonaws.com/mnist/train-images-idx3-ubyte.gz",
    gigabytes=0.1,
    download=_by_torchvision("MNIST"),
)
STL10 = Downloaded(
    module="autoencoders.data.readers",
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
    download=_by_torchvision("STL10"),
)
VOC2007 = Downloaded(
    module="autoencoders.data.readers",
    folder="VOCdevkit/VOC2007",
    files={"ImageSets/Main/trainval.txt": None, "ImageSets/Main/test.txt": None},
    url="https://thor.robots.ox.ac.uk/pascal/VOC/voc2007/VOCtrainval_06-Nov-2007.tar",
    gigabytes=2.0,
    download=_by_torchvision("VOCDetection", *({"year": "2007", "image_set": half} for half in ("trainval", "test"))),
    patterns=("Annotations/*.xml", "JPEGImages/*.jpg"),
)
CIFAR100 = Downloaded(
    module="autoencoders.data.more_readers",
    folder="cifar-100-python",
    files={
        "train": "16019d7e3df5f24257cddd939b257f8d",
        "test": "f0ef6b0ae62326f3e7ffdfab6717acfc",
        "meta": "7973b15100ade9c7d40fb424638fde48",
    },
    url="https://www.cs.toronto.edu/~kriz/cifar-100-python.tar.gz",
    gigabytes=0.4,
    download=_by_torchvision("CIFAR100"),
)
SVHN = Downloaded(
    module="autoencoders.data.more_readers",
    folder="svhn",
    files={
        "train_32x32.mat": "e26dedcc434d2e4c54c9b2d4a06d8373",
        "test_32x32.mat": "eb5a983be6a315427106f1b164d9cef3",
    },
    url="http://ufldl.stanford.edu/housenumbers/train_32x32.mat",
    gigabytes=0.3,
    download=_by_torchvision("SVHN", {"split": "train"}, {"split": "test"}, below="svhn"),
)
FASHION_MNIST = Downloaded(
    module="autoencoders.data.more_readers",
    folder="FashionMNIST/raw",
    files={
        "train-images-idx3-ubyte.gz": "8d4fb7e6c68d591d4c3dfef9ec88bf0d",
        "train-labels-idx1-ubyte.gz": "25c81989df183df01b3e8a0aad5dffbe",
        "t10k-images-idx3-ubyte.gz": "bef4ecab320f06d8554ea6380940ec79",
        "t10k-labels-idx1-ubyte.gz": "bb300cfdad3c16e7a12a480ee83cd310",
    },
    url="http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/train-images-idx3-ubyte.gz",
    gigabytes=0.2,
    download=_by_torchvision("FashionMNIST"),
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
SHIPPED_PHOTOS = Shipped("autoencoders.data.crops", tuple(PHOTOS.values()))
SHIPPED_DIGITS = Shipped("autoencoders.data.readers", (("sklearn", "datasets/data/digits.csv.gz"),))

SOURCES: dict[str, Downloaded | Shipped] = {
    "cifar10": CIFAR10,
    "cifar100": CIFAR100,
    "svhn": SVHN,
    "fashion-mnist": FASHION_MNIST,
    "mnist": MNIST,
    "mnist-colored": MNIST,
    "mnist-colored-class": MNIST,
    "stl10": STL10,
    "voc2007": VOC2007,
    "photos10": SHIPPED_PHOTOS,
    "photos10-64": SHIPPED_PHOTOS,
    "photos10-96": SHIPPED_PHOTOS,
    "digits": SHIPPED_DIGITS,
    "digits-colored": SHIPPED_DIGITS,
    "digits-colored-class": SHIPPED_DIGITS,
}

CLASSES = {  # of data sets that are asked for classes by name, before they are read
    "cifar10": ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"),
    "svhn": tuple("0123456789"),
    "fashion-mnist": (
        *("T-shirt/top", "Trouser", "Pullover", "Dress", "Coat"),
        *("Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"),
    ),
    **dict.fromkeys(("photos10", "photos10-64", "photos10-96"), tuple(PHOTOS)),
}

STAND_INS = {  # the last one ships with packages; those before it serve if they are here
    **dict.fromkeys(("cifar10", "cifar100", "svhn", "fashion-mnist"), ("photos10",)),
    "voc2007": ("cifar10", "photos10-64"),
    "stl10": ("cifar10", "photos10-96"),
    "mnist": ("digits",),
    "mnist-colored": ("digits-colored",),
    "mnist-colored-class": ("digits-colored-class",),
}


def reader_name(name: str) -> str:
    """Where the function that reads this data set is: what a training's code hash starts from."""
    source = source_of(name)
    return f"{source.module}:read_{'folder' if isinstance(source, Folder) else name.replace('-', '_')}"


def source_of(name: str) -> Source:
    if is_folder(name):
        return folder_of(name)
    if name not in SOURCES:
        raise InputError(f"unknown data set {shown(name)}: choose one of {', '.join(SOURCES)}, or folder:PATH")
    return SOURCES[name]
