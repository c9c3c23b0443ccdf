#include <algorithm>
#include <array>
#include <cmath>

#include "common/compute/layout.h"
#include "common/compute/lower.h"
#include "common/compute/simd.h"
#include "common/graph/infer.h"

// Recurrent: sequences of a batch do not touch each other, so each is one task from its first step to its last.
namespace soter::compute {

namespace {

float Activate(GateActivation kind, float x) {
  switch (kind) {
    case GateActivation::kSigmoid: return 1.0f / (1.0f + std::exp(-x));
    case GateActivation::kTanh: return std::tanh(x);
    case GateActivation::kRelu: return std::max(x, 0.0f);
  }
  return x;
}

// AddProducts adds weight [rows, n] times x to y.
SOTER_SIMD_CLONES
void AddProducts(const float* weight, int64_t rows, int64_t n, const float* x, float* y) {
  for (int64_t row = 0; row < rows; ++row) {
    const float* w = weight + row * n;
    float sum = 0;
#pragma omp simd reduction(+ : sum)
    for (int64_t i = 0; i < n; ++i) sum += w[i] * x[i];
    y[row] += sum;
  }
}

// Cell is one sequence's state; `gates` and `product` hold one step's sums.
struct Cell {
  const Recurrent& op;
  int64_t units;
  const float *weight, *bias, *peephole;
  float *hidden, *memory, *gates, *product;

  void Step(const float* input) {
    switch (op.kind) {
      case RecurrentKind::kRnn: return StepRnn(input);
      case RecurrentKind::kGru: return StepGru(input);
      case RecurrentKind::kLstm: return StepLstm(input);
    }
  }

  // Recur sets rows [first, last) of `target` to bias + weight x.
  void Recur(int64_t first, int64_t last, const float* x, float* target) const {
    if (bias != nullptr) std::copy(bias + first, bias + last, target);
    else std::fill(target, target + (last - first), 0.0f);
    AddProducts(weight + first * units, last - first, units, x, target);
  }

  void StepRnn(const float* input) {
    Recur(0, units, hidden, gates);
    for (int64_t i = 0; i < units; ++i) hidden[i] = Activate(op.f, input[i] + gates[i]);
  }

  void StepGru(const float* input) {
    Recur(0, 2 * units, hidden, gates);
    for (int64_t i = 0; i < 2 * units; ++i) gates[i] = Activate(op.f, input[i] + gates[i]);
    const float* update = gates;
    const float* reset = gates + units;
    if (op.linear_before_reset) {
      Recur(2 * units, 3 * units, hidden, product);
      for (int64_t i = 0; i < units; ++i) product[i] *= reset[i];
    } else {
      float* kept = gates + 2 * units;
      for (int64_t i = 0; i < units; ++i) kept[i] = reset[i] * hidden[i];
      Recur(2 * units, 3 * units, kept, product);
    }
    for (int64_t i = 0; i < units; ++i) {
      float candidate = Activate(op.g, input[2 * units + i] + product[i]);
      hidden[i] = (1.0f - update[i]) * candidate + update[i] * hidden[i];
    }
  }

  void StepLstm(const float* input) {
    Recur(0, 4 * units, hidden, gates);
    for (int64_t i = 0; i < units; ++i) {
      auto sum = [&](int64_t gate) { return input[gate * units + i] + gates[gate * units + i]; };
      auto peep = [&](int64_t gate) { return peephole != nullptr ? peephole[gate * units + i] * memory[i] : 0.0f; };
      float in = Activate(op.f, sum(0) + peep(0)), forget = Activate(op.f, sum(2) + peep(2));
      memory[i] = forget * memory[i] + in * Activate(op.g, sum(3));
      float out = Activate(op.f, sum(1) + peep(1));
      hidden[i] = out * Activate(op.h, memory[i]);
    }
  }
};

struct RecurrentPlan {
  Recurrent op;
  int64_t steps, batch, units, rows;
  bool wide_lengths;
  std::array<int, 7> operands;  // place of each operand among the step's inputs, or -1

  size_t row_floats() const { return static_cast<size_t>(rows + 3 * units); }

  template <typename T>
  const T* Operand(const Arguments& a, size_t i) const {
    return operands[i] < 0 ? nullptr : a.In<T>(static_cast<size_t>(operands[i]));
  }

  Status Run(const Arguments& a) const {
    for (int64_t b = 0; b < batch; ++b)
      if (Length(a, b) < 0 || Length(a, b) > steps) return InvalidArgument("a sequence's length is out of range");
#pragma omp parallel for schedule(static) if (batch > 1)
    for (int64_t b = 0; b < batch; ++b) RunSequence(a, b);
    return {};
  }

  int64_t Length(const Arguments& a, int64_t b) const {
    if (operands[3] < 0) return steps;
    return wide_lengths ? Operand<int64_t>(a, 3)[b] : Operand<int32_t>(a, 3)[b];
  }

  static void Begin(const float* initial, int64_t offset, int64_t n, float* state) {
    if (initial != nullptr) std::copy(initial + offset, initial + offset + n, state);
    else std::fill(state, state + n, 0.0f);
  }

  void RunSequence(const Arguments& a, int64_t b) const {
    float* scratch = reinterpret_cast<float*>(a.scratch) + static_cast<size_t>(b) * row_floats();
    Cell cell{op, units, Operand<float>(a, 1), Operand<float>(a, 2), Operand<float>(a, 6),
              scratch, scratch + units, scratch + 2 * units, scratch + 2 * units + rows};
    Begin(Operand<float>(a, 4), b * units, units, cell.hidden);
    Begin(Operand<float>(a, 5), b * units, units, cell.memory);
    int64_t length = Length(a, b);
    for (int64_t i = 0; i < steps; ++i) {
      int64_t at = op.reverse && i < length ? length - 1 - i : i;
      float* y = a.Out<float>(0) + (at * batch + b) * units;
      if (i >= length) {
        std::fill(y, y + units, 0.0f);
        continue;
      }
      cell.Step(a.In<float>(0) + (at * batch + b) * rows);
      std::copy(cell.hidden, cell.hidden + units, y);
    }
    std::copy(cell.hidden, cell.hidden + units, a.Out<float>(1) + b * units);
    if (op.kind != RecurrentKind::kLstm) return;
    std::copy(cell.memory, cell.memory + units, a.Out<float>(2) + b * units);
  }
};

}  // namespace

Status Lower(const UnitContext& u, const Recurrent& op) {
  TRY(RequireFloat(u.InType(0)));
  const Shape& gates = u.InShape(0);
  RecurrentPlan plan{.op = op, .steps = gates[0], .batch = gates[1], .units = gates[2] / GateCount(op.kind),
                     .rows = gates[2], .wide_lengths = u.Has(3) && u.InType(3).dtype == DType::kInt64, .operands = {}};
  std::vector<BufferId> inputs;
  for (size_t i = 0; i < plan.operands.size(); ++i) {
    plan.operands[i] = u.Has(i) ? static_cast<int>(inputs.size()) : -1;
    if (u.Has(i)) inputs.push_back(TRY(u.builder.Read(u.In(i))));
  }
  std::vector<OutputPlan> outputs;
  for (ValueId value : u.node.outputs) outputs.push_back({value});
  size_t scratch_bytes = static_cast<size_t>(plan.batch) * plan.row_floats() * sizeof(float);
  return u.builder.Emit(MakeKernel([plan](const Arguments& a) { return plan.Run(a); }), std::move(inputs),
                        std::move(outputs), {.scratch_bytes = scratch_bytes});
}

}  // namespace soter::compute
