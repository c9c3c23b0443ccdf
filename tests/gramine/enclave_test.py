#!/usr/bin/python3
"""soter-enclave lives without what Gramine lacks (filter.h): over RA-TLS to soter and TCP to the worker, with tensors in
/dev/shm, it proves what it is and classifies real digits, with a model as it is and with a sealed one. Where it is made to
need a Unix socket, the same run fails: the filter bites."""

import pathlib
import re
import socket
import subprocess

import harness
import numpy as np
from dev_tee import make_key, write_policy
from harness import BUILD, DIGITS, IMAGES, MODEL

RESTRICTED = BUILD / "tests/restricted"


class GramineTest(harness.CliTest):
    def setUp(self):
        super().setUp()
        self.workers, self.enclaves = [], []
        self.key, public_key = make_key(self)
        self.policy = write_policy(self, public_key)

    def tearDown(self):
        for enclave in self.enclaves:
            enclave.wait(20)
        for worker in self.workers:  # one that nobody could reach still waits
            worker.kill()
            worker.communicate()
        super().tearDown()

    def start_worker(self, address):
        worker = self.start("worker", "--listen", address, "--backend", "cpu", "--once")
        line = worker.stdout.readline()
        self.assertRegex(line, r"^listening on \S+\n$")
        self.workers.append(worker)
        return line.split()[-1]

    def awaited(self, run):
        """The address at which `run` waits for an enclave."""
        line = run.stderr.readline()
        match = re.search(r"soter-enclave --connect (\S+)$", line)
        self.assertTrue(match, line)
        return match[1]

    def start_enclave(self, run, restricted):
        command = [BUILD / "soter-enclave", "--connect", self.awaited(run), "--dev-key", self.key]
        self.enclaves.append(subprocess.Popen([RESTRICTED, *command] if restricted else command, env=self.environment))
        return self.enclaves[-1]

    def start_run(self, worker, *options, enclave="127.0.0.1:0", model=MODEL):
        return self.start("run", model, "--input", IMAGES, "--theta", "1", "--worker", worker, "--enclave", enclave,
                          "--enclave-policy", self.policy, "--output-dir", self.directory / "out", *options)

    def finish(self, run):
        stdout, stderr = run.communicate(timeout=120)
        return run.returncode, stdout, stderr

    def accuracy(self):
        logits = np.load(self.directory / "out/logits.npy")
        return (logits.argmax(1) == np.load(DIGITS / "labels.npy")).mean()

    def test_digits_over_tcp_and_shared_memory(self):
        run = self.start_run(self.start_worker("127.0.0.1:0"), "--repeat", "100", "--json")
        enclave = self.start_enclave(run, restricted=True)
        proc = pathlib.Path("/proc", str(enclave.pid))
        self.wait_until(lambda: "/dev/shm/soter-" in (proc / "maps").read_text(), "no shared memory is mapped")
        self.assertRegex((proc / "status").read_text(), r"\nSeccomp:\t2\n")
        code, stdout, stderr = self.finish(run)
        self.assertEqual(code, 0, stderr)
        report = harness.json.loads(stdout)
        self.assertGreater(report["operators"]["accelerator"], 0)
        self.assertGreater(report["bytes_sent"], 0)
        self.assertGreaterEqual(self.accuracy(), 0.97)
        self.assertEqual(enclave.wait(20), 0)

    def seal(self):
        """A sealed model, and the options that open it."""
        sealed, identity, signing = (self.directory / name for name in ("digits.soter", "identity", "key"))
        lines = self.succeed("keygen", "--identity", identity, "--signing-key", signing).splitlines()
        recipient = next(line.split()[1] for line in lines if line.startswith("recipient"))
        self.succeed("seal", MODEL, "-o", sealed, "--recipient", recipient, "--sign", signing)
        return sealed, ["--identity", identity, "--signer", f"{signing}.pub"]

    def test_a_sealed_model_is_opened_there(self):
        """It is opened with a second thread, which is joined."""
        sealed, keys = self.seal()
        run = self.start_run(self.start_worker("127.0.0.1:0"), *keys, "--json", model=sealed)
        enclave = self.start_enclave(run, restricted=True)
        code, stdout, stderr = self.finish(run)
        self.assertEqual(code, 0, stderr)
        self.assertTrue(harness.json.loads(stdout)["verified"])
        self.assertGreaterEqual(self.accuracy(), 0.97)
        self.assertEqual(enclave.wait(20), 0)

    def run_with_unix_worker(self, restricted):
        run = self.start_run(self.start_worker(f"unix:{self.directory}/worker"))
        self.start_enclave(run, restricted)
        return self.finish(run)

    def test_a_worker_behind_a_unix_socket_is_out_of_reach(self):
        code, stdout, stderr = self.run_with_unix_worker(restricted=True)
        self.assertEqual((code, stdout), (6, ""), stderr)
        self.assertFalse((self.directory / "out/logits.npy").exists())
        self.assertIn("Address family not supported", stderr)

    def test_the_same_worker_is_in_reach_without_the_filter(self):
        code, _, stderr = self.run_with_unix_worker(restricted=False)
        self.assertEqual(code, 0, stderr)
        self.assertGreaterEqual(self.accuracy(), 0.97)

    def test_a_place_where_no_enclave_may_be_waited_for(self):
        self.fail_with(2, ["run", MODEL, "--random", "--enclave", "127.0.0.1:0"], "--enclave-policy")
        self.fail_with(2, ["run", MODEL, "--random", "--enclave", "gramine", "--enclave-policy", self.policy],
                       "--enclave", "HOST:PORT")

    def test_an_enclave_that_leaves_ends_the_run(self):
        run = self.start_run("127.0.0.1:1", "--scheme", "mlcapsule")
        host, port = self.awaited(run).rsplit(":", 1)
        socket.create_connection((host, int(port))).close()
        code, stdout, stderr = self.finish(run)
        self.assertEqual((code, stdout), (1, ""), stderr)
        self.assertIn("the connection to the enclave broke", stderr)


if __name__ == "__main__":
    if subprocess.run([RESTRICTED, "/bin/true"]).returncode == 77:  # it says why
        print("SKIPPED: no seccomp filter on this machine")
        raise SystemExit(77)
    harness.main()
