#pragma once

#include <array>
#include <vector>

#include "common/base/bytes.h"
#include "common/base/result.h"

namespace soter {

// kDevWarning stands in everything a person sees of the dev platform.
inline constexpr char kDevWarning[] = "development TEE: a plain process, protects nothing";

// DevReport is what the dev platform signs, so that protocols can be run and tested without a TEE. Its key lies in
// a file: whoever can read that file can forge it.
struct DevReport {
  std::array<std::byte, 32> measurement = {};  // SHA-256 of the program's file
  std::array<std::byte, 64> report_data = {};
  std::array<std::byte, 32> public_key = {};  // Ed25519
  std::array<std::byte, 64> signature = {};
};

// DevSignedBytes is what the signature covers (docs/spec/attestation.md, 2.4).
std::vector<std::byte> DevSignedBytes(const DevReport& report);

std::vector<std::byte> EncodeDevReport(const DevReport& report);

// DecodeDevReport reads exactly one report; the signature is not checked. Errors: kMalformed.
Result<DevReport> DecodeDevReport(ByteView bytes);

}  // namespace soter
