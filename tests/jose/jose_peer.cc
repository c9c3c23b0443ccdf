// jose_peer COMMAND FILE: our side of tests/jose/peers_test.py. What it works on comes from standard input.
//   encrypt JWK    the plaintext                      -> a JWE
//   decrypt PEM    a JWE                              -> the plaintext
//   sign PEM       claims                             -> a token
//   verify JWK     a token                            -> its claims
//   canonical -    JSON                               -> canonical JSON
// Exit code 1 and a message where it is refused.
#include <cstdio>
#include <fstream>
#include <iostream>
#include <iterator>
#include <optional>

#include "trusted/jose/jcs.h"
#include "trusted/jose/jwe.h"
#include "trusted/jose/jwt.h"

namespace soter {
namespace {

std::string ReadAll(std::istream& in) { return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()}; }

std::string ReadFile(const char* path) {
  std::ifstream file(path, std::ios::binary);
  return ReadAll(file);
}

Result<EcPublicJwk> ReadJwk(const char* path) { return DecodeJwk(TRY(ParseJson(ReadFile(path)))); }

Result<EcPrivateKey> ReadKey(const char* path) {
  std::string pem = ReadFile(path);
  for (EcCurve curve : {EcCurve::kP256, EcCurve::kP384, EcCurve::kP521})
    if (Result<EcPrivateKey> key = EcPrivateKey::FromPem(curve, pem); key.ok()) return key;
  return Malformed("no private key");
}

Result<std::string> Work(std::string_view command, const char* path, const std::string& input) {
  if (command == "encrypt") return EncryptJwe(TRY(ReadJwk(path)), AsBytes(input));
  if (command == "sign") return SignJwt(TRY(ReadKey(path)), TRY(ParseJson(input)));
  if (command == "verify") return DumpJson(TRY(VerifyJwt(TRY(ReadJwk(path)), input)));
  if (command == "canonical") return CanonicalJson(TRY(ParseJson(input)));
  if (command != "decrypt") return InvalidArgument("no such command");
  SecretBytes plaintext = TRY(DecryptJwe(TRY(ReadKey(path)), input));
  return std::string(AsText(plaintext.Expose()));
}

}  // namespace
}  // namespace soter

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  soter::Result<std::string> output = soter::Work(argv[1], argv[2], soter::ReadAll(std::cin));
  if (output.ok()) std::cout << *output;
  else std::cerr << output.error().message << "\n";
  return output.ok() ? 0 : 1;
}
