# Every source file in the trusted computing base, one a line, never a glob.
# tests/style/check-zones prints its size and fails on a file that is missing here.

set(SOTER_COMMON_SOURCES
  common/base/base64.cc
  common/base/bech32.cc
  common/base/check.cc
  common/base/hex.cc
  common/base/result.cc
  common/graph/bind.cc
  common/graph/bind_inputs.cc
  common/graph/fold.cc
  common/graph/fold_math.cc
  common/graph/fold_move.cc
  common/graph/infer.cc
  common/graph/infer_conv.cc
  common/graph/infer_dense.cc
  common/graph/infer_elementwise.cc
  common/graph/infer_index.cc
  common/graph/infer_shape_ops.cc
  common/graph/node_rules.cc
  common/graph/op_traits.cc
  common/graph/ops.cc
  common/graph/validate.cc
  common/tensor/tensor.cc
)

set(SOTER_TRUSTED_SOURCES
)

set(SOTER_CRYPTO_SOURCES
  trusted/crypto/aead.cc
  trusted/crypto/constant_time.cc
  trusted/crypto/ecdsa.cc
  trusted/crypto/ed25519.cc
  trusted/crypto/evp.cc
  trusted/crypto/hash.cc
  trusted/crypto/hkdf.cc
  trusted/crypto/hmac.cc
  trusted/crypto/locked_memory.cc
  trusted/crypto/random.cc
  trusted/crypto/rsa_pss.cc
  trusted/crypto/x25519.cc
)

set(SOTER_SEAL_SOURCES
  trusted/seal/age.cc
  trusted/seal/age_header.cc
  trusted/seal/age_key.cc
  trusted/seal/age_stream.cc
  trusted/seal/minisign_key.cc
  trusted/seal/minisign_signature.cc
)
