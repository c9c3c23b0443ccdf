#include <limits>

#include "tests/conformance/case_builder.h"

namespace soter::conformance {

namespace {

struct UnaryCase {
  UnaryKind kind;
  float low, high, alpha, beta;
};

constexpr UnaryCase kUnary[] = {
    {UnaryKind::kRelu, -2, 2, 0, 0},          {UnaryKind::kLeakyRelu, -2, 2, 0.1f, 0},
    {UnaryKind::kSigmoid, -6, 6, 0, 0},       {UnaryKind::kTanh, -4, 4, 0, 0},
    {UnaryKind::kExp, -3, 3, 0, 0},           {UnaryKind::kLog, 0.1f, 9, 0, 0},
    {UnaryKind::kSqrt, 0, 9, 0, 0},           {UnaryKind::kReciprocal, 0.5f, 4, 0, 0},
    {UnaryKind::kNeg, -2, 2, 0, 0},           {UnaryKind::kAbs, -2, 2, 0, 0},
    {UnaryKind::kErf, -3, 3, 0, 0},           {UnaryKind::kGeluErf, -4, 4, 0, 0},
    {UnaryKind::kGeluTanh, -4, 4, 0, 0},      {UnaryKind::kSilu, -4, 4, 0, 0},
    {UnaryKind::kHardSigmoid, -5, 5, 0.2f, 0.5f}, {UnaryKind::kHardSwish, -5, 5, 0, 0},
    {UnaryKind::kElu, -3, 3, 1.5f, 0},        {UnaryKind::kSelu, -3, 3, 1.6733f, 1.0507f},
    {UnaryKind::kCelu, -3, 3, 2.0f, 0},       {UnaryKind::kSoftplus, -5, 5, 0, 0},
    {UnaryKind::kSoftsign, -3, 3, 0, 0},      {UnaryKind::kMish, -4, 4, 0, 0},
    {UnaryKind::kThresholdedRelu, -2, 2, 0.7f, 0}, {UnaryKind::kClip, -3, 3, -1, 2},
    {UnaryKind::kFloor, -3, 3, 0, 0},         {UnaryKind::kCeil, -3, 3, 0, 0},
    {UnaryKind::kRound, -3, 3, 0, 0},         {UnaryKind::kSign, -3, 3, 0, 0},
    {UnaryKind::kSin, -3, 3, 0, 0},           {UnaryKind::kCos, -3, 3, 0, 0},
    {UnaryKind::kTan, -1, 1, 0, 0},           {UnaryKind::kAsin, -0.9f, 0.9f, 0, 0},
    {UnaryKind::kAcos, -0.9f, 0.9f, 0, 0},    {UnaryKind::kAtan, -3, 3, 0, 0},
    {UnaryKind::kSinh, -2, 2, 0, 0},          {UnaryKind::kCosh, -2, 2, 0, 0},
    {UnaryKind::kAsinh, -3, 3, 0, 0},         {UnaryKind::kAcosh, 1.1f, 4, 0, 0},
    {UnaryKind::kAtanh, -0.9f, 0.9f, 0, 0},   {UnaryKind::kIdentity, -3, 3, 0, 0},
    {UnaryKind::kIsNan, -1, 1, 0, 0},         {UnaryKind::kIsInf, -1, 1, 0, 1},
    {UnaryKind::kIsInf, -1, 1, 1, 0},
};

void AddUnary(Generator& generator, std::vector<Case>& cases) {
  for (const UnaryCase& c : kUnary) {
    Unary op{.kind = c.kind, .alpha = c.alpha, .beta = c.beta};
    CaseBuilder builder(OpName(op) + std::string(c.beta == 1 ? "Beta" : ""), generator);
    Tensor x = generator.Floats({3, 5, 7}, c.low, c.high);
    if (c.kind == UnaryKind::kIsNan) x.MutableAs<float>()[4] = std::numeric_limits<float>::quiet_NaN();
    if (c.kind == UnaryKind::kIsInf) {
      x.MutableAs<float>()[4] = -std::numeric_limits<float>::infinity();
      x.MutableAs<float>()[9] = std::numeric_limits<float>::infinity();
    }
    ValueId value = builder.Input(std::move(x));
    cases.push_back(builder.Finish({builder.Add(op, {value})}));
  }
  CaseBuilder negation("Not", generator);
  ValueId flags = negation.Input(generator.Bools({4, 5}));
  cases.push_back(negation.Finish({negation.Add(Unary{.kind = UnaryKind::kNot}, {flags})}));
}

void AddBinaryFloat(Generator& generator, std::vector<Case>& cases) {
  const std::pair<Shape, Shape> shapes[] = {
      {{3, 4, 5}, {3, 4, 5}},    {{2, 3, 4, 5}, {1}}, {{1}, {3, 7}},
      {{2, 6, 4, 5}, {6, 1, 1}}, {{4, 1, 5}, {3, 1}}, {{}, {2, 3}},
  };
  for (uint8_t kind = 0; kind <= static_cast<uint8_t>(BinaryKind::kGreaterOrEqual); ++kind) {
    Binary op{.kind = static_cast<BinaryKind>(kind)};
    if (op.kind == BinaryKind::kMod) continue;  // of integers only
    for (const auto& [a, b] : shapes) {
      bool prelu = op.kind == BinaryKind::kPRelu;
      if (prelu && b.size() > a.size()) continue;  // the slope is broadcast to x, never x to the slope
      if (prelu && a == Shape{4, 1, 5}) continue;
      CaseBuilder builder(std::string(OpName(op)) + ShapeString(a) + ShapeString(b), generator);
      ValueId left = builder.Input(generator.Floats(a, prelu ? -2.0f : 0.5f, 4.0f));
      ValueId right = builder.Input(generator.Floats(b, 0.5f, 2.0f));
      cases.push_back(builder.Finish({builder.Add(op, {left, right})}));
    }
  }
  CaseBuilder relu("SubRelu", generator);
  ValueId a = relu.Input({3, 9}), b = relu.Input({9});
  cases.push_back(relu.Finish({relu.Add(Binary{.kind = BinaryKind::kSub, .activation = Activation::kRelu}, {a, b})}));
}

void AddBinaryInteger(Generator& generator, std::vector<Case>& cases) {
  for (BinaryKind kind : {BinaryKind::kAdd, BinaryKind::kSub, BinaryKind::kMul, BinaryKind::kDiv, BinaryKind::kMin,
                          BinaryKind::kMax, BinaryKind::kMod, BinaryKind::kEqual, BinaryKind::kLess}) {
    Binary op{.kind = kind};
    CaseBuilder builder(std::string(OpName(op)) + "Int64", generator);
    ValueId a = builder.Input(generator.Int64s({3, 5}, -20, 20)), b = builder.Input(generator.Int64s({5}, 1, 9));
    cases.push_back(builder.Finish({builder.Add(op, {a, b})}));
  }
  for (BinaryKind kind : {BinaryKind::kAnd, BinaryKind::kOr, BinaryKind::kXor}) {
    Binary op{.kind = kind};
    CaseBuilder builder(OpName(op), generator);
    ValueId a = builder.Input(generator.Bools({3, 5})), b = builder.Input(generator.Bools({5}));
    cases.push_back(builder.Finish({builder.Add(op, {a, b})}));
  }
  CaseBuilder where("Where", generator);
  ValueId condition = where.Input(generator.Bools({3, 1, 5})), a = where.Input({3, 4, 5}), b = where.Input({4, 1});
  cases.push_back(where.Finish({where.Add(Where{}, {condition, a, b})}));
}

void AddReduce(Generator& generator, std::vector<Case>& cases) {
  const std::vector<int64_t> axes[] = {{1}, {-1}, {0, 2}, {2, 3}, {0, 1, 2, 3}};
  for (uint8_t kind = 0; kind <= static_cast<uint8_t>(ReduceKind::kLast); ++kind) {
    bool arg = kind >= static_cast<uint8_t>(ReduceKind::kArgMax);
    for (const std::vector<int64_t>& list : axes) {
      if (arg && list.size() != 1) continue;
      for (bool keep : {true, false}) {
        Reduce op{.kind = static_cast<ReduceKind>(kind), .keep_dims = keep};
        std::string suffix =
            (keep ? "Keep" : "Drop") + std::to_string(list.size()) + "From" + std::to_string(list[0]);
        CaseBuilder builder(OpName(op) + suffix, generator);
        ValueId x = builder.Input(generator.Floats({2, 3, 4, 5}, 0.5f, 1.5f));
        cases.push_back(builder.Finish({builder.Add(op, {x, builder.Integers(list)})}));
      }
    }
  }
  CaseBuilder global("GlobalAverage", generator);
  ValueId x = global.Input({2, 5, 7, 6});
  cases.push_back(global.Finish({global.Add(Reduce{.spatial = true}, {x})}));
  CaseBuilder all("ReduceAll", generator);
  ValueId y = all.Input({3, 4});
  cases.push_back(all.Finish({all.Add(Reduce{.kind = ReduceKind::kMax, .keep_dims = false}, {y})}));
  CaseBuilder ties("ArgMaxLast", generator);
  ValueId z = ties.Input(generator.Int64s({4, 9}, 0, 3));
  Reduce last{.kind = ReduceKind::kArgMax, .select_last = true};
  cases.push_back(ties.Finish({ties.Add(last, {z, ties.Integers({1})})}));
}

void AddPool(Generator& generator, std::vector<Case>& cases) {
  struct PoolCase {
    const char* name;
    Shape x;
    Pool op;
  };
  const PoolCase list[] = {
      {"MaxPool", {1, 16, 8, 8}, {.window = MakeWindow({2, 2}, {2, 2})}},
      {"MaxPoolPadded", {2, 5, 9, 7}, {.window = MakeWindow({3, 3}, {2, 2}, {1, 1})}},
      {"MaxPoolCeil", {1, 3, 8, 7}, {.window = MakeWindow({3, 3}, {2, 2}), .ceil_mode = true}},
      {"MaxPoolDilated", {1, 3, 9, 9}, {.window = MakeWindow({2, 2}, {}, {}, {2, 2})}},
      {"AveragePool", {1, 16, 8, 8}, {.kind = PoolKind::kAverage, .window = MakeWindow({2, 2}, {2, 2})}},
      {"AveragePoolExclude",
       {1, 4, 7, 7},
       {.kind = PoolKind::kAverage, .window = MakeWindow({3, 3}, {2, 2}, {1, 1})}},
      {"AveragePoolInclude",
       {1, 4, 7, 7},
       {.kind = PoolKind::kAverage, .window = MakeWindow({3, 3}, {2, 2}, {1, 1}), .count_include_pad = true}},
      {"AveragePoolCeilInclude",
       {1, 4, 8, 8},
       {.kind = PoolKind::kAverage,
        .window = MakeWindow({3, 3}, {2, 2}, {1, 1}),
        .ceil_mode = true,
        .count_include_pad = true}},
      {"LpPool", {1, 3, 6, 6}, {.kind = PoolKind::kLp, .window = MakeWindow({2, 2}, {2, 2}), .p = 3}},
      {"MaxPool1D", {2, 3, 11}, {.window = MakeWindow({3}, {2}, {1})}},
      {"AveragePool3D", {1, 2, 5, 6, 7}, {.kind = PoolKind::kAverage, .window = MakeWindow({2, 2, 2}, {2, 2, 2})}},
  };
  for (const PoolCase& c : list) {
    CaseBuilder builder(c.name, generator);
    ValueId x = builder.Input(c.x);
    cases.push_back(builder.Finish({builder.Add(c.op, {x})}));
  }
}

void AddNormalisation(Generator& generator, std::vector<Case>& cases) {
  for (bool log : {false, true}) {
    for (int64_t axis : {-1, 0, 1}) {
      CaseBuilder builder(std::string(log ? "LogSoftmax" : "Softmax") + std::to_string(axis), generator);
      ValueId x = builder.Input(generator.Floats({3, 5, 7}, -4, 4));
      cases.push_back(builder.Finish({builder.Add(Softmax{.axis = axis, .log = log}, {x})}));
    }
  }
  CaseBuilder flat("SoftmaxFlatten", generator);
  ValueId x = flat.Input({3, 5, 7});
  cases.push_back(flat.Finish({flat.Add(Softmax{.axis = 1, .flatten = true}, {x})}));
  for (bool rms : {false, true}) {
    CaseBuilder builder(rms ? "RmsNorm" : "LayerNorm", generator);
    ValueId data = builder.Input({2, 3, 65});
    std::vector<ValueId> inputs = {data, builder.Weight({65})};
    if (!rms) inputs.push_back(builder.Weight({65}));
    cases.push_back(builder.Finish({builder.Add(LayerNorm{.rms = rms}, inputs)}));
  }
  CaseBuilder bare("LayerNormTwoAxes", generator);
  ValueId data = bare.Input({4, 3, 5});
  cases.push_back(bare.Finish({bare.Add(LayerNorm{.axis = 1}, {data})}));
  for (int64_t groups : {0, 1, 3}) {
    CaseBuilder builder("GroupNorm" + std::to_string(groups), generator);
    ValueId image = builder.Input({2, 6, 5, 4});
    cases.push_back(builder.Finish(
        {builder.Add(GroupNorm{.groups = groups}, {image, builder.Weight({6}), builder.Weight({6})})}));
  }
  for (int64_t size : {4, 5}) {
    CaseBuilder builder("Lrn" + std::to_string(size), generator);
    ValueId image = builder.Input(generator.Floats({1, 9, 4, 3}, -9, 9));
    Lrn op{.size = size, .alpha = 0.02f, .beta = size == 4 ? 0.6f : 0.75f};
    cases.push_back(builder.Finish({builder.Add(op, {image})}));
  }
  CaseBuilder affine("ChannelAffine", generator);
  ValueId image = affine.Input({2, 6, 5, 4});
  cases.push_back(affine.Finish(
      {affine.Add(ChannelAffine{.activation = Activation::kRelu}, {image, affine.Weight({6}), affine.Weight({6})})}));
}

}  // namespace

void AddMathCases(Generator& generator, std::vector<Case>& cases) {
  AddUnary(generator, cases);
  AddBinaryFloat(generator, cases);
  AddBinaryInteger(generator, cases);
  AddReduce(generator, cases);
  AddPool(generator, cases);
  AddNormalisation(generator, cases);
}

}  // namespace soter::conformance
