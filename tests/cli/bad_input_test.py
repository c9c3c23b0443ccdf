#!/usr/bin/python3
"""Inputs that do not fit the model: exit code 2, a line that says what would fit, no output."""

import harness
import numpy as np
from harness import DIGITS, MODEL


class BadInputTest(harness.CliTest):
    def refuse(self, option, *fragments):
        out = self.directory / "out"
        self.fail_with(2, ["run", MODEL, "--input", option, "--output-dir", out], *fragments)
        self.assertFalse(out.exists())

    def test_none_given(self):
        self.fail_with(2, ["run", MODEL], "image", "float32[batch, 1, 8, 8]", "--random")

    def test_wrong_name(self):
        self.refuse(f"picture={DIGITS / 'images.npy'}", "picture", "image")

    def test_wrong_shape(self):
        self.refuse(f"image={self.write_npy('x.npy', np.zeros((1, 1, 8, 9), np.float32))}", "[1, 1, 8, 9]",
                    "float32[batch, 1, 8, 8]")
        self.refuse(f"image={self.write_npy('x.npy', np.zeros((1, 8, 8), np.float32))}", "[1, 8, 8]")
        self.refuse(f"image={self.write_npy('x.npy', np.zeros((0, 1, 8, 8), np.float32))}", "[0, 1, 8, 8]")

    def test_wrong_type(self):
        self.refuse(f"image={self.write_npy('x.npy', np.zeros((1, 1, 8, 8)))}", "float64", "float32")

    def test_not_finite(self):
        for value in (np.nan, np.inf, -np.inf):
            image = np.zeros((1, 1, 8, 8), np.float32)
            image[0, 0, 0, 5] = value
            self.refuse(f"image={self.write_npy('x.npy', image)}", "element 5", "NaN")

    def test_missing_file(self):
        self.refuse("image=no.npy", "no.npy")

    def test_truncated_and_foreign_files(self):
        whole = (DIGITS / "images.npy").read_bytes()
        path = self.directory / "cut.npy"
        path.write_bytes(whole[:1000])
        self.refuse(f"image={path}", "cut.npy")
        path.write_bytes(b"P5 8 8 255\n" + bytes(64))
        self.refuse(f"image={path}", "cut.npy", ".npy")

    def test_fortran_order(self):
        image = np.asfortranarray(np.random.default_rng(1).random((2, 1, 8, 8)).astype(np.float32))
        self.refuse(f"image={self.write_npy('x.npy', image)}", "ascontiguousarray")

    def test_given_twice(self):
        self.fail_with(2, ["run", MODEL, "--input", harness.IMAGES, "--input", harness.IMAGES], "twice")

    def test_bad_dimension(self):
        self.fail_with(2, ["run", MODEL, "--random", "--dim", "batch=0"], "batch=0")
        self.fail_with(2, ["run", MODEL, "--random", "--dim", "width=3"], "batch")

    def test_output_directory_that_cannot_be(self):
        self.fail_with(2, ["run", MODEL, "--random", "--output-dir", self.directory / "a" / "b"], "a")
        self.fail_with(2, ["run", MODEL, "--random", "--output-dir", "/proc/version"], "not a directory")


if __name__ == "__main__":
    harness.main()
