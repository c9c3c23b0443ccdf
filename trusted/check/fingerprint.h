#pragma once

#include <vector>

#include "common/graph/bind.h"
#include "trusted/claim/claim.h"
#include "trusted/mask/random_source.h"

namespace soter {

// Fingerprint is the paper's oblivious fingerprint for one linear operator y = F(x) + b: cornerstones X_i with
// Y_i = F(X_i) computed in the enclave; a query sends X = sum m_i X_i with fresh m_i and expects sum m_i Y_i.
// It is a spot check: it says whether the accelerator computed *this* input right, nothing of any other, and an
// accelerator that knows the span of the cornerstones can tell it apart (arXiv 2602.11088).
// Tolerance: docs/spec/integrity.md section 2.  Source: SOTER (USENIX ATC 2022).
class Fingerprint {
 public:
  // node     the linear operator, with its constant weight and bias
  // weight   its weight            bias  its bias, or null
  // inputs   the cornerstones X_i, dense        outputs  F(X_i) + b without activation, dense
  Fingerprint(const Node& node, const Tensor& weight, const Tensor* bias, std::vector<Tensor> inputs,
              std::vector<Tensor> outputs);

  // Combination is what the enclave remembers of one fingerprint that it sent.
  struct Combination {
    std::vector<float> factors;  // m_i
    float largest_input = 0;     // max |x|
  };

  // Draw writes a fresh combination of the cornerstones to `x`, dense, as many elements as an X_i.
  void Draw(RandomSource& random, std::span<float> x, Combination& drawn) const;

  // Check decides whether `claim` is F(x) + b for the x of `drawn`, comparing every element.
  // Errors: kIntegrity (it is not), kMalformed (shape). Leaks: time depends on the size only.
  Result<Verified<PrivateTensor>> Check(Claim claim, const Combination& drawn) const;

  const TensorType& input_type() const { return inputs_.front().type(); }
  const TensorType& output_type() const { return outputs_.front().type(); }
  size_t input_elements() const { return inputs_.front().As<float>().size(); }

 private:
  std::vector<Tensor> inputs_, outputs_;  // outputs without bias
  std::vector<float> bias_;               // one per output channel, 0 without bias
  std::vector<float> row_norm_;           // ||w_j||_2 per output channel
  int64_t inner_count_ = 0;               // products summed for one output
  int64_t channel_stride_ = 1;            // elements of one channel that lie together in an output
};

}  // namespace soter
