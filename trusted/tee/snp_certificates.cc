#include "trusted/tee/snp_certificates.h"

#include <array>
#include <string>

#include "common/base/hex.h"
#include "common/base/reader.h"

namespace soter {
namespace {

// In the order in which a chain is read: VCEK, VLEK, ASK (or ASVK), ARK.
constexpr std::array<std::string_view, 4> kGuids = {
    "63da758de6644564adc5f4b93be8accd", "a8074bc2a25a483eaae639c045a0b8a1", "4ab7b379bbac4fe4a02f05aef327c782",
    "c0b406a4a803495297433fb6014cd0ae"};
constexpr size_t kEntryBytes = 24, kMaxEntries = 32;

}  // namespace

Result<std::vector<std::vector<std::byte>>> ParseSnpCertificateTable(ByteView table) {
  std::array<std::vector<std::byte>, kGuids.size()> found;
  Reader reader(table);
  for (size_t entry = 0; reader.remaining() >= kEntryBytes; ++entry) {
    if (entry == kMaxEntries) return Malformed("the host's certificate table has no end");
    std::string guid = EncodeHex(TRY(reader.ReadBytes(16)));
    uint32_t offset = TRY(reader.ReadNumber<uint32_t>()), size = TRY(reader.ReadNumber<uint32_t>());
    if (guid == std::string(32, '0')) break;
    if (offset > table.size() || size > table.size() - offset)
      return Malformed("a certificate lies outside its table");
    ByteView der = table.subspan(offset, size);
    for (size_t i = 0; i < kGuids.size(); ++i)
      if (guid == kGuids[i]) found[i].assign(der.begin(), der.end());
  }
  std::vector<std::vector<std::byte>> chain;
  for (std::vector<std::byte>& der : found)
    if (!der.empty()) chain.push_back(std::move(der));
  return chain;
}

}  // namespace soter
