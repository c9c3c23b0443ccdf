#include "trusted/check/verdict.h"

#include "trusted/check/check_access.h"

namespace soter {

void Verdict::Add(const Result<Verified<PrivateTensor>>& outcome) {
  ++decided_;
  failed_ |= !outcome.ok();
}

Result<Verified<Answer>> Verdict::Conclude() const {
  if (failed_) return IntegrityError(kWrongResult);
  CHECK(decided_ == expected_, "a result was never checked");
  return CheckAccess::Release();
}

}  // namespace soter
