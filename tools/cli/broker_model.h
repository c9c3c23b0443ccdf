#pragma once

#include <string>

#include "broker/store.h"

namespace soter {

struct BrokerModelFiles {
  std::string model, identity, signer, policy;
};

// ReadBrokerModel makes the resource of a sealed model, without a path: the whole model is verified and decrypted once,
// in bounded memory, so that what is released later opens just this. The policy may ask for more than the model does
// (min_scheme, min_check), never for less.
// Errors: kInvalidArgument (a file, more than one identity, a weaker policy, a version below its minimum), kMalformed,
// kAuth (another signer, not for this identity, changed).
Result<Resource> ReadBrokerModel(const BrokerModelFiles& files);

}  // namespace soter
