# What SOTER_CUDA needs, found or named. Included by the top CMakeLists.txt; without SOTER_CUDA it changes nothing.

# A program and the backends that it loads must be of one build (untrusted/backend/module.h).
set(SOTER_BUILD "${PROJECT_VERSION} ${CMAKE_CXX_COMPILER_ID} ${CMAKE_CXX_COMPILER_VERSION} ${CMAKE_BUILD_TYPE}")

if(NOT SOTER_CUDA)
  return()
endif()

find_program(NVCC nvcc HINTS ENV CUDAToolkit_ROOT ENV CUDA_HOME PATHS /usr/local/cuda PATH_SUFFIXES bin)
if(NOT NVCC)
  message(FATAL_ERROR "SOTER_CUDA needs nvcc: install a CUDA toolkit, or set CUDAToolkit_ROOT to the one there is")
endif()
set(CMAKE_CUDA_COMPILER ${NVCC})
# Machine code for data-centre GPUs of Ampere and Hopper, PTX for what is older (from Turing) and newer.
set(CMAKE_CUDA_ARCHITECTURES "75-virtual;80-real;90" CACHE STRING "GPUs to generate code for")
enable_language(CUDA)
if(NOT CMAKE_CUDA20_STANDARD_COMPILE_OPTION)  # CMake 3.25 does not know how recent versions of nvcc spell it
  set(CMAKE_CUDA20_STANDARD_COMPILE_OPTION "-std=c++20")
  set(CMAKE_CUDA20_EXTENSION_COMPILE_OPTION "-std=c++20")
endif()
find_package(CUDAToolkit REQUIRED)
# The backend is a shared library that takes in the static ones.
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
