#pragma once

#include <set>
#include <string>
#include <vector>

#include "common/graph/bind.h"
#include "common/wire/control.h"
#include "trusted/mask/random_source.h"

namespace soter {

using control::Check;
using control::Scheme;

// NodePlacement says who computes a node, whether its parameters and data are masked there, whether its result is
// checked, and why.
struct NodePlacement {
  bool accelerator = false;
  bool masked = false;
  bool checked = false;
  std::string reason;
};
using Placement = std::vector<NodePlacement>;  // one per node of the graph

// Selection is the set of linear operators that a policy drew at random, by the value that each computes: the same
// for every input shape, because binding keeps value ids.
using Selection = std::set<ValueId>;

// SelectAtRandom draws round(theta * n) of the graph's n weight-bearing linear operators, each subset as likely as
// any other (the paper's theta).
Selection SelectAtRandom(const Graph& graph, double theta, RandomSource& random);

// PlaceInsecure: everything that accelerators compute is offloaded, in plaintext, unchecked.
Placement PlaceInsecure(const StaticGraph& graph);

// PlaceMlcapsule: everything in the enclave (MLCapsule, CVPR workshops 2021).
Placement PlaceMlcapsule(const StaticGraph& graph);

// PlaceVerified: linear operators on the accelerator in plaintext, each result checked; operators between them that the
// enclave can repeat closely ride along; everything else, and what costs too much to check, in the enclave.
// allowed: the linear operators that may be offloaded, or null for all.
Placement PlaceVerified(const StaticGraph& graph, const Selection* allowed = nullptr);

// PlaceSoter: the selected linear operators on the accelerator, masked; positively homogeneous operators between them
// ride along; everything else in the enclave (SOTER, USENIX ATC 2022).
Placement PlaceSoter(const StaticGraph& graph, const Selection& selection, Check check);

// PlaceAegisdnn: the operators that compute `offloaded` on the accelerator, in plaintext and unchecked; the others,
// which AegisDNN protects, in the enclave (RTSS 2021).
Placement PlaceAegisdnn(const StaticGraph& graph, const Selection& offloaded);

// PlaceEnnclave: the operators that compute `public_values` on the accelerator, in plaintext and unchecked; the others
// in the enclave (eNNclave, AISec 2020).
Placement PlaceEnnclave(const StaticGraph& graph, const Selection& public_values);

}  // namespace soter
