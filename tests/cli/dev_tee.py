"""What the tests share that let an enclave of the development TEE prove what it is."""

import base64
import hashlib
import json

import harness

NONCE = "00112233445566778899aabbccddeeff"
ENCLAVE = harness.BUILD / "soter-enclave"


def make_key(test, name="dev.key"):
    """A new key of the development TEE, and its public half in hexadecimal."""
    key = test.directory / name
    test.succeed("attest", "--new-dev-key", key)
    done = test.soter("attest", "--nonce", NONCE, "--dev-key", key)
    test.assertEqual(done.returncode, 0, done.stderr)
    report = base64.b64decode(json.loads(done.stdout)["report"])
    return key, report[116:148].hex()  # docs/spec/attestation.md, 2.4


def measurement():
    return hashlib.sha256(ENCLAVE.read_bytes()).hexdigest()


def write_policy(test, public_key, digest=None, workload="", name="policy.toml"):
    """A policy that accepts this build's enclave with that key, and what `workload` adds."""
    path = test.directory / name
    path.write_text(f'platforms = ["dev"]\n[dev]\nkeys = ["{public_key}"]\n'
                    f'measurements = ["{digest or measurement()}"]\n{workload}')
    return path
