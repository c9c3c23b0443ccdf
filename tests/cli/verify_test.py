#!/usr/bin/python3
"""`soter attest` and `soter verify`: evidence of real machines against the policies of examples/policies, where
SOTER_VECTORS has it, and evidence of the development TEE made here."""

import json
import os
import pathlib
import re
import unittest

import harness

POLICIES = harness.ROOT / "examples/policies"
VECTORS = pathlib.Path(os.environ.get("SOTER_VECTORS", harness.ROOT / "../shared/vectors")) / "attestation"
NONCE = "00112233445566778899aabbccddeeff"
SNP, INTEL, RATLS = "2025-06-01T00:00:00Z", "2025-07-01T00:00:00Z", "2023-02-22T16:30:00Z"
SGX_JSON, TDX_JSON = "ph_sgx_quote_collateral.json", "ph_tdx_quote_collateral.json"
CHAIN = ["tr_test-vcek.der", "tr_milan.pem"]
CLOUD = ["tr_test-vlek.der", "tr_milan.pem"]
STATUS = ["tcb.status", "tcb.advisories"]
DATES = ["pck.revocation", "tcb_info.dates", "qe_identity.dates"]

# Evidence, collateral, policy, time, the checks that must fail: the verdict stands on them and on nothing else.
CASES = [
    ("gsg_attestation.bin", ["gsg_vcek.der", "gsg_milan.pem"], "strict", SNP, ["snp.debug"]),
    ("gsg_attestation.bin", ["gsg_vcek.der", "gsg_milan.pem"], "inspect", SNP, []),
    ("tr_test-report.bin", CHAIN, "snp", SNP, []),
    ("tr_test-report.bin", CHAIN, "strict", SNP, []),
    ("tr_test-report.bin", CHAIN, "snp-cloud", SNP, ["snp.vmpl", "snp.measurement"]),
    ("tr_test-report.bin", CHAIN, "sgx", SNP, ["platform", "snp.measurement"]),
    ("tr_test-report.bin", [], "snp", SNP, ["snp.certificate_chain"]),
    ("tr_test-report.bin", ["tr_test-vcek-invalid-legacy.der", "tr_milan.pem"], "inspect", SNP, None),
    ("tr_test-report.bin", ["tr_test-vcek-invalid-new.der", "tr_milan.pem"], "inspect", SNP, None),
    ("tr_test-report.bin", ["gsg_vcek.der", "tr_milan.pem"], "inspect", SNP, None),
    ("tr_test-vlek-report.bin", CLOUD, "snp-cloud", SNP, []),
    ("tr_test-vlek-report.bin", CLOUD, "strict", SNP, ["snp.vmpl"]),
    ("tr_test-vlek-report.bin", CLOUD, "snp-cloud", "2025-12-11T00:00:00Z", ["snp.certificate_dates"]),
    ("tr_test-vlek-report.bin", ["tr_test-vlek.der", "gsg_milanvlek.pem"], "snp-cloud", SNP, []),
    ("ph_sgx_quote", [SGX_JSON], "sgx", INTEL, []),
    ("ph_sgx_quote", [SGX_JSON], "strict", INTEL, STATUS),
    ("ph_sgx_quote", [], "sgx", INTEL, ["collateral"]),
    ("ph_tdx_quote", [TDX_JSON], "tdx", INTEL, []),
    ("ph_tdx_quote", [TDX_JSON], "strict", INTEL, []),
    ("ph_tdx_quote", [TDX_JSON], "tdx", "2025-06-18T00:00:00Z", DATES),
    ("ph_tdx_quote", [TDX_JSON], "tdx", "2025-07-20T00:00:00Z", DATES),
    ("ph_tdx_quote", [SGX_JSON], "tdx", INTEL, ["pck.revocation", "tcb_info.kind", "tcb_info.fmspc"]),
    ("tr_occlum_quote.dat", [], "inspect", INTEL, []),
    ("tr_occlum_quote.dat", [], "strict", INTEL, ["collateral", "sgx.debug"]),
    ("tr_tdx_quote_4.dat", [], "inspect", INTEL, []),
    ("tr_tdx_quote_4.dat", [], "strict", INTEL, ["collateral", "tdx.debug"]),
    ("tr_tdx_quote_5.dat", [], "inspect", INTEL, []),
    ("tr_tdx_quote_5.dat", [], "strict", INTEL, ["collateral"]),
    ("ratls_gramine-cert.pem", [], "inspect", RATLS, []),
    ("ratls_gramine-cert.pem", [], "strict", RATLS, ["collateral", "sgx.debug"]),
    ("ratls_rats-tls-cert.pem", [], "inspect", RATLS, []),
    ("ratls_rats-tls-cert.pem", [], "inspect", INTEL, ["ra_tls.dates"]),
]


def failed(verdict):
    return [check["name"] for check in verdict["checks"] if check["outcome"] == "failed"]


class VerifyTest(harness.CliTest):
    def verify(self, evidence, policy, *options):
        """Returns the exit code and the verdict; what is wrong with it is said on standard error too."""
        done = self.soter("verify", evidence, "--policy", policy, "--json", *options)
        verdict = json.loads(done.stdout)
        self.assertEqual(done.returncode, 0 if verdict["accepted"] else 4, done.stderr)
        self.assertEqual(verdict["accepted"], failed(verdict) == [])
        self.assertEqual("refused" in done.stderr, done.returncode == 4)
        for check in verdict["checks"]:
            self.assertTrue(check["why"], check)
            self.assertTrue(check["remedy"] or check["outcome"] == "passed", check)
        return verdict

    @unittest.skipUnless(VECTORS.is_dir(), f"no vectors in {VECTORS}: set SOTER_VECTORS")
    def test_evidence_of_real_machines(self):
        for name, collateral, policy, time, expected in CASES:
            with self.subTest(evidence=name, collateral=collateral, policy=policy, time=time):
                options = [word for file in collateral for word in ("--collateral", VECTORS / file)]
                verdict = self.verify(VECTORS / name, POLICIES / f"{policy}.toml", "--at", time, *options)
                if expected is None:
                    self.assertTrue(failed(verdict))
                else:
                    self.assertCountEqual(failed(verdict), expected)
                self.assertEqual(verdict["time"], time)

    def write(self, name, content):
        path = self.directory / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    def answers(self, collateral):
        """What Intel's service would have answered, in files of their own, instead of one file that holds all of it."""
        packed = json.loads((VECTORS / collateral).read_text())
        bodies = {name: f'{{"{member}":{packed[name]},"signature":"{packed[name + "_signature"]}"}}'
                  for name, member in (("tcb_info", "tcbInfo"), ("qe_identity", "enclaveIdentity"))}
        chain = packed["tcb_info_issuer_chain"].replace("\n", "\r\n")
        return [self.write("tcb.json", bodies["tcb_info"]), self.write("qe.json", bodies["qe_identity"] + "\n"),
                self.write("chain.pem", chain), self.write("root.crl", bytes.fromhex(packed["root_ca_crl"])),
                self.write("pck.crl", bytes.fromhex(packed["pck_crl"]))]

    @unittest.skipUnless(VECTORS.is_dir(), f"no vectors in {VECTORS}: set SOTER_VECTORS")
    def test_collateral_in_the_answers_of_intels_service(self):
        for quote, collateral, policy in (("ph_sgx_quote", SGX_JSON, "sgx"), ("ph_tdx_quote", TDX_JSON, "tdx")):
            files = self.answers(collateral)
            options = [word for file in files for word in ("--collateral", file)]
            judge = lambda words: failed(self.verify(VECTORS / quote, POLICIES / f"{policy}.toml", *words, "--at", INTEL))
            self.assertEqual(judge(options), [])
            self.assertEqual(judge(options[4:] + options[:4]), [])  # in another order
            for i, file in enumerate(files):
                self.assertEqual(judge(options[:2 * i] + options[2 * i + 2:]), ["collateral"], file)
            self.succeed("verify", *options, VECTORS / quote, "--policy", POLICIES / f"{policy}.toml", "--at", INTEL)

    @unittest.skipUnless(VECTORS.is_dir(), f"no vectors in {VECTORS}: set SOTER_VECTORS")
    def test_every_file_of_evidence_is_judged(self):
        seen = {name for case in CASES for name in [case[0], *case[1]]}
        unseen = {path.name for path in VECTORS.iterdir()} - seen
        self.assertLessEqual(unseen, {"gtg_pckcrl", "gtg_rootcrl.der", "gtg_trusted_root.pem"})  # of no quote here

    @unittest.skipUnless(VECTORS.is_dir(), f"no vectors in {VECTORS}: set SOTER_VECTORS")
    def test_text_names_each_check_with_its_reason_and_remedy(self):
        done = self.soter("verify", VECTORS / "tr_test-report.bin", "--policy", POLICIES / "snp.toml", "--at", SNP)
        self.assertEqual(done.returncode, 4)
        self.assertIn("passed  snp.format", done.stdout)
        self.assertIn("failed  snp.certificate_chain", done.stdout)
        self.assertIn("wanted:", done.stdout)
        self.assertIn("REFUSED: snp evidence", done.stdout)
        lines = done.stdout.splitlines()
        counts = [sum(line.startswith(outcome + " ") for line in lines) for outcome in ("passed", "failed", "skipped")]
        self.assertEqual(lines[-2], "{} passed, {} failed, {} skipped".format(*counts))

    def dev_evidence(self):
        key, evidence = self.directory / "dev.key", self.directory / "evidence.json"
        self.assertEqual(self.succeed("attest", "--new-dev-key", key), "")
        self.assertEqual(key.stat().st_mode & 0o777, 0o600)
        done = self.soter("attest", "--nonce", NONCE, "--dev-key", key)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("protects nothing", done.stderr)
        evidence.write_text(done.stdout)
        return evidence

    def write_policy(self, key, measurement, workload=""):
        path = self.directory / "policy.toml"
        path.write_text(f'platforms = ["dev"]\n[dev]\nkeys = ["{key}"]\nmeasurements = ["{measurement}"]\n{workload}')
        return path

    def test_dev_evidence_is_pinned_and_refused_where_anything_differs(self):
        evidence, zeros = self.dev_evidence(), "0" * 64
        unpinned = self.verify(evidence, self.write_policy(zeros, zeros))
        self.assertEqual(failed(unpinned), ["dev.key", "dev.measurement"])
        key, measurement = unpinned["claims"]["public_key"], unpinned["claims"]["measurement"]
        workload = f'[workload]\npurpose = "attest"\nnonce = "{NONCE}"\n'
        self.assertEqual(failed(self.verify(evidence, self.write_policy(key, measurement, workload))), [])
        other = workload.replace("00112233", "ff112233")
        self.assertEqual(failed(self.verify(evidence, self.write_policy(key, measurement, other))),
                         ["workload.nonce"])
        self.assertEqual(failed(self.verify(evidence, POLICIES / "strict.toml"))[0], "platform")

    def test_bytes_that_are_no_evidence_are_refused(self):
        nonsense = self.directory / "nonsense"
        nonsense.write_bytes(b"\x1b[2Jnonsense")
        self.assertEqual(failed(self.verify(nonsense, POLICIES / "strict.toml")), ["evidence.format"])
        verdict = self.verify(self.dev_evidence(), POLICIES / "strict.toml", "--collateral", nonsense)
        self.assertIn("collateral.format", failed(verdict))

    def test_what_cannot_be_read_is_bad_input(self):
        evidence, policy = self.dev_evidence(), POLICIES / "strict.toml"
        absent, bad = self.directory / "absent", self.directory / "bad.toml"
        self.fail_with(2, ["verify", absent, "--policy", policy], "absent")
        self.fail_with(2, ["verify", evidence, "--policy", absent], "absent")
        self.fail_with(2, ["verify", evidence, "--policy", policy, "--collateral", absent], "absent")
        self.fail_with(2, ["verify", evidence, "--policy", policy, "--at", "yesterday"], "yesterday")
        self.fail_with(2, ["verify", evidence], "--policy")
        bad.write_text('platforms = ["snp"]\n[snp]\nmeasurement = []\n')
        self.fail_with(2, ["verify", evidence, "--policy", bad], "bad.toml", "measurement")

    def test_a_verdict_that_cannot_be_written_is_no_success(self):
        with open("/dev/full", "w") as full:
            done = harness.subprocess.run([harness.BUILD / "soter", "attest", "--nonce", NONCE, "--dev-key",
                                           self.dev_evidence().with_name("dev.key")], stdout=full, text=True,
                                          stderr=harness.subprocess.PIPE, env=self.environment)
        self.assertEqual(done.returncode, 1)

    def test_attest_refuses_what_it_cannot_do(self):
        key = self.dev_evidence().with_name("dev.key")
        self.fail_with(2, ["attest"], "--nonce")
        self.fail_with(2, ["attest", "--new-dev-key", key], "dev.key")  # is there already
        self.fail_with(2, ["attest", "--nonce", NONCE, "--new-dev-key", key], "--new-dev-key")
        absent = self.soter("attest", "--nonce", NONCE, "--dev-key", self.directory / "absent")
        self.check_failure(absent, 2, "absent")
        for nonce in ("xyz", "00", NONCE * 5):
            done = self.soter("attest", "--nonce", nonce, "--dev-key", key)
            self.assertEqual((done.returncode, done.stdout), (2, ""), nonce)
            self.assertIn("nonce", done.stderr)

    @unittest.skipIf(any(map(os.path.exists, ("/dev/sev-guest", "/dev/tdx_guest", "/dev/attestation"))), "a TEE")
    def test_a_machine_without_a_tee_has_no_evidence(self):
        self.fail_with(5, ["attest", "--nonce", NONCE], "no TEE here", "dev key")


class PolicyTest(unittest.TestCase):
    def test_policies_that_give_something_up_say_so(self):
        for path in POLICIES.glob("*.toml"):
            text = path.read_text()
            insecure = re.search(r"^\w+_insecure = true", text, re.MULTILINE)
            self.assertEqual(bool(insecure), path.stem in ("strict", "inspect"), path)
            self.assertEqual(bool(insecure), "rely" in text, path)


if __name__ == "__main__":
    harness.main()
