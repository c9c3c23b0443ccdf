"""A client of the key broker protocol that shares no code with ours: Python's TLS and HTTP, python3-jwcrypto and
python3-cryptography. It writes dev evidence itself, as docs/spec/attestation.md, 2.4, has it."""

import base64
import hashlib
import http.client
import json
import ssl
import struct

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519
from jwcrypto import jwe, jwk

RAW = (serialization.Encoding.Raw, serialization.PublicFormat.Raw)


def b64(data):
    return base64.b64encode(data).decode()


def canonical(value):
    """RFC 8785 for what is hashed here: names and values are ASCII text."""
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()


class Device:
    """An install of the development TEE: a key, and the program that it says it runs."""

    def __init__(self, measurement=b"\x11" * 32):
        self.key = ed25519.Ed25519PrivateKey.generate()
        self.measurement = measurement

    @property
    def public(self):
        return self.key.public_key().public_bytes(*RAW)

    @property
    def name(self):
        return "dev:" + self.public.hex()

    def report(self, report_data, measurement=None, key=None):
        signed = (b"soter-dev-report" + struct.pack("<I", 1) + (measurement or self.measurement) + report_data
                  + self.public)
        return signed + (key or self.key).sign(signed)


class Client:
    """One enclave's conversation; what is sent can be changed by the caller."""

    def __init__(self, port, certificate, device, curve="P-256"):
        context = ssl.create_default_context(cafile=certificate)
        self.connection = http.client.HTTPSConnection("127.0.0.1", port, context=context, timeout=30)
        self.device = device
        self.key = jwk.JWK.generate(kty="EC", crv=curve)
        self.cookie = self.nonce = self.token = None

    def close(self):
        self.connection.close()

    def request(self, method, path, body=None, headers=None):
        self.connection.request(method, path, body, headers or {})
        reply = self.connection.getresponse()
        return reply, reply.read()

    def auth(self, **changes):
        body = {"version": "0.4.0", "tee": "dev", "extra-params": "", **changes}
        reply, text = self.request("POST", "/kbs/v0/auth", json.dumps(body))
        if reply.status == 200:
            self.cookie = reply.getheader("Set-Cookie").split(";")[0]
            self.nonce = json.loads(text)["nonce"]
        return reply, text

    def jwk(self):
        public = json.loads(self.key.export_public())
        return {**{name: public[name] for name in ("kty", "crv", "x", "y")}, "alg": "ECDH-ES+A256KW"}

    def report_data(self, nonce=None, key=None):
        bound = {"additional-evidence": "", "nonce": nonce or self.nonce, "tee-pubkey": key or self.jwk()}
        return hashlib.sha384(canonical(bound)).digest() + bytes(16)

    def attest_body(self, report=None, nonce=None, key=None):
        report = report or self.device.report(self.report_data())
        return {"runtime-data": {"nonce": nonce or self.nonce, "tee-pubkey": key or self.jwk()},
                "tee-evidence": {"primary_evidence": {"report": b64(report)}, "additional_evidence": ""}}

    def attest(self, body=None):
        body = self.attest_body() if body is None else body
        body = body if isinstance(body, (str, bytes)) else json.dumps(body)
        reply, text = self.request("POST", "/kbs/v0/attest", body, {"Cookie": self.cookie} if self.cookie else {})
        if reply.status == 200:
            self.token = json.loads(text)["token"]
        return reply, text

    def resource(self, path, token=None, cookie=None):
        headers = {"Cookie": cookie} if cookie else {"Authorization": f"Bearer {token or self.token}"}
        return self.request("GET", "/kbs/v0/resource/" + path, headers=headers)

    def open(self, text):
        message = jwe.JWE()
        message.deserialize(text.decode(), self.key)
        return json.loads(message.payload)
