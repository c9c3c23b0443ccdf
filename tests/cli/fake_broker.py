"""A key broker for tests, which answers honestly or with one fault. It checks nothing that an enclave proves but that
the evidence is bound to its nonce and to the enclave's key (docs/spec/key-release.md)."""

import base64
import datetime
import hashlib
import http.server
import ipaddress
import json
import ssl
import threading
import time

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from jwcrypto import jwe, jwk

REPORT_DATA = slice(52, 116)  # of a dev report, docs/spec/attestation.md, 2.4


def make_certificate(directory, name, days=1, address="127.0.0.1"):
    """A self-signed certificate for `address`, that began before now and ends in `days`; returns its two files."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "broker")])
    end = datetime.datetime.utcnow() + datetime.timedelta(days=days)
    certificate = (
        x509.CertificateBuilder().subject_name(subject).issuer_name(subject).public_key(key.public_key())
        .serial_number(x509.random_serial_number()).not_valid_before(end - datetime.timedelta(days=30))
        .not_valid_after(end)
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(address))]), False)
        .sign(key, hashes.SHA256()))
    certificate_file, key_file = directory / f"{name}.pem", directory / f"{name}.key"
    certificate_file.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    key_file.write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                                           serialization.NoEncryption()))
    return certificate_file, key_file


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *arguments):
        pass

    def answer(self, status, body, headers=()):
        fault = self.server.fault
        body = body if isinstance(body, bytes) else json.dumps(body).encode()
        if fault == "slow":
            time.sleep(self.server.delay)
        if fault == "oversized":
            body = b'{"nonce": "' + b"x" * (1 << 20) + b'"}'
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body) + (100 if fault == "truncated" else 0)))
        self.end_headers()
        self.wfile.write(body)
        self.close_connection = True

    def problem(self, status, name, detail):
        self.answer(status, {"type": "https://github.com/confidential-containers/kbs/errors/" + name, "detail": detail})

    def do_POST(self):
        broker = self.server
        request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        broker.requests.append((self.path, request))
        if broker.fault == "redirect":
            self.answer(302, b"", [("Location", "https://elsewhere.example/")])
        elif broker.fault == "overloaded":
            self.problem(503, "HttpError", "too many connections")
        elif self.path == "/kbs/v0/auth":
            self.auth(request)
        elif self.path == "/kbs/v0/attest":
            self.attest(request)
        else:
            self.problem(404, "InvalidRequestPath", "no such path")

    def auth(self, request):
        broker = self.server
        if request["version"] != broker.version:
            return self.problem(401, "AttestationError", f"version {broker.version} alone")
        broker.nonce = base64.b64encode(hashlib.sha256(str(time.time()).encode()).digest()).decode()
        answer = {"nonce": broker.nonce, "extra-params": {"selected-hash-algorithm": "sha384"}}
        if broker.fault == "no json":
            answer = b"<html>"
        elif broker.fault == "short nonce":
            answer["nonce"] = base64.b64encode(b"12345678").decode()
        elif broker.fault == "nonce twice":
            answer = f'{{"nonce": "{broker.nonce}", "nonce": "{broker.nonce}"}}'.encode()
        elif broker.fault == "other hash":
            answer["extra-params"]["selected-hash-algorithm"] = "sha256"
        cookie = "other=1" if broker.fault == "no session" else "kbs-session-id=abc; Path=/kbs/v0; HttpOnly"
        self.answer(200, answer, [("Set-Cookie", cookie)])

    def attest(self, request):
        broker = self.server
        runtime = request["runtime-data"]
        bound = {"additional-evidence": "", "nonce": runtime["nonce"], "tee-pubkey": runtime["tee-pubkey"]}
        digest = hashlib.sha384(json.dumps(bound, sort_keys=True, separators=(",", ":")).encode()).digest()
        evidence = request["tee-evidence"]["primary_evidence"]
        if "svn" in evidence:  # of Trustee's sample TEE
            report_data = base64.b64decode(evidence["report_data"])
        else:
            report_data = base64.b64decode(evidence["report"])[REPORT_DATA]
        if (runtime["nonce"], report_data, self.headers["Cookie"]) != (
                broker.nonce, digest + bytes(16), "kbs-session-id=abc"):
            return self.problem(401, "AttestationError", "not bound")
        if broker.fault == "refuses evidence":
            return self.problem(401, "AttestationError", "evidence refused")
        broker.key = runtime["tee-pubkey"]
        token = "a b\r\nX: y" if broker.fault == "strange token" else "aaaa.bbbb.cccc"
        self.answer(200, {} if broker.fault == "no token" else {"token": token})

    def do_GET(self):
        broker = self.server
        broker.requests.append((self.path, None))
        wants_cookie = broker.fault == "no token"
        if self.headers["Authorization"] != (None if wants_cookie else "Bearer aaaa.bbbb.cccc"):
            return self.problem(401, "TokenNotFound", "no token")
        if self.path != "/kbs/v0/resource/" + broker.path:
            return self.problem(404, "ResourceNotFound", "no such resource")
        if broker.fault == "denies":
            return self.problem(403, "PolicyDeny", "the device is revoked")
        key = jwk.JWK.generate(kty="EC", crv="P-256").export_public() if broker.fault == "other key" else json.dumps(broker.key)
        token = jwe.JWE(json.dumps(broker.resource), protected={"alg": "ECDH-ES+A256KW", "enc": "A256GCM"},
                        recipient=jwk.JWK.from_json(key))
        names = ["protected", "encrypted_key", "iv", "ciphertext", "tag"]
        answer = dict(zip(names, token.serialize(compact=True).split(".")))
        if broker.fault == "changed resource":
            answer["tag"] = answer["tag"][::-1]
        self.answer(200, answer)


class FakeBroker(http.server.ThreadingHTTPServer):
    """Serves on 127.0.0.1 while it is entered. `fault` names what it does wrong."""
    daemon_threads = True

    def __init__(self, certificate, key, resource, path):
        super().__init__(("127.0.0.1", 0), Handler)
        self.resource, self.path, self.version = resource, path, "0.4.0"
        self.fault, self.delay, self.requests = "", 0, []
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        self.socket = context.wrap_socket(self.socket, server_side=True)
        self.url = f"https://127.0.0.1:{self.server_address[1]}"

    def handle_error(self, request, address):
        pass  # a client that refuses the certificate

    def __enter__(self):
        threading.Thread(target=self.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *exception):
        self.shutdown()
        self.server_close()
