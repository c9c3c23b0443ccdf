"""Images of characters, drawn from Debian's fonts: many classes, many styles, seeded distortions."""

import pathlib

import numpy as np
from PIL import Image, ImageDraw, ImageFont

SIDE = 16
PUBLIC = "БГДЖИЙЛПУФЦЧШЩЪЫЬЭЮЯбвгдёжийклмнптфя"
PRIVATE = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
FOLDERS = ("dejavu", "liberation", "freefont")


def font_files():
    root = pathlib.Path("/usr/share/fonts/truetype")
    files = sorted(path for folder in FOLDERS for path in (root / folder).glob("*.ttf") if "Math" not in path.name)
    if len(files) < 6:
        raise SystemExit("glyphs: the fonts are missing; scripts/setup installs them")
    return files


def draw(rng, character, font):
    """One image [1, SIDE, SIDE] in 0..1: moved, turned, and with noise."""
    large = Image.new("L", (2 * SIDE, 2 * SIDE))
    ImageDraw.Draw(large).text((SIDE, SIDE), character, fill=255, font=font, anchor="mm")
    turned = large.rotate(rng.uniform(-12, 12), resample=Image.BILINEAR)
    left, top = (SIDE // 2 + rng.integers(-2, 3, 2)).tolist()
    pixels = np.asarray(turned.crop((left, top, left + SIDE, top + SIDE)), np.float32) / 255
    return np.clip(pixels + rng.normal(0, 0.08, pixels.shape).astype(np.float32), 0, 1)[None]


def make(rng, characters, count):
    """Returns `count` images and their classes, each class as often as any other (up to one)."""
    fonts = [ImageFont.truetype(str(path), size) for path in font_files() for size in (11, 13, 15)]
    labels = rng.permutation(np.arange(count) % len(characters)).astype(np.int64)
    images = [draw(rng, characters[label], fonts[rng.integers(len(fonts))]) for label in labels]
    return np.stack(images), labels
