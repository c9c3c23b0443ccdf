#include "tests/attest/intel_world.h"

#include <cstring>

#include "common/base/hex.h"
#include "common/base/writer.h"
#include "trusted/attest/verify/evidence_file.h"
#include "trusted/attest/verify/timestamp.h"
#include "trusted/jose/json.h"

namespace soter {
namespace {

std::string Repeat(const std::string& text, int count) {
  std::string out;
  for (int i = 0; i < count; ++i) out += text;
  return out;
}

std::string Components(uint8_t svn) {
  std::string one = "{\"svn\":" + std::to_string(svn) + "}";
  return "[" + one + Repeat("," + one, 15) + "]";
}

std::vector<std::byte> Field(const char* suffix_hex, ByteView value) {
  std::vector<std::byte> content = Der(0x06, DecodeHex(std::string("2a864886f84d010d01") + suffix_hex).value());
  content.insert(content.end(), value.begin(), value.end());
  return Der(0x30, content);
}

std::vector<std::byte> PckExtension(const IntelFault& fault) {
  std::vector<std::byte> tcb, all;
  auto append = [](std::vector<std::byte>& to, const std::vector<std::byte>& more) {
    to.insert(to.end(), more.begin(), more.end());
  };
  for (uint8_t i = 1; i <= 17; ++i) {
    std::byte number[] = {std::byte{2}, std::byte{i}};
    append(tcb, Field(EncodeHex(number).c_str(), DerInteger(3)));
  }
  append(tcb, Field("0212", Der(0x04, std::vector<std::byte>(16, std::byte{3}))));
  append(all, Field("01", Der(0x04, std::vector<std::byte>(16, std::byte{0x77}))));
  append(all, Field("02", Der(0x30, tcb)));
  append(all, Field("03", Der(0x04, std::vector<std::byte>(2))));
  append(all, Field("04", Der(0x04, DecodeHex(fault.platform_fmspc).value())));
  append(all, Field("05", Der(0x0a, std::vector<std::byte>{std::byte{1}})));
  return Der(0x30, all);
}

std::vector<std::byte> SgxBody(uint8_t flags, uint8_t prod, uint16_t svn, ByteView data) {
  std::vector<std::byte> body(384);
  body[48] = std::byte{flags};
  std::memset(body.data() + 64, 0x41, 32);
  std::memset(body.data() + 128, 0x42, 32);
  body[256] = std::byte{prod};
  std::memcpy(body.data() + 258, &svn, 2);
  std::copy(data.begin(), data.end(), body.begin() + 320);
  return body;
}

std::vector<std::byte> TdBody(const IntelFault& fault) {
  const size_t sizes[] = {584, 648, 885};
  std::vector<std::byte> body(fault.version == 5 ? sizes[fault.td_body_type - 2] : 584);
  std::memset(body.data(), 2, 16);
  body[0] = std::byte{fault.module_svn}, body[1] = std::byte{fault.module_major};
  body[120] = std::byte{fault.td_attribute}, body[123] = std::byte{fault.td_migration};
  body[121] = std::byte{fault.td_attributes_8_to_15};
  std::memset(body.data() + 136, 0x51, 48);
  std::copy(fault.report_data.begin(), fault.report_data.end(), body.begin() + 520);
  return body;
}

std::string Head(const char* id, int version, const IntelFault& fault) {
  return std::string("{\"id\":\"") + id + "\",\"version\":" + std::to_string(version) + ",\"issueDate\":\"" +
         FormatTimestamp(fault.info_start) + "\",\"nextUpdate\":\"" + FormatTimestamp(fault.info_end) +
         "\",\"tcbEvaluationDataNumber\":" + std::to_string(fault.evaluation_number) +
         fault.json_repeats;
}

// Version 2 is of before TDX, and numbers the components in their names.
std::string TcbInfoVersion2(const IntelFault& fault) {
  std::string head = Head("SGX", 2, fault), numbered;
  head.replace(0, head.find(",") + 1, "{");
  for (int i = 1; i <= 16; ++i)
    numbered += "\"sgxtcbcomp" + std::string(i < 10 ? "0" : "") + std::to_string(i) +
                "svn\":" + std::to_string(fault.level_svn) + ",";
  return head + ",\"fmspc\":\"B0C06F000000\",\"pceId\":\"0000\",\"tcbType\":0,\"tcbLevels\":[{\"tcb\":{" + numbered +
         "\"pcesvn\":" + std::to_string(fault.level_pce_svn) + "},\"tcbStatus\":\"" + fault.platform_status + "\"}]}";
}

std::string TcbInfoJson(const IntelFault& fault, bool tdx) {
  if (fault.tcb_info_version == 2) return TcbInfoVersion2(fault);
  std::string json =
      Head(tdx ? "TDX" : "SGX", fault.tcb_info_version, fault) + ",\"fmspc\":\"B0C06F000000\",\"pceId\":\"0000\",\"tcbType\":0";
  std::string signer = "\"mrsigner\":\"" + std::string(96, '0') + "\",\"attributes\":\"" + std::string(16, '0') +
                       "\",\"attributesMask\":\"" + std::string(16, 'F') + "\"";
  if (tdx)
    json += ",\"tdxModule\":{" + signer + "},\"tdxModuleIdentities\":[{\"id\":\"" + fault.module_id + "\"," +
            signer + ",\"tcbLevels\":[{\"tcb\":{\"isvsvn\":5},\"tcbStatus\":\"" + fault.module_status +
            "\",\"advisoryIDs\":[\"INTEL-SA-00001\"]}]}]";
  auto level = [&](uint8_t svn, const std::string& status) {
    return "{\"tcb\":{\"sgxtcbcomponents\":" + Components(svn) +
           ",\"pcesvn\":" + std::to_string(fault.level_pce_svn) +
           (tdx ? ",\"tdxtcbcomponents\":" + Components(fault.tdx_level_svn) : "") + "},\"tcbStatus\":\"" + status + "\"}";
  };
  return json + ",\"tcbLevels\":[" + (fault.better_level_first ? level(200, "UpToDate") + "," : "") +
         level(fault.level_svn, fault.platform_status) + "]}" + fault.json_tail;
}

std::string QeIdentityJson(const IntelFault& fault, bool tdx) {
  return Head(tdx ? "TD_QE" : "QE", 2, fault) +
         ",\"miscselect\":\"00000000\",\"miscselectMask\":\"FFFFFFFF\",\"attributes\":\"11" + std::string(30, '0') +
         "\",\"attributesMask\":\"FB" + std::string(30, 'F') + "\",\"mrsigner\":\"" + Repeat("42", 32) +
         "\",\"isvprodid\":2,\"tcbLevels\":[{\"tcb\":{\"isvsvn\":8},\"tcbStatus\":\"" + fault.qe_status +
         "\"},{\"tcb\":{\"isvsvn\":6},\"tcbStatus\":\"OutOfDate\",\"advisoryIDs\":[\"INTEL-SA-00002\"]}]}";
}

// The files that somebody has who asked Intel's service, instead of one file that holds all of it.
Collateral AsAnswers(const IntelCollateral& intel, const IntelFault& fault) {
  Collateral collateral;
  auto add = [&](const char* name, const std::string& file) {
    if (fault.answer_left_out != name) CHECK(AddCollateral(AsBytes(file), collateral).ok(), "an answer is no collateral");
  };
  auto answer = [](const char* member, const std::string& json, ByteView signature) {
    return std::string("{\"") + member + "\":" + json + ",\"signature\":\"" + EncodeHex(signature) + "\"}\n";
  };
  add("tcb_info", answer("tcbInfo", intel.tcb_info, intel.tcb_info_signature));
  add("qe_identity", answer("enclaveIdentity", intel.qe_identity, intel.qe_identity_signature));
  TestKey other("P-256");  // a signing certificate of another time, with another key
  std::string chain = ToPem({Issue({.name = kTcbSigningName, .issuer_name = "Test Root"}, other, other)});
  add("signer", chain + ToPem(intel.tcb_info_issuer_chain));
  if (fault.answer_left_out != "root_crl") collateral.revocation_lists.push_back(intel.root_crl);
  if (fault.answer_left_out != "pck_crl") collateral.revocation_lists.push_back(intel.pck_crl);
  return collateral;
}

}  // namespace

// Issued is what Intel gives out, with the lists as bytes.
struct IntelWorld::Issued {
  Certificate root, ca, signer;
  std::string tcb_info, qe_identity;
  std::vector<std::byte> root_crl, pck_crl;
  std::vector<Certificate> pck_crl_issuer_chain;
};

IntelWorld::Issued IntelWorld::IssueAll(const IntelFault& fault) const {
  Certificate root = Issue({.name = "Test Root", .issuer_name = "Test Root", .is_ca = true}, root_, root_);
  Certificate ca = Issue({.name = "Test PCK CA", .issuer_name = "Test Root", .is_ca = true, .serial = 20}, ca_, root_);
  bool tdx = fault.tdx && !fault.collateral_of_sgx;
  Issued issued = {.root = root,
                   .ca = ca,
                   .signer = Issue({.name = fault.tcb_signer, .issuer_name = "Test Root", .serial = 40}, tcb_, root_),
                   .tcb_info = TcbInfoJson(fault, tdx),
                   .qe_identity = QeIdentityJson(fault, tdx),
                   .root_crl = IssueListDer({.issuer_name = "Test Root", .serials = fault.revoked_by_root,
                                             .this_update = fault.list_start, .next_update = fault.list_end}, root_),
                   .pck_crl = IssueListDer({.issuer_name = "Test PCK CA", .serials = fault.revoked_by_ca,
                                            .this_update = fault.list_start, .next_update = fault.list_end}, ca_),
                   .pck_crl_issuer_chain = {ca, root}};
  if (fault.list_of_other_ca) {
    issued.pck_crl_issuer_chain[0] =
        Issue({.name = "Test Other CA", .issuer_name = "Test Root", .is_ca = true, .serial = 21}, tcb_, root_);
    issued.pck_crl = IssueListDer({.issuer_name = "Test Other CA", .next_update = fault.list_end}, tcb_);
  }
  return issued;
}

IntelWorld::Machine IntelWorld::Make(const IntelFault& fault) const {
  Issued issued = IssueAll(fault);
  Certificate pck = Issue({.name = fault.pck_name,
                           .issuer_name = "Test PCK CA",
                           .serial = 30,
                           .not_before = fault.pck_start,
                           .not_after = fault.pck_end,
                           .extensions = {{"1.2.840.113741.1.13.1", PckExtension(fault)}}},
                          pck_, ca_);
  IntelCollateral intel = {.pck_crl_issuer_chain = issued.pck_crl_issuer_chain,
                           .root_crl = RevocationList::FromDer(issued.root_crl).value(),
                           .pck_crl = RevocationList::FromDer(issued.pck_crl).value(),
                           .tcb_info_issuer_chain = {issued.signer, issued.root},
                           .tcb_info = issued.tcb_info,
                           .tcb_info_signature = tcb_.Sign(AsBytes(issued.tcb_info)),
                           .qe_identity_issuer_chain = {issued.signer, issued.root},
                           .qe_identity = issued.qe_identity,
                           .qe_identity_signature = tcb_.Sign(AsBytes(issued.qe_identity))};
  return {.evidence = {.platform = fault.tdx ? PlatformKind::kTdx : PlatformKind::kSgx,
                       .report = MakeQuote(fault, ToPem({pck, issued.ca, issued.root}))},
          .collateral = fault.as_answers ? AsAnswers(intel, fault) : Collateral{.intel = intel}};
}

std::string IntelWorld::PackedCollateral(const IntelFault& fault) const {
  Issued issued = IssueAll(fault);
  std::string signer_chain = ToPem({issued.signer, issued.root});
  return DumpJson({{"pck_crl_issuer_chain", ToPem(issued.pck_crl_issuer_chain)},
                   {"root_ca_crl", EncodeHex(issued.root_crl)},
                   {"pck_crl", EncodeHex(issued.pck_crl)},
                   {"tcb_info_issuer_chain", signer_chain},
                   {"tcb_info", issued.tcb_info},
                   {"tcb_info_signature", EncodeHex(tcb_.Sign(AsBytes(issued.tcb_info)))},
                   {"qe_identity_issuer_chain", signer_chain},
                   {"qe_identity", issued.qe_identity},
                   {"qe_identity_signature", EncodeHex(tcb_.Sign(AsBytes(issued.qe_identity)))}});
}

TrustAnchors IntelWorld::anchors() const {
  Certificate root = Issue({.name = "Test Root", .issuer_name = "Test Root", .is_ca = true}, root_, root_);
  return {.amd = {}, .intel = root.PublicKeyDigest()};
}

std::vector<std::byte> IntelWorld::MakeQuote(const IntelFault& fault, const std::string& pem) const {
  Writer writer;
  writer.WriteNumber<uint16_t>(fault.version), writer.WriteNumber<uint16_t>(2);
  writer.WriteNumber<uint32_t>(fault.tdx ? 0x81 : 0), writer.WriteNumber<uint32_t>(0);
  writer.WriteBytes(DecodeHex("939a7233f79c4ca9940a0db3957f0607").value());
  writer.WriteBytes(std::vector<std::byte>(20));
  std::vector<std::byte> body = fault.tdx ? TdBody(fault) : SgxBody(fault.sgx_flags, 1, 1, fault.report_data);
  if (fault.version == 5) writer.WriteNumber<uint16_t>(fault.tdx ? fault.td_body_type : 1), writer.WriteCount(body.size());
  writer.WriteBytes(body);
  std::vector<std::byte> point = ak_.Point(), bound = point;
  bound.push_back(std::byte{'a'});
  Sha256::Digest digest = Digest<Sha256>(bound);
  if (fault.break_binding) digest[0] ^= std::byte{1};
  std::vector<std::byte> qe = SgxBody(fault.qe_flags, fault.qe_prod, fault.qe_isv_svn, digest);
  Writer qe_data;
  qe_data.WriteBytes(qe), qe_data.WriteBytes(pck_.Sign(qe));
  qe_data.WriteNumber<uint16_t>(1), qe_data.WriteBytes(AsBytes("a"));
  qe_data.WriteNumber<uint16_t>(5), qe_data.WriteString(pem);
  Writer signature;
  signature.WriteBytes(ak_.Sign(writer.bytes())), signature.WriteBytes(point);
  if (fault.version > 3) signature.WriteNumber<uint16_t>(6), signature.WriteCount(qe_data.size());
  signature.WriteBytes(qe_data.bytes());
  writer.WriteCount(signature.size());
  writer.WriteBytes(signature.bytes());
  return std::move(writer).Take();
}

}  // namespace soter
