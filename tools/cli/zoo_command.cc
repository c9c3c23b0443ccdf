#include <cstdio>
#include <memory>

#include "owner/zoo/zoo.h"
#include "tools/cli/commands.h"

namespace soter {

namespace {

struct ZooOptions {
  std::string name, output;
  uint64_t seed = 1;
  bool list = false;
};

std::string KnownNames() {
  std::string names;
  for (std::string_view name : ZooNames()) names += (names.empty() ? "" : " ") + std::string(name);
  return names;
}

Status Zoo(const ZooOptions& options) {
  if (options.list) {
    for (std::string_view name : ZooNames()) std::printf("%s\n", std::string(name).c_str());
    return {};
  }
  if (options.name.empty() || options.output.empty()) {
    return InvalidArgument("give a network and where it goes: soter zoo NAME -o FILE.onnx; there are " +
                           KnownNames());
  }
  return WriteZooModel(options.name, options.output, options.seed);
}

}  // namespace

void AddZooCommand(CLI::App& app, Command& chosen) {
  auto options = std::make_shared<ZooOptions>();
  CLI::App* command = app.add_subcommand("zoo", "Write a known architecture with random weights as ONNX.");
  command->add_option("NAME", options->name, KnownNames());
  command->add_option("-o,--output", options->output, "the ONNX file to write");
  command->add_option("--seed", options->seed, "of the weights")->capture_default_str();
  command->add_flag("--list", options->list, "list the names");
  command->callback([options, &chosen] { chosen.run = [options] { return Zoo(*options); }; });
}

}  // namespace soter
