#!/usr/bin/python3
"""`soter broker` against a client of its own kind (broker_peer.py): who gets a key, and every refusal by name, each shown
to be no refusal once the one thing that was changed is put back."""

import contextlib
import json
import re
import socket
import sqlite3
import ssl
import sys
import time
import unittest

import harness

try:
    from broker_peer import Client, Device
    from jwcrypto import jwk, jws
except ImportError as error:
    print("python3-jwcrypto is not installed:", error)
    sys.exit(77)

PATH = "models/digits/3"
ERRORS = "https://github.com/confidential-containers/kbs/errors/"
DEV_WARNING = "accepts development evidence, which protects nothing"


class BrokerTest(harness.CliTest):
    def setUp(self):
        super().setUp()
        self.state = self.directory / "state"
        self.device = Device()
        self.broker = None
        self.clients = []
        self.succeed("broker", "init", self.state)
        self.succeed("keygen", "--identity", self.directory / "id", "--signing-key", self.directory / "sign")
        recipient = re.search("age1[a-z0-9]+", (self.directory / "id").read_text()).group(0)
        self.sealed = self.directory / "digits.soter"
        self.succeed("seal", harness.MODEL, "-o", self.sealed, "--recipient", recipient, "--sign",
                     self.directory / "sign", "--name", "digits", "--version", "3", "--min-check", "freivalds")

    def tearDown(self):
        for client in self.clients:
            client.close()
        if self.broker:
            self.stop()
        super().tearDown()

    def policy(self, release="", measurement=None, name="policy.toml", key=None):
        path = self.directory / name
        path.write_text(f'platforms = ["dev"]\n[dev]\nkeys = ["{(key or self.device.public).hex()}"]\n'
                        f'measurements = ["{(measurement or self.device.measurement).hex()}"]\n[release]\n{release}\n')
        return path

    def add(self, policy, *options):
        return self.succeed("broker", "add", self.state, "--model", self.sealed, "--identity", self.directory / "id",
                            "--signer", self.directory / "sign.pub", "--policy", policy, *options)

    def serve(self, *options):
        self.broker = self.start("broker", "serve", self.state, "--listen", "127.0.0.1:0", *options)
        self.lines = []
        while not (self.lines and "listening on" in self.lines[-1]):
            self.lines.append(self.broker.stderr.readline())
            self.assertTrue(self.lines[-1], "the broker ended: " + "".join(self.lines))
        self.port = int(re.search(r":(\d+),", self.lines[-1]).group(1))

    def stop(self):
        broker, self.broker = self.broker, None
        broker.terminate()
        _, rest = broker.communicate(timeout=20)
        self.assertEqual(broker.returncode, 0, rest)
        return rest

    def client(self, device=None, curve="P-256"):
        self.clients.append(Client(self.port, str(self.state / "tls.crt"), device or self.device, curve))
        return self.clients[-1]

    def attested(self, device=None):
        client = self.client(device)
        self.assertEqual(client.auth()[0].status, 200)
        self.assertEqual(client.attest()[0].status, 200)
        return client

    def released(self, client=None, path=PATH):
        client = client or self.attested()
        reply, text = client.resource(path)
        self.assertEqual(reply.status, 200, text)
        return client.open(text)

    def refuse(self, answer, status, name):
        reply, text = answer
        self.assertEqual(reply.status, status, text)
        problem = json.loads(text)
        self.assertEqual(problem["type"], ERRORS + name)
        self.assertEqual(set(problem), {"type", "detail"})
        self.assertEqual(reply.getheader("Content-Type"), "application/problem+json")
        return problem["detail"]

    def log(self):
        return [json.loads(line) for line in self.succeed("broker", "log", self.state, "--json").splitlines()]

    # Releasing.

    def test_an_enclave_that_the_policy_names_gets_the_key(self):
        self.add(self.policy("lease_starts = 4\nlease_days = 2\nexpires = \"2999-01-01T00:00:00Z\""))
        self.serve()
        for curve in ("P-256", "P-521"):
            client = self.client(curve=curve)
            reply, _ = client.auth()
            self.assertIn("HttpOnly; Secure; SameSite=Strict", reply.getheader("Set-Cookie"))
            self.assertEqual(client.attest()[0].status, 200)
            resource = self.released(client)
            self.assertEqual((resource["format"], resource["name"], resource["version"]), ("soter-release-1", "digits", 3))
            self.assertIn(resource["identity"], (self.directory / "id").read_text())
            self.assertIn(resource["signer"], (self.directory / "sign.pub").read_text())
            self.assertEqual((resource["min-scheme"], resource["min-check"]), ("soter", "freivalds"))
            info = json.loads(self.succeed("inspect", self.sealed, "--json"))
            self.assertEqual(resource["digest"], info["digest"])
            self.assertEqual(resource["lease"]["starts"], 4)
            self.assertEqual(set(resource), {"format", "name", "version", "digest", "identity", "signer", "min-scheme",
                                             "min-check", "lease"})
            reply, text = client.resource(PATH, cookie=client.cookie)  # the session stands for its token
            again = client.open(text)
            # The two days begin with each release, which may be a second later.
            self.assertGreaterEqual(again["lease"].pop("not-after"), resource["lease"].pop("not-after"))
            self.assertEqual(again, resource)

    def test_the_token_is_an_attestation_result_signed_by_the_broker(self):
        self.add(self.policy())
        self.serve()
        client = self.attested()
        token = jws.JWS()
        token.deserialize(client.token, jwk.JWK.from_pem((self.state / "token.key").read_bytes()))
        claims = json.loads(token.payload)
        self.assertEqual(json.loads(token.objects["protected"])["alg"], "ES256")
        self.assertEqual(claims["exp"] - claims["iat"], 300)
        cpu = claims["submods"]["cpu0"]
        self.assertEqual(cpu["ear.status"], "contraindicated")
        evidence = cpu["ear.veraison.annotated-evidence"]
        self.assertEqual(evidence["dev"]["measurement"], self.device.measurement.hex())
        self.assertEqual(evidence["runtime_data_claims"]["tee-pubkey"], client.jwk())

    def test_every_line_says_that_development_evidence_is_accepted(self):
        self.add(self.policy())
        self.serve()
        self.released()
        lines = "".join(self.lines) + self.stop()
        self.assertIn("WARNING: a policy accepts development evidence", lines)
        events = [line for line in lines.splitlines() if "attest" in line or "resource" in line]
        self.assertEqual(len(events), 2, lines)
        for line in events:
            self.assertIn(DEV_WARNING, line)
        for entry in self.log():
            self.assertEqual("warning" in entry, entry["event"] in ("attest", "release"), entry)

    # Refusals of auth and attest.

    def test_another_protocol_version_or_tee_is_refused(self):
        self.add(self.policy())
        self.serve()
        client = self.client()
        for version in ("0.1.1", "0.4.1", "0.4", "", "=0.4.0"):
            detail = self.refuse(client.auth(version=version), 401, "AttestationError")
            self.assertIn("0.4.0", detail)
        for tee in ("sample", "az-snp-vtpm", "DEV", ""):
            self.refuse(client.auth(tee=tee), 401, "AttestationError")
        self.refuse(client.auth(**{"extra-params": {"supported-hash-algorithms": ["sha256"]}}), 401, "AttestationError")
        reply, text = client.auth(**{"extra-params": {"supported-hash-algorithms": ["sha256", "sha384"]}})
        self.assertEqual(json.loads(text)["extra-params"], {"selected-hash-algorithm": "sha384"})
        self.stop()
        self.serve("--kbs-version", "0.1.1")
        client = self.client()
        self.refuse(client.auth(), 401, "AttestationError")
        self.assertEqual(client.auth(version="0.1.1")[0].status, 200)

    def attest_is_refused(self, change):
        """`change` makes the body of a client that is otherwise in order; without it the same client is accepted."""
        client = self.client()
        client.auth()
        detail = self.refuse(client.attest(change(client)), 401, "AttestationError")
        self.assertEqual(detail, "attestation refused")
        self.assertEqual(self.log()[-1]["outcome"], "refused")
        client.auth()
        self.assertEqual(client.attest()[0].status, 200)
        return self.log()[-2]["reason"] + " " + json.dumps(self.log()[-2].get("policies", ""))

    def test_evidence_that_is_another_is_refused(self):
        self.add(self.policy())
        self.serve()
        other, stranger = Client(self.port, str(self.state / "tls.crt"), self.device), Device()
        nonce = "A" * 43 + "="
        cases = {
            "nonce is not the session's": lambda c: c.attest_body(nonce=nonce,
                                                                  report=c.device.report(c.report_data(nonce=nonce))),
            "report_data": lambda c: c.attest_body(key=other.jwk()),
            "report_data: ": lambda c: c.attest_body(report=c.device.report(c.report_data(nonce=nonce))),
            "dev.measurement": lambda c: c.attest_body(report=c.device.report(c.report_data(), measurement=b"\x12" * 32)),
            "dev.key": lambda c: c.attest_body(report=stranger.report(c.report_data())),
            "dev.signature": lambda c: c.attest_body(report=c.device.report(c.report_data(), key=stranger.key)),
            "dev.format": lambda c: c.attest_body(report=b"nonsense"),
            "private key": lambda c: c.attest_body(key={**c.jwk(), "d": "AA"}),
            "another algorithm": lambda c: c.attest_body(key={**c.jwk(), "alg": "ECDH-ES"}),
            "init data": lambda c: {**c.attest_body(), "init-data": {"format": "toml", "body": ""}},
            "more than one TEE": lambda c: {**c.attest_body(), "tee-evidence": {
                **c.attest_body()["tee-evidence"], "additional_evidence": "{}"}},
            "does not belong": lambda c: {**c.attest_body(), "more": 1},
            "not JSON": lambda c: "\x00garbage",
            "twice": lambda c: json.dumps(c.attest_body())[:-1] + ', "tee-evidence": {}}',
            "nested": lambda c: "[" * 100_000,
        }
        for reason, change in cases.items():
            with self.subTest(reason):
                self.assertIn(reason.strip(": "), self.attest_is_refused(change))
        other.close()

    def test_a_challenge_is_good_for_one_answer_of_its_own_session(self):
        self.add(self.policy())
        self.serve()
        client = self.client()
        client.auth()
        good = client.attest_body()
        self.assertEqual(client.attest(good)[0].status, 200)
        self.assertIn("ask for another", self.refuse(client.attest(good), 401, "AttestationError"))  # replayed
        client.auth()
        self.refuse(client.attest(good), 401, "AttestationError")  # stale evidence in a new session
        client.auth()
        self.refuse(client.attest("{}"), 401, "AttestationError")
        self.refuse(client.attest(), 401, "AttestationError")  # the first try used the challenge up
        client.cookie = None
        self.refuse(client.attest(), 401, "AttestationError")
        client.auth()
        self.assertEqual(client.attest()[0].status, 200)

    # Refusals of resources.

    def test_a_token_that_is_not_ours_is_refused(self):
        self.add(self.policy())
        self.serve()
        client = self.attested()
        reply, text = client.request("GET", "/kbs/v0/resource/" + PATH)
        self.refuse((reply, text), 401, "TokenNotFound")
        self.refuse(client.resource(PATH, cookie="kbs-session-id=" + "0" * 32), 401, "TokenNotFound")
        forged = jws.JWS(json.dumps({"exp": int(time.time()) + 100, "iss": "soter-broker"}))
        forged.add_signature(jwk.JWK.generate(kty="EC", crv="P-256"), alg="ES256", protected='{"alg":"ES256"}')
        head, claims, signature = client.token.split(".")
        for token in ("x", forged.serialize(compact=True), f"{head}.{claims}.", f"{head}.{claims}A.{signature}",
                      "eyJhbGciOiJub25lIn0." + claims + "."):
            self.refuse(client.resource(PATH, token=token), 401, "TokenVerifierError")
        self.released(client)

    def test_paths_and_methods_that_are_none_are_refused(self):
        self.add(self.policy())
        self.serve()
        client = self.attested()
        for path in ("models/digits/4", "models/digits2/3", "default/digits/3"):
            self.refuse(client.resource(path), 404, "ResourceNotFound")
        for path in ("models/digits", "models/digits/3/", "models//3", "models/../3", "models/digits/3?x", "-m/digits/3",
                     "models/digits/" + "3" * 65, "models/digits/%33"):
            self.refuse(client.resource(path), 404, "InvalidRequestPath")
        self.refuse(client.request("GET", "/"), 404, "InvalidRequestPath")
        self.refuse(client.request("GET", "/kbs/v0/auth"), 405, "HttpError")
        self.refuse(client.request("POST", "/kbs/v0/resource/" + PATH, "x"), 405, "HttpError")
        self.released(client)

    def test_a_token_opens_only_what_its_policy_is_for(self):
        self.add(self.policy())
        self.add(self.policy(measurement=b"\x77" * 32, name="other.toml"), "--path", "models/other/1")
        self.serve()
        client = self.attested()
        self.refuse(client.resource("models/other/1"), 403, "PolicyDeny")
        self.released(client)
        self.released(self.attested(self.twin(b"\x77" * 32)), "models/other/1")

    def twin(self, measurement):
        """The same install with another program."""
        twin = Device(measurement)
        twin.key = self.device.key
        return twin

    def resource_is_refused(self, release, reason, allowed):
        """Under `release` there is no key; with `allowed` in its place, for a new token, there is."""
        self.add(self.policy(release))
        self.serve()
        self.refuse(self.attested().resource(PATH), 403, "PolicyDeny")
        self.assertIn(reason, self.log()[-1]["reason"])
        self.add(self.policy(allowed), "--replace")
        self.released()

    def test_an_expired_policy_releases_nothing(self):
        self.resource_is_refused('expires = "2020-01-01T00:00:00Z"', "expired", 'expires = "2999-01-01T00:00:00Z"')

    def test_a_policy_that_changed_asks_for_another_attestation(self):
        self.add(self.policy())
        self.serve()
        client = self.attested()
        self.add(self.policy("activations = 5"), "--replace")
        self.refuse(client.resource(PATH), 403, "PolicyDeny")
        self.released()

    def test_a_version_below_the_minimum_of_its_name_is_refused(self):
        self.add(self.policy("activations = 9"))
        self.serve()
        self.released()
        older = self.sealed
        self.sealed = self.directory / "newer.soter"
        recipient = re.search("age1[a-z0-9]+", (self.directory / "id").read_text()).group(0)
        self.succeed("seal", harness.MODEL, "-o", self.sealed, "--recipient", recipient, "--sign",
                     self.directory / "sign", "--name", "digits", "--version", "4")
        self.add(self.policy("min_version = 4", name="newer.toml"))
        client = self.attested()
        self.refuse(client.resource(PATH), 403, "PolicyDeny")
        self.assertIn("below the minimum", self.log()[-1]["reason"])
        self.assertEqual(self.released(client, "models/digits/4")["version"], 4)
        self.add(self.policy("min_version = 3", name="newer.toml"), "--replace")
        self.assertEqual(self.released()["version"], 3)
        self.sealed = older
        self.fail_with(2, ["broker", "add", self.state, "--model", older, "--identity", self.directory / "id", "--signer",
                           self.directory / "sign.pub", "--policy", self.policy("min_version = 4"), "--replace"],
                       "min_version is 4")

    def test_a_revoked_device_gets_no_token_and_no_key(self):
        second = Device()
        both = self.policy()
        both.write_text(both.read_text().replace("keys = [", f'keys = ["{second.public.hex()}", '))
        self.add(both)
        self.serve()
        client = self.attested()
        self.released(client)
        waiting = self.attested()
        self.succeed("broker", "revoke", self.state, "--device", self.device.name)
        self.refuse(waiting.resource(PATH), 403, "PolicyDeny")
        self.refuse(client.resource(PATH), 403, "PolicyDeny")
        client.auth()
        self.refuse(client.attest(), 401, "AttestationError")
        self.assertIn("revoked", self.log()[-1]["reason"])
        self.released(self.attested(second))
        self.fail_with(2, ["broker", "revoke", self.state, "--device", "everything"], "snp:, intel: or dev:")

    def test_activations_are_counted_once_for_each_token(self):
        self.add(self.policy("activations = 2"))
        self.serve()
        client = self.attested()
        for _ in range(5):
            self.released(client)
        self.released()
        last = self.attested()
        self.refuse(last.resource(PATH), 403, "PolicyDeny")
        self.released(client)  # the same enclave as before, asking again
        rows = json.loads(self.succeed("broker", "list", self.state, "--json"))["resources"]
        self.assertEqual([(row["activations"], row["max_activations"]) for row in rows], [(2, 2)])

    def test_activations_of_one_device(self):
        second = Device()
        policy = self.policy("activations_per_device = 1")
        policy.write_text(policy.read_text().replace("keys = [", f'keys = ["{second.public.hex()}", '))
        self.add(policy)
        self.serve()
        self.released()
        self.refuse(self.attested().resource(PATH), 403, "PolicyDeny")
        self.released(self.attested(second))

    # Clients that misbehave.

    def test_what_is_too_large_or_no_http_is_refused_and_others_are_served(self):
        self.add(self.policy())
        self.serve()
        client = self.client()
        client.auth()
        self.refuse(client.attest(json.dumps(client.attest_body()) + " " * 256 * 1024), 413, "HttpError")
        client.close()
        self.refuse(client.request("POST", "/kbs/v0/auth", "{}", {"X": "y" * 20_000}), 431, "HttpError")
        client.close()
        with self.tls() as raw:
            raw.sendall(b"\x00\x01garbage\r\n\r\n")
            self.assertIn(b" 400 ", raw.recv(4096))
        with socket.create_connection(("127.0.0.1", self.port)) as plain:
            plain.sendall(b"GET / HTTP/1.1\r\n\r\n")
            self.assertNotIn(b"HTTP/1.1", plain.recv(4096))
        self.assertEqual(client.attest()[0].status, 200)  # the oversized one never reached the session
        self.released(client)

    def tls(self, **options):
        context = ssl.create_default_context(cafile=str(self.state / "tls.crt"))
        for name, value in options.items():
            setattr(context, name, value)
        return context.wrap_socket(socket.create_connection(("127.0.0.1", self.port)), server_hostname="localhost")

    def test_older_tls_is_refused(self):
        self.serve()
        with self.assertRaises(ssl.SSLError):
            self.tls(maximum_version=ssl.TLSVersion.TLSv1_2)
        with self.tls() as raw:
            self.assertEqual(raw.version(), "TLSv1.3")

    def test_a_slow_client_is_dropped_and_holds_nobody_up(self):
        self.add(self.policy())
        self.serve()
        slow = [self.tls() for _ in range(8)]  # twice as many as there are threads
        for raw in slow:
            raw.sendall(b"POST /kbs/v0/auth HTTP/1.1\r\nContent-Length: 100\r\n\r\n{")
        self.released()
        end = time.monotonic() + 30
        for raw in slow:
            raw.settimeout(1)
            while True:
                self.assertLess(time.monotonic(), end, "a slow client was not dropped")
                try:
                    raw.sendall(b" ")  # a byte now and then gains nothing
                    if raw.recv(1) == b"":
                        break
                except TimeoutError:
                    continue
                except OSError:
                    break
            raw.close()
        self.released()

    def test_sigterm_ends_it_at_once_when_nobody_waits(self):
        self.add(self.policy())
        self.serve()
        client = self.attested()
        idle = self.tls()
        start = time.monotonic()
        self.assertIn("stopped", self.stop())
        self.assertLess(time.monotonic() - start, 15)
        idle.close()
        self.serve()
        fresh = self.client()
        self.refuse(fresh.resource(PATH, cookie=client.cookie), 401, "TokenNotFound")  # sessions end with the process
        self.assertEqual(fresh.resource(PATH, token=client.token)[0].status, 200)      # tokens do not

    # What the owner types.

    def database(self, work):
        with contextlib.closing(sqlite3.connect(self.state / "broker.db")) as connection, connection:
            return work(connection)

    def test_the_log_shows_what_was_done_to_it(self):
        self.add(self.policy())
        self.serve()
        self.released()
        self.stop()
        events = [(entry["event"], entry.get("outcome")) for entry in self.log()]
        self.assertEqual(events, [("init", None), ("add", None), ("attest", "accepted"), ("release", "released")])
        self.assertIn("release", self.succeed("broker", "log", self.state))
        intact = self.succeed("broker", "log", self.state, "--verify")
        head = re.search("[0-9a-f]{64}", intact).group(0)
        self.succeed("broker", "log", self.state, "--verify", "--since", head)
        good = self.database(lambda connection: connection.execute("SELECT * FROM log").fetchall())
        for statement in ("UPDATE log SET entry = 'x'", "DELETE FROM log"):
            with self.assertRaisesRegex(sqlite3.DatabaseError, "append-only"):
                self.database(lambda connection, sql=statement: connection.execute(sql))

        def rewrite(connection, rows):
            connection.executescript("DROP TRIGGER IF EXISTS log_is_never_changed; "
                                     "DROP TRIGGER IF EXISTS log_is_never_cut; DELETE FROM log;")
            connection.executemany("INSERT INTO log VALUES (?, ?)", rows)

        def tampered(rows, *options):
            self.database(lambda connection: rewrite(connection, rows))
            return self.soter("broker", "log", self.state, "--verify", *options)

        for rows in (good[:1] + [(2, good[1][1].replace("digits", "DIGITS"))] + good[2:], good[:1] + good[2:],
                     [(1, good[1][1]), (2, good[0][1])] + good[2:], good[1:], good[:3] + [(4, "x")]):
            done = tampered(rows)
            self.assertEqual(done.returncode, 4, done.stdout)
            self.assertIn("broken at entry", done.stderr)
        self.assertEqual(tampered(good[:3]).returncode, 0)  # cutting the end leaves a chain
        self.assertEqual(tampered(good[:3], "--since", head).returncode, 4)
        self.assertEqual(tampered(good, "--since", head).returncode, 0)

    def test_files_that_do_not_fit_are_refused(self):
        policy = self.policy()
        arguments = {"--model": self.sealed, "--identity": self.directory / "id", "--signer": self.directory / "sign.pub",
                     "--policy": policy}
        self.succeed("keygen", "--identity", self.directory / "id2", "--signing-key", self.directory / "sign2")

        def add(**changes):
            words = {**arguments, **{"--" + name: value for name, value in changes.items()}}
            return ["broker", "add", self.state] + [word for pair in words.items() for word in pair]

        self.fail_with(4, add(identity=self.directory / "id2"), "digits.soter")
        self.fail_with(4, add(signer=self.directory / "sign2.pub"), "digits.soter")
        changed = self.directory / "changed.soter"
        data = bytearray(self.sealed.read_bytes())
        data[-1] ^= 1
        changed.write_bytes(data)
        (self.directory / "changed.soter.minisig").write_bytes((self.directory / "digits.soter.minisig").read_bytes())
        self.fail_with(4, add(model=changed), "changed.soter")
        self.fail_with(2, add(path="models/digits"), "REPO/TYPE/TAG")
        bad = self.directory / "bad.toml"
        for text, fragment in (("[release]\n", "platforms"), ('platforms = ["snp"]\n[release]\nexpire = "x"\n', "expire"),
                               ('platforms = ["snp"]\n[release]\nexpires = "tomorrow"\n', "bad.toml"),
                               ('platforms = ["snp"]\n[release]\nactivations = 0\n', "activations"),
                               ('platforms = ["snp"]\n[release]\nlease_starts = 1\n', "lease_days"),
                               ('platforms = ["snp"]\n[workload]\npurpose = "attest"\n', "[workload]"),
                               ('platforms = ["snp"]\n[release]\nmin_scheme = "verified"\n', "weaker"),
                               ('platforms = ["snp"]\n[release]\nmin_scheme = "best"\n', "best"),
                               ('platforms = ["snp"]\n[release]\nmin_check = "fingerprint"\n', "weaker")):
            bad.write_text(text)
            self.fail_with(2, add(policy=bad), fragment)
        self.assertEqual(json.loads(self.succeed("broker", "list", self.state, "--json"))["resources"], [])
        self.succeed(*add(policy=harness.ROOT / "examples/policies/release/snp.toml"))
        self.fail_with(2, add(), "--replace")
        self.fail_with(2, ["broker", "init", self.state], "not empty")
        self.fail_with(2, ["broker", "list", self.directory / "absent"], "broker init")
        self.fail_with(2, ["broker", "serve", self.directory / "absent"], "broker init")
        self.fail_with(2, ["broker", "serve", self.state, "--listen", "nowhere"], "nowhere")
        self.fail_with(2, ["broker", "init", self.directory / "s2", "--name", "a b"], "a b")
        self.assertEqual(self.state.stat().st_mode & 0o777, 0o700)
        for name in ("tls.key", "token.key"):
            self.assertEqual((self.state / name).stat().st_mode & 0o777, 0o600)

    def test_a_certificate_of_the_owners_and_a_resource_for_an_existing_trustee(self):
        own = self.directory / "own"
        self.fail_with(2, ["broker", "init", own, "--tls-cert", self.state / "tls.crt"], "go together")
        self.fail_with(2, ["broker", "init", own, "--tls-cert", self.state / "tls.crt", "--tls-key",
                           self.state / "token.key"], "private key")
        self.succeed("broker", "init", own, "--tls-cert", self.state / "tls.crt", "--tls-key", self.state / "tls.key")
        self.assertEqual((own / "tls.crt").read_bytes(), (self.state / "tls.crt").read_bytes())
        self.add(self.policy())
        resource = json.loads(self.succeed("broker", "resource", self.state, PATH))
        self.assertEqual(resource["name"], "digits")
        self.assertNotIn("lease", resource)
        self.assertEqual(self.log()[-1]["event"], "export")
        self.fail_with(2, ["broker", "resource", self.state, "a/b/c"], "a/b/c")

    def test_a_port_that_is_taken_is_bad_input(self):
        self.serve()
        done = self.soter("broker", "serve", self.state, "--listen", f"127.0.0.1:{self.port}")
        self.assertEqual(done.returncode, 2)
        self.assertIn("cannot listen", done.stderr)


if __name__ == "__main__":
    harness.main()
