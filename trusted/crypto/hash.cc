#include "trusted/crypto/hash.h"

#include "common/base/check.h"
#include "trusted/crypto/evp.h"

namespace soter {

void internal::FreeHashContext::operator()(evp_md_ctx_st* context) const { EVP_MD_CTX_free(context); }

template <HashAlgorithm kAlgorithm>
Hasher<kAlgorithm>::Hasher() : context_(EVP_MD_CTX_new()) {
  int started = context_ ? EVP_DigestInit_ex(context_.get(), internal::OpenSslHash(kAlgorithm), nullptr) : 0;
  CHECK(started == 1, "a hash cannot be started");
}

template <HashAlgorithm kAlgorithm>
void Hasher<kAlgorithm>::Update(std::span<const std::byte> bytes) {
  CHECK(EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size()) == 1, "a hash cannot go on");
}

template <HashAlgorithm kAlgorithm>
typename Hasher<kAlgorithm>::Digest Hasher<kAlgorithm>::Finish() && {
  Digest digest;
  unsigned int size_bytes = 0;
  int done = EVP_DigestFinal_ex(context_.get(), internal::Raw(digest.data()), &size_bytes);
  CHECK(done == 1 && size_bytes == digest.size(), "a hash cannot be finished");
  context_.reset();
  return digest;
}

template class Hasher<HashAlgorithm::kSha256>;
template class Hasher<HashAlgorithm::kSha384>;
template class Hasher<HashAlgorithm::kSha512>;
template class Hasher<HashAlgorithm::kBlake2b512>;

}  // namespace soter
