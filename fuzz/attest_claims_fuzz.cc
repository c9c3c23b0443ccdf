// What an RA-TLS certificate carries, and a host's certificate table: what decodes must encode to what decodes alike.
#include <cstdint>

#include "trusted/attest/ra_tls_format.h"
#include "trusted/attest/workload_claims.h"
#include "trusted/tee/snp_certificates.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace soter;
  ByteView bytes = std::as_bytes(std::span(data, size));
  Result<WorkloadClaims> claims = DecodeClaims(bytes);
  if (claims.ok()) {
    std::vector<std::byte> encoded = EncodeClaims(*claims);
    CHECK(EncodeClaims(DecodeClaims(encoded).value()) == encoded, "claims do not survive their encoding");
  }
  Result<Evidence> evidence = DecodeRaTlsEvidence(bytes);
  if (evidence.ok()) CHECK(DecodeRaTlsEvidence(EncodeRaTlsEvidence(*evidence)).ok(), "evidence does not survive");
  (void)ParseSnpCertificateTable(bytes);
  return 0;
}
