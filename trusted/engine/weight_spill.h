#pragma once

#include <map>
#include <memory>
#include <vector>

#include "common/base/unique_fd.h"
#include "common/graph/graph.h"
#include "trusted/crypto/aead.h"

namespace soter {

// WeightSpill keeps parameters outside the enclave until another binding needs them: in a file without a name,
// encrypted with AES-256-GCM under a key that never leaves the enclave. Where each piece lies and its nonce stay
// here, so that pieces that were changed, swapped or put back are noticed when they are read.
class WeightSpill {
 public:
  // Create draws the key and makes the file in TMPDIR, or else in /tmp.
  // Errors: kUnavailable (no randomness, or no such directory).
  static Result<std::unique_ptr<WeightSpill>> Create();

  // Put encrypts `tensor` into the file. Errors: kExhausted (the file cannot grow).
  Status Put(ValueId value, TensorView tensor);

  bool Holds(ValueId value) const { return entries_.contains(value); }

  // Get reads a tensor back; `value` must be held. Errors: kIntegrity (it is not what was written), kExhausted.
  Result<std::shared_ptr<const Tensor>> Get(ValueId value);

  // The file itself, which whoever runs the machine can write to; for tests.
  int fd() const { return file_.get(); }

 private:
  struct Entry {
    TensorType type;
    uint64_t offset;       // of the first piece in the file
    uint64_t first_piece;  // counts all pieces ever written; the nonce
  };

  WeightSpill(UniqueFd file, const AeadKey& key) : file_(std::move(file)), cipher_(key) {}

  UniqueFd file_;
  Aes256Gcm cipher_;
  Buffer sealed_;  // one piece
  std::map<ValueId, Entry> entries_;
  uint64_t end_ = 0, pieces_ = 0;
};

}  // namespace soter
