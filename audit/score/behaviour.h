#pragma once

#include "common/graph/bind.h"

namespace soter::audit {

// Behaviour says how a substitute does where it counts.
struct Behaviour {
  double accuracy = 0;        // share of test inputs with the right label
  double fidelity = 0;        // share on which it agrees with the victim
  double membership = 0.5;    // balanced accuracy of telling members of the victim's training data from others by the
                              // substitute's confidence; the threshold is chosen on one half, judged on the other
};

// JudgeInputs are what a substitute is judged on: [rows, ...] each.
struct JudgeInputs {
  const Tensor& test;
  const Tensor& labels;   // int64 [rows]
  const Tensor& members;  // inputs that the victim was trained on
};

// Answers runs `network` on all rows of `inputs` and returns its first output.
// Errors: those of Bind and Program::Compile.
Result<Tensor> Answers(const ValidatedGraph& network, const Tensor& inputs);

// Judge compares the substitute with the labels and with the victim. The last axis of the answers holds the classes.
// Errors: as Answers; kInvalidArgument (not one label for each answer).
Result<Behaviour> Judge(const ValidatedGraph& substitute, const ValidatedGraph& victim, const JudgeInputs& inputs);

// MembershipAccuracy is the balanced accuracy of a threshold on `confidence`: chosen on the even elements of both, judged
// on the odd ones.
double MembershipAccuracy(std::span<const double> members, std::span<const double> others);

}  // namespace soter::audit
