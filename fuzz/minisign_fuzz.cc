// A minisign signature is refused, or is read back from what ToText writes of it; keys likewise; and no comment is
// taken for a sealed model's that ModelComment would not write.

#include "common/base/bytes.h"
#include "common/base/check.h"
#include "trusted/seal/minisign.h"
#include "trusted/seal/model_policy.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size_bytes) {
  std::string_view text(reinterpret_cast<const char*>(data), size_bytes);
  soter::Result<soter::MinisignSignature> signature = soter::MinisignSignature::Parse(text);
  if (signature.ok()) {
    std::string written = signature->ToText();
    CHECK(soter::MinisignSignature::Parse(written).value().ToText() == written, "a signature changed in a round trip");
    soter::Result<soter::ModelComment> comment = soter::ModelComment::Parse(signature->trusted_comment);
    CHECK(!comment.ok() || comment->ToText() == signature->trusted_comment, "a comment is not canonical");
  }
  soter::Result<soter::MinisignPublicKey> key = soter::MinisignPublicKey::Parse(text);
  if (key.ok()) CHECK(soter::MinisignPublicKey::Parse(key->ToText()).value().key == key->key, "a key changed");
  soter::Result<soter::MinisignSecretKey> secret = soter::MinisignSecretKey::Parse(text);
  if (secret.ok()) {
    soter::SecretBytes written = secret->ToText();
    CHECK(soter::MinisignSecretKey::Parse(soter::AsText(written.Expose())).ok(), "a secret key changed");
  }
  return 0;
}
