#!/usr/bin/python3
"""Keys from a broker: what the enclave proves, what it accepts, and what it refuses of a broker that is down, slow or
lies. Each refusal is followed by a run with only that restored. The broker is one for tests (fake_broker.py)."""

import contextlib
import pathlib
import re
import socket
import sys

import harness

try:
    import fake_broker
except ImportError as error:
    print("python3-jwcrypto is not installed:", error)
    sys.exit(77)
from harness import IMAGES, MODEL

INPUT = ["--input", IMAGES]


class ReleaseTest(harness.CliTest):
    def setUp(self):
        super().setUp()
        lines = self.succeed("keygen", "--identity", self.directory / "identity", "--signing-key", self.directory / "key")
        recipient = next(line.split()[1] for line in lines.splitlines() if line.startswith("recipient"))
        self.sealed = self.directory / "digits.soter"
        self.succeed("seal", MODEL, "-o", self.sealed, "--recipient", recipient, "--sign", self.directory / "key",
                     "--version", "3")
        signature = pathlib.Path(f"{self.sealed}.minisig").read_text()
        self.resource = {
            "format": "soter-release-1", "name": "digits", "version": 3,
            "digest": re.search("sha256=([0-9a-f]{64})", signature).group(1),
            "identity": (self.directory / "identity").read_text().split("\n")[-2],
            "signer": (self.directory / "key.pub").read_text().split("\n")[1],
            "min-scheme": "soter", "min-check": "fingerprint"}
        self.certificate, self.certificate_key = fake_broker.make_certificate(self.directory, "broker")
        self.dev_key = self.directory / "dev.key"
        self.succeed("attest", "--new-dev-key", self.dev_key)

    @contextlib.contextmanager
    def broker(self, certificate=None):
        pair = certificate or (self.certificate, self.certificate_key)
        with fake_broker.FakeBroker(*pair, self.resource, "models/digits/3") as broker:
            self.arguments = ["--broker", broker.url, "--broker-ca", self.certificate, "--dev-key", self.dev_key]
            yield broker

    def run_sealed(self, *options):
        return self.soter("run", self.sealed, *self.arguments, *INPUT, *options)

    def accept(self, *options):
        done = self.run_sealed(*options)
        self.assertEqual(done.returncode, 0, done.stderr)

    def refuse(self, code, fragments, *options):
        self.check_failure(self.run_sealed(*options), code, *fragments)

    def test_a_key_is_released_to_what_the_enclave_proves(self):
        with self.broker() as broker:
            self.accept()
            paths = [path for path, _ in broker.requests]
            self.assertEqual(paths, ["/kbs/v0/auth", "/kbs/v0/attest", "/kbs/v0/resource/models/digits/3"])
            self.assertEqual(broker.requests[0][1]["tee"], "dev")
            first = broker.requests[1][1]["runtime-data"]["tee-pubkey"]
            self.accept("--signer", self.directory / "key.pub")
            self.assertNotEqual(broker.requests[4][1]["runtime-data"]["tee-pubkey"], first)
            self.succeed("check", self.sealed, *self.arguments)
            self.succeed("plan", self.sealed, *self.arguments, "--no-profile")

    def test_what_a_lying_broker_answers_is_refused(self):
        faults = {
            "no json": "", "short nonce": "nonce", "nonce twice": "", "no session": "kbs-session-id",
            "other hash": "SHA-384", "refuses evidence": "evidence refused", "strange token": "token",
            "denies": "the device is revoked", "other key": "", "changed resource": "", "redirect": "redirects",
            "oversized": "body limit"}
        with self.broker() as broker:
            for fault, fragment in faults.items():
                with self.subTest(fault):
                    broker.fault = fault
                    self.refuse(4, ["digits.soter", "the broker at 127.0.0.1", fragment])
                    broker.fault = ""
                    self.accept()

    def test_a_session_may_stand_for_the_token(self):
        with self.broker() as broker:
            broker.fault = "no token"
            self.accept()

    def test_each_member_of_the_resource_binds(self):
        changes = {"name": "faces", "version": 4, "digest": "0" * 64, "min-scheme": "mlcapsule", "min-check": "freivalds",
                   "format": "soter-release-2"}
        with self.broker() as broker:
            for member, value in changes.items():
                with self.subTest(member):
                    good = broker.resource
                    broker.resource = {**good, member: value}
                    self.refuse(4, ["digits"], "--check", "fingerprint")
                    broker.resource = good
                    self.accept("--check", "fingerprint")

    def test_another_signer_or_identity_is_refused(self):
        self.succeed("keygen", "--identity", self.directory / "other", "--signing-key", self.directory / "mallory")
        with self.broker() as broker:
            good = broker.resource
            broker.resource = {**good, "identity": (self.directory / "other").read_text().split("\n")[-2]}
            self.refuse(4, ["not encrypted to"])
            broker.resource = {**good, "signer": (self.directory / "mallory.pub").read_text().split("\n")[1]}
            self.refuse(4, ["digits.soter"])
            broker.resource = good
            self.refuse(4, ["--signer"], "--signer", self.directory / "mallory.pub")
            self.accept("--signer", self.directory / "key.pub")

    def test_a_weaker_wish_is_refused(self):
        with self.broker():
            self.refuse(4, ["demands scheme soter"], "--scheme", "insecure")
            self.refuse(4, ["demands check fingerprint"], "--check", "none")
            self.accept("--scheme", "soter")

    def test_a_broker_that_is_gone_late_or_overloaded(self):
        with self.broker() as broker:
            for fault, fragment in (("slow", "deadline"), ("overloaded", "too many"), ("truncated", "connection")):
                with self.subTest(fault):
                    broker.fault, broker.delay = fault, 3
                    self.refuse(6, ["the broker at", fragment], "--broker-timeout-ms", "500")
                    broker.fault = ""
                    self.accept()
        self.refuse(6, ["the broker at"])

    def test_a_broker_that_accepts_and_says_nothing(self):
        with self.broker(), socket.create_server(("127.0.0.1", 0)) as silent:
            good = self.arguments
            self.arguments = [*good]
            self.arguments[1] = f"https://127.0.0.1:{silent.getsockname()[1]}"
            self.refuse(6, ["deadline"], "--broker-timeout-ms", "500")
            self.arguments = good
            self.accept()

    def test_certificates(self):
        for name, pair in {
                "expired": fake_broker.make_certificate(self.directory, "old", days=-1),
                "mismatch": fake_broker.make_certificate(self.directory, "elsewhere", address="10.0.0.1")}.items():
            with self.subTest(name), self.broker(pair):
                self.arguments[3] = pair[0]
                self.refuse(4, [name])
        stranger = fake_broker.make_certificate(self.directory, "stranger")
        with self.broker(stranger):
            self.refuse(4, ["certificate"])
            self.arguments[3] = stranger[0]
            self.accept()

    def test_bad_options(self):
        with self.broker():
            good = self.arguments
            for index, value, fragment in ((1, "http://127.0.0.1", "https://"), (3, self.directory / "key.pub", "certificate"),
                                           (3, self.directory / "absent", "absent")):
                self.arguments = [*good]
                self.arguments[index] = value
                self.refuse(2, [fragment])
            self.arguments = good
            self.refuse(2, ["REPO/TYPE/TAG"], "--broker-resource", "models/../digits")
            self.refuse(4, ["no such resource"], "--broker-resource", "models/digits/4")
            self.refuse(4, ["version 0.4.0"], "--kbs-version", "0.3.0")
            self.accept("--broker-resource", "models/digits/3", "--kbs-version", "0.4.0")
        self.fail_with(2, ["run", self.sealed, "--broker", "https://127.0.0.1:1", *INPUT], "--broker-ca")
        self.fail_with(2, ["run", MODEL, *good, *INPUT], "not a sealed model")

    def test_sample_evidence_is_what_trustee_calls_sample(self):
        with self.broker() as broker:
            self.accept("--sample-evidence")
            self.assertEqual(broker.requests[0][1]["tee"], "sample")
            self.assertEqual(broker.requests[1][1]["tee-evidence"]["primary_evidence"]["svn"], "1")

    def lease(self, starts, end="2100-01-01T00:00:00Z"):
        self.resource["lease"] = {"starts": starts, "not-after": end}
        return self.directory / "lease"

    def offline(self, lease):
        self.arguments = ["--dev-key", self.dev_key, "--lease", lease]

    def test_a_lease_allows_so_many_starts_without_the_broker(self):
        lease = self.lease(2)
        self.offline(lease)
        self.refuse(2, ["there is no lease"])
        with self.broker():
            self.accept("--lease", lease)
        self.offline(lease)
        self.accept()
        self.accept()
        self.refuse(4, ["the lease", "all of its 2 starts"])
        with self.broker() as broker:
            self.accept("--lease", lease)  # renewed
            self.assertEqual(len(broker.requests), 3)
            self.accept("--lease", lease)  # from the lease
            self.assertEqual(len(broker.requests), 3)
        self.offline(lease)
        self.accept()
        self.refuse(4, ["all of its 2 starts"])

    def test_a_lease_is_for_this_machine_program_and_model(self):
        lease = self.lease(9)
        with self.broker():
            self.accept("--lease", lease)
        good = lease.read_bytes()
        self.assertNotIn(b"AGE-SECRET-KEY", good)
        self.offline(lease)
        lease.write_bytes(good[:-1] + bytes([good[-1] ^ 1]))
        self.refuse(4, ["was changed, or is for another machine"])
        lease.write_bytes(good[:-1])
        self.refuse(4, ["the lease"])
        lease.write_bytes(good)
        self.accept()
        other = self.directory / "other-dev.key"
        self.succeed("attest", "--new-dev-key", other)
        self.arguments[1] = other
        self.refuse(4, ["another machine"])
        self.arguments[1] = self.dev_key
        self.accept()

    def test_a_lease_ends(self):
        lease = self.lease(9, "2001-01-01T00:00:00Z")
        with self.broker():
            self.accept("--lease", lease)
        self.offline(lease)
        self.refuse(4, ["ended at 2001-01-01T00:00:00Z"])

    def test_a_lease_that_is_not_granted(self):
        with self.broker():
            self.refuse(4, ["grants no lease"], "--lease", self.directory / "lease")
            self.assertFalse((self.directory / "lease").exists())
            self.accept()

    def test_a_lease_that_cannot_be_kept_starts_nothing(self):
        self.lease(2)
        with self.broker():
            self.refuse(2, ["absent"], "--lease", self.directory / "absent/lease")
            self.accept("--lease", self.directory / "lease")

    def test_without_a_lasting_dev_key_nothing_can_be_kept(self):
        self.lease(2)
        with self.broker():
            self.arguments = self.arguments[:4]
            self.refuse(5, ["--dev-key"], "--lease", self.directory / "lease")


if __name__ == "__main__":
    harness.main()
