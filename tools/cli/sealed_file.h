#pragma once

#include <string>
#include <variant>

#include "common/base/file.h"
#include "common/graph/graph.h"
#include "tools/cli/options.h"
#include "tools/cli/session.h"

namespace soter {

// IsSealed tells a sealed model from an ONNX file by how it begins; what cannot be read counts as ONNX, whose reader
// says what is wrong. Errors: kInvalidArgument (keys for a model that is not sealed).
Result<bool> IsSealed(const std::string& path, const KeyOptions& keys);

// SealedFile is a sealed model on its way to an enclave. Nothing of it is opened here.
class SealedFile {
 public:
  // Open opens the file and reads its signature, the keys, and the lease. Errors: kInvalidArgument (a file or option is
  // missing).
  static Result<SealedFile> Open(const std::string& path, const KeyOptions& keys);

  // SendTo hands everything to the enclave, once, and keeps the lease that it returns. Errors: those of the enclave, with
  // the file's name; those of writing the lease.
  Result<control::ModelReport> SendTo(EnclaveSession& session);

 private:
  SealedFile(std::string path, InputFile file) : path_(std::move(path)), file_(std::move(file)) {}
  Status ReadKeys(const KeyOptions& keys);
  Status ReadBroker(const KeyOptions& keys);

  std::string path_, lease_path_;
  InputFile file_;
  std::variant<control::SealedModel, control::BrokeredModel> announcement_;
};

// InputsOf returns a graph with the inputs that the enclave reported, and nothing else.
// Errors: kMalformed (an extent below zero that is no symbol).
Result<Graph> InputsOf(const control::ModelReport& report);

}  // namespace soter
