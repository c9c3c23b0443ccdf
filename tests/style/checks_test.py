#!/usr/bin/env python3
"""Shows that the checks of style fail on what they are there to catch."""

import pathlib
import subprocess
import sys
import tempfile
import unittest

HERE = pathlib.Path(__file__).resolve().parent
TCB = "set(SOTER_COMMON_SOURCES\n  common/base/a.cc\n)\n"


class ChecksTest(unittest.TestCase):
    def run_check(self, check, files):
        with tempfile.TemporaryDirectory() as root:
            for name, text in {"trusted/tcb.cmake": TCB, "common/base/a.cc": "", **files}.items():
                path = pathlib.Path(root, name)
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text)
            subprocess.run(["git", "init", "-q", root], check=True)
            done = subprocess.run([sys.executable, HERE / check, root], capture_output=True, text=True)
            return done.returncode, done.stdout

    def expect_error(self, check, files, message):
        status, output = self.run_check(check, files)
        self.assertEqual(status, 1, output)
        self.assertIn(message, output)

    def test_clean_tree_passes(self):
        files = {"untrusted/worker/a.cc": '#include "common/base/a.h"\n#include <vector>\n'}
        self.assertEqual(self.run_check("check-zones", files)[0], 0)
        self.assertEqual(self.run_check("check-text", files)[0], 0)
        self.assertEqual(self.run_check("check-try", files)[0], 0)

    def test_untrusted_may_not_include_trusted(self):
        self.expect_error("check-zones", {"untrusted/worker/a.cc": '#include "trusted/mask/mask.h"\n'},
                          "untrusted/worker/a.cc:1: untrusted may not include trusted/mask/mask.h")

    def test_trusted_may_not_include_untrusted(self):
        self.expect_error("check-zones", {"trusted/engine/a.h": '#include "untrusted/worker/a.h"\n'},
                          "trusted may not include")

    def test_attack_may_not_include_what_the_adversary_cannot_see(self):
        self.expect_error("check-zones", {"audit/attacks/a.cc": '#include "trusted/plan/plan.h"\n'},
                          "audit/attacks may not include")

    def test_owner_may_include_seal_but_not_the_engine(self):
        self.assertEqual(self.run_check("check-zones", {"owner/a.cc": '#include "trusted/seal/seal.h"\n'})[0], 0)
        self.expect_error("check-zones", {"owner/a.cc": '#include "trusted/engine/engine.h"\n'}, "owner may not include")

    def test_lower_module_may_not_include_higher(self):
        self.expect_error("check-zones", {"common/base/b.h": '#include "common/graph/graph.h"\n'}, "stands above")

    def test_include_must_be_rooted(self):
        self.expect_error("check-zones", {"owner/a.cc": '#include "import.h"\n'}, "is not rooted")

    def test_protobuf_stays_out_of_trusted(self):
        self.expect_error("check-zones", {"trusted/plan/a.h": "#include <onnx/onnx_pb.h>\n"}, "may not be used")

    def test_unlisted_trusted_source(self):
        self.expect_error("check-zones", {"trusted/mask/new.cc": ""}, "trusted/mask/new.cc is missing")

    def test_unfinished_work(self):
        self.expect_error("check-text", {"tools/a.cc": "// TO" + "DO: later\n"}, "unfinished work")

    def test_path_of_one_machine(self):
        self.expect_error("check-text", {"docs/a.md": "see /ho" + "me/someone/notes\n"}, "a path of one machine")

    def test_long_line(self):
        self.expect_error("check-text", {"tools/a.cc": "x" * 133 + "\n"}, "133 columns")

    def test_try_in_the_middle_of_a_brace_list(self):
        message = "broker/a.cc:1: TRY in a brace list after its first element"
        for text in ("  return A{.a = TRY(F()), .b = TRY(G())};", "  a.push_back({std::move(b), H(TRY(G()))});",
                     "  A a{b, [&] { return 0; }(), TRY(F())};"):
            self.expect_error("check-try", {"broker/a.cc": text + "\n"}, message)

    def test_try_where_it_leaks_nothing(self):
        for text in ("  return A{.a = TRY(F()), .b = 1};", "  return F(a, TRY(G()));", "A F() { a = G(b, c); return TRY(H()); }",
                     "  A a{b, [&] { return TRY(F()); }};", "  int a = 1, b = TRY(F());", "  // A{a, TRY(b)}"):
            status, output = self.run_check("check-try", {"broker/a.cc": text + "\n"})
            self.assertEqual(status, 0, output)


if __name__ == "__main__":
    unittest.main()
