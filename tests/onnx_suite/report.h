#pragma once

#include <string>
#include <vector>

#include "tests/onnx_suite/run_case.h"

namespace soter::onnx_suite {

struct Totals {
  size_t passed = 0, masked = 0, refused = 0, failed = 0;
};
Totals Count(const std::vector<Outcome>& outcomes);

// OutcomeLine is one line for a terminal: "FAILED  node/test_abs: ...".
std::string OutcomeLine(const Outcome& outcome);

// OperatorOf is the operator that a case is about: its only one, or, for an expanded function, the function's.
std::string OperatorOf(const Outcome& outcome, const std::vector<Outcome>& all);

// MarkdownReport is the generated part of docs/operators.md: a table by operator, then every refused case.
std::string MarkdownReport(const std::vector<Outcome>& outcomes);

// ReplaceGeneratedPart returns `text` with what stands between its two marker lines replaced.
// Errors: kMalformed (a marker is missing).
Result<std::string> ReplaceGeneratedPart(const std::string& text, const std::string& generated);

}  // namespace soter::onnx_suite
