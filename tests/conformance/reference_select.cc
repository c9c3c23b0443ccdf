#include <algorithm>
#include <cmath>
#include <numeric>

#include "tests/conformance/reference.h"

// Operators that order, address or carry along an axis.
namespace soter::reference {

namespace {

size_t Axis(int64_t axis, const Shape& shape) {
  return static_cast<size_t>(axis < 0 ? axis + static_cast<int64_t>(shape.size()) : axis);
}

int64_t Wrapped(double index, int64_t extent) {
  return index < 0 ? static_cast<int64_t>(index) + extent : static_cast<int64_t>(index);
}

// Where the tuple of indices at `at` points to in data, behind `batch` leading axes.
Shape Named(const Operands& x, const Shape& at, size_t batch) {
  Shape source(at.begin(), at.begin() + static_cast<std::ptrdiff_t>(batch));
  Shape tuple = at;
  for (int64_t d = 0; d < x[1].shape().back(); ++d) {
    tuple.push_back(d);
    source.push_back(Wrapped(x[1].At(tuple), x[0].shape()[source.size()]));
    tuple.pop_back();
  }
  return source;
}

double Folded(ScatterReduction reduction, double y, double update) {
  switch (reduction) {
    case ScatterReduction::kAdd: return y + update;
    case ScatterReduction::kMul: return y * update;
    case ScatterReduction::kMax: return std::max(y, update);
    case ScatterReduction::kMin: return std::min(y, update);
    default: return update;
  }
}

double Activated(GateActivation activation, double x) {
  if (activation == GateActivation::kRelu) return std::max(x, 0.0);
  return activation == GateActivation::kTanh ? std::tanh(x) : 1.0 / (1.0 + std::exp(-x));
}

// One sequence's state in double precision, by the equations of ONNX's RNN, GRU and LSTM.
struct Sequence {
  const Recurrent& op;
  const Operands& x;
  size_t units;
  std::vector<double> hidden, memory;

  double Recurred(size_t gate, size_t i, const std::vector<double>& state) const {
    size_t row = gate * units + i;
    double sum = x.Has(2) ? x[2].data[row] : 0.0;
    for (size_t k = 0; k < units; ++k) sum += x[1].data[row * units + k] * state[k];
    return sum;
  }
  double Peeped(size_t gate, size_t i, double cell) const { return x.Has(6) ? x[6].data[gate * units + i] * cell : 0.0; }

  void Step(const double* input) {
    std::vector<double> next = hidden;
    if (op.kind == RecurrentKind::kGru) {
      std::vector<double> reset(units), kept(units);
      for (size_t i = 0; i < units; ++i) {
        reset[i] = Activated(op.f, input[units + i] + Recurred(1, i, hidden));
        kept[i] = reset[i] * hidden[i];
      }
      for (size_t i = 0; i < units; ++i) {
        double update = Activated(op.f, input[i] + Recurred(0, i, hidden));
        double product = op.linear_before_reset ? reset[i] * Recurred(2, i, hidden) : Recurred(2, i, kept);
        next[i] = (1 - update) * Activated(op.g, input[2 * units + i] + product) + update * hidden[i];
      }
    }
    for (size_t i = 0; i < units && op.kind == RecurrentKind::kRnn; ++i)
      next[i] = Activated(op.f, input[i] + Recurred(0, i, hidden));
    for (size_t i = 0; i < units && op.kind == RecurrentKind::kLstm; ++i) {
      auto gate = [&](size_t g, double peep) {
        return Activated(op.f, input[g * units + i] + Recurred(g, i, hidden) + peep);
      };
      double in = gate(0, Peeped(0, i, memory[i])), forget = gate(2, Peeped(2, i, memory[i]));
      memory[i] = forget * memory[i] + in * Activated(op.g, input[3 * units + i] + Recurred(3, i, hidden));
      next[i] = gate(1, Peeped(1, i, memory[i])) * Activated(op.h, memory[i]);
    }
    hidden = next;
  }
};

}  // namespace

Value Compute(const CumSum& op, const Operands& x) {
  Value y = x.Output();
  size_t axis = Axis(x.Integers(1)[0], y.shape());
  ForEach(y, [&](const Shape& at, double& out) {
    for (int64_t i = 0; i < y.shape()[axis]; ++i) {
      bool before = op.reverse ? i > at[axis] : i < at[axis];
      if (!before && (op.exclusive || i != at[axis])) continue;
      Shape source = at;
      source[axis] = i;
      out += x[0].At(source);
    }
  });
  return y;
}

std::vector<Value> ComputeTopK(const TopK& op, const Operands& x) {
  Value values = x.Output(0), indices = x.Output(1);
  size_t axis = Axis(op.axis, x[0].shape());
  ForEach(values, [&](const Shape& at, double& out) {
    auto element = [&](int64_t i) {
      Shape source = at;
      source[axis] = i;
      return x[0].At(source);
    };
    std::vector<int64_t> order(static_cast<size_t>(x[0].shape()[axis]));
    std::iota(order.begin(), order.end(), 0);
    std::stable_sort(order.begin(), order.end(), [&](int64_t a, int64_t b) {
      return op.largest ? element(a) > element(b) : element(a) < element(b);
    });
    int64_t best = order[static_cast<size_t>(at[axis])];
    out = element(best);
    indices.data[Offset(at, indices.shape())] = static_cast<double>(best);
  });
  return {values, indices};
}

Value Compute(const GatherNd& op, const Operands& x) {
  Value y = x.Output();
  size_t tuple_axes = x[1].shape().size() - 1;
  ForEach(y, [&](const Shape& at, double& out) {
    auto middle = at.begin() + static_cast<std::ptrdiff_t>(tuple_axes);
    Shape source = Named(x, Shape(at.begin(), middle), static_cast<size_t>(op.batch_dims));
    source.insert(source.end(), middle, at.end());
    out = x[0].At(source);
  });
  return y;
}

Value Compute(const Scatter& op, const Operands& x) {
  Value y = x.Output();
  y.data = x[0].data;
  Value updates = x[2];
  ForEach(updates, [&](const Shape& at, double& update) {
    Shape target = at;
    if (op.elements) {
      size_t axis = Axis(op.axis, y.shape());
      target[axis] = Wrapped(x[1].At(at), y.shape()[axis]);
    } else {
      auto middle = at.begin() + static_cast<std::ptrdiff_t>(x[1].shape().size() - 1);
      target = Named(x, Shape(at.begin(), middle), 0);
      target.insert(target.end(), middle, at.end());
    }
    double& out = y.data[Offset(target, y.shape())];
    out = Folded(op.reduction, out, update);
  });
  return y;
}

std::vector<Value> ComputeRecurrent(const Recurrent& op, const Operands& x) {
  std::vector<Value> y;
  for (size_t i = 0; i < x.node.outputs.size(); ++i) y.push_back(x.Output(i));
  size_t steps = static_cast<size_t>(x[0].shape()[0]), batch = static_cast<size_t>(x[0].shape()[1]);
  size_t rows = static_cast<size_t>(x[0].shape()[2]), units = static_cast<size_t>(x[1].shape()[1]);
  for (size_t b = 0; b < batch; ++b) {
    auto state = [&](size_t operand) {
      std::vector<double> values(units);
      for (size_t i = 0; i < units && x.Has(operand); ++i) values[i] = x[operand].data[b * units + i];
      return values;
    };
    Sequence sequence{op, x, units, state(4), state(5)};
    size_t length = x.Has(3) ? static_cast<size_t>(x[3].data[b]) : steps;
    for (size_t i = 0; i < length; ++i) {
      size_t at = op.reverse ? length - 1 - i : i;
      sequence.Step(&x[0].data[(at * batch + b) * rows]);
      std::ranges::copy(sequence.hidden, y[0].data.begin() + static_cast<std::ptrdiff_t>((at * batch + b) * units));
    }
    std::ranges::copy(sequence.hidden, y[1].data.begin() + static_cast<std::ptrdiff_t>(b * units));
    if (y.size() > 2) std::ranges::copy(sequence.memory, y[2].data.begin() + static_cast<std::ptrdiff_t>(b * units));
  }
  return y;
}

}  // namespace soter::reference
