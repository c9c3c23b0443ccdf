#!/usr/bin/python3
"""Keys and sealed model files: made, told about, rotated, opened by age and minisign; and what refuses them."""

import hashlib
import json
import shutil
import stat
import subprocess
import unittest

import harness
from harness import MODEL


class SealTest(harness.CliTest):
    def setUp(self):
        super().setUp()
        self.identity, self.recipient = self.make_identity("owner")
        self.key = self.directory / "sign.key"
        self.signer = self.directory / "sign.key.pub"
        self.succeed("keygen", "--signing-key", self.key)
        self.sealed = self.directory / "digits.soter"

    def make_identity(self, name):
        path = self.directory / name
        lines = self.succeed("keygen", "--identity", path).splitlines()
        (recipient,) = [line.split()[1] for line in lines if line.startswith("recipient")]
        return path, recipient

    def seal(self, *options):
        return self.succeed("seal", MODEL, "-o", self.sealed, "--recipient", self.recipient, "--sign", self.key,
                            *options)

    def reseal_arguments(self, **changes):
        given = {"output": self.directory / "new.soter", "identity": self.identity, "signer": self.signer,
                 "recipient": self.recipient, "sign": self.key, **changes}
        return ["reseal", self.sealed] + [word for name, value in given.items() for word in (f"--{name}", value)]

    def inspect(self, path, *options):
        return json.loads(self.succeed("inspect", path, "--json", *options))


class KeygenTest(SealTest):
    def test_secrets_are_for_their_owner_alone_and_never_replaced(self):
        for path, arguments in ((self.identity, ["--identity", self.identity]),
                                (self.key, ["--signing-key", self.key])):
            self.assertEqual(stat.S_IMODE(path.stat().st_mode), 0o600)
            before = path.read_bytes()
            self.fail_with(2, ["keygen", *arguments], path.name)
            self.assertEqual(path.read_bytes(), before)

    def test_nothing_asked_for(self):
        self.fail_with(2, ["keygen"], "--identity", "--signing-key")

    def test_no_such_directory(self):
        self.fail_with(2, ["keygen", "--identity", self.directory / "no" / "key"], "key")


class InspectTest(SealTest):
    def test_says_what_was_sealed(self):
        self.seal("--name", "digits-2", "--version", "7")
        info = self.inspect(self.sealed, "--signer", self.signer)
        self.assertTrue(info["verified"])
        self.assertEqual((info["name"], info["version"]), ("digits-2", 7))
        self.assertEqual(info["recipient_kinds"], ["X25519"])
        self.assertEqual(info["ciphertext_bytes"], self.sealed.stat().st_size)
        self.assertFalse(self.inspect(self.sealed)["verified"])
        self.assertIn("NOT verified", self.succeed("inspect", self.sealed))

    def test_another_signer(self):
        self.seal()
        self.succeed("keygen", "--signing-key", self.directory / "other")
        self.fail_with(4, ["inspect", self.sealed, "--signer", self.directory / "other.pub"], "digits.soter")
        self.succeed("inspect", self.sealed, "--signer", self.signer)

    def test_one_changed_byte(self):
        self.seal()
        good = self.sealed.read_bytes()
        self.sealed.write_bytes(good[:-1] + bytes([good[-1] ^ 1]))
        self.fail_with(4, ["inspect", self.sealed, "--signer", self.signer], "digits.soter")
        self.sealed.write_bytes(good)
        self.succeed("inspect", self.sealed, "--signer", self.signer)

    def test_not_a_sealed_model(self):
        self.seal()
        shutil.copy(str(self.sealed) + ".minisig", self.directory / "text.minisig")
        (self.directory / "text").write_text("this is a text\n" * 100)
        self.fail_with(2, ["inspect", self.directory / "text"], "text")
        self.fail_with(2, ["inspect", self.directory / "nowhere.soter"], "nowhere.soter")


class SealCommandTest(SealTest):
    def test_bad_options(self):
        arguments = ["seal", MODEL, "-o", self.sealed, "--recipient", self.recipient, "--sign", self.key]
        self.fail_with(2, [*arguments, "--name", "-x/y"], "--name")
        self.fail_with(2, [*arguments, "--min-theta", "0.5", "--max-theta", "0.4"], "theta")
        self.fail_with(2, [*arguments[:5], "age1nobody", *arguments[6:]], "age1nobody")
        self.fail_with(2, [*arguments[:7], self.directory / "no.key"], "no.key")
        self.fail_with(2, [*arguments, "--min-scheme", "strong"], "strong")
        self.assertFalse(self.sealed.exists())
        self.succeed(*arguments)

    def test_leaves_no_plaintext(self):
        self.seal()
        self.assertEqual(sorted(path.name for path in self.directory.iterdir()),
                         ["digits.soter", "digits.soter.minisig", "owner", "sign.key", "sign.key.pub", "tmp"])
        self.assertNotIn(b"Conv", self.sealed.read_bytes())

    @unittest.skipUnless(shutil.which("age") and shutil.which("minisign"), "age and minisign are not installed")
    def test_age_and_minisign_open_it(self):
        self.seal()
        plain = subprocess.run(["age", "-d", "-i", self.identity, self.sealed], capture_output=True, check=True).stdout
        self.assertTrue(plain.startswith(b"SOTERSM\n"))
        self.assertEqual(hashlib.sha256(plain).hexdigest(), self.inspect(self.sealed)["digest"])
        subprocess.run(["minisign", "-V", "-q", "-p", self.signer, "-m", self.sealed], check=True)


class ResealTest(SealTest):
    def test_rotates_recipient_and_keeps_the_model(self):
        self.seal()
        identity, recipient = self.make_identity("next")
        new = self.directory / "new.soter"
        self.succeed(*self.reseal_arguments(recipient=recipient))
        self.assertEqual(self.inspect(new, "--signer", self.signer)["digest"], self.inspect(self.sealed)["digest"])
        self.sealed = new
        self.fail_with(4, self.reseal_arguments(output=self.directory / "third.soter"), "new.soter")
        self.succeed(*self.reseal_arguments(output=self.directory / "third.soter", identity=identity))

    def test_another_signer_is_refused(self):
        self.seal()
        self.succeed("keygen", "--signing-key", self.directory / "other")
        self.fail_with(4, self.reseal_arguments(signer=self.directory / "other.pub"), "digits.soter")
        self.assertFalse((self.directory / "new.soter").exists())
        self.succeed(*self.reseal_arguments())

    def test_truncated_model_is_refused(self):
        self.seal()
        good = self.sealed.read_bytes()
        self.sealed.write_bytes(good[:len(good) // 2])
        self.fail_with(4, self.reseal_arguments(), "digits.soter")
        self.assertFalse((self.directory / "new.soter").exists())
        self.sealed.write_bytes(good)
        self.succeed(*self.reseal_arguments())

    def test_in_place(self):
        self.seal()
        before = self.inspect(self.sealed)["digest"]
        self.succeed(*self.reseal_arguments(output=self.sealed))
        self.assertEqual(self.inspect(self.sealed, "--signer", self.signer)["digest"], before)


if __name__ == "__main__":
    harness.main()
