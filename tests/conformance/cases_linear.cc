#include "tests/conformance/case_builder.h"

namespace soter::conformance {

namespace {

struct ConvCase {
  const char* name;
  Shape x, weight;
  Window window;
  int64_t groups = 1;
  bool bias = true;
};

void AddConv(Generator& generator, std::vector<Case>& cases) {
  const ConvCase list[] = {
      {"Conv3x3", {1, 16, 9, 11}, {32, 16, 3, 3}, MakeWindow({3, 3}, {}, {1, 1})},
      {"ConvMeasured", {1, 32, 24, 22}, {32, 32, 3, 3}, MakeWindow({3, 3}, {}, {1, 1})},
      {"ConvMeasuredPadded", {1, 40, 22, 22}, {24, 40, 3, 3}, MakeWindow({3, 3}, {}, {1, 0})},
      {"ConvFirstLayer", {1, 3, 17, 15}, {16, 3, 3, 3}, MakeWindow({3, 3}, {}, {1, 1})},
      {"ConvOddChannels", {2, 5, 7, 6}, {7, 5, 3, 2}, MakeWindow({3, 2}, {}, {1, 0, 0, 1})},
      {"ConvPointwise", {1, 19, 5, 5}, {33, 19, 1, 1}, MakeWindow({1, 1}), 1, false},
      {"ConvStrided", {1, 16, 13, 13}, {48, 16, 5, 5}, MakeWindow({5, 5}, {2, 3}, {2, 2})},
      {"ConvSevenBySeven", {1, 3, 32, 30}, {64, 3, 7, 7}, MakeWindow({7, 7}, {2, 2}, {3, 3})},
      {"ConvDilated", {1, 8, 12, 12}, {16, 8, 3, 3}, MakeWindow({3, 3}, {}, {2, 2}, {2, 2})},
      {"ConvGrouped", {1, 12, 8, 8}, {24, 4, 3, 3}, MakeWindow({3, 3}, {}, {1, 1}), 3},
      {"ConvDepthwise", {2, 32, 9, 9}, {32, 1, 3, 3}, MakeWindow({3, 3}, {}, {1, 1}), 32},
      {"Conv1D", {2, 6, 21}, {10, 6, 5}, MakeWindow({5}, {2}, {2})},
      {"Conv3D", {1, 4, 5, 6, 7}, {8, 4, 3, 3, 3}, MakeWindow({3, 3, 3}, {}, {1, 1, 1})},
      {"ConvOneByOneImage", {1, 64, 1, 1}, {32, 64, 1, 1}, MakeWindow({1, 1})},
  };
  for (const ConvCase& c : list) {
    CaseBuilder builder(c.name, generator);
    std::vector<ValueId> inputs = {builder.Input(c.x), builder.Weight(c.weight)};
    if (c.bias) inputs.push_back(builder.Weight({c.weight[0]}));
    cases.push_back(builder.Finish({builder.Add(Conv{.window = c.window, .groups = c.groups}, inputs)}));
  }
  CaseBuilder builder("ConvResidualRelu", generator);
  ValueId x = builder.Input({1, 16, 6, 6}), residual = builder.Input({1, 32, 6, 6});
  Conv conv{.window = MakeWindow({3, 3}, {}, {1, 1}), .activation = Activation::kRelu};
  cases.push_back(
      builder.Finish({builder.Add(conv, {x, builder.Weight({32, 16, 3, 3}), builder.Weight({32}), residual})}));
}

void AddConvTranspose(Generator& generator, std::vector<Case>& cases) {
  struct TransposeCase {
    const char* name;
    Shape x, weight;
    Window window;
    std::vector<int64_t> output_padding;
    int64_t groups;
  };
  const TransposeCase list[] = {
      {"ConvTranspose", {1, 16, 5, 6}, {16, 8, 3, 3}, MakeWindow({3, 3}, {2, 2}, {1, 1}), {0, 0}, 1},
      {"ConvTransposeOutputPadding", {2, 5, 4, 4}, {5, 3, 3, 3}, MakeWindow({3, 3}, {2, 2}, {1, 1}), {1, 1}, 1},
      {"ConvTransposeGrouped", {1, 6, 5, 5}, {6, 2, 2, 2}, MakeWindow({2, 2}, {2, 2}), {0, 0}, 3},
      {"ConvTranspose1D", {1, 4, 9}, {4, 6, 4}, MakeWindow({4}, {2}, {1}), {0}, 1},
  };
  for (const TransposeCase& c : list) {
    CaseBuilder builder(c.name, generator);
    int64_t channels = c.weight[1] * c.groups;
    ConvTranspose op{.window = c.window, .output_padding = c.output_padding, .groups = c.groups};
    ValueId x = builder.Input(c.x);
    cases.push_back(builder.Finish({builder.Add(op, {x, builder.Weight(c.weight), builder.Weight({channels})})}));
  }
}

void AddLinear(Generator& generator, std::vector<Case>& cases) {
  struct LinearCase {
    const char* name;
    Shape x;
    int64_t n;
    bool bias, residual;
  };
  const LinearCase list[] = {
      {"LinearVector", {1, 37}, 21, true, false},        {"LinearVectorWide", {1, 1027}, 517, true, true},
      {"LinearVectorNoBias", {1, 64}, 4, false, false},  {"LinearMatrix", {5, 33}, 17, true, false},
      {"LinearSequence", {2, 7, 64}, 96, true, true},    {"LinearMatrixNoBias", {3, 16}, 1, false, false},
  };
  for (const LinearCase& c : list) {
    CaseBuilder builder(c.name, generator);
    Shape y = c.x;
    y.back() = c.n;
    std::vector<ValueId> inputs = {builder.Input(c.x), builder.Weight({c.n, c.x.back()}),
                                   c.bias ? builder.Weight({c.n}) : kNoValue};
    if (c.residual) inputs.push_back(builder.Input(y));
    Linear op{.activation = c.residual ? Activation::kRelu : Activation::kNone};
    cases.push_back(builder.Finish({builder.Add(op, inputs)}));
  }
}

void AddMatMul(Generator& generator, std::vector<Case>& cases) {
  struct MatMulCase {
    const char* name;
    Shape a, b;
    MatMul op;
  };
  const MatMulCase list[] = {
      {"MatMul", {5, 7}, {7, 9}, {}},
      {"MatMulBatched", {2, 3, 5, 7}, {2, 3, 7, 4}, {}},
      {"MatMulBroadcast", {2, 3, 5, 7}, {7, 4}, {}},
      {"MatMulBroadcastBoth", {2, 1, 5, 7}, {3, 7, 4}, {}},
      {"MatMulTransposeB", {4, 6, 16}, {4, 6, 16}, {.transpose_b = true, .alpha = 0.25f}},
      {"MatMulTransposeA", {3, 7, 5}, {3, 7, 2}, {.transpose_a = true}},
      {"MatMulVectorRight", {2, 5, 7}, {7}, {}},
      {"MatMulVectorLeft", {7}, {2, 7, 3}, {}},
      {"MatMulVectors", {9}, {9}, {}},
  };
  for (const MatMulCase& c : list) {
    CaseBuilder builder(c.name, generator);
    ValueId a = builder.Input(c.a), b = builder.Input(c.b);
    cases.push_back(builder.Finish({builder.Add(c.op, {a, b})}));
  }
  CaseBuilder builder("MatMulConstant", generator);
  ValueId a = builder.Input({3, 8});
  cases.push_back(builder.Finish({builder.Add(MatMul{}, {a, builder.Weight({8, 5})})}));
}

}  // namespace

void AddLinearCases(Generator& generator, std::vector<Case>& cases) {
  AddConv(generator, cases);
  AddConvTranspose(generator, cases);
  AddLinear(generator, cases);
  AddMatMul(generator, cases);
}

}  // namespace soter::conformance
