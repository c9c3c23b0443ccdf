#include "tests/conformance/case_builder.h"

namespace soter::conformance {

namespace {

void AddCumSums(Generator& g, std::vector<Case>& cases) {
  for (int64_t axis : {0, -1}) {
    for (const CumSum& op : {CumSum{}, CumSum{.exclusive = true}, CumSum{true, true}}) {
      CaseBuilder builder("CumSum" + std::to_string(axis) + (op.exclusive ? "Exclusive" : "") +
                              (op.reverse ? "Reverse" : ""), g);
      ValueId x = builder.Input({3, 4, 7}), n = builder.Input(g.Int64s({5, 6}, -9, 9));
      ValueId m = builder.Input(g.Int32s({5, 6}, -9, 9)), along = builder.Integers({axis});
      std::vector<ValueId> sums;
      for (ValueId value : {x, n, m}) sums.push_back(builder.Add(op, {value, along}));
      cases.push_back(builder.Finish(sums));
    }
  }
}

void AddTopKs(Generator& g, std::vector<Case>& cases) {
  for (bool largest : {true, false}) {
    CaseBuilder builder(largest ? "TopKLargest" : "TopKLeast", g);
    ValueId x = builder.Input({3, 9, 2}), ties = builder.Input(g.Int64s({4, 11}, 0, 3));
    std::vector<ValueId> outputs = builder.AddNode(TopK{.axis = 1, .largest = largest}, {x, builder.Integers({4})}, 2);
    for (ValueId y : builder.AddNode(TopK{.largest = largest}, {ties, builder.Integers({6})}, 2)) outputs.push_back(y);
    cases.push_back(builder.Finish(outputs));
  }
}

void AddScatters(Generator& g, std::vector<Case>& cases) {
  CaseBuilder gather("GatherNd", g);
  ValueId data = gather.Input({4, 5, 3}), indices = gather.Input(g.Int64s({6, 2}, -4, 3));
  ValueId batched = gather.Input(g.Int32s({4, 2, 1}, -5, 4));
  cases.push_back(gather.Finish({gather.Add(GatherNd{}, {data, indices}), gather.Add(GatherNd{1}, {data, batched})}));
  for (uint8_t kind = 0; kind <= static_cast<uint8_t>(ScatterReduction::kLast); ++kind) {
    Scatter op{.reduction = static_cast<ScatterReduction>(kind)};
    CaseBuilder builder("Scatter" + std::to_string(kind), g);
    ValueId x = builder.Input({6, 5, 3});
    // Each place once: what a repeated index without a reduction leaves is not defined.
    ValueId rows = builder.Constant(Tensor::FromValues<int64_t>({3, 1}, {4, -6, 2}));
    ValueId columns = builder.Constant(Tensor::FromValues<int32_t>({2, 3, 1}, {0, 2, -1, 4, 1, 3}));
    ValueId nd = builder.Add(op, {x, rows, builder.Input({3, 5, 3})});
    op.axis = 1;
    op.elements = true;
    ValueId elements = builder.Add(op, {x, columns, builder.Input({2, 3, 1})});
    cases.push_back(builder.Finish({nd, elements}));
  }
}

// Every optional operand, in a batch of sequences of different lengths.
void AddRecurrent(Generator& g, std::vector<Case>& cases, const std::string& name, Recurrent op, bool full) {
  constexpr int64_t kSteps = 5, kBatch = 3, kUnits = 7;
  const bool is_lstm = op.kind == RecurrentKind::kLstm;
  const int64_t rows = (is_lstm ? 4 : op.kind == RecurrentKind::kGru ? 3 : 1) * kUnits;
  CaseBuilder builder(name + (op.reverse ? "Reverse" : "") + (full ? "Full" : ""), g);
  std::vector<ValueId> inputs = {builder.Input({kSteps, kBatch, rows}), builder.Weight({rows, kUnits})};
  if (full) {
    inputs.push_back(builder.Weight({rows}));
    inputs.push_back(builder.Input(Tensor::FromValues<int64_t>({kBatch}, {5, 0, 3})));
    inputs.push_back(builder.Input({kBatch, kUnits}));
    if (is_lstm) inputs.push_back(builder.Input({kBatch, kUnits}));
    if (is_lstm) inputs.push_back(builder.Weight({3 * kUnits}));
  }
  cases.push_back(builder.Finish(builder.AddNode(op, inputs, is_lstm ? 3 : 2)));
}

void AddRecurrents(Generator& g, std::vector<Case>& cases) {
  for (bool reverse : {false, true}) {
    for (bool full : {false, true}) {
      AddRecurrent(g, cases, "Rnn", {.kind = RecurrentKind::kRnn, .reverse = reverse, .f = GateActivation::kTanh}, full);
      AddRecurrent(g, cases, "Gru", {.kind = RecurrentKind::kGru, .reverse = reverse}, full);
      AddRecurrent(g, cases, "GruLinearBeforeReset",
                   {.kind = RecurrentKind::kGru, .reverse = reverse, .linear_before_reset = true}, full);
      AddRecurrent(g, cases, "Lstm", {.kind = RecurrentKind::kLstm, .reverse = reverse}, full);
    }
  }
  Recurrent rectified{.kind = RecurrentKind::kLstm, .g = GateActivation::kRelu, .h = GateActivation::kRelu};
  AddRecurrent(g, cases, "LstmRelu", rectified, true);
}

}  // namespace

void AddSelectCases(Generator& generator, std::vector<Case>& cases) {
  AddCumSums(generator, cases);
  AddTopKs(generator, cases);
  AddScatters(generator, cases);
  AddRecurrents(generator, cases);
}

}  // namespace soter::conformance
