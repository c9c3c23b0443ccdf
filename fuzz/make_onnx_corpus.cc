// make_onnx_corpus DIRECTORY: writes the seeds of fuzz/corpus/onnx: sound models that reach the converters and
// the passes, and some that were made to hurt.

#include <cstdio>
#include <filesystem>
#include <fstream>

#include "owner/onnx/onnx_builder.h"

namespace soter {
namespace {

OnnxBuilder ConvNet() {
  OnnxBuilder b;
  b.Input("x", {"batch", "2", "6", "6"}).Output("y");
  b.Filled("w", {4, 2, 3, 3}, 0.5f).Floats("bias", {4}, {1, 2, 3, 4});
  for (const char* name : {"gamma", "beta", "mean", "var"}) b.Filled(name, {4}, 1.0f);
  b.Int64s("pads", {8}, {0, 0, 1, 1, 0, 0, 1, 1}).Filled("fc", {4, 3}, 0.25f);
  b.Node("Pad", {"x", "pads"}, {"padded"});
  SetInts(b.Node("Conv", {"padded", "w", "bias"}, {"conv"}), "kernel_shape", {3, 3});
  b.Node("BatchNormalization", {"conv", "gamma", "beta", "mean", "var"}, {"norm"});
  b.Node("Relu", {"norm"}, {"relu"});
  SetInts(b.Node("MaxPool", {"relu"}, {"pooled"}), "kernel_shape", {2, 2});
  b.Node("GlobalAveragePool", {"pooled"}, {"mean_pool"});
  b.Node("Flatten", {"mean_pool"}, {"rows"});
  b.Node("Gemm", {"rows", "fc"}, {"y"});
  return b;
}

OnnxBuilder Block() {
  OnnxBuilder b;
  b.Input("x", {"batch", "length", "4"}).Output("y").Filled("w", {4, 4}, 0.5f).Floats("bias", {4}, {1, 2, 3, 4});
  b.Floats("two", {}, {2}).Floats("epsilon", {}, {1e-5f}).Floats("root", {}, {1.4142135f}).Floats("one", {}, {1});
  b.Floats("half", {}, {0.5f});
  SetInts(b.Node("ReduceMean", {"x"}, {"mean"}), "axes", {-1});
  b.Node("Sub", {"x", "mean"}, {"centred"});
  b.Node("Pow", {"centred", "two"}, {"square"});
  SetInts(b.Node("ReduceMean", {"square"}, {"variance"}), "axes", {-1});
  b.Node("Add", {"variance", "epsilon"}, {"guarded"});
  b.Node("Sqrt", {"guarded"}, {"deviation"});
  b.Node("Div", {"centred", "deviation"}, {"normal"});
  b.Node("MatMul", {"normal", "w"}, {"product"});
  b.Node("Add", {"product", "bias"}, {"h"});
  b.Node("Div", {"h", "root"}, {"scaled"});
  b.Node("Erf", {"scaled"}, {"erf"});
  b.Node("Add", {"erf", "one"}, {"gate"});
  b.Node("Mul", {"h", "gate"}, {"gated"});
  b.Node("Mul", {"gated", "half"}, {"y"});
  return b;
}

OnnxBuilder ShapeArithmetic() {
  OnnxBuilder b;
  b.Input("x", {"batch", "length", "4"}).Output("y").Int64s("zero", {}, {0}).Int64s("axes", {1}, {0});
  b.Int64s("rest", {1}, {-1});
  b.Node("Shape", {"x"}, {"shape"});
  b.Node("Gather", {"shape", "zero"}, {"batch"});
  b.Node("Unsqueeze", {"batch", "axes"}, {"batches"});
  SetInt(b.Node("Concat", {"batches", "rest"}, {"target"}), "axis", 0);
  b.Node("Reshape", {"x", "target"}, {"rows"});
  SetInts(b.Node("Transpose", {"rows"}, {"y"}), "perm", {1, 0});
  return b;
}

OnnxBuilder Quantised() {
  OnnxBuilder b;
  b.Input("x", {"2"}).Output("y").Floats("scale", {}, {0.5f});
  b.Node("QuantizeLinear", {"x", "scale"}, {"q"});
  b.Node("DequantizeLinear", {"q", "scale"}, {"y"});
  return b;
}

// A function that calls itself twice, with an attribute passed on.
OnnxBuilder Recursion() {
  OnnxBuilder b;
  b.Input("x", {"2"}).Output("y");
  auto& function = *b.model().add_functions();
  function.set_domain("mine");
  function.set_name("F");
  const std::string in = "a", out = "b", unread = "c";
  function.add_input(in);
  function.add_output(out);
  for (int i = 0; i < 2; ++i) {
    onnx::NodeProto& node = *function.add_node();
    node.set_op_type("F");
    node.set_domain("mine");
    node.add_input(in);
    node.add_output(i == 0 ? out : unread);
  }
  b.Node("F", {"x"}, {"y"}).set_domain("mine");
  return b;
}

OnnxBuilder Explosion() {
  OnnxBuilder b;
  b.Input("x", {"1"}).Output("y").Floats("v0", {1}, {1}).Int64s("many", {1}, {1 << 10});
  const char* values[] = {"v0", "v1", "v2", "v3", "v4", "v5", "v6"};
  for (int i = 0; i < 6; ++i) b.Node("Tile", {values[i], "many"}, {values[i + 1]});
  b.Node("Add", {"x", "v6"}, {"y"});
  return b;
}

OnnxBuilder Liar() {
  OnnxBuilder b;
  b.Input("x", {"1"}).Output("y").Floats("w", {int64_t{1} << 40}, {1, 2});
  b.Node("Add", {"x", "w"}, {"y"});
  return b;
}

bool WriteCorpus(const std::filesystem::path& directory) {
  const std::pair<const char*, OnnxBuilder> seeds[] = {
      {"conv-net", ConvNet()},   {"block", Block()},         {"shape-arithmetic", ShapeArithmetic()},
      {"quantised", Quantised()}, {"recursion", Recursion()}, {"explosion", Explosion()},
      {"liar", Liar()}};
  for (const auto& [name, model] : seeds) {
    std::ofstream file(directory / name, std::ios::binary);
    if (!(file << model.Bytes()).flush()) return false;
  }
  std::ofstream truncated(directory / "truncated", std::ios::binary);
  const std::string bytes = ConvNet().Bytes();
  return (truncated << bytes.substr(0, bytes.size() / 2)).flush().good();
}

}  // namespace
}  // namespace soter

int main(int argc, char** argv) {
  if (argc == 2 && soter::WriteCorpus(argv[1])) return 0;
  std::fprintf(stderr, "usage: make_onnx_corpus DIRECTORY (which must exist)\n");
  return 2;
}
