// Einsum of one or two operands: sums, a transposition, a matrix product.
#include <algorithm>

#include "owner/onnx/compose.h"

namespace soter {
namespace {

using Labels = std::string;

bool Has(const Labels& labels, char label) { return labels.find(label) != Labels::npos; }

struct Equation {
  std::vector<Labels> operands;
  Labels result;
};

Status CheckLabels(const Labels& labels) {
  for (size_t i = 0; i < labels.size(); ++i) {
    if (!std::isalpha(static_cast<unsigned char>(labels[i]))) {
      return Unsupported("an equation with '" + labels + "'; supported are letters only, without an ellipsis");
    }
    if (labels.find(labels[i], i + 1) != Labels::npos) return Unsupported("an equation that takes a diagonal");
  }
  return {};
}

// Without an arrow the result has, in alphabetical order, the labels that occur once.
Labels ImpliedResult(const std::vector<Labels>& operands) {
  Labels all, result;
  for (const Labels& labels : operands) all += labels;
  for (char label : all) {
    if (std::count(all.begin(), all.end(), label) == 1) result += label;
  }
  std::sort(result.begin(), result.end());
  return result;
}

Result<Equation> ParseEquation(std::string text) {
  std::erase(text, ' ');
  const size_t arrow = text.find("->");
  const std::string left = text.substr(0, arrow);
  Equation equation;
  for (size_t begin = 0; begin <= left.size();) {
    const size_t end = std::min(left.find(',', begin), left.size());
    equation.operands.push_back(left.substr(begin, end - begin));
    TRY(CheckLabels(equation.operands.back()));
    begin = end + 1;
  }
  equation.result = arrow == std::string::npos ? ImpliedResult(equation.operands) : text.substr(arrow + 2);
  TRY(CheckLabels(equation.result));
  for (char label : equation.result) {
    const auto has = [&](const Labels& labels) { return Has(labels, label); };
    if (std::ranges::none_of(equation.operands, has)) return Malformed("the result has a label of no operand");
  }
  return equation;
}

// Term is a value whose axes are labelled.
struct Term {
  ValueId value;
  Labels labels;
};

class EinsumLowering {
 public:
  EinsumLowering(Conversion& c, const OnnxNode& node) : compose_(c, node) {}

  // Sums the axes that nobody else and the result do not have.
  Result<Term> SumUnless(Term term, const Labels& kept) {
    std::vector<int64_t> axes;
    Labels rest;
    for (size_t i = 0; i < term.labels.size(); ++i) {
      if (Has(kept, term.labels[i])) rest += term.labels[i];
      else axes.push_back(static_cast<int64_t>(i));
    }
    if (axes.empty()) return term;
    return Term{TRY(compose_.Reduced(ReduceKind::kSum, term.value, compose_.Int64s(std::move(axes)), false)), rest};
  }

  Result<ValueId> Arranged(const Term& term, const Labels& order) {
    if (term.labels == order) return term.value;
    std::vector<int64_t> perm;
    for (char label : order) perm.push_back(static_cast<int64_t>(term.labels.find(label)));
    return compose_.Emit(Transpose{std::move(perm)}, {term.value});
  }

  // a [batch..., left..., inner...] times b [batch..., inner..., right...] as one product of matrices.
  Result<Term> Product(Term a, Term b, const Labels& result) {
    Labels batch, left, inner, right;
    for (char label : a.labels) {
      if (!Has(b.labels, label)) left += label;
      else if (Has(result, label)) batch += label;
      else inner += label;
    }
    for (char label : b.labels) {
      if (!Has(a.labels, label)) right += label;
    }
    a = {TRY(Arranged(a, batch + left + inner)), batch + left + inner};
    b = {TRY(Arranged(b, batch + inner + right)), batch + inner + right};
    const ValueId rows = TRY(Grouped(a, batch.size(), left.size()));
    const ValueId columns = TRY(Grouped(b, batch.size(), inner.size()));
    const ValueId product = TRY(compose_.Emit(MatMul{}, {rows, columns}));
    const ValueId shape = TRY(Extents({{a, 0, batch.size() + left.size()}, {b, batch.size() + inner.size(), 99}}));
    return Term{TRY(compose_.Emit(Reshape{}, {product, shape})), batch + left + right};
  }

 private:
  struct Span {
    Term term;
    size_t begin, end;
  };

  // The extents of some axes of some terms, one after the other.
  Result<ValueId> Extents(const std::vector<Span>& spans) {
    std::vector<ValueId> parts;
    for (const Span& span : spans) {
      const ShapeOf shape{static_cast<int64_t>(span.begin), static_cast<int64_t>(span.end)};
      parts.push_back(TRY(compose_.Emit(shape, {span.term.value})));
    }
    return compose_.Emit(Concat{0}, std::move(parts));
  }

  // [batch..., first..., second...] as [batch..., first, second].
  Result<ValueId> Grouped(const Term& term, size_t batch, size_t first) {
    const ValueId kept = TRY(Extents({{term, 0, batch}}));
    const auto size = [&](size_t begin, size_t end) -> Result<ValueId> {
      const ValueId extents = TRY(Extents({{term, begin, end}}));
      return compose_.Reduced(ReduceKind::kProd, extents, kNoValue, true);
    };
    const ValueId rows = TRY(size(batch, batch + first)), columns = TRY(size(batch + first, term.labels.size()));
    return compose_.Emit(Reshape{}, {term.value, TRY(compose_.Emit(Concat{0}, {kept, rows, columns}))});
  }

  Compose compose_;
};

Status ConvertEinsum(Conversion& c, const OnnxNode& node) {
  const Equation equation = TRY(ParseEquation(TRY(node.String("equation", ""))));
  if (equation.operands.size() != node.input_count()) return Malformed("the equation has another number of operands");
  if (equation.operands.size() > 2) return Unsupported("more than two operands; split it into products of two");
  EinsumLowering lowering(c, node);
  Term y{TRY(c.Input(node, 0)), equation.operands[0]};
  if (equation.operands.size() == 1) {
    y = TRY(lowering.SumUnless(std::move(y), equation.result));
  } else {
    Term b{TRY(c.Input(node, 1)), equation.operands[1]};
    y = TRY(lowering.SumUnless(std::move(y), equation.result + b.labels));
    b = TRY(lowering.SumUnless(std::move(b), equation.result + y.labels));
    y = TRY(lowering.Product(std::move(y), std::move(b), equation.result));
  }
  return c.SetOutput(node, TRY(lowering.Arranged(y, equation.result)));
}

constexpr OperatorRow kOperators[] = {{"Einsum", ConvertEinsum}};

}  // namespace

std::span<const OperatorRow> EinsumOperators() { return kOperators; }

}  // namespace soter
