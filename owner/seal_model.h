#pragma once

#include <string>
#include <vector>

#include "trusted/seal/sealed_model.h"

// What `soter keygen`, `soter seal` and `soter inspect` do to files. The signature of FILE is FILE.minisig. A file
// appears whole or not at all, and errors name the file.
namespace soter {

inline constexpr size_t kMaxKeyFileBytes = 64 * 1024;

std::string SignaturePath(const std::string& sealed_path);

// MakeIdentityFile writes a fresh age identity, readable by its owner only, and returns its recipient (age1...).
// Errors: kInvalidArgument (the file exists: a key is never replaced), kUnavailable, kExhausted.
Result<std::string> MakeIdentityFile(const std::string& path);

// MakeSigningKeyFiles writes a fresh minisign key pair and returns the id of the key. Errors: as above.
Result<std::string> MakeSigningKeyFiles(const std::string& secret_path, const std::string& public_path);

struct SealFileRequest {
  std::string output_path;
  std::vector<std::string> recipients;   // age1...
  std::string signing_key_path;          // a minisign secret key without a password
  ModelPolicy policy;
};

// SealModelFile seals what `write_content` writes, and its policy, into a file and its signature.
// Errors: those of SealModel; kMalformed, kUnsupported (a key); kUnavailable, kExhausted (files).
Status SealModelFile(const SealFileRequest& request, const ContentWriter& write_content);

struct OpenFileRequest {
  std::string path;
  std::string identity_path;             // an age identity file
  std::string signer_path;               // a minisign public key
  std::optional<ReleaseTerms> terms = std::nullopt;
};

// OpenSealedModelFile opens a file for its owner. Errors: those of OpenSealedModel; kMalformed (a key), kUnavailable.
Result<OpenedModel> OpenSealedModelFile(const OpenFileRequest& request);

struct ResealFileRequest {
  OpenFileRequest open;
  std::string output_path;               // may be the same as open.path
  std::vector<std::string> recipients;
  std::string signing_key_path;
};

// ResealModelFile replaces recipients and signature, without the ONNX. Errors: those of ResealModel and of files.
Status ResealModelFile(const ResealFileRequest& request);

// InspectSealedModelFile tells what can be known without a key; `signer_path` may be empty, and then nothing is
// verified. Errors: those of InspectSealedModel; kMalformed (a key), kUnavailable.
Result<SealedModelInfo> InspectSealedModelFile(const std::string& path, const std::string& signer_path);

}  // namespace soter
