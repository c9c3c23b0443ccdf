#include "owner/passes/canonicalise.h"

#include "owner/passes/passes.h"

namespace soter {
namespace {

struct Pass {
  const char* name;
  Result<Graph> (*run)(Graph);
};

template <Graph (*kRun)(Graph)>
Result<Graph> Infallible(Graph graph) {
  return kRun(std::move(graph));
}

constexpr Pass kPasses[] = {
    {"remove_identity", Infallible<RemoveIdentity>},
    {"fold_constants", FoldConstants},
    {"fuse_pad", Infallible<FusePad>},
    {"fold_batch_norm", FoldBatchNorm},
    {"lower_matmul_add", LowerMatMulAdd},
    {"recognise_layer_norm", Infallible<RecogniseLayerNorm>},
    {"recognise_gelu", Infallible<RecogniseGelu>},
    {"recognise_silu", Infallible<RecogniseSilu>},
    {"recognise_attention", Infallible<RecogniseAttention>},
    {"dead_code", Infallible<RemoveDeadCode>},
};

}  // namespace

Result<Graph> Canonicalise(Graph graph, const std::function<void(const char* pass, const Graph&)>& after_pass) {
  for (const Pass& pass : kPasses) {
    graph = TRY(pass.run(std::move(graph)));
    if (after_pass) after_pass(pass.name, graph);
  }
  return graph;
}

}  // namespace soter
