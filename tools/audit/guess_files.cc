#include "tools/audit/guess_files.h"

#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>

#include "audit/view/view.h"

namespace soter::audit {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

Status MakeDirectory(const fs::path& directory) {
  std::error_code error;
  fs::create_directories(directory, error);
  if (error) return Unavailable("cannot make " + directory.string() + ": " + error.message());
  return {};
}

fs::path FileOf(const fs::path& directory, size_t layer, const char* what) {
  return directory / (std::to_string(layer) + "." + what + ".npy");
}

Result<std::vector<double>> ReadFloats(const fs::path& path, size_t count) {
  Tensor tensor = TRY(ReadArray(path));
  if (tensor.dtype() != DType::kFloat32)
    return Malformed(path.string() + ": holds " + DTypeName(tensor.dtype()) + ", not float32");
  std::span<const float> values = tensor.As<float>();
  if (values.size() != count)
    return Malformed(path.string() + ": has " + std::to_string(values.size()) + " elements, not " + std::to_string(count));
  for (float value : values)
    if (!std::isfinite(value)) return Malformed(path.string() + ": holds a NaN or an infinity");
  return std::vector<double>(values.begin(), values.end());
}

}  // namespace

Status WriteGuess(const fs::path& directory, std::span<const Layer> layers, const Guess& guess) {
  TRY(MakeDirectory(directory));
  for (const LayerGuess& layer : guess.layers) {
    std::vector<float> weight = layer.weight.ToFloats();
    Tensor tensor = Tensor::FromValues<float>(layers[layer.layer].shape, std::span<const float>(weight));
    TRY(WriteArray(FileOf(directory, layer.layer, "weight"), tensor.view()));
    if (layer.bias.empty()) continue;
    std::vector<float> bias(layer.bias.begin(), layer.bias.end());
    Tensor vector = Tensor::FromValues<float>({static_cast<int64_t>(bias.size())}, std::span<const float>(bias));
    TRY(WriteArray(FileOf(directory, layer.layer, "bias"), vector.view()));
  }
  return {};
}

Status WriteLayers(const fs::path& directory, std::span<const Layer> layers) {
  TRY(MakeDirectory(directory));
  Json list = Json::array();
  for (size_t i = 0; i < layers.size(); ++i)
    list.push_back({{"layer", i}, {"name", layers[i].name}, {"shape", layers[i].shape}, {"bias", !layers[i].bias.empty()}});
  std::ofstream file(directory / "layers.json");
  file << list.dump(2, ' ', false, Json::error_handler_t::replace) << "\n";
  file.close();
  if (!file) return Unavailable("cannot write " + (directory / "layers.json").string());
  return {};
}

Result<Guess> ReadGuess(const fs::path& directory, std::span<const Layer> layers) {
  Guess guess;
  for (size_t i = 0; i < layers.size(); ++i) {
    const Matrix& weight = layers[i].weight;
    if (!fs::exists(FileOf(directory, i, "weight"))) continue;
    LayerGuess layer{i, Matrix(weight.rows(), weight.columns()), {}};
    std::ranges::copy(TRY(ReadFloats(FileOf(directory, i, "weight"), weight.values().size())),
                      layer.weight.values().begin());
    if (fs::exists(FileOf(directory, i, "bias"))) layer.bias = TRY(ReadFloats(FileOf(directory, i, "bias"), weight.rows()));
    guess.layers.push_back(std::move(layer));
  }
  return guess;
}

Status RunProgram(const std::vector<std::string>& arguments) {
  std::vector<char*> argv;
  for (const std::string& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);
  pid_t child = ::fork();
  if (child < 0) return Unavailable("cannot start " + arguments.front());
  if (child == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);  // it ends when we do
    ::dup2(STDERR_FILENO, STDOUT_FILENO);
    ::execvp(argv[0], argv.data());
    ::_exit(127);
  }
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return {};
  if (WIFEXITED(status) && WEXITSTATUS(status) == 127) return Unavailable(arguments.front() + " cannot be started");
  return Unavailable(arguments.front() + (WIFEXITED(status) ? " ended with status " + std::to_string(WEXITSTATUS(status))
                                                            : " was killed by signal " + std::to_string(WTERMSIG(status))));
}

Attack ProgramAttack(const fs::path& program, const fs::path& view, const fs::path& ancestor, const fs::path& output) {
  auto run = [=](const Knowledge& knowledge) -> Result<Guess> {
    std::vector<Layer> layers = LinearLayers(knowledge.ancestor);
    std::error_code none;
    fs::remove_all(output, none);
    TRY(WriteLayers(output, layers));
    TRY(RunProgram({program.string(), view.string(), ancestor.string(), output.string()}));
    return ReadGuess(output, layers);
  };
  return {program.filename().string(), program.string(), "whatever the view holds", run};
}

}  // namespace soter::audit
