#include "trusted/attest/evidence.h"

#include "common/base/base64.h"

namespace soter {
// Every value is base64 or a fixed word, so nothing here needs escaping and no JSON library enters the enclave.
std::string EncodeEvidence(const Evidence& evidence) {
  std::string json = "{\"format\": \"soter-evidence-1\",\n \"platform\": \"";
  json += PlatformName(evidence.platform);
  json += "\",\n \"report\": \"" + EncodeBase64(evidence.report, Base64::kPadded) + "\",\n \"certificates\": [";
  const char* separator = "";
  for (const std::vector<std::byte>& der : evidence.certificates) {
    json += separator;
    json += '"' + EncodeBase64(der, Base64::kPadded) + '"';
    separator = ",\n  ";
  }
  return json + "],\n \"claims\": \"" + EncodeBase64(evidence.claims, Base64::kPadded) + "\"}\n";
}

}  // namespace soter
