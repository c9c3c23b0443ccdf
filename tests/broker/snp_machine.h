#pragma once

// For tests: an SEV-SNP machine of a vendor of our own, whose reports are written as JSON the way Trustee's clients do.

#include <string>
#include <vector>

#include "tests/attest/test_authority.h"
#include "trusted/jose/json.h"

namespace soter {

class SnpMachine {
 public:
  struct Guest {
    uint64_t policy = 0x30000;  // bit 19 is DEBUG
    uint8_t firmware = 4;       // the SNP part of every TCB
    uint8_t measurement = 0x11;
    uint8_t vmpl = 0;
  };

  SnpMachine();

  // RawReport is a signed report of 1184 bytes. Evidence is the same as JSON, with the certificate chain.
  std::vector<std::byte> RawReport(const Guest& guest, ByteView report_data) const;
  Json ReportJson(ByteView raw) const;
  Json Evidence(const Guest& guest, ByteView report_data) const;

  const TrustAnchors& anchors() const { return anchors_; }

 private:
  TestKey ark_{"P-384"}, ask_{"P-384"}, leaf_{"P-384"};
  TrustAnchors anchors_;
};

}  // namespace soter
