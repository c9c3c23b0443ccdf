#!/usr/bin/python3
"""An enclave proves what it is before it gets a model, and which model it has, under which scheme and check, before it
gets an input: through --enclave-policy, over RA-TLS where it was started apart. What differs is refused with exit code
4, and accepted again with nothing but that restored."""

import contextlib
import json
import socket
import ssl
import subprocess

import harness
from dev_tee import ENCLAVE, NONCE, make_key, measurement, write_policy
from harness import IMAGES, MODEL

SCHEMES = 'schemes = ["soter"]\nchecks = ["freivalds"]\n'


class AttestedRunTest(harness.CliTest):
    def setUp(self):
        super().setUp()
        self.key, self.public_key = make_key(self)
        self.enclaves = []

    def tearDown(self):
        for enclave in self.enclaves:
            enclave.communicate(timeout=20)
        super().tearDown()

    def policy(self, workload="", **changes):
        return write_policy(self, changes.pop("public_key", self.public_key), changes.pop("digest", None), workload)

    def claims(self, *options, key=None):
        """What the evidence of an enclave with these options says."""
        done = self.soter("attest", *options, "--nonce", NONCE, "--dev-key", key or self.key)
        self.assertEqual(done.returncode, 0, done.stderr)
        evidence = self.directory / "evidence.json"
        evidence.write_text(done.stdout)
        verdict = json.loads(self.succeed("verify", evidence, "--policy", self.policy(), "--json"))
        return verdict["claims"]["workload"]

    def run_here(self, *options, code=0, policy=None, key=None):
        done = self.soter("run", MODEL, "--input", IMAGES, "--json", "--dev-key", key or self.key, "--enclave-policy",
                          policy, *options)
        self.assertEqual(done.returncode, code, done.stderr)
        return done

    def run_apart(self, policy, *options, key=True, connect=None, code=0):
        """The same with an enclave that is started apart; `connect` makes another peer out of the address."""
        run = self.start("run", MODEL, "--input", IMAGES, "--json", "--enclave", "127.0.0.1:0", "--enclave-policy",
                         policy, *options)
        address = run.stderr.readline().split()[-1]
        if connect:
            connect(address)
        else:
            command = [ENCLAVE, "--connect", address, *(["--dev-key", self.key] if key else [])]
            self.enclaves.append(subprocess.Popen(command, env=self.environment, stderr=subprocess.PIPE, text=True))
        stdout, stderr = run.communicate(timeout=120)
        self.assertEqual(run.returncode, code, stderr)
        if code:
            self.assertEqual(stdout, "")
        return stdout, stderr

    def test_evidence_names_model_scheme_and_check(self):
        bare = self.claims()
        self.assertEqual((bare["nonce"], bare["purpose"], bare["model_digest"], bare["scheme"]), (NONCE, "attest", "", ""))
        soter, other = self.claims(MODEL), self.claims(MODEL, "--scheme", "mlcapsule")
        self.assertEqual((soter["scheme"], soter["check"]), ("soter", "freivalds"))
        self.assertEqual((other["scheme"], other["check"]), ("mlcapsule", "none"))
        self.assertEqual(soter["model_digest"], other["model_digest"])
        self.assertEqual(len(soter["model_digest"]), 64)
        changed = self.write_onnx("small.onnx", [harness.helper.make_node("Relu", ["x"], ["y"])])
        self.assertNotEqual(self.claims(changed)["model_digest"], soter["model_digest"])

    def test_evidence_never_claims_more_than_is_so(self):
        rare = self.claims(MODEL, "--check", "fingerprint", "--fingerprint-rate", "0.01")
        self.assertEqual((rare["scheme"], rare["check"]), ("soter", "none"))
        usual = self.claims(MODEL, "--check", "fingerprint")
        self.assertEqual(usual["check"], "fingerprint")
        self.assertEqual(self.claims(MODEL, "--seed", "1")["scheme"], "insecure")
        self.assertEqual(self.claims(MODEL, "--force-unit-scales")["scheme"], "insecure")

    def test_a_sealed_model_is_named_by_its_digest(self):
        identity, sealed = self.directory / "identity", self.directory / "digits.soter"
        lines = self.succeed("keygen", "--identity", identity, "--signing-key", self.directory / "key")
        recipient = next(line.split()[1] for line in lines.splitlines() if line.startswith("recipient"))
        self.succeed("seal", MODEL, "-o", sealed, "--recipient", recipient, "--sign", self.directory / "key")
        keys = ["--identity", identity, "--signer", self.directory / "key.pub"]
        digest = self.claims(sealed, *keys)["model_digest"]
        self.assertIn(digest, self.succeed("inspect", sealed))
        pinned = self.policy(f'[workload]\nmodel_digest = "{digest}"\n')
        self.succeed("run", sealed, *keys, "--input", IMAGES, "--dev-key", self.key, "--enclave-policy", pinned)

    def test_a_policy_binds_an_enclave_that_is_started_here(self):
        digest = self.claims(MODEL)["model_digest"]
        workload = f'[workload]\nmodel_digest = "{digest}"\n{SCHEMES}'
        attested = json.loads(self.run_here(policy=self.policy(workload)).stdout)["attested"]
        self.assertEqual(attested, {"platform": "dev", "measurement": measurement(), "model_digest": digest})
        other = make_key(self, "other.key")[0]
        refusals = [
            ("dev.key", {"policy": self.policy(workload), "key": other}, []),
            ("workload.check", {"policy": self.policy(workload)}, ["--check", "none"]),
            ("workload.check", {"policy": self.policy(workload)}, ["--check", "fingerprint", "--fingerprint-rate", "0"]),
            ("workload.scheme", {"policy": self.policy(workload)}, ["--scheme", "insecure"]),
            ("workload.scheme", {"policy": self.policy(workload)}, ["--seed", "1"]),
        ]
        for fragment, changed, options in refusals:
            with self.subTest(fragment, options=options):
                done = self.run_here(*options, code=4, **changed)
                self.assertEqual(done.stdout, "")
                self.assertIn(fragment, done.stderr)
        self.assertIn("dev.measurement", self.run_here(code=4, policy=self.policy(digest="0" * 64)).stderr)
        model = self.policy(workload.replace(digest, "0" * 64))
        self.assertIn("workload.model_digest", self.run_here(code=4, policy=model).stderr)
        self.run_here(policy=self.policy(workload))

    def test_an_enclave_apart_proves_itself_over_tls(self):
        policy = self.policy(f"[workload]\n{SCHEMES}")
        attested = json.loads(self.run_apart(policy)[0])["attested"]
        self.assertEqual(attested["measurement"], measurement())
        self.assertIn("workload.check", self.run_apart(policy, "--check", "none", code=4)[1])
        _, stderr = self.run_apart(policy, key=False, code=4)
        self.assertIn("dev.key", stderr)
        self.assertIn("dev.measurement", self.run_apart(self.policy(digest="0" * 64), code=4)[1])

    def test_what_is_no_enclave_gets_nothing(self):
        heard = []

        def speak_plainly(address):
            host, port = address.rsplit(":", 1)
            with socket.create_connection((host, int(port))) as peer:
                peer.sendall(b"SCTL" + bytes(60))
                with contextlib.suppress(ConnectionResetError):
                    while piece := peer.recv(4096):
                        heard.append(piece)

        _, stderr = self.run_apart(self.policy(), connect=speak_plainly, code=4)
        self.assertIn("no TLS 1.3 connection", stderr)
        self.assertLess(sum(map(len, heard)), 1000)  # a ClientHello and an alert: no settings, no model

    def evidence_shown(self):
        """The evidence extension of the certificate that an enclave shows to whoever answers its call, as hexadecimal."""
        oid = bytes.fromhex("0606678105050409")  # 2.23.133.5.4.9
        with socket.create_server(("127.0.0.1", 0)) as listener:
            command = [ENCLAVE, "--connect", "127.0.0.1:{}".format(listener.getsockname()[1]), "--dev-key", self.key]
            self.enclaves.append(subprocess.Popen(command, env=self.environment, stderr=subprocess.PIPE, text=True))
            connection, _ = listener.accept()
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        with context.wrap_socket(connection) as tls:
            der = tls.getpeercert(binary_form=True)
        octets = der[der.index(oid) + len(oid):]
        self.assertEqual(octets[:2], b"\x04\x82")  # an OCTET STRING with two bytes of length
        return octets[4:4 + int.from_bytes(octets[2:4], "big")].hex()

    def serve_tls(self, evidence="00", newest=None):
        """A peer with a key of its own, that shows `evidence` beside it, as TLS's server."""
        certificate = self.directory / "mallory.pem"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                        "-subj", "/CN=soter", "-days", "2", "-addext", f"2.23.133.5.4.9=DER:{evidence}",
                        "-keyout", certificate, "-out", self.directory / "mallory.crt"], check=True, capture_output=True)
        certificate.write_bytes(certificate.read_bytes() + (self.directory / "mallory.crt").read_bytes())
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        if newest:
            context.maximum_version = newest

        def connect(address):
            host, port = address.rsplit(":", 1)
            with socket.create_connection((host, int(port))) as peer, contextlib.suppress(OSError):
                with context.wrap_socket(peer, server_side=True) as tls:
                    self.heard = tls.recv(4096)

        self.heard = b""
        return connect

    def test_evidence_of_another_enclave_is_no_evidence_of_its_bearer(self):
        """Whoever is in between can show an enclave's evidence, but not beside the enclave's key."""
        stolen = self.serve_tls(self.evidence_shown())
        _, stderr = self.run_apart(self.policy(), connect=stolen, code=4)
        self.assertIn("ra_tls.key", stderr)
        self.assertEqual(self.heard, b"")
        self.run_apart(self.policy())

    def test_a_certificate_without_evidence_is_refused(self):
        _, stderr = self.run_apart(self.policy(), connect=self.serve_tls(), code=4)
        self.assertIn("ra_tls.format", stderr)
        self.assertEqual(self.heard, b"")

    def test_an_older_tls_is_refused(self):
        older = self.serve_tls(newest=ssl.TLSVersion.TLSv1_2)
        _, stderr = self.run_apart(self.policy(), connect=older, code=4)
        self.assertIn("no TLS 1.3 connection", stderr)

    def test_evidence_of_an_enclave_apart_needs_no_policy(self):
        attest = self.start("attest", "--nonce", NONCE, "--enclave", "127.0.0.1:0")
        command = [ENCLAVE, "--connect", attest.stderr.readline().split()[-1], "--dev-key", self.key]
        self.enclaves.append(subprocess.Popen(command, env=self.environment, stderr=subprocess.PIPE, text=True))
        stdout, stderr = attest.communicate(timeout=60)
        self.assertEqual(attest.returncode, 0, stderr)
        evidence = self.directory / "evidence.json"
        evidence.write_text(stdout)
        self.succeed("verify", evidence, "--policy", self.policy(f'[workload]\nnonce = "{NONCE}"\n'))

    def test_what_cannot_be_demanded_is_bad_input(self):
        run = ["run", MODEL, "--input", IMAGES]
        self.fail_with(2, [*run, "--enclave", "127.0.0.1:0"], "--enclave-policy")
        self.fail_with(2, ["attest", MODEL, "--nonce", NONCE, "--enclave", "127.0.0.1:0"], "--enclave-policy")
        self.fail_with(2, [*run, "--enclave-collateral", MODEL], "--enclave-policy")
        self.fail_with(2, [*run, "--enclave-policy", self.directory / "absent"], "--enclave-policy", "absent")
        for pinned in ('purpose = "attest"', f'nonce = "{NONCE}"'):
            policy = self.policy(f"[workload]\n{pinned}\n")
            self.fail_with(2, [*run, "--enclave-policy", policy], "leave them out")
        for address in ("gramine", f"unix:{self.directory}/s"):
            self.fail_with(2, [*run, "--enclave", address, "--enclave-policy", self.policy()], "--enclave", "HOST:PORT")
        self.fail_with(2, [*run, "--dev-key", self.directory / "absent"], "--dev-key", "absent")


if __name__ == "__main__":
    harness.main()
