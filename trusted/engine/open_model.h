#pragma once

#include <string>
#include <vector>

#include "common/base/stream.h"
#include "common/graph/graph.h"
#include "common/wire/control.h"
#include "trusted/engine/key_source.h"

// Which models an enclave runs, and under which settings (docs/spec/control.md).
namespace soter {

// RequirePlaintextAllowed refuses a model that is not sealed to a scheme that hides weights, outside the development
// TEE: whoever could send it could read it. Errors: kAuth.
Status RequirePlaintextAllowed(control::Scheme scheme, const std::string& tee);

// RequireKeyFromOperatorAllowed refuses a key from the control channel outside the development TEE. Errors: kAuth.
Status RequireKeyFromOperatorAllowed(const std::string& tee);

// LoadedModel is a model and what names it: for a sealed one the SHA-256 of its plaintext, policy and all
// (docs/spec/sealed-model.md, 3), for another that of its canonical encoding, where Settings.digest_model asks for it.
struct LoadedModel {
  ValidatedGraph graph;
  std::vector<std::byte> digest;
};

// RequireSpotChecks refuses fingerprints that fall too rarely, or on too few known answers, to count as a check.
// Errors: kAuth.
Status RequireSpotChecks(const control::Settings& settings);

// RequireOwnPlacement refuses a placement from outside: which operators cross, and how many, is what the owner's bounds
// on theta and the random choice of the enclave are about. Errors: kAuth.
Status RequireOwnPlacement(const control::Settings& settings);

// SealedSource is a sealed file as it arrives.
struct SealedSource {
  std::string_view signature;
  uint64_t ciphertext_bytes;
  ByteSource ciphertext;
};

// OpenModelFor opens a sealed model, if its own policy and the release's terms allow it to be run under `settings`. The
// key is gone when it returns. Errors: kExhausted (not that much memory may be locked), kAuth (a key or signature;
// settings weaker than is demanded), those of OpenSealedModel.
Result<LoadedModel> OpenModelFor(const control::Settings& settings, ReleasedKey key, SealedSource sealed);

}  // namespace soter
