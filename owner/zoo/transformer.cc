// The encoder-decoder Transformer, in the operators that PyTorch's exporter makes of it: LayerNorm in parts, and
// attention with its shapes computed from the input's, so that batch and sequences may be of any length.
#include <cmath>

#include "owner/zoo/networks.h"

namespace soter {
namespace {

using Ints = std::vector<int64_t>;

class TransformerBuilder {
 public:
  TransformerBuilder(ModelBuilder& model, TransformerSize size) : m_(model), size_(size) {
    zero_ = m_.Int64Scalar("zero", 0);
    one_ = m_.Int64Scalar("one", 1);
    first_axis_ = m_.Int64s("first_axis", {0});
    width_ = m_.Int64s("width", {size.width});
    heads_ = m_.Int64s("heads", {size.heads});
    head_width_ = m_.Int64s("head_width", {size.width / size.heads});
    two_ = m_.Scalar("two", 2.0f);
    epsilon_ = m_.Scalar("epsilon", 1e-5f);
    score_scale_ = m_.Scalar("score_scale", std::sqrt(static_cast<float>(size.width / size.heads)));
  }

  void Build() {
    const std::string src = m_.Input("src", {"batch", "src_length", size_.width});
    const std::string tgt = m_.Input("tgt", {"batch", "tgt_length", size_.width});
    std::string memory = src;
    for (int64_t i = 0; i < size_.layers; ++i) memory = EncoderLayer("encoder.layers." + std::to_string(i), memory);
    memory = Norm("encoder.norm", memory);
    const std::string mask = CausalMask(tgt);
    std::string y = tgt;
    for (int64_t i = 0; i < size_.layers; ++i) {
      y = DecoderLayer("decoder.layers." + std::to_string(i), y, memory, mask);
    }
    m_.Output(Norm("decoder.norm", y), {"batch", "tgt_length", size_.width});
  }

 private:
  std::string Linear(const std::string& name, const std::string& x, int64_t in, int64_t out) {
    const std::string weight = m_.Weight(name + ".weight", {in, out}, Spread::Xavier(in, out));
    const std::string product = m_.Node("MatMul", name + ".matmul", {x, weight});
    return m_.Node("Add", name, {m_.Weight(name + ".bias", {out}, {0.0f, 0.05f}), product});
  }

  std::string Norm(const std::string& name, const std::string& x) {
    const std::vector<Attribute> last_axis = {{"axes", Ints{-1}}, {"keepdims", int64_t{1}}};
    const std::string mean = m_.Node("ReduceMean", name + ".mean", {x}, last_axis);
    const std::string centred = m_.Node("Sub", name + ".centred", {x, mean});
    const std::string square = m_.Node("Pow", name + ".square", {centred, two_});
    const std::string variance = m_.Node("ReduceMean", name + ".variance", {square}, last_axis);
    const std::string guarded = m_.Node("Add", name + ".guarded", {variance, epsilon_});
    const std::string deviation = m_.Node("Sqrt", name + ".deviation", {guarded});
    const std::string normal = m_.Node("Div", name + ".normal", {centred, deviation});
    const Shape shape = {size_.width};
    const std::string weight = m_.Weight(name + ".weight", shape, {1.0f, 0.25f});
    const std::string scaled = m_.Node("Mul", name + ".scaled", {normal, weight});
    return m_.Node("Add", name, {scaled, m_.Weight(name + ".bias", shape, {0.0f, 0.05f})});
  }

  // One extent of x, as a vector of one.
  std::string Extent(const std::string& name, const std::string& x, const std::string& axis) {
    const std::string shape = m_.Node("Shape", name + ".shape", {x});
    const std::string extent = m_.Node("Gather", name + ".gather", {shape, axis}, {{"axis", int64_t{0}}});
    return m_.Node("Unsqueeze", name, {extent, first_axis_});
  }

  // [batch, length, width] -> [batch, heads, length, head_width], or the last two swapped.
  std::string SplitHeads(const std::string& name, const std::string& x, const Ints& perm) {
    const std::vector<std::string> extents = {Extent(name + ".batch", x, zero_), Extent(name + ".length", x, one_),
                                              heads_, head_width_};
    const std::string shape = m_.Node("Concat", name + ".extents", extents, {{"axis", int64_t{0}}});
    return m_.Node("Transpose", name, {m_.Node("Reshape", name + ".split", {x, shape})}, {{"perm", perm}});
  }

  std::string JoinHeads(const std::string& name, const std::string& x, const std::string& like) {
    const std::vector<std::string> extents = {Extent(name + ".batch", like, zero_),
                                              Extent(name + ".length", like, one_), width_};
    const std::string shape = m_.Node("Concat", name + ".extents", extents, {{"axis", int64_t{0}}});
    const std::string rows = m_.Node("Transpose", name + ".rows", {x}, {{"perm", Ints{0, 2, 1, 3}}});
    return m_.Node("Reshape", name, {rows, shape});
  }

  std::string Attention(const std::string& name, const std::string& x, const std::string& memory,
                        const std::string& mask) {
    const int64_t d = size_.width;
    const std::string q = SplitHeads(name + ".q", Linear(name + ".q_proj", x, d, d), {0, 2, 1, 3});
    const std::string k = SplitHeads(name + ".k", Linear(name + ".k_proj", memory, d, d), {0, 2, 3, 1});
    const std::string v = SplitHeads(name + ".v", Linear(name + ".v_proj", memory, d, d), {0, 2, 1, 3});
    std::string scores = m_.Node("Div", name + ".scores", {m_.Node("MatMul", name + ".qk", {q, k}), score_scale_});
    if (!mask.empty()) scores = m_.Node("Add", name + ".masked", {scores, mask});
    const std::string weights = m_.Node("Softmax", name + ".softmax", {scores}, {{"axis", int64_t{-1}}});
    const std::string mixed = m_.Node("MatMul", name + ".av", {weights, v});
    return Linear(name + ".out_proj", JoinHeads(name + ".joined", mixed, x), d, d);
  }

  // Norm(x + branch): the published order.
  std::string Residual(const std::string& name, const std::string& x, const std::string& branch) {
    return Norm(name, m_.Node("Add", name + ".residual", {x, branch}));
  }

  std::string FeedForward(const std::string& name, const std::string& x) {
    const std::string hidden = Linear(name + ".linear1", x, size_.width, size_.hidden);
    const std::string positive = m_.Node("Relu", name + ".relu", {hidden});
    return Linear(name + ".linear2", positive, size_.hidden, size_.width);
  }

  std::string EncoderLayer(const std::string& name, std::string x) {
    x = Residual(name + ".norm1", x, Attention(name + ".self_attn", x, x, ""));
    return Residual(name + ".norm2", x, FeedForward(name, x));
  }

  std::string DecoderLayer(const std::string& name, std::string x, const std::string& memory,
                           const std::string& mask) {
    x = Residual(name + ".norm1", x, Attention(name + ".self_attn", x, x, mask));
    x = Residual(name + ".norm2", x, Attention(name + ".multihead_attn", x, memory, ""));
    return Residual(name + ".norm3", x, FeedForward(name, x));
  }

  // [length, length]: 0 up to the diagonal, so large a negative number above it that softmax gives it nothing.
  std::string CausalMask(const std::string& tgt) {
    const std::string length = Extent("mask.length", tgt, one_);
    const std::string shape = m_.Node("Concat", "mask.extents", {length, length}, {{"axis", int64_t{0}}});
    const std::string full = m_.Node("Expand", "mask.full", {m_.Scalar("mask.value", -1e9f), shape});
    return m_.Node("Trilu", "mask", {full, one_}, {{"upper", int64_t{1}}});
  }

  ModelBuilder& m_;
  TransformerSize size_;
  std::string zero_, one_, first_axis_, width_, heads_, head_width_, two_, epsilon_, score_scale_;
};

}  // namespace

void BuildTransformer(ModelBuilder& model, TransformerSize size) { TransformerBuilder(model, size).Build(); }

}  // namespace soter
