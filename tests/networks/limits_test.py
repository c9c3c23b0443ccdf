#!/usr/bin/python3
"""Inputs beyond what a network or the machine can take: a clear refusal and its exit code, no output."""

import sys

import numpy as np

import networks

sys.path.insert(0, str(networks.ROOT / "tests/cli"))
import harness  # noqa: E402  (beside another test)

DOES_NOT_FIT, NO_MEMORY = 2, 1


class LimitsTest(harness.CliTest):
    def refuse_target(self, shape):
        """A target sequence of `shape` beside a source of batch 1."""
        source = self.write_npy("src.npy", np.zeros((1, 4, 512), np.float32))
        target = self.write_npy("tgt.npy", np.zeros(shape, np.float32))
        self.fail_with(DOES_NOT_FIT, ["run", networks.model_file("transformer"), "--input", f"src={source}",
                                      "--input", f"tgt={target}"],
                       "tgt", str(list(shape)), "float32[batch, tgt_length, 512]")

    def test_batches_that_differ(self):
        self.refuse_target((2, 4, 512))

    def test_wrong_width(self):
        self.refuse_target((1, 4, 500))

    def test_empty_sequence(self):
        self.refuse_target((1, 0, 512))

    def test_wrong_rank(self):
        self.refuse_target((1, 1, 4, 512))

    def test_extents_out_of_range(self):
        for extent in ("-1", "0", "1000000000000", "99999999999999999999"):
            self.fail_with(DOES_NOT_FIT, ["run", harness.MODEL, "--random", "--dim", f"batch={extent}"],
                           f"batch={extent}")

    def test_batch_beyond_memory(self):
        self.fail_with(NO_MEMORY, ["run", harness.MODEL, "--random", "--dim", "batch=2000000000"], "memory", "bytes")


if __name__ == "__main__":
    harness.main()
