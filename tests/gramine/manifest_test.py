#!/usr/bin/python3
"""The Gramine manifest template, rendered and read without Gramine: what a production enclave must and must not have,
and that it names every library that soter-enclave needs."""

import pathlib
import re
import subprocess
import tomllib
import unittest

from harness import BUILD, ROOT, main

DEPLOY = ROOT / "deploy/gramine"
TEMPLATE = DEPLOY / "soter-enclave.manifest.template"
SETTINGS = {"control_address": "127.0.0.1:7077", "threads": "4", "max_threads": "13", "enclave_size": "4G",
            "edmm": "false", "isv_svn": "1", "library_dir": "/lib/x86_64-linux-gnu", "enclave": "/soter/soter-enclave",
            "gramine.runtimedir()": "/gramine/lib"}
# In Gramine's own runtime directory: the C library is patched to call the library OS.
GRAMINE_LIBRARIES = {"linux-vdso.so.1", "libc.so.6", "libm.so.6", "libdl.so.2", "libpthread.so.0", "librt.so.1",
                     "ld-linux-x86-64.so.2"}


def render(text, settings):
    return re.sub(r"\{\{\s*(.*?)\s*\}\}", lambda name: settings[name[1]], text)


def settings_of(makefile):
    """The names that the Makefile gives to gramine-manifest."""
    return set(re.findall(r"-D(\w+)=", makefile))


class ManifestTest(unittest.TestCase):
    def setUp(self):
        self.text = TEMPLATE.read_text()
        self.manifest = tomllib.loads(render(self.text, SETTINGS))
        self.sgx = self.manifest["sgx"]

    def test_production(self):
        self.assertIs(self.sgx["debug"], False)
        self.assertEqual(self.sgx["remote_attestation"], "dcap")
        self.assertNotIn("insecure", re.sub(r"#.*", "", self.text))
        for setting in ("enable_stats", "profile", "vtune_profile", "file_check_policy"):
            self.assertNotIn(setting, self.sgx)

    def test_the_host_chooses_neither_arguments_nor_environment(self):
        self.assertEqual(self.manifest["loader"]["argv"], ["soter-enclave", "--connect", "127.0.0.1:7077"])
        self.assertTrue(all(isinstance(value, str) for value in self.manifest["loader"]["env"].values()))
        self.assertNotIn("passthrough", self.text)

    def test_control_is_tcp_on_this_machine(self):
        makefile = (DEPLOY / "Makefile").read_text()
        self.assertRegex(makefile, r"CONTROL\s+\?= 127\.0\.0\.1:\d+\n")
        self.assertNotIn("unix:", self.text + makefile)

    def test_shared_memory_is_the_only_file_of_the_host(self):
        self.assertEqual(self.sgx["allowed_files"], ["dev:/dev/shm/"])
        shared = [mount for mount in self.manifest["fs"]["mounts"] if mount.get("type") == "untrusted_shm"]
        self.assertEqual(shared, [{"path": "/dev/shm", "type": "untrusted_shm", "uri": "dev:/dev/shm"}])

    def test_whatever_is_mounted_is_measured(self):
        trusted = self.sgx["trusted_files"]
        for mount in self.manifest["fs"]["mounts"]:
            if mount.get("type", "chroot") == "chroot":
                self.assertTrue(mount["uri"] in trusted or mount["uri"] + "/" in trusted, mount)

    def test_every_library_of_the_enclave_is_trusted(self):
        listing = subprocess.run(["ldd", BUILD / "soter-enclave"], capture_output=True, text=True, check=True).stdout
        needed = {pathlib.Path(line.split()[0]).name for line in listing.splitlines()} - GRAMINE_LIBRARIES
        self.assertIn("libdnnl.so.2", needed)
        self.assertLessEqual(needed, {pathlib.Path(uri).name for uri in self.sgx["trusted_files"]})

    def test_threads_fit(self):
        self.assertGreaterEqual(self.sgx["max_threads"], int(self.manifest["loader"]["env"]["OMP_NUM_THREADS"]) + 5)

    def test_makefile_gives_every_setting(self):
        self.assertEqual(settings_of((DEPLOY / "Makefile").read_text()), set(SETTINGS) - {"gramine.runtimedir()"})

    def test_a_name_that_nothing_gives_is_an_error(self):
        with self.assertRaises(KeyError):
            render(self.text + "{{ more }}", SETTINGS)


if __name__ == "__main__":
    main()
