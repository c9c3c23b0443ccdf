#include "common/compute/program.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "common/graph/testing/graph_builder.h"
#include "tests/conformance/compare.h"
#include "tests/conformance/cases.h"
#include "tests/conformance/reference.h"

namespace soter::conformance {
namespace {

using ::testing::HasSubstr;

constexpr uint64_t kSeed = 20240731;

std::shared_ptr<const Tensor> HeldData(const Initializer& initializer) { return initializer.data; }

Result<StaticGraph> BindCase(const Case& c) {
  std::vector<Shape> shapes;
  for (const Tensor& input : c.inputs) shapes.push_back(input.shape());
  return Bind(TRY(ValidatedGraph::Validate(c.graph)), shapes);
}

// Buffers are the caller's side of one run.
struct Buffers {
  std::vector<Tensor> outputs;
  std::vector<const std::byte*> in;
  std::vector<std::byte*> out;
};

Buffers BuffersFor(const StaticGraph& graph, const std::vector<Tensor>& inputs) {
  Buffers buffers;
  for (const Tensor& input : inputs) buffers.in.push_back(input.bytes().data());
  for (ValueId value : graph.graph().outputs) buffers.outputs.push_back(Tensor::Allocate(graph.type(value)).value());
  for (Tensor& output : buffers.outputs) buffers.out.push_back(output.mutable_bytes().data());
  return buffers;
}

class EveryOperator : public testing::TestWithParam<std::tuple<size_t, int>> {
 public:
  static const std::vector<Case>& Cases() {
    static const std::vector<Case> cases = AllCases(kSeed);
    return cases;
  }
};

TEST_P(EveryOperator, AgreesWithTheReference) {
  const Case& c = Cases()[std::get<0>(GetParam())];
  SCOPED_TRACE(c.name + ", seed " + std::to_string(kSeed));
  Result<StaticGraph> bound = BindCase(c);
  ASSERT_TRUE(bound.ok()) << bound.error().message;
  const StaticGraph& graph = *bound;
  Result<Program> program = Program::Compile(graph, HeldData, {.threads = std::get<1>(GetParam())});
  ASSERT_TRUE(program.ok()) << program.error().message;
  Buffers buffers = BuffersFor(graph, c.inputs);
  Result<std::vector<Tensor>> expected = reference::Interpret(graph, c.inputs);
  ASSERT_TRUE(expected.ok()) << expected.error().message;
  for (int repeat = 0; repeat < 2; ++repeat) {  // the second run finds what the first left in the scratch memory
    Status status = program->Run(buffers.in, buffers.out);
    ASSERT_TRUE(status.ok()) << status.error().message;
    for (size_t i = 0; i < buffers.outputs.size(); ++i) ExpectClose(buffers.outputs[i], (*expected)[i], 1e-5);
  }
}

std::string CaseName(const testing::TestParamInfo<std::tuple<size_t, int>>& info) {
  std::string name = EveryOperator::Cases()[std::get<0>(info.param)].name;
  for (char& c : name) {
    if (c == '-') c = 'm';
    else if (std::isalnum(static_cast<unsigned char>(c)) == 0) c = '_';
  }
  return name + "On" + std::to_string(std::get<1>(info.param));
}

INSTANTIATE_TEST_SUITE_P(Compute, EveryOperator,
                         testing::Combine(testing::Range(size_t{0}, EveryOperator::Cases().size()),
                                          testing::Values(1, 2)),
                         CaseName);

}  // namespace
}  // namespace soter::conformance
