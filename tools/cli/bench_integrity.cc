#include "tools/cli/bench_integrity.h"

namespace soter {

Status BenchIntegrity(const BenchOptions&) { return Unsupported("soter bench --integrity is not in this build"); }

}  // namespace soter
