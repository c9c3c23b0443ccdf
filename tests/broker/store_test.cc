#include "broker/store.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <thread>

#include "broker/audit_log.h"

namespace soter {
namespace {

class StoreTest : public ::testing::Test {
 protected:
  StoreTest() {
    std::string pattern = (std::filesystem::temp_directory_path() / "soter-store-XXXXXX").string();
    directory_ = ::mkdtemp(pattern.data());
  }
  ~StoreTest() override { std::filesystem::remove_all(directory_); }

  std::string path() const { return directory_ + "/broker.db"; }

  static int64_t CountEntries(Store& store) {
    LogVerifier verifier;
    EXPECT_TRUE(store.ReadLog([&](const std::string& entry) { return verifier.Add(entry); }).ok());
    return verifier.count();
  }

  std::string directory_;
};

const Resource kResource = {.path = "a/b/c", .name = "n", .version = 7, .digest = "d", .identity = "i", .signer = "s",
                            .min_scheme = "soter", .min_check = "none", .policy = "platforms = [\"dev\"]\n"};

TEST_F(StoreTest, WhatIsPutIsFoundInTheFileAgain) {
  {
    Store store = Store::Create(path(), 1).value();
    ASSERT_TRUE(store.Transact([&] { return store.PutResource(kResource); }).ok());
    ASSERT_TRUE(store.Transact([&] { return store.Revoke("dev:00", 2); }).ok());
  }
  Store store = Store::Open(path()).value();
  Status read = store.Transact([&]() -> Status {
    Resource found = TRY(store.FindResource("a/b/c")).value();
    EXPECT_EQ(found.name, "n");
    EXPECT_EQ(found.version, 7u);
    EXPECT_EQ(found.policy, kResource.policy);
    EXPECT_FALSE(TRY(store.FindResource("a/b/d")).has_value());
    EXPECT_EQ(TRY(store.Resources()).size(), 1u);
    EXPECT_TRUE(TRY(store.IsRevoked("dev:00")));
    EXPECT_FALSE(TRY(store.IsRevoked("dev:01")));
    return {};
  });
  EXPECT_TRUE(read.ok());
  EXPECT_EQ(Store::Open(directory_ + "/absent").error().code, ErrorCode::kUnavailable);
}

TEST_F(StoreTest, AnErrorUndoesTheWholeTransaction) {
  Store store = Store::Create(path(), 1).value();
  Status done = store.Transact([&]() -> Status {
    TRY(store.AddActivation({"a/b/c", "t", "dev:00"}, 1));
    TRY(store.Log({{"event", "release"}}, 1));
    return AuthError("no");
  });
  EXPECT_EQ(done.error().code, ErrorCode::kAuth);
  EXPECT_EQ(CountEntries(store), 1);
  EXPECT_TRUE(store.Transact([&]() -> Status {
    EXPECT_EQ(TRY(store.CountActivations("a/b/c", "")), 0u);
    return {};
  }).ok());
}

TEST_F(StoreTest, ActivationsAreCountedByPathAndDevice) {
  Store store = Store::Create(path(), 1).value();
  Status done = store.Transact([&]() -> Status {
    TRY(store.AddActivation({"a/b/c", "t1", "dev:00"}, 1));
    TRY(store.AddActivation({"a/b/c", "t2", "dev:01"}, 1));
    TRY(store.AddActivation({"a/b/d", "t1", "dev:00"}, 1));
    EXPECT_EQ(TRY(store.CountActivations("a/b/c", "")), 2u);
    EXPECT_EQ(TRY(store.CountActivations("a/b/c", "dev:00")), 1u);
    EXPECT_EQ(TRY(store.CountActivations("a/b/e", "")), 0u);
    EXPECT_TRUE(TRY(store.HasActivation({"a/b/c", "t1", ""})));
    EXPECT_FALSE(TRY(store.HasActivation({"a/b/c", "t3", ""})));
    return {};
  });
  EXPECT_TRUE(done.ok());
  EXPECT_FALSE(store.Transact([&] { return store.AddActivation({"a/b/c", "t1", "dev:09"}, 1); }).ok());
}

// Two connections, as of two processes, and two threads on each: the log stays one chain.
TEST_F(StoreTest, WritersDoNotTearTheLog) {
  Store first = Store::Create(path(), 1).value(), second = Store::Open(path()).value();
  std::vector<std::thread> threads;
  for (Store* store : {&first, &second, &first, &second})
    threads.emplace_back([store] {
      for (int i = 0; i < 10; ++i)
        EXPECT_TRUE(store->Transact([&] { return store->Log({{"event", "x"}}, 1); }).ok());
    });
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(CountEntries(second), 41);
}

TEST_F(StoreTest, AnotherDatabaseIsMalformed) {
  ASSERT_TRUE(Database::Open(path(), Database::Mode::kCreate)->Execute("CREATE TABLE x (y)").ok());
  EXPECT_EQ(Store::Open(path()).error().code, ErrorCode::kMalformed);
}

}  // namespace
}  // namespace soter
