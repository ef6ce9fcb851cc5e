"""Reconstruct a picture with the exported model beside this file: python load.py picture.png reconstruction.png"""

import json
import sys
from pathlib import Path

import numpy as np
import onnxruntime
from PIL import Image

FOLDER = Path(__file__).parent
encoder, decoder = (onnxruntime.InferenceSession(FOLDER / f"{part}.onnx") for part in ("encoder", "decoder"))
channels, height, width = json.loads((FOLDER / "config.json").read_text())["shape"]


def reconstruct(images: np.ndarray) -> np.ndarray:
    """Images [N, C, H, W] in [0, 1] as the model gives them back."""
    [latents] = encoder.run(None, {"images": images.astype(np.float32)})
    return decoder.run(None, {"latents": latents})[0]


if __name__ == "__main__":
    picture = Image.open(sys.argv[1]).convert("RGB" if channels == 3 else "L").resize((width, height))
    pixels = np.asarray(picture, np.float32).reshape(height, width, channels).transpose(2, 0, 1)[None] / 255
    output = (reconstruct(pixels)[0].transpose(1, 2, 0) * 255).round().astype(np.uint8).squeeze()
    Image.fromarray(output).save(sys.argv[2])
