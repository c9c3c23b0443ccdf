#pragma once

#include <vector>

#include "audit/linear/matrix.h"

namespace soter::audit {

// Assign pairs each row of `gain` with a column of its own so that the sum of gains is greatest (Hungarian method by
// shortest augmenting paths; O(rows^2 columns)). rows <= columns. Returns the column of each row.
std::vector<size_t> Assign(const Matrix& gain);

}  // namespace soter::audit
