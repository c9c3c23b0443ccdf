#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <variant>
#include <vector>

#include "common/base/result.h"
#include "common/tensor/tensor.h"
#include "owner/onnx/proto.h"

namespace soter {

// Spread is the distribution of a weight: uniform in [centre - half_width, centre + half_width).
struct Spread {
  float centre = 0, half_width = 0;
  // The uniform distribution of this standard deviation.
  static Spread OfDeviation(double deviation);
  // Variance that a layer followed by ReLU (He et al. 2015) or by a sum (Glorot and Bengio 2010) preserves.
  static Spread He(int64_t fan_in);
  static Spread Xavier(int64_t fan_in, int64_t fan_out);
};

// FillWeights draws element i of a weight from counter i: SplitMix64's finaliser applied to key + (i / 2) times
// the golden ratio gives 64 bits, whose lower and upper half, read as signed fractions u of 2^31, make elements
// 2 (i / 2) and 2 (i / 2) + 1 as centre + half_width u. Integer arithmetic and two IEEE operations without
// fusing: the same bits everywhere. `first` is the counter of out[0] and must be even.
void FillWeights(uint64_t key, uint64_t first, Spread spread, std::span<float> out);

struct Attribute {
  std::string name;
  std::variant<int64_t, float, std::vector<int64_t>, std::string> value;
};

// ModelBuilder writes an ONNX model node by node; values are known by their names. Weights are drawn while the
// file is written, so a builder holds none.
class ModelBuilder {
 public:
  using ModelDim = std::variant<int64_t, std::string>;  // an extent, or the name of a dynamic one

  ModelBuilder(const std::string& name, int64_t opset, uint64_t seed);

  std::string Input(const std::string& name, const std::vector<ModelDim>& shape);
  void Output(const std::string& name, const std::vector<ModelDim>& shape);
  std::string Weight(const std::string& name, const Shape& shape, Spread spread);
  std::string Int64s(const std::string& name, const std::vector<int64_t>& values);
  std::string Scalar(const std::string& name, float value);
  std::string Int64Scalar(const std::string& name, int64_t value);

  // Node appends an operator and returns the name of its output, `name` + "_output".
  std::string Node(const std::string& op_type, const std::string& name, const std::vector<std::string>& inputs,
                   std::vector<Attribute> attributes = {});

  // Write draws the weights and writes the model; see WriteZooModel.
  Status Write(const std::filesystem::path& path) &&;

 private:
  struct DrawnWeight {
    int initializer;  // index in the graph
    uint64_t count, key;
    Spread spread;
  };
  onnx::TensorProto* AddInitializer(const std::string& name, int32_t data_type, const Shape& shape);
  Status WriteOneFile(const std::filesystem::path& path);
  Status WriteTwoFiles(const std::filesystem::path& path);

  onnx::ModelProto model_;
  uint64_t seed_;
  std::vector<DrawnWeight> weights_;
};

}  // namespace soter
