#!/usr/bin/python3
"""peers_test.py JOSE_PEER: what we encrypt and sign, Debian's `jose` and python3-jwcrypto open and verify, and the other
way round. Exits with 77 where neither is installed."""

import json
import pathlib
import secrets
import shutil
import subprocess
import sys
import tempfile
import unittest

try:
    from jwcrypto import jwe, jwk, jws
except ImportError:
    jwk = None
JOSE = shutil.which("jose")
PEER = None
CURVES = ["P-256", "P-384", "P-521"]
SIGNING = {"P-256": "ES256", "P-384": "ES384"}
HEADER = {"alg": "ECDH-ES+A256KW", "enc": "A256GCM"}
MESSAGES = [b"", b"x", b"\0" * 17, secrets.token_bytes(3000)]


def run(command, data=b""):
    done = subprocess.run(command, input=data, capture_output=True, check=False)
    if done.returncode != 0:
        raise AssertionError(f"{command}: {done.stderr.decode()}")
    return done.stdout


def ours(command, path, data):
    return run([PEER, command, path], data)


class Peer(unittest.TestCase):
    def setUp(self):
        self.directory = pathlib.Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.directory)

    def file(self, name, content):
        path = self.directory / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path


@unittest.skipUnless(jwk, "python3-jwcrypto is not installed")
class JwcryptoTest(Peer):
    def key(self, curve):
        key = jwk.JWK.generate(kty="EC", crv=curve)
        pem = self.file("key.pem", key.export_to_pem(private_key=True, password=None))
        return key, pem, self.file("public.json", key.export_public())

    def test_opens_what_we_encrypt(self):
        for curve in CURVES:
            key, _, public = self.key(curve)
            for message in MESSAGES[1:]:  # it takes an empty plaintext for a failure
                token = jwe.JWE()
                token.deserialize(ours("encrypt", public, message).decode(), key)
                self.assertEqual(token.payload, message)
                self.assertEqual(token.jose_header["alg"], "ECDH-ES+A256KW")

    def test_we_open_what_it_encrypts(self):
        for curve in CURVES:
            key, pem, _ = self.key(curve)
            for extra in ({}, {"apu": "QWxpY2U", "apv": "Qm9i"}):
                for message in MESSAGES:
                    token = jwe.JWE(message, protected=json.dumps({**HEADER, **extra}))
                    token.add_recipient(key)
                    parts = token.serialize(compact=True).split(".")
                    names = ["protected", "encrypted_key", "iv", "ciphertext", "tag"]
                    flattened = json.dumps(dict(zip(names, parts)))
                    self.assertEqual(ours("decrypt", pem, flattened.encode()), message)

    def test_signatures_both_ways(self):
        for curve, algorithm in SIGNING.items():
            key, pem, public = self.key(curve)
            claims = {"exp": 1, "text": "\u20ac"}
            token = jws.JWS()
            token.deserialize(ours("sign", pem, json.dumps(claims).encode()).decode(), key)
            self.assertEqual(json.loads(token.payload), claims)
            token = jws.JWS(json.dumps(claims))
            token.add_signature(key, alg=algorithm, protected=json.dumps({"alg": algorithm}))
            self.assertEqual(json.loads(ours("verify", public, token.serialize(compact=True).encode())), claims)

    def test_another_key_is_refused_on_both_sides(self):
        key, _, public = self.key("P-256")
        sealed = ours("encrypt", public, b"message")
        other, other_pem, _ = self.key("P-256")
        with self.assertRaises(jwe.InvalidJWEData):
            jwe.JWE().deserialize(sealed.decode(), other)
        refused = subprocess.run([PEER, "decrypt", other_pem], input=sealed, capture_output=True, check=False)
        self.assertEqual((refused.returncode, refused.stdout), (1, b""))


@unittest.skipUnless(JOSE and jwk, "jose is not installed")
class JoseTest(Peer):
    """Debian's jose makes the keys; jwcrypto turns them into PEM for us."""

    def key(self, template):
        key = self.file("key.json", run([JOSE, "jwk", "gen", "-i", json.dumps(template)]))
        public = self.file("public.json", run([JOSE, "jwk", "pub", "-i", key]))
        pem = self.file("key.pem", jwk.JWK.from_json(key.read_text()).export_to_pem(private_key=True, password=None))
        return key, pem, public

    def test_opens_what_we_encrypt(self):
        for curve in CURVES:
            key, _, public = self.key({"kty": "EC", "crv": curve})
            for message in MESSAGES:
                sealed = self.file("sealed.json", ours("encrypt", public, message))
                self.assertEqual(run([JOSE, "jwe", "dec", "-i", sealed, "-k", key]), message)

    def test_we_open_what_it_encrypts(self):
        for curve in CURVES:
            _, pem, public = self.key({"kty": "EC", "crv": curve})
            for message in MESSAGES[1:]:
                plain = self.file("plain", message)
                compact = run([JOSE, "jwe", "enc", "-i", json.dumps({"protected": HEADER}), "-I", plain, "-k", public,
                               "-c"]).decode().strip()
                names = ["protected", "encrypted_key", "iv", "ciphertext", "tag"]
                flattened = json.dumps(dict(zip(names, compact.split("."))))
                self.assertEqual(ours("decrypt", pem, flattened.encode()), message)

    def test_signatures_both_ways(self):
        for algorithm in SIGNING.values():
            key, pem, public = self.key({"alg": algorithm})
            claims = json.dumps({"exp": 1})
            token = self.file("token", ours("sign", pem, claims.encode()))
            self.assertEqual(json.loads(run([JOSE, "jws", "ver", "-i", token, "-k", public, "-O-"])), {"exp": 1})
            plain = self.file("claims", claims)
            compact = run([JOSE, "jws", "sig", "-I", plain, "-k", key, "-c"]).strip()
            self.assertEqual(json.loads(ours("verify", public, compact)), {"exp": 1})


class CanonicalTest(Peer):
    def test_is_what_python_writes_sorted_where_names_are_ascii(self):
        value = {"b": [1, True, None, "\u20ac\"\\\n"], "a": {"z": -5, "A": "", "_": []}, "": {}}
        expected = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        self.assertEqual(ours("canonical", "-", json.dumps(value).encode()).decode(), expected)


if __name__ == "__main__":
    PEER = sys.argv[1]
    if jwk is None and JOSE is None:
        print("neither python3-jwcrypto nor jose is installed")
        sys.exit(77)
    unittest.main(argv=[sys.argv[0], "--verbose"])
