#include "trusted/attest/verify/policy.h"

#include "common/base/hex.h"
#include "trusted/attest/verify/toml.h"

namespace soter {
namespace {

// What is absent is not looked at. What is there but empty could be meant so or otherwise, and is refused.
Error Empty(const char* key) {
  return InvalidArgument(std::string(key) + " is empty: give a value, or leave it out");
}

Status TakeName(TomlTable& table, const char* key, std::string& out) {
  if (!table.Has(key)) return {};
  TRY(table.TakeString(key, out));
  if (out.empty()) return Empty(key);
  return {};
}

Status TakeNames(TomlTable& table, const char* key, std::vector<std::string>& out) {
  if (!table.Has(key)) return {};
  TRY(table.TakeStrings(key, out));
  if (out.empty()) return Empty(key);
  return {};
}

Status NormalizeHex(const char* key, size_t size_bytes, std::string& text) {
  Result<std::vector<std::byte>> bytes = DecodeHexAnyCase(text);
  if (!bytes.ok() || bytes->size() != size_bytes)
    return InvalidArgument(std::string(key) + " takes " + std::to_string(2 * size_bytes) + " hexadecimal digits");
  text = EncodeHex(*bytes);
  return {};
}

Status TakeHex(TomlTable& table, const char* key, size_t size_bytes, std::string& out) {
  TRY(TakeName(table, key, out));
  if (out.empty()) return {};
  return NormalizeHex(key, size_bytes, out);
}

Status TakeHexList(TomlTable& table, const char* key, size_t size_bytes, std::vector<std::string>& out) {
  TRY(TakeNames(table, key, out));
  for (std::string& text : out) TRY(NormalizeHex(key, size_bytes, text));
  return {};
}

Status TakeByte(TomlTable& table, const char* key, uint8_t& out) {
  int64_t value = out;
  TRY(table.TakeInteger(key, value));
  if (value < 0 || value > UINT8_MAX) return InvalidArgument(std::string(key) + " takes 0 to 255");
  out = static_cast<uint8_t>(value);
  return {};
}

Status ReadTop(TomlTable& table, Policy& policy) {
  std::vector<std::string> names;
  TRY(table.TakeStrings("platforms", names));
  if (names.empty()) return InvalidArgument("platforms must name one or more of sgx, tdx, snp, dev");
  for (const std::string& name : names) policy.platforms.push_back(TRY(PlatformFromName(name)));
  TRY(TakeHex(table, "report_data", 64, policy.report_data));
  return table.ExpectEmpty();
}

Status ReadWorkload(TomlTable& table, WorkloadPolicy& policy) {
  TRY(TakeName(table, "purpose", policy.purpose));
  TRY(TakeName(table, "nonce", policy.nonce));
  policy.nonce = EncodeHex(TRY(DecodeHexAnyCase(policy.nonce)));
  TRY(TakeName(table, "model_digest", policy.model_digest));
  policy.model_digest = EncodeHex(TRY(DecodeHexAnyCase(policy.model_digest)));
  TRY(TakeNames(table, "schemes", policy.schemes));
  TRY(TakeNames(table, "checks", policy.checks));
  return table.ExpectEmpty();
}

Status ReadSnp(TomlTable& table, SnpPolicy& policy) {
  TRY(TakeHexList(table, "measurements", 48, policy.measurements));
  TRY(table.TakeBool("any_measurement_insecure", policy.any_measurement_insecure));
  TRY(table.TakeBool("allow_debug_insecure", policy.allow_debug_insecure));
  TRY(table.TakeBool("allow_migration_agent", policy.allow_migration_agent));
  TRY(table.TakeBool("allow_smt", policy.allow_smt));
  TRY(table.TakeBool("allow_vlek", policy.allow_vlek));
  TRY(table.TakeBool("require_revocation_lists", policy.require_revocation_lists));
  TRY(table.TakeBool("require_alias_check", policy.require_alias_check));
  TRY(table.TakeIntegers("vmpls", policy.vmpls));
  TRY(TakeHex(table, "host_data", 32, policy.host_data));
  TRY(TakeHexList(table, "id_key_digests", 48, policy.id_key_digests));
  TRY(TakeHexList(table, "chip_ids", 64, policy.chip_ids));
  TRY(table.TakeInteger("min_guest_svn", policy.min_guest_svn));
  return table.ExpectEmpty();
}

Status ReadSnpMinTcb(TomlTable& table, SnpTcb& tcb) {
  TRY(TakeByte(table, "fmc", tcb.fmc));
  TRY(TakeByte(table, "bootloader", tcb.bootloader));
  TRY(TakeByte(table, "tee", tcb.tee));
  TRY(TakeByte(table, "snp", tcb.snp));
  TRY(TakeByte(table, "microcode", tcb.microcode));
  return table.ExpectEmpty();
}

Status ReadSgx(TomlTable& table, SgxPolicy& policy) {
  TRY(TakeHexList(table, "mrenclave", 32, policy.mrenclave));
  TRY(TakeHexList(table, "mrsigner", 32, policy.mrsigner));
  int64_t prod_id = -1;
  TRY(table.TakeInteger("isv_prod_id", prod_id));
  if (prod_id >= 0) policy.isv_prod_id = prod_id;
  if (!policy.mrsigner.empty() && !policy.isv_prod_id)
    return InvalidArgument("mrsigner without isv_prod_id accepts every enclave of that signer: set isv_prod_id");
  TRY(table.TakeInteger("isv_svn", policy.isv_svn));
  TRY(table.TakeBool("any_measurement_insecure", policy.any_measurement_insecure));
  TRY(table.TakeBool("allow_debug_enclave_insecure", policy.allow_debug_enclave_insecure));
  return table.ExpectEmpty();
}

Status ReadTdx(TomlTable& table, TdxPolicy& policy) {
  TRY(TakeHexList(table, "mr_td", 48, policy.mr_td));
  TRY(table.TakeBool("any_measurement_insecure", policy.any_measurement_insecure));
  TRY(table.TakeBool("allow_debug_insecure", policy.allow_debug_insecure));
  TRY(table.TakeBool("allow_migration", policy.allow_migration));
  TRY(TakeHexList(table, "mr_seam", 48, policy.mr_seam));
  TRY(TakeHexList(table, "rtmr0", 48, policy.rtmr0));
  TRY(TakeHexList(table, "rtmr1", 48, policy.rtmr1));
  TRY(TakeHexList(table, "rtmr2", 48, policy.rtmr2));
  TRY(TakeHexList(table, "rtmr3", 48, policy.rtmr3));
  TRY(TakeHex(table, "mr_config_id", 48, policy.mr_config_id));
  TRY(TakeHex(table, "mr_owner", 48, policy.mr_owner));
  TRY(TakeHex(table, "mr_owner_config", 48, policy.mr_owner_config));
  return table.ExpectEmpty();
}

Status ReadIntel(TomlTable& table, IntelPolicy& policy) {
  TRY(table.TakeBool("allow_outdated_tcb_insecure", policy.allow_outdated_tcb_insecure));
  TRY(table.TakeBool("allow_hw_config_needed", policy.allow_hw_config_needed));
  TRY(table.TakeBool("allow_sw_hardening_needed", policy.allow_sw_hardening_needed));
  TRY(table.TakeBool("allow_missing_collateral_insecure", policy.allow_missing_collateral_insecure));
  TRY(table.TakeStrings("allowed_advisories", policy.allowed_advisories));
  TRY(table.TakeInteger("min_tcb_evaluation_data_number", policy.min_tcb_evaluation_data_number));
  TRY(TakeHexList(table, "ppids", 16, policy.ppids));
  return table.ExpectEmpty();
}

Status ReadDev(TomlTable& table, DevPolicy& policy) {
  TRY(TakeHexList(table, "keys", 32, policy.keys));
  TRY(TakeHexList(table, "measurements", 32, policy.measurements));
  TRY(table.TakeBool("any_measurement_insecure", policy.any_measurement_insecure));
  return table.ExpectEmpty();
}

Status ReadTable(const std::string& name, TomlTable& table, Policy& policy) {
  if (name.empty()) return ReadTop(table, policy);
  if (name == "workload") return ReadWorkload(table, policy.workload);
  if (name == "snp") return ReadSnp(table, policy.snp);
  if (name == "snp.min_tcb") return ReadSnpMinTcb(table, policy.snp.min_tcb);
  if (name == "snp.min_launch_tcb") return ReadSnpMinTcb(table, policy.snp.min_launch_tcb);
  if (name == "sgx") return ReadSgx(table, policy.sgx);
  if (name == "tdx") return ReadTdx(table, policy.tdx);
  if (name == "intel") return ReadIntel(table, policy.intel);
  if (name == "dev") return ReadDev(table, policy.dev);
  return InvalidArgument('[' + name + "] is none of [workload], [snp], [snp.min_tcb], [snp.min_launch_tcb], [sgx], [tdx], "
                         "[intel], [dev]");
}

}  // namespace

Result<Policy> ParsePolicy(std::string_view toml) {
  TomlFile file = TRY(ParseToml(toml));
  return ReadPolicy(file);
}

Result<Policy> ReadPolicy(TomlFile& file) {
  Policy policy;
  for (auto& [name, table] : file) {
    Status read = ReadTable(name, table, policy);
    if (!read.ok()) return Annotate(std::move(read).error(), name.empty() ? "policy" : "policy [" + name + "]");
  }
  return policy;
}

}  // namespace soter
