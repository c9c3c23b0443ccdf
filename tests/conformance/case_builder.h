#pragma once

#include "common/graph/testing/graph_builder.h"
#include "tests/conformance/cases.h"

namespace soter::conformance {

// CaseBuilder writes one Case: operands are inputs with data or constants.
class CaseBuilder {
 public:
  CaseBuilder(std::string name, Generator& generator) : generator_(generator) { case_.name = std::move(name); }

  ValueId Input(Tensor tensor) {
    std::string name = "x";
    ValueId value = builder_.Input(name + std::to_string(case_.inputs.size()), tensor.shape(), tensor.dtype());
    case_.inputs.push_back(std::move(tensor));
    return value;
  }
  ValueId Input(const Shape& shape) { return Input(generator_.Floats(shape)); }
  ValueId Weight(const Shape& shape) { return builder_.Constant(generator_.Floats(shape)); }
  ValueId Constant(Tensor tensor) { return builder_.Constant(std::move(tensor)); }
  ValueId Integers(std::vector<int64_t> values) {
    return Constant(Tensor::FromValues<int64_t>({static_cast<int64_t>(values.size())}, values));
  }
  ValueId Add(Op op, std::vector<ValueId> inputs) { return builder_.Add(std::move(op), std::move(inputs)); }
  std::vector<ValueId> AddNode(Op op, std::vector<ValueId> inputs, size_t outputs) {
    return builder_.AddNode(std::move(op), std::move(inputs), outputs);
  }
  Case Finish(const std::vector<ValueId>& outputs) {
    std::string name = "y";
    for (size_t i = 0; i < outputs.size(); ++i) builder_.Output(outputs[i], name + std::to_string(i));
    case_.graph = builder_.graph();
    return std::move(case_);
  }

 private:
  Generator& generator_;
  GraphBuilder builder_;
  Case case_;
};

inline Window MakeWindow(std::vector<int64_t> kernel, std::vector<int64_t> strides = {},
                         std::vector<int64_t> pads = {}, std::vector<int64_t> dilations = {}) {
  size_t axes = kernel.size();
  if (strides.empty()) strides.assign(axes, 1);
  if (dilations.empty()) dilations.assign(axes, 1);
  if (pads.empty()) pads.assign(2 * axes, 0);
  if (pads.size() == axes) pads.insert(pads.end(), pads.begin(), pads.begin() + static_cast<std::ptrdiff_t>(axes));
  auto middle = pads.begin() + static_cast<std::ptrdiff_t>(axes);
  return {std::move(kernel), std::move(strides), std::move(dilations), {pads.begin(), middle}, {middle, pads.end()}};
}

}  // namespace soter::conformance
