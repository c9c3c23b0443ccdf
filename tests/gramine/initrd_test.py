#!/usr/bin/python3
"""make-initrd: one content, one archive, whatever the times, the order and the place; another content, another one."""

import gzip
import os
import pathlib
import shutil
import subprocess
import tempfile
import unittest

from harness import ROOT, main

PROGRAM = ROOT / "deploy/guest/make-initrd"


class InitrdTest(unittest.TestCase):
    def setUp(self):
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="soter-test-"))
        self.addCleanup(shutil.rmtree, self.directory)

    def tree(self, name, names=("b", "a/x", "a/y"), text="text"):
        root = self.directory / name
        for file in names:
            (root / file).parent.mkdir(parents=True, exist_ok=True)
            (root / file).write_text(text)
            os.utime(root / file, (len(name), len(name)))
        (root / "link").symlink_to("a/x")
        return root

    def pack(self, root, output="out"):
        subprocess.run([PROGRAM, root, self.directory / output], check=True)
        return (self.directory / output).read_bytes()

    def test_same_content_same_bytes(self):
        first = self.pack(self.tree("one"))
        self.assertEqual(first, self.pack(self.tree("the-other", ("a/y", "a/x", "b")), "another"))

    def test_what_differs_shows(self):
        first = self.pack(self.tree("one"))
        self.assertNotEqual(first, self.pack(self.tree("two", text="other")))
        self.assertNotEqual(first, self.pack(self.tree("three", ("b", "a/x", "a/z"))))
        mode = self.tree("four")
        (mode / "b").chmod(0o755)
        self.assertNotEqual(first, self.pack(mode))

    def test_the_archive_reads_back(self):
        data, names, at = gzip.decompress(self.pack(self.tree("one"))), {}, 0
        while at < len(data):
            self.assertEqual(data[at:at + 6], b"070701")
            fields = [int(data[at + 6 + 8 * i:at + 14 + 8 * i], 16) for i in range(13)]
            name = data[at + 110:at + 110 + fields[11] - 1].decode()
            start = at + (110 + fields[11] + 3) // 4 * 4
            names[name] = data[start:start + fields[6]]
            at = start + (fields[6] + 3) // 4 * 4
        self.assertEqual(names, {"a": b"", "a/x": b"text", "a/y": b"text", "b": b"text", "link": b"a/x",
                                 "TRAILER!!!": b""})

    def test_a_pipe_is_refused(self):
        root = self.tree("one")
        os.mkfifo(root / "pipe")
        done = subprocess.run([PROGRAM, root, self.directory / "out"], capture_output=True, text=True)
        self.assertEqual(done.returncode, 1)
        self.assertIn("pipe", done.stderr)
        self.assertFalse((self.directory / "out").exists())

    def test_usage(self):
        done = subprocess.run([PROGRAM, self.directory / "absent", "out"], capture_output=True, text=True)
        self.assertEqual(done.returncode, 1)
        self.assertIn("usage", done.stderr)


if __name__ == "__main__":
    main()
