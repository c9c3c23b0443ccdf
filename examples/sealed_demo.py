#!/usr/bin/python3
"""Shows how a sealed model is run: keys from a broker, to an enclave that proves itself, and what gets none.
`scripts/demo --sealed` builds what it needs first and then calls this."""

import argparse
import base64
import hashlib
import json
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

import numpy as np

DIGITS = pathlib.Path(__file__).resolve().parent / "digits"
IMAGE_COUNT = 100
NONCE = "00112233445566778899aabbccddeeff"
DEV_PUBLIC_KEY = slice(116, 148)  # of a dev report, docs/spec/attestation.md, 2.4


class Demo:
    def __init__(self, build, directory):
        self.build, self.directory = build, directory
        self.identity, self.signer = directory / "identity", directory / "owner.key"
        self.model, self.state = directory / "digits.soter", directory / "broker"
        self.dev_key = directory / "dev.key"
        self.images = directory / "images.npy"
        # So many fit into the 8 MiB that Debian lets anybody lock.
        np.save(self.images, np.load(DIGITS / "images.npy")[:IMAGE_COUNT])
        self.broker = None

    def soter(self, *arguments, program=None):
        return subprocess.run([program or self.build / "soter", *map(str, arguments)], capture_output=True, text=True)

    def call(self, *arguments):
        done = self.soter(*arguments)
        if done.returncode != 0:
            sys.exit(f"soter {arguments[0]}: exit code {done.returncode}\n{done.stderr}")
        return done.stdout

    def run(self, *options, model=None, program=None):
        return self.soter("run", model or self.model, "--broker", self.url, "--broker-ca", self.state / "tls.crt",
                          "--signer", f"{self.signer}.pub", "--dev-key", self.dev_key,
                          "--input", f"image={self.images}", *options, program=program)


def print_heading(text):
    print(f"\n== {text}")


def seal(demo):
    print_heading("The owner: keys, and the digits network sealed with them")
    lines = demo.call("keygen", "--identity", demo.identity, "--signing-key", demo.signer)
    recipient = re.search(r"recipient +(age1\w+)", lines).group(1)
    print("  " + demo.call("seal", DIGITS / "digits.onnx", "-o", demo.model, "--recipient", recipient, "--sign", demo.signer,
                           "--min-scheme", "soter", "--min-check", "freivalds").strip())


def install(demo):
    """The machine that will run the model: its key, and what its enclave is."""
    demo.call("attest", "--new-dev-key", demo.dev_key)
    evidence = json.loads(demo.call("attest", "--nonce", NONCE, "--dev-key", demo.dev_key))
    key = base64.b64decode(evidence["report"])[DEV_PUBLIC_KEY].hex()
    measurement = hashlib.sha256((demo.build / "soter-enclave").read_bytes()).hexdigest()
    print_heading("The device: a development TEE, which is a plain process and protects nothing from this machine's owner")
    print(f"  its key      {key}\n  its enclave  {measurement}")
    return key, measurement


def start_broker(demo, key, measurement):
    print_heading("The owner: a broker that releases the key to this enclave on this device, and to nothing else")
    demo.call("broker", "init", demo.state, "--name", "127.0.0.1")
    policy = demo.directory / "policy.toml"
    policy.write_text(f'platforms = ["dev"]\n[dev]\nkeys = ["{key}"]\nmeasurements = ["{measurement}"]\n'
                      "[release]\nactivations = 10\n")
    print("  " + demo.call("broker", "add", demo.state, "--model", demo.model, "--identity", demo.identity,
                           "--signer", f"{demo.signer}.pub", "--policy", policy).strip())
    demo.broker = subprocess.Popen([demo.build / "soter", "broker", "serve", demo.state, "--listen", "127.0.0.1:0"],
                                   stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
    for line in demo.broker.stderr:
        found = re.search(r"listening on (https://[\d.:]+)", line)
        if found:
            demo.url = found.group(1)
            print(f"  it listens on {demo.url}")
            return
    sys.exit("the broker did not start")


def run_model(demo):
    print_heading("The device: the enclave attests, gets the key, opens the model and runs it")
    out = demo.directory / "out"
    done = demo.run("--output-dir", out, "--json")
    if done.returncode != 0:
        sys.exit(done.stderr)
    report = json.loads(done.stdout)
    (output,) = report["outputs"].values()
    answers, labels = np.load(output["file"]).argmax(1), np.load(DIGITS / "labels.npy")[:IMAGE_COUNT]
    print(f"  scheme {report['scheme']}, {report['checks']['made']} checks passed: {(answers == labels).sum()} of {len(labels)} "
          "digits read correctly")


def refuse(what, done):
    if done.returncode != 4 or done.stdout:
        sys.exit(f"{what} was not refused: exit code {done.returncode}\n{done.stdout}{done.stderr}")
    message = next(line for line in done.stderr.splitlines() if line.startswith("soter: "))
    print(f"  {what}\n      {message.removeprefix('soter: ')}")


def changed_enclave(demo):
    """A copy of both programs; the enclave has one byte more, which changes nothing but what it is."""
    directory = demo.directory / "changed"
    directory.mkdir()
    for name in ("soter", "soter-enclave"):
        shutil.copy2(demo.build / name, directory / name)
    with open(directory / "soter-enclave", "ab") as program:
        program.write(b"\0")
    return demo.run(program=directory / "soter")


def changed_model(demo):
    changed = demo.directory / "changed.soter"
    contents = bytearray(demo.model.read_bytes())
    contents[-1000] ^= 1
    changed.write_bytes(contents)
    shutil.copy(f"{demo.model}.minisig", f"{changed}.minisig")
    return demo.run(model=changed)


def show_refusals(demo, key):
    print_heading("What is refused, each with exit code 4")
    refuse("a changed enclave:", changed_enclave(demo))
    refuse("a changed model:", changed_model(demo))
    refuse("a weaker scheme than the owner demands:", demo.run("--scheme", "insecure"))
    demo.call("broker", "revoke", demo.state, "--device", f"dev:{key}")
    refuse("a device that the owner revoked:", demo.run())


def stop_broker(demo):
    if demo.broker is not None:
        demo.broker.terminate()
        demo.broker.communicate()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", type=pathlib.Path, default=pathlib.Path("build"))
    options = parser.parse_args()
    directory = pathlib.Path(tempfile.mkdtemp(prefix="soter-demo-"))
    demo = Demo(options.build.resolve(), directory)
    try:
        seal(demo)
        key, measurement = install(demo)
        start_broker(demo, key, measurement)
        run_model(demo)
        show_refusals(demo, key)
        print_heading("What this does not protect")
        print("  The TEE here is a plain process: this machine's owner could read the key out of it.\n"
              "  docs/threat-model.md says what sealing and release do not protect against in a real one.")
    finally:
        stop_broker(demo)
        shutil.rmtree(directory)


if __name__ == "__main__":
    main()
