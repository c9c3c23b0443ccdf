#!/usr/bin/python3
"""Processes that die, stall or talk nonsense, and a user who loses patience: exit codes, no output, nothing left."""

import resource
import signal
import socket
import threading
import os
import time

import harness
from harness import IMAGES, MODEL

LONG = ["run", MODEL, "--input", IMAGES, "--theta", "1", "--check", "none", "--repeat", "1000000"]


class FailureTest(harness.CliTest):
    def start_long_run(self, *options):
        """Starts a run that would last for minutes, and waits until both children are at work."""
        self.out = self.directory / "out"
        running = self.start(*LONG, "--output-dir", self.out, *options)
        self.wait_until(lambda: self.processes("worker --listen") and self.processes("soter-enclave"), "no children")
        time.sleep(1)
        return running

    def finish(self, running, seconds=60):
        stdout, stderr = running.communicate(timeout=seconds)
        self.assertFalse(self.out.exists(), "an output was written")
        return harness.subprocess.CompletedProcess(running.args, running.returncode, stdout, stderr)

    def test_worker_is_killed(self):
        running = self.start_long_run()
        os.kill(self.processes("worker --listen")[0], signal.SIGKILL)
        self.check_failure(self.finish(running), 6, "killed by signal 9")

    def test_worker_stalls(self):
        running = self.start_long_run("--timeout-ms", "500")
        os.kill(self.processes("worker --listen")[0], signal.SIGSTOP)
        self.check_failure(self.finish(running), 6)

    def test_enclave_is_killed(self):
        running = self.start_long_run()
        os.kill(self.processes("soter-enclave")[0], signal.SIGKILL)
        self.check_failure(self.finish(running), 1, "enclave", "killed by signal 9")

    def test_signals_end_everything(self):
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            running = self.start_long_run()
            running.send_signal(number)
            self.assertEqual(self.finish(running, seconds=10).returncode, -number)

    def test_signal_while_the_children_start(self):
        for delay in (0.0, 0.01, 0.03, 0.1):
            self.out = self.directory / "out"
            running = self.start(*LONG, "--output-dir", self.out)
            self.wait_until(lambda: os.listdir(self.scratch), "soter did not begin")
            time.sleep(delay)
            running.send_signal(signal.SIGINT)
            self.assertEqual(self.finish(running, seconds=10).returncode, -signal.SIGINT)

    def test_children_follow_a_killed_soter(self):
        running = self.start_long_run()
        running.kill()
        running.communicate()
        self.wait_until(lambda: not self.processes(), "children outlive soter")
        harness.shutil.rmtree(self.scratch)  # the one thing that nobody is left to remove
        self.scratch.mkdir()

    def test_nobody_listens(self):
        self.fail_with(6, ["run", MODEL, "--random", "--theta", "1", "--check", "none", "--worker",
                           f"unix:{self.directory}/nobody"])

    def test_no_shared_memory(self):
        def no_large_files():  # room for the parameters that the enclave keeps outside, not for the shared region
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 18, 1 << 18))
        done = self.soter("run", MODEL, "--input", IMAGES, "--theta", "1", "--check", "none", "--json",
                         preexec_fn=no_large_files)
        if done.returncode == 0:  # it fell back to messages, and loses nothing but speed
            self.assertEqual(harness.json.loads(done.stdout)["outputs"]["logits"]["shape"], [360, 10])
        else:
            self.check_failure(done, 1, "/dev/shm")

    def serve(self, answer):
        """Listens where a worker would; gives each client `answer` and then the end, or nothing at all (None)."""
        path = self.directory / "liar"
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(str(path))
        listener.listen()
        self.addCleanup(listener.close)
        kept = []

        def loop():
            while True:
                try:
                    client, _ = listener.accept()
                except OSError:
                    return
                kept.append(client)
                if answer is not None:
                    client.recv(4096)
                    client.sendall(answer)
                    client.close()
        threading.Thread(target=loop, daemon=True).start()
        return f"unix:{path}"

    def refuse_worker(self, address, codes):
        out = self.directory / "out"
        done = self.soter("run", MODEL, "--random", "--theta", "1", "--check", "none", "--worker", address,
                         "--timeout-ms", "500",
                          "--output-dir", out)
        self.assertIn(done.returncode, codes, done.stderr)
        self.check_failure(done, done.returncode)
        self.assertFalse(out.exists())

    def test_worker_answers_garbage(self):
        self.refuse_worker(self.serve(b"HTTP/1.1 200 OK\r\n\r\n" + bytes(range(256)) * 8), [3])

    def test_worker_hangs_up(self):
        self.refuse_worker(self.serve(b""), [6])

    def test_worker_says_nothing(self):
        self.refuse_worker(self.serve(None), [6])


if __name__ == "__main__":
    harness.main()
