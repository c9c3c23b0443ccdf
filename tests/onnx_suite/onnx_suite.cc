// onnx_suite runs ONNX's backend test suite and reports what passes, what is refused and why, and what fails.
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <iterator>
#include <map>

#include "tests/onnx_suite/report.h"
#include "tests/onnx_suite/run_case.h"

namespace soter::onnx_suite {
namespace {

constexpr const char* kDefaultData = "/usr/share/libonnx-testdata/data";
constexpr int kSkipped = 77;  // ctest's SKIP_RETURN_CODE

constexpr const char* kUsage =
    "usage: onnx_suite [--data DIR] [--only TEXT] [--list] [--check-docs FILE | --write-docs FILE]\n"
    "  --only TEXT        cases whose group/name contains TEXT\n"
    "  --list             print every case's verdict, not only failures\n"
    "  --check-docs FILE  fail when the generated part of FILE differs from the results\n"
    "  --write-docs FILE  rewrite that part\n";

struct Arguments {
  std::string data = kDefaultData, only, check_docs, write_docs;
  bool list = false;
};

Result<Arguments> Parse(int argc, char** argv) {
  Arguments arguments;
  const std::map<std::string, std::string*> texts = {{"--data", &arguments.data}, {"--only", &arguments.only},
                                                     {"--check-docs", &arguments.check_docs},
                                                     {"--write-docs", &arguments.write_docs}};
  for (int i = 1; i < argc; ++i) {
    const std::string name = argv[i];
    if (name == "--list") {
      arguments.list = true;
    } else if (const auto found = texts.find(name); found != texts.end() && i + 1 < argc) {
      *found->second = argv[++i];
    } else {
      return InvalidArgument("unknown or incomplete option " + name);
    }
  }
  return arguments;
}

bool IsShown(const Outcome& outcome, const Arguments& arguments) {
  return arguments.list || outcome.verdict == Verdict::kFailed;
}

std::vector<Outcome> RunCases(const Arguments& arguments) {
  std::vector<Outcome> outcomes;
  for (const SuiteCase& suite_case : ListCases(arguments.data)) {
    if ((suite_case.group + "/" + suite_case.name).find(arguments.only) == std::string::npos) continue;
    outcomes.push_back(RunCase(suite_case));
    if (IsShown(outcomes.back(), arguments)) std::cout << OutcomeLine(outcomes.back()) << std::endl;
  }
  return outcomes;
}

std::string ReadText(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

Status UpdateDocs(const Arguments& arguments, const std::vector<Outcome>& outcomes) {
  const std::string path = arguments.write_docs.empty() ? arguments.check_docs : arguments.write_docs;
  if (path.empty()) return {};
  const std::string old_text = ReadText(path);
  const std::string new_text = TRY(ReplaceGeneratedPart(old_text, MarkdownReport(outcomes)));
  if (old_text == new_text) return {};
  if (arguments.write_docs.empty())
    return InvalidArgument(path + " is stale; rewrite it with build/onnx_suite --write-docs " + path);
  std::ofstream(path) << new_text;
  return {};
}

int Main(int argc, char** argv) {
  Result<Arguments> arguments = Parse(argc, argv);
  if (!arguments.ok()) {
    std::cerr << arguments.error().message << "\n" << kUsage;
    return 2;
  }
  if (!std::filesystem::is_directory(arguments->data)) {
    std::cout << "SKIPPED: " << arguments->data << " is absent; scripts/setup installs it (libonnx-testdata)\n";
    return kSkipped;
  }
  const std::vector<Outcome> outcomes = RunCases(*arguments);
  const Totals totals = Count(outcomes);
  std::cout << totals.passed << " passed (" << totals.masked << " also in soter at theta 1), " << totals.refused
            << " refused, " << totals.failed << " failed\n";
  Status docs = UpdateDocs(*arguments, outcomes);
  if (!docs.ok()) std::cerr << docs.error().message << "\n";
  return totals.failed == 0 && docs.ok() && !outcomes.empty() ? 0 : 1;
}

}  // namespace
}  // namespace soter::onnx_suite

int main(int argc, char** argv) { return soter::onnx_suite::Main(argc, argv); }
