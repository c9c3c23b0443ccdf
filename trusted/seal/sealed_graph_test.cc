#include <gtest/gtest.h>

#include <string>

#include "common/base/bytes.h"
#include "common/graph/codec.h"
#include "common/graph/testing/graph_builder.h"
#include "trusted/seal/sealed_model.h"
#include "trusted/seal/test_streams.h"

namespace soter {
namespace {

Graph GraphWithWeights() {
  GraphBuilder builder;
  ValueId x = builder.Input("x", Shape{1, 300});
  ValueId weight = builder.Constant(Tensor::FromValues<float>({2, 300}, std::vector<float>(600, 0.5f)));
  ValueId bias = builder.Constant(Tensor::FromValues<float>({2}, {1.0f, 2.0f}));
  builder.Output(builder.Add(Linear{}, {x, weight, bias}));
  return std::move(builder.graph());
}

TEST(SealedGraph, SurvivesSealingAndOpening) {
  Graph graph = GraphWithWeights();
  AgeIdentity enclave = AgeIdentity::Generate().value();
  MinisignSecretKey owner = MinisignSecretKey::Generate().value();
  ModelPolicy policy = {.name = "linear"};
  SealRequest seal = {.policy = policy, .recipients = std::span(&enclave.recipient(), 1), .signer = owner};
  std::string file;
  std::string signature =
      SealModel(seal, [&](const ByteSink& sink) { return EncodeGraph(graph, sink); }, SinkTo(file)).value().ToText();

  MinisignPublicKey signer = owner.Public();
  OpenRequest open = {.identities = std::span(&enclave, 1), .signer = signer, .signature = signature};
  OpenedModel model = OpenSealedModel(SourceOf(file), file.size(), open).value();
  ValidatedGraph opened = DecodeGraph(model.graph()).value();
  EXPECT_EQ(EncodeStructure(opened.graph()), EncodeStructure(graph));
}

}  // namespace
}  // namespace soter
