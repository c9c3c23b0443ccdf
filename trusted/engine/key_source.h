#pragma once

#include <functional>
#include <optional>
#include <string>

#include "common/base/secret_bytes.h"
#include "common/wire/control.h"
#include "trusted/seal/sealed_model.h"
#include "trusted/tee/platform.h"

namespace soter {

// ReleasedKey opens one sealed model.
struct ReleasedKey {
  SecretBytes identity;               // an age identity file
  std::string signer;                 // a minisign public key, or its file
  std::optional<ReleaseTerms> terms;  // what it was released for; nothing where the operator gave it
};

// StoreLease has the operator keep a lease, replacing the one before; it is on disk when this returns.
using StoreLease = std::function<Status(std::span<const std::byte> lease)>;

// KeySource gets the key of a sealed model from those to whom this enclave has proven itself (trusted/release).
class KeySource {
 public:
  virtual ~KeySource() = default;

  // Release gets the key of the model that `model` announces. Errors: kAuth (refused, or answered what cannot be
  // trusted), kUnavailable (gone or late), kInvalidArgument (the request), kExhausted.
  virtual Result<ReleasedKey> Release(const control::BrokeredModel& model, Platform& platform,
                                      const StoreLease& store_lease) = 0;
};

}  // namespace soter
