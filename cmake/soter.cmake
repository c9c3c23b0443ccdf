# Flags and the two functions that every CMakeLists.txt here uses.

add_library(soter_flags INTERFACE)
target_include_directories(soter_flags INTERFACE ${CMAKE_SOURCE_DIR})
target_compile_options(soter_flags INTERFACE
  -Wall -Wextra -Wshadow -Wno-missing-field-initializers -Werror=return-type -Werror=unused-result
  -Wno-restrict  # GCC 12 sees overlaps in std::string that are not there (its bug 105651)
  -fstack-protector-strong -ffp-contract=off)
if(SOTER_DEVELOPMENT)
  target_compile_definitions(soter_flags INTERFACE SOTER_DEVELOPMENT)
endif()
if(SOTER_SANITIZE)
  target_compile_options(soter_flags INTERFACE -fsanitize=${SOTER_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  target_link_options(soter_flags INTERFACE -fsanitize=${SOTER_SANITIZE})
else()
  target_compile_definitions(soter_flags INTERFACE $<$<CONFIG:Release>:_FORTIFY_SOURCE=2>)
endif()

# soter_library(NAME SOURCES file... LINK library...)
function(soter_library NAME)
  cmake_parse_arguments(ARG "" "" "SOURCES;LINK" ${ARGN})
  add_library(${NAME} STATIC ${ARG_SOURCES})
  target_link_libraries(${NAME} PUBLIC soter_flags ${ARG_LINK})
endfunction()

# soter_program(NAME SOURCES file... LINK library...)
function(soter_program NAME)
  cmake_parse_arguments(ARG "" "" "SOURCES;LINK" ${ARGN})
  add_executable(${NAME} ${ARG_SOURCES})
  target_link_libraries(${NAME} PRIVATE soter_flags ${ARG_LINK})
endfunction()

# The tests of what reads bytes from outside and of what moves tensors: the ones that sanitizer builds run every time
# (scripts/test), because a sanitizer build of everything takes longer than all the rest. They are labelled "core".
add_custom_target(core_tests)
set(SOTER_CORE_TESTS common_test graph_test wire_test compute_unit_test trusted_test owner_test hostile_test)

# soter_test(NAME SOURCES file... LINK library...): a GoogleTest program whose cases ctest lists one by one.
function(soter_test NAME)
  cmake_parse_arguments(ARG "" "" "SOURCES;LINK" ${ARGN})
  add_executable(${NAME} ${ARG_SOURCES})
  set_target_properties(${NAME} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
  target_link_libraries(${NAME} PRIVATE soter_flags ${ARG_LINK} GTest::gmock GTest::gtest_main)
  include(GoogleTest)
  set(label other)
  if(NAME IN_LIST SOTER_CORE_TESTS)
    set(label core)
    add_dependencies(core_tests ${NAME})
  endif()
  gtest_discover_tests(${NAME} DISCOVERY_MODE PRE_TEST WORKING_DIRECTORY ${CMAKE_SOURCE_DIR}
                       PROPERTIES TIMEOUT 300 LABELS ${label})
endfunction()
